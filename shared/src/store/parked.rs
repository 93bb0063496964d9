//! Events that are authentic but could not be recorded, kept whole until somebody has mended what
//! stood in the way.

use std::io::{Read, Write};

use aws_sdk_dynamodb::{
    Client,
    primitives::Blob,
    types::{AttributeValue, ReturnValue},
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use time::{Date, OffsetDateTime};

use super::{Item, KEEP_SECONDS, StoreError, failed, from_item, number, text, unwritable};

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

/// What the keys of parked events begin with.
const EVENT: &str = "event#";

/// An event that waits for being replayed.
#[derive(Clone, Debug)]
pub struct ParkedEvent {
    /// Its id, or one made from its content if that cannot be read.
    pub id: String,
    /// The day Stripe made it, or, if that cannot be read, the day it was parked (UTC).
    pub day: Date,
    /// What kept it from being recorded.
    pub why: String,
    /// When it was parked, in Unix seconds.
    pub parked_at: i64,
    /// Its exact bytes; `None` if they were too many, so that Stripe has to be asked for it.
    pub body: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct ParkedItem {
    sk: String,
    why: String,
    parked_at: i64,
}

impl Parked {
    /// In the table `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }

    /// Keeps an event for 90 days: its exact bytes, compressed; of one too large for an item only
    /// the id, by which Stripe gives it again. `created` is when Stripe made it, in Unix seconds,
    /// if that can be read. Parking it twice keeps one; says whether this is the first time.
    pub async fn park(
        &self,
        id: Option<&str>,
        created: Option<i64>,
        body: &[u8],
        why: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        let digest = Sha256::digest(body);
        // An event without a readable id is known by its content.
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
        let mut call = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(partition(day, shard)))
            .item("sk", text(format!("{EVENT}{id}")))
            .item("why", text(why))
            .item("parked_at", number(now))
            .item("ttl", number(now.saturating_add(KEEP_SECONDS)))
            .return_values(ReturnValue::AllOld);
        if compressed.len() <= MOST_BYTES {
            call = call.item("body_gzip", AttributeValue::B(Blob::new(compressed)));
        }
        let answer = call.send().await.map_err(failed("PutItem"))?;
        Ok(answer.attributes.is_none())
    }

    /// The parked events that Stripe made on `day` (UTC), oldest parked first.
    pub async fn of_day(&self, day: Date) -> Result<Vec<ParkedEvent>, StoreError> {
        let mut events = Vec::new();
        for shard in 0..SHARDS {
            let mut items = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(partition(day, shard)))
                .into_paginator()
                .items()
                .send();
            while let Some(item) = items.next().await {
                events.push(parse(item.map_err(failed("Query"))?, day)?);
            }
        }
        events.sort_by_key(|event| event.parked_at);
        Ok(events)
    }

    /// Forgets a parked event, once it is taken in. No function may do this, only an operator.
    pub async fn forget(&self, event: &ParkedEvent) -> Result<(), StoreError> {
        let shard = shard_of(&event.id);
        let call = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(partition(event.day, shard)))
            .key("sk", text(format!("{EVENT}{}", event.id)));
        call.send().await.map(|_| ()).map_err(failed("DeleteItem"))
    }
}

fn parse(mut item: Item, day: Date) -> Result<ParkedEvent, StoreError> {
    let body = item.remove("body_gzip");
    let ParkedItem { sk, why, parked_at } = from_item(item, "of a parked event")?;
    let id = sk.strip_prefix(EVENT).unwrap_or(&sk).to_owned();
    let body = match &body {
        Some(AttributeValue::B(gzip)) => {
            let mut body = Vec::new();
            let read = GzDecoder::new(gzip.as_ref()).read_to_end(&mut body);
            read.map_err(|error| StoreError::Unreadable {
                key: id.clone(),
                why: error.to_string(),
            })?;
            Some(body)
        }
        _ => None,
    };
    Ok(ParkedEvent {
        id,
        day,
        why,
        parked_at,
        body,
    })
}

fn partition(day: Date, shard: u8) -> String {
    format!("parked#{day}#{shard}")
}

fn shard_of(id: &str) -> u8 {
    let first = Sha256::digest(id).first().copied().unwrap_or_default();
    first & SHARDS.saturating_sub(1)
}
