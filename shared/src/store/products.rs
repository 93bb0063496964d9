//! What is for sale.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::{
    StoreError, Tables, failed, from_item, is_last_page, number,
    tables::{self, Key, Table, keys, read_batch, update_item},
    text,
};
use crate::{
    config::ConfigError,
    product::{Product, ProductId},
};

/// The products, for everybody to see.
#[derive(Clone, Debug)]
pub struct Shelf {
    table: Table,
}

/// The products, to order from.
#[derive(Clone, Debug)]
pub struct Offers {
    table: Table,
}

/// The stock of products that are limited.
#[derive(Clone, Debug)]
pub(super) struct Stock {
    table: Table,
}

/// Every listed product carries this, so that listing is a query and never a scan.
pub(super) const CATALOG: &str = "catalog";

/// Some products, and where the next ones begin.
#[derive(Debug)]
pub struct ShelfPage {
    /// In order of their ids.
    pub products: Vec<Product>,
    /// The last of them, if there are more.
    pub next: Option<ProductId>,
}

impl Shelf {
    /// Fails if the environment does not name the products table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.products()?;
        Ok(Self { table })
    }

    /// One product; `None` if there is none with this id. The answer may lag a moment behind.
    pub async fn get(&self, id: &ProductId) -> Result<Option<Product>, StoreError> {
        let call = self
            .table
            .client
            .get_item()
            .table_name(&self.table.name)
            .key("id", text(id.as_str()));
        let answer = call.send().await.map_err(failed("GetItem"))?;
        answer
            .item
            .map(|item| from_item(item, id.as_str()))
            .transpose()
    }

    /// At most `limit` products after the id `after`.
    pub async fn list(
        &self,
        limit: i32,
        after: Option<&ProductId>,
    ) -> Result<ShelfPage, StoreError> {
        let mut call = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name("catalog")
            .key_condition_expression("#catalog = :catalog")
            .expression_attribute_names("#catalog", "catalog")
            .expression_attribute_values(":catalog", text(CATALOG))
            // One extra, to know whether there are more.
            .limit(limit.saturating_add(1));
        if let Some(after) = after {
            call = call
                .exclusive_start_key("catalog", text(CATALOG))
                .exclusive_start_key("id", text(after.as_str()));
        }
        let answer = call.send().await.map_err(failed("Query"))?;
        let items = answer.items.unwrap_or_default().into_iter();
        let mut products = items
            .map(|item| from_item(item, "of a product"))
            .collect::<Result<Vec<Product>, _>>()?;
        let is_last = is_last_page(&mut products, limit, answer.last_evaluated_key.is_none());
        let next = products.last().map(|product| product.id.clone());
        Ok(ShelfPage {
            products,
            next: next.filter(|_| !is_last),
        })
    }
}

impl Offers {
    /// Fails if the environment does not name the products table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.products()?;
        Ok(Self { table })
    }

    /// Those that exist, in one call. At most 100 ids.
    pub async fn get_all<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a ProductId>,
    ) -> Result<Vec<Product>, StoreError> {
        let wanted = [(self.table.name.clone(), keys(ids.into_iter().map(key)))];
        let found = read_batch(&self.table.client, wanted).await?;
        let items = found.into_values().flatten();
        items.map(|item| from_item(item, "of a product")).collect()
    }
}

/// The key of a product.
pub(super) fn key(id: &ProductId) -> Key {
    tables::key([("id", id.as_str())])
}

impl Stock {
    pub(super) fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.products()?;
        Ok(Self { table })
    }

    /// Takes from limited stock, on condition that there is enough.
    pub(super) fn reserve(
        &self,
        id: &ProductId,
        quantity: u32,
    ) -> Result<TransactWriteItem, StoreError> {
        self.move_by(
            id,
            quantity,
            "SET stock = stock - :quantity",
            "stock >= :quantity",
        )
    }

    /// Returns pieces to limited stock, on condition that it is still limited.
    pub(super) fn give_back(
        &self,
        id: &ProductId,
        quantity: u32,
    ) -> Result<TransactWriteItem, StoreError> {
        self.move_by(
            id,
            quantity,
            "SET stock = stock + :quantity",
            "attribute_exists(stock)",
        )
    }

    fn move_by(
        &self,
        id: &ProductId,
        quantity: u32,
        update: &str,
        condition: &str,
    ) -> Result<TransactWriteItem, StoreError> {
        update_item(
            self.table
                .update([("id", id.as_str())])
                .update_expression(update)
                .condition_expression(condition)
                .expression_attribute_values(":quantity", number(quantity)),
        )
    }
}
