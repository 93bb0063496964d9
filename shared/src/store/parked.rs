//! Authentic events that could not be recorded, kept whole until somebody has fixed the reason.

use std::io::Write;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use time::{Date, OffsetDateTime};

use super::{
    Item, KEEP_SECONDS, StoreError, Tables, number,
    tables::Table,
    text,
    transaction::{Ended, Writer},
    unwritable,
};
use crate::config::ConfigError;

/// Where events are parked: the purchases table.
#[derive(Clone, Debug)]
pub(crate) struct Parked {
    table: Table,
    writer: Writer,
}

/// A DynamoDB item may have 400 KiB, including the names of its attributes.
const MOST_BYTES: usize = 380 * 1024;

/// A day's events are spread over this many partitions.
pub(super) const SHARDS: u8 = 8;

/// What the sort keys of parked events begin with.
pub(super) const EVENT: &str = "event#";

impl Parked {
    /// Fails if the environment does not name the purchases table.
    pub(crate) fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            table: tables.purchases()?,
            writer: tables.writer(),
        })
    }

    /// Keeps an event for 90 days: its exact bytes, compressed, or only its id if they are too
    /// large for an item, so that it can be fetched from Stripe. `created` is when Stripe made it,
    /// in Unix seconds, if that can be read. Parking it again keeps one; the answer is whether it
    /// was parked before.
    pub(crate) async fn park(
        &self,
        id: Option<&str>,
        created: Option<i64>,
        body: &[u8],
        why: &str,
        now: i64,
    ) -> Result<Ended<bool>, StoreError> {
        let digest = Sha256::digest(body);
        // An event without a readable id is identified by its content.
        let id = id.map_or_else(|| format!("unread_{}", hex::encode(digest)), str::to_owned);
        let shard = shard_of(&id);
        let day = created
            .and_then(|created| OffsetDateTime::from_unix_timestamp(created).ok())
            .map_or_else(|| OffsetDateTime::from_unix_timestamp(now), Ok)
            .map_err(unwritable)?
            .date();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let compressed = gzip
            .write_all(body)
            .and_then(|()| gzip.finish())
            .map_err(unwritable)?;
        let item = [
            ("pk", text(partition(day, shard))),
            ("sk", text(format!("{EVENT}{id}"))),
            ("why", text(why)),
            ("parked_at", number(now)),
            ("ttl", number(now.saturating_add(KEEP_SECONDS))),
        ];
        let mut item: Item = item.map(|(name, value)| (name.to_owned(), value)).into();
        if compressed.len() <= MOST_BYTES {
            let body = AttributeValue::B(Blob::new(compressed));
            item.insert("body_gzip".to_owned(), body);
        }
        self.writer.replace(self.table.put(item)).await
    }
}

pub(super) fn partition(day: Date, shard: u8) -> String {
    format!("parked#{day}#{shard}")
}

pub(super) fn shard_of(id: &str) -> u8 {
    let first = Sha256::digest(id).first().copied().unwrap_or_default();
    first & SHARDS.saturating_sub(1)
}
