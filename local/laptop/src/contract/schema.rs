//! Schemas in words.

use serde_norway::Value;

use super::prose;

/// A member of an object, or a parameter. Its texts are HTML.
pub(super) struct Field {
    /// With those of the objects it is in: `items[].quantity`.
    pub(super) name: String,
    pub(super) kind: String,
    /// Where a parameter is sent: `query`.
    pub(super) place: Option<String>,
    pub(super) required: bool,
    pub(super) description: String,
}

/// The members of an object, and of the objects written out inside it, in their order.
pub(super) fn fields(schema: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    collect(schema, "", &mut found);
    found
}

fn collect(schema: &Value, before: &str, found: &mut Vec<Field>) {
    for part in list(schema, "allOf") {
        collect(part, before, found);
    }
    if let Some(items) = schema.get("items") {
        collect(items, before, found);
    }
    let required: Vec<_> = list(schema, "required").filter_map(Value::as_str).collect();
    for (name, property) in members(schema, "properties") {
        let full = format!("{before}{name}");
        found.push(Field {
            name: full.clone(),
            kind: kind(property),
            place: None,
            required: required.contains(&name),
            description: description(property),
        });
        let many = if property.get("items").is_some() {
            "[]"
        } else {
            ""
        };
        collect(property, &format!("{full}{many}."), found);
    }
}

/// What a value is: `whole number from 1 to 999`, or a link to the schema that says so.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = reference(schema) {
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    let parts: Vec<_> = list(schema, "allOf").map(kind).collect();
    if !parts.is_empty() {
        return parts.join(" ");
    }
    if let Some(only) = text_of(schema.get("const")) {
        return code(&only);
    }
    let allowed: Vec<_> = list(schema, "enum")
        .filter_map(Value::as_str)
        .map(code)
        .collect();
    if !allowed.is_empty() {
        return allowed.join(", ");
    }
    let narrowed = members(schema, "properties").find(|(_, it)| it.get("enum").is_some());
    if let (None, Some((name, property))) = (schema.get("type"), narrowed) {
        return format!("whose {} is {}", code(name), alternatives(property));
    }
    let mut words = match schema.get("type") {
        Some(Value::String(name)) => named(name, schema),
        Some(Value::Sequence(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            let names: Vec<_> = names.map(|name| named(name, schema)).collect();
            names.join(" or ")
        }
        _ => "anything".to_owned(),
    };
    if let Some(default) = text_of(schema.get("default")) {
        words.push_str(&format!("; by default {}", code(&default)));
    }
    words
}

fn alternatives(schema: &Value) -> String {
    let allowed: Vec<_> = list(schema, "enum")
        .filter_map(Value::as_str)
        .map(code)
        .collect();
    allowed.join(" or ")
}

fn named(name: &str, schema: &Value) -> String {
    match name {
        "array" => format!(
            "list of {}",
            schema.get("items").map(kind).unwrap_or_default()
        ),
        "integer" => format!("whole number{}", bounds(schema, "minimum", "maximum")),
        "boolean" => "true or false".to_owned(),
        "string" => {
            let format = match text_of(schema.get("format")).as_deref() {
                Some("date-time") => "time (RFC 3339)",
                Some("uri") => "URI",
                Some("uuid") => "UUID",
                _ => "text",
            };
            let pattern = text_of(schema.get("pattern"));
            let pattern = pattern.map(|pattern| format!(" like {}", code(&pattern)));
            let length = bounds(schema, "minLength", "maxLength");
            let unit = if length.is_empty() { "" } else { " characters" };
            format!("{format}{length}{unit}{}", pattern.unwrap_or_default())
        }
        other => other.to_owned(),
    }
}

fn bounds(schema: &Value, least: &str, most: &str) -> String {
    let bound = |name: &str| text_of(schema.get(name));
    match (bound(least), bound(most)) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" of at least {least}"),
        (None, Some(most)) => format!(" of at most {most}"),
        (None, None) => String::new(),
    }
}

/// The description as HTML.
pub(super) fn description(of: &Value) -> String {
    prose::html(&text_of(of.get("description")).unwrap_or_default())
}

/// The last part of a `$ref`.
pub(super) fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

/// The members of a mapping inside another, in their order.
pub(super) fn members<'a>(
    of: &'a Value,
    name: &str,
) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
    let members = of.get(name).and_then(Value::as_mapping);
    let members = members.into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.as_str()?, value)))
}

/// The members of a list inside a mapping.
pub(super) fn list<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let list = of.get(name).and_then(Value::as_sequence);
    list.into_iter().flatten()
}

/// A text or a number.
pub(super) fn text_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", prose::escaped(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(yaml: &str) -> Value {
        serde_norway::from_str(yaml).unwrap()
    }

    #[test]
    fn schemas_are_told_in_words() {
        for (yaml, words) in [
            (
                "{type: integer, minimum: 1, maximum: 999}",
                "whole number from 1 to 999",
            ),
            ("{type: integer, minimum: 0}", "whole number of at least 0"),
            (
                "{type: string, maxLength: 9}",
                "text of at most 9 characters",
            ),
            ("{type: string, format: date-time}", "time (RFC 3339)"),
            ("{type: [string, 'null']}", "text or null"),
            ("{enum: [a, b]}", "<code>a</code>, <code>b</code>"),
            (
                "{$ref: '#/components/schemas/Money'}",
                "<a href=\"#Money\">Money</a>",
            ),
            (
                "{type: array, items: {$ref: '#/components/schemas/Line'}}",
                "list of <a href=\"#Line\">Line</a>",
            ),
            (
                "{type: integer, default: 20}",
                "whole number; by default <code>20</code>",
            ),
            (
                "{allOf: [{$ref: '#/components/schemas/Problem'}, {properties: {type: {enum: [a, b]}}}]}",
                "<a href=\"#Problem\">Problem</a> whose <code>type</code> is <code>a</code> or <code>b</code>",
            ),
        ] {
            assert_eq!(kind(&schema(yaml)), words, "{yaml}");
        }
    }

    #[test]
    fn members_of_objects_inside_are_named_with_what_they_are_in() {
        let cart = schema(
            "{type: object, required: [items], properties: {items: {type: array, items: \
             {type: object, required: [id], properties: {id: {type: string}, n: {type: integer}}}}}}",
        );
        let found = fields(&cart);
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.name.as_str(), it.required))
            .collect();
        assert_eq!(
            found,
            [("items", true), ("items[].id", true), ("items[].n", false)]
        );
    }
}
