"""Writes the types of the HTTP contract for JavaScript and TypeScript, to stdout. Run by `contract`.

`Client` has one function per operation, which takes the values of the path's placeholders, then the body, then the
query, then options. site/js/till.js has such a client, and .ci/check/contract lets tsc compare it with these types.
"""

import json
import sys

import yaml

# What `fetch` and the browser see to.
OF_THE_BROWSER = {"Accept-Language", "If-None-Match"}

# The rest of what site/js/till.js exports.
THE_REST = """
/** The shop refused or failed. The message is for programmers: it may name fields and ids. */
export declare class TillError extends Error {
  constructor(status: number, content?: unknown);
  /** The answer's status; 401 also if there was no token to send. */
  readonly status: number;
  /** The end of the problem's `type`, such as `sold-out`; undefined if the gateway answered. */
  readonly kind: string | undefined;
  /** Finds the request in the shop's logs. */
  readonly requestId: string | undefined;
  /** The buyer's own unpaid purchases that are in the way. */
  readonly openPurchases: OpenPurchase[];
  /** Where the shop delivers to, if it has to know where this goes. */
  readonly countries: Country[];
}

/** No answer arrived, so there is no telling whether the call did anything. Calling again is safe. */
export declare class Unreachable extends Error {
  constructor(cause: unknown);
}

export interface Settings {
  /** The buyer's ID token, asked for with every call that needs one. */
  token?: () => string | null | undefined | Promise<string | null | undefined>;
  /** How many milliseconds an answer may take; 30 000 by default. */
  timeout?: number;
  /**
   * Waits, when a busy shop has said how long; then the call is made once more. A page may say so
   * meanwhile.
   */
  wait?: (seconds: number) => Promise<void>;
}

/** One shop, and one buyer at most. */
export declare class Till {
  /** `api` is the API's base URL: the stack's output `ApiUrl`. */
  constructor(api: string, settings?: Settings);
}
export interface Till extends Client {}"""


def comment(text, indent=""):
    lines = (text or "").strip().split("\n")
    if lines == [""]:
        return ""
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def name_of(reference):
    return reference.rsplit("/", 1)[1]


def one_of(schema):
    """A schema's type, in one line unless it is an object written out."""
    if "$ref" in schema:
        return name_of(schema["$ref"])
    if "allOf" in schema:
        return " & ".join(map(one_of, schema["allOf"]))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        values = [json.dumps(value) for value in schema["enum"]]
        joined = " | ".join(values)
        return joined if len(joined) < 90 else "".join(f"\n  | {value}" for value in values)
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return " | ".join(plain(kind, schema) for kind in kinds) or "unknown"


def plain(kind, schema):
    match kind:
        case "integer":
            return "number"
        case "array":
            inner = one_of(schema["items"])
            return f"({inner})[]" if "|" in inner or "&" in inner else f"{inner}[]"
        case "object":
            return "{\n" + members(schema) + "}"
        case other:
            return other


def members(schema):
    text = ""
    required = schema.get("required", [])
    for name, property in schema.get("properties", {}).items():
        kind = one_of(property).replace("\n", "\n  ")
        mark = "" if name in required else "?"
        text += comment(property.get("description"), "  ") + f"  {name}{mark}: {kind};\n".replace(": \n", ":\n")
    return text


def camel(header):
    first, *rest = header.split("-")
    return first.lower() + "".join(rest)


def operation(document, path, operation):
    parameters = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
    at = {place: [it for it in parameters if it["in"] == place] for place in ("path", "query", "header")}
    takes = [f"{it['name']}: {one_of(it['schema'])}" for it in at["path"]]
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        takes.append(f"{name_of(schema['$ref']).lower()}: {one_of(schema)}")
    if at["query"]:
        takes.append("query?: { " + "; ".join(f"{it['name']}?: {one_of(it['schema'])}" for it in at["query"]) + " }")
    own = [it for it in at["header"] if it["name"] not in OF_THE_BROWSER]
    own = [f"{camel(it['name'])}?: {one_of(it['schema'])}" for it in own]
    takes.append("options?: Options" + (" & { " + "; ".join(own) + " }" if own else ""))
    gives = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    gives = one_of(gives["content"]["application/json"]["schema"])
    about = operation["summary"] + ".\n\n" + operation.get("description", "")
    return comment(about, "  ") + f"  {operation['operationId']}({', '.join(takes)}): Promise<{gives}>;\n"


def resolved(document, value):
    while "$ref" in value:
        found = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def main(path):
    with open(path) as file:
        document = yaml.safe_load(file)
    print("// Made from functions/openapi.yaml by .ci/check/contract_types.py; .ci/check/contract compares them.\n")
    for name, schema in document["components"]["schemas"].items():
        print(comment(schema.get("description")) + f"export type {name} = {one_of(schema)};\n".replace("= \n", "=\n"))
    print(
        comment("What every call takes.")
        + "export interface Options {\n"
        + comment("Ends the call.", "  ")
        + "  signal?: AbortSignal;\n"
        + comment("As in `fetch`: `reload` asks the shop itself, whatever copy there is.", "  ")
        + "  cache?: RequestCache;\n}\n"
    )
    print(comment("One function per operation of the contract.") + "export interface Client {")
    for path, item in document["paths"].items():
        for _, each in item.items():
            print(operation(document, path, each), end="")
    print("}")
    print(THE_REST)


main(*sys.argv[1:])
