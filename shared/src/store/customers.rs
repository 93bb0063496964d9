//! Which customer at Stripe is a buyer's, in one row per buyer and mode.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::{
    StoreError, Tables, from_item,
    holds::buyer_key,
    tables::{Table, put_item},
    to_item, unchanged,
};
use crate::{config::ConfigError, mode::Mode, purchase::CustomerId};

/// The rows in the purchases table.
#[derive(Clone, Debug)]
pub(crate) struct BuyersCustomers {
    table: Table,
    /// Customers of one mode do not exist in the other.
    sort_key: &'static str,
}

/// A buyer's customer, with the version that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredCustomer {
    pub(crate) customer: Option<CustomerId>,
    /// 0 if there is no row.
    version: u64,
}

#[derive(Serialize, Deserialize)]
struct CustomerItem {
    pk: String,
    sk: String,
    /// Counts its writes.
    version: u64,
    customer: CustomerId,
}

impl BuyersCustomers {
    pub(crate) fn of(tables: &Tables, mode: Mode) -> Result<Self, ConfigError> {
        Ok(Self {
            table: tables.purchases()?,
            sort_key: match mode {
                Mode::Test => "customer#test",
                Mode::Live => "customer#live",
            },
        })
    }

    /// A buyer's customer, as far as is known here.
    pub(crate) async fn get(&self, subject: &str) -> Result<StoredCustomer, StoreError> {
        let key = buyer_key(subject);
        let item = self
            .table
            .read([("pk", &key), ("sk", self.sort_key)])
            .await?;
        let item = item.map(|item| from_item::<CustomerItem>(item, &key));
        Ok(item
            .transpose()?
            .map_or_else(StoredCustomer::default, |item| StoredCustomer {
                customer: Some(item.customer),
                version: item.version,
            }))
    }

    /// A buyer's customer from now on, on condition that it has not changed since it was read.
    pub(crate) fn put(
        &self,
        subject: &str,
        read: &StoredCustomer,
        customer: &CustomerId,
    ) -> Result<TransactWriteItem, StoreError> {
        let item = CustomerItem {
            pk: buyer_key(subject),
            sk: self.sort_key.to_owned(),
            version: read.version.saturating_add(1),
            customer: customer.clone(),
        };
        put_item(unchanged(self.table.put(to_item(&item)?), read.version))
    }
}
