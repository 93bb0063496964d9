"""What the TypeScript SDK says of the objects: which fields may be absent, and which may be null.

Python writes `Optional` for both. TypeScript also knows what is left of a deleted object, and which
object each event carries. Only declarations are read, so a small parser is enough.
"""

import pathlib
import re

TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'|[\w$.]+|=>|\S", re.S)
OPEN, CLOSE = "{([<", "})]>"
# A `retrieve` that also answers what is left of a deleted object.
DELETED_TOO = re.compile(
    r"Response<\s*(?:Stripe\.)?([\w.]+)\s*\|\s*(?:Stripe\.)?[\w.]*Deleted\w+\s*>"
)
# The only types that are one of several objects.
ALIAS = re.compile(r"type (CustomerSource|ExternalAccount) =([^;]*);")


class Interface:
    """An interface, by its path of namespaces within a file; fields are (optional, tokens) by name."""

    def __init__(self, file, path, parents):
        self.file, self.path, self.parents = file, path, parents
        self.fields = {}
        folders = pathlib.PurePath(file).parts[1:-1]
        self.full_name = ".".join((*folders, path))


class Sdk:
    """The unpacked npm package."""

    def __init__(self, package):
        # Until version 21 all types were in one folder and one namespace.
        old = package / "types"
        root = old if old.is_dir() else package / "cjs"
        self.interfaces = {}
        self.deleted_too = set()
        self.aliases = {}
        for path in sorted(root.rglob("*.d.ts")):
            text = path.read_text()
            resource = "resources" in path.parts or text.startswith("// File generated")
            if "V2" not in path.parts and (resource or path.name == "shared.d.ts"):
                file = "" if old.is_dir() else str(path.relative_to(root))
                self.read(file, text)
                self.deleted_too.update((file, name) for name in DELETED_TOO.findall(text))
                for name, alternatives in ALIAS.findall(text):
                    self.aliases[name] = re.findall(r"[A-Z]\w+", alternatives)
        self.objects, self.deleted = {}, {}
        for (_, path), interface in self.interfaces.items():
            kind = literal(interface.fields.get("object"))
            if not kind or "Params" in path:
                continue
            if path.rpartition(".")[2].startswith("Deleted"):
                self.deleted[kind] = interface
            else:
                self.objects[kind] = interface

    def read(self, file, text):
        tokens = [t for t in TOKEN.findall(text) if not t.startswith(("//", "/*"))]
        self.tokens, self.at = tokens, 0
        self.scope(file, "")

    def scope(self, file, path):
        """Declarations up to the bracket that ends them."""
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token == "}":
                return
            if token == "{":
                self.scope(file, path)
            elif token in ("namespace", "module") and self.peek(1) == "{":
                name = self.take()
                self.at += 1
                outer = name.startswith("'") or name == "Stripe" and not path
                self.scope(file, path if outer else join(path, name))
            elif token == "interface":
                self.interface(file, path)
            elif token in ("type", "const", "function", "import", "class"):
                self.skip(token)

    def peek(self, ahead=0):
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else ""

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def skip(self, what):
        """To the end of a declaration that says nothing of objects."""
        depth = 0
        while self.at < len(self.tokens):
            token = self.take()
            depth += token in "{(["
            depth -= token in "})]"
            if depth == 0 and (token == ";" or what in ("class", "function") and token == "}"):
                return

    def interface(self, file, path):
        name = join(path, self.take())
        parents = []
        while self.peek() != "{":
            parents.append(self.take())
        self.at += 1
        found = Interface(file, name, [p for p in parents if p not in ("extends", ",")])
        while self.peek() != "}":
            field, optional, kind = self.member()
            if field:
                found.fields[field] = (optional, kind)
        self.at += 1
        self.interfaces[(file, name)] = found

    def member(self):
        field = self.take().strip("'") if self.peek() != "[" else "["
        optional = self.peek() == "?"
        self.at += optional
        kind, depth = [], 0
        while True:
            if depth == 0 and self.peek() == "}":
                break
            token = self.take()
            if token == ";" and depth == 0:
                break
            depth += token in OPEN
            depth -= token in CLOSE
            kind.append(token)
        if kind[:1] == [":"] and field != "[":
            return field, optional, kind[1:]
        return None, False, []

    def find(self, name, near):
        """The interface that `name` means inside `near`."""
        name = name.removeprefix("Stripe.")
        parts = near.path.split(".")
        for depth in range(len(parts), -1, -1):
            key = (near.file, ".".join([*parts[:depth], name]))
            if key in self.interfaces:
                return self.interfaces[key]
        return self.interfaces.get(("shared.d.ts", name))

    def fields(self, interface):
        found = {}
        for parent in interface.parents:
            above = self.find(parent, interface)
            if above is not None and above is not interface:
                found.update(self.fields(above))
        return {**found, **interface.fields}

    def inner(self, interface, kind):
        """The nested interface that a field's type leads to."""
        for token in kind:
            if token[0].isupper() and token not in ("Array", "ApiList", "Stripe.ApiList"):
                found = self.find(token, interface)
                if found is not None:
                    return found
        return None

    def may_be_deleted(self, kind):
        """Whether retrieving such an object may show what is left of it."""
        interface = self.objects[kind]
        return (interface.file, interface.path) in self.deleted_too

    def events(self):
        """Event type -> the objects of which it carries one."""
        kinds = {interface.full_name: kind for kind, interface in self.objects.items()}
        found = {}
        for (file, path), interface in self.interfaces.items():
            event = literal(interface.fields.get("type"))
            data = self.interfaces.get((file, path + ".Data"))
            if event and data is not None and path.endswith("Event"):
                name = data.fields["object"][1][0].removeprefix("Stripe.")
                found[event] = [kinds[one] for one in self.aliases.get(name, [name])]
        return found


def join(path, name):
    return f"{path}.{name}" if path else name


def literal(field):
    if field and len(field[1]) == 1 and field[1][0].startswith("'"):
        return field[1][0].strip("'")
    return None
