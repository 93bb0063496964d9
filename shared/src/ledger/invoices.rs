//! Records what Stripe says about the invoices of subscriptions.

use super::{Desk, Outcome, Source, call_attention};
use crate::{
    config::ConfigError,
    email::Frozen,
    invoice::{Invoice, InvoiceChange, Letters},
    mode::Mode,
    purchase::{
        Announced, Attention, Buyer, InvoiceId, Mail, News, PurchaseId, Subject, SubscriptionId,
    },
    standing::Standing,
    store::{
        StoreError, Tables,
        claims::{Claim, Claims},
        invoices::{Invoices, StoredInvoice},
        later::Written,
        pointers::Pointers,
        purchases::Purchases,
        subscriptions::Subscriptions,
        transaction::{Part, Step, Writer},
    },
    subscription::{Reading, Subscription},
    view::Publication,
};

/// Records what Stripe says about invoices.
#[derive(Clone, Debug)]
pub struct InvoiceLedger {
    writer: Writer,
    invoices: Invoices,
    purchases: Purchases,
    subscriptions: Subscriptions,
    claims: Claims,
    pointers: Pointers,
    desk: Desk,
}

/// What an event or a fetched object says about an invoice.
#[derive(Clone, Debug)]
pub struct InvoiceReceived {
    /// Where it comes from.
    pub source: Source,
    /// The subscription it is for.
    pub subscription: SubscriptionId,
    /// The invoice.
    pub id: InvoiceId,
    /// What it says.
    pub change: InvoiceChange,
    /// The purchase with which the subscription began, and the buyer as far as the invoice says; if
    /// it is not known here, it begins with these.
    pub tagged: Option<(PurchaseId, Buyer)>,
}

/// An invoice, and what else its mails depend on.
struct Found {
    stored: StoredInvoice,
    /// They have to wait until a person confirms its purchase.
    held: bool,
    /// How its subscription ended, if it is over.
    ended: Option<Reading>,
}

impl InvoiceLedger {
    /// Fails if the environment does not name all of the tables it writes to.
    pub fn of(tables: &Tables, mode: Mode) -> Result<Self, ConfigError> {
        Ok(Self {
            writer: tables.writer(),
            invoices: Invoices::of(tables)?,
            purchases: Purchases::of(tables)?,
            subscriptions: Subscriptions::of(tables)?,
            claims: Claims::of(tables)?,
            pointers: Pointers::of(tables)?,
            desk: Desk::of(tables, mode)?,
        })
    }

    /// Records what was received: all of its effects in one transaction, or none if it fails. The
    /// same may come any number of times, in any order with others, and concurrently.
    pub async fn record(
        &self,
        received: &InvoiceReceived,
        now: i64,
    ) -> Result<Outcome, StoreError> {
        let read = || self.find_or_begin(received);
        let decide = |found| self.recording(received, found, now);
        let recorded = self.writer.run(None, read, decide).await?;
        if recorded.written {
            let subject = subject(received);
            call_attention(&subject, &recorded.answer);
        }
        Ok(recorded.answer)
    }

    /// Notes that an invoice was compared with Stripe, and everything recorded, when it had this
    /// many `doubts`, so that it need not be checked again until its next check is due.
    pub async fn checked(
        &self,
        subscription: &SubscriptionId,
        id: &InvoiceId,
        doubts: u32,
        now: i64,
    ) -> Result<(), StoreError> {
        let read = || self.invoices.get(subscription, id);
        let decide = |stored: Option<StoredInvoice>| {
            let Some(mut stored) = stored else {
                return Ok(Step::Done(()));
            };
            stored.invoice.checked(doubts);
            let put = self.invoices.put(&stored, now)?;
            Ok(Step::Write(vec![Part::vital(put)], ()))
        };
        self.writer.run(None, read, decide).await.map(|_| ())
    }

