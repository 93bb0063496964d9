//! The whole shop: its three ports, what is behind them, and what runs by itself.

mod doors;
mod options;
mod stage;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::middleware;
use shared::clock::Clock;
use shared::stripe::event::handled;
use stand_in::{OtherKeys, Seed, SigningSecret, StandIn, Webhook};
use template::Template;
use time::OffsetDateTime;
use tokio::sync::watch;
use url::Url;

use self::doors::Doors;
pub use self::options::Options;
use self::stage::Stage;
use crate::aftermath::Aftermath;
use crate::aws::{self, Aws};
use crate::bus::Bus;
use crate::contract;
use crate::dashboard::{self, Book, Dashboard};
use crate::data::Folder;
use crate::database::{self, Elsewhere, Embedded, Engine};
use crate::environment::{
    self, Addresses, SITE_BUCKET, STAND_IN_KEY, STAND_IN_WEBHOOK_SECRET, Stripe, Variables,
    elsewhere,
};
use crate::faults::Faults;
use crate::functions::Deployment;
use crate::gateway::Gateway;
use crate::identity::Identity;
use crate::loopback::{Door, refuse_other_origins};
use crate::mailbox::Mailbox;
use crate::s3::{Objects, S3};
use crate::samples;
use crate::schedules;
use crate::streams::{Drain, Poller};
use crate::tag;

/// How often expired items are deleted.
const SWEEP: Duration = Duration::from_secs(60);

/// A running shop.
pub struct LocalShop {
    addresses: Addresses,
    stripe: Stripe,
    clock: Clock,
    aftermath: Aftermath,
    /// In the order in which they stop, so that requests under way still find what they need.
    stages: [Stage; 3],
    _folder: Option<Folder>,
}

impl LocalShop {
    /// Starts the shop; when this returns, everything answers.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let stripe = Stripe::chosen(&options.environment)?;
        let doors = Doors::open(&options, &stripe).await?;
        let addresses = doors.addresses(options.site.as_ref());
        let template = Template::read(&options.project.template, &addresses.parameters())?;
        let folder = options.data.as_deref().map(Folder::open).transpose()?;
        let mut starting = Starting {
            options,
            addresses,
            template,
            folder,
            engine: Stage::new(),
            aws: Stage::new(),
            shop: Stage::new(),
        };

        let engine = starting.tables().await?;
        // Its time is the shop's, so it comes first. What it delivers waits until the shop answers.
        let stand_in = doors.stripe.map(|door| starting.stand_in(door));
        let stand_in = stand_in.transpose()?;
        let clock = stand_in.as_ref().map_or_else(Clock::default, in_step_with);
        let objects = Arc::new(starting.objects()?);
        let s3 = S3 {
            objects: Arc::clone(&objects),
            clock: clock.clone(),
        };
        let aws = starting.aws(doors.aws, engine.clone(), s3)?;
        let environments = starting.environments(&stripe).await?;
        let bookkeeping = environments.get("ReconcileFunction").cloned();
        let functions = (starting.options.wiring)(environments, clock.clone()).await?;
        let deployment = Arc::new(Deployment::new(functions, &mut starting.template)?);
        let streams = starting.streams(&engine, &aws.written, &deployment);
        starting.schedules(&deployment);
        let book = match bookkeeping {
            Some(environment) => {
                let addresses = &starting.addresses;
                Some(Book::open(
                    environment,
                    clock.clone(),
                    addresses,
                    stand_in.clone(),
                )?)
            }
            None => None,
        };
        let aftermath = Aftermath::of(stand_in.clone(), streams);
        let dashboard = Dashboard {
            site: starting.addresses.site.clone(),
            mailbox: aws.mailbox,
            bus: aws.bus,
            stand_in,
            faults: aws.faults,
            book,
            aftermath: aftermath.clone(),
        };
        let pictures = objects.folder_of(SITE_BUCKET);
        starting.front(doors.shop, deployment, dashboard, pictures)?;
        Ok(Self {
            addresses: starting.addresses,
            stripe,
            clock,
            aftermath,
            stages: [starting.shop, starting.aws, starting.engine],
            _folder: starting.folder,
        })
    }

    /// `http://127.0.0.1:3000`: the site, the HTTP API, `/webhook` and `/_local`.
    pub fn url(&self) -> &str {
        &self.addresses.shop
    }

    /// The site that buyers use: the same, or a front end at another origin.
    pub fn site_url(&self) -> &str {
        &self.addresses.site
    }

    /// `http://127.0.0.1:3001`: the Stripe stand-in, unless the real Stripe takes the money.
    pub fn stripe_url(&self) -> Option<&str> {
        self.addresses.stripe.as_deref()
    }

    /// `http://127.0.0.1:3002`: DynamoDB and SES.
    pub fn aws_url(&self) -> &str {
        &self.addresses.aws
    }

    /// The clock that its functions go by.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Who takes the money.
    pub fn stripe(&self) -> &Stripe {
        &self.stripe
    }

    /// Waits until everything done before has taken effect: every event that is due and not held
    /// back has been tried at the webhook, and every record in the tables' streams has been
    /// handled.
    pub async fn drained(&self) -> anyhow::Result<()> {
        self.aftermath.is_over().await
    }

    /// Stops: accepts no more requests, lets those under way finish, then closes the files.
    pub async fn shutdown(self) {
        for stage in self.stages {
            stage.stop().await;
        }
    }
}

