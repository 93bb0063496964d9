//! Records what Stripe says about purchases: the only way in which a purchase's payments, refunds
//! and disputes change.

use std::collections::BTreeSet;

use crate::{
    config::ConfigError,
    mode::Mode,
    money::Money,
    purchase::{
        Attention, Buyer, Change, Effects, PaymentIntentId, Purchase, PurchaseId, SessionState,
        Status, Subject,
    },
    store::{
        StoreError, Tables,
        bookkeeping::Bookkeeping,
        claims::{Claim, Claims},
        outbox::Outbox,
        pointers::Pointers,
        purchases::{Purchases, Stored},
        transaction::{Dispensable, Part, Step, Writer},
    },
    telemetry::Metric,
};

pub use crate::store::claims::Source;

/// Records what Stripe says.
#[derive(Clone, Debug)]
pub struct Ledger {
    writer: Writer,
    purchases: Purchases,
    books: Bookkeeping,
    claims: Claims,
    pointers: Pointers,
    outbox: Outbox,
    mode: Mode,
}

/// What an event or a fetched object says.
#[derive(Clone, Debug)]
pub struct Report {
    /// Where it comes from.
    pub source: Source,
    /// What it is about.
    pub subject: Subject,
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
    /// It said something new: the purchase's status now, and what a person should look at.
    Recorded(Status, BTreeSet<Attention>),
    /// It said nothing new; if it is an event, a claim now says that it was seen.
    NothingNew,
    /// This very event was recorded before.
    SeenBefore,
    /// There is no such purchase, and the report gives no reason to rebuild it.
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
            outbox: Outbox::of(tables)?,
            mode,
        })
    }

    /// Records a report: all of its effects in one transaction, or none if it fails. The same
    /// report may come any number of times, in any order with others, and concurrently.
    pub async fn record(&self, report: &Report, now: i64) -> Result<Outcome, StoreError> {
        let Subject::Purchase(id) = report.subject;
        let read = || self.find_or_rebuild(id, report);
        let decide = |stored| self.recording(report, stored, now);
        let recorded = self.writer.run(None, read, decide).await?;
        if recorded.written {
            call_attention(report.subject, &recorded.answer);
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
            | Change::Refund(..)
            | Change::Dispute(..) => true,
            Change::Session(..) | Change::ChargeRefunded(_) => false,
        };
        let origin = report.origin.clone().filter(|_| money_moved);
        Ok(origin.map(|(buyer, total)| Stored {
            purchase: Purchase::rebuilt(id, buyer, total),
            version: 0,
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
        let outcome = match &effects {
            Some(_) => Outcome::Recorded(purchase.status(), purchase.attention()),
            None => Outcome::NothingNew,
        };
        let is_event = matches!(report.source, Source::Event { .. });
        if effects.is_none() && !is_event {
            return Ok(Step::Done(outcome));
        }
        let parts = self.parts(report, &stored, effects, now)?;
        Ok(Step::Write(parts, outcome))
    }

    /// What is written for a report. One that said nothing new leaves only its claim; because facts
    /// only grow, that stays right whatever others write.
    fn parts(
        &self,
        report: &Report,
        stored: &Stored,
        effects: Option<Effects>,
        now: i64,
    ) -> Result<Vec<Part<Outcome>>, StoreError> {
        let purchase = &stored.purchase;
        let claim = Claim {
            subject: report.subject,
            source: &report.source,
            changed: effects.is_some(),
            status: purchase.status(),
            is_over: purchase.is_over(),
            version: stored.version,
        };
        let claim = self.claims.put(claim, now)?;
        let mut parts = vec![Part::deciding(claim, Outcome::SeenBefore)];
        let points = effects.is_some() || matches!(report.change, Change::ChargeRefunded(_));
        if let Some(intent) = report.payment_intent.as_ref().filter(|_| points) {
            let pointer = self.pointers.put(intent, report.subject)?;
            parts.push(Part::vital(pointer));
        }
        let Some(effects) = effects else {
            return Ok(parts);
        };
        parts.extend(self.books.record(stored, &effects, now)?);
        for mail in &effects.due {
            // A purchase that was lost and rebuilt may have left a row for this mail.
            let row = self.outbox.put(purchase, mail, self.mode, now)?;
            parts.push(Part::optional(row, Dispensable::Mail(mail.clone())));
        }
        for mail in &effects.superseded {
            let row = self.outbox.supersede(report.subject, mail, now)?;
            parts.push(Part::vital(row));
        }
        Ok(parts)
    }
}

fn call_attention(subject: Subject, outcome: &Outcome) {
    if let Outcome::Recorded(_, attention) = outcome
        && !attention.is_empty()
    {
        let metric = Metric::Attention.as_str();
        let Subject::Purchase(purchase_id) = subject;
        tracing::warn!(metric, %purchase_id, ?attention, "a purchase needs a person's attention");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
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
            subject: Subject::Purchase(item["pk"]["S"].as_str().unwrap().parse().unwrap()),
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
        assert!(matches!(outcome, Outcome::Recorded(Status::Failed, _)));
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
