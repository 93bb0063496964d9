//! Where authentic events come in: from Stripe to the webhook, from Stripe's list through
//! `reconcile`, or from an operator who replays one. Nothing authentic is lost: an event is
//! recorded, parked, or known not to be for this shop.

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
    /// It said something new.
    Recorded {
        /// What the event is about.
        subject: Subject,
        /// How it stands now.
        status: Status,
        /// What a person should look at.
        attention: BTreeSet<Attention>,
    },
    /// It said nothing new.
    NothingNew,
    /// This very event was recorded before.
    SeenBefore,
    /// It is about a purchase that no longer exists here, and moved no money.
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

/// What an event belongs to, and what that is rebuilt from if it was lost.
type Owned = (Subject, Option<(Buyer, Money)>);

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

    /// A change, completed by what its event leaves out: whether a delayed payment waits for the
    /// buyer or the bank. If Stripe cannot be reached, the event is recorded without it, and
    /// `reconcile` asks again.
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
                tracing::warn!(%intent, %error, "it is not known yet what a payment waits for");
                change
            }
        }
    }

    async fn fetch(&self, intent: &PaymentIntentId) -> Result<Option<PaymentIntent>, StripeError> {
        let path = format!("/payment_intents/{intent}");
        self.stripe.get(&path, &[]).await
    }

    /// What a payment intent belongs to: as recorded, or, before the payment's own event, as Stripe
    /// says. `None` if it is not ours.
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
            tracing::info!(event, result, %purchase_id, status, "the event was taken in");
        }
        _ => tracing::info!(event, result, "the event was taken in"),
    }
}
