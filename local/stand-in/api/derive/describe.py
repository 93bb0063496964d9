"""One version of the API, from both SDKs."""

import python_types
import typescript


class Description:
    """What is written down of a version; a type is a tuple, as `python_types` makes them."""

    def __init__(self, python_package, npm_package):
        python = python_types.read(python_package)
        types = typescript.Sdk(npm_package)
        self.version = python.version
        self.types, self.python = types, python
        self.mismatches = []
        self.seen = set()
        objects = python.objects()
        operations = python.operations()
        self.shapes = {name: {} for name in python.shapes}
        self.objects, self.deleted = {}, {}
        for kind, fields in objects.items():
            whole = self.object(kind, fields, types.objects.get(kind))
            gone = types.deleted.get(kind)
            if gone is not None:
                self.deleted[kind] = {
                    field: (False, whole.get(field, (False, ("boolean",)))[1])
                    for field in ordered(types.fields(gone))
                }
                whole.pop("deleted", None)
            self.objects[kind] = whole
        for name, fields in python.shapes.items():
            if name not in self.seen:
                self.shapes[name] = {
                    field: (not required, kind) for field, (required, kind) in fields.items()
                }
        self.operations = {
            (method, path): (
                {field: (not required, kind) for field, (required, kind) in params.items()},
                self.returns(method, path, returned),
            )
            for (method, path), (params, returned) in operations.items()
        }
        self.events = {
            event: python_types.union([("kind", kind) for kind in kinds])
            for event, kinds in types.events().items()
        }

    def object(self, name, fields, interface):
        """The fields of an object or a nested shape, with TypeScript's word on what may be absent."""
        theirs = self.types.fields(interface) if interface is not None else {}
        found = {}
        for field in ordered(fields):
            required, kind = fields[field]
            bare = without_null(kind)
            nullable, optional = bare != kind, False
            if field in theirs:
                optional, words = theirs[field]
                nullable = "null" in words
            elif interface is not None and field != "deleted":
                self.mismatches.append(f"{name}.{field}")
            for shape in shapes_in(bare):
                self.nested(shape, interface, theirs.get(field))
            found[field] = (optional, with_null(bare) if nullable else bare)
        return found

    def nested(self, shape, interface, field):
        if shape in self.seen:
            return
        self.seen.add(shape)
        inner = self.types.inner(interface, field[1]) if interface is not None and field else None
        if inner is None:
            self.mismatches.append(shape)
        self.shapes[shape] = self.object(shape, self.python.shapes[shape], inner)

    def returns(self, method, path, kind):
        if kind[0] == "union":
            return ("union", tuple(self.returns(method, path, item) for item in kind[1]))
        if kind[0] != "kind" or kind[1] not in self.deleted:
            return kind
        if method == "DELETE":
            return ("deleted", kind[1])
        if method == "GET" and path.endswith("}") and self.types.may_be_gone(kind[1]):
            return ("union", (kind, ("deleted", kind[1])))
        return kind


def ordered(fields):
    """`id` and `object` first, as Stripe shows them."""
    return sorted(fields, key=lambda field: (field != "id", field != "object", field))


def without_null(kind):
    if kind[0] != "union":
        return kind
    rest = tuple(item for item in kind[1] if item != ("null",))
    return rest[0] if len(rest) == 1 else ("union", rest)


def with_null(kind):
    return ("union", (*(kind[1] if kind[0] == "union" else (kind,)), ("null",)))


def shapes_in(kind):
    if kind[0] == "shape":
        yield kind[1]
    for item in kind[1:]:
        for part in item if kind[0] == "union" else (item,):
            if isinstance(part, tuple) and kind[0] != "enum":
                yield from shapes_in(part)
