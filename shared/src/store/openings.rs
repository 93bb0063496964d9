//! What is read before a purchase is opened: all of it in one call, because a buyer waits for it.

use std::collections::HashMap;

use super::{
    StoreError, Tables, from_item,
    holds::{self, StoredHolds},
    products,
    requests::{self, IdempotentRequest, RequestItem},
    tables::{Table, keys, read_batch},
};
use crate::{
    config::ConfigError,
    product::{Product, ProductId},
};

/// The products, what buyers hold, and what idempotency keys stand for.
#[derive(Clone, Debug)]
pub(crate) struct Openings {
    products: Table,
    purchases: Table,
}

/// What was there before a purchase was opened.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// Those of the products that exist, as they were at most a moment ago.
    pub(crate) products: Vec<Product>,
    /// What the buyer holds now.
    pub(crate) held: StoredHolds,
    /// What the request's key stands for now.
    pub(crate) request: Option<RequestItem>,
}

impl Openings {
    pub(crate) fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            products: tables.products()?,
            purchases: tables.purchases()?,
        })
    }

    /// What a purchase of these products begins with. At most 90 products.
    pub(crate) async fn read<'a>(
        &self,
        subject: &str,
        request: Option<&IdempotentRequest>,
        products: impl IntoIterator<Item = &'a ProductId>,
        now: i64,
    ) -> Result<Before, StoreError> {
        let mut wanted = HashMap::new();
        let rows = [Some(holds::key(subject)), request.map(requests::key)];
        let rows = keys(rows.into_iter().flatten()).consistent_read(true);
        wanted.insert(self.purchases.name.clone(), rows);
        let mut products = products.into_iter().map(products::key).peekable();
        if products.peek().is_some() {
            wanted.insert(self.products.name.clone(), keys(products));
        }
        let mut found = read_batch(&self.purchases.client, wanted).await?;
        let mut before = Before::default();
        for item in found.remove(&self.products.name).unwrap_or_default() {
            before.products.push(from_item(item, "of a product")?);
        }
        for item in found.remove(&self.purchases.name).unwrap_or_default() {
            match request {
                Some(request) if requests::is_of(&item, request) => {
                    before.request = requests::standing(item, request, now)?;
                }
                _ => before.held = holds::stored(item, subject)?,
            }
        }
        Ok(before)
    }
}
