//! Records what Stripe says about purchases and about the invoices of subscriptions: the only way in
//! which their payments, refunds and disputes change.

use std::collections::BTreeSet;

use crate::{
    config::ConfigError,
    email::Frozen,
    mode::Mode,
    money::Money,
    purchase::{
        Announced, Attention, Buyer, Change, Effects, Mail, News, PaymentChange, PaymentIntentId,
        Purchase, PurchaseId, SessionState, Subject,
    },
    standing::Standing,
    store::{
        StoreError, Tables,
        bookkeeping::Bookkeeping,
        claims::{Claim, Claims},
        later::Written,
        pointers::Pointers,
        purchases::{Purchases, Stored},
        subscriptions::Subscriptions,
        transaction::{Part, Step, Writer},
    },
    subscription::Subscription,
    telemetry::Metric,
    view::Publication,
};

mod desk;
mod invoices;

pub(crate) use desk::Desk;
pub use invoices::{InvoiceLedger, InvoiceReceived};

pub use crate::store::claims::Source;

/// Records what Stripe says.
#[derive(Clone, Debug)]
pub struct Ledger {
    writer: Writer,
    purchases: Purchases,
    books: Bookkeeping,
    claims: Claims,
    pointers: Pointers,
    subscriptions: Subscriptions,
    desk: Desk,
}

/// What an event, a fetched object or the seller says.
#[derive(Clone, Debug)]
pub struct Report {
    /// Where it comes from.
    pub source: Source,
    /// The purchase it is about.
    pub purchase: PurchaseId,
    /// What changed.
    pub change: Change,
    /// The payment intent, if there is one: refunds and disputes name nothing else.
    pub payment_intent: Option<PaymentIntentId>,
    /// What a lost purchase can be rebuilt from.
    pub origin: Option<(Buyer, Money)>,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It said something new: how its subject stands now, and what a person should look at.
    Recorded(Standing, BTreeSet<Attention>),
    /// It said nothing new; if it is an event, a claim now says that it was seen.
    NothingNew,
    /// This very event was recorded before.
    SeenBefore,
    /// There is no such purchase or invoice, and the report gives no reason to rebuild it.
    NoSuchPurchase,
}

impl Ledger {
    /// Fails if the environment does not name all of the tables it writes to.
    pub fn of(tables: &Tables, mode: Mode) -> Result<Self, ConfigError> {
        Ok(Self {
            writer: tables.writer(),
            purchases: Purchases::of(tables)?,
            books: Bookkeeping::of(tables)?,
            claims: Claims::of(tables)?,
            pointers: Pointers::of(tables)?,
            subscriptions: Subscriptions::of(tables)?,
            desk: Desk::of(tables, mode)?,
        })
    }

    /// Records a report: all of its effects in one transaction, or none if it fails. The same
    /// report may come any number of times, in any order with others, and concurrently.
    pub async fn record(&self, report: &Report, now: i64) -> Result<Outcome, StoreError> {
        let read = || self.find_or_rebuild(report.purchase, report);
        let decide = |stored| self.recording(report, stored, now);
        let recorded = self.writer.run(None, read, decide).await?;
        if recorded.written {
            call_attention(&report.purchase.into(), &recorded.answer);
        }
        Ok(recorded.answer)
    }

    async fn find_or_rebuild(
        &self,
        id: PurchaseId,
        report: &Report,
    ) -> Result<Option<Stored>, StoreError> {
        if let Some(stored) = self.purchases.get(id).await? {
            return Ok(Some(stored));
        }
        let money_moved = match report.change {
            Change::Session(_, SessionState::Settled { .. })
            | Change::Payment(PaymentChange::Refund(..) | PaymentChange::Dispute(..)) => true,
            Change::Session(..)
            | Change::Document(..)
            | Change::Payment(PaymentChange::ChargeRefunded(_))
            | Change::Fulfilled(..) => false,
        };
        let origin = report.origin.clone().filter(|_| money_moved);
        Ok(origin.map(|(buyer, total)| Stored {
            purchase: Purchase::rebuilt(id, buyer, total),
            version: 0,
            written: Written::default(),
        }))
    }

    fn recording(
        &self,
        report: &Report,
        stored: Option<Stored>,
        now: i64,
    ) -> Result<Step<Outcome>, StoreError> {
        let Some(mut stored) = stored else {
            return Ok(Step::Done(Outcome::NoSuchPurchase));
        };
        let purchase = &mut stored.purchase;
        if let Some((buyer, _)) = &report.origin {
            purchase.learn_buyer(buyer);
        }
        let effects = purchase.record(report.change.clone());
        let news = match effects {
            Some(_) => purchase.announce(Announced {
                sequence: stored.version.saturating_add(1),
                at: Some(now),
            }),
            None => Vec::new(),
        };
        let outcome = match &effects {
            Some(_) => {
                let standing = Standing::Purchase(purchase.status());
                Outcome::Recorded(standing, purchase.attention())
            }
            None => Outcome::NothingNew,
        };
        let is_event = matches!(report.source, Source::Event { .. });
        if effects.is_none() && !is_event {
            return Ok(Step::Done(outcome));
        }
        let parts = self.parts(report, &stored, effects.map(|it| (it, news)), now)?;
        Ok(Step::Write(parts, outcome))
    }

