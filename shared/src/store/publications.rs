//! Events to publish, one row each in the outbox, written together with what they tell.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::{
    KEEP_SECONDS, StoreError, Tables,
    later::LAYOUT,
    outbox::{DUE, State},
    tables::{Table, put_item},
    to_item,
};
use crate::{config::ConfigError, view::Publication};

/// How the ids of these rows begin, which no mail's does.
pub(super) const EVENT: &str = "event#";

/// The outbox, to order publications in.
#[derive(Clone, Debug)]
pub(crate) struct Publications {
    table: Table,
}

/// An event to publish, as it is published, because the mailer reads no other table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventRow {
    /// `event#<subject>#<news>`; if it is published again, `#<time>` follows.
    pub id: String,
    #[serde(default)]
    layout: u32,
    /// Its type, such as `purchase.paid`.
    pub kind: String,
    /// Its JSON.
    pub detail: String,
    /// The row of the event that has to be published before it, if that is still to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How far it has come.
    pub state: State,
    /// How often publishing was begun.
    pub attempts: u32,
    /// When publishing may (next) begin, in Unix seconds. While a mailer is at work, the end of its
    /// lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    /// When what it tells was recorded, in Unix seconds.
    pub created_at: i64,
    /// When it was published or given up, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<i64>,
    /// Why it was given up, or why the latest attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

impl EventRow {
    /// A row that is due now or, if it is `held`, once a person has confirmed what it is about.
    fn new(publication: Publication, held: bool, now: i64) -> Self {
        let row = |id: String| format!("{EVENT}{id}");
        Self {
            id: row(publication.id),
            layout: LAYOUT,
            kind: publication.kind,
            detail: publication.detail,
            after: publication.after.map(row),
            state: if held { State::Held } else { State::Due },
            attempts: 0,
            next_attempt: (!held).then_some(now),
            due_shard: (!held).then(|| DUE.to_owned()),
            created_at: now,
            finished_at: None,
            reason: None,
            ttl: held.then(|| now.saturating_add(KEEP_SECONDS)),
        }
    }

    /// One that is published again, at a time that tells it from the others.
    pub(super) fn again(publication: Publication, now: i64) -> Self {
        let again = |id: String| format!("{id}#{now}");
        let row = Self::new(publication, false, now);
        Self {
            id: again(row.id),
            after: row.after.map(again),
            ..row
        }
    }
}

impl Publications {
    pub(crate) fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.outbox()?;
        Ok(Self { table })
    }

    /// A new row, on condition that there is none; and its id. If what it is about was rebuilt and
    /// not confirmed, the row is `held`, and deleted after a while if nobody releases it.
    pub(crate) fn put(
        &self,
        publication: Publication,
        held: bool,
        now: i64,
    ) -> Result<(TransactWriteItem, String), StoreError> {
        let row = EventRow::new(publication, held, now);
        let put = self.table.put(to_item(&row)?);
        let put = put_item(put.condition_expression("attribute_not_exists(id)"))?;
        Ok((put, row.id))
    }
}
