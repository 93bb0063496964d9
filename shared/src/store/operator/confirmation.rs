//! Confirming that rebuilt purchases are the shop's own.

use super::Mails;
use crate::{
    config::ConfigError,
    purchase::PurchaseId,
    store::{
        StoreError, Tables,
        bookkeeping::Bookkeeping,
        purchases::{Purchases, Stored},
        transaction::{Step, Writer},
    },
};

/// Purchases that had to be rebuilt, to be confirmed.
#[derive(Clone, Debug)]
pub struct Confirmation {
    writer: Writer,
    purchases: Purchases,
    books: Bookkeeping,
    mails: Mails,
}

impl Confirmation {
    /// Fails if the environment does not name all of the tables it writes to.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            writer: tables.writer(),
            purchases: Purchases::of(tables)?,
            books: Bookkeeping::of(tables)?,
            mails: Mails::of(tables)?,
        })
    }

    /// Notes that a person says a purchase is the shop's own, though it had to be rebuilt, and
    /// releases its held mails. Later ones are sent as usual. Returns how many were held; `None` if
    /// there is no such purchase.
    pub async fn confirm(&self, id: PurchaseId, now: i64) -> Result<Option<u32>, StoreError> {
        let read = || self.purchases.get(id);
        let decide = |stored: Option<Stored>| {
            let Some(mut stored) = stored else {
                return Ok(Step::Done(None));
            };
            let Some(effects) = stored.purchase.confirm() else {
                return Ok(Step::Done(Some(stored)));
            };
            let parts = self.books.record(&stored, &effects, now)?;
            Ok(Step::Write(parts, Some(stored)))
        };
        let Some(stored) = self.writer.run(None, read, decide).await?.answer else {
            return Ok(None);
        };
        // No held row is written from here on. If this is interrupted, it can be repeated.
        let mut released = 0_u32;
        for mail in stored.purchase.mails() {
            let was_held = self.mails.release(&stored.purchase, mail, now).await?;
            released = released.saturating_add(u32::from(was_held));
        }
        Ok(Some(released))
    }
}
