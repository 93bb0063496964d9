"""Names for nested shapes and long enums, so that each is written once.

A shape is called after the field that leads to it, with as many of the fields before it as it takes to
mean nothing else. Two shapes share a name if they are the same in every version that has both, so what
differs between two versions differs in one place.
"""

import collections
import itertools

# An enum that is longer than this is named.
LONG = 60
HOLDING = ("array", "map", "list")


class Named:
    """A description with a key for every shape and long enum, and the shortest way to each."""

    def __init__(self, description):
        self.version = description.version
        self.shapes = description.shapes
        self.events = description.events
        # key -> ("fields", fields) or ("enum", values)
        self.found = {}
        # key -> the names that lead to it, from an operation or object on
        self.paths = {}
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

    def fields(self, path, fields):
        return tuple(
            (name, optional, self.kind([*path, camel(name)], kind))
            for name, (optional, kind) in fields.items()
        )

    def kind(self, path, kind):
        name, *inner = kind
        if name == "shape":
            self.shape(path, *inner)
        if name == "enum" and len(" ".join(*inner)) > LONG:
            key = " ".join(path)
            self.found[key] = ("enum", *inner)
            self.paths[key] = path
            return ("shape", key)
        if name == "union":
            # Of several shapes for one field, the second has a 2 to its name.
            numbers = itertools.chain([""], map(str, itertools.count(2)))
            *before, last = path
            paths = [
                [*before, last + next(numbers)] if one[0] in ("shape", "array") else path
                for one in kind[1]
            ]
            return ("union", tuple(map(self.kind, paths, kind[1])))
        if name in HOLDING:
            return (name, self.kind(path, *inner))
        return kind

    def shape(self, path, key):
        if key not in self.paths or shortness(path) < shortness(self.paths[key]):
            self.paths[key] = path
            self.found[key] = ("fields", self.fields(path, self.shapes[key]))


def shortness(path):
    return (len(path), path)


def camel(name):
    return "".join(part[:1].upper() + part[1:] for part in name.replace(".", "_").split("_"))


def operation_name(method, path):
    words = [word for word in path.split("/")[2:] if not word.startswith("{")]
    return camel("_".join(words)) + method.title()


def shared(versions):
    """The name of every key."""
    paths = {}
    for version in versions:
        for key, path in version.paths.items():
            paths[key] = min(paths.get(key, path), path, key=shortness)
    groups = grouped(versions, sorted(paths, key=lambda key: shortness(paths[key])))
    names = short_names([paths[keys[0]] for keys in groups])
    return {key: name for keys, name in zip(groups, names, strict=True) for key in keys}


def grouped(versions, keys):
    """Keys that mean the same in each version that has several of them."""
    memories = [{} for _ in versions]
    groups = []
    # (version, meaning) -> the groups that have this meaning there
    having = collections.defaultdict(list)
    for key in keys:
        meanings = {
            at: meaning(version, ("shape", key), memories[at])
            for at, version in enumerate(versions)
            if key in version.found
        }
        candidates = [group for item in meanings.items() for group in having[item]]
        fitting = (
            (members, known)
            for members, known in candidates
            if all(known.get(at, its) == its for at, its in meanings.items())
        )
        group = next(fitting, None)
        if group is None:
            group = ([], {})
            groups.append(group)
        members, known = group
        members.append(key)
        for item in meanings.items():
            if item[0] not in known:
                having[item].append(group)
        known.update(meanings)
    return [members for members, _ in groups]


def meaning(version, kind, memory):
    """A type with all that is in it, whatever that is called."""
    name, *inner = kind
    if name == "shape":
        key = kind[1]
        if key not in memory:
            what, found = version.found[key]
            memory[key] = found if what == "enum" else tuple(
                (field, optional, meaning(version, its, memory)) for field, optional, its in found
            )
        return ("shape", memory[key])
    if name == "union":
        return ("union", tuple(meaning(version, one, memory) for one in kind[1]))
    if name in HOLDING:
        return (name, meaning(version, *inner, memory))
    return kind


def short_names(paths):
    """The end of each path, as long as it must be to be the end of no other."""
    ends = [["".join(path[-size:]) for size in range(1, len(path) + 1)] for path in paths]
    count = collections.Counter(end for candidates in ends for end in candidates)
    names, taken = [], collections.Counter()
    for found in ends:
        name = next((end for end in found if count[end] == 1), found[-1])
        taken[name] += 1
        # Creating and updating have the same path but for an id.
        names.append(name if taken[name] == 1 else f"{name}Or{taken[name]}")
    return names
