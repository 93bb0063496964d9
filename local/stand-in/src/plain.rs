//! Objects without behaviour of their own: they are made, changed and deleted as their description
//! says. A parameter sets the field of its name; what else a kind does is told in [`kinds`].

mod catalog;
mod customer;
mod draft;
mod kinds;
pub(crate) mod payment_link;
mod portal_configuration;
pub(crate) mod price_data;
mod tax_codes;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::description::{Description, Fields, Shape};
use crate::engine::ids;
use crate::engine::transaction::Transaction;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lookup::find;
use crate::wire::params::Params;

use self::draft::{Draft, Kind, begin, keep, tell};

/// Whether objects of this kind are plain.
pub(crate) fn is_plain(kind: &str) -> bool {
    kinds::find(kind).is_some()
}

/// A field that an object of this kind shows only when it is asked for.
pub(crate) fn left_out(
    transaction: &Transaction<'_>,
    kind: &str,
    id: &str,
    field: &str,
) -> anyhow::Result<Option<Value>> {
    let kind = kinds::find(kind).filter(|kind| kind.on_request.contains(&field));
    let whole = kind
        .map(|kind| transaction.whole(kind.name, id))
        .transpose()?;
    Ok(whole.flatten().and_then(|mut whole| whole.remove(field)))
}

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    customer::route(asked)
        .or_else(|| payment_link::route(asked))
        .or_else(|| tax_codes::route(asked))
        .or_else(|| whatever_the_kind(asked))
}

/// What is the same for all kinds.
fn whatever_the_kind<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    let name = asked.operation.returns.kind()?;
    let kind = kinds::find(name)?;
    let names = asked.names;
    let is_one = asked.operation.template.ends_with('}');
    Some(match (asked.method, is_one) {
        ("POST", false) if is_collection(name, asked.operation.template) => {
            Box::new(move |params| {
                let wish = Wish::read(kind, params)?;
                Ok(
                    Box::new(move |transaction: &Transaction<'_>| wish.create(transaction, names))
                        as Work<'r>,
                )
            })
        }
        ("POST", true) => {
            let ((name, id), _) = names.split_last().map(|(last, rest)| (*last, rest))?;
            Box::new(move |params| {
                let wish = Wish::read(kind, params)?;
                Ok(
                    Box::new(move |transaction: &Transaction<'_>| {
                        wish.update(transaction, name, id)
                    }) as Work<'r>,
                )
            })
        }
        ("DELETE", true) => {
            let ((name, id), _) = names.split_last().map(|(last, rest)| (*last, rest))?;
            Box::new(move |params| {
                params.finish()?;
                Ok(Box::new(move |transaction: &Transaction<'_>| {
                    delete(transaction, kind, name, id)
                }) as Work<'r>)
            })
        }
        _ => return None,
    })
}

/// Whether a path is where objects of a kind are listed, and so made.
fn is_collection(kind: &str, template: &'static str) -> bool {
    Description::newest()
        .operation("GET", template)
        .is_some_and(|found| {
            matches!(&found.operation.returns, Shape::List(element) if element.kind() == Some(kind))
        })
}

/// What a plain object is to become.
struct Wish {
    kind: &'static Kind,
    fields: Fields,
    /// What fields are to hold.
    given: BTreeMap<String, Value>,
    /// What the kind itself sees to.
    extra: Map<String, Value>,
}

impl Wish {
    fn read(kind: &'static Kind, mut params: Params) -> Result<Self, ApiError> {
        let mut entries = Map::new();
        for name in params.left() {
            let value = params.take(&name)?.unwrap_or_default();
            entries.insert(name, value);
        }
        Self::of(kind, entries)
    }

    /// Of parameters by name: texts, and objects of them.
    fn of(kind: &'static Kind, entries: Map<String, Value>) -> Result<Self, ApiError> {
        let fields = kind.fields()?;
        // Within Stripe's limits.
        Params::of(&entries).metadata("metadata")?;
        let mut given = BTreeMap::new();
        let mut extra = Map::new();
        for (name, value) in entries {
            if kind.extra.contains(&name.as_str()) {
                extra.insert(name, value);
            } else if fields.get(&name).is_some() {
                given.insert(name, value);
            } else {
                return Err(ApiError::unsupported(&name));
            }
        }
        Ok(Self {
            kind,
            fields,
            given,
            extra,
        })
    }

    /// Refuses the ids of objects that are not there.
    fn check_references(&self, transaction: &Transaction<'_>) -> Result<(), ApiError> {
        for (name, text) in &self.given {
            let field = self.fields.get(name);
            if let Some(Shape::Id(kinds)) = field.map(|field| field.shape)
                && let Some(id) = text.as_str().filter(|id| !id.is_empty())
            {
                check_reference(transaction, name, &kinds, id)?;
            }
        }
        Ok(())
    }

