//! One world: its time, its chance, and all that functions call or are called by.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use laptop::environment::{self, Addresses, Variables, compose};
use shared::clock::Clock;
use shared::config::Environment;
use shared::purchase::{PurchaseId, PurchaseIds};
use stand_in::MachineTime;
use template::{StreamMapping, Template};
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::bug::{Bug, Names};
use crate::events::Events;
use crate::history::History;
use crate::instance::Pools;
use crate::mails::Mails;
use crate::products::SHIPPING;
use crate::story::Story;
use crate::stripe::{self, Stripe};
use crate::tables::Tables;
use crate::weather::{Trouble, Weather};

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// Where DynamoDB and SES are.
const AWS: &str = "http://aws.storm";

/// When every world begins: the fifth of January 2026, noon.
pub(crate) const BEGINNING: i64 = 1_767_614_400;

pub(crate) struct World {
    began: Instant,
    weather: Weather,
    pub(crate) bug: Option<Bug>,
    pub(crate) names: Names,
    /// Nothing goes wrong any more.
    is_calm: AtomicBool,
    dice: Mutex<Rng>,
    environments: BTreeMap<String, Environment>,
    pub(crate) tables: Tables,
    pub(crate) stripe: Stripe,
    /// Keys under which Stripe failed, and will say so again.
    pub(crate) failed_keys: Mutex<BTreeSet<String>>,
    /// Events that Stripe never made, as far as the shop can see.
    pub(crate) never_made: Mutex<BTreeSet<String>>,
    pub(crate) mails: Mails,
    pub(crate) events: Events,
    pub(crate) pools: Pools,
    /// The outbox's stream.
    pub(crate) mapping: StreamMapping,
    /// A row may have been added to a table.
    pub(crate) wrote: Notify,
    /// Something may have happened at Stripe.
    pub(crate) happened: Notify,
    /// What is still under way.
    under_way: Mutex<Vec<JoinHandle<()>>>,
    /// What the shop has promised to buyers: each purchase that was answered with 201, by its visit.
    pub(crate) opened: Mutex<BTreeMap<usize, String>>,
    /// How many more, or fewer, of each ware the seller has had.
    pub(crate) restocked: Mutex<BTreeMap<&'static str, i64>>,
    /// What must not be, found on the way.
    pub(crate) wrongs: Mutex<Vec<String>>,
    pub(crate) story: Arc<Story>,
}

impl World {
    pub(crate) async fn of(history: &History, bug: Option<Bug>) -> Arc<Self> {
        let began = Instant::now();
        let mut dice = Rng::with_seed(!history.seed);
        // What the functions, the SDK and the stand-in draw for themselves.
        fastrand::seed(dice.u64(..));
        let addresses = Addresses {
            shop: "http://shop.storm".to_owned(),
            site: "http://shop.storm".to_owned(),
            stripe: Some(stripe::URL.to_owned()),
            aws: AWS.to_owned(),
        };
        let template = Template::parse("template.yaml", TEMPLATE, &addresses.parameters());
        let mut template = template.expect("the shop's template");
        let moment = move || {
            let at = OffsetDateTime::from_unix_timestamp(BEGINNING).unwrap();
            at + Instant::now().duration_since(began)
        };
        let tables = Tables::with(&template.tables).await;
        let environments = environments(&template, &addresses, Clock::new(moment), dice.fork());
        Arc::new(Self {
            began,
            weather: history.weather.clone(),
            bug,
            names: Names {
                purchases: table(&environments, "PURCHASES_TABLE"),
                outbox: table(&environments, "OUTBOX_TABLE"),
                products: table(&environments, "PRODUCTS_TABLE"),
            },
            is_calm: AtomicBool::new(true),
            dice: Mutex::new(dice),
            environments,
            tables,
            stripe: Stripe::at(MachineTime::new(move || moment().unix_timestamp())),
            failed_keys: Mutex::default(),
            never_made: Mutex::default(),
            mails: Mails::default(),
            events: Events::default(),
            pools: Pools::default(),
            mapping: template.streams.remove(0),
            wrote: Notify::new(),
            happened: Notify::new(),
            under_way: Mutex::default(),
            opened: Mutex::default(),
            restocked: Mutex::default(),
            wrongs: Mutex::default(),
            story: Story::begin(began),
        })
    }

