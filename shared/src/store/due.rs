//! Mails and events that are due, for the mailer.

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder, types::ReturnValue,
};
use serde::Deserialize;

use super::{
    Item, KEEP_SECONDS, StoreError, TRIES, Tables, back_off, failed, from_item, later, number,
    outbox::{DUE, Row, State},
    publications::{EVENT, EventRow},
    shortages::{STOCK, StockRow},
    tables::Table,
    text, unless_refused,
};
use crate::config::ConfigError;

/// The outbox, to send from.
#[derive(Clone, Debug)]
pub struct DueMails {
    table: Table,
}

/// A row that a mailer has for itself.
#[derive(Debug)]
pub enum Claimed {
    /// A mail to send.
    Mail(Box<Row>),
    /// A mail about the shop's stock to send.
    Stock(Box<StockRow>),
    /// An event to publish.
    Event(Box<EventRow>),
    /// Something that this version of the code cannot read, because a later one ordered it.
    Later {
        /// How often it was begun.
        attempts: u32,
    },
}

/// How far a row has come.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Progress {
    /// Its state.
    pub state: State,
    /// When it is due (again), in Unix seconds.
    pub next_attempt: Option<i64>,
}

/// How a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// SES has the mail.
    Sent,
    /// It stopped being true before it was sent, or the shop wants no such mail.
    Superseded,
    /// It is given up, for this reason, which must not contain an address.
    Failed(&'a str),
}

impl End<'_> {
    fn state(self) -> State {
        match self {
            Self::Sent => State::Sent,
            Self::Superseded => State::Superseded,
            Self::Failed(_) => State::Failed,
        }
    }
}

/// How long one mailer has a row to itself, in seconds: longer than a mailer can run.
pub(super) const LEASE_SECONDS: i64 = 120;

impl DueMails {
    /// Fails if the environment does not name the outbox table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.outbox()?;
        Ok(Self { table })
    }

    /// The ids of at most `limit` rows that are due, those waiting longest first. Read from an
    /// index, so only [`Self::claim`] decides whether a row is really due.
    pub async fn ids(&self, now: i64, limit: i32) -> Result<Vec<String>, StoreError> {
        let call = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name("due")
            .key_condition_expression("due_shard = :due AND next_attempt <= :now")
            .expression_attribute_values(":due", text(DUE))
            .expression_attribute_values(":now", number(now))
            .limit(limit);
        let items = call
            .send()
            .await
            .map_err(failed("Query"))?
            .items
            .unwrap_or_default();
        let id = |item: Item| item.get("id").and_then(|id| id.as_s().ok()).cloned();
        Ok(items.into_iter().filter_map(id).collect())
    }

    /// Takes a row for this mailer alone, for the length of a lease. `None` if it is not due: sent
    /// before, being sent by another, waiting, or gone.
    pub async fn claim(&self, id: &str, now: i64) -> Result<Option<Claimed>, StoreError> {
        let call = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key("id", text(id))
            .update_expression("SET next_attempt = :lease_ends ADD attempts :one")
            .condition_expression("#state = :due AND next_attempt <= :now")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":due", text(DUE))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":lease_ends", number(now.saturating_add(LEASE_SECONDS)))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew);
        let claimed = unless_refused("UpdateItem", call.send().await)?;
        let Some(item) = claimed.and_then(|answer| answer.attributes) else {
            return Ok(None);
        };
        let later = later::is_later(&item).then(|| later::count(&item, "attempts"));
        let claimed = match id {
            event if event.starts_with(EVENT) => {
                from_item(item, id).map(|row| Claimed::Event(Box::new(row)))
            }
            stock if stock.starts_with(STOCK) => {
                from_item(item, id).map(|row| Claimed::Stock(Box::new(row)))
            }
            _ => from_item(item, id).map(|row| Claimed::Mail(Box::new(row))),
        };
        match (claimed, later) {
            (Err(StoreError::Unreadable { .. }), Some(attempts)) => {
                Ok(Some(Claimed::Later { attempts }))
            }
            (claimed, _) => claimed.map(Some),
        }
    }

    /// How far a row has come; `None` if it is gone.
    pub async fn progress(&self, id: &str) -> Result<Option<Progress>, StoreError> {
        let item = self.table.read([("id", id)]).await?;
        item.map(|item| from_item(item, id)).transpose()
    }

    /// Ends a row. Rows that were sent or superseded are deleted after a while; failed ones stay.
    pub async fn finish(&self, id: &str, end: End<'_>, now: i64) -> Result<(), StoreError> {
        let mut call = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key("id", text(id))
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":state", text(end.state().as_str()))
            .expression_attribute_values(":now", number(now));
        call = match end {
            End::Failed(reason) => call
                .update_expression(
                    "SET #state = :state, finished_at = :now, reason = :reason \
                     REMOVE due_shard, next_attempt, #ttl",
                )
                .expression_attribute_values(":reason", text(reason)),
            End::Sent | End::Superseded => call
                .update_expression(
                    "SET #state = :state, finished_at = :now, #ttl = :ttl \
                     REMOVE due_shard, next_attempt, reason",
                )
                .expression_attribute_values(":ttl", number(now.saturating_add(KEEP_SECONDS))),
        };
        // If the row does not say that SES has the mail, it is sent again: worth several tries.
        for attempt in 1..TRIES {
            match call.clone().send().await {
                Ok(_) => return Ok(()),
                Err(_) => back_off(attempt).await,
            }
        }
        call.send().await.map(|_| ()).map_err(failed("UpdateItem"))
    }

    /// Puts a claimed row back until `at`, unless its lease ended and another mailer has it.
    /// `reason` is why the attempt failed, and must not contain an address.
    pub async fn postpone(
        &self,
        claimed: (&str, u32),
        at: i64,
        reason: &str,
    ) -> Result<(), StoreError> {
        let call = self
            .put_back(claimed, at)
            .update_expression("SET next_attempt = :at, reason = :reason")
            .expression_attribute_values(":reason", text(reason));
        unless_refused("UpdateItem", call.send().await).map(|_| ())
    }

    /// Puts a claimed row back until `at`, because its time has not come. That was no attempt.
    pub async fn wait(&self, claimed: (&str, u32), at: i64) -> Result<(), StoreError> {
        let call = self
            .put_back(claimed, at)
            .update_expression("SET next_attempt = :at, attempts = attempts - :one")
            .expression_attribute_values(":one", number(1));
        unless_refused("UpdateItem", call.send().await).map(|_| ())
    }

    /// A call that changes a row unless its lease ended and another mailer has it.
    fn put_back(&self, (id, attempts): (&str, u32), at: i64) -> UpdateItemFluentBuilder {
        self.table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key("id", text(id))
            .condition_expression("#state = :due AND attempts = :attempts")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":due", text(DUE))
            .expression_attribute_values(":attempts", number(attempts))
            .expression_attribute_values(":at", number(at))
    }
}
