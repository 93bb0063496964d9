//! A purchase that changes, and what changes with it: stock that is returned, and what its buyer
//! holds.

use super::{
    StoreError, Tables,
    holds::BuyersHolds,
    products::Stock,
    purchases::{Purchases, Stored},
    transaction::{Dispensable, Part},
};
use crate::{config::ConfigError, product::ProductId, purchase::Effects};

/// What a changed purchase is written to.
#[derive(Clone, Debug)]
pub(crate) struct Bookkeeping {
    purchases: Purchases,
    stock: Stock,
    holds: BuyersHolds,
}

impl Bookkeeping {
    pub(crate) fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            purchases: Purchases::of(tables)?,
            stock: Stock::of(tables)?,
            holds: BuyersHolds::of(tables)?,
        })
    }

    /// The purchase's next version.
    pub(crate) fn put<T>(&self, stored: &Stored, now: i64) -> Result<Part<T>, StoreError> {
        self.purchases.put(stored, now).map(Part::vital)
    }

    /// The purchase's next version, and what `effects` say about its stock and hold. Neither may
    /// keep the purchase from being written: the seller may have deleted a product or removed its
    /// limit, and the buyer's own requests may keep changing what they hold, which expires by
    /// itself.
    pub(crate) fn record<T>(
        &self,
        stored: &Stored,
        effects: &Effects,
        now: i64,
    ) -> Result<Vec<Part<T>>, StoreError> {
        let mut parts = vec![self.put(stored, now)?];
        for (product, quantity) in &effects.returned {
            let stock = self.stock.give_back(product, *quantity)?;
            parts.push(Part::optional(stock, Dispensable::Stock(product.clone())));
        }
        if effects.hold_changed {
            let hold = self.holds.note(&stored.purchase, now)?;
            parts.extend(hold.map(Part::yielding));
        }
        Ok(parts)
    }

    /// Takes from limited stock; `sold_out` is the answer if there is not enough.
    pub(crate) fn reserve<T>(
        &self,
        product: &ProductId,
        quantity: u32,
        sold_out: T,
    ) -> Result<Part<T>, StoreError> {
        let stock = self.stock.reserve(product, quantity)?;
        Ok(Part::deciding(stock, sold_out))
    }
}
