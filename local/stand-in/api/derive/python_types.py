"""What the Python SDK says of the API: every operation, and every object with its nested shapes.

Python tells an integer from a decimal number, and which parameters are required.

A type is a tuple: its name and what is in it, as in ("array", ("text",)). Fields are a dictionary of
(required, type) by name.
"""

import ast

NAMED = {
    "str": ("text",),
    "int": ("integer",),
    "float": ("number",),
    "bool": ("boolean",),
    "Decimal": ("decimal",),
    "Any": ("any",),
    "StripeObject": ("map", ("any",)),
    "UntypedStripeObject": ("map", ("any",)),
    "StripeStreamResponse": ("any",),
}
# What a type with brackets is; of several in the brackets, the last counts.
BRACKETS = {
    "List": "array",
    "Dict": "map",
    "UntypedStripeObject": "map",
    "ListObject": "list",
    "SearchResultObject": "search",
    "ExpandableField": "id",
}
REQUESTS = ("_request", "_request_stream", "_static_request")


class Module:
    """One file: its classes by dotted name, their fields, and what it imports."""

    def __init__(self, root, path):
        self.package = path.relative_to(root).parts[:-1]
        self.imports, self.classes, self.fields = {}, {}, {}
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("stripe"):
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = (node.module, alias.name)
        self.add_classes(tree.body, "")

    def add_classes(self, body, scope):
        # A class with a field called `in` inherits it from what a call to TypedDict makes.
        made = {
            item.targets[0].id: list(zip(field_names(item), item.value.args[1].values, strict=True))
            for item in body
            if isinstance(item, ast.Assign) and ast.unparse(item.value).startswith("TypedDict(")
        }
        for node in body:
            if not isinstance(node, ast.ClassDef):
                continue
            name = scope + node.name
            self.classes[name] = node
            inherited = [made.get(ast.unparse(base), []) for base in node.bases]
            own = [
                (item.target.id, item.annotation)
                for item in node.body
                if isinstance(item, ast.AnnAssign)
            ]
            self.fields[name] = [
                (field, annotation)
                for field, annotation in [*sum(inherited, []), *own]
                if not field.startswith("_") and field != "OBJECT_NAME"
            ]
            self.add_classes(node.body, name + ".")


