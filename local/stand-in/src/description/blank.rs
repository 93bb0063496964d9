//! An object of which nothing is known yet but what it is.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::Description;
use super::shape::{Fields, Shape};

/// Blank objects of the newest version, by kind. They are read once, since whatever is made or shown
/// asks for one.
static BLANKS: LazyLock<BTreeMap<&'static str, Map<String, Value>>> = LazyLock::new(|| {
    let newest = Description::newest();
    let kinds = newest.objects().into_iter();
    kinds
        .filter_map(|kind| Some((kind, blank(newest.object(kind)?))))
        .collect()
});

/// A blank object of this kind, as the newest version has it.
pub(crate) fn blank_of(kind: &str) -> Map<String, Value> {
    BLANKS.get(kind).cloned().unwrap_or_default()
}

/// An object of this kind with these fields, and nothing in its others.
pub(crate) fn filled<const N: usize>(kind: &str, fields: [(&str, Value); N]) -> Map<String, Value> {
    let mut object = blank_of(kind);
    object.extend(fields.map(|(field, value)| (field.to_owned(), value)));
    object
}

/// An object of this kind of which this is known. All else that is always there, and may be, is null.
pub(crate) fn complete(kind: &str, mut known: Value) -> Value {
    if let (Value::Object(known), Some(blank)) = (&mut known, BLANKS.get(kind)) {
        for (field, value) in blank {
            if value.is_null() && !known.contains_key(field) {
                known.insert(field.clone(), Value::Null);
            }
        }
    }
    known
}

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
