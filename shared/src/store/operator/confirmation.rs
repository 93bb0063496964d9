//! Confirming that rebuilt purchases are the shop's own.

use super::{Events, Mails};
use crate::{
    config::ConfigError,
    email::Frozen,
    mode::Mode,
    purchase::{Mail, Purchase, PurchaseId},
    store::{
        StoreError, Tables,
        bookkeeping::Bookkeeping,
        purchases::{Purchases, Stored},
        subscriptions::{Subscriptions, WithInvoices},
        transaction::{Step, Writer},
    },
    view::{Publication, Telling},
};

/// Purchases that had to be rebuilt, to be confirmed.
#[derive(Clone, Debug)]
pub struct Confirmation {
    writer: Writer,
    purchases: Purchases,
    books: Bookkeeping,
    subscriptions: Subscriptions,
    mails: Mails,
    events: Events,
    mode: Mode,
}

impl Confirmation {
    /// Fails if the environment does not name all of the tables it writes to.
    pub fn of(tables: &Tables, mode: Mode) -> Result<Self, ConfigError> {
        Ok(Self {
            writer: tables.writer(),
            purchases: Purchases::of(tables)?,
            books: Bookkeeping::of(tables)?,
            subscriptions: Subscriptions::of(tables)?,
            mails: Mails::of(tables)?,
            events: Events::of(tables)?,
            mode,
        })
    }

    /// Notes that a person says a purchase is the shop's own, though it had to be rebuilt, and
    /// releases its held mails and events, and those of the subscription that began with it. Later
    /// ones are sent as usual. Returns how many mails were held; `None` if there is no such purchase.
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
        let subscription = match purchase.subscription() {
            Some(id) => self.subscriptions.with_invoices(id).await?,
            None => None,
        };
        letters.extend(subscription.iter().flat_map(letters_of));
        self.publish(purchase, subscription.as_ref(), now).await?;
        let mut released = 0_u32;
        for (content, mail) in letters {
            let was_held = self.mails.release(content, &mail, now).await?;
            released = released.saturating_add(u32::from(was_held));
        }
        Ok(Some(released))
    }

    /// Releases what other systems are told.
    async fn publish(
        &self,
        purchase: &Purchase,
        subscription: Option<&WithInvoices>,
        now: i64,
    ) -> Result<(), StoreError> {
        let telling = Telling {
            mode: self.mode,
            replay: false,
        };
        let mut publications = Publication::all_of_purchase(purchase, telling);
        let of_subscription = |found| Publication::all_of_subscription(found, telling);
        publications.extend(subscription.map(of_subscription).unwrap_or_default());
        for (_, publication) in publications {
            self.events.release(&publication, now).await?;
        }
        Ok(())
    }
}

/// The letters about a subscription and its invoices, whatever became of them.
fn letters_of(found: &WithInvoices) -> Vec<(Frozen, Mail)> {
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
    letters
}
