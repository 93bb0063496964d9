//! Confirming that rebuilt purchases are the shop's own.

use super::Mails;
use crate::{
    config::ConfigError,
    email::Frozen,
    purchase::{Mail, PurchaseId, SubscriptionId},
    store::{
        StoreError, Tables,
        bookkeeping::Bookkeeping,
        purchases::{Purchases, Stored},
        subscriptions::Subscriptions,
        transaction::{Step, Writer},
    },
};

/// Purchases that had to be rebuilt, to be confirmed.
#[derive(Clone, Debug)]
pub struct Confirmation {
    writer: Writer,
    purchases: Purchases,
    books: Bookkeeping,
    subscriptions: Subscriptions,
    mails: Mails,
}

impl Confirmation {
    /// Fails if the environment does not name all of the tables it writes to.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            writer: tables.writer(),
            purchases: Purchases::of(tables)?,
            books: Bookkeeping::of(tables)?,
            subscriptions: Subscriptions::of(tables)?,
            mails: Mails::of(tables)?,
        })
    }

    /// Notes that a person says a purchase is the shop's own, though it had to be rebuilt, and
    /// releases its held mails, and those of the subscription that began with it. Later ones are
    /// sent as usual. Returns how many were held; `None` if there is no such purchase.
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
        let purchase = &stored.purchase;
        let own = purchase.mails().iter();
        let mut letters: Vec<_> = own
            .map(|mail| (Frozen::of(purchase, mail), mail.clone()))
            .collect();
        if let Some(subscription) = purchase.subscription() {
            letters.extend(self.of_subscription(subscription).await?);
        }
        let mut released = 0_u32;
        for (content, mail) in letters {
            let was_held = self.mails.release(content, &mail, now).await?;
            released = released.saturating_add(u32::from(was_held));
        }
        Ok(Some(released))
    }

    /// The letters about a subscription and its invoices, whatever became of them.
    async fn of_subscription(
        &self,
        id: &SubscriptionId,
    ) -> Result<Vec<(Frozen, Mail)>, StoreError> {
        let Some(found) = self.subscriptions.with_invoices(id).await? else {
            return Ok(Vec::new());
        };
        let mut letters = Vec::new();
        let subscription = &found.subscription;
        let ended = subscription.reading().filter(|it| it.is_over());
        for invoice in &found.invoices {
            let of = |mail: &Mail| (Frozen::of_invoice(invoice, ended, mail), mail.clone());
            letters.extend(invoice.mails().iter().map(of));
        }
        if let Some(reading) = subscription.reading() {
            let told = subscription.standing_notices();
            letters.extend(told.map(|mail| (Frozen::of_subscription(subscription, reading), mail)));
        }
        Ok(letters)
    }
}
