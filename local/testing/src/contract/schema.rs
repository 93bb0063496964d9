//! JSON Schema, as far as the contract uses it; a keyword that is not known here fails the test that
//! meets it. Stricter than the standard in one thing: an answer may have only the members that are
//! declared, though clients should expect more.

use regex_lite::Regex;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The schemas of a contract.
pub(super) struct Schemas<'a> {
    contract: &'a Value,
}

impl<'a> Schemas<'a> {
    pub(super) fn of(contract: &'a Value) -> Self {
        Self { contract }
    }

    /// What a `$ref` leads to, or the value itself.
    pub(super) fn resolved(&self, value: &'a Value) -> &'a Value {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
            return value;
        };
        let pointer = reference.strip_prefix('#').unwrap();
        let found = self.contract.pointer(pointer);
        found.unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    /// In which ways the value is not what the schema says, each with its place.
    pub(super) fn deviations(&self, schema: &'a Value, value: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        self.collect(schema, value, "", &mut wrong);
        wrong
    }

    fn collect(&self, schema: &'a Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        let parts = self.parts(schema);
        for part in &parts {
            for (keyword, rule) in *part {
                if let Some(what) = deviation(keyword, rule, value) {
                    wrong.push(format!("{at}: {value} {what}"));
                }
            }
        }
        match value {
            Value::Array(items) => {
                for schema in parts.iter().filter_map(|part| part.get("items")) {
                    for (index, item) in items.iter().enumerate() {
                        self.collect(schema, item, &format!("{at}[{index}]"), wrong);
                    }
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    let at = if at.is_empty() {
                        name.clone()
                    } else {
                        format!("{at}.{name}")
                    };
                    let properties = parts.iter().filter_map(|part| part.get("properties"));
                    let mut declared: Vec<_> = properties.filter_map(|it| it.get(name)).collect();
                    if declared.is_empty() {
                        // What any other member has to be, if there may be others.
                        let others = parts.iter().filter_map(|it| it.get("additionalProperties"));
                        declared.extend(others.filter(|rule| rule.is_object()));
                    }
                    if declared.is_empty() {
                        wrong.push(format!("{at}: there is no such member"));
                    }
                    for schema in declared {
                        self.collect(schema, member, &at, wrong);
                    }
                }
            }
            _ => {}
        }
    }

    /// The schema and what it is composed of.
    fn parts(&self, schema: &'a Value) -> Vec<&'a Map<String, Value>> {
        let own = schema.as_object().unwrap();
        let mut parts = vec![own];
        if schema.get("$ref").is_some() {
            parts.extend(self.parts(self.resolved(schema)));
        }
        if let Some(all) = own.get("allOf").and_then(Value::as_array) {
            parts.extend(all.iter().flat_map(|part| self.parts(part)));
        }
        parts
    }
}

/// In which way the value breaks one rule. What holds for one type says nothing of others.
fn deviation(keyword: &str, rule: &Value, value: &Value) -> Option<String> {
    let length = || value.as_str().map(|text| text.chars().count());
    let count = || value.as_array().map(Vec::len);
    let below = |least: &Value, found: Option<i64>| found < least.as_i64() && found.is_some();
    let above = |most: &Value, found: Option<i64>| found > most.as_i64();
    let whole = |found: Option<usize>| found.map(|found| i64::try_from(found).unwrap());
    let breaks = match keyword {
        "type" => !types(rule).any(|name| is(name, value)),
        "enum" => !rule.as_array().unwrap().contains(value),
        "const" => value != rule,
        "minimum" => below(rule, value.as_i64()),
        "maximum" => above(rule, value.as_i64()),
        "minLength" => below(rule, whole(length())),
        "maxLength" => above(rule, whole(length())),
        "minItems" => below(rule, whole(count())),
        "pattern" => {
            let pattern = Regex::new(rule.as_str().unwrap()).unwrap();
            value.as_str().is_some_and(|text| !pattern.is_match(text))
        }
        "format" => {
            let format = rule.as_str().unwrap();
            value.as_str().is_some_and(|text| !has_format(format, text))
        }
        "required" => {
            let names = rule
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap());
            let missing = |name: &str| value.is_object() && value.get(name).is_none();
            let missing: Vec<_> = names.filter(|name| missing(name)).collect();
            return (!missing.is_empty()).then(|| format!("lacks {}", missing.join(", ")));
        }
        // Followed, or of no consequence for a value.
        "$ref"
        | "allOf"
        | "properties"
        | "items"
        | "additionalProperties"
        | "description"
        | "examples"
        | "default" => false,
        other => panic!("the schemas' keyword {other} is not known here"),
    };
    breaks.then(|| match (keyword, rule.as_str()) {
        ("type" | "format", Some(name)) => format!("is not a {name}"),
        _ => format!("breaks {keyword}: {rule}"),
    })
}

fn types(rule: &Value) -> impl Iterator<Item = &str> {
    let names = match rule {
        Value::Array(names) => names.as_slice(),
        name => std::slice::from_ref(name),
    };
    names.iter().map(|name| name.as_str().unwrap())
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not known here"),
    }
}

fn has_format(format: &str, text: &str) -> bool {
    match format {
        "date-time" => OffsetDateTime::parse(text, &Rfc3339).is_ok(),
        "uri" => url::Url::parse(text).is_ok(),
        "uuid" => uuid::Uuid::try_parse(text).is_ok(),
        other => panic!("the format {other} is not known here"),
    }
}
