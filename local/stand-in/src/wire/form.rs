//! Forms whose names have brackets, as a tree: `metadata[order]=1`, `items[0][price]=2`,
//! `items[][price]=2`.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::wire::errors::ApiError;

/// Nobody nests deeper in earnest.
const DEPTH: usize = 10;

/// Nor says more at once: a session's hundred line items take some thousands.
const MOST: usize = 10_000;

/// The fields of a form, or of an object within it.
pub(crate) type Fields = BTreeMap<String, Node>;

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Node {
    Text(String),
    /// Lists too: their keys are their positions.
    Fields(Fields),
}

/// What an object holds, as a form would say it. What is null or empty says nothing.
pub(crate) fn of_object(object: &Map<String, Value>) -> Fields {
    let fields = object.iter();
    let fields = fields.filter_map(|(name, value)| Some((name.clone(), node(value)?)));
    fields.collect()
}

fn node(value: &Value) -> Option<Node> {
    let fields: Fields = match value {
        Value::Null => return None,
        Value::String(text) => return Some(Node::Text(text.clone())),
        Value::Bool(_) | Value::Number(_) => return Some(Node::Text(value.to_string())),
        Value::Array(elements) => {
            let nodes = elements.iter().filter_map(node).enumerate();
            nodes
                .map(|(place, node)| (place.to_string(), node))
                .collect()
        }
        Value::Object(object) => of_object(object),
    };
    (!fields.is_empty()).then_some(Node::Fields(fields))
}

/// Reads a form.
pub(crate) fn parse(encoded: &[u8]) -> Result<Fields, ApiError> {
    let mut fields = Fields::new();
    let mut last = LastPositions::new();
    for (number, (name, value)) in form_urlencoded::parse(encoded).enumerate() {
        if number >= MOST {
            return Err(ApiError::invalid(format!(
                "A request may have at most {MOST} parameters, and this one has more: send fewer at a \
                 time."
            )));
        }
        let path = segments(&name)
            .ok_or_else(|| ApiError::invalid(format!("Invalid parameter name: {name}")))?;
        let list = String::new();
        insert(&mut fields, &path, value.into_owned(), list, &mut last).ok_or_else(|| {
            ApiError::invalid(format!("{name} is both a value and an object")).param(&*name)
        })?;
    }
    Ok(fields)
}

/// `a[b][]` is `a`, `b`, ``; nothing if the brackets do not pair up.
fn segments(name: &str) -> Option<Vec<&str>> {
    let (first, rest) = match name.find('[') {
        Some(bracket) => name.split_at_checked(bracket)?,
        None => (name, ""),
    };
    let mut segments = vec![first];
    if !rest.is_empty() {
        segments.extend(rest.strip_prefix('[')?.strip_suffix(']')?.split("]["));
    }
    let sound = !first.is_empty()
        && segments.len() <= DEPTH
        && !segments.iter().any(|segment| segment.contains(['[', ']']));
    sound.then_some(segments)
}

/// The last position in each list, by where the list is: to look for it with every `[]` would take
/// the longer the longer the list.
type LastPositions = HashMap<String, u32>;

/// Puts a value where its path leads; nothing if something of the other sort is there. `place` is
/// where the fields are.
fn insert(
    fields: &mut Fields,
    path: &[&str],
    value: String,
    place: String,
    last: &mut LastPositions,
) -> Option<()> {
    let (segment, rest) = path.split_first()?;
    let key = match *segment {
        "" => position_for(fields, last.get(&place).copied(), rest),
        segment => segment.to_owned(),
    };
    let within = format!("{place}[{key}]");
    if let Ok(position) = key.parse() {
        let last = last.entry(place).or_insert(position);
        *last = position.max(*last);
    }
    if rest.is_empty() {
        return match fields.insert(key, Node::Text(value)) {
            Some(Node::Fields(_)) => None,
            _ => Some(()),
        };
    }
    match fields
        .entry(key)
        .or_insert_with(|| Node::Fields(Fields::new()))
    {
        Node::Fields(fields) => insert(fields, rest, value, within, last),
        Node::Text(_) => None,
    }
}

/// Where `[]` points: at the list's last element while that lacks the field to come, else behind it.
fn position_for(list: &Fields, last: Option<u32>, rest: &[&str]) -> String {
    let Some(last) = last else {
        return "0".to_owned();
    };
    let position = match (list.get(&last.to_string()), rest.first()) {
        (Some(Node::Fields(element)), Some(field)) if !has(element, field, rest) => last,
        _ => last.saturating_add(1),
    };
    position.to_string()
}

/// Whether the element already holds what the path would put there.
fn has(element: &Fields, field: &str, path: &[&str]) -> bool {
    match (element.get(field), path.split_first().map(|(_, rest)| rest)) {
        (None, _) => false,
        (Some(Node::Fields(inner)), Some(rest)) => match rest.first() {
            // `a[][b][]` adds to the list b of the same element.
            Some(&"") | None => false,
            Some(next) => has(inner, next, rest),
        },
        (Some(_), _) => true,
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn tree(form: &str) -> Value {
        json!(parse(form.as_bytes()).unwrap())
    }

    #[test]
    fn brackets_nest() {
        assert_eq!(
            tree("a=1&b[c]=2&b[d][e]=3&f[0][g]=4&f[1][g]=5&h%5Bi%5D=6+7"),
            json!({
                "a": "1",
                "b": { "c": "2", "d": { "e": "3" } },
                "f": { "0": { "g": "4" }, "1": { "g": "5" } },
                "h": { "i": "6 7" },
            })
        );
    }

    #[test]
    fn empty_brackets_begin_a_new_element_when_a_field_comes_again() {
        assert_eq!(
            tree("a[]=1&a[]=2&b[][c]=3&b[][d]=4&b[][c]=5&e[][f][g]=6&e[][f][h]=7&e[][f][g]=8"),
            json!({
                "a": { "0": "1", "1": "2" },
                "b": { "0": { "c": "3", "d": "4" }, "1": { "c": "5" } },
                "e": { "0": { "f": { "g": "6", "h": "7" } }, "1": { "f": { "g": "8" } } },
            })
        );
        assert_eq!(
            tree("a[][b][]=1&a[][b][]=2"),
            json!({ "a": { "0": { "b": { "0": "1", "1": "2" } } } })
        );
    }

    #[test]
    fn broken_names_are_refused() {
        for form in [
            "a[b=1",
            "a]b=1",
            "[a]=1",
            "a[[b]]=1",
            "a[b]c=1",
            "=1",
            "a=1&a[b]=2",
            "a[b]=1&a=2",
        ] {
            assert!(parse(form.as_bytes()).is_err(), "{form}");
        }
        assert!(parse(format!("a{}=1", "[b]".repeat(50)).as_bytes()).is_err());
    }
}
