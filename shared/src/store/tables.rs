//! The shop's tables.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeValue, KeysAndAttributes, Put, TransactWriteItem, Update,
        builders::{KeysAndAttributesBuilder, PutBuilder, UpdateBuilder},
    },
};

use super::{
    Item, StoreError, TRIES, back_off, client, failed, text, transaction::Writer, unwritable,
};
use crate::{
    aws::lazy::Lazy,
    config::{ConfigError, Environment},
};

/// The tables that an environment names: for each function, those it may use.
#[derive(Clone, Debug)]
pub struct Tables {
    client: Lazy<Client>,
    writer: Writer,
    environment: Environment,
}

/// One table, and the client to reach it.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) client: Lazy<Client>,
    pub(super) name: String,
}

impl Tables {
    /// The tables of `environment`. They share connections.
    pub fn of(environment: &Environment) -> Result<Self, ConfigError> {
        let client = client(environment)?;
        Ok(Self {
            writer: Writer::new(client.clone()),
            client,
            environment: environment.clone(),
        })
    }

    /// The same tables for a dry run: nothing that goes through their writer is written.
    pub fn dry_run(self) -> Self {
        Self {
            writer: self.writer.dry_run(),
            ..self
        }
    }

    pub(super) fn products(&self) -> Result<Table, ConfigError> {
        self.table("PRODUCTS_TABLE")
    }

    pub(super) fn purchases(&self) -> Result<Table, ConfigError> {
        self.table("PURCHASES_TABLE")
    }

    pub(super) fn outbox(&self) -> Result<Table, ConfigError> {
        self.table("OUTBOX_TABLE")
    }

    pub(crate) fn writer(&self) -> Writer {
        self.writer.clone()
    }

    fn table(&self, variable: &'static str) -> Result<Table, ConfigError> {
        Ok(Table {
            client: self.client.clone(),
            name: self.environment.required(variable)?.to_owned(),
        })
    }
}

impl Table {
    /// The item with this key, as it is now.
    pub(super) async fn read<const N: usize>(
        &self,
        key: [(&str, &str); N],
    ) -> Result<Option<Item>, StoreError> {
        let call = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(self::key(key)))
            .consistent_read(true);
        Ok(call.send().await.map_err(failed("GetItem"))?.item)
    }

    /// An item to put within a transaction.
    pub(super) fn put(&self, item: Item) -> PutBuilder {
        Put::builder().table_name(&self.name).set_item(Some(item))
    }

    /// An item to update within a transaction.
    pub(super) fn update<const N: usize>(&self, key: [(&str, &str); N]) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.name)
            .set_key(Some(self::key(key)))
    }
}

/// The primary key of an item.
pub(super) type Key = HashMap<String, AttributeValue>;

/// The key whose attributes have these names and texts.
pub(super) fn key<const N: usize>(attributes: [(&str, &str); N]) -> Key {
    attributes
        .map(|(name, value)| (name.to_owned(), text(value)))
        .into()
}

/// Items of one table to read in a batch.
pub(super) fn keys(keys: impl IntoIterator<Item = Key>) -> KeysAndAttributesBuilder {
    KeysAndAttributes::builder().set_keys(Some(keys.into_iter().collect()))
}

/// The items that exist, by their table, in one call unless a table is throttled. At most 100 keys.
pub(super) async fn read_batch(
    client: &Client,
    wanted: impl IntoIterator<Item = (String, KeysAndAttributesBuilder)>,
) -> Result<HashMap<String, Vec<Item>>, StoreError> {
    let wanted = wanted.into_iter();
    let wanted = wanted.map(|(table, keys)| Ok((table, keys.build().map_err(unwritable)?)));
    let mut wanted: HashMap<_, _> = wanted.collect::<Result<_, StoreError>>()?;
    let mut found = HashMap::<_, Vec<_>>::new();
    for attempt in 1..=TRIES {
        let call = client.batch_get_item().set_request_items(Some(wanted));
        let answer = call.send().await.map_err(failed("BatchGetItem"))?;
        for (table, items) in answer.responses.into_iter().flatten() {
            found.entry(table).or_default().extend(items);
        }
        wanted = answer.unprocessed_keys.unwrap_or_default();
        if wanted.is_empty() {
            return Ok(found);
        }
        back_off(attempt).await;
    }
    Err(StoreError::Contended(TRIES))
}

/// A put as a part of a transaction.
pub(super) fn put_item(put: PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = put.build().map_err(unwritable)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// An update as a part of a transaction.
pub(super) fn update_item(update: UpdateBuilder) -> Result<TransactWriteItem, StoreError> {
    let update = update.build().map_err(unwritable)?;
    Ok(TransactWriteItem::builder().update(update).build())
}
