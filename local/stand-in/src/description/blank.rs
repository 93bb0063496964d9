//! An object of which nothing is known yet but what it is.

use serde_json::{Map, Value, json};

use super::shape::{Fields, Shape};

/// All that is always there: null where that is allowed, and otherwise nothing, zero or the first of
/// what there is to choose from.
pub(crate) fn blank(fields: Fields) -> Map<String, Value> {
    fields
        .iter()
        .filter(|field| !field.optional)
        .map(|field| {
            let value = match field.nullable {
                true => Value::Null,
                false => value(fields, &field.shape),
            };
            (field.name.to_owned(), value)
        })
        .collect()
}

/// A value for a field among `fields`.
fn value(fields: Fields, shape: &Shape) -> Value {
    match shape {
        Shape::Text | Shape::Empty | Shape::Id(_) => json!(""),
        Shape::Integer => json!(0),
        Shape::Number => json!(0.0),
        Shape::Decimal => json!("0"),
        Shape::Boolean => json!(false),
        Shape::True => json!(true),
        Shape::Enum(values) => json!(values.first()),
        Shape::Null | Shape::Any => Value::Null,
        Shape::Map(_) => json!({}),
        Shape::Array(_) => json!([]),
        Shape::Object(fields) => Value::Object(blank(*fields)),
        Shape::AnyOf(shapes) => shapes
            .first()
            .map_or(Value::Null, |first| value(fields, first)),
        Shape::Kind(kind) | Shape::Deleted(kind) => {
            Value::Object(fields.object(kind).map_or_else(Map::new, blank))
        }
        Shape::List(_) => json!({"object": "list", "data": [], "has_more": false, "url": ""}),
        Shape::Search(_) => {
            json!({"object": "search_result", "data": [], "has_more": false, "next_page": null, "url": ""})
        }
    }
}
