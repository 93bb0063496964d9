//! Where authentic events come in: from Stripe to the webhook, from Stripe's list through
//! `reconcile`, or from an operator who replays one. Nothing authentic is lost: an event is
//! recorded, parked, or known not to be for this shop.

use std::collections::BTreeSet;

use crate::{
    config::{ConfigError, Environment, Stack},
    invoice::InvoiceChange,
    ledger::{InvoiceLedger, InvoiceReceived, Ledger, Outcome, Report, Source},
    mode::Mode,
    purchase::{Attention, Change, PaymentChange, PaymentIntentId, SessionState, Subject},
    readings::{Read, ReadingError, Readings},
    standing::Standing,
    store::{StoreError, Tables, parked::Parked},
    stripe::{
        client::{Client as Stripe, StripeError},
        event::{Event, InvoiceStatement, Label, Statement, Unreadable},
    },
    telemetry::Metric,
};

mod owner;

use owner::{Owner, Owners};

/// Takes events in.
#[derive(Clone)]
pub struct Inbox {
    ledger: Ledger,
    invoices: InvoiceLedger,
    readings: Readings,
    owners: Owners,
    parked: Parked,
    mode: Mode,
    stack: Stack,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It said something new.
    Recorded {
        /// What the event is about.
        subject: Subject,
        /// How it stands now.
        status: Standing,
        /// What a person should look at.
        attention: BTreeSet<Attention>,
    },
    /// It said nothing new.
    NothingNew,
    /// This very event was recorded before.
    SeenBefore,
    /// It is about a purchase or an invoice that no longer exists here, and moved no money.
    NoSuchPurchase,
    /// It is about something that does not belong to this shop.
    Foreign,
    /// Till does not handle its type.
    Unhandled,
    /// It is kept until somebody has fixed what keeps it from being recorded.
    Parked,
    /// It was parked before, and is still kept.
    ParkedBefore,
}

impl Receipt {
    /// As the webhook tells Stripe, and as logs say it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Recorded { .. } => "recorded",
            Self::NothingNew => "nothing new",
            Self::SeenBefore => "seen before",
            Self::NoSuchPurchase => "no such purchase",
            Self::Foreign => "foreign",
            Self::Unhandled => "unhandled",
            Self::Parked | Self::ParkedBefore => "parked",
        }
    }
}

/// An event could not be taken in now; it has to be sent again.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// DynamoDB failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stripe failed when asked what the event belongs to.
    #[error("Stripe cannot be asked what the event belongs to: {0}")]
    Stripe(#[from] StripeError),
}

/// Why an event is not recorded.
enum NotRecorded {
    /// It does not look like Stripe's events as we know them.
    Unreadable(Unreadable),
    /// It is a test event in a live deployment, or the other way round.
    OtherMode(Mode),
    /// The event is fine, but we failed.
    Ours(InboxError),
}

impl From<Unreadable> for NotRecorded {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

/// An event that would fail in the same way when sent again is parked.
impl From<StoreError> for NotRecorded {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unreadable { .. } | StoreError::Unwritable(_) => {
                Self::Unreadable(Unreadable(error.to_string()))
            }
            StoreError::Failed { .. } | StoreError::Contended(_) => Self::Ours(error.into()),
        }
    }
}

impl From<StripeError> for NotRecorded {
    fn from(error: StripeError) -> Self {
        match error {
            StripeError::Unreadable(why) => Self::Unreadable(Unreadable(why)),
            error => Self::Ours(error.into()),
        }
    }
}

impl From<ReadingError> for NotRecorded {
    fn from(error: ReadingError) -> Self {
        match error {
            ReadingError::Store(error) => error.into(),
            ReadingError::Stripe(error) => error.into(),
            ReadingError::Unreadable(error) => error.into(),
        }
    }
}

