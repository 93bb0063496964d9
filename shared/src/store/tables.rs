//! The shop's tables.

use aws_sdk_dynamodb::{
    Client,
    types::{
        Put, TransactWriteItem, Update,
        builders::{PutBuilder, UpdateBuilder},
    },
};

use super::{Item, StoreError, client, failed, text, transaction::Writer, unwritable};
use crate::config::{ConfigError, Environment};

/// The tables that an environment names: for each function, those it may use.
#[derive(Clone, Debug)]
pub struct Tables {
    client: Client,
    writer: Writer,
    environment: Environment,
}

/// One table, and the client to reach it.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) client: Client,
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
        let key = key.map(|(name, value)| (name.to_owned(), text(value)));
        let call = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.into()))
            .consistent_read(true);
        Ok(call.send().await.map_err(failed("GetItem"))?.item)
    }

    /// An item to put within a transaction.
    pub(super) fn put(&self, item: Item) -> PutBuilder {
        Put::builder().table_name(&self.name).set_item(Some(item))
    }

    /// An item to update within a transaction.
    pub(super) fn update<const N: usize>(&self, key: [(&str, &str); N]) -> UpdateBuilder {
        let key = key.map(|(name, value)| (name.to_owned(), text(value)));
        Update::builder()
            .table_name(&self.name)
            .set_key(Some(key.into()))
    }
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
