//! Records what an event says, wherever that belongs.

use std::collections::BTreeSet;

use super::{
    owner::{Owner, Owners},
    receipt::Receipt,
};
use crate::{
    config::{ConfigError, Stack},
    invoice::{InvoiceChange, InvoiceReport, Trouble},
    ledger::{InvoiceLedger, InvoiceReceived, Ledger, Outcome, Report, Source},
    mode::Mode,
    purchase::{
        Change, ChargeId, InvoiceId, PaymentChange, PaymentIntentId, PurchaseId, SessionState,
        Subject, SubscriptionId,
    },
    readings::{Read, ReadingError, Readings},
    store::Tables,
    stripe::{
        client::Client as Stripe,
        event::{Hint, Statement},
        invoice::with_all_lines,
        object::{InvoiceStatement, WrittenInvoice},
    },
};

/// Records what events say.
#[derive(Clone)]
pub(super) struct Recorder {
    stripe: Stripe,
    ledger: Ledger,
    invoices: InvoiceLedger,
    readings: Readings,
    owners: Owners,
}

impl Recorder {
    pub(super) fn of(
        stripe: Stripe,
        tables: &Tables,
        (mode, stack): (Mode, Stack),
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            ledger: Ledger::of(tables, mode)?,
            invoices: InvoiceLedger::of(tables, mode)?,
            readings: Readings::of(stripe.clone(), tables, (mode, stack.clone()))?,
            owners: Owners::of(stripe.clone(), tables, stack)?,
            stripe,
        })
    }

    /// Records what the event `source` says.
    pub(super) async fn record(
        &self,
        source: Source,
        statement: Statement,
        now: i64,
    ) -> Result<Receipt, ReadingError> {
        let report = match statement {
            Statement::Session {
                purchase,
                session,
                state,
                payment_intent,
                origin,
            } => {
                self.look_for_its_invoice(purchase, &state, now).await;
                let state = self.completed(state, payment_intent.as_ref()).await;
                Report {
                    source,
                    purchase,
                    change: Change::Session(session, state),
                    payment_intent,
                    origin,
                }
            }
            Statement::Payment {
                tagged: Some(purchase),
                change,
                payment_intent,
                ..
            } => Report {
                source,
                purchase,
                change: Change::Payment(change),
                payment_intent,
                origin: None,
            },
            Statement::Payment {
                tagged: None,
                change,
                payment_intent,
                charge,
            } => {
                let paid = (payment_intent, charge);
                return self.of_untagged(source, paid, change, now).await;
            }
            Statement::Written(WrittenInvoice {
                purchase,
                id,
                document,
            }) => Report {
                source,
                purchase,
                change: Change::Document(id, document),
                payment_intent: None,
                origin: None,
            },
            Statement::Invoice(statement) => return self.of_invoice(source, statement, now).await,
            Statement::Subscription(id, hint) => return self.read(source, id, hint, now).await,
        };
        self.of_purchase(&report, now).await
    }

    /// Records the invoice that Stripe wrote of a session before the session itself, so that the
    /// receipt can lead to it. If it is not there yet, or Stripe cannot be reached, its own event
    /// brings it.
    async fn look_for_its_invoice(&self, purchase: PurchaseId, state: &SessionState, now: i64) {
        let SessionState::Settled {
            invoice: Some(id),
            subscription: None,
            ..
        } = state
        else {
            return;
        };
        let found = match self.owners.document(id).await {
            Ok(Some(document)) => {
                let report = Report {
                    source: Source::Fetched {
                        object: id.to_string(),
                        at: now,
                    },
                    purchase,
                    change: Change::Document(id.clone(), document),
                    payment_intent: None,
                    origin: None,
                };
                self.of_purchase(&report, now).await.map(|_| ())
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = found {
            tracing::warn!(invoice = %id, %error, "an invoice is not known yet");
        }
    }

    /// Reads a subscription, because its event hints at something new.
    async fn read(
        &self,
        source: Source,
        id: SubscriptionId,
        hint: Hint,
        now: i64,
    ) -> Result<Receipt, ReadingError> {
        Ok(match self.readings.read(&id, hint, &source, now).await? {
            Read::Changed(status) => Receipt::Recorded {
                subject: Subject::Subscription(id),
                status,
                attention: BTreeSet::new(),
            },
            Read::NothingNew => Receipt::NothingNew,
            Read::SeenBefore => Receipt::SeenBefore,
            Read::Foreign | Read::Unknown => Receipt::Foreign,
        })
    }

    /// Records what became of a payment that does not say whose it is.
    async fn of_untagged(
        &self,
        source: Source,
        (intent, charge): (Option<PaymentIntentId>, Option<ChargeId>),
        change: PaymentChange,
        now: i64,
    ) -> Result<Receipt, ReadingError> {
        let intent = match (intent, charge) {
            (None, Some(charge)) => self.owners.payment_intent_of(&charge).await?,
            (intent, _) => intent,
        };
        match intent {
            Some(intent) => self.of_payment(source, intent, change, now).await,
            // Every payment of ours has a payment intent.
            None => Ok(Receipt::Foreign),
        }
    }

    async fn of_purchase(&self, report: &Report, now: i64) -> Result<Receipt, ReadingError> {
        let outcome = self.ledger.record(report, now).await?;
        Ok(receipt(report.purchase.into(), outcome))
    }

    /// Records an invoice, whose tags are the subscription's or, in old API versions, have to be
    /// asked for.
    async fn of_invoice(
        &self,
        source: Source,
        statement: InvoiceStatement,
        now: i64,
    ) -> Result<Receipt, ReadingError> {
        let tagged = match statement.tagged.clone() {
            Some(tagged) => Some(tagged),
            None => self.readings.tags(&statement.subscription).await?,
        };
        let Some(tagged) = tagged else {
            return Ok(Receipt::Foreign);
        };
        let InvoiceStatement {
            subscription,
            id,
            report,
            ..
        } = with_all_lines(&self.stripe, statement).await?;
        let report = self.explained(&id, report).await;
        if report.trouble.is_some() && report.bill.next_attempt.is_none() {
            self.look_whether_it_ended(&subscription, now).await;
        }
        let received = InvoiceReceived {
            source,
            subscription,
            id,
            change: InvoiceChange::Seen(report),
            tagged: Some(tagged),
        };
        self.of_subscription(&received, now).await
    }

    /// Reads a subscription that nothing more will be charged for, because Stripe may have ended it
    /// at the same moment, and nobody should be asked to pay for one that is over. If Stripe cannot
    /// be reached, its own event still comes.
    async fn look_whether_it_ended(&self, id: &SubscriptionId, now: i64) {
        let fetched = Source::Fetched {
            object: id.to_string(),
            at: now,
        };
        let read = self.readings.read(id, Hint::Changed, &fetched, now).await;
        if let Err(error) = read {
            tracing::warn!(subscription = %id, %error, "it is not known yet whether it ended");
        }
    }

    /// A report completed by what the event of a failed attempt leaves out: whether it failed
    /// because the buyer has to act. If Stripe cannot be reached, it is recorded without that; the
    /// event that says so may still come.
    async fn explained(&self, id: &InvoiceId, report: InvoiceReport) -> InvoiceReport {
        if report.trouble != Some(Trouble::Failed) {
            return report;
        }
        match self.owners.invoice(id).await {
            Ok(Some(fetched)) if fetched.bill.attempts == report.bill.attempts => InvoiceReport {
                trouble: fetched.trouble.max(report.trouble),
                intent: fetched.intent.or(report.intent),
                ..report
            },
            Ok(_) => report,
            Err(error) => {
                tracing::warn!(invoice = %id, %error, "it is not known yet why a payment failed");
                report
            }
        }
    }

    async fn of_subscription(
        &self,
        received: &InvoiceReceived,
        now: i64,
    ) -> Result<Receipt, ReadingError> {
        let outcome = self.invoices.record(received, now).await?;
        let subject = Subject::Invoice(received.subscription.clone(), received.id.clone());
        Ok(receipt(subject, outcome))
    }

    /// Records what became of a payment, for whatever it paid. An invoice that is not known yet is
    /// recorded first, as Stripe shows it.
    async fn of_payment(
        &self,
        source: Source,
        intent: PaymentIntentId,
        change: PaymentChange,
        now: i64,
    ) -> Result<Receipt, ReadingError> {
        let (subscription, id) = match self.owners.of_payment(&intent).await? {
            None => return Ok(Receipt::Foreign),
            Some(Owner::Purchase { id, origin }) => {
                let report = Report {
                    source,
                    purchase: id,
                    change: Change::Payment(change),
                    payment_intent: Some(intent),
                    origin,
                };
                return self.of_purchase(&report, now).await;
            }
            Some(Owner::Invoice { subscription, id }) => (subscription, id),
            Some(Owner::NewInvoice(statement)) => {
                let key = (statement.subscription.clone(), statement.id.clone());
                let fetched = Source::Fetched {
                    object: statement.id.to_string(),
                    at: now,
                };
                match self.of_invoice(fetched, *statement, now).await? {
                    Receipt::Foreign => return Ok(Receipt::Foreign),
                    _ => key,
                }
            }
        };
        let received = InvoiceReceived {
            source,
            subscription,
            id,
            change: InvoiceChange::Payment(intent, change),
            tagged: None,
        };
        self.of_subscription(&received, now).await
    }

    /// A session's state, completed by what its event leaves out: whether a delayed payment waits
    /// for the buyer or the bank. If Stripe cannot be reached, the event is recorded without it, and
    /// `reconcile` asks again.
    async fn completed(
        &self,
        state: SessionState,
        intent: Option<&PaymentIntentId>,
    ) -> SessionState {
        let (SessionState::Pending { .. }, Some(intent)) = (&state, intent) else {
            return state;
        };
        match self.owners.fetch(intent).await {
            Ok(Some(intent)) => SessionState::Pending {
                waits_for: intent.waits_for(),
            },
            Ok(None) => state,
            Err(error) => {
                tracing::warn!(%intent, %error, "it is not known yet what a payment waits for");
                state
            }
        }
    }
}

fn receipt(subject: Subject, outcome: Outcome) -> Receipt {
    match outcome {
        Outcome::Recorded(status, attention) => Receipt::Recorded {
            subject,
            status,
            attention,
        },
        Outcome::NothingNew => Receipt::NothingNew,
        Outcome::SeenBefore => Receipt::SeenBefore,
        Outcome::NoSuchPurchase => Receipt::NoSuchPurchase,
    }
}
