//! Customers, as far as payments need to know them.

use crate::engine::database::Transaction;
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
