//! The stand-in itself: what it needs to know, what it keeps, and how that changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::Notify;
use url::Url;

use crate::cli::listeners::Listeners;
use crate::engine::database::{Database, Transaction};
use crate::engine::faults::Faults;
use crate::engine::resource::Cause;
use crate::webhook::endpoint;
use crate::webhook::signature::SigningSecret;
use crate::wire::idempotency::KeysInUse;
use crate::{due, promotion};

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
pub struct StandIn(pub(crate) Arc<Shared>);

/// What the clones of a stand-in share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) database: Database,
    pub(crate) keys_in_use: KeysInUse,
    pub(crate) faults: Faults,
    pub(crate) webhook_client: reqwest::Client,
    pub(crate) listeners: Listeners,
    /// There may be something to deliver, or time has moved.
    pub(crate) changed: Notify,
}

/// How long the webhook may take to answer.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

impl StandIn {
    /// Opens the database and whatever it holds from earlier runs.
    pub fn open(config: Config) -> anyhow::Result<Self> {
        if config.secret_key.starts_with("sk_live") {
            bail!("the stand-in does not take live keys: use one that starts with sk_test_");
        }
        if config.secret_key.is_empty() {
            bail!("the stand-in needs a secret key, such as sk_test_local");
        }
        let database = Database::open(config.database.as_deref())?;
        let faults = Faults::default();
        database.transact(&faults, |transaction| {
            promotion::life::make_ready(transaction)?;
            endpoint::register_shops_own(
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
        let listeners = Listeners::of(&config.secret_key)?;
        Ok(Self(Arc::new(Shared {
            config,
            database,
            keys_in_use: KeysInUse::default(),
            faults,
            webhook_client,
            listeners,
            changed: Notify::new(),
        })))
    }

    /// Runs `work` in one transaction, on a thread that may block, after everything that the passing
    /// of time has made due. An error leaves no trace.
    pub(crate) async fn transact<T, E>(
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
                due::catch_up(transaction)?;
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
            self.0.listeners.look();
        }
        Ok(done)
    }
}
