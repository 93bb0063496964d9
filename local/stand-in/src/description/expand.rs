//! Which fields `expand[]` may name.

use super::Description;
use super::shape::{Fields, Shape};

/// How many fields a path may go through, as Stripe has it.
pub(crate) const DEPTH: usize = 4;

/// Whether `expand[]=path` is allowed where an operation returns `from`. The path leads to an id that can
/// be replaced by its object, or to something that is left out unless it is asked for; within a list it
/// begins with `data`.
pub(crate) fn expandable(description: &'static Description, from: &Shape, path: &str) -> bool {
    let segments: Vec<&str> = path.split('.').collect();
    segments.len() <= DEPTH && leads(description, from, &segments)
}

fn leads(description: &'static Description, from: &Shape, path: &[&str]) -> bool {
    let Some((name, rest)) = path.split_first() else {
        return false;
    };
    let into = |fields: Fields| {
        fields.get(name).is_some_and(|field| {
            if rest.is_empty() {
                holds_id(&field.shape) || field.optional && is_more_than_a_value(&field.shape)
            } else {
                leads(description, &field.shape, rest)
            }
        })
    };
    match from {
        Shape::Object(fields) => into(*fields),
        Shape::Kind(kind) => description.object(kind).is_some_and(into),
        Shape::Id(kinds) => kinds
            .iter()
            .any(|kind| description.object(kind).is_some_and(into)),
        Shape::List(element) | Shape::Search(element) => {
            *name == "data" && !rest.is_empty() && leads(description, element, rest)
                || *name == "data" && rest.is_empty() && holds_id(element)
        }
        Shape::Array(element) => leads(description, element, path),
        Shape::AnyOf(shapes) => shapes.iter().any(|shape| leads(description, shape, path)),
        _ => false,
    }
}

fn holds_id(shape: &Shape) -> bool {
    match shape {
        Shape::Id(_) => true,
        Shape::Array(element) => holds_id(element),
        Shape::AnyOf(shapes) => shapes.iter().any(holds_id),
        _ => false,
    }
}

/// The SDKs do not say which optional fields are there only when they are expanded; that can be none of
/// those that are a text, a number or a choice.
fn is_more_than_a_value(shape: &Shape) -> bool {
    match shape {
        Shape::Object(_) | Shape::Map(_) | Shape::Array(_) | Shape::Kind(_) | Shape::List(_) => {
            true
        }
        Shape::AnyOf(shapes) => shapes.iter().any(is_more_than_a_value),
        _ => false,
    }
}
