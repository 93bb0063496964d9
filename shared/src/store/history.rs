//! A buyer's purchases, once they have done their part.

use std::collections::BTreeSet;

use serde::Deserialize;
use tokio::task::JoinSet;

use super::{
    StoreError, Tables, failed, from_item, is_last_page,
    keys::subject_of,
    purchases::{Purchases, id_of, parse},
    tables::Table,
    text,
};
use crate::{
    config::ConfigError,
    product::ProductId,
    purchase::{Purchase, PurchaseId, Subject, SubscriptionId},
};

/// The index of purchases by their buyer.
#[derive(Clone, Debug)]
pub struct History {
    table: Table,
    purchases: Purchases,
}

/// The part of a subscription that says what it began with.
#[derive(Deserialize)]
struct Began {
    purchase_id: PurchaseId,
}

/// Some of a buyer's purchases, newest first.
#[derive(Debug)]
pub struct HistoryPage {
    /// The purchases.
    pub purchases: Vec<Purchase>,
    /// The last of them, if there are more.
    pub next: Option<PurchaseId>,
}

impl History {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            table: tables.purchases()?,
            purchases: Purchases::of(tables)?,
        })
    }

    /// A buyer's purchases, newest first, at most `limit` of those older than `before`. Read from
    /// an index, which may lag a moment behind.
    pub async fn page(
        &self,
        subject: &str,
        limit: i32,
        before: Option<PurchaseId>,
    ) -> Result<HistoryPage, StoreError> {
        // Purchase ids are hexadecimal; what belongs to subscriptions sorts after them.
        let before = before.map_or_else(|| "g".to_owned(), |before| before.to_string());
        let call = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name("history")
            .key_condition_expression("history = :subject AND pk < :before")
            .expression_attribute_values(":subject", text(subject))
            .expression_attribute_values(":before", text(before))
            .scan_index_forward(false)
            // One extra, to know whether there are more.
            .limit(limit.saturating_add(1));
        let answer = call.send().await.map_err(failed("Query"))?;
        let mut purchases = Vec::new();
        for item in answer.items.unwrap_or_default() {
            let id = id_of(&item)?;
            purchases.push(parse(item, id)?.purchase);
        }
        let is_last = is_last_page(&mut purchases, limit, answer.last_evaluated_key.is_none());
        let next = purchases.last().map(|purchase| purchase.id());
        Ok(HistoryPage {
            purchases,
            next: next.filter(|_| !is_last),
        })
    }

    /// The products of which a buyer had a trial: of what they subscribed to, because they may have
    /// bought a great deal besides. Found in the same index. That it lags does no harm: a session
    /// opened before the trial began can begin another for a day anyway.
    pub async fn tried(&self, subject: &str) -> Result<BTreeSet<ProductId>, StoreError> {
        let mut reading = JoinSet::new();
        for (_, purchase) in self.subscribed(subject).await? {
            let purchases = self.purchases.clone();
            reading.spawn(async move { purchases.get(purchase).await });
        }
        let mut tried = BTreeSet::new();
        for stored in reading.join_all().await {
            let began = stored?.map(|stored| stored.purchase);
            let began = began.filter(|purchase| purchase.subscription().is_some());
            let lines = began.iter().flat_map(|it| it.order().recurring_lines());
            let lines = lines.filter(|line| line.has_trial());
            tried.extend(lines.map(|line| line.product_id.clone()));
        }
        Ok(tried)
    }

    /// The ids of all of a buyer's subscriptions, newest last as far as Stripe's ids tell. Read
    /// from the same index.
    pub async fn subscriptions(&self, subject: &str) -> Result<Vec<SubscriptionId>, StoreError> {
        let subscribed = self.subscribed(subject).await?;
        Ok(subscribed.into_iter().map(|(id, _)| id).collect())
    }

    /// All of a buyer's subscriptions, with the purchase that each began with.
    async fn subscribed(
        &self,
        subject: &str,
    ) -> Result<Vec<(SubscriptionId, PurchaseId)>, StoreError> {
        let mut items = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name("history")
            .key_condition_expression("history = :subject AND begins_with(pk, :subscriptions)")
            .expression_attribute_values(":subject", text(subject))
            .expression_attribute_values(":subscriptions", text("sub_"))
            .projection_expression("pk, sk, purchase_id")
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed("Query"))?;
            // Their invoices have the same partition key.
            if let Some(Subject::Subscription(id)) = subject_of(&item) {
                let Began { purchase_id } = from_item(item, id.as_str())?;
                found.push((id, purchase_id));
            }
        }
        Ok(found)
    }
}
