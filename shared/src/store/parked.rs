//! Events that are authentic but could not be recorded, kept whole until somebody has mended what
//! stood in the way.

use std::io::Write;

use aws_sdk_dynamodb::{Client, primitives::Blob, types::AttributeValue};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{KEEP_SECONDS, StoreError, failed, number, text, unwritable};

/// The parked events in the purchases table.
#[derive(Clone, Debug)]
pub struct Parked {
    client: Client,
    table: String,
}

/// A DynamoDB item holds 400 KiB with its attributes' names.
const MOST_BYTES: usize = 380 * 1024;

/// A day's events are spread over this many partitions.
const SHARDS: u8 = 8;

impl Parked {
    /// In the table `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }

    /// Keeps an event for 90 days: its exact bytes, compressed; of one too large for an item only
    /// the id, by which Stripe gives it again. Parking it twice keeps one.
    pub async fn park(
        &self,
        id: Option<&str>,
        body: &[u8],
        why: &str,
        now: i64,
    ) -> Result<(), StoreError> {
        let digest = Sha256::digest(body);
        // An event without a readable id is known by its content.
        let id = id.map_or_else(|| format!("unread_{}", hex::encode(digest)), str::to_owned);
        let shard = Sha256::digest(&id)
            .first()
            .map_or(0, |byte| byte & SHARDS.saturating_sub(1));
        let day = OffsetDateTime::from_unix_timestamp(now)
            .map_err(unwritable)?
            .date();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let compressed = gzip
            .write_all(body)
            .and_then(|()| gzip.finish())
            .map_err(unwritable)?;
        let mut call = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(format!("parked#{day}#{shard}")))
            .item("sk", text(format!("event#{id}")))
            .item("why", text(why))
            .item("parked_at", number(now))
            .item("ttl", number(now.saturating_add(KEEP_SECONDS)));
        if compressed.len() <= MOST_BYTES {
            call = call.item("body_gzip", AttributeValue::B(Blob::new(compressed)));
        }
        call.send().await.map(|_| ()).map_err(failed("PutItem"))
    }
}
