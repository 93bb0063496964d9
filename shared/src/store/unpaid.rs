//! A buyer's purchases that wait for payment.

use std::cmp::Reverse;

use tokio::task::JoinSet;

use super::{StoreError, Tables, holds::BuyersHolds, purchases::Purchases};
use crate::{config::ConfigError, purchase::Purchase};

/// Purchases that wait for payment, found through what their buyer holds.
#[derive(Clone, Debug)]
pub struct Unpaid {
    purchases: Purchases,
    holds: BuyersHolds,
}

impl Unpaid {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            purchases: Purchases::of(tables)?,
            holds: BuyersHolds::of(tables)?,
        })
    }

    /// Those of a buyer, newest first. There are few, because the number of open purchases is
    /// limited.
    pub async fn of_buyer(&self, subject: &str, now: i64) -> Result<Vec<Purchase>, StoreError> {
        let held = self.holds.get(subject).await?;
        let mut reading = JoinSet::new();
        for id in held.holds.open(now) {
            let purchases = self.purchases.clone();
            reading.spawn(async move { purchases.get(id).await });
        }
        let mut unpaid = Vec::new();
        for stored in reading.join_all().await {
            let purchase = stored?.map(|stored| stored.purchase);
            unpaid.extend(purchase.filter(Purchase::awaits_payment));
        }
        unpaid.sort_by_key(|purchase| Reverse(purchase.id()));
        Ok(unpaid)
    }
}
