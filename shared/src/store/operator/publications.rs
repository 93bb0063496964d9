//! Events for other systems that were ordered, whatever became of them, and publishing them again.

use crate::{
    config::ConfigError,
    purchase::SubscriptionId,
    store::{
        StoreError, Tables, failed, from_item, number,
        outbox::{DUE, State},
        publications::{EVENT, EventRow},
        tables::Table,
        text, to_item, unless_refused,
    },
    view::Publication,
};

/// The events in the outbox.
#[derive(Clone, Debug)]
pub struct Events {
    table: Table,
}

impl Events {
    /// Fails if the environment does not name the outbox table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.outbox()?;
        Ok(Self { table })
    }

    /// The row of the publication with this id, if it is still kept.
    pub async fn get(&self, id: &str) -> Result<Option<EventRow>, StoreError> {
        let id = format!("{EVENT}{id}");
        let item = self.table.read([("id", id.as_str())]).await?;
        item.map(|item| from_item(item, &id)).transpose()
    }

    /// All rows about a subscription and its invoices, in no particular order. Reads the whole table.
    pub async fn about(&self, subscription: &SubscriptionId) -> Result<Vec<EventRow>, StoreError> {
        let mut items = self
            .table
            .client
            .scan()
            .table_name(&self.table.name)
            .filter_expression("begins_with(id, :own) OR begins_with(id, :invoices)")
            .expression_attribute_values(":own", text(format!("{EVENT}{subscription}#")))
            .expression_attribute_values(":invoices", text(format!("{EVENT}{subscription}/")))
            .into_paginator()
            .items()
            .send();
        let mut rows = Vec::new();
        while let Some(item) = items.next().await {
            rows.push(from_item(item.map_err(failed("Scan"))?, "of the outbox")?);
        }
        Ok(rows)
    }

    /// Publishes something again, in a row of its own. Events about the same subject must be given
    /// at the same `now`, the earliest first; each then waits for the one before it.
    pub async fn publish_again(
        &self,
        publication: Publication,
        now: i64,
    ) -> Result<(), StoreError> {
        let row = EventRow::again(publication, now);
        let call = self.table.client.put_item().table_name(&self.table.name);
        let call = call.set_item(Some(to_item(&row)?));
        call.send().await.map(|_| ()).map_err(failed("PutItem"))
    }

    /// Releases a held row; says whether it was held. It tells what is known by now.
    pub(super) async fn release(
        &self,
        publication: &Publication,
        now: i64,
    ) -> Result<bool, StoreError> {
        let call = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key("id", text(format!("{EVENT}{}", publication.id)))
            .update_expression(
                "SET #state = :due, due_shard = :due, next_attempt = :now, detail = :detail \
                 REMOVE #ttl",
            )
            .condition_expression("#state = :held")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":detail", text(publication.detail.as_str()))
            .expression_attribute_values(":due", text(DUE))
            .expression_attribute_values(":held", text(State::Held.as_str()))
            .expression_attribute_values(":now", number(now));
        Ok(unless_refused("UpdateItem", call.send().await)?.is_some())
    }
}
