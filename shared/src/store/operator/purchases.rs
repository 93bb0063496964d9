//! All purchases, and everything recorded about one.

use serde::{
    Deserialize as _,
    de::{IntoDeserializer as _, value::Error as ValueError},
};
use time::OffsetDateTime;

use crate::{
    config::ConfigError,
    purchase::{Purchase, PurchaseId, Status},
    store::{
        StoreError, Tables,
        claims::{ClaimItem, EVENT},
        failed, from_item,
        invoices::Invoices,
        keys::PURCHASE,
        purchases::{id_of, parse},
        tables::Table,
        text,
    },
};

/// The whole purchases table.
#[derive(Clone, Debug)]
pub struct AllPurchases {
    table: Table,
    invoices: Invoices,
}

/// A purchase and everything recorded about it, oldest first.
#[derive(Debug)]
pub struct PurchaseWithEvents {
    /// As it is now.
    pub purchase: Purchase,
    /// What was recorded.
    pub events: Vec<RecordedEvent<Status>>,
}

/// An event that was recorded.
#[derive(Clone, Debug)]
pub struct RecordedEvent<S> {
    /// Its id, `evt_…`; or what was fetched without an event, and when.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// When, in Unix seconds.
    pub recorded_at: i64,
    /// Whether it said anything new.
    pub changed: bool,
    /// The version afterwards of what it is about; 0 if it was recorded before versions were.
    pub version: u64,
    /// The status afterwards of what it is about.
    pub status: S,
}

impl<S> RecordedEvent<S> {
    pub(super) fn of(id: String, claim: ClaimItem, status: S) -> Self {
        Self {
            id,
            kind: claim.kind,
            recorded_at: claim.recorded_at,
            changed: claim.changed,
            version: claim.version,
            status,
        }
    }
}

/// The status in a purchase's claim.
fn status(name: &str, id: PurchaseId) -> Result<Status, StoreError> {
    let read: Result<_, ValueError> = Status::deserialize(name.into_deserializer());
    read.map_err(|error| StoreError::Unreadable {
        key: id.to_string(),
        why: error.to_string(),
    })
}

impl AllPurchases {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            table: tables.purchases()?,
            invoices: Invoices::of(tables)?,
        })
    }

    /// One purchase with what became of its money and its events: all items under its id, in one
    /// query, and the invoice with which a subscription began.
    pub async fn with_events(
        &self,
        id: PurchaseId,
    ) -> Result<Option<PurchaseWithEvents>, StoreError> {
        let mut pages = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression("pk = :id")
            .expression_attribute_values(":id", text(id.to_string()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let (mut purchase, mut events) = (None, Vec::new());
        while let Some(item) = pages.next().await {
            let item = item.map_err(failed("Query"))?;
            let sk = item.get("sk").and_then(|sk| sk.as_s().ok());
            let sk = sk.map(String::as_str);
            match sk.and_then(|sk| sk.strip_prefix(EVENT)) {
                Some(event) => {
                    let event = event.to_owned();
                    let claim: ClaimItem = from_item(item, &event)?;
                    let (version, status) = (claim.version, status(&claim.status, id)?);
                    events.push((version, RecordedEvent::of(event, claim, status)));
                }
                None if sk == Some(PURCHASE) => purchase = Some(parse(item, id)?.purchase),
                None => {}
            }
        }
        // What changed nothing comes after what made the version it was compared with.
        events.sort_by_key(|(version, event)| (*version, !event.changed, event.recorded_at));
        let events = events.into_iter().map(|(_, event)| event).collect();
        let Some(purchase) = purchase else {
            return Ok(None);
        };
        let purchase = self.invoices.complete(purchase).await?;
        Ok(Some(PurchaseWithEvents { purchase, events }))
    }

    /// Passes every purchase made since then to `take`, as it is stored, in no particular order.
    /// Reads the whole table, because there is no other way to see all purchases.
    pub async fn each(
        &self,
        since: Option<OffsetDateTime>,
        mut take: impl FnMut(Purchase),
    ) -> Result<(), StoreError> {
        let mut items = self
            .table
            .client
            .scan()
            .table_name(&self.table.name)
            .filter_expression("sk = :purchase")
            .expression_attribute_values(":purchase", text(PURCHASE))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed("Scan"))?;
            let id = id_of(&item)?;
            if since.is_none_or(|since| id.created_at() >= since) {
                take(parse(item, id)?.purchase);
            }
        }
        Ok(())
    }
}