    /// What is written for a report. One that said nothing new leaves only its claim; because facts
    /// only grow, that stays right whatever others write.
    fn parts(
        &self,
        report: &Report,
        stored: &Stored,
        effects: Option<(Effects, Vec<News>)>,
        now: i64,
    ) -> Result<Vec<Part<Outcome>>, StoreError> {
        let purchase = &stored.purchase;
        let subject = Subject::Purchase(report.purchase);
        let claim = Claim {
            subject: &subject,
            source: &report.source,
            changed: effects.is_some(),
            status: Standing::Purchase(purchase.status()),
            is_over: purchase.is_over(),
            version: stored.version,
        };
        let claim = self.claims.put(claim, &stored.written, now)?;
        let mut parts = vec![Part::deciding(claim, Outcome::SeenBefore)];
        let is_sum = matches!(
            report.change,
            Change::Payment(PaymentChange::ChargeRefunded(_))
        );
        let points = effects.is_some() || is_sum;
        if let Some(intent) = report.payment_intent.as_ref().filter(|_| points) {
            let pointer = self.pointers.put(intent, &subject)?;
            parts.push(Part::vital(pointer));
        }
        let Some((effects, news)) = effects else {
            return Ok(parts);
        };
        parts.extend(self.books.record(stored, &effects, now)?);
        if let Some(id) = purchase.subscription() {
            let buyer = purchase.order().buyer.clone();
            let subscription = Subscription::new(id.clone(), purchase.id(), buyer);
            let note = self.subscriptions.note(&subscription, now)?;
            parts.push(Part::yielding(note));
        }
        // A purchase that was lost and rebuilt may have left rows for these mails.
        let held = purchase.is_only_rebuilt();
        let letters = (&effects.due, &effects.superseded);
        let content = |mail: &Mail| Frozen::of(purchase, mail);
        parts.extend(self.desk.write(&subject, letters, content, held, now)?);
        for news in news {
            let told = |telling| Publication::of_purchase(purchase, &news, telling);
            parts.extend(self.desk.publish(told, held, now)?);
        }
        Ok(parts)
    }
}

fn call_attention(subject: &Subject, outcome: &Outcome) {
    if let Outcome::Recorded(_, attention) = outcome
        && !attention.is_empty()
    {
        let metric = Metric::Attention.as_str();
        tracing::warn!(metric, %subject, ?attention, "something needs a person's attention");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::purchase::Status;
    use crate::store::scripted::{WRITTEN, database, refused};

    const NOW: i64 = 1_732_700_000;

    /// A purchase whose voucher is still to be paid; it reserves the product "mug", which the test
    /// renames to "failed".
    const WAITING: &str = include_str!("store/layout/voucher.json");

    #[tokio::test]
    async fn a_product_called_failed_returns_to_stock_though_the_mail_failed_was_ordered_before() {
        let item: Value =
            serde_json::from_str(&WAITING.replace(r#""mug""#, r#""failed""#)).unwrap();
        let waiting = json!({ "Item": item }).to_string();
        let report = Report {
            source: Source::Event {
                id: "evt_1".to_owned(),
                kind: "checkout.session.async_payment_failed".to_owned(),
            },
            purchase: item["pk"]["S"].as_str().unwrap().parse().unwrap(),
            change: Change::Session("cs_1".to_owned().into(), SessionState::Failed),
            payment_intent: None,
            origin: None,
        };
        // The claim, the purchase, the stock, the hold, the mail, and the voucher's mail.
        let refusal = refused(&["None", "None", "None", "None", FAILED, "None"]);
        let (tables, database) =
            database(vec![waiting.clone(), refusal, waiting, WRITTEN.to_owned()]);
        let ledger = Ledger::of(&tables, Mode::Test).unwrap();
        let outcome = ledger.record(&report, NOW).await.unwrap();
        assert!(matches!(
            outcome,
            Outcome::Recorded(Standing::Purchase(Status::Failed), _)
        ));
        let asked = database.join().unwrap();
        assert_eq!(orders(&asked[1]), (true, true));
        assert_eq!(orders(&asked[3]), (false, true));
    }

    const FAILED: &str = "ConditionalCheckFailed";

    /// Whether a transaction orders the mail "failed", and whether it returns the product "failed".
    fn orders(transaction: &Value) -> (bool, bool) {
        let items = transaction["TransactItems"].as_array().unwrap();
        let has = |part: &str, table: &str, id: &str| {
            items.iter().any(|item| {
                let id_of = |place: &str| item[part][place]["id"]["S"].as_str().unwrap_or_default();
                let found = [id_of("Item"), id_of("Key")]
                    .iter()
                    .any(|one| one.ends_with(id));
                item[part]["TableName"] == table && found
            })
        };
        (
            has("Put", "outbox", "#failed"),
            has("Update", "products", "failed"),
        )
    }
}
