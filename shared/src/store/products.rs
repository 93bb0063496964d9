//! What is for sale.

use aws_sdk_dynamodb::{
    Client,
    types::{KeysAndAttributes, TransactWriteItem, Update},
};
use serde::{Deserialize, Serialize};

use super::{
    StoreError, back_off, failed, from_item, is_last_page, number, text, to_item, unwritable,
};
use crate::product::{Product, ProductId};

/// The products table.
#[derive(Clone, Debug)]
pub struct Products {
    client: Client,
    table: String,
}

/// Every listed product carries this, so that listing is a query and never a scan.
const CATALOG: &str = "catalog";

const STOCK: &str = "stock";

#[derive(Serialize, Deserialize)]
struct ProductItem {
    catalog: String,
    #[serde(flatten)]
    product: Product,
}

/// Some products, and where the next ones begin.
#[derive(Debug)]
pub struct Page {
    /// In order of their ids.
    pub products: Vec<Product>,
    /// The last of them, if there are more.
    pub next: Option<ProductId>,
}

impl Products {
    /// The table `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }

    /// One.
    pub async fn get(&self, id: &ProductId) -> Result<Option<Product>, StoreError> {
        let call = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", text(id.as_str()));
        let answer = call.send().await.map_err(failed("GetItem"))?;
        answer
            .item
            .map(|item| from_item(item, id.as_str()))
            .transpose()
    }

    /// Those that exist, in one read. At most 100 ids.
    pub async fn get_all<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a ProductId>,
    ) -> Result<Vec<Product>, StoreError> {
        let keys = ids
            .into_iter()
            .map(|id| [("id".to_owned(), text(id.as_str()))].into());
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .build();
        let mut wanted = Some(keys.map_err(unwritable)?);
        let mut products = Vec::new();
        for attempt in 1..=super::TRIES {
            let Some(keys) = wanted.take() else {
                return Ok(products);
            };
            let call = self
                .client
                .batch_get_item()
                .request_items(&self.table, keys);
            let answer = call.send().await.map_err(failed("BatchGetItem"))?;
            for item in answer
                .responses
                .into_iter()
                .flatten()
                .flat_map(|(_, items)| items)
            {
                products.push(from_item(item, "of a product")?);
            }
            // What a throttled table leaves for later.
            wanted = answer
                .unprocessed_keys
                .and_then(|mut tables| tables.remove(&self.table));
            if wanted.is_some() {
                back_off(attempt).await;
            }
        }
        match wanted {
            None => Ok(products),
            Some(_) => Err(StoreError::Contended(super::TRIES)),
        }
    }

    /// At most `limit` products after the id `after`.
    pub async fn list(&self, limit: i32, after: Option<&ProductId>) -> Result<Page, StoreError> {
        let mut call = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("catalog")
            .key_condition_expression("#catalog = :catalog")
            .expression_attribute_names("#catalog", "catalog")
            .expression_attribute_values(":catalog", text(CATALOG))
            // One more, to know whether there are more.
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
        Ok(Page {
            products,
            next: next.filter(|_| !is_last),
        })
    }

    /// Takes from a limited stock, on condition that there is enough.
    pub(crate) fn reserve(
        &self,
        id: &ProductId,
        quantity: u32,
    ) -> Result<TransactWriteItem, StoreError> {
        self.move_stock(
            id,
            quantity,
            "SET stock = stock - :quantity",
            "stock >= :quantity",
        )
    }

    /// Gives back to a limited stock, on condition that it is still limited.
    pub(crate) fn give_back(
        &self,
        id: &ProductId,
        quantity: u32,
    ) -> Result<TransactWriteItem, StoreError> {
        self.move_stock(
            id,
            quantity,
            "SET stock = stock + :quantity",
            "attribute_exists(stock)",
        )
    }

    fn move_stock(
        &self,
        id: &ProductId,
        quantity: u32,
        update: &str,
        condition: &str,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", text(id.as_str()))
            .update_expression(update)
            .condition_expression(condition)
            .expression_attribute_values(":quantity", number(quantity));
        Ok(TransactWriteItem::builder()
            .update(update.build().map_err(unwritable)?)
            .build())
    }

    /// Adds a product unless there is one with its id. The product must have been checked.
    pub async fn add(&self, product: &Product) -> Result<bool, StoreError> {
        let item = ProductItem {
            catalog: CATALOG.to_owned(),
            product: product.clone(),
        };
        let call = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(&item)?))
            .condition_expression("attribute_not_exists(id)");
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed("PutItem")(error)),
        }
    }

    /// Writes what differs between `before` and `after`, but of the stock only what `stock` says:
    /// checkouts move it at the same time, and a number read earlier would undo them. `false` if
    /// the product is gone, or has not as much stock as is to be taken.
    pub async fn change(
        &self,
        before: &Product,
        after: &Product,
        stock: StockChange,
    ) -> Result<bool, StoreError> {
        let id = text(before.id.as_str());
        let (mut before, mut after) = (to_item(before)?, to_item(after)?);
        before.remove(STOCK);
        after.remove(STOCK);
        // Kept up here too, so that a product made by hand without it comes into the catalog.
        after.insert(CATALOG.to_owned(), text(CATALOG));
        after.retain(|name, value| before.get(name) != Some(value));
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", id);
        let mut set = Vec::new();
        for (place, (name, value)) in after.into_iter().enumerate() {
            set.push(format!("#a{place} = :a{place}"));
            call = call
                .expression_attribute_names(format!("#a{place}"), name)
                .expression_attribute_values(format!(":a{place}"), value);
        }
        let (mut condition, mut remove) = ("attribute_exists(id)", "");
        match stock {
            StockChange::Keep => {}
            StockChange::Set(Some(stock)) => {
                set.push("stock = :stock".to_owned());
                call = call.expression_attribute_values(":stock", number(stock));
            }
            StockChange::Set(None) => remove = " REMOVE stock",
            StockChange::Add(pieces) => {
                set.push("stock = stock + :pieces".to_owned());
                condition = "attribute_exists(stock)";
                call = call.expression_attribute_values(":pieces", number(pieces));
            }
            StockChange::Take(pieces) => {
                set.push("stock = stock - :pieces".to_owned());
                condition = "stock >= :pieces";
                call = call.expression_attribute_values(":pieces", number(pieces));
            }
        }
        let call = call
            .update_expression(format!("SET {}{remove}", set.join(", ")))
            .condition_expression(condition);
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(refused) if refused.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(failed("UpdateItem")(error)),
            },
        }
    }
}

/// What becomes of a stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StockChange {
    /// Nothing.
    #[default]
    Keep,
    /// So many are left from now on, whatever was left before; `None`: it never runs out.
    Set(Option<u32>),
    /// So many more are left.
    Add(u32),
    /// So many fewer are left, if there are as many.
    Take(u32),
}