class Sdk:
    """The unpacked Python package."""

    def __init__(self, package):
        root = package / "stripe"
        self.modules = {}
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if "v2" not in parts and "events" not in parts and parts[-1] != "__init__":
                self.modules[".".join(("stripe", *parts))] = Module(root, path)
        self.version = self.constant("stripe._api_version", "_ApiVersion", "CURRENT")
        # (module, class) -> the `object` it is
        self.kinds = {
            (module_name, name): object_name(node)
            for module_name, module in self.modules.items()
            for name, node in module.classes.items()
            if "." not in name and not object_name(node).startswith(("v2.", "<"))
        }
        # name -> fields
        self.shapes = {}
        self.objects = {
            kind: self.read_fields(module, name)
            for (module, name), kind in self.kinds.items()
            if kind not in ("list", "search_result")
        }
        # (method, path) -> (parameters, what it returns)
        self.operations = {}
        # Almost every operation is in a service, and some that are not are old ways to call one.
        for service in (True, False):
            for name in self.modules:
                if name.endswith("_service") == service:
                    self.read_operations(name)

    def constant(self, module, class_name, field):
        for item in self.modules[module].classes[class_name].body:
            if isinstance(item, ast.Assign) and item.targets[0].id == field:
                return item.value.value
        raise LookupError(field)

    def read_fields(self, module, name):
        fields = {}
        for field, annotation in self.modules[module].fields[name]:
            required, inner = requirement(annotation)
            kind = self.type_of(inner, module, name)
            if kind == ("text",) and field.endswith("_decimal"):
                kind = ("decimal",)
            # Where nothing inherits `in`, it is called `in_`.
            fields[field.rstrip("_")] = (required, kind)
        return fields

    def shape(self, module, name):
        """A nested shape, which is read when it is first met."""
        key = shape_name(self.modules[module].package, name)
        if key not in self.shapes:
            self.shapes[key] = None
            self.shapes[key] = self.read_fields(module, name)
        elif self.shapes[key] is not None and self.shapes[key] != self.read_fields(module, name):
            raise ValueError(f"two shapes are called {key}")
        return ("shape", key)

    def type_of(self, node, module, scope):
        if isinstance(node, ast.Constant) and node.value is None:
            return ("null",)
        if isinstance(node, ast.Constant):
            node = ast.parse(node.value.strip(), mode="eval").body
        if isinstance(node, ast.BinOp):
            return union([self.type_of(side, module, scope) for side in (node.left, node.right)])
        if isinstance(node, ast.Subscript):
            return self.type_with_brackets(node, module, scope)
        return self.named(ast.unparse(node), module, scope)

    def type_with_brackets(self, node, module, scope):
        head = ast.unparse(node.value)
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if head == "Literal":
            return literal([item.value for item in items])
        inner = [self.type_of(item, module, scope) for item in items]
        if head == "Optional":
            return union([*inner, ("null",)])
        if head in ("Union", "Unpack"):
            return union(inner)
        return (BRACKETS[head], inner[-1])

    def named(self, name, module, scope):
        if name in NAMED:
            return NAMED[name]
        here = self.modules[module]
        parts = scope.split(".")
        for depth in range(len(parts), -1, -1):
            candidate = ".".join([*parts[:depth], name])
            if candidate in here.classes:
                return self.class_type(module, candidate)
        first, _, rest = name.partition(".")
        target, original = here.imports[first]
        return self.class_type(target, original + ("." + rest if rest else ""))

    def class_type(self, module, name):
        kind = self.kinds.get((module, name))
        return ("kind", kind) if kind else self.shape(module, name)

    def read_operations(self, module):
        here = self.modules[module]
        for class_name, node in here.classes.items():
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    for call in ast.walk(method):
                        key = request(call)
                        if key and key not in self.operations:
                            self.operations[key] = self.operation(method, module, class_name)

    def operation(self, method, module, scope):
        params = {}
        arguments = method.args
        for argument in [*arguments.args, arguments.kwarg]:
            if argument is not None and argument.arg == "params":
                alternatives = self.type_of(argument.annotation, module, scope)
                for _, shape in filter(lambda kind: kind[0] == "shape", parts_of(alternatives)):
                    params = self.shapes[shape]
        return params, self.type_of(method.returns, module, scope)


def request(call):
    """Which operation a call asks for, if it does."""
    if isinstance(call, ast.Call) and getattr(call.func, "attr", None) in REQUESTS:
        method, path, *_ = [*call.args, None, None]
        if isinstance(path, ast.Call):
            path = path.func.value  # "…".format(…)
        if isinstance(path, ast.Constant) and path.value.startswith("/v1/"):
            return method.value.upper(), path.value
    return None


def field_names(assignment):
    return [key.value for key in assignment.value.args[1].keys]


def requirement(annotation):
    text = ast.unparse(annotation)
    if text.startswith(("NotRequired[", "Required[")):
        return text.startswith("Required["), annotation.slice
    return True, annotation


def object_name(node):
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and item.target.id == "OBJECT_NAME" and item.value:
            return item.value.value
    return "<none>"


def shape_name(package, name):
    # Until version 12 of the SDK the parameters were classes inside the services.
    service, _, nested = name.partition(".")
    if service.endswith("Service") and nested:
        name = service.removesuffix("Service") + nested
    folders = package[1:] if package[:1] == ("params",) else package
    return "".join(folder.title().replace("_", "") for folder in folders) + name.replace(".", "")


def literal(values):
    if values == [True]:
        return ("true",)
    enum = tuple(value for value in values if value != "")
    empty = [("empty",)] if "" in values else []
    return union([*empty, ("enum", enum)] if enum else empty)


def parts_of(kind):
    return kind[1] if kind[0] == "union" else (kind,)


def union(kinds):
    """One type for several: flat, without repetitions."""
    flat = list(dict.fromkeys(part for kind in kinds for part in parts_of(kind)))
    names = [kind[0] for kind in flat]
    # "One of these, or what may be added later" is how the SDKs write an enum.
    if "enum" in names and ("text",) in flat:
        flat.remove(("text",))
    if names.count("map") > 1 and ("map", ("any",)) in flat:
        flat.remove(("map", ("any",)))
    return flat[0] if len(flat) == 1 else ("union", tuple(flat))