/// The clock of a shop whose money this stand-in takes. The two have one time: if only Stripe's were
/// moved, what was paid until next month would go on for months, and nothing would ever be overdue.
fn in_step_with(stand_in: &StandIn) -> Clock {
    let account = stand_in.default_account().clone();
    Clock::new(move || {
        let here = OffsetDateTime::now_utc();
        let ahead = time::Duration::seconds(account.ahead());
        here.checked_add(ahead).unwrap_or(here)
    })
}

/// A shop that is being started.
struct Starting {
    options: Options,
    addresses: Addresses,
    template: Template,
    folder: Option<Folder>,
    /// What keeps the tables.
    engine: Stage,
    /// What the functions call.
    aws: Stage,
    /// What people and Stripe call, and what calls the functions.
    shop: Stage,
}

/// What the other parts see of the AWS port.
struct AwsControls {
    mailbox: Mailbox,
    bus: Bus,
    faults: Faults,
    /// Changes when a table may have changed.
    written: watch::Receiver<()>,
}

impl Starting {
    fn file(&self, name: &str) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.file(name))
    }

    fn database(&self, name: &str) -> anyhow::Result<Option<PathBuf>> {
        let folder = self.folder.as_ref();
        folder.map(|folder| folder.database(name)).transpose()
    }

    /// The engine that the developer's environment names for an AWS service, if it names one.
    fn elsewhere(&self, service: &str) -> anyhow::Result<Option<String>> {
        elsewhere(&self.options.environment, service, &self.addresses.aws)
    }

    /// The engine, with the template's tables in it.
    async fn tables(&mut self) -> anyhow::Result<Engine> {
        let engine = match self.elsewhere("DYNAMODB")? {
            Some(endpoint) => Engine::Elsewhere(Elsewhere::at(endpoint)),
            None => Engine::Embedded(Embedded::open(self.database("dynamodb.db")?.as_deref())?),
        };
        let steps = self.template.tables.len();
        for (done, table) in self.template.tables.iter().enumerate() {
            (self.options.progress)(done, steps, &table.name);
            database::prepare(&engine, table).await?;
        }
        if let Engine::Embedded(embedded) = engine.clone() {
            let shutdown = self.engine.shutdown();
            self.engine.run(schedules::every(SWEEP, shutdown, move || {
                let embedded = embedded.clone();
                async move { embedded.expire().await }
            }));
        }
        Ok(engine)
    }

    /// The template's buckets, and that of the site, which the template leaves out if the site is here.
    fn objects(&mut self) -> anyhow::Result<Objects> {
        let mut buckets = std::mem::take(&mut self.template.buckets);
        buckets.push(SITE_BUCKET.to_owned());
        let objects = Objects::open_in(self.file("s3"), buckets);
        objects.context("there is no place for a folder with files")
    }

    fn aws(&mut self, door: Door, engine: Engine, s3: S3) -> anyhow::Result<AwsControls> {
        let clock = s3.clock.clone();
        let mailbox = Mailbox::open(self.database("mailbox.db")?.as_deref())?;
        let target = environment::events_url(&self.options.environment)?;
        let bus = Bus::open(self.database("bus.db")?.as_deref(), clock.clone(), target)?;
        let (wrote, written) = watch::channel(());
        let faults = Faults::default();
        let aws = Aws {
            engine,
            wrote,
            mail: match self.elsewhere("SES")? {
                Some(endpoint) => aws::Mail::Elsewhere(endpoint),
                None => aws::Mail::Mailbox(mailbox.clone(), clock),
            },
            bus: bus.clone(),
            s3,
            faults: faults.clone(),
            shutdown: self.shop.shutdown(),
            client: reqwest::Client::new(),
        };
        let shutdown = self.aws.shutdown();
        self.aws.run(door.serve(aws.router(), shutdown));
        Ok(AwsControls {
            mailbox,
            bus,
            faults,
            written,
        })
    }

    /// Every function's environment; with the catalog's, the sample products are added.
    async fn environments(&self, stripe: &Stripe) -> anyhow::Result<BTreeMap<String, Variables>> {
        let Options {
            environment: given,
            samples,
            progress,
            ..
        } = &self.options;
        let mut environments =
            environment::compose(&self.template, &self.addresses, stripe, given)?;
        tag::tell(environments.values_mut(), given).await?;
        if let Some(catalog) = environments.get("CatalogFunction") {
            let catalog = shared::config::Environment::from(catalog.clone());
            samples::add(*samples, &catalog, &self.addresses.shop, progress).await?;
        }
        Ok(environments)
    }

    fn streams(
        &mut self,
        engine: &Engine,
        written: &watch::Receiver<()>,
        deployment: &Arc<Deployment>,
    ) -> Vec<Drain> {
        let mut drains = Vec::new();
        for mapping in std::mem::take(&mut self.template.streams) {
            let position = format!("stream-{}-{}.json", mapping.table, mapping.function);
            let poller = Poller {
                position_file: self.file(&position),
                mapping,
                engine: engine.clone(),
                deployment: Arc::clone(deployment),
            };
            let (drain, asked) = Drain::channel();
            drains.push(drain);
            let shutdown = self.shop.shutdown();
            self.shop.run(poller.run(written.clone(), asked, shutdown));
        }
        drains
    }

    fn schedules(&mut self, deployment: &Arc<Deployment>) {
        for schedule in std::mem::take(&mut self.template.schedules) {
            let (deployment, shutdown) = (Arc::clone(deployment), self.shop.shutdown());
            self.shop
                .run(schedules::keep(schedule, deployment, shutdown));
        }
    }

    fn stand_in(&mut self, door: Door) -> anyhow::Result<StandIn> {
        let stand_in = StandIn::open(stand_in::Config {
            database: self.database("stripe.db")?,
            public_url: Url::parse(&door.url())?,
            fixed_url: false,
            host_names: Vec::new(),
            business_name: "Till on this machine".to_owned(),
            secret_key: STAND_IN_KEY.to_owned(),
            // So that a wrong or revoked key fails here as it does at Stripe.
            other_keys: OtherKeys::Refused,
            webhook: Some(Webhook {
                url: Url::parse(&format!("{}/webhook", self.addresses.shop))?,
                secret: SigningSecret::new(STAND_IN_WEBHOOK_SECRET)?,
                enabled_events: handled().map(str::to_owned).collect(),
            }),
            seed: Seed::parse(include_str!("stripe_seed.json"))?,
            machine: stand_in::MachineTime::default(),
        })?;
        let shutdown = self.shop.shutdown();
        self.shop.run(door.serve(stand_in.router(), shutdown));
        self.shop.run({
            let (stand_in, shutdown) = (stand_in.clone(), self.shop.shutdown());
            async move { stand_in.deliver(shutdown.requested()).await }
        });
        Ok(stand_in)
    }

    /// The shop's own port.
    fn front(
        &mut self,
        door: Door,
        deployment: Arc<Deployment>,
        dashboard: Dashboard,
        pictures: PathBuf,
    ) -> anyhow::Result<()> {
        let key = self.file("identity.pem");
        let identity = Identity::open(&self.addresses, key.as_deref())?;
        let provider = identity.router();
        let gateway = Gateway::new(
            self.addresses.shop.clone(),
            [self.options.project.site.clone(), pictures],
            &mut self.template,
            deployment,
            identity,
        );
        let for_people = dashboard::router(dashboard).merge(contract::router(&self.addresses.shop));
        let router = gateway
            .router()
            .merge(provider)
            .merge(for_people.layer(middleware::from_fn(refuse_other_origins)));
        let shutdown = self.shop.shutdown();
        self.shop.run(door.serve(router, shutdown));
        Ok(())
    }
}
