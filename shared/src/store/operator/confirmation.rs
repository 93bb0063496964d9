//! A person's word that purchases are the shop's own.

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

    /// Takes a person's word that a purchase, though it had to be rebuilt, is the shop's own: its
    /// mails go from now on, those that were held first. Answers how many those are; `None` if
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
        // Nobody writes a held row from here on. Whoever is cut off here may say it again.
        let mut released = 0_u32;
        for mail in stored.purchase.mails() {
            let was_held = self.mails.release(&stored.purchase, mail, now).await?;
            released = released.saturating_add(u32::from(was_held));
        }
        Ok(Some(released))
    }
}
