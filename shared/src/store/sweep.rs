//! How far Stripe's events have been read, and where an interrupted sweep goes on.

use serde::{Deserialize, Serialize};

use super::{
    StoreError, Tables, from_item, later::LAYOUT, tables::Table, to_item, transaction::Writer,
};
use crate::config::ConfigError;

/// The cursor in the purchases table.
#[derive(Clone, Debug)]
pub struct Sweeps {
    table: Table,
    writer: Writer,
}

const PK: &str = "reconcile";

/// The sort key of the cursor of one topic. The first that there was has no name in it.
fn sk(topic: &str) -> String {
    match topic {
        "payments" => "cursor".to_owned(),
        topic => format!("cursor#{topic}"),
    }
}

/// How far Stripe's events have been read. All times are Stripe's, in Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Every event up to this time was taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_water: Option<i64>,
    /// A sweep that is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// Of the version of the code that has taken them in.
    #[serde(default)]
    layout: u32,
}

/// Stripe lists its newest event first, so a sweep goes back in time, and moves the high-water mark
/// only once it has reached the point where the sweep before it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// The time at which it ends.
    pub from: i64,
    /// The time of the newest event, with which it began.
    pub newest: i64,
    /// The last event it has seen.
    pub after: String,
    /// Some event could not be taken in, and has to be seen again.
    #[serde(default)]
    pub failed: bool,
    /// Of the version of the code that began it.
    #[serde(default)]
    layout: u32,
}

impl Cursor {
    /// Whether an earlier version of the code has taken in the latest events, and may not have known
    /// all that they say.
    pub fn is_of_earlier_version(&self) -> bool {
        self.layout < LAYOUT
    }

    /// This version has taken in all events up to the `newest`, if there were any.
    pub fn is_at(&mut self, newest: Option<i64>) {
        self.high_water = newest.max(self.high_water);
        self.layout = LAYOUT;
    }
}

impl Sweep {
    /// One that this version of the code has begun.
    pub fn new((from, newest): (i64, i64), after: String, failed: bool) -> Self {
        Self {
            from,
            newest,
            after,
            failed,
            layout: LAYOUT,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct CursorItem {
    pk: String,
    sk: String,
    #[serde(flatten)]
    cursor: Cursor,
}

impl Sweeps {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            table: tables.purchases()?,
            writer: tables.writer(),
        })
    }

    /// Where the last run stopped in the events of a topic. A sweep that an earlier version began is
    /// not gone on with.
    pub async fn load(&self, topic: &str) -> Result<Cursor, StoreError> {
        let item = self.table.read([("pk", PK), ("sk", &sk(topic))]).await?;
        let item = item.map(|item| from_item::<CursorItem>(item, PK));
        let cursor = item.transpose()?.map(|item| item.cursor);
        let mut cursor = cursor.unwrap_or_default();
        cursor.sweep = cursor.sweep.filter(|sweep| sweep.layout >= LAYOUT);
        Ok(cursor)
    }

    /// Saves where this run is. Two concurrent runs overwrite each other's place and do work twice,
    /// but record everything once.
    pub async fn save(&self, topic: &str, cursor: &Cursor) -> Result<(), StoreError> {
        let item = CursorItem {
            pk: PK.to_owned(),
            sk: sk(topic),
            cursor: cursor.clone(),
        };
        let put = self.table.put(to_item(&item)?);
        self.writer.replace(put).await.map(|_| ())
    }
}