    pub(crate) fn environment(&self, function: &str) -> Environment {
        self.environments[function].clone()
    }

    /// Seconds since the beginning.
    pub(crate) fn age(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        BEGINNING + i64::try_from(self.age()).unwrap()
    }

    pub(crate) fn break_loose(&self) {
        self.is_calm.store(false, Ordering::Relaxed);
    }

    pub(crate) fn calm_down(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
        self.tell("The weather calms down".to_owned());
    }

    /// Whether a trouble strikes now.
    pub(crate) fn strikes(&self, trouble: Trouble) -> bool {
        let rate = self.weather.rate(trouble);
        rate > 0
            && !self.is_calm.load(Ordering::Relaxed)
            && self.draw(|dice| dice.u32(..1_000) < rate)
    }

    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.dice.lock().unwrap())
    }

    pub(crate) fn tell(&self, what: String) {
        self.story.tell(what);
    }

    pub(crate) fn is_wrong(&self, what: String) {
        self.tell(format!("WRONG: {what}"));
        self.wrongs.lock().unwrap().push(what);
    }

    /// Does something beside everything else.
    pub(crate) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.under_way.lock().unwrap().push(tokio::spawn(work));
    }

    /// Waits until nothing is under way.
    pub(crate) async fn come_to_rest(&self) {
        loop {
            let next = self.under_way.lock().unwrap().pop();
            match next {
                Some(task) => task.await.expect("a task that ends"),
                None => return,
            }
        }
    }
}

/// The name of a table, by the variable in which functions find it.
fn table(environments: &BTreeMap<String, Environment>, variable: &'static str) -> String {
    let mut all = environments.values();
    let with_it = all.find_map(|environment| environment.optional(variable));
    with_it.expect("a table that a function knows").to_owned()
}

/// Each function's environment. The SDK remembers for each region how often it may still try again, so
/// every world has a region of its own.
fn environments(
    template: &Template,
    addresses: &Addresses,
    clock: Clock,
    dice: Rng,
) -> BTreeMap<String, Environment> {
    static WORLDS: AtomicU64 = AtomicU64::new(0);
    let region = format!("storm-{}", WORLDS.fetch_add(1, Ordering::Relaxed));
    let given: Variables = [("TILL_STACK", "storm")]
        .into_iter()
        .chain(SHIPPING)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let environments = compose(template, addresses, &environment::Stripe::StandIn, &given);
    let dice = Arc::new(Mutex::new(dice));
    let ids = PurchaseIds::new(move |moment| purchase_id(moment, &mut dice.lock().unwrap()));
    let environments = environments.expect("the functions' environments");
    environments
        .into_iter()
        .map(|(id, mut variables)| {
            variables.insert("AWS_REGION".to_owned(), region.clone());
            let environment = Environment::from(variables)
                .with_clock(clock.clone())
                .with_purchase_ids(ids.clone());
            (id, environment)
        })
        .collect()
}

/// A version 7 UUID, drawn with these dice.
fn purchase_id(moment: OffsetDateTime, dice: &mut Rng) -> PurchaseId {
    let milliseconds = moment.unix_timestamp_nanos() / 1_000_000;
    let (high, low) = (milliseconds >> 16, milliseconds & 0xffff);
    let (version, variant) = (dice.u16(..0x1000), 0x8000 | dice.u16(..0x4000));
    let rest = dice.u64(..1 << 48);
    let id = format!("{high:08x}-{low:04x}-7{version:03x}-{variant:04x}-{rest:012x}");
    id.parse().expect("a version 7 UUID")
}

/// Waits so many seconds.
pub(crate) async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
