//! Events that were parked, to be replayed.

use std::io::Read;

use aws_sdk_dynamodb::types::AttributeValue;
use flate2::read::GzDecoder;
use serde::Deserialize;
use time::Date;

use crate::{
    config::ConfigError,
    store::{
        Item, StoreError, Tables, failed, from_item,
        parked::{EVENT, SHARDS, partition, shard_of},
        tables::Table,
        text,
    },
};

/// The parked events, to be read and deleted.
#[derive(Clone, Debug)]
pub struct ParkedEvents {
    table: Table,
}

/// An event that waits to be replayed.
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
    /// Its exact bytes; `None` if there were too many, so that it has to be fetched from Stripe.
    pub body: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct ParkedItem {
    sk: String,
    why: String,
    parked_at: i64,
}

impl ParkedEvents {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// The parked events that Stripe made on `day` (UTC), those parked first coming first.
    pub async fn of_day(&self, day: Date) -> Result<Vec<ParkedEvent>, StoreError> {
        let mut events = Vec::new();
        for shard in 0..SHARDS {
            let mut items = self
                .table
                .client
                .query()
                .table_name(&self.table.name)
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

    /// Deletes a parked event, once it was taken in.
    pub async fn forget(&self, event: &ParkedEvent) -> Result<(), StoreError> {
        let shard = shard_of(&event.id);
        let call = self
            .table
            .client
            .delete_item()
            .table_name(&self.table.name)
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
