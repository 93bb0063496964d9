//! One account: all that belongs to one secret key, apart from what belongs to any other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::{Notify, watch};

use crate::due;
use crate::engine::clock;
use crate::engine::database::Database;
use crate::engine::faults::Faults;
use crate::engine::ids::AccountId;
use crate::engine::resource::Cause;
use crate::engine::settings::{set, setting};
use crate::engine::snapshots::Snapshots;
use crate::engine::time::MachineTime;
use crate::engine::transaction::Transaction;
use crate::seed::{Seed, SeedError};
use crate::webhook::alarm::Alarm;
use crate::webhook::endpoint::{self, Webhook};
use crate::wire::answer::Settings;
use crate::wire::idempotency::KeysInUse;
use crate::wire::requests::{LoggedRequest, Unwritten};

/// The name of the number that says whether the seed was sown.
const SOWN: &str = "sown";

/// How long a call that changed nothing may wait to be written down with others.
const GATHERING: Duration = Duration::from_millis(20);

/// An account of the stand-in. Clones share one state.
#[derive(Clone)]
pub struct Account(pub(crate) Arc<Inner>);

/// What the clones of an account share.
pub(crate) struct Inner {
    pub(crate) id: AccountId,
    /// What people recognise it by: how its key ends.
    pub(crate) name: String,
    pub(crate) settings: Arc<Settings>,
    pub(crate) beginning: Beginning,
    pub(crate) database: Database,
    pub(crate) keys_in_use: KeysInUse,
    pub(crate) faults: Faults,
    pub(crate) webhook_client: reqwest::Client,
    pub(crate) snapshots: Snapshots,
    /// There may be something to deliver, or time has moved.
    pub(crate) changed: Notify,
    /// When whoever delivers looks without being told.
    pub(crate) alarm: Alarm,
    /// By how many seconds its time was ahead of the machine's when it was last asked for anything.
    pub(crate) ahead: AtomicI64,
    /// Calls that are still to be written down.
    pub(crate) unwritten: Unwritten,
    /// Changes when there may be something new to see.
    pub(crate) news: watch::Sender<()>,
}

/// What an account has from the start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beginning {
    /// An endpoint that nobody has to make.
    pub(crate) webhook: Option<Webhook>,
    /// What is there when the account is new, or reset.
    pub(crate) seed: Seed,
}

impl Account {
    /// Opens the account and whatever it holds from earlier runs. `name` is that of a new one.
    pub(crate) fn open(
        settings: Settings,
        name: &str,
        beginning: Beginning,
        file: Option<&Path>,
        webhook_client: reqwest::Client,
        machine: MachineTime,
    ) -> Result<Self, SeedError> {
        let database = Database::open(file, &settings.public_url, machine)?;
        let (owner, name) = database.owner(&settings.account, name)?;
        if let Some(file) = file
            && owner != settings.account.as_str()
        {
            let (file, account) = (file.display(), &settings.account);
            return Err(anyhow!(
                "{file} holds the account {owner}, and the key is that of {account}: start with the key \
                 that the file was made with, or in another folder"
            )
            .into());
        }
        let account = Self(Arc::new(Inner {
            id: settings.account.clone(),
            name,
            settings: Arc::new(settings),
            beginning,
            database,
            keys_in_use: KeysInUse::default(),
            faults: Faults::default(),
            webhook_client,
            snapshots: Snapshots::default(),
            changed: Notify::new(),
            alarm: Alarm::default(),
            ahead: AtomicI64::new(0),
            unwritten: Unwritten::default(),
            news: watch::Sender::new(()),
        }));
        let Inner {
            database,
            faults,
            ahead,
            ..
        } = &*account.0;
        database.transact(faults, |transaction| {
            ahead.store(clock::ahead(transaction.sql)?, Ordering::Relaxed);
            account.make_ready(transaction)
        })?;
        Ok(account)
    }

    /// Brings the endpoint up to date, and sows the seed where nothing was sown.
    fn make_ready(&self, transaction: &Transaction<'_>) -> Result<(), SeedError> {
        if let Some(webhook) = &self.0.beginning.webhook {
            endpoint::register_own(transaction, webhook)?;
        }
        if setting(transaction.sql, SOWN)? == 0 {
            self.0.beginning.seed.sow(transaction, &self.0.settings)?;
            // What was there before anybody listened is nothing to tell.
            transaction.forget_events()?;
            set(transaction.sql, SOWN, 1)?;
        }
        Ok(())
    }

    /// Begins anew: everything is gone but what the account has from the start.
    pub(crate) async fn reset(&self) -> Result<(), SeedError> {
        self.0.faults.clear();
        self.0.unwritten.forget();
        let account = self.clone();
        self.transact(Cause::default(), move |transaction| {
            transaction.clear()?;
            account.make_ready(transaction)
        })
        .await
    }

    /// Runs `work` in one transaction, after everything that the passing of time has made due. An error
    /// leaves no trace.
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
        let task = move || {
            inner.database.transact(&inner.faults, |transaction| {
                let before = transaction.changes();
                due::catch_up(transaction)?;
                transaction.caused_by(cause);
                let done = work(transaction)?;
                let ahead = clock::ahead(transaction.sql)?;
                inner.ahead.store(ahead, Ordering::Relaxed);
                let changed = transaction.changes() != before;
                let is_due = changed && inner.alarm.is_too_late(transaction)?;
                Ok((done, changed, is_due))
            })
        };
        let outcome: Result<Result<_, E>, _> = match self.0.database.is_on_disk() {
            true => tokio::task::spawn_blocking(task).await.map_err(Into::into),
            // It is done sooner than another thread would be awake.
            false => catch_unwind(AssertUnwindSafe(task)).map_err(|_| anyhow!("a call panicked")),
        };
        let (done, changed, is_due) = outcome??;
        if is_due {
            self.0.changed.notify_one();
        }
        if changed {
            self.0.settings.listeners.look();
            self.0.news.send_replace(());
        }
        Ok(done)
    }

    /// The same in the time of the test clock that an object lives in, if it lives in one's.
    pub(crate) async fn transact_in_time_of<T, E>(
        &self,
        object: &str,
        cause: Cause,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<anyhow::Error> + Send + 'static,
    {
        let object = object.to_owned();
        self.transact(cause, move |transaction| {
            work(&transaction.in_time_of([object.as_str()])?)
        })
        .await
    }

    /// Writes down a call that changed nothing, soon.
    pub(crate) fn log(&self, request: LoggedRequest) {
        if !self.0.unwritten.push(request) {
            return;
        }
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(GATHERING).await;
            let write = {
                let inner = Arc::clone(&inner);
                move || {
                    let write = |transaction: &Transaction<'_>| inner.unwritten.write(transaction);
                    inner.database.transact_in_passing(&inner.faults, write)
                }
            };
            let written = match inner.database.is_on_disk() {
                true => tokio::task::spawn_blocking(write)
                    .await
                    .map_err(Into::into)
                    .flatten(),
                false => write(),
            };
            if let Err(error) = written {
                let error = format!("{error:#}");
                tracing::error!(error, "cannot write down what was answered");
            }
            inner.news.send_replace(());
        });
    }
}
