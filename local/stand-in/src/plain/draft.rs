//! A plain object in the making.

use anyhow::Context as _;
use serde_json::{Map, Value};

use crate::description::{Description, Fields, Shape};
use crate::engine::database::Transaction;
use crate::webhook::record::record_shown;
use crate::wire::errors::ApiError;
use crate::wire::values::value;

/// A kind of plain objects.
pub(super) struct Kind {
    /// As in the field `object`.
    pub(super) name: &'static str,
    /// What its ids begin with.
    pub(super) prefix: &'static str,
    /// Parameters that set no field of their name.
    pub(super) extra: &'static [&'static str],
    /// Fields that are shown only when they are expanded.
    pub(super) on_request: &'static [&'static str],
    /// What Stripe sets where nobody says otherwise, and the first of the choices is not it.
    pub(super) defaults: fn() -> Vec<(&'static str, Value)>,
    /// Does what holding parameters does not.
    pub(super) finish: fn(&mut Draft<'_>) -> Result<(), ApiError>,
}

impl Kind {
    pub(super) fn fields(&self) -> anyhow::Result<Fields> {
        let fields = Description::newest().object(self.name);
        fields.with_context(|| format!("no description of {}", self.name))
    }

    /// Whether a deleted object can still be retrieved, as one that is deleted.
    pub(super) fn leaves_a_trace(&self) -> bool {
        let mut operations = Description::newest().operations();
        operations.any(|it| match &it.returns {
            Shape::AnyOf(shapes) if it.method == "GET" => shapes
                .iter()
                .any(|shape| matches!(shape, Shape::Deleted(kind) if *kind == self.name)),
            _ => false,
        })
    }
}

/// An object that is being made or changed.
pub(super) struct Draft<'d> {
    pub(super) transaction: &'d Transaction<'d>,
    pub(super) object: Map<String, Value>,
    pub(super) extra: Map<String, Value>,
    /// As it was, if it was there.
    pub(super) before: Option<Map<String, Value>>,
    /// The base of pages that buyers see.
    pub(super) public_url: &'d str,
}

impl Draft<'_> {
    /// Sets the fields that parameters name.
    pub(super) fn set<'g>(
        &mut self,
        fields: Fields,
        given: impl IntoIterator<Item = (&'g String, &'g Value)>,
    ) {
        for (name, text) in given {
            let Some(field) = fields.get(name) else {
                continue;
            };
            let set = value(&field.shape, text, self.object.get(name));
            self.object.insert(name.clone(), set);
        }
    }

    pub(super) fn is_new(&self) -> bool {
        self.before.is_none()
    }
}

/// Stores an object and returns it as the API shows it.
pub(super) fn keep(
    transaction: &Transaction<'_>,
    kind: &Kind,
    id: &str,
    object: Map<String, Value>,
) -> anyhow::Result<Value> {
    let mut shown = object.clone();
    shown.retain(|field, _| !kind.on_request.contains(&field.as_str()));
    let hides = shown.len() != object.len();
    let (shown, whole) = (Value::Object(shown), Value::Object(object));
    transaction.put_plain(kind.name, id, &shown, hides.then_some(&whole))?;
    Ok(shown)
}

/// Records an event, if Stripe has one of this name.
pub(super) fn tell(
    transaction: &Transaction<'_>,
    kind: &str,
    what: &str,
    object: Value,
    before: Option<&Value>,
) -> anyhow::Result<()> {
    let event = format!("{kind}.{what}");
    match Description::newest().event(&event) {
        Some(_) => record_shown(transaction, &event, object, before),
        None => Ok(()),
    }
}
