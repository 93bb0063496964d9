//! DynamoDB: items and domain types, keys and expressions. Each type here can do what one kind of
//! caller may do, as the roles in the template say; what only people do is in [`operator`]. What
//! must be true across items is up to [`crate::orders`], [`crate::attempts`] and [`crate::ledger`].

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeValue, builders::PutBuilder},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    aws::{self, call::Service, lazy::Lazy},
    config::{ConfigError, Environment},
};

pub(crate) mod bookkeeping;
pub(crate) mod claims;
pub(crate) mod customers;
pub mod due;
pub mod history;
pub(crate) mod holds;
pub mod invoices;
mod keys;
pub(crate) mod later;
#[cfg(test)]
mod layout;
pub mod looks;
pub(crate) mod openings;
pub mod operator;
pub mod outbox;
pub mod parked;
pub mod pointers;
pub mod products;
pub mod publications;
pub mod purchases;
pub mod requests;
#[cfg(test)]
pub(crate) mod scripted;
pub mod shortages;
pub mod subscriptions;
pub mod sweep;
mod tables;
pub(crate) mod transaction;
pub mod unpaid;
pub mod work;

pub use tables::Tables;

/// A client for DynamoDB, or for what `AWS_ENDPOINT_URL_DYNAMODB` points to.
pub fn client(environment: &Environment) -> Result<Lazy<Client>, ConfigError> {
    let config = aws::config(environment, Service::DynamoDb)?;
    Ok(Lazy::new(move || Client::new(&config)))
}

/// What need not be stored.
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A DynamoDB item.
type Item = HashMap<String, AttributeValue>;

/// The store failed. Callers get a 5xx, because there is nothing they could fix.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A call got no answer, or was refused for reasons that are not in its data.
    #[error("{operation} failed: {why}")]
    Failed {
        /// The DynamoDB operation.
        operation: &'static str,
        /// The error's code, or why there was no answer.
        why: String,
    },
    /// An item does not look like one that this code writes.
    #[error("the item {key} cannot be read")]
    Unreadable {
        /// Its key.
        key: String,
        /// What is wrong with it. It may quote the item, so it is not logged.
        why: String,
    },
    /// A value cannot be written.
    #[error("a value cannot be written as an item: {0}")]
    Unwritable(String),
    /// Other writers kept changing the same items.
    #[error("gave up after {0} tries: others kept changing the same items")]
    Contended(u32),
}

/// A `map_err` for calls whose errors need not be told apart.
fn failed<E, R>(operation: &'static str) -> impl Fn(SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata,
{
    move |error| StoreError::Failed {
        operation,
        why: aws::error_code(&error),
    }
}

/// A `map_err` for the SDK's builders.
fn unwritable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unwritable(error.to_string())
}

/// The answer to a write with a condition; `None` if the condition failed.
fn unless_refused<T, E, R>(
    operation: &'static str,
    answer: Result<T, SdkError<E, R>>,
) -> Result<Option<T>, StoreError>
where
    E: ProvideErrorMetadata,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => match error.as_service_error().and_then(|refused| refused.code()) {
            Some("ConditionalCheckFailedException") => Ok(None),
            _ => Err(failed(operation)(error)),
        },
    }
}

/// Adds the condition that the item still has the version that was read; 0 if there was none.
fn unchanged(put: PutBuilder, version: u64) -> PutBuilder {
    match version {
        0 => put.condition_expression("attribute_not_exists(pk)"),
        version => put
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(version)),
    }
}

fn to_item(value: &impl Serialize) -> Result<Item, StoreError> {
    serde_dynamo::to_item(value).map_err(unwritable)
}

fn from_item<T: DeserializeOwned>(item: Item, key: &str) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::Unreadable {
        key: key.to_owned(),
        why: error.to_string(),
    })
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// How long finished rows are kept for questions: 90 days, in seconds.
const KEEP_SECONDS: i64 = 90 * 24 * 3600;

/// Cuts the result of a query for one entry more than `limit` to a page; says whether it is the
/// last. `exhausted` is whether the query found no more.
fn is_last_page<T>(found: &mut Vec<T>, limit: i32, exhausted: bool) -> bool {
    let limit = usize::try_from(limit).unwrap_or_default();
    let is_last = exhausted && found.len() <= limit;
    found.truncate(limit);
    is_last
}

/// How often a write is tried that other writers may get in the way of.
pub(crate) const TRIES: u32 = 6;

/// Waits after try number `attempt` (1, 2, …) failed: up to 25 ms, 50 ms, 100 ms ….
async fn back_off(attempt: u32) {
    let most = 25_u64.saturating_mul(1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(64));
    tokio::time::sleep(std::time::Duration::from_millis(fastrand::u64(0..=most))).await;
}
