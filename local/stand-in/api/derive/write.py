"""Writes descriptions down: the newest version whole, each older one as what it has otherwise.

A nested shape is written once, however often it occurs, under the shortest of its names. Two shapes
are the same only if they are so in every version, so that a difference between two versions changes
nothing but the block it is in.
"""

import collections
import itertools
import textwrap

# An enum that is longer than this has a block of its own.
LONG = 60


def texts(descriptions):
    """The text of each description, the newest first: [(file name, text)]."""
    pulled = [Pulled(description) for description in descriptions]
    names = shared_names(pulled)
    blocks = [all_blocks(one, names) for one in pulled]
    written = []
    for at, description in enumerate(descriptions):
        if at == 0:
            lines = [f"version {description.version}", ""]
            chosen, dropped = blocks[0], []
        else:
            newer = descriptions[at - 1]
            lines = [f"version {description.version}", f"unlike {newer.version}", ""]
            chosen = {
                head: block for head, block in blocks[at].items() if blocks[at - 1].get(head) != block
            }
            dropped = sorted(head for head in blocks[at - 1] if head not in blocks[at])
        lines += [f"without {head}" for head in dropped]
        lines += [""] if dropped else []
        for head in sorted(chosen, key=place):
            returns, body = chosen[head]
            lines.append(f"{head}: {returns}" if returns else head)
            lines += [f"  {line}" for line in body]
        written.append((description.version.partition(".")[2] + ".txt", "\n".join(lines) + "\n"))
    return written


def place(head):
    """Operations by path, then objects, shapes and enums by name, then events."""
    order = ("GET", "POST", "DELETE", "object", "deleted", "shape", "enum", "event")
    word, _, rest = head.partition(" ")
    at = order.index(word)
    return (0, rest, at) if at < 3 else (at, rest, 0)


class Pulled:
    """A description whose long enums are named, as shapes are, and that knows where each name is from."""

    def __init__(self, description):
        # name -> ("fields", fields) or ("enum", values)
        self.named = {}
        # name -> the fields that lead to it, from an operation or object on
        self.paths = {}
        self.events = description.events
        self.shapes = description.shapes
        self.operations = {
            (method, path): (self.fields([operation_name(method, path)], params), returns)
            for (method, path), (params, returns) in description.operations.items()
        }
        self.objects = {
            kind: self.fields([camel(kind)], fields) for kind, fields in description.objects.items()
        }
        self.deleted = {
            kind: self.fields(["Deleted", camel(kind)], fields)
            for kind, fields in description.deleted.items()
        }

    def fields(self, path, found):
        return tuple(
            (name, optional, self.kind_of([*path, camel(name)], kind))
            for name, (optional, kind) in found.items()
        )

    def kind_of(self, path, kind):
        if kind[0] == "shape":
            self.named_shape(path, kind[1])
        if kind[0] == "enum" and len(" ".join(kind[1])) > LONG:
            name = " ".join(path)
            self.named[name] = ("enum", kind[1])
            self.paths[name] = path
            return ("shape", name)
        if kind[0] == "union":
            # Of several shapes for one field, the second has a 2 to its name.
            ends = itertools.chain([""], map(str, itertools.count(2)))
            numbered = [
                [*path[:-1], path[-1] + next(ends)] if item[0] in ("shape", "array") else path
                for item in kind[1]
            ]
            return ("union", tuple(map(self.kind_of, numbered, kind[1])))
        if kind[0] in ("array", "map", "list"):
            return (kind[0], self.kind_of(path, kind[1]))
        return kind

    def named_shape(self, path, name):
        known = self.paths.get(name)
        if known is None or order(path) < order(known):
            self.paths[name] = path
            self.named[name] = ("fields", ())  # a shape within itself ends here
            self.named[name] = ("fields", self.fields(path, self.shapes[name]))


def order(path):
    return (len(path), path)


def camel(name):
    return "".join(part[:1].upper() + part[1:] for part in name.replace(".", "_").split("_"))


