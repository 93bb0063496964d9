"""One version of the API, from both SDKs. Fields are a dictionary of (optional, type) by name."""

import python_types
import typescript


class Description:
    def __init__(self, python_package, npm_package):
        self.python = python_types.Sdk(python_package)
        self.types = typescript.Sdk(npm_package)
        self.version = self.python.version
        # Parameters; those of objects follow.
        self.shapes = {
            name: {field: (not required, kind) for field, (required, kind) in fields.items()}
            for name, fields in self.python.shapes.items()
        }
        self.in_objects = set()
        self.objects, self.deleted = {}, {}
        for kind, fields in self.python.objects.items():
            self.objects[kind] = self.object(fields, self.types.objects[kind])
        for kind, interface in self.types.deleted.items():
            known = self.objects[kind]
            self.deleted[kind] = {
                field: (False, known[field][1]) for field in ordered(self.types.fields(interface))
            }
        for kind in self.deleted:
            del self.objects[kind]["deleted"]
        self.operations = {
            (method, path): (
                {field: (not required, kind) for field, (required, kind) in params.items()},
                self.returns(method, path, returned),
            )
            for (method, path), (params, returned) in self.python.operations.items()
        }
        self.events = {
            event: python_types.union([("kind", kind) for kind in kinds])
            for event, kinds in self.types.events().items()
        }

    def object(self, fields, interface):
        """The fields of an object or a nested shape, as Python has them, with TypeScript's word on what
        may be absent or null."""
        theirs = self.types.fields(interface)
        found = {}
        for field in ordered(fields):
            kind = without(("null",), fields[field][1])
            if kind == ("true",) and field not in theirs:
                # `deleted`: TypeScript has an interface of its own for deleted objects.
                found[field] = (False, kind)
                continue
            if field not in theirs:
                raise LookupError(f"only Python knows {interface.path}.{field}")
            optional, words = theirs[field]
            for shape in shapes_in(kind):
                self.nested(shape, self.types.inner(interface, words))
            nullable = [("null",)] if "null" in words else []
            found[field] = (optional, python_types.union([kind, *nullable]))
        return found

    def nested(self, shape, interface):
        if shape not in self.in_objects:
            self.in_objects.add(shape)
            self.shapes[shape] = self.object(self.python.shapes[shape], interface)

    def returns(self, method, path, kind):
        if kind[0] == "union":
            return python_types.union([self.returns(method, path, one) for one in kind[1]])
        if kind[0] != "kind" or kind[1] not in self.deleted:
            return kind
        if method == "DELETE":
            return ("deleted", kind[1])
        if method == "GET" and path.endswith("}") and self.types.may_be_deleted(kind[1]):
            return ("union", (kind, ("deleted", kind[1])))
        return kind


def ordered(fields):
    """`id` and `object` first, as Stripe shows them."""
    return sorted(fields, key=lambda field: (field != "id", field != "object", field))


def without(unwanted, kind):
    return python_types.union([one for one in python_types.parts_of(kind) if one != unwanted])


def shapes_in(kind):
    if kind[0] == "shape":
        yield kind[1]
    elif kind[0] != "enum":
        for inner in kind[1] if kind[0] == "union" else kind[1:]:
            if isinstance(inner, tuple):
                yield from shapes_in(inner)
