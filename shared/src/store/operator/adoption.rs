//! Giving a buyer a customer that a person has made at Stripe, in place of one that checkout would make.

use crate::{
    config::ConfigError,
    mode::Mode,
    purchase::CustomerId,
    store::{
        StoreError, Tables,
        customers::{BuyersCustomers, StoredCustomer},
        transaction::{Part, Step, Writer},
    },
};

/// Buyers' customers, to be added to.
#[derive(Clone, Debug)]
pub struct Adoption {
    writer: Writer,
    rows: BuyersCustomers,
}

impl Adoption {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables, mode: Mode) -> Result<Self, ConfigError> {
        Ok(Self {
            writer: tables.writer(),
            rows: BuyersCustomers::of(tables, mode)?,
        })
    }

    /// Makes this the customer of a buyer who has none. Returns the one that they have now, which is
    /// another if they had one.
    pub async fn adopt(
        &self,
        subject: &str,
        customer: &CustomerId,
    ) -> Result<CustomerId, StoreError> {
        let decide = |row: StoredCustomer| match &row.customer {
            Some(theirs) => Ok(Step::Done(theirs.clone())),
            None => {
                let put = self.rows.put(subject, &row, customer)?;
                Ok(Step::Write(vec![Part::vital(put)], customer.clone()))
            }
        };
        let read = || self.rows.get(subject);
        let kept: Result<_, StoreError> = self.writer.run(None, read, decide).await;
        Ok(kept?.answer)
    }
}