impl Inbox {
    /// Reads tables, mode and Stripe's key from the environment.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let tables = Tables::of(environment)?;
        Self::asking(Stripe::new(environment).await?, &tables, environment)
    }

    /// An inbox that writes nothing, and returns what would become of an event.
    pub async fn dry_run(environment: &Environment) -> Result<Self, ConfigError> {
        let tables = Tables::of(environment)?.dry_run();
        Self::asking(Stripe::new(environment).await?, &tables, environment)
    }

    /// An inbox for this Stripe account and these tables.
    pub fn asking(
        stripe: Stripe,
        tables: &Tables,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let (mode, stack) = (environment.mode()?, environment.stack()?);
        Ok(Self {
            ledger: Ledger::of(tables, mode)?,
            invoices: InvoiceLedger::of(tables, mode)?,
            readings: Readings::of(stripe.clone(), tables, (mode, stack.clone()))?,
            owners: Owners::of(stripe, tables, stack.clone())?,
            parked: Parked::of(tables)?,
            mode,
            stack,
        })
    }

    /// Takes an event in. It must be authentic.
    pub async fn take(&self, event: &[u8], now: i64) -> Result<Receipt, InboxError> {
        let Label { id, created } = Label::of(event);
        let (metric, why) = match self.record(event, now).await {
            Ok(receipt) => {
                log(id.as_deref(), &receipt);
                return Ok(receipt);
            }
            Err(NotRecorded::Ours(error)) => {
                tracing::error!(event = id, %error, "the event could not be recorded");
                return Err(error);
            }
            Err(NotRecorded::Unreadable(error)) => (Metric::Parked, error.to_string()),
            Err(NotRecorded::OtherMode(mode)) => (
                Metric::ModeMismatch,
                format!("livemode is {}", mode.livemode()),
            ),
        };
        let parked = self.parked.park(id.as_deref(), created, event, &why, now);
        let parked = parked.await?;
        if parked.answer {
            return Ok(Receipt::ParkedBefore);
        }
        if parked.written {
            // The reason is in the parked row only, because it may quote the event.
            let metric = metric.as_str();
            tracing::error!(metric, event = id, "an authentic event was parked");
        }
        Ok(Receipt::Parked)
    }

    async fn record(&self, event: &[u8], now: i64) -> Result<Receipt, NotRecorded> {
        let Some(event) = Event::parse(event)? else {
            return Ok(Receipt::Unhandled);
        };
        let mode = Mode::of(event.livemode);
        if mode != self.mode {
            return Err(NotRecorded::OtherMode(mode));
        }
        let source = Source::Event {
            id: event.id.clone(),
            kind: event.name.to_owned(),
        };
        match event.statement(&self.stack)? {
            None => Ok(Receipt::Foreign),
            Some(Statement::Session {
                purchase,
                session,
                state,
                payment_intent,
                origin,
            }) => {
                let state = self.completed(state, payment_intent.as_ref()).await;
                let report = Report {
                    source,
                    purchase,
                    change: Change::Session(session, state),
                    payment_intent,
                    origin,
                };
                self.of_purchase(&report, now).await
            }
            Some(Statement::Payment {
                tagged: Some(purchase),
                change,
                payment_intent,
                ..
            }) => {
                let report = Report {
                    source,
                    purchase,
                    change: Change::Payment(change),
                    payment_intent,
                    origin: None,
                };
                self.of_purchase(&report, now).await
            }
            Some(Statement::Payment {
                tagged: None,
                change,
                payment_intent,
                charge,
            }) => {
                let intent = match (payment_intent, charge) {
                    (None, Some(charge)) => self.owners.payment_intent_of(&charge).await?,
                    (intent, _) => intent,
                };
                match intent {
                    Some(intent) => self.of_payment(source, intent, change, now).await,
                    // Every payment of ours has a payment intent.
                    None => Ok(Receipt::Foreign),
                }
            }
            Some(Statement::Invoice(statement)) => self.of_invoice(source, statement, now).await,
            Some(Statement::Subscription(id, hint)) => {
                let read = self.readings.read(&id, hint, &source, now).await?;
                Ok(match read {
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
        }
    }

    async fn of_purchase(&self, report: &Report, now: i64) -> Result<Receipt, NotRecorded> {
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
    ) -> Result<Receipt, NotRecorded> {
        let InvoiceStatement {
            subscription,
            id,
            report,
            tagged,
        } = statement;
        let tagged = match tagged {
            Some(tagged) => Some(tagged),
            None => self.readings.tags(&subscription).await?,
        };
        let Some(tagged) = tagged else {
            return Ok(Receipt::Foreign);
        };
        let received = InvoiceReceived {
            source,
            subscription,
            id,
            change: InvoiceChange::Seen(report),
            tagged: Some(tagged),
        };
        self.of_subscription(&received, now).await
    }

    async fn of_subscription(
        &self,
        received: &InvoiceReceived,
        now: i64,
    ) -> Result<Receipt, NotRecorded> {
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
    ) -> Result<Receipt, NotRecorded> {
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
                match self.of_invoice(fetched, statement, now).await? {
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

fn log(event: Option<&str>, receipt: &Receipt) {
    let result = receipt.as_str();
    match receipt {
        Receipt::Recorded {
            subject, status, ..
        } => {
            let status = status.as_str();
            tracing::info!(event, result, %subject, status, "the event was taken in");
        }
        _ => tracing::info!(event, result, "the event was taken in"),
    }
}
