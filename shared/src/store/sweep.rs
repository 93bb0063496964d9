//! How far Stripe's events were read, and where a reading that was cut off goes on.

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
const SK: &str = "cursor";

/// How far Stripe's events were read. All times are Stripe's, in Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Every event up to here was taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_water: Option<i64>,
    /// A sweep that is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
}

/// Stripe lists its newest event first, so a sweep goes back in time, and moves the high-water
/// mark only when it has come to where the one before it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// It ends here.
    pub from: i64,
    /// It began here, with the newest event.
    pub newest: i64,
    /// The event it has come to.
    pub after: String,
    /// Something on its way could not be taken in, and has to be seen again.
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

    /// Where the last run stopped.
    pub async fn load(&self) -> Result<Cursor, StoreError> {
        let item = self.table.read([("pk", PK), ("sk", SK)]).await?;
        let item = item.map(|item| from_item::<CursorItem>(item, PK));
        Ok(item
            .transpose()?
            .map(|item| item.cursor)
            .unwrap_or_default())
    }

    /// Notes where this run is. Two runs at once overwrite each other's place, and do work twice;
    /// what they record they record once.
    pub async fn save(&self, cursor: &Cursor) -> Result<(), StoreError> {
        let item = CursorItem {
            pk: PK.to_owned(),
            sk: SK.to_owned(),
            cursor: cursor.clone(),
        };
        let put = self.table.put(to_item(&item)?);
        self.writer.replace(put).await.map(|_| ())
    }
}
