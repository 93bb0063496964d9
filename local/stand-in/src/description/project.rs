//! An object as a version of the API shows it.

use serde_json::{Map, Value};

use super::Description;
use super::shape::{Fields, Shape};

/// Leaves out what objects of this kind do not have in this version, and adds null for what they have
/// and the object lacks, as far as it may be null. What is within is shown in the same way. An object of
/// a kind that the version does not know stays as it is.
pub(crate) fn project(description: &'static Description, value: Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(whole(description, object)),
        Value::Array(entries) => {
            let shown = entries.into_iter().map(|entry| project(description, entry));
            shown.collect()
        }
        other => other,
    }
}

/// The same for part of an object of this kind, such as the fields that have changed: nothing is added.
pub(crate) fn project_part(description: &'static Description, kind: &str, part: Value) -> Value {
    match (description.object(kind), part) {
        (Some(known), Value::Object(part)) => {
            let named: Vec<_> = part.keys().cloned().collect();
            let mut shown = fields(description, known, part);
            shown.retain(|field, _| named.contains(field));
            Value::Object(shown)
        }
        (_, part) => part,
    }
}

fn whole(description: &'static Description, mut object: Map<String, Value>) -> Map<String, Value> {
    let kind = object
        .get("object")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_page = matches!(kind, "list" | "search_result");
    let deleted = object.get("deleted") == Some(&Value::Bool(true));
    let known = match deleted {
        true => description
            .deleted(kind)
            .or_else(|| description.object(kind)),
        false => description.object(kind),
    };
    if let Some(known) = known {
        return fields(description, known, object);
    }
    if let Some(data) = object.get_mut("data").filter(|_| is_page) {
        *data = project(description, data.take());
    }
    object
}

fn fields(
    description: &'static Description,
    fields: Fields,
    mut object: Map<String, Value>,
) -> Map<String, Value> {
    let mut shown = Map::new();
    for field in fields.iter() {
        match object.remove(field.name) {
            Some(value) => {
                let value = within(description, &field.shape, value);
                shown.insert(field.name.to_owned(), value);
            }
            None if field.nullable && !field.optional => {
                shown.insert(field.name.to_owned(), Value::Null);
            }
            None => {}
        }
    }
    shown
}

fn within(description: &'static Description, shape: &Shape, value: Value) -> Value {
    match (shape, value) {
        (Shape::Object(known), Value::Object(object)) => {
            Value::Object(fields(description, *known, object))
        }
        (Shape::Array(element), Value::Array(entries)) => {
            let shown = entries
                .into_iter()
                .map(|entry| within(description, element, entry));
            shown.collect()
        }
        (Shape::Map(element), Value::Object(entries)) => {
            let shown = entries
                .into_iter()
                .map(|(key, entry)| (key, within(description, element, entry)));
            Value::Object(shown.collect())
        }
        (
            Shape::Kind(_) | Shape::Deleted(_) | Shape::Id(_) | Shape::List(_) | Shape::Search(_),
            value,
        ) => project(description, value),
        (Shape::AnyOf(shapes), value) => match shapes.iter().find(|shape| fits(shape, &value)) {
            Some(shape) => within(description, shape, value),
            None => value,
        },
        (_, value) => value,
    }
}

/// Whether a value of several shapes may be meant as this one.
fn fits(shape: &Shape, value: &Value) -> bool {
    match shape {
        Shape::Object(_) | Shape::Map(_) => value.is_object(),
        Shape::Array(_) => value.is_array(),
        Shape::Kind(_) | Shape::Deleted(_) | Shape::Id(_) | Shape::List(_) => {
            value.get("object").is_some()
        }
        _ => false,
    }
}
