//! Whether a request's parameters are what its operation takes.

use serde_json::{Map, Value};

use super::shape::{Fields, Shape};
use super::{Description, Operation};

/// What is wrong with a parameter, named as the request names it: `items[0][price]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The operation has no such parameter.
    Unknown {
        param: String,
    },
    /// A required parameter is not there.
    Missing {
        param: String,
    },
    /// An empty text, where there is nothing to take away.
    Empty {
        param: String,
    },
    NotAnInteger {
        param: String,
        value: String,
    },
    NotANumber {
        param: String,
        value: String,
    },
    NotABoolean {
        param: String,
        value: String,
    },
    NotOneOf {
        param: String,
        value: String,
        allowed: Vec<&'static str>,
    },
    /// A list or an object, where a text belongs.
    NotAText {
        param: String,
    },
    /// A text or an object, where a list belongs.
    NotAnArray {
        param: String,
    },
    /// A text or a list, where an object belongs.
    NotAnObject {
        param: String,
    },
}

/// What is wrong with the parameters of a request; nothing, if nothing is. Every text among them is a
/// JSON string; a list may also be an object whose keys are its positions.
pub(crate) fn check(operation: &Operation, params: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    fields(operation.params, params, "", &mut problems);
    // Stripe tells about unknown parameters before anything else.
    problems.sort_by_key(|problem| match problem {
        Problem::Unknown { .. } => 0,
        Problem::Missing { .. } => 1,
        _ => 2,
    });
    problems
}

/// What every version that has the operation finds wrong, in the words of the newest that knows the
/// parameter; `None`, if no version has the operation.
///
/// A request that does not say its version may be of any, and may even mix what is of several.
pub(crate) fn check_leniently(
    method: &str,
    path: &str,
    params: &Map<String, Value>,
) -> Option<Vec<Problem>> {
    let mut versions = Description::all().filter_map(|it| it.operation(method, path));
    let mut agreed = check(&versions.next()?.operation, params);
    while !agreed.is_empty()
        && let Some(older) = versions.next()
    {
        agreed = agreement(agreed, &check(&older.operation, params));
    }
    Some(agreed)
}

/// Of what a newer version finds wrong, what an older one does, too.
fn agreement(newer: Vec<Problem>, older: &[Problem]) -> Vec<Problem> {
    let agreed = newer.into_iter().filter_map(|problem| {
        let other = older
            .iter()
            .find(|other| problem.is_about_the_same(other))?;
        match problem {
            Problem::Unknown { .. } => Some(other.clone()),
            known => Some(known),
        }
    });
    agreed.collect()
}

impl Problem {
    /// The parameter that it is about.
    pub(crate) fn param(&self) -> &str {
        match self {
            Self::Unknown { param }
            | Self::Missing { param }
            | Self::Empty { param }
            | Self::NotAnInteger { param, .. }
            | Self::NotANumber { param, .. }
            | Self::NotABoolean { param, .. }
            | Self::NotOneOf { param, .. }
            | Self::NotAText { param }
            | Self::NotAnArray { param }
            | Self::NotAnObject { param } => param,
        }
    }

    /// Whether two versions object to the same: a parameter or something within it, or that something
    /// is missing there.
    fn is_about_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Missing { param }, Self::Missing { param: other }) => {
                owner(param) == owner(other)
            }
            (Self::Missing { .. }, _) | (_, Self::Missing { .. }) => false,
            _ => is_within(self.param(), other.param()) || is_within(other.param(), self.param()),
        }
    }
}

/// The object that a parameter is a field of.
fn owner(param: &str) -> &str {
    param.rsplit_once('[').map_or("", |(owner, _)| owner)
}

fn is_within(param: &str, outer: &str) -> bool {
    param
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}

fn fields(expected: Fields, params: &Map<String, Value>, name: &str, problems: &mut Vec<Problem>) {
    for (key, value) in params {
        let param = within(name, key);
        match expected.get(key) {
            Some(field) => problems.extend(value_problems(&field.shape, value, &param)),
            None => problems.push(Problem::Unknown { param }),
        }
    }
    for required in expected.required() {
        if !params.contains_key(required) {
            let param = within(name, required);
            problems.push(Problem::Missing { param });
        }
    }
}

/// The parameter `key` of the object `name`.
fn within(name: &str, key: &str) -> String {
    match name {
        "" => key.to_owned(),
        name => format!("{name}[{key}]"),
    }
}

