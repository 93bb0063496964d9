//! All subscriptions.

use crate::{
    config::ConfigError,
    purchase::Subject,
    store::{
        StoreError, Tables, failed,
        keys::{SUBSCRIPTION, subject_of},
        subscriptions::parse,
        tables::Table,
        text,
    },
    subscription::Subscription,
};

/// The whole purchases table, for its subscriptions.
#[derive(Clone, Debug)]
pub struct AllSubscriptions {
    table: Table,
}

impl AllSubscriptions {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// Passes every subscription to `take`, in no particular order. Reads the whole table, because
    /// there is no other way to see all of them.
    pub async fn each(&self, mut take: impl FnMut(Subscription)) -> Result<(), StoreError> {
        let mut items = self
            .table
            .client
            .scan()
            .table_name(&self.table.name)
            .filter_expression("sk = :subscription")
            .expression_attribute_values(":subscription", text(SUBSCRIPTION))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed("Scan"))?;
            if let Some(Subject::Subscription(id)) = subject_of(&item) {
                take(parse(item, &id)?.subscription);
            }
        }
        Ok(())
    }
}
