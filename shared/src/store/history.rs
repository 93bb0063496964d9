//! A buyer's purchases, once they have done their part.

use super::{
    StoreError, Tables, failed, is_last_page,
    purchases::{PURCHASE, id_of, parse},
    tables::Table,
    text,
};
use crate::{
    config::ConfigError,
    purchase::{Purchase, PurchaseId},
};

/// The index of purchases by their buyer.
#[derive(Clone, Debug)]
pub struct History {
    table: Table,
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
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// A buyer's purchases, newest first, at most `limit` of those older than `before`. Read from
    /// an index, which may lag a moment behind.
    pub async fn page(
        &self,
        subject: &str,
        limit: i32,
        before: Option<PurchaseId>,
    ) -> Result<HistoryPage, StoreError> {
        let mut call = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name("history")
            .key_condition_expression("history = :subject")
            .expression_attribute_values(":subject", text(subject))
            .scan_index_forward(false)
            // One extra, to know whether there are more.
            .limit(limit.saturating_add(1));
        if let Some(before) = before {
            call = call
                .exclusive_start_key("history", text(subject))
                .exclusive_start_key("pk", text(before.to_string()))
                .exclusive_start_key("sk", text(PURCHASE));
        }
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
}
