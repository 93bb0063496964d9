//! How far Stripe's events have been read, and where an interrupted sweep goes on.

use serde::{Deserialize, Serialize};

use super::{StoreError, Tables, from_item, tables::Table, to_item, transaction::Writer};
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

    /// Where the last run stopped in the events of a topic.
    pub async fn load(&self, topic: &str) -> Result<Cursor, StoreError> {
        let item = self.table.read([("pk", PK), ("sk", &sk(topic))]).await?;
        let item = item.map(|item| from_item::<CursorItem>(item, PK));
        Ok(item
            .transpose()?
            .map(|item| item.cursor)
            .unwrap_or_default())
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
