//! Objects that a path names.

use serde_json::Value;

use crate::engine::ids;
use crate::engine::transaction::Transaction;
use crate::wire::errors::ApiError;

/// The object of a kind that a path names.
pub(crate) fn find(
    transaction: &Transaction<'_>,
    kind: &'static str,
    name: &'static str,
    id: &str,
) -> Result<Value, ApiError> {
    let object = transaction.shown_of(kind, &ids::current(id))?;
    object.ok_or_else(|| ApiError::no_such(kind, id).param(param_of(name)))
}

/// What Stripe's errors call the parameter in a path.
pub(crate) fn param_of(name: &'static str) -> &'static str {
    match name {
        "charge" | "customer" | "subscription_exposed_id" | "webhook_endpoint" => "id",
        name => name,
    }
}
