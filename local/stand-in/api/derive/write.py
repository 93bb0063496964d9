"""Writes descriptions down: the newest version whole, each older one as what it has otherwise.

A block is a line and the indented lines after it. A difference has the blocks that are not the same in
the next newer version, and the first lines of those that are missing.
"""

import textwrap

import names

ORDER = ("GET", "POST", "DELETE", "object", "deleted", "shape", "enum", "event")


def texts(descriptions):
    """The text of each description, the newest first, by the name of its version."""
    versions = [names.Named(description) for description in descriptions]
    name_of = names.shared(versions)
    newer, written = None, {}
    for version in versions:
        blocks = Blocks(version, name_of).found
        lines = [f"version {version.version}"]
        if newer is not None:
            lines += [f"without {head}" for head in sorted(newer.keys() - blocks.keys(), key=place)]
        for head in sorted(blocks, key=place):
            if newer is None or newer.get(head) != blocks[head]:
                says, body = blocks[head]
                lines.append(f"{head}: {says}" if says else head)
                lines += [f"  {line}" for line in body]
        written[version.version.partition(".")[2]] = "\n".join(lines) + "\n"
        newer = blocks
    return written


def place(head):
    """Operations by path, then objects, shapes, enums and events by name."""
    word, _, rest = head.partition(" ")
    at = ORDER.index(word)
    return (0, rest, at) if rest.startswith("/") else (at, rest, 0)


class Blocks:
    """first words of a block -> (what follows them, the lines of the block)"""

    def __init__(self, version, name_of):
        self.name_of = name_of
        # name -> a key that has it, for what is referred to
        self.referred = {}
        self.found = {}
        for (method, path), (params, returns) in version.operations.items():
            self.found[f"{method} {path}"] = (self.text(returns), self.lines(params))
        for kind, fields in version.objects.items():
            self.found[f"object {kind}"] = ("", self.lines(fields))
        for kind, fields in version.deleted.items():
            self.found[f"deleted {kind}"] = ("", self.lines(fields))
        for event, kind in version.events.items():
            self.found[f"event {event}"] = (self.text(kind), [])
        while self.referred.keys() - self.written():
            for name in self.referred.keys() - self.written():
                what, found = version.found[self.referred[name]]
                if what == "enum":
                    lines = textwrap.wrap(" ".join(found), 98, break_on_hyphens=False)
                    self.found[f"enum {name}"] = ("", lines)
                else:
                    self.found[f"shape {name}"] = ("", self.lines(found))

    def written(self):
        return {head.partition(" ")[2] for head in self.found if head.startswith(("shape", "enum"))}

    def lines(self, fields):
        return [
            f"{name}{'?' if optional else ''}: {self.text(kind)}" for name, optional, kind in fields
        ]

    def text(self, kind):
        name, *inner = kind
        match name:
            case "shape":
                shared = self.name_of[kind[1]]
                self.referred.setdefault(shared, kind[1])
                return shared
            case "union":
                return " | ".join(map(self.text, kind[1]))
            case "enum":
                return f"({' '.join(kind[1])})"
            case "kind":
                return f"object({kind[1]})"
            case "deleted":
                return f"deleted({kind[1]})"
            case "id":
                kinds = kind[1][1] if kind[1][0] == "union" else inner
                return f"id({' '.join(one[1] for one in kinds)})"
            case "array" | "map" | "list" | "search":
                return f"{name}({self.text(*inner)})"
            case _:
                return name
