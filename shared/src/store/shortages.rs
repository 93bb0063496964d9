//! Products that run short: a mail to the seller, one row for all of them, written together with the
//! note in each product that they were told.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::{
    Item, StoreError, Tables, failed, from_item,
    outbox::{DUE, State},
    products::CATALOG,
    tables::{Table, put_item, update_item},
    text, to_item,
    transaction::{Part, Step, Writer},
};
use crate::{
    config::ConfigError,
    mode::Mode,
    product::{Short, Supply},
};

/// How the ids of these rows begin, which no purchase's does.
pub(super) const STOCK: &str = "stock#";

/// How many products one mail tells of. A transaction has at most 100 items.
const MOST: usize = 90;

/// The products, to see what runs short, and the outbox, to tell the seller.
#[derive(Clone, Debug)]
pub struct Shortages {
    products: Table,
    outbox: Table,
    writer: Writer,
    mode: Mode,
}

/// A mail about products that run short, with everything needed to write it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StockRow {
    /// `stock#<time>#<the first of the products>`.
    pub id: String,
    /// What runs short.
    pub products: Vec<Short>,
    /// Whether real money moves in the shop.
    pub livemode: bool,
    /// How far it has come.
    pub state: State,
    /// How often sending was begun.
    pub attempts: u32,
    /// When sending may (next) begin, in Unix seconds. While a mailer is at work, the end of its
    /// lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    /// When it was noticed, in Unix seconds.
    pub created_at: i64,
}

/// A product that runs short, and how it was found.
struct Found {
    supply: Supply,
    short: Short,
}

impl Shortages {
    /// Fails if the environment does not name both tables.
    pub fn of(tables: &Tables, mode: Mode) -> Result<Self, ConfigError> {
        Ok(Self {
            products: tables.products()?,
            outbox: tables.outbox()?,
            writer: tables.writer(),
            mode,
        })
    }

    /// Orders a mail about what has run short since the seller was told last; returns how many
    /// products it names. If there are very many, the rest is left for the next time.
    pub async fn tell(&self, now: i64) -> Result<usize, StoreError> {
        let decide = |mut found: Vec<Found>| {
            found.truncate(MOST);
            let Some(first) = found.first() else {
                return Ok(Step::Done(0));
            };
            let id = format!("{STOCK}{now}#{}", first.supply.id);
            let mut parts = vec![Part::vital(self.put(id, &found, now)?)];
            for one in &found {
                parts.push(Part::vital(self.note(one)?));
            }
            Ok(Step::Write(parts, found.len()))
        };
        let told = self.writer.run(None, || self.find(), decide).await?;
        Ok(told.answer)
    }

    /// All that is in the catalog, runs short, and was not told. The index may lag behind, and then
    /// the note in the product is refused, and this is asked again.
    async fn find(&self) -> Result<Vec<Found>, StoreError> {
        let mut found = Vec::new();
        let query = self
            .products
            .client
            .query()
            .table_name(&self.products.name)
            .index_name("catalog")
            .key_condition_expression("#catalog = :catalog")
            .filter_expression("attribute_exists(stock)")
            .expression_attribute_names("#catalog", "catalog")
            .expression_attribute_values(":catalog", text(CATALOG));
        let mut items = query.into_paginator().items().send();
        while let Some(item) = items.next().await {
            let item: Item = item.map_err(failed("Query"))?;
            let supply: Supply = from_item(item, "of a product")?;
            if let Some(short) = supply.news() {
                found.push(Found { supply, short });
            }
        }
        Ok(found)
    }

    fn put(&self, id: String, found: &[Found], now: i64) -> Result<TransactWriteItem, StoreError> {
        let row = StockRow {
            id,
            products: found.iter().map(|one| one.short.clone()).collect(),
            livemode: self.mode.livemode(),
            state: State::Due,
            attempts: 0,
            next_attempt: Some(now),
            due_shard: Some(DUE.to_owned()),
            created_at: now,
        };
        let put = self.outbox.put(to_item(&row)?);
        put_item(put.condition_expression("attribute_not_exists(id)"))
    }

    /// Notes in a product what the seller was told of it, on condition that nobody else has.
    fn note(&self, Found { supply, short }: &Found) -> Result<TransactWriteItem, StoreError> {
        let update = self
            .products
            .update([("id", supply.id.as_str())])
            .update_expression("SET stock_told = :shortage")
            .expression_attribute_values(":shortage", text(short.shortage.as_str()));
        update_item(match supply.told {
            Some(told) => update
                .condition_expression("stock_told = :told")
                .expression_attribute_values(":told", text(told.as_str())),
            None => update
                .condition_expression("attribute_exists(id) AND attribute_not_exists(stock_told)"),
        })
    }
}
