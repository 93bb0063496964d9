//! DynamoDB: items and domain types, keys and expressions. What must hold across items is the
//! ledger's business ([`crate::ledger`]).

use std::{collections::HashMap, time::SystemTime};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, TransactWriteItem},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::config::{ConfigError, Environment, error_code};

#[cfg(test)]
mod layout;
pub mod outbox;
pub mod parked;
pub mod products;
pub mod purchases;
pub mod sweep;

/// DynamoDB as the environment says; `AWS_ENDPOINT_URL_DYNAMODB` may point elsewhere than AWS.
pub fn client(environment: &Environment) -> Result<Client, ConfigError> {
    Ok(Client::new(&environment.aws("AWS_ENDPOINT_URL_DYNAMODB")?))
}

/// A DynamoDB item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The store failed us. Callers hear of it as a 5xx; nothing of it is theirs to mend.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A call was not answered, or refused for reasons that are not in its data.
    #[error("{operation} failed: {why}")]
    Failed {
        /// The DynamoDB operation.
        operation: &'static str,
        /// The error's code, or what kept it from being answered.
        why: String,
    },
    /// An item is not what this code writes.
    #[error("the item {key} does not read")]
    Unreadable {
        /// Its key.
        key: String,
        /// What is wrong with it. It may quote the item, so no log line shows it.
        why: String,
    },
    /// A value cannot be written.
    #[error("a value cannot be written as an item: {0}")]
    Unwritable(String),
    /// Others kept changing what we wanted to change.
    #[error("gave up after {0} tries: others kept changing the same items")]
    Contended(u32),
}

/// A `map_err` for calls whose errors carry no meaning for us.
pub(crate) fn failed<E, R>(operation: &'static str) -> impl Fn(SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata,
{
    move |error| StoreError::Failed {
        operation,
        why: error_code(&error),
    }
}

/// A `map_err` for the SDK's builders.
pub(crate) fn unwritable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unwritable(error.to_string())
}

pub(crate) fn to_item(value: &impl Serialize) -> Result<Item, StoreError> {
    serde_dynamo::to_item(value).map_err(unwritable)
}

pub(crate) fn from_item<T: DeserializeOwned>(item: Item, key: &str) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::Unreadable {
        key: key.to_owned(),
        why: error.to_string(),
    })
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Now, in Unix seconds.
pub fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A quarter of a year, in seconds: how long what is over is kept for those who ask.
pub(crate) const KEEP_SECONDS: i64 = 90 * 24 * 3600;

/// How a transaction ended, where the end says something of its items.
pub(crate) enum Transaction {
    /// All of it was written.
    Written,
    /// None of it was: for each of its items whether its own condition failed.
    Refused(Vec<bool>),
}

/// Writes all or nothing. Throttling and conflicts with another transaction are refusals in which
/// no condition failed. The SDK gives each call a client token, so that its own retries of an
/// unanswered call cannot write twice.
pub(crate) async fn transact(
    client: &Client,
    items: Vec<TransactWriteItem>,
) -> Result<Transaction, StoreError> {
    let answer = client
        .transact_write_items()
        .set_transact_items(Some(items))
        .send()
        .await;
    match answer {
        Ok(_) => Ok(Transaction::Written),
        Err(error) => match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                const RETRYABLE: [&str; 5] = [
                    "None",
                    "ConditionalCheckFailed",
                    "TransactionConflict",
                    "ThrottlingError",
                    "ProvisionedThroughputExceeded",
                ];
                let codes: Vec<&str> = canceled
                    .cancellation_reasons()
                    .iter()
                    .map(|r| r.code().unwrap_or("None"))
                    .collect();
                match codes.iter().find(|code| !RETRYABLE.contains(code)) {
                    Some(code) => Err(StoreError::Failed {
                        operation: "TransactWriteItems",
                        why: (*code).to_owned(),
                    }),
                    None => Ok(Transaction::Refused(
                        codes
                            .iter()
                            .map(|code| *code == "ConditionalCheckFailed")
                            .collect(),
                    )),
                }
            }
            _ => Err(failed("TransactWriteItems")(error)),
        },
    }
}

/// Cuts what a query for one entry more than `limit` found to a page; whether it is the last one.
/// `exhausted` is whether the query came to an end by itself.
fn is_last_page<T>(found: &mut Vec<T>, limit: i32, exhausted: bool) -> bool {
    let limit = usize::try_from(limit).unwrap_or_default();
    let is_last = exhausted && found.len() <= limit;
    found.truncate(limit);
    is_last
}

/// Tries of a write that others may get in the way of.
pub(crate) const TRIES: u32 = 6;

/// Waits before try number `attempt` (1, 2, …) is repeated: up to 25 ms, 50 ms, 100 ms ….
pub(crate) async fn back_off(attempt: u32) {
    let most = 25_u64.saturating_mul(1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(64));
    tokio::time::sleep(std::time::Duration::from_millis(fastrand::u64(0..=most))).await;
}