    fn create(
        self,
        transaction: &Transaction<'_>,
        parents: &[(&'static str, &str)],
    ) -> Result<Value, ApiError> {
        let name = self.kind.name;
        let id = match self.given.get("id").and_then(Value::as_str) {
            Some("") => return Err(ApiError::empty("id")),
            Some(id) if transaction.shown_of(name, id)?.is_some() => {
                return Err(ApiError::exists(name, id));
            }
            Some(id) => id.to_owned(),
            None => ids::plain(self.kind.prefix),
        };
        let mut object = begin(transaction, self.kind, self.fields, &id);
        for (parent, id) in parents {
            if is_plain(parent)
                && find(transaction, parent, parent, id)?
                    .get("deleted")
                    .is_some()
            {
                return Err(ApiError::no_such(parent, id).param(*parent));
            }
            if self.fields.get(parent).is_some() {
                object.insert((*parent).to_owned(), json!(id));
            }
        }
        self.check_references(transaction)?;
        let mut draft = Draft {
            transaction,
            object,
            extra: self.extra,
            is_new: true,
        };
        draft.set(self.fields, &self.given);
        (self.kind.finish)(&mut draft)?;
        let shown = keep(transaction, self.kind, &id, draft.object)?;
        tell(transaction, name, "created", shown.clone(), None)?;
        Ok(shown)
    }

    fn update(
        self,
        transaction: &Transaction<'_>,
        name: &'static str,
        id: &str,
    ) -> Result<Value, ApiError> {
        let kind = self.kind;
        let shown_before = find(transaction, kind.name, name, id)?;
        let whole = transaction.whole(kind.name, id)?;
        let object = whole.ok_or_else(|| ApiError::no_such(kind.name, id).param(name))?;
        if object.get("deleted").is_some() {
            return Err(ApiError::no_such(kind.name, id).param(name));
        }
        self.check_references(transaction)?;
        let mut draft = Draft {
            transaction,
            is_new: false,
            object,
            extra: self.extra,
        };
        draft.set(self.fields, &self.given);
        (kind.finish)(&mut draft)?;
        let shown = keep(transaction, kind, id, draft.object)?;
        if shown != shown_before {
            tell(
                transaction,
                kind.name,
                "updated",
                shown.clone(),
                Some(&shown_before),
            )?;
        }
        Ok(shown)
    }
}

/// Refuses the id of an object that is not there, where the stand-in would know it.
fn check_reference(
    transaction: &Transaction<'_>,
    name: &str,
    kinds: &[&'static str],
    id: &str,
) -> Result<(), ApiError> {
    if !kinds.iter().any(|kind| is_plain(kind)) {
        return Ok(());
    }
    for kind in kinds {
        if transaction.shown_of(kind, id)?.is_some() {
            return Ok(());
        }
    }
    let kind = kinds.first().copied().unwrap_or("object");
    Err(ApiError::no_such_param(kind, id, name))
}

/// Makes a plain object of parameters by name, as the API does when it is asked to.
pub(crate) fn create(
    transaction: &Transaction<'_>,
    name: &'static str,
    entries: Map<String, Value>,
) -> Result<Value, ApiError> {
    Wish::of(known(name)?, entries)?.create(transaction, &[])
}

/// The same of a change of one.
pub(crate) fn update(
    transaction: &Transaction<'_>,
    name: &'static str,
    id: &str,
    entries: Map<String, Value>,
) -> Result<Value, ApiError> {
    Wish::of(known(name)?, entries)?.update(transaction, name, id)
}

fn known(name: &'static str) -> Result<&'static Kind, ApiError> {
    kinds::find(name).ok_or_else(|| ApiError::no_such("kind", name))
}

/// Deletes a plain object, as the API does when it is asked to.
pub(crate) fn remove(
    transaction: &Transaction<'_>,
    name: &'static str,
    id: &str,
) -> Result<Value, ApiError> {
    delete(transaction, known(name)?, name, id)
}

fn delete(
    transaction: &Transaction<'_>,
    kind: &'static Kind,
    name: &'static str,
    id: &str,
) -> Result<Value, ApiError> {
    let shown = find(transaction, kind.name, name, id)?;
    if shown.get("deleted").is_some() {
        return Err(ApiError::no_such(kind.name, id).param(name));
    }
    (kind.may_delete)(transaction, id)?;
    let gone = json!({ "id": id, "object": kind.name, "deleted": true });
    match kind.leaves_a_trace() {
        true => transaction.put_plain(kind.name, id, &gone, None)?,
        false => transaction.delete(kind.name, id)?,
    }
    (kind.deleted)(transaction, id)?;
    tell(transaction, kind.name, "deleted", shown, None)?;
    Ok(gone)
}
