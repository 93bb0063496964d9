//! Where authentic events come in: from Stripe to the webhook, from Stripe's list through
//! `reconcile`, or from an operator who replays one. Nothing authentic is lost: an event is
//! recorded, parked, or known not to be for this shop.

use crate::{
    config::{ConfigError, Environment, Stack},
    ledger::Source,
    mode::Mode,
    readings::ReadingError,
    store::{StoreError, Tables, parked::Parked},
    stripe::{
        client::{Client as Stripe, StripeError},
        event::{Event, Label, Unreadable},
    },
    telemetry::Metric,
};

mod owner;
mod receipt;
mod recorder;

use recorder::Recorder;

pub use receipt::Receipt;

/// Takes events in.
#[derive(Clone)]
pub struct Inbox {
    recorder: Recorder,
    parked: Parked,
    mode: Mode,
    stack: Stack,
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
    pub fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let tables = Tables::of(environment)?;
        Self::asking(Stripe::new(environment)?, &tables, environment)
    }

    /// An inbox that writes nothing, and returns what would become of an event.
    pub fn dry_run(environment: &Environment) -> Result<Self, ConfigError> {
        let tables = Tables::of(environment)?.dry_run();
        Self::asking(Stripe::new(environment)?, &tables, environment)
    }

    /// An inbox for this Stripe account and these tables.
    pub fn asking(
        stripe: Stripe,
        tables: &Tables,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let (mode, stack) = (environment.mode()?, environment.stack()?);
        Ok(Self {
            recorder: Recorder::of(stripe, tables, (mode, stack.clone()))?,
            parked: Parked::of(tables)?,
            mode,
            stack,
        })
    }

    /// Takes an event in. It must be authentic.
    pub async fn take(&self, event: &[u8], now: i64) -> Result<Receipt, InboxError> {
        let (Label { id, created }, read) = Event::read(event);
        let (metric, why) = match self.record(read, now).await {
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

    async fn record(
        &self,
        event: Result<Option<Event>, Unreadable>,
        now: i64,
    ) -> Result<Receipt, NotRecorded> {
        let Some(event) = event? else {
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
            Some(statement) => Ok(self.recorder.record(source, statement, now).await?),
            None => Ok(Receipt::Foreign),
        }
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
