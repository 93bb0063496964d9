"""What the Python SDK says of the API: every operation, and every object with its nested shapes.

Python tells an integer from a decimal number, and which parameters are required.
"""

import ast
import pathlib

PRIMITIVES = {
    "str": ("text",),
    "int": ("integer",),
    "float": ("number",),
    "bool": ("boolean",),
    "Decimal": ("decimal",),
    "Any": ("any",),
    "StripeObject": ("map", ("any",)),
    "UntypedStripeObject": ("map", ("any",)),
    "StripeStreamResponse": ("file",),
}


class Module:
    """One file: its classes by dotted name, and what it imports."""

    def __init__(self, root, path):
        self.package = path.relative_to(root).parts[:-1]
        self.imports = {}
        self.classes = {}
        self.fields = {}
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("stripe"):
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = (node.module, alias.name)
        functional = {}
        for node in tree.body:
            if isinstance(node, ast.Assign) and "TypedDict" in ast.unparse(node.value)[:9]:
                keys = node.value.args[1]
                functional[node.targets[0].id] = [
                    (key.value, value) for key, value in zip(keys.keys, keys.values, strict=True)
                ]
            if isinstance(node, ast.ClassDef):
                self.add(node, "", functional)

    def add(self, node, scope, functional):
        name = scope + node.name
        self.classes[name] = node
        self.fields[name] = [
            field
            for base in node.bases
            for field in functional.get(getattr(base, "id", None), [])
        ] + [
            (item.target.id, item.annotation)
            for item in node.body
            if isinstance(item, ast.AnnAssign)
            and not item.target.id.startswith("_")
            and item.target.id != "OBJECT_NAME"
        ]
        nested = dict(functional)
        for item in node.body:
            if isinstance(item, ast.Assign) and "TypedDict" in ast.unparse(item.value)[:9]:
                keys = item.value.args[1]
                nested[item.targets[0].id] = [
                    (key.value, value) for key, value in zip(keys.keys, keys.values, strict=True)
                ]
            if isinstance(item, ast.ClassDef):
                self.add(item, name + ".", nested)


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
        # (module, class) -> the `object` it is.
        self.kinds = {}
        for module_name, module in self.modules.items():
            for name, node in module.classes.items():
                kind = object_name(node)
                if kind and not kind.startswith("v2.") and "." not in name:
                    self.kinds[(module_name, name)] = kind
        self.shapes = {}

    def constant(self, module, class_name, field):
        for item in self.modules[module].classes[class_name].body:
            if isinstance(item, ast.Assign) and item.targets[0].id == field:
                return item.value.value
        raise LookupError(field)

    def objects(self):
        """kind -> [(field, type)]; the nested shapes are collected in `shapes`."""
        found = {}
        for (module, name), kind in self.kinds.items():
            if name not in ("ListObject", "SearchResultObject"):
                found[kind] = self.read_fields(module, name)
        return found

    def read_fields(self, module, name):
        fields = {}
        for field, annotation in self.modules[module].fields[name]:
            required, inner = requirement(annotation)
            kind = self.type_of(inner, module, name)
            if kind == ("text",) and field.endswith("_decimal"):
                kind = ("decimal",)
            # `is` and `in` are words of Python's.
            fields[field.rstrip("_")] = (required, kind)
        return fields

    def shape(self, module, name):
        """The name of a nested shape, which is read when it is first met."""
        key = shape_name(self.modules[module].package, module, name)
        if key not in self.shapes:
            self.shapes[key] = None
            self.shapes[key] = self.read_fields(module, name)
        elif self.shapes[key] is not None and self.shapes[key] != self.read_fields(module, name):
            raise ValueError(f"two shapes are called {key}")
        return ("shape", key)

    def type_of(self, node, module, scope):
        if isinstance(node, str):
            node = ast.parse(node.strip(), mode="eval").body
        if isinstance(node, ast.Constant):
            if node.value is None:
                return ("null",)
            return self.type_of(node.value, module, scope)
        if isinstance(node, ast.BinOp):
            parts = [self.type_of(side, module, scope) for side in (node.left, node.right)]
            return union(parts)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self.named(ast.unparse(node), module, scope)
        if isinstance(node, ast.Subscript):
            return self.subscript(node, module, scope)
        raise ValueError(f"{module}: {ast.unparse(node)}")

    def subscript(self, node, module, scope):
        head = ast.unparse(node.value)
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if head == "Literal":
            values = [item.value for item in items]
            if values == [""]:
                return ("empty",)
            if values in ([True], [False]):
                return ("boolean",)
            rest = tuple(value for value in values if value != "")
            enum = ("enum", rest)
            return union([("empty",), enum]) if "" in values else enum
        inner = [self.type_of(item, module, scope) for item in items]
        if head == "Optional":
            return union([inner[0], ("null",)])
        if head == "Union":
            return union(inner)
        if head in ("List", "Sequence"):
            return ("array", inner[0])
        if head in ("Dict", "UntypedStripeObject"):
            return ("map", inner[-1])
        if head == "ListObject":
            return ("list", inner[0])
        if head == "SearchResultObject":
            return ("search", inner[0])
        if head == "ExpandableField":
            return ("id", inner[0])
        if head == "IO":
            return ("file",)
        raise ValueError(f"{module}: {ast.unparse(node)}")

    def named(self, name, module, scope):
        if name in PRIMITIVES:
            return PRIMITIVES[name]
        here = self.modules[module]
        parts = scope.split(".")
        for depth in range(len(parts), -1, -1):
            candidate = ".".join([*parts[:depth], name])
            if candidate in here.classes:
                return self.class_type(module, candidate)
        first, _, rest = name.partition(".")
        if first in here.imports:
            target, original = here.imports[first]
            if target in self.modules:
                return self.class_type(target, original + ("." + rest if rest else ""))
        raise LookupError(f"{module}: {name} in {scope}")

    def class_type(self, module, name):
        kind = self.kinds.get((module, name))
        return ("kind", kind) if kind else self.shape(module, name)

    def operations(self):
        """(method, path) -> (parameters, what it returns)."""
        found = {}
        for name, module in self.modules.items():
            if not name.endswith("_service"):
                continue
            for class_name, node in module.classes.items():
                if "." not in class_name:
                    for method in node.body:
                        if isinstance(method, ast.FunctionDef):
                            self.operation(found, name, class_name, method)
        return found

    def operation(self, found, module, class_name, method):
        for call in ast.walk(method):
            if not isinstance(call, ast.Call):
                continue
            if getattr(call.func, "attr", None) not in ("_request", "_request_stream"):
                continue
            path = call.args[1]
            if isinstance(path, ast.Call):
                path = path.func.value
            if not path.value.startswith("/v1/"):
                continue
            params = {}
            for argument in method.args.args:
                if argument.arg == "params":
                    annotation = argument.annotation
                    if ast.unparse(annotation).startswith("Optional["):
                        annotation = annotation.slice
                    params = self.params(annotation, module, class_name)
            returns = self.type_of(method.returns, module, class_name)
            key = (call.args[0].value.upper(), path.value)
            if key in found and found[key] != (params, returns):
                # Two names for one operation, as in one for each kind of source.
                params = {**found[key][0], **params}
            found[key] = (params, returns)

    def params(self, annotation, module, scope):
        kind = self.type_of(annotation, module, scope)
        return self.shapes[kind[1]] if kind[0] == "shape" else {}


