//! One world: its time, its chance, and all that functions call or are called by.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use laptop::environment::{self, Addresses, Variables, compose};
use stand_in::MachineTime;
use template::{StreamMapping, Template};
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::bug::Bug;
use crate::digest::Digest;
use crate::events::Events;
use crate::history::History;
use crate::instance::Pools;
use crate::mails::Mails;
use crate::other::{Other, Rows};
use crate::products::SHIPPING;
use crate::rollout::Rollout;
use crate::story::Story;
use crate::stripe::{self, Stripe};
use crate::tables::{Names, Tables};
use crate::version::Version;
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
    /// It is not going to begin again.
    is_settling: AtomicBool,
    dice: Mutex<Rng>,
    variables: BTreeMap<String, Variables>,
    pub(crate) moment: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
    pub(crate) purchase_id: Arc<dyn Fn(OffsetDateTime) -> String + Send + Sync>,
    /// When another version of the code is at work.
    pub(crate) rollout: Option<Rollout>,
    rollout_dice: Mutex<Rng>,
    pub(crate) digest: Digest,
    /// An earlier version, if there really is one.
    pub(crate) earlier: Option<Version>,
    /// What another version does that there is only in the simulation.
    pub(crate) simulated: Option<Other>,
    /// What a later version has written.
    pub(crate) others: Rows,
    pub(crate) tables: Tables,
    pub(crate) stripe: Stripe,
    /// Keys under which Stripe failed, and will say so again.
    pub(crate) failed_keys: Mutex<BTreeSet<String>>,
    /// Events that Stripe never made, as far as the shop can see, with what they would be about.
    pub(crate) never_made: Mutex<BTreeMap<String, String>>,
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
    /// How often they have had more of it.
    pub(crate) refills: Mutex<BTreeMap<&'static str, usize>>,
    /// What must not be, found on the way.
    pub(crate) wrongs: Mutex<Vec<String>>,
    pub(crate) story: Arc<Story>,
}

impl World {
    pub(crate) async fn of(
        history: &History,
        bug: Option<Bug>,
        earlier: Option<Version>,
    ) -> Arc<Self> {
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
        let variables = variables(&template, &addresses, history);
        let ids = Mutex::new(dice.fork());
        let rollout = history.rollout.clone();
        Arc::new(Self {
            began,
            weather: history.weather.clone(),
            bug,
            names: Names {
                purchases: table(&variables, "PURCHASES_TABLE"),
                outbox: table(&variables, "OUTBOX_TABLE"),
                products: table(&variables, "PRODUCTS_TABLE"),
            },
            is_calm: AtomicBool::new(true),
            is_settling: AtomicBool::new(false),
            dice: Mutex::new(dice),
            variables,
            moment: Arc::new(moment),
            purchase_id: Arc::new(move |at| purchase_id(at, &mut ids.lock().unwrap())),
            simulated: rollout
                .as_ref()
                .map(|it| it.other)
                .filter(|_| earlier.is_none()),
            rollout,
            digest: history.digest,
            rollout_dice: Mutex::new(Rng::with_seed(history.seed.rotate_left(32))),
            earlier,
            others: Rows::default(),
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
            refills: Mutex::default(),
            wrongs: Mutex::default(),
            story: Story::begin(began),
        })
    }

    /// A function's environment.
    pub(crate) fn variables(&self, function: &str) -> Variables {
        self.variables[function].clone()
    }

    /// Whether whatever is invoked now is of another version.
    pub(crate) fn is_other_at_work(&self) -> bool {
        let Some(rollout) = &self.rollout else {
            return false;
        };
        let is_settling = self.is_settling.load(Ordering::Relaxed);
        let mut dice = self.rollout_dice.lock().unwrap();
        rollout.is_other_at_work(self.age(), is_settling, &mut dice)
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
        self.is_settling.store(true, Ordering::Relaxed);
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
fn table(variables: &BTreeMap<String, Variables>, name: &str) -> String {
    let mut all = variables.values();
    let with_it = all.find_map(|variables| variables.get(name));
    with_it.expect("a table that a function knows").clone()
}

/// Each function's environment. The SDK remembers for each region how often it may still try again, so
/// every world has a region of its own.
fn variables(
    template: &Template,
    addresses: &Addresses,
    history: &History,
) -> BTreeMap<String, Variables> {
    static WORLDS: AtomicU64 = AtomicU64::new(0);
    let region = format!("storm-{}", WORLDS.fetch_add(1, Ordering::Relaxed));
    let given: Variables = [("TILL_STACK", "storm")]
        .into_iter()
        .chain(SHIPPING)
        .chain(history.billing.settings())
        .chain([history.digest.setting()])
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let composed = compose(template, addresses, &environment::Stripe::StandIn, &given);
    let mut composed = composed.expect("the functions' environments");
    for variables in composed.values_mut() {
        variables.insert("AWS_REGION".to_owned(), region.clone());
    }
    composed
}

/// A version 7 UUID, drawn with these dice.
fn purchase_id(moment: OffsetDateTime, dice: &mut Rng) -> String {
    let milliseconds = moment.unix_timestamp_nanos() / 1_000_000;
    let (high, low) = (milliseconds >> 16, milliseconds & 0xffff);
    let (version, variant) = (dice.u16(..0x1000), 0x8000 | dice.u16(..0x4000));
    let rest = dice.u64(..1 << 48);
    format!("{high:08x}-{low:04x}-7{version:03x}-{variant:04x}-{rest:012x}")
}

/// Waits so many seconds.
pub(crate) async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
