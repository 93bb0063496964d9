//! Mails to send, one row each, written together with the fact that calls for them.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use serde::{Deserialize, Serialize};

use super::{
    KEEP_SECONDS, StoreError, Tables,
    later::LAYOUT,
    number,
    tables::{Table, put_item, update_item},
    to_item,
};
use crate::{
    config::ConfigError,
    email::Frozen,
    mode::Mode,
    purchase::{Mail, Subject},
};

/// The outbox, to order mails in.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    table: Table,
}

/// A mail to send, with everything needed to write it, because the mailer reads no other table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// `<subject>#<mail>`: the same whichever event called for it, and however many did.
    pub id: String,
    #[serde(default)]
    layout: u32,
    /// Which letter.
    pub mail: Mail,
    /// Whether real money moved.
    pub livemode: bool,
    /// What the letter is about.
    pub content: Frozen,
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
    pub(super) due_shard: Option<String>,
    /// It stopped being true before it was sent.
    #[serde(default)]
    pub superseded: bool,
    /// When the fact that calls for it was recorded, in Unix seconds.
    pub created_at: i64,
    /// When it was sent, given up or superseded, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<i64>,
    /// Why it was given up, or why the latest attempt failed. Contains no address.
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
    /// Not to be sent until a person confirms the purchase, which had to be rebuilt.
    Held,
    /// SES has it.
    Sent,
    /// Given up; a person has to look.
    Failed,
    /// Not sent, because it stopped being true, or because the shop wants no such mail.
    Superseded,
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

/// The state of rows to be sent, and the key that all of them have in the index.
pub(super) const DUE: &str = "due";

impl Outbox {
    pub(crate) fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.outbox()?;
        Ok(Self { table })
    }

    /// A new row, on condition that there is none. If what it is about was rebuilt and not
    /// confirmed, the row is `held`, and deleted after a while if nobody releases it.
    pub(crate) fn put(
        &self,
        content: Frozen,
        mail: &Mail,
        (mode, held): (Mode, bool),
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let row = Row {
            id: row_id(&content.about, mail),
            layout: LAYOUT,
            mail: mail.clone(),
            livemode: mode.livemode(),
            content,
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
        let put = self.table.put(to_item(&row)?);
        put_item(put.condition_expression("attribute_not_exists(id)"))
    }

    /// Tells the mailer that a row, which it may not have sent yet, is no longer true. It has no
    /// condition, so that it can never hold up the fact it is written with. If the row is gone,
    /// this leaves one without a state, which is never claimed and expires.
    pub(crate) fn supersede(
        &self,
        subject: &Subject,
        mail: &Mail,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        update_item(
            self.table
                .update([("id", &row_id(subject, mail))])
                .update_expression("SET superseded = :yes, #ttl = if_not_exists(#ttl, :ttl)")
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":yes", AttributeValue::Bool(true))
                .expression_attribute_values(":ttl", number(now.saturating_add(KEEP_SECONDS))),
        )
    }
}

/// Whether a row of this id tells the seller of a sale.
pub fn is_sale(id: &str) -> bool {
    let mail = id.rsplit('#').next();
    mail == Some(Mail::Sold.to_string().as_str())
}

/// The key of a mail's row.
pub(super) fn row_id(subject: &Subject, mail: &Mail) -> String {
    format!("{subject}#{mail}")
}
