//! Mails to send, one row per effect: written with the fact that calls for them, worked off by
//! the mailer.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Put, ReturnValue, TransactWriteItem, Update},
};
use serde::{Deserialize, Serialize};

use super::{
    KEEP_SECONDS, StoreError, TRIES, back_off, failed, from_item, number, text, to_item, unwritable,
};
use crate::{
    email::Snapshot,
    mode::Mode,
    purchase::{Mail, Purchase, PurchaseId},
};

/// The outbox table.
#[derive(Clone, Debug)]
pub struct Outbox {
    client: Client,
    table: String,
}

/// A mail to send, and all that is needed to write it: the mailer reads no other table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// `<purchase id>#<mail>`: the effect, whichever and however many events called for it.
    pub id: String,
    /// Which letter.
    pub mail: Mail,
    /// Whether real money moved.
    pub livemode: bool,
    /// What the letter tells.
    pub content: Snapshot,
    /// How far it has come.
    pub state: State,
    /// How often sending was begun.
    pub attempts: u32,
    /// When sending may (next) begin, in Unix seconds. While a mailer is at work, the end of its
    /// lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<i64>,
    /// Key of the sparse index of rows that are due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    /// It stopped being true before it was sent.
    #[serde(default)]
    pub superseded: bool,
    /// When the fact that calls for it was recorded, in Unix seconds.
    pub created_at: i64,
    /// When it was sent, given up or superseded, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<i64>,
    /// Why it was given up, or why the latest attempt came to nothing. Names no address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

/// How far a mail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// To be sent, or being sent.
    Due,
    /// Not to be sent before a person confirms the purchase, which had to be rebuilt.
    Held,
    /// SES has it.
    Sent,
    /// Given up; a person has to look.
    Failed,
    /// Not sent, because it stopped being true.
    Superseded,
}

/// What an operator sees of a row. All but its id may be missing: a row that this code cannot read
/// is listed, too.
#[derive(Clone, Debug, Deserialize)]
pub struct Listed {
    /// `<purchase id>#<mail>`.
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
    /// Why it was given up, or why the latest attempt came to nothing.
    pub reason: Option<String>,
}

/// How a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// SES has the mail.
    Sent,
    /// It stopped being true before it was sent.
    Superseded,
    /// It is given up, for this reason, which names no address.
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

impl State {
    /// As it is stored, and shown in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => DUE,
            Self::Held => "held",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }
}

const DUE: &str = "due";

/// How long one mailer has a row to itself, in seconds: longer than it may run.
const LEASE_SECONDS: i64 = 120;

impl Outbox {
    /// The table `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }

