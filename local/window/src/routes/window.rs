//! What all routes share: the shop, and what was read of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use reconcile::Reconcile;
use serde_json::{Value, json};
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
/// 0.125 USD per million reads of 4 KB at half price, all of them cost a third of a cent.
const MOST_PAGES: u32 = 200;

/// A shop in a window.
#[derive(Clone)]
pub struct Window(Arc<Parts>);

struct Parts {
    seen: RwLock<Arc<Seen>>,
    reads: Reads,
    overview: Mutex<Option<Arc<Overview>>>,
    /// Other answers for which much has to be read, by their names.
    answers: Mutex<BTreeMap<&'static str, Value>>,
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

    /// When all of it is read.
    pub(super) fn reads(&self) -> Reads {
        self.0.reads
    }

    /// All there is, as it was last read.
    pub(super) async fn overview(&self) -> Result<Arc<Overview>, Trouble> {
        // Whoever comes while it is being read waits for that, instead of reading it, too.
        let mut kept = self.0.overview.lock().await;
        let known = kept.as_ref().filter(|_| self.0.reads == Reads::WhenAsked);
        if let Some(overview) = known {
            return Ok(Arc::clone(overview));
        }
        let seen = self.seen().await;
        let most = match self.0.reads {
            Reads::EachTime => u32::MAX,
            Reads::WhenAsked => MOST_PAGES,
        };
        let found = seen.shop.everything()?.read(most).await?;
        let overview = Arc::new(Overview::of(found, seen.shop.now()));
        *kept = Some(Arc::clone(&overview));
        Ok(overview)
    }

    /// An object for which much has to be read: of a deployed shop once, and with the time of that.
    pub(super) async fn once<R>(&self, name: &'static str, read: R) -> Result<Value, Trouble>
    where
        R: Future<Output = Result<Value, Trouble>>,
    {
        if self.0.reads == Reads::EachTime {
            return read.await;
        }
        let mut answers = self.0.answers.lock().await;
        if let Some(known) = answers.get(name) {
            return Ok(known.clone());
        }
        let at = rfc3339(self.seen().await.shop.now());
        let mut answer = read.await?;
        if let Some(members) = answer.as_object_mut() {
            let read = json!({ "at": at, "is_whole": true });
            members.insert("read".to_owned(), read);
        }
        answers.insert(name, answer.clone());
        Ok(answer)
    }

    /// Whoever looks next reads all of it again.
    pub(super) async fn forget(&self) {
        *self.0.overview.lock().await = None;
        self.0.answers.lock().await.clear();
    }
}

impl Seen {
    /// What the schedule runs every hour.
    pub(super) async fn reconcile(&self) -> anyhow::Result<Reconcile> {
        Ok(Reconcile::new(&self.functions).await?)
    }
}
