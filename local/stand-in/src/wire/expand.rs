//! `expand[]`: references replaced by the objects they name, and lists left out otherwise.

use serde_json::Value;

use crate::cash_balance;
use crate::checkout::object::Session;
use crate::description::{Description, Fields, Shape, expandable};
use crate::engine::ids::CustomerId;
use crate::engine::resource::Object;
use crate::engine::transaction::Transaction;
use crate::invoice;
use crate::invoice::payment::InvoicePayment;
use crate::plain;
use crate::quote::object::Quote;
use crate::refund::object::Refund;
use crate::subscription::object::Subscription;
use crate::wire::errors::ApiError;
use crate::wire::lists::Paging;
use crate::wire::params::Params;
use crate::wire::version::Version;

/// Paths that have been found to lead somewhere.
#[derive(Debug)]
pub(crate) struct Expansions(Vec<String>);

impl Expansions {
    /// Reads `expand` for an answer of this shape.
    pub(crate) fn read(
        params: &mut Params,
        version: Version,
        returns: &Shape,
    ) -> Result<Self, ApiError> {
        let paths = params.texts("expand")?;
        let leads = |path: &str| match version {
            Version::Asked(description) => expandable(description, returns, path),
            Version::Any => Description::all().any(|it| expandable(it, returns, path)),
        };
        match paths.iter().find(|path| !leads(path)) {
            Some(path) => Err(ApiError::cannot_expand(path)),
            None => Ok(Self(paths)),
        }
    }

    pub(crate) fn apply(
        &self,
        transaction: &Transaction<'_>,
        mut answer: Value,
    ) -> anyhow::Result<Value> {
        for path in &self.0 {
            let path: Vec<_> = path.split('.').collect();
            expand(transaction, &mut answer, &path, "", None)?;
        }
        Ok(answer)
    }
}

/// Follows a path from `at`, which belongs to the object `owner` and has these fields, unless it is an
/// object itself.
fn expand(
    transaction: &Transaction<'_>,
    at: &mut Value,
    path: &[&str],
    owner: &str,
    fields: Option<Fields>,
) -> anyhow::Result<()> {
    if let Value::Array(elements) = at {
        return elements
            .iter_mut()
            .try_for_each(|element| expand(transaction, element, path, owner, fields));
    }
    let (Some((field, rest)), Value::Object(object)) = (path.split_first(), at) else {
        return Ok(());
    };
    let own_id = object.get("id").and_then(Value::as_str).map(str::to_owned);
    let owner = own_id.as_deref().unwrap_or(owner);
    let kind = object.get("object").and_then(Value::as_str);
    let fields = match kind {
        Some(kind) => Description::newest().object(kind),
        None => fields,
    };
    let shape = fields
        .and_then(|fields| fields.get(field))
        .map(|it| it.shape);
    if !object.contains_key(*field) {
        let list = left_out(transaction, kind.unwrap_or_default(), owner, field)?;
        object.extend(list.map(|list| ((*field).to_owned(), list)));
    }
    let Some(next) = object.get_mut(*field) else {
        return Ok(());
    };
    name(transaction, shape.as_ref(), next)?;
    let within = shape.as_ref().and_then(Shape::fields);
    expand(transaction, next, rest, owner, within)
}

/// Puts the objects that a field names, one or a list of them, in the place of their ids.
fn name(
    transaction: &Transaction<'_>,
    shape: Option<&Shape>,
    value: &mut Value,
) -> anyhow::Result<()> {
    match value {
        Value::Array(elements) => elements
            .iter_mut()
            .filter(|element| element.is_string())
            .try_for_each(|element| name(transaction, shape, element)),
        Value::String(id) => {
            if let Some(whole) = named(transaction, shape, id)? {
                *value = whole;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The object that a field of this shape names. Ids of different kinds may be the same.
fn named(
    transaction: &Transaction<'_>,
    shape: Option<&Shape>,
    id: &str,
) -> anyhow::Result<Option<Value>> {
    let kinds = shape.iter().flat_map(|shape| shape.kinds());
    for kind in kinds {
        if let Some(whole) = transaction.shown_of(kind, id)? {
            return Ok(Some(whole));
        }
    }
    transaction.shown(id)
}

/// What an object has only when it is asked for.
fn left_out(
    transaction: &Transaction<'_>,
    kind: &str,
    id: &str,
    field: &str,
) -> anyhow::Result<Option<Value>> {
    Ok(match field {
        "subscriptions" if kind == "customer" => {
            let mut theirs = transaction.shown_having(Subscription::KIND, "customer", id)?;
            theirs.retain(|it| it.get("status").is_none_or(|status| status != "canceled"));
            theirs.reverse();
            Some(Paging::first().page(&format!("/v1/customers/{id}/subscriptions"), theirs))
        }
        "cash_balance" if kind == "customer" => {
            Some(cash_balance::book::balance(transaction, &CustomerId::of_kept(id))?.answer())
        }
        _ if plain::is_plain(kind) => plain::left_out(transaction, kind, id, field)?,
        "line_items" if kind == Quote::KIND => transaction
            .get::<Quote>(id)?
            .map(|quote| Paging::first().page(&quote.lines_url(), quote.lines_shown())),
        "line_items" => transaction
            .get::<Session>(id)?
            .map(|session| Paging::first().page(&line_items_url(id), session.lines())),
        "breakdown" => transaction
            .get::<Session>(id)?
            .map(|session| session.breakdown()),
        "refunds" => {
            let refunds = transaction.having::<Refund>("charge", id)?;
            let newest_first = refunds.iter().rev().map(Object::answer);
            Some(Paging::first().page(&format!("/v1/charges/{id}/refunds"), newest_first))
        }
        "payments" => {
            let url = format!("/v1/invoice_payments?invoice={id}");
            let payments = transaction.shown_having(InvoicePayment::KIND, "invoice", id)?;
            Some(Paging::first().page(&url, payments))
        }
        "confirmation_secret" => invoice::intents::confirmation_secret(transaction, id)?,
        _ => invoice::former::left_out(transaction, kind, id, field)?,
    })
}

pub(crate) fn line_items_url(session: &str) -> String {
    format!("/v1/checkout/sessions/{session}/line_items")
}
