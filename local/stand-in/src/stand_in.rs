//! The stand-in itself: its accounts, by the keys that they are asked with.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures::FutureExt as _;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{Notify, watch};
use url::Url;

use crate::account::object::{Account, Beginning};
use crate::cli::listeners::Listeners;
use crate::engine::ids::AccountId;
use crate::engine::resource::Cause;
use crate::engine::time::MachineTime;
use crate::engine::transaction::Transaction;
use crate::seed::Seed;
use crate::webhook::delivery;
use crate::webhook::endpoint::Webhook;
use crate::window::place::PATH;
use crate::wire::answer::Settings;
use crate::wire::keys;

/// What a stand-in needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// The SQLite file that holds the default account; those of other keys are kept beside it.
    /// `None` keeps everything in memory and forgets it at the end.
    pub database: Option<PathBuf>,
    /// Where buyers' browsers reach the stand-in.
    pub public_url: Url,
    /// Whether pages are at `public_url` for everybody. Otherwise whoever asks by another of the
    /// stand-in's names is led to pages under that name.
    pub fixed_url: bool,
    /// Names besides that of `public_url`, `localhost` and `127.0.0.1` by which browsers reach it.
    pub host_names: Vec<String>,
    /// What buyers know the shop by.
    pub business_name: String,
    /// The secret key of the default account.
    pub secret_key: String,
    /// Who else may ask.
    pub other_keys: OtherKeys,
    /// An endpoint that the default account has from the start.
    pub webhook: Option<Webhook>,
    /// What every account begins with.
    pub seed: Seed,
    /// The clock that accounts' own are ahead of.
    pub machine: MachineTime,
}

/// What becomes of requests with a test key that is not the default account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherKeys {
    /// They are answered 401, as Stripe answers a wrong or revoked key.
    Refused,
    /// Each is an account of its own, made when it is first used.
    OwnAccount,
}

/// The stand-in. Clones share one state.
#[derive(Clone)]
pub struct StandIn(pub(crate) Arc<Shared>);

/// What the clones of a stand-in share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    webhook_client: reqwest::Client,
    default: Account,
    /// Those of other keys.
    others: Mutex<BTreeMap<AccountId, Account>>,
    /// There is another account.
    opened: Notify,
    /// True once the stand-in stops: whatever would go on for ever has to end.
    pub(crate) stopping: watch::Sender<bool>,
}

/// How long a webhook may take to answer.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// A key that opens no account.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongKey;

impl Config {
    fn settings_of(&self, account: AccountId) -> anyhow::Result<Settings> {
        Ok(Settings {
            public_url: self.public_url.clone(),
            listeners: Listeners::of(&account)?,
            account,
            business_name: self.business_name.clone(),
        })
    }
}

impl StandIn {
    /// Opens the accounts and whatever they hold from earlier runs.
    pub fn open(config: Config) -> anyhow::Result<Self> {
        if config.secret_key.starts_with("sk_live") {
            bail!("the stand-in does not take live keys: use one that starts with sk_test_");
        }
        if config.secret_key.is_empty() {
            bail!("the stand-in needs a secret key, such as sk_test_local");
        }
        let webhook_client = reqwest::Client::builder()
            .timeout(WEBHOOK_TIMEOUT)
            // Stripe takes a redirect for a failure.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("cannot make the HTTP client for webhooks")?;
        let beginning = Beginning {
            webhook: config.webhook.clone(),
            seed: config.seed.clone(),
        };
        let default = Account::open(
            config.settings_of(AccountId::of_key(&config.secret_key))?,
            &keys::tail(&config.secret_key),
            beginning,
            config.database.as_deref(),
            webhook_client.clone(),
            config.machine.clone(),
        )
        .with_context(|| format!("cannot open the account of the key {}", config.secret_key))?;
        let stand_in = Self(Arc::new(Shared {
            config,
            webhook_client,
            default,
            others: Mutex::default(),
            opened: Notify::new(),
            stopping: watch::Sender::new(false),
        }));
        stand_in.reopen_others()?;
        Ok(stand_in)
    }

    /// The account of the key in the configuration.
    pub fn default_account(&self) -> &Account {
        &self.0.default
    }

