//! Customers, as far as payments need to know them.

use crate::engine::database::Transaction;
use crate::webhook::record::record_shown;
use crate::wire::errors::ApiError;

/// Refuses a customer that there is not, or not any more.
pub(crate) fn check(transaction: &Transaction<'_>, id: &str) -> Result<(), ApiError> {
    let customer = transaction.shown(id)?.filter(|it| {
        it["object"] == "customer" && it.get("deleted").is_none_or(|deleted| deleted != true)
    });
    match customer {
        Some(_) => Ok(()),
        None => Err(ApiError::no_such("customer", id).param("customer")),
    }
}

/// A customer who has no source to be charged by default has this one from now on.
pub(crate) fn default_to(
    transaction: &Transaction<'_>,
    id: &str,
    source: &str,
) -> anyhow::Result<()> {
    let Some(before) = transaction.shown(id)? else {
        return Ok(());
    };
    if !before["default_source"].is_null() {
        return Ok(());
    }
    let mut now = before.clone();
    now["default_source"] = source.into();
    transaction.put_plain("customer", id, &now, None)?;
    record_shown(transaction, "customer.updated", now, Some(&before))
}
