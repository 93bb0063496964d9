//! Where authentic events come in, whoever brings them: Stripe to the webhook, `reconcile` from
//! Stripe's list, or an operator who replays one. Nothing authentic is lost: an event is recorded,
//! parked, or known to be none of our business.

use std::collections::BTreeSet;

use crate::{
    config::{ConfigError, Environment, Stack},
    ledger::{Ledger, Outcome, Report, Source},
    mode::Mode,
    money::Money,
    purchase::{
        Attention, Buyer, Change, ChargeId, PaymentIntentId, SessionState, Status, Subject,
    },
    store::{StoreError, Tables, parked::Parked, pointers::Pointers},
    stripe::{
        client::{Client as Stripe, StripeError},
        event::{Event, Label, Owner, Unreadable},
        object::{Charge, PaymentIntent},
    },
    telemetry::Metric,
};

/// Takes events in.
#[derive(Clone)]
pub struct Inbox {
    ledger: Ledger,
    pointers: Pointers,
    parked: Parked,
    stripe: Stripe,
    mode: Mode,
    stack: Stack,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It told something new.
    Recorded {
        /// What it is about.
        subject: Subject,
        /// How it stands now.
        status: Status,
        /// What a person should look at.
        attention: BTreeSet<Attention>,
    },
    /// It told nothing new.
    NothingNew,
    /// This very event was recorded before.
    SeenBefore,
    /// It is about a purchase that is not kept here any more, and moved no money.
    NoSuchPurchase,
    /// It is about something that is not ours.
    Foreign,
    /// It is of a type we have no use for.
    Unhandled,
    /// It is kept until somebody has mended what keeps it from being recorded.
    Parked,
    /// It was parked before, and is kept on.
    ParkedBefore,
}

impl Receipt {
    /// As the webhook answers it to Stripe, and logs have it.
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

/// An event could not be taken in now; it has to come again.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// DynamoDB failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stripe had to be asked whose it is, and failed.
    #[error("Stripe cannot be asked whose it is: {0}")]
    Stripe(#[from] StripeError),
}

/// Why an event is not recorded.
enum NotRecorded {
    /// It is not what we know of Stripe's events.
    Unreadable(Unreadable),
    /// It is a test on a live deployment, or the other way round.
    OtherMode(Mode),
    /// The event is fine; we are not.
    Ours(InboxError),
}

impl From<Unreadable> for NotRecorded {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

/// What would fail again when the event comes again gets the event parked.
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

/// What something belongs to, and what that is rebuilt from if it was lost.
type Owned = (Subject, Option<(Buyer, Money)>);

impl Inbox {
    /// Reads tables, mode and Stripe's key from the environment.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let tables = Tables::of(environment)?;
        Self::asking(Stripe::new(environment).await?, &tables, environment)
    }

    /// One that writes nothing, and answers what would become of an event.
    pub async fn dry_run(environment: &Environment) -> Result<Self, ConfigError> {
        let tables = Tables::of(environment)?.dry_run();
        Self::asking(Stripe::new(environment).await?, &tables, environment)
    }

    /// One that asks this Stripe account, and records in these tables.
    pub fn asking(
        stripe: Stripe,
        tables: &Tables,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let mode = environment.mode()?;
        Ok(Self {
            ledger: Ledger::of(tables, mode)?,
            pointers: Pointers::of(tables)?,
            parked: Parked::of(tables)?,
            stripe,
            mode,
            stack: environment.stack()?,
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
                tracing::error!(event = id, %error, "the event is not recorded");
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
            // Why is said in the parked row: it may quote what the event holds.
            let metric = metric.as_str();
            tracing::error!(metric, event = id, "an authentic event is parked");
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
        let Some(mut statement) = event.statement(&self.stack)? else {
            return Ok(Receipt::Foreign);
        };
        let owned = match statement.owner {
            Owner::Tagged { subject, origin } => Some((subject, origin)),
            Owner::OfPayment(charge) => {
                if let (None, Some(charge)) = (&statement.payment_intent, charge) {
                    statement.payment_intent = self.payment_intent_of(&charge).await?;
                }
                match &statement.payment_intent {
                    Some(intent) => self.owner_of(intent).await?,
                    // Every payment of ours has a payment intent.
                    None => None,
                }
            }
        };
        let Some((subject, origin)) = owned else {
            return Ok(Receipt::Foreign);
        };
        let change = self
            .completed(statement.change, statement.payment_intent.as_ref())
            .await;
        let report = Report {
            source,
            subject,
            change,
            payment_intent: statement.payment_intent,
            origin,
        };
        Ok(match self.ledger.record(&report, now).await? {
            Outcome::Recorded(status, attention) => Receipt::Recorded {
                subject,
                status,
                attention,
            },
            Outcome::NothingNew => Receipt::NothingNew,
            Outcome::SeenBefore => Receipt::SeenBefore,
            Outcome::NoSuchPurchase => Receipt::NoSuchPurchase,
        })
    }

    /// A change, with what its event leaves out: whether a delayed payment waits for the buyer or
    /// the bank. Stripe may be out of reach; then the event is recorded without, and `reconcile`
    /// asks again.
    async fn completed(&self, change: Change, intent: Option<&PaymentIntentId>) -> Change {
        let (Change::Session(session, SessionState::Pending { .. }), Some(intent)) =
            (&change, intent)
        else {
            return change;
        };
        match self.fetch(intent).await {
            Ok(Some(intent)) => {
                let waits_for = intent.waits_for();
                Change::Session(session.clone(), SessionState::Pending { waits_for })
            }
            Ok(None) => change,
            Err(error) => {
                tracing::warn!(%intent, %error, "what a payment waits for is not known yet");
                change
            }
        }
    }

    async fn fetch(&self, intent: &PaymentIntentId) -> Result<Option<PaymentIntent>, StripeError> {
        let path = format!("/payment_intents/{intent}");
        self.stripe.get(&path, &[]).await
    }

    /// Whose a payment intent is: as was recorded, or, if it comes before its payment's own event,
    /// as Stripe says. `None` if it is not ours.
    async fn owner_of(&self, intent: &PaymentIntentId) -> Result<Option<Owned>, NotRecorded> {
        if let Some(owner) = self.pointers.owner_of(intent).await? {
            return Ok(Some((owner, None)));
        }
        let Some(intent) = self.fetch(intent).await? else {
            return Ok(None);
        };
        let subject = intent.metadata.subject(&self.stack)?;
        Ok(subject.map(|subject| (subject, Some(intent.origin()))))
    }

    async fn payment_intent_of(
        &self,
        charge: &ChargeId,
    ) -> Result<Option<PaymentIntentId>, StripeError> {
        let charge: Option<Charge> = self.stripe.get(&format!("/charges/{charge}"), &[]).await?;
        Ok(charge.and_then(|charge| charge.payment_intent()))
    }
}

fn log(event: Option<&str>, receipt: &Receipt) {
    let result = receipt.as_str();
    match receipt {
        Receipt::Recorded {
            subject: Subject::Purchase(purchase_id),
            status,
            ..
        } => {
            let status = status.as_str();
            tracing::info!(event, result, %purchase_id, status, "the event is taken care of");
        }
        _ => tracing::info!(event, result, "the event is taken care of"),
    }
}