/// What is wrong with one value.
fn value_problems(shape: &Shape, value: &Value, param: &str) -> Vec<Problem> {
    let shapes = shape.alternatives();
    if shapes.contains(&Shape::Any) {
        return Vec::new();
    }
    match value {
        Value::String(text) => text_problem(shapes, text, param).into_iter().collect(),
        Value::Array(entries) => {
            let named = entries.iter().enumerate();
            let named: Vec<_> = named.map(|(at, value)| (at.to_string(), value)).collect();
            array_problems(shapes, &named, param).unwrap_or_else(|| wrong_form(shapes, param))
        }
        Value::Object(entries) => {
            let named = entries.iter().map(|(key, value)| (key.clone(), value));
            let as_array = if are_positions(entries) {
                array_problems(shapes, &named.collect::<Vec<_>>(), param)
            } else {
                None
            };
            as_array
                .or_else(|| object_problems(shapes, entries, param))
                .unwrap_or_else(|| wrong_form(shapes, param))
        }
        other => text_problem(shapes, &other.to_string(), param)
            .into_iter()
            .collect(),
    }
}

/// Whether an object may be meant as a list.
fn are_positions(entries: &Map<String, Value>) -> bool {
    entries
        .keys()
        .all(|key| key.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Of several shapes that it may have, what the nearest finds; `None`, if none is a list.
fn array_problems(
    shapes: &[Shape],
    entries: &[(String, &Value)],
    param: &str,
) -> Option<Vec<Problem>> {
    let arrays = shapes.iter().filter_map(|shape| match shape {
        Shape::Array(element) => Some(element),
        _ => None,
    });
    let problems = arrays.map(|element| {
        let of_entry =
            |(key, value): &(String, &Value)| value_problems(element, value, &within(param, key));
        entries.iter().flat_map(of_entry).collect::<Vec<_>>()
    });
    problems.min_by_key(Vec::len)
}

/// Of several shapes that it may have, what the nearest finds; `None`, if none is an object.
fn object_problems(
    shapes: &[Shape],
    entries: &Map<String, Value>,
    param: &str,
) -> Option<Vec<Problem>> {
    let problems = shapes.iter().filter_map(|shape| match shape {
        Shape::Object(expected) => {
            let mut problems = Vec::new();
            fields(*expected, entries, param, &mut problems);
            Some(problems)
        }
        Shape::Map(element) => Some(map_problems(element, entries, param)),
        _ => None,
    });
    problems.min_by_key(Vec::len)
}

/// An empty text takes an entry away, whatever the entries are.
fn map_problems(element: &Shape, entries: &Map<String, Value>, param: &str) -> Vec<Problem> {
    entries
        .iter()
        .filter(|(_, value)| value.as_str() != Some(""))
        .flat_map(|(key, value)| value_problems(element, value, &within(param, key)))
        .collect()
}

/// A list or an object where no shape is one.
fn wrong_form(shapes: &[Shape], param: &str) -> Vec<Problem> {
    let param = param.to_owned();
    let is = |wanted: fn(&Shape) -> bool| shapes.iter().any(wanted);
    vec![
        if is(|shape| matches!(shape, Shape::Object(_) | Shape::Map(_))) {
            Problem::NotAnObject { param }
        } else if is(|shape| matches!(shape, Shape::Array(_))) {
            Problem::NotAnArray { param }
        } else {
            Problem::NotAText { param }
        },
    ]
}

fn text_problem(shapes: &[Shape], text: &str, param: &str) -> Option<Problem> {
    if shapes.iter().any(|shape| takes_text(shape, text)) {
        return None;
    }
    let param = param.to_owned();
    let value = text.to_owned();
    let problem = |shape: &Shape| {
        let (param, value) = (param.clone(), value.clone());
        match shape {
            Shape::Integer => Some(Problem::NotAnInteger { param, value }),
            Shape::Number | Shape::Decimal => Some(Problem::NotANumber { param, value }),
            Shape::Boolean | Shape::True => Some(Problem::NotABoolean { param, value }),
            Shape::Enum(allowed) => {
                let allowed = allowed.clone();
                Some(Problem::NotOneOf {
                    param,
                    value,
                    allowed,
                })
            }
            Shape::Text => Some(Problem::Empty { param }),
            _ => None,
        }
    };
    let found = shapes.iter().find_map(problem);
    Some(match found {
        Some(_) if text.is_empty() => Problem::Empty { param },
        Some(problem) => problem,
        None if shapes.iter().any(|shape| matches!(shape, Shape::Array(_))) => {
            Problem::NotAnArray { param }
        }
        None => Problem::NotAnObject { param },
    })
}

fn takes_text(shape: &Shape, text: &str) -> bool {
    match shape {
        Shape::Text => !text.is_empty(),
        Shape::Empty => text.is_empty(),
        Shape::Integer => text.parse::<i64>().is_ok(),
        Shape::Number | Shape::Decimal => is_decimal(text),
        Shape::Boolean => matches!(text, "true" | "false"),
        Shape::True => text == "true",
        Shape::Enum(allowed) => allowed.contains(&text),
        _ => false,
    }
}

fn is_decimal(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
}
