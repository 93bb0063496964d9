//! Customers, as far as payments need to know them.

use serde_json::Value;

use crate::engine::ids::CustomerId;
use crate::engine::transaction::Transaction;
use crate::webhook::record::record_shown;
use crate::wire::errors::ApiError;

/// Where a customer shows what invoices are paid with.
pub(crate) const INVOICE_DEFAULT: &str = "/invoice_settings/default_payment_method";

/// The customer with this id. Refuses one that there is not, or not any more.
pub(crate) fn named(transaction: &Transaction<'_>, id: &str) -> Result<CustomerId, ApiError> {
    let customer = transaction.shown_of("customer", id)?;
    let customer = customer.filter(|it| it.get("deleted").is_none());
    match customer {
        Some(_) => Ok(CustomerId::of_kept(id)),
        None => Err(ApiError::no_such("customer", id).param("customer")),
    }
}

/// A customer who has no source to be charged by default has this one from now on.
pub(crate) fn default_to(
    transaction: &Transaction<'_>,
    id: &CustomerId,
    source: &str,
) -> anyhow::Result<()> {
    let Some(before) = transaction.shown_of("customer", id)? else {
        return Ok(());
    };
    if before.get("default_source").is_some_and(|it| !it.is_null()) {
        return Ok(());
    }
    let mut now = before.clone();
    if let Some(fields) = now.as_object_mut() {
        fields.insert("default_source".to_owned(), source.into());
    }
    transaction.put_plain("customer", id, &now, None)?;
    record_shown(transaction, "customer.updated", now, Some(&before))
}

/// A customer who was charged by this source by default is charged by another one, if there is one.
pub(crate) fn replace_source(
    transaction: &Transaction<'_>,
    id: &CustomerId,
    gone: &str,
    next: Option<&str>,
) -> anyhow::Result<()> {
    let Some(before) = transaction.shown(id)? else {
        return Ok(());
    };
    let mut now = before.clone();
    match now.get_mut("default_source") {
        Some(default) if default == gone => *default = next.into(),
        _ => return Ok(()),
    }
    transaction.put_plain("customer", id, &now, None)?;
    record_shown(transaction, "customer.updated", now, Some(&before))
}

/// A customer whose invoices are paid with this method by default has no default any more.
pub(crate) fn forget_default(
    transaction: &Transaction<'_>,
    id: &CustomerId,
    method: &str,
) -> anyhow::Result<()> {
    let Some(before) = transaction.shown_of("customer", id)? else {
        return Ok(());
    };
    let mut now = before.clone();
    match now.pointer_mut(INVOICE_DEFAULT) {
        Some(default) if default == method => *default = Value::Null,
        _ => return Ok(()),
    }
    transaction.put_plain("customer", id, &now, None)?;
    record_shown(transaction, "customer.updated", now, Some(&before))
}
