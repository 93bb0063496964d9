//! What is for sale, for the seller to change.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    config::ConfigError,
    product::{Product, ends_shortage},
    store::{
        StoreError, Tables, number, products::CATALOG, tables::Table, text, to_item, unless_refused,
    },
};

/// The products, to be changed.
#[derive(Clone, Debug)]
pub struct Assortment {
    table: Table,
}

const STOCK: &str = "stock";
/// What the seller was told of it.
const STOCK_TOLD: &str = "stock_told";

#[derive(Serialize)]
struct ProductItem {
    catalog: String,
    #[serde(flatten)]
    product: Product,
}

/// A change to a product's stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StockChange {
    /// It stays as it is.
    #[default]
    Keep,
    /// This many are left from now on, whatever was left before; `None`: it never runs out.
    Set(Option<u32>),
    /// This many more are left.
    Add(u32),
    /// This many fewer are left, if there are that many.
    Take(u32),
}

impl StockChange {
    /// How many are left after restocking what had `before`; `None` if this restocks nothing.
    fn restocked(self, before: Option<u32>) -> Option<Option<u32>> {
        match self {
            Self::Keep | Self::Take(_) => None,
            Self::Set(stock) => Some(stock),
            Self::Add(pieces) => Some(before.map(|before| before.saturating_add(pieces))),
        }
    }
}

impl Assortment {
    /// Fails if the environment does not name the products table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.products()?;
        Ok(Self { table })
    }

    /// Adds a product unless there is one with the same id. The product must have been checked.
    pub async fn add(&self, product: &Product) -> Result<bool, StoreError> {
        let item = ProductItem {
            catalog: CATALOG.to_owned(),
            product: product.clone(),
        };
        let call = self
            .table
            .client
            .put_item()
            .table_name(&self.table.name)
            .set_item(Some(to_item(&item)?))
            .condition_expression("attribute_not_exists(id)");
        Ok(unless_refused("PutItem", call.send().await)?.is_some())
    }

    /// Writes what differs between `before` and `after`, except the stock, which changes only as
    /// `stock` says: checkouts change it at the same time, and a number read earlier would undo
    /// them. `false` if the product is gone, or has less stock than is to be taken.
    pub async fn change(
        &self,
        before: &Product,
        after: &Product,
        stock: StockChange,
    ) -> Result<bool, StoreError> {
        let id = text(before.id.as_str());
        let forgets_shortage = ends_shortage(before, after, stock.restocked(before.stock));
        let (mut before, mut after) = (to_item(before)?, to_item(after)?);
        before.remove(STOCK);
        after.remove(STOCK);
        // Set here, too, so that a product that was added by hand without it gets into the catalog.
        after.insert(CATALOG.to_owned(), text(CATALOG));
        let kept: BTreeSet<_> = after.keys().cloned().collect();
        after.retain(|name, value| before.get(name) != Some(value));
        let mut call = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key("id", id);
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        // Items leave out fields without a value.
        for (place, name) in before
            .into_keys()
            .filter(|name| !kept.contains(name))
            .enumerate()
        {
            remove.push(format!("#r{place}"));
            call = call.expression_attribute_names(format!("#r{place}"), name);
        }
        for (place, (name, value)) in after.into_iter().enumerate() {
            set.push(format!("#a{place} = :a{place}"));
            call = call
                .expression_attribute_names(format!("#a{place}"), name)
                .expression_attribute_values(format!(":a{place}"), value);
        }
        if forgets_shortage {
            remove.push(STOCK_TOLD.to_owned());
        }
        let mut condition = "attribute_exists(id)";
        match stock {
            StockChange::Keep => {}
            StockChange::Set(Some(stock)) => {
                set.push("stock = :stock".to_owned());
                call = call.expression_attribute_values(":stock", number(stock));
            }
            StockChange::Set(None) => remove.push("stock".to_owned()),
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
        // There is always something to set, because of the catalog.
        let mut update = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            update.push_str(&format!(" REMOVE {}", remove.join(", ")));
        }
        let call = call
            .update_expression(update)
            .condition_expression(condition);
        Ok(unless_refused("UpdateItem", call.send().await)?.is_some())
    }
}