    /// A new row, on condition that there is none. That of a purchase that is only rebuilt is
    /// held, and forgotten after a while if nobody releases it.
    pub(crate) fn put(
        &self,
        purchase: &Purchase,
        mail: &Mail,
        mode: Mode,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let held = purchase.is_only_rebuilt();
        let row = Row {
            id: row_id(purchase.id, mail),
            mail: mail.clone(),
            livemode: mode.livemode(),
            content: Snapshot::of(purchase, mail),
            state: if held { State::Held } else { State::Due },
            attempts: 0,
            next_attempt: (!held).then_some(now),
            due_shard: (!held).then(|| DUE.to_owned()),
            superseded: false,
            created_at: now,
            finished_at: None,
            reason: None,
            ttl: held.then(|| now.saturating_add(KEEP_SECONDS)),
        };
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(&row)?))
            .condition_expression("attribute_not_exists(id)");
        Ok(TransactWriteItem::builder()
            .put(put.build().map_err(unwritable)?)
            .build())
    }

    /// Tells the mailer that a row it may not have sent is not true any more. Without a condition,
    /// so that it can never hold up the fact it is written with; should the row be gone, what
    /// this leaves has no state, is never claimed, and goes by itself.
    pub(crate) fn supersede(
        &self,
        purchase: &Purchase,
        mail: &Mail,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", text(row_id(purchase.id, mail)))
            .update_expression("SET superseded = :yes, #ttl = if_not_exists(#ttl, :ttl)")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":ttl", number(now.saturating_add(KEEP_SECONDS)));
        Ok(TransactWriteItem::builder()
            .update(update.build().map_err(unwritable)?)
            .build())
    }

    /// Lets a held row go; says whether it was held. Its letter tells what is known by now: who buys, and
    /// what, may have been learnt since it was written. The mailer finds it by its schedule.
    pub(crate) async fn release(
        &self,
        purchase: &Purchase,
        mail: &Mail,
        now: i64,
    ) -> Result<bool, StoreError> {
        let content = Snapshot::of(purchase, mail);
        let content = serde_dynamo::to_attribute_value(content).map_err(unwritable)?;
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(row_id(purchase.id, mail)))
            .update_expression(
                "SET #state = :due, due_shard = :due, next_attempt = :now, content = :content REMOVE #ttl",
            )
            .condition_expression("#state = :held")
            .expression_attribute_values(":content", content)
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":due", text(DUE))
            .expression_attribute_values(":held", text(State::Held.as_str()))
            .expression_attribute_values(":now", number(now));
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(refused) if refused.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(failed("UpdateItem")(error)),
            },
        }
    }

    /// The row of a purchase's mail, if it is still kept.
    pub async fn get(&self, purchase: PurchaseId, mail: &Mail) -> Result<Option<Row>, StoreError> {
        let id = row_id(purchase, mail);
        let call = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", text(&id))
            .consistent_read(true);
        let item = call.send().await.map_err(failed("GetItem"))?.item;
        item.map(|item| from_item(item, &id)).transpose()
    }

    /// Ids of at most `limit` rows that wait for being sent, the longest waiting first. From an
    /// index: what is claimed is decided by [`Self::claim`].
    pub async fn due(&self, now: i64, limit: i32) -> Result<Vec<String>, StoreError> {
        let call = self
            .client
            .query()
            .table_name(&self.table)
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
        let id = |item: super::Item| item.get("id").and_then(|id| id.as_s().ok()).cloned();
        Ok(items.into_iter().filter_map(id).collect())
    }

    /// Takes a row for this mailer alone, for the length of a lease. `None` if it is not due: sent
    /// before, being sent by another, waiting, or gone.
    pub async fn claim(&self, id: &str, now: i64) -> Result<Option<Row>, StoreError> {
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(id))
            .update_expression("SET next_attempt = :lease_ends ADD attempts :one")
            .condition_expression("#state = :due AND next_attempt <= :now")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":due", text(DUE))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":lease_ends", number(now.saturating_add(LEASE_SECONDS)))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew);
        match call.send().await {
            Ok(answer) => answer
                .attributes
                .map(|item| from_item(item, id))
                .transpose(),
            Err(error) => match error.as_service_error() {
                Some(refused) if refused.is_conditional_check_failed_exception() => Ok(None),
                _ => Err(failed("UpdateItem")(error)),
            },
        }
    }

    /// Ends a row. What was sent or superseded is forgotten after a while; what failed stays.
    pub async fn finish(&self, id: &str, end: End<'_>, now: i64) -> Result<(), StoreError> {
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
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
        // Once SES has a mail, a row that does not say so means a second mail: worth some tries.
        for attempt in 1..TRIES {
            match call.clone().send().await {
                Ok(_) => return Ok(()),
                Err(_) => back_off(attempt).await,
            }
        }
        call.send().await.map(|_| ()).map_err(failed("UpdateItem"))
    }

    /// Puts a claimed row back until `at`, unless its lease ended and another mailer has it.
    /// `reason` is why the attempt came to nothing, and names no address.
    pub async fn postpone(&self, row: &Row, at: i64, reason: &str) -> Result<(), StoreError> {
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(&row.id))
            .update_expression("SET next_attempt = :at, reason = :reason")
            .condition_expression("#state = :due AND attempts = :attempts")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":due", text(DUE))
            .expression_attribute_values(":attempts", number(row.attempts))
            .expression_attribute_values(":at", number(at))
            .expression_attribute_values(":reason", text(reason));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(refused) if refused.is_conditional_check_failed_exception() => Ok(()),
                _ => Err(failed("UpdateItem")(error)),
            },
        }
    }

    /// All rows that have come this far, in no order. Reads the whole table, which is for
    /// operators: functions may not.
    pub async fn in_state(&self, state: State) -> Result<Vec<Listed>, StoreError> {
        let mut items = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("#state = :state")
            .projection_expression(
                "id, #state, attempts, next_attempt, created_at, finished_at, reason",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":state", text(state.as_str()))
            .into_paginator()
            .items()
            .send();
        let mut rows = Vec::new();
        while let Some(item) = items.next().await {
            rows.push(from_item(item.map_err(failed("Scan"))?, "of the outbox")?);
        }
        Ok(rows)
    }

    /// Orders a mail again that was given up, or that waits for its next attempt: it is due now,
    /// with all its attempts before it. Says whether that is so: there must be such a row, and no
    /// mailer may be at work on it.
    pub async fn resend(&self, id: &str, now: i64) -> Result<bool, StoreError> {
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
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
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(refused) if refused.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(failed("UpdateItem")(error)),
            },
        }
    }
}

fn row_id(purchase: PurchaseId, mail: &Mail) -> String {
    format!("{purchase}#{mail}")
}