def operation_name(method, path):
    words = [word for word in path.split("/")[2:] if not word.startswith("{")]
    return camel("_".join(words)) + method.title()


def shared_names(versions):
    """Every name -> the name under which its shape is written."""
    paths = {}
    for version in versions:
        for name, path in version.paths.items():
            paths[name] = min(paths.get(name, path), path, key=order)
    wholes = [{name: whole(version, name, {}) for name in version.named} for version in versions]
    # Names go together if they mean the same in each version that has both.
    groups = []
    having = {}
    for name in sorted(paths, key=lambda name: order(paths[name])):
        mine = {at: found[name] for at, found in enumerate(wholes) if name in found}
        for group in (one for item in mine.items() for one in having.get(item, [])):
            if all(group[1].get(at, found) == found for at, found in mine.items()):
                break
        else:
            group = ([], {})
            groups.append(group)
        group[0].append(name)
        for at, found in mine.items():
            if at not in group[1]:
                group[1][at] = found
                having.setdefault((at, found), []).append(group)
    return {name: short for group, short in zip(groups, short_names(groups, paths)) for name in group[0]}


def whole(version, name, memory):
    """A shape with all that is in it."""
    what, found = version.named[name]
    if what == "enum":
        return found
    if name not in memory:
        memory[name] = name
        memory[name] = tuple(
            (field, optional, whole_kind(version, kind, memory)) for field, optional, kind in found
        )
    return memory[name]


def whole_kind(version, kind, memory):
    if kind[0] == "shape":
        return ("shape", whole(version, kind[1], memory))
    if kind[0] == "union":
        return ("union", tuple(whole_kind(version, item, memory) for item in kind[1]))
    if kind[0] in ("array", "map", "list"):
        return (kind[0], whole_kind(version, kind[1], memory))
    return kind


def short_names(groups, paths):
    """The end of each group's shortest path, as long as it must be to mean only this group."""
    ends = [
        ["".join(paths[group[0][0]][-size:]) for size in range(1, len(paths[group[0][0]]) + 1)]
        for group in groups
    ]
    wanted = collections.Counter(end for candidates in ends for end in candidates)
    return [next((end for end in found if wanted[end] == 1), found[-1]) for found in ends]


def all_blocks(pulled, names):
    """head -> (what follows it, lines)."""
    blocks = {}
    reached = set()
    waiting = []

    def text(kind):
        if kind[0] == "shape":
            name = names[kind[1]]
            if name not in reached:
                reached.add(name)
                waiting.append((name, kind[1]))
            return name
        if kind[0] == "union":
            return " | ".join(text(item) for item in kind[1])
        if kind[0] == "enum":
            return f"({' '.join(kind[1])})"
        if kind[0] == "kind":
            return f"object({kind[1]})"
        if kind[0] == "deleted":
            return f"deleted({kind[1]})"
        if kind[0] == "id":
            inner = kind[1][1] if kind[1][0] == "union" else (kind[1],)
            return f"id({' '.join(item[1] for item in inner)})"
        if kind[0] in ("array", "map", "list", "search"):
            return f"{kind[0]}({text(kind[1])})"
        return kind[0]

    def lines(fields):
        return [f"{name}{'?' if optional else ''}: {text(kind)}" for name, optional, kind in fields]

    for (method, path), (params, returns) in pulled.operations.items():
        blocks[f"{method} {path}"] = (text(returns), lines(params))
    for kind, fields in pulled.objects.items():
        blocks[f"object {kind}"] = ("", lines(fields))
    for kind, fields in pulled.deleted.items():
        blocks[f"deleted {kind}"] = ("", lines(fields))
    for event, kind in pulled.events.items():
        blocks[f"event {event}"] = (text(kind), [])
    while waiting:
        name, member = waiting.pop()
        what, found = pulled.named[member]
        if what == "enum":
            blocks[f"enum {name}"] = ("", textwrap.wrap(" ".join(found), 98, break_on_hyphens=False))
        else:
            blocks[f"shape {name}"] = ("", lines(found))
    return blocks
