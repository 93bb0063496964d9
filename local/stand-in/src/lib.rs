//! A Stripe for one machine: enough of its API for Checkout payments, a payment page, events, and
//! signed webhooks, behind one address.
//!
//! One payment walks through these rooms:
//!
//! 1. The shop posts to `/v1/checkout/sessions`: [`api`] checks the key, replays what an
//!    idempotency key has already answered, reads the parameters and stores a session ([`objects`]).
//! 2. The buyer's browser opens `/pay/<session>` ([`page`]) and submits a card ([`cards`]).
//! 3. [`checkout`] changes the session, its payment intent and its charge, books the money
//!    ([`money`]) and records what happened ([`events`]), all in one transaction ([`database`]).
//! 4. [`delivery`] signs and posts each event that the webhook subscribes to, until it is taken.
//! 5. Later the money may go back: [`refunds`] by the shop's wish, [`disputes`] by the buyer's.
//!
//! Everything is on disk before anybody is answered, so the process may be killed at any moment.
//! Time is the stand-in's own ([`clock`]) and can be moved forward; [`control`] is how.
//!
//! Objects, errors and rules are those of Stripe's API reference at [`API_VERSION`].
#![warn(missing_docs)]

mod api;
mod cards;
mod checkout;
mod clock;
mod control;
mod currency;
mod database;
mod delivery;
mod disputes;
mod door;
mod events;
mod faults;
mod ids;
mod money;
mod objects;
mod page;
mod promotions;
mod refunds;
mod signature;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use tokio::sync::Notify;
use url::Url;

use self::database::{Cause, Database, Transaction};
use self::faults::Faults;

pub use self::control::{Clock, ControlError, DisputeKind, DisputeStatus, NewDispute, RefundStep};
pub use self::delivery::{Attempt, Delivery, DeliveryState};
pub use self::faults::{Fault, PlannedFault};
pub use self::signature::{EmptySecret, SigningSecret};

/// The one version of Stripe's API that the stand-in speaks.
pub const API_VERSION: &str = "2026-09-30.endive";

/// What a stand-in needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// The SQLite file that holds everything; `None` keeps it in memory and forgets it at the end.
    pub database: Option<PathBuf>,
    /// Where buyers' browsers reach the stand-in.
    pub public_url: Url,
    /// The API key that callers must show.
    pub secret_key: String,
    /// Signs the webhooks.
    pub webhook_secret: SigningSecret,
    /// Where the webhooks go.
    pub webhook_url: Url,
    /// The event types that the webhook subscribes to: names, `charge.dispute.*`, or `*`.
    pub enabled_events: Vec<String>,
}

/// The stand-in. Clones share one state.
#[derive(Clone)]
pub struct StandIn(Arc<Shared>);

struct Shared {
    config: Config,
    database: Database,
    keys_in_use: api::KeysInUse,
    faults: Faults,
    webhook_client: reqwest::Client,
    /// There may be something to deliver, or time has moved.
    changed: Notify,
}

/// How long the webhook may take to answer.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

impl StandIn {
    /// Opens the database and whatever it holds from earlier runs.
    pub fn open(config: Config) -> anyhow::Result<Self> {
        if config.secret_key.starts_with("sk_live") {
            bail!("the stand-in takes no live key: give it one that starts with sk_test_");
        }
        if config.secret_key.is_empty() {
            bail!("the stand-in needs a secret key, such as sk_test_local");
        }
        let database = Database::open(config.database.as_deref())?;
        let faults = Faults::default();
        database.transact(&faults, |transaction| {
            promotions::make_ready(transaction)?;
            delivery::register_shops_own(
                transaction,
                config.webhook_url.as_str(),
                &config.enabled_events,
            )
        })?;
        let webhook_client = reqwest::Client::builder()
            .timeout(WEBHOOK_TIMEOUT)
            // Stripe takes a redirect for a failure.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("cannot make the HTTP client for webhooks")?;
        Ok(Self(Arc::new(Shared {
            config,
            database,
            keys_in_use: api::KeysInUse::default(),
            faults,
            webhook_client,
            changed: Notify::new(),
        })))
    }

    /// Everything the stand-in answers: `/v1`, `/pay` and `/_stripe`.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(page::routes())
            .merge(control::routes())
            .layer(axum::middleware::from_fn_with_state(
                self.clone(),
                door::only_from_here,
            ))
            .fallback(api::answer)
            .with_state(self.clone())
    }

    /// Delivers events and lets sessions expire until `shutdown` is ready, beginning with what an
    /// earlier run has left undelivered.
    pub async fn deliver(&self, shutdown: impl Future<Output = ()>) {
        delivery::run(self, shutdown).await;
    }

    /// Runs `work` in one transaction, on a thread that may block, after everything that the passing
    /// of time has made due. An error leaves no trace.
    async fn transact<T, E>(
        &self,
        cause: Cause,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<anyhow::Error> + Send + 'static,
    {
        let shared = Arc::clone(&self.0);
        let task = move || -> Result<(T, bool), E> {
            shared.database.transact(&shared.faults, |transaction| {
                let before = transaction.changes();
                checkout::expire_overdue(transaction)?;
                refunds::decide_due(transaction)?;
                promotions::end_due(transaction)?;
                transaction.caused_by(cause);
                let done = work(transaction)?;
                Ok((done, transaction.changes() != before))
            })
        };
        let (done, changed) = match tokio::task::spawn_blocking(task).await {
            Ok(outcome) => outcome?,
            Err(panicked) => return Err(anyhow::Error::new(panicked).into()),
        };
        if changed {
            self.0.changed.notify_one();
        }
        Ok(done)
    }
}
