//! What each buyer holds, in one row per buyer.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::{
    Item, KEEP_SECONDS, StoreError, Tables, from_item, number,
    tables::{self, Key, Table, put_item, update_item},
    to_item, unchanged, unwritable,
};
use crate::{
    config::ConfigError,
    purchase::{Holds, Purchase},
};

/// The rows in the purchases table.
#[derive(Clone, Debug)]
pub(crate) struct BuyersHolds {
    table: Table,
}

/// What a buyer holds, with the version that was read.
#[derive(Clone, Debug, Default)]
pub struct StoredHolds {
    pub(crate) holds: Holds,
    /// 0 if there is no row.
    pub(crate) version: u64,
}

/// What a buyer holds: an attribute for each purchase, named by its id, so that each can be removed
/// without reading the others.
#[derive(Serialize, Deserialize)]
struct HoldsItem {
    pk: String,
    sk: String,
    /// Counts its writes.
    version: u64,
    ttl: i64,
    #[serde(flatten)]
    holds: Holds,
}

const HOLDS: &str = "open";

impl BuyersHolds {
    pub(crate) fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// What a buyer holds now.
    pub(crate) async fn get(&self, subject: &str) -> Result<StoredHolds, StoreError> {
        match self
            .table
            .read([("pk", &buyer_key(subject)), ("sk", HOLDS)])
            .await?
        {
            Some(item) => stored(item, subject),
            None => Ok(StoredHolds::default()),
        }
    }

    /// What a buyer holds from now on, on condition that it has not changed since it was read.
    pub(crate) fn put(
        &self,
        subject: &str,
        read: &StoredHolds,
        holds: Holds,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let item = HoldsItem {
            pk: buyer_key(subject),
            sk: HOLDS.to_owned(),
            version: read.version.saturating_add(1),
            ttl: now.saturating_add(KEEP_SECONDS),
            holds,
        };
        put_item(unchanged(self.table.put(to_item(&item)?), read.version))
    }

    /// What a buyer holds from now on because of this purchase. It has no condition, so only a
    /// concurrent transaction can be in its way. `None` if it is not known whose purchase it is.
    pub(super) fn note(
        &self,
        purchase: &Purchase,
        now: i64,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some(subject) = &purchase.order().buyer.subject else {
            return Ok(None);
        };
        let update = self
            .table
            .update([("pk", &buyer_key(subject)), ("sk", HOLDS)])
            .expression_attribute_names("#purchase", purchase.id().to_string())
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", number(now.saturating_add(KEEP_SECONDS)))
            .expression_attribute_values(":one", number(1));
        let update = match purchase.hold() {
            Some(hold) => update
                .update_expression("SET #purchase = :hold, #ttl = :ttl ADD version :one")
                .expression_attribute_values(
                    ":hold",
                    serde_dynamo::to_attribute_value(hold).map_err(unwritable)?,
                ),
            None => update.update_expression("REMOVE #purchase SET #ttl = :ttl ADD version :one"),
        };
        update_item(update).map(Some)
    }
}

/// The key of what a buyer holds.
pub(super) fn key(subject: &str) -> Key {
    tables::key([("pk", &buyer_key(subject)), ("sk", HOLDS)])
}

/// What a buyer holds, by their row.
pub(super) fn stored(item: Item, subject: &str) -> Result<StoredHolds, StoreError> {
    let HoldsItem { holds, version, .. } = from_item(item, &buyer_key(subject))?;
    Ok(StoredHolds { holds, version })
}

/// The key of everything that is kept by buyer.
pub(super) fn buyer_key(subject: &str) -> String {
    format!("buyer#{subject}")
}
