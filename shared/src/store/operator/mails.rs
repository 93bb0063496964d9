//! Mails that were ordered, whatever became of them.

use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    config::ConfigError,
    email::Frozen,
    purchase::{Mail, Subject, SubscriptionId},
    store::{
        StoreError, Tables,
        due::LEASE_SECONDS,
        failed, from_item, number,
        outbox::{DUE, Row, State, row_id},
        tables::Table,
        text, unless_refused, unwritable,
    },
};

/// The whole outbox table.
#[derive(Clone, Debug)]
pub struct Mails {
    table: Table,
}

/// What an operator sees of a row. Most of it may be missing, so that a row this code cannot read
/// is listed, too.
#[derive(Clone, Debug, Deserialize)]
pub struct Listed {
    /// `<subject>#<mail>`.
    pub id: String,
    /// How far it has come.
    pub state: State,
    /// How often sending was begun.
    #[serde(default)]
    pub attempts: u32,
    /// When sending may (next) begin, in Unix seconds.
    pub next_attempt: Option<i64>,
    /// When the fact that calls for it was recorded, in Unix seconds.
    pub created_at: Option<i64>,
    /// When it was sent, given up or superseded, in Unix seconds.
    pub finished_at: Option<i64>,
    /// Why it was given up, or why the latest attempt failed.
    pub reason: Option<String>,
}

impl Mails {
    /// Fails if the environment does not name the outbox table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.outbox()?;
        Ok(Self { table })
    }

    /// The row of a mail, if it is still kept.
    pub async fn get(&self, subject: &Subject, mail: &Mail) -> Result<Option<Row>, StoreError> {
        let id = row_id(subject, mail);
        let item = self.table.read([("id", id.as_str())]).await?;
        item.map(|item| from_item(item, &id)).transpose()
    }

    /// All rows about a subscription and its invoices, in no particular order. Reads the whole
    /// table.
    pub async fn about(&self, subscription: &SubscriptionId) -> Result<Vec<Row>, StoreError> {
        let id = subscription.as_str();
        let scan = self
            .table
            .client
            .scan()
            .table_name(&self.table.name)
            // What is left of a row that was gone when it was superseded has no state.
            .filter_expression(
                "(begins_with(id, :own) OR begins_with(id, :invoices)) \
                 AND attribute_exists(#state)",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":own", text(format!("{id}#")))
            .expression_attribute_values(":invoices", text(format!("{id}/")));
        rows(scan).await
    }

    /// All rows in one of these states, in no particular order. Reads the whole table.
    pub async fn in_states(&self, states: &[State]) -> Result<Vec<Listed>, StoreError> {
        let names: Vec<_> = (0..states.len())
            .map(|place| format!(":s{place}"))
            .collect();
        let mut scan = self
            .table
            .client
            .scan()
            .table_name(&self.table.name)
            .filter_expression(format!("#state IN ({})", names.join(", ")))
            .projection_expression(
                "id, #state, attempts, next_attempt, created_at, finished_at, reason",
            )
            .expression_attribute_names("#state", "state");
        for (name, state) in names.into_iter().zip(states) {
            scan = scan.expression_attribute_values(name, text(state.as_str()));
        }
        rows(scan).await
    }

    /// Releases a held row; says whether it was held. Its letter says what is known by now, because
    /// the buyer and the lines may have been learned since. The mailer's schedule finds it.
    pub(super) async fn release(
        &self,
        content: Frozen,
        mail: &Mail,
        now: i64,
    ) -> Result<bool, StoreError> {
        let id = row_id(&content.about, mail);
        let content = serde_dynamo::to_attribute_value(content).map_err(unwritable)?;
        let call = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key("id", text(id))
            .update_expression(
                "SET #state = :due, due_shard = :due, next_attempt = :now, content = :content \
                 REMOVE #ttl",
            )
            .condition_expression("#state = :held")
            .expression_attribute_values(":content", content)
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":due", text(DUE))
            .expression_attribute_values(":held", text(State::Held.as_str()))
            .expression_attribute_values(":now", number(now));
        Ok(unless_refused("UpdateItem", call.send().await)?.is_some())
    }

    /// Makes a mail due now, with all its attempts ahead of it, if it was given up or waits for its
    /// next attempt. `false` if there is no such row, or a mailer is working on it.
    pub async fn resend(&self, id: &str, now: i64) -> Result<bool, StoreError> {
        let call = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key("id", text(id))
            .update_expression(
                "SET #state = :due, due_shard = :due, next_attempt = :now, attempts = :none \
                 REMOVE finished_at, reason, #ttl",
            )
            .condition_expression(
                "#state = :failed OR (#state = :due AND next_attempt > :leases_end)",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":due", text(DUE))
            .expression_attribute_values(":failed", text(State::Failed.as_str()))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":leases_end", number(now.saturating_add(LEASE_SECONDS)));
        Ok(unless_refused("UpdateItem", call.send().await)?.is_some())
    }
}

/// The rows that a scan finds.
async fn rows<T: DeserializeOwned>(scan: ScanFluentBuilder) -> Result<Vec<T>, StoreError> {
    let mut items = scan.into_paginator().items().send();
    let mut rows = Vec::new();
    while let Some(item) = items.next().await {
        rows.push(from_item(item.map_err(failed("Scan"))?, "of the outbox")?);
    }
    Ok(rows)
}