    /// Where a person sees what it holds and what it was asked.
    pub fn window(&self) -> Url {
        let mut url = self.0.config.public_url.clone();
        url.set_path(PATH);
        url
    }

    /// The account that a key belongs to. A new one is made for a key that is new, if that may be.
    pub(crate) fn account(&self, key: &str) -> anyhow::Result<Result<Account, WrongKey>> {
        let config = &self.0.config;
        let id = AccountId::of_key(key);
        let is_test_key = ["sk_test_", "rk_test_", "pk_test_"]
            .iter()
            .any(|prefix| key.len() > prefix.len() && key.starts_with(prefix));
        Ok(match config.other_keys {
            _ if key == config.secret_key => Ok(self.0.default.clone()),
            _ if !is_test_key => Err(WrongKey),
            _ if id == self.0.default.0.id => Ok(self.0.default.clone()),
            OtherKeys::OwnAccount => Ok(self.other(id, &keys::tail(key))?),
            OtherKeys::Refused => Err(WrongKey),
        })
    }

    fn other(&self, id: AccountId, name: &str) -> anyhow::Result<Account> {
        let mut others = self.0.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(&id) {
            return Ok(known.clone());
        }
        let config = &self.0.config;
        let file = config.database.as_deref().map(|it| file_of(it, &id));
        let beginning = Beginning {
            webhook: None,
            seed: config.seed.clone(),
        };
        let account = Account::open(
            config.settings_of(id.clone())?,
            name,
            beginning,
            file.as_deref(),
            self.0.webhook_client.clone(),
            config.machine.clone(),
        )?;
        others.insert(id, account.clone());
        self.0.opened.notify_one();
        Ok(account)
    }

    /// Opens the accounts of other keys that earlier runs have left on disk, since they may have
    /// something to deliver.
    fn reopen_others(&self) -> anyhow::Result<()> {
        let Some(database) = &self.0.config.database else {
            return Ok(());
        };
        let folder = match database.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        for file in std::fs::read_dir(folder)? {
            let file = file?.path();
            let id = file
                .file_stem()
                .and_then(|stem| stem.to_str()?.rsplit_once('-'))
                .and_then(|(_, id)| AccountId::parse(id));
            if let Some(id) = id
                && file == file_of(database, &id)
            {
                // It has had its name since it was new.
                self.other(id, "")?;
            }
        }
        Ok(())
    }

    /// All accounts, the default one first.
    pub(crate) fn accounts(&self) -> Vec<Account> {
        let others = self.0.others.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(&self.0.default)
            .chain(others.values())
            .cloned()
            .collect()
    }

    /// The account that an object belongs to.
    pub(crate) async fn owner(&self, object: &str) -> anyhow::Result<Option<Account>> {
        for account in self.accounts() {
            let id = object.to_owned();
            let find =
                move |transaction: &Transaction<'_>| anyhow::Ok(transaction.shown(&id)?.is_some());
            if account.transact(Cause::default(), find).await? {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }

    /// Delivers events and lets happen what time brings, until `shutdown` is ready, beginning with
    /// what an earlier run has left undelivered.
    pub async fn deliver(&self, shutdown: impl Future<Output = ()>) {
        let shutdown = shutdown.shared();
        let mut running = FuturesUnordered::new();
        let mut known = HashSet::new();
        loop {
            for account in self.accounts() {
                if known.insert(account.0.id.clone()) {
                    let shutdown = shutdown.clone();
                    running.push(async move { delivery::run(&account, shutdown).await });
                }
            }
            tokio::select! {
                () = shutdown.clone() => {
                    self.0.stopping.send_replace(true);
                    break;
                }
                () = self.0.opened.notified() => {}
                Some(()) = running.next() => {}
            }
        }
        while running.next().await.is_some() {}
    }
}

/// Where the account of another key is kept: `stripe-acct_1….db` beside `stripe.db`.
fn file_of(database: &Path, id: &AccountId) -> PathBuf {
    let stem = database.file_stem().unwrap_or_default().to_string_lossy();
    let file = database.with_file_name(format!("{stem}-{id}"));
    match database.extension() {
        Some(extension) => file.with_extension(extension),
        None => file,
    }
}