def requirement(annotation):
    text = ast.unparse(annotation)
    for head in ("NotRequired", "Required"):
        if text.startswith(head + "["):
            return head == "Required", annotation.slice
    return True, annotation


def object_name(node):
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and item.target.id == "OBJECT_NAME" and item.value:
            return item.value.value
    return None


def shape_name(package, module, name):
    # Until version 12 of the SDK the parameters were classes inside the services.
    service, _, nested = name.partition(".")
    if service.endswith("Service") and nested:
        name = service.removesuffix("Service") + "." + nested
    start = 1 if package[:1] == ("params",) else 0
    prefix = "".join(part.title().replace("_", "") for part in package[start:])
    return prefix + name.replace(".", "")


def union(parts):
    """One type for several: flat, without repetitions."""
    flat = []
    for part in parts:
        for item in part[1] if part[0] == "union" else (part,):
            if item not in flat:
                flat.append(item)
    # "one of these, or what may be added later" is how the SDKs write an enum.
    if ("text",) in flat and any(item[0] == "enum" for item in flat):
        flat.remove(("text",))
    if any(item[0] == "map" for item in flat) and ("map", ("any",)) in flat and len(flat) > 1:
        maps = [item for item in flat if item[0] == "map"]
        if len(maps) > 1:
            flat.remove(("map", ("any",)))
    return flat[0] if len(flat) == 1 else ("union", tuple(flat))


def read(package):
    return Sdk(pathlib.Path(package))
