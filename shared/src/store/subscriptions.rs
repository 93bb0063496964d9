//! Subscriptions as they were last read, and everything that belongs to each.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::{
    Item, StoreError, Tables, failed, invoices,
    keys::{SUBSCRIPTION, key_of, subject_of},
    later::{self, Written},
    number,
    purchases::WORK,
    tables::{Table, put_item, update_item},
    text, to_item, unchanged, unwritable,
};
use crate::{
    config::ConfigError,
    invoice::Invoice,
    purchase::{Buyer, Notice, PurchaseId, Subject, SubscriptionId},
    subscription::{Reading, Subscription, Told, Turn},
};

/// The subscriptions in the purchases table.
#[derive(Clone, Debug)]
pub struct Subscriptions {
    table: Table,
}

/// A subscription, with the version that was read.
#[derive(Clone, Debug)]
pub struct StoredSubscription {
    /// What it holds.
    pub subscription: Subscription,
    /// Counts its readings; 0 if it was never written.
    pub(crate) version: u64,
    /// By which versions of the code.
    pub(crate) written: Written,
}

/// A subscription and its invoices, in no particular order.
#[derive(Clone, Debug)]
pub struct WithInvoices {
    /// The subscription.
    pub subscription: Subscription,
    /// Its invoices.
    pub invoices: Vec<Invoice>,
}

/// `pk` is the subscription's id.
#[derive(Serialize, Deserialize)]
struct SubscriptionItem {
    pk: String,
    sk: String,
    version: u64,
    #[serde(default)]
    layout: u32,
    #[serde(default)]
    earliest: u32,
    /// The purchase with which it began.
    purchase_id: PurchaseId,
    buyer: Buyer,
    /// Missing until it is read for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reading: Option<Reading>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    told: BTreeMap<Notice, Told>,
    /// The latest of what other systems were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turn: Option<Turn>,
    /// Key of the sparse index of what is not over yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_shard: Option<String>,
    /// When to read it again, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_due: Option<i64>,
    /// The buyer's subject: the key of a sparse index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<String>,
}

impl Subscriptions {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// One subscription, as it is now.
    pub async fn get(&self, id: &SubscriptionId) -> Result<Option<StoredSubscription>, StoreError> {
        let key = [("pk", id.as_str()), ("sk", SUBSCRIPTION)];
        let item = self.table.read(key).await?;
        item.map(|item| parse(item, id)).transpose()
    }

    /// One subscription and all of its invoices, as they are now, in one query.
    pub async fn with_invoices(
        &self,
        id: &SubscriptionId,
    ) -> Result<Option<WithInvoices>, StoreError> {
        let mut items = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            // What was recorded about them sorts before them.
            .key_condition_expression("pk = :id AND sk BETWEEN :invoices AND :subscription")
            .expression_attribute_values(":id", text(id.as_str()))
            .expression_attribute_values(":invoices", text("in_"))
            .expression_attribute_values(":subscription", text(SUBSCRIPTION))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let (mut subscription, mut found) = (None, Vec::new());
        while let Some(item) = items.next().await {
            let item = item.map_err(failed("Query"))?;
            match subject_of(&item) {
                Some(Subject::Subscription(id)) => {
                    subscription = Some(parse(item, &id)?.subscription);
                }
                Some(Subject::Invoice(of, id)) => {
                    found.push(invoices::parse(item, &of, &id)?.invoice);
                }
                Some(Subject::Purchase(_)) | None => {}
            }
        }
        Ok(subscription.map(|subscription| WithInvoices {
            subscription,
            invoices: found,
        }))
    }

    /// The subscription's next version, on condition that the version read is still there.
    pub(crate) fn put(
        &self,
        stored: &StoredSubscription,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let next = to_item(&SubscriptionItem::next(stored, now))?;
        let put = self.table.put(stored.written.with(next));
        put_item(unchanged(put, stored.version))
    }

    /// A row for a subscription that was heard of, so that `reconcile` reads it if nobody else
    /// does. It has no condition, and changes nothing that is there.
    pub(crate) fn note(
        &self,
        subscription: &Subscription,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let (pk, sk) = key_of(&subscription.subject());
        let buyer = subscription.buyer();
        let mut kept = vec![
            ("version", number(1)),
            ("purchase_id", text(subscription.purchase().to_string())),
            (
                "buyer",
                serde_dynamo::to_attribute_value(buyer).map_err(unwritable)?,
            ),
            ("work_shard", text(WORK)),
            ("work_due", number(now)),
        ];
        kept.extend(
            buyer
                .subject
                .clone()
                .map(|subject| ("history", text(subject))),
        );
        let set: Vec<_> = kept
            .iter()
            .map(|(name, _)| format!("{name} = if_not_exists({name}, :{name})"))
            .collect();
        let update = self.table.update([("pk", &pk), ("sk", &sk)]);
        let update = update.update_expression(format!("SET {}", set.join(", ")));
        update_item(kept.into_iter().fold(update, |update, (name, value)| {
            update.expression_attribute_values(format!(":{name}"), value)
        }))
    }
}

impl SubscriptionItem {
    /// The version after the one that was read.
    fn next(stored: &StoredSubscription, now: i64) -> Self {
        let subscription = &stored.subscription;
        let (pk, sk) = key_of(&subscription.subject());
        let work_due = subscription.next_check(now);
        let (layout, earliest) = stored.written.anew();
        Self {
            pk,
            sk,
            version: stored.version.saturating_add(1),
            layout,
            earliest,
            purchase_id: subscription.purchase(),
            buyer: subscription.buyer().clone(),
            reading: subscription.reading().cloned(),
            told: subscription.told().clone(),
            turn: subscription.turn().copied(),
            work_shard: work_due.map(|_| WORK.to_owned()),
            work_due,
            history: subscription.buyer().subject.clone(),
        }
    }
}

pub(super) fn parse(item: Item, id: &SubscriptionId) -> Result<StoredSubscription, StoreError> {
    let (item, written) = later::read::<SubscriptionItem>(item, id.as_str())?;
    let key = (id.clone(), item.purchase_id);
    Ok(StoredSubscription {
        subscription: Subscription::kept(key, item.buyer, item.reading, (item.told, item.turn)),
        version: item.version,
        written,
    })
}
