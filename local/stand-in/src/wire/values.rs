//! Parameters as the values of an object's fields. Parameters are texts; the field's shape says what
//! they are in an answer.

use serde_json::{Map, Number, Value, json};

use crate::description::{Shape, blank};

/// What a field of this shape holds once `given` is set. `before` is what it held, for what is merged
/// rather than replaced: metadata, and the parts of an object.
///
/// The parameters have been checked against their own description.
pub(crate) fn value(shape: &Shape, given: &Value, before: Option<&Value>) -> Value {
    match given {
        Value::String(text) => scalar(shape, text),
        Value::Object(entries) => nested(shape, entries, before),
        other => other.clone(),
    }
}

fn scalar(shape: &Shape, text: &str) -> Value {
    let shapes = shape.alternatives();
    let is = |wanted: fn(&Shape) -> bool| shapes.iter().any(wanted);
    if text.is_empty() {
        return match is(|it| matches!(it, Shape::Map(_))) {
            true => json!({}),
            false if is(|it| matches!(it, Shape::Array(_))) => json!([]),
            false => Value::Null,
        };
    }
    let integer = is(|it| matches!(it, Shape::Integer))
        .then(|| text.parse::<i64>().ok().map(Value::from))
        .flatten();
    let number = || {
        is(|it| matches!(it, Shape::Number))
            .then(|| Number::from_f64(text.parse().ok()?).map(Value::Number))
            .flatten()
    };
    let boolean = || {
        is(|it| matches!(it, Shape::Boolean))
            .then(|| text.parse::<bool>().ok().map(Value::Bool))
            .flatten()
    };
    integer
        .or_else(number)
        .or_else(boolean)
        .unwrap_or_else(|| json!(text))
}

fn nested(shape: &Shape, entries: &Map<String, Value>, before: Option<&Value>) -> Value {
    let before = before.and_then(Value::as_object);
    for shape in shape.alternatives() {
        match shape {
            Shape::Map(element) => return merged(element, entries, before),
            Shape::Array(element) => {
                let in_order = in_order(entries).into_iter();
                return in_order.map(|it| value(element, it, None)).collect();
            }
            Shape::Object(fields) => {
                let mut object = before.cloned().unwrap_or_else(|| blank(*fields));
                for (name, given) in entries {
                    if let Some(field) = fields.get(name) {
                        let set = value(&field.shape, given, object.get(name));
                        object.insert(name.clone(), set);
                    }
                }
                return Value::Object(object);
            }
            _ => {}
        }
    }
    Value::Object(entries.clone())
}

/// An empty text takes an entry away.
fn merged(
    element: &Shape,
    entries: &Map<String, Value>,
    before: Option<&Map<String, Value>>,
) -> Value {
    let mut all = before.cloned().unwrap_or_default();
    for (name, given) in entries {
        match given.as_str() {
            Some("") => {
                all.remove(name);
            }
            _ => {
                all.insert(name.clone(), value(element, given, None));
            }
        }
    }
    Value::Object(all)
}

/// The elements of a list whose keys are its positions.
pub(crate) fn in_order(entries: &Map<String, Value>) -> Vec<&Value> {
    let mut placed: Vec<(u32, &Value)> = entries
        .iter()
        .map(|(key, value)| (key.parse().unwrap_or(u32::MAX), value))
        .collect();
    placed.sort_by_key(|(position, _)| *position);
    placed.into_iter().map(|(_, value)| value).collect()
}
