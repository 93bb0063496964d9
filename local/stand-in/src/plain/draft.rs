//! A plain object in the making.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use crate::description::{Description, Fields, Shape, blank_of};
use crate::engine::ids;
use crate::engine::transaction::Transaction;
use crate::webhook::record::record_shown;
use crate::wire::errors::ApiError;
use crate::wire::values::value;

/// A kind of plain objects.
pub(crate) struct Kind {
    /// As in the field `object`.
    pub(crate) name: &'static str,
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
    /// Refuses to delete the object with this id.
    pub(super) may_delete: fn(&Transaction<'_>, &str) -> Result<(), ApiError>,
    /// Does what follows once the object with this id is deleted.
    pub(super) deleted: fn(&Transaction<'_>, &str) -> anyhow::Result<()>,
}

impl Kind {
    /// A kind that holds what it is given, and nothing else.
    pub(super) const fn plain(name: &'static str, prefix: &'static str) -> Self {
        Self {
            name,
            prefix,
            extra: &[],
            on_request: &[],
            defaults: Vec::new,
            finish: |_| Ok(()),
            may_delete: |_, _| Ok(()),
            deleted: |_, _| Ok(()),
        }
    }

    pub(super) fn fields(&self) -> anyhow::Result<Fields> {
        let fields = Description::newest().object(self.name);
        fields.with_context(|| format!("no description of {}", self.name))
    }

    /// Whether a deleted object can still be retrieved, as one that is deleted.
    pub(super) fn leaves_a_trace(&self) -> bool {
        TRACES.contains(self.name)
    }
}

/// The kinds of which deleted objects can be retrieved. Every operation has to be read for that, so it is
/// done once.
static TRACES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let operations = Description::newest().operations();
    operations
        .filter(|operation| operation.method == "GET")
        .flat_map(|operation| {
            let shapes = operation.returns.alternatives().iter();
            let deleted = shapes.filter_map(|shape| match shape {
                Shape::Deleted(kind) => Some(*kind),
                _ => None,
            });
            deleted.collect::<Vec<_>>()
        })
        .collect()
});

/// An object that is being made or changed.
pub(super) struct Draft<'d> {
    pub(super) transaction: &'d Transaction<'d>,
    pub(super) object: Map<String, Value>,
    pub(super) extra: Map<String, Value>,
    pub(super) is_new: bool,
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
}

/// Makes another plain object on the way. Returns its id.
pub(super) fn make(
    draft: &Draft<'_>,
    kind: &Kind,
    data: &Map<String, Value>,
) -> Result<Value, ApiError> {
    let fields = kind.fields()?;
    let mut inner = Draft {
        transaction: draft.transaction,
        object: begin(draft.transaction, kind, fields, &ids::plain(kind.prefix)),
        extra: Map::new(),
        is_new: true,
    };
    for (name, given) in data {
        match kind.extra.contains(&name.as_str()) {
            true => {
                inner.extra.insert(name.clone(), given.clone());
            }
            false => inner.set(fields, [(name, given)]),
        }
    }
    (kind.finish)(&mut inner)?;
    let id = inner.object.get("id").cloned().unwrap_or_default();
    let shown = keep(
        draft.transaction,
        kind,
        id.as_str().unwrap_or_default(),
        inner.object,
    )?;
    tell(draft.transaction, kind.name, "created", shown, None)?;
    Ok(id)
}

/// An object of which nobody has said anything yet.
pub(super) fn begin(
    transaction: &Transaction<'_>,
    kind: &Kind,
    fields: Fields,
    id: &str,
) -> Map<String, Value> {
    let mut object = blank_of(kind.name);
    let everywhere = [
        ("id", json!(id)),
        ("created", json!(transaction.now)),
        ("livemode", json!(false)),
        ("active", json!(true)),
    ];
    for (field, value) in everywhere.into_iter().chain((kind.defaults)()) {
        if fields.get(field).is_some() {
            object.insert(field.to_owned(), value);
        }
    }
    object
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
    let mut events = vec![format!("{kind}.{what}")];
    if object.get("customer").is_some_and(Value::is_string) {
        // As with `customer.tax_id.created`.
        events.push(format!("customer.{kind}.{what}"));
    }
    let known = |event: &String| Description::newest().event(event).is_some();
    match events.into_iter().find(known) {
        Some(event) => record_shown(transaction, &event, object, before),
        None => Ok(()),
    }
}