    /// The invoice as stored, or a new one with the buyer of its purchase.
    async fn find_or_begin(&self, received: &InvoiceReceived) -> Result<Option<Found>, StoreError> {
        let InvoiceReceived {
            subscription, id, ..
        } = received;
        let known = self.invoices.get(subscription, id).await?;
        let purchase = match (&known, &received.tagged) {
            (Some(known), _) => known.invoice.purchase(),
            (None, Some((purchase, _))) => *purchase,
            (None, None) => return Ok(None),
        };
        // A purchase is stored before anybody can pay for it: one that is not there was lost.
        let purchase = self.purchases.get(purchase).await?;
        let purchase = purchase.map(|stored| stored.purchase);
        let held = purchase
            .as_ref()
            .is_none_or(|purchase| purchase.is_only_rebuilt());
        let ended = self.ended(subscription).await?;
        if let Some(stored) = known {
            let found = Found {
                stored,
                held,
                ended,
            };
            return Ok(Some(found));
        }
        let (InvoiceChange::Seen(report), Some((id_of_purchase, buyer))) =
            (&received.change, &received.tagged)
        else {
            return Ok(None);
        };
        let buyer = purchase.map_or_else(|| buyer.clone(), |it| it.order().buyer.or(buyer));
        let of = (subscription.clone(), *id_of_purchase);
        let invoice = Invoice::new(id.clone(), of, buyer, report);
        let stored = StoredInvoice {
            invoice,
            version: 0,
            written: Written::default(),
        };
        Ok(Some(Found {
            stored,
            held,
            ended,
        }))
    }

    /// How a subscription ended, as far as that is known here.
    async fn ended(&self, id: &SubscriptionId) -> Result<Option<Reading>, StoreError> {
        let stored = self.subscriptions.get(id).await?;
        let reading = stored.and_then(|stored| stored.subscription.reading().cloned());
        Ok(reading.filter(Reading::is_over))
    }

    fn recording(
        &self,
        received: &InvoiceReceived,
        found: Option<Found>,
        now: i64,
    ) -> Result<Step<Outcome>, StoreError> {
        let Some(mut found) = found else {
            return Ok(Step::Done(Outcome::NoSuchPurchase));
        };
        let Found { stored, ended, .. } = &mut found;
        let is_over = ended.is_some();
        let letters = stored.invoice.record(received.change.clone(), is_over);
        let letters = letters.or_else(|| (stored.version == 0).then(Letters::default));
        let news = match letters {
            Some(_) => stored.invoice.announce(Announced {
                sequence: stored.version.saturating_add(1),
                at: Some(now),
            }),
            None => Vec::new(),
        };
        let invoice = &stored.invoice;
        let outcome = match &letters {
            Some(_) => {
                let standing = Standing::Invoice(invoice.status());
                let is_late = ended
                    .as_ref()
                    .is_some_and(|it| it.had_ended_before(invoice));
                let late = is_late.then_some(Attention::PaidAfterEnd);
                let attention = invoice.attention().into_iter().chain(late);
                Outcome::Recorded(standing, attention.collect())
            }
            None => Outcome::NothingNew,
        };
        let is_event = matches!(received.source, Source::Event { .. });
        if letters.is_none() && !is_event {
            return Ok(Step::Done(outcome));
        }
        let parts = self.parts(received, &found, letters.map(|it| (it, news)), now)?;
        Ok(Step::Write(parts, outcome))
    }

    /// What is written. A report that said nothing new leaves only its claim; because facts only
    /// grow, that stays right whatever others write.
    fn parts(
        &self,
        received: &InvoiceReceived,
        found: &Found,
        letters: Option<(Letters, Vec<News>)>,
        now: i64,
    ) -> Result<Vec<Part<Outcome>>, StoreError> {
        let Found {
            stored,
            held,
            ended,
        } = found;
        let invoice = &stored.invoice;
        let subject = subject(received);
        let claim = Claim {
            subject: &subject,
            source: &received.source,
            changed: letters.is_some(),
            status: Standing::Invoice(invoice.status()),
            is_over: false,
            version: stored.version,
        };
        let claim = self.claims.put(claim, &stored.written, now)?;
        let mut parts = vec![Part::deciding(claim, Outcome::SeenBefore)];
        let Some((letters, news)) = letters else {
            return Ok(parts);
        };
        parts.push(Part::vital(self.invoices.put(stored, now)?));
        for intent in invoice.intents() {
            parts.push(Part::vital(self.pointers.put(intent, &subject)?));
        }
        if stored.version == 0 {
            let id = invoice.subscription().clone();
            let heard_of = Subscription::new(id, invoice.purchase(), invoice.buyer().clone());
            let note = self.subscriptions.note(&heard_of, now)?;
            parts.push(Part::yielding(note));
        }
        let content = |mail: &Mail| Frozen::of_invoice(invoice, ended.as_ref(), mail);
        let letters = (&letters.due, &letters.superseded);
        parts.extend(self.desk.write(&subject, letters, content, *held, now)?);
        for news in news {
            let told = |telling| Publication::of_invoice(invoice, &news, telling);
            parts.extend(self.desk.publish(told, *held, now)?);
        }
        Ok(parts)
    }
}

fn subject(received: &InvoiceReceived) -> Subject {
    Subject::Invoice(received.subscription.clone(), received.id.clone())
}
