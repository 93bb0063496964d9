//! One account: all that belongs to one secret key, apart from what belongs to any other.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use url::Url;

use crate::engine::database::{Database, Transaction};
use crate::engine::faults::Faults;
use crate::engine::resource::Cause;
use crate::webhook::signature::SigningSecret;
use crate::wire::idempotency::KeysInUse;
use crate::{due, promotion};

/// An account of the stand-in. Clones share one state.
#[derive(Clone)]
pub struct Account(pub(crate) Arc<Inner>);

/// What the clones of an account share.
pub(crate) struct Inner {
    pub(crate) id: AccountId,
    /// The base of payment pages.
    pub(crate) public_url: Url,
    pub(crate) database: Database,
    pub(crate) keys_in_use: KeysInUse,
    pub(crate) faults: Faults,
    pub(crate) webhook_client: reqwest::Client,
    /// Signs what goes to an endpoint that has no secret of its own.
    pub(crate) own_secret: Option<SigningSecret>,
    /// There may be something to deliver, or time has moved.
    pub(crate) changed: Notify,
}

/// `acct_…`, the same for the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AccountId(String);

impl AccountId {
    /// The account of a secret key: what follows `sk_test_` decides it, so that its publishable and
    /// restricted keys lead to the same.
    pub(crate) fn of_key(key: &str) -> Self {
        let own = key.splitn(3, '_').last().unwrap_or_default();
        let digest = hex::encode(Sha256::digest(own));
        Self(format!("acct_1{}", digest.get(..15).unwrap_or_default()))
    }

    /// An id as [`of_key`](Self::of_key) makes them.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let digits = id.strip_prefix("acct_1")?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        (digits.len() == 15 && is_hex).then(|| Self(id.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Account {
    /// Opens the account and whatever it holds from earlier runs.
    pub(crate) fn open(
        id: AccountId,
        file: Option<&Path>,
        public_url: Url,
        webhook_client: reqwest::Client,
        own_secret: Option<SigningSecret>,
    ) -> anyhow::Result<Self> {
        let account = Self(Arc::new(Inner {
            id,
            public_url,
            database: Database::open(file)?,
            keys_in_use: KeysInUse::default(),
            faults: Faults::default(),
            webhook_client,
            own_secret,
            changed: Notify::new(),
        }));
        account.begin(promotion::life::make_ready)?;
        Ok(account)
    }

    /// Runs `work` before anybody can ask for anything. Blocks.
    pub(crate) fn begin(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let database = &self.0.database;
        database.transact(&self.0.faults, |transaction| work(transaction))
    }

    /// Runs `work` in one transaction, on a thread that may block, after everything that the
    /// passing of time has made due. An error leaves no trace.
    pub(crate) async fn transact<T, E>(
        &self,
        cause: Cause,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<anyhow::Error> + Send + 'static,
    {
        let inner = Arc::clone(&self.0);
        let task = move || -> Result<(T, bool), E> {
            inner.database.transact(&inner.faults, |transaction| {
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
        }
        Ok(done)
    }
}
