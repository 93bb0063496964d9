//! What all routes share: the shop, and what was read of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reconcile::Reconcile;
use serde::Serialize;
use serde_json::Value;
use shared::clock::rfc3339;
use shared::config::Environment;
use tokio::sync::{Mutex, RwLock};

use super::answer::Trouble;
use crate::overview::Overview;
use crate::shop::Shop;

/// When all of a shop is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Each time somebody looks: its tables are on this machine.
    EachTime,
    /// When somebody asks for it, and not more than [`MOST_PAGES`]: DynamoDB charges for it.
    WhenAsked,
}

/// The most pages that are read of a deployed shop's table. A page has up to 1 MB, so at
/// 0.125 USD per million reads of 4 KB, and half of that for such a read, all of them cost a third of a cent.
const MOST_PAGES: u32 = 200;

/// When something was read, as JSON.
#[derive(Serialize)]
pub(super) struct Read {
    at: String,
    /// Whether there was not too much to read all of it.
    is_whole: bool,
}

/// A shop in a window.
#[derive(Clone)]
pub struct Window(Arc<Parts>);

struct Parts {
    seen: RwLock<Arc<Seen>>,
    reads: Reads,
    /// Goes up whenever what was read is to be read again, without waiting for a reading under way.
    generation: AtomicU64,
    overview: Mutex<Option<(u64, Arc<Overview>)>>,
    /// Other answers for which much has to be read, by their names.
    answers: Mutex<BTreeMap<String, (u64, Value)>>,
}

/// The shop, and what its functions read.
pub struct Seen {
    /// The shop.
    pub shop: Shop,
    functions: Environment,
}

impl Window {
    /// `functions` is the environment in which what the functions do is done: on this machine it can be told
    /// to fail, which looking must not use up.
    pub fn of(shop: Shop, functions: Environment, reads: Reads) -> Self {
        Self(Arc::new(Parts {
            seen: RwLock::new(Arc::new(Seen { shop, functions })),
            reads,
            generation: AtomicU64::new(0),
            overview: Mutex::default(),
            answers: Mutex::default(),
        }))
    }

    /// The same shop, with other credentials.
    pub async fn renew(&self, shop: Shop) {
        let functions = shop.environment.clone();
        *self.0.seen.write().await = Arc::new(Seen { shop, functions });
    }

    /// The shop as it is reached now.
    pub async fn seen(&self) -> Arc<Seen> {
        Arc::clone(&*self.0.seen.read().await)
    }

    /// When it was read, if that is not at once.
    pub(super) fn read(&self, overview: &Overview) -> Option<Read> {
        (self.0.reads == Reads::WhenAsked).then(|| Read {
            at: rfc3339(overview.read_at),
            is_whole: overview.is_whole,
        })
    }

    /// All there is, as it was last read.
    pub(super) async fn overview(&self) -> Result<Arc<Overview>, Trouble> {
        // Whoever comes while it is being read waits for that, instead of reading it, too.
        let mut kept = self.0.overview.lock().await;
        let generation = self.generation();
        if let Some((read_in, overview)) = &*kept
            && *read_in == generation
            && self.0.reads == Reads::WhenAsked
        {
            return Ok(Arc::clone(overview));
        }
        let seen = self.seen().await;
        let most = match self.0.reads {
            Reads::EachTime => u32::MAX,
            Reads::WhenAsked => MOST_PAGES,
        };
        let now = seen.shop.now();
        let found = seen.shop.everything()?.read(most).await?;
        let overview = Arc::new(Overview::of(found, now));
        *kept = Some((generation, Arc::clone(&overview)));
        Ok(overview)
    }

    /// An object for which much has to be read: of a deployed shop once, and with the time of that.
    pub(super) async fn once<R>(&self, name: &str, read: R) -> Result<Value, Trouble>
    where
        R: Future<Output = Result<Value, Trouble>>,
    {
        if self.0.reads == Reads::EachTime {
            return read.await;
        }
        let mut answers = self.0.answers.lock().await;
        let generation = self.generation();
        if let Some((read_in, known)) = answers.get(name)
            && *read_in == generation
        {
            return Ok(known.clone());
        }
        let is = Read {
            at: rfc3339(self.seen().await.shop.now()),
            is_whole: true,
        };
        let mut answer = read.await?;
        if let Some(members) = answer.as_object_mut() {
            let is = serde_json::to_value(is).map_err(anyhow::Error::from)?;
            members.insert("read".to_owned(), is);
        }
        answers.insert(name.to_owned(), (generation, answer.clone()));
        Ok(answer)
    }

    /// Whoever looks next reads all of it again.
    pub(super) fn forget(&self) {
        self.0.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Relaxed)
    }
}

impl Seen {
    /// What the schedule runs every hour.
    pub(super) async fn reconcile(&self) -> anyhow::Result<Reconcile> {
        Ok(Reconcile::new(&self.functions).await?)
    }
}
