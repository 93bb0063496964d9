//! What the page of the contract shows.

use askama::Template;
use serde_norway::Value;

use super::schema::{Field, code, description, fields, kind, list, members, reference, text_of};

/// The page. Descriptions and kinds are HTML, made of the contract alone.
#[derive(Template)]
#[template(path = "openapi.html")]
pub(super) struct ContractPage {
    shop: String,
    version: String,
    description: String,
    token: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

/// The operations of one tag.
struct Group {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    /// Whether anybody may call it.
    open: bool,
    parameters: Vec<Field>,
    body: Option<String>,
    /// A call that can be pasted into a shell, as in the README: with `$shop` and `$token`.
    call: String,
    answers: Vec<Answer>,
}

struct Answer {
    status: String,
    description: String,
    headers: Vec<String>,
    /// What each media type holds.
    bodies: Vec<(String, String)>,
}

struct Schema {
    name: String,
    description: String,
    /// What it is, unless it is an object.
    kind: Option<String>,
    fields: Vec<Field>,
    example: Option<String>,
}

impl ContractPage {
    /// The contract, of the shop at this address.
    pub(super) fn of(document: &Value, shop: &str) -> Self {
        let groups = list(document, "tags").map(|tag| Group::of(document, tag));
        let components = document.get("components").unwrap_or(&Value::Null);
        let info = document.get("info").unwrap_or(&Value::Null);
        let token = members(components, "securitySchemes").next();
        Self {
            shop: shop.to_owned(),
            version: text_of(info.get("version")).unwrap_or_default(),
            description: description(info),
            token: token.map(|(_, it)| description(it)).unwrap_or_default(),
            groups: groups.collect(),
            schemas: members(components, "schemas").map(Schema::of).collect(),
        }
    }
}

impl Group {
    fn of(document: &Value, tag: &Value) -> Self {
        let name = text_of(tag.get("name")).unwrap_or_default();
        let of_path = |(path, item): (&str, &Value)| -> Vec<Operation> {
            let methods = item.as_mapping().into_iter().flatten();
            let methods = methods.filter_map(|(method, it)| Some((method.as_str()?, it)));
            methods
                .filter(|(_, it)| list(it, "tags").any(|tag| tag.as_str() == Some(&name)))
                .map(|(method, it)| Operation::of(document, method, path, it))
                .collect()
        };
        Self {
            operations: members(document, "paths").flat_map(of_path).collect(),
            description: description(tag),
            name,
        }
    }
}

impl Operation {
    fn of(document: &Value, method: &str, path: &str, operation: &Value) -> Self {
        let text = |name: &str| text_of(operation.get(name)).unwrap_or_default();
        let security = operation.get("security").and_then(Value::as_sequence);
        let open = security.is_some_and(Vec::is_empty);
        let body = operation.get("requestBody").map(content);
        let body = body.and_then(|mut bodies| bodies.pop());
        let parameters = list(operation, "parameters").map(|it| resolved(document, it));
        let answers = members(operation, "responses");
        let answers = answers.map(|(status, it)| Answer::of(document, status, it));
        Self {
            id: text("operationId"),
            method: method.to_uppercase(),
            summary: text("summary"),
            description: description(operation),
            parameters: parameters.map(parameter).collect(),
            call: call(document, method, path, operation, open),
            body: body.map(|(_, kind)| kind),
            answers: answers.collect(),
            path: path.to_owned(),
            open,
        }
    }
}

impl Answer {
    fn of(document: &Value, status: &str, answer: &Value) -> Self {
        let answer = resolved(document, answer);
        let headers = members(answer, "headers").map(|(name, _)| name.to_owned());
        Self {
            status: status.to_owned(),
            description: description(answer),
            headers: headers.collect(),
            bodies: content(answer),
        }
    }
}

impl Schema {
    fn of((name, schema): (&str, &Value)) -> Self {
        let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
        let is_composed = schema.get("allOf").is_some();
        let base: Vec<_> = list(schema, "allOf").filter_map(reference).collect();
        let kind = match (is_object, base.as_slice()) {
            (true, _) => None,
            (_, []) => Some(kind(schema)),
            (_, [base, ..]) => Some(format!("as <a href=\"#{base}\">{base}</a>, and")),
        };
        let example = list(schema, "examples").next();
        Self {
            name: name.to_owned(),
            description: description(schema),
            kind,
            fields: match is_object || is_composed {
                true => fields(schema),
                false => Vec::new(),
            },
            example: example.and_then(|it| serde_json::to_string_pretty(it).ok()),
        }
    }
}

fn parameter(parameter: &Value) -> Field {
    let schema = parameter.get("schema").unwrap_or(&Value::Null);
    Field {
        name: text_of(parameter.get("name")).unwrap_or_default(),
        kind: kind(schema),
        place: text_of(parameter.get("in")),
        required: parameter.get("required").and_then(Value::as_bool) == Some(true),
        description: description(parameter),
    }
}

/// The media types of a body, each with what it holds.
fn content(of: &Value) -> Vec<(String, String)> {
    let bodies = members(of, "content").map(|(media_type, body)| {
        let kind = body.get("schema").map(kind).unwrap_or_default();
        (code(media_type), kind)
    });
    bodies.collect()
}

/// What a `$ref` leads to, or the value itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let path = value.get("$ref").and_then(Value::as_str);
    let Some(path) = path.and_then(|path| path.strip_prefix("#/")) else {
        return value;
    };
    let found = path.split('/').try_fold(document, |at, name| at.get(name));
    found.unwrap_or(&Value::Null)
}

fn call(document: &Value, method: &str, path: &str, operation: &Value, open: bool) -> String {
    let path = path.replace("{id}", "$id");
    let mut call = format!("curl -sSf \"$shop{path}\"");
    if !open {
        call.push_str(" \\\n  -H \"Authorization: Bearer $token\"");
    }
    let schema = operation.get("requestBody").and_then(|body| {
        let (_, body) = members(body, "content").next()?;
        Some(resolved(document, body.get("schema")?))
    });
    let example = schema.and_then(|schema| list(schema, "examples").next());
    let example = example.and_then(|it| serde_json::to_string(it).ok());
    match example {
        Some(example) => call.push_str(&format!(
            " \\\n  -H 'Content-Type: application/json' \\\n  -d '{example}'"
        )),
        None if method == "post" => call.push_str(" \\\n  -X POST"),
        None => {}
    }
    call
}
