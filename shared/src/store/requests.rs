//! Requests that must not be carried out twice, by their idempotency keys.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Item, StoreError, Tables, from_item, number,
    tables::{self, Key, Table, put_item},
    text, to_item,
};
use crate::{config::ConfigError, purchase::Subject};

/// The requests in the purchases table.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    table: Table,
}

/// A request that must not be carried out twice.
#[derive(Clone, Debug)]
pub struct IdempotentRequest {
    pk: String,
    /// Identifies what was requested, because the same key must not request something else.
    pub(crate) fingerprint: String,
}

/// What an idempotency key stands for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RequestItem {
    pk: String,
    sk: String,
    pub(crate) fingerprint: String,
    /// What was created for it. Stored under the name of the first kind of subject there was.
    #[serde(rename = "purchase_id")]
    pub(crate) subject: Subject,
    /// DynamoDB deletes expired items late, so this is also checked on reading.
    ttl: i64,
}

const REQUEST: &str = "request";

/// How long a key is remembered: as long as at Stripe.
const REMEMBERED_SECONDS: i64 = 24 * 3600;

impl IdempotentRequest {
    /// A buyer's key. The same key from another buyer is a different one.
    pub fn new(subject: &str, key: &str, fingerprint: String) -> Self {
        let key = hex::encode(Sha256::digest(key));
        Self {
            pk: format!("idem#{subject}#{key}"),
            fingerprint,
        }
    }
}

impl Requests {
    pub(crate) fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// What the key stands for from now on, on condition that it is free: never used, expired, or
    /// standing for `replaced`.
    pub(crate) fn put(
        &self,
        request: &IdempotentRequest,
        subject: Subject,
        replaced: Option<Subject>,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let item = RequestItem {
            pk: request.pk.clone(),
            sk: REQUEST.to_owned(),
            fingerprint: request.fingerprint.clone(),
            subject,
            ttl: now.saturating_add(REMEMBERED_SECONDS),
        };
        let put = self.table.put(to_item(&item)?);
        let put = put
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(now));
        put_item(match replaced {
            Some(replaced) => put
                .condition_expression(
                    "attribute_not_exists(pk) OR #ttl <= :now OR purchase_id = :replaced",
                )
                .expression_attribute_values(":replaced", text(replaced.to_string())),
            None => put.condition_expression("attribute_not_exists(pk) OR #ttl <= :now"),
        })
    }
}

/// The key of the row that says what a request's key stands for.
pub(super) fn key(request: &IdempotentRequest) -> Key {
    tables::key([("pk", &request.pk), ("sk", REQUEST)])
}

/// Whether an item is that row.
pub(super) fn is_of(item: &Item, request: &IdempotentRequest) -> bool {
    item.get("pk").and_then(|pk| pk.as_s().ok()) == Some(&request.pk)
}

/// What the request's key stands for, by that row, unless its time is over.
pub(super) fn standing(
    item: Item,
    request: &IdempotentRequest,
    now: i64,
) -> Result<Option<RequestItem>, StoreError> {
    let item: RequestItem = from_item(item, &request.pk)?;
    Ok(Some(item).filter(|item| item.ttl > now))
}
