//! The whole shop: its three ports, what answers behind them, and what runs by itself.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::environment::{
    self, Addresses, STAND_IN_KEY, STAND_IN_WEBHOOK_SECRET, Stripe, Variables, said,
};
use anyhow::bail;
use axum::middleware;
use shared::stripe::event::handled;
use stand_in::{SigningSecret, StandIn};
use template::Template;
use template::project::Project;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::aws::{self, Aws};
use crate::dashboard::{self, Book, Dashboard};
use crate::data::Folder;
use crate::database::{self, Elsewhere, Embedded, Engine};
use crate::faults::Faults;
use crate::functions::{Deployment, Wiring};
use crate::gateway::Gateway;
use crate::identity::Identity;
use crate::loopback::{Door, Shutdown, refuse_other_origins};
use crate::mailbox::Mailbox;
use crate::progress::Progress;
use crate::samples::{self, Samples};
use crate::schedules;
use crate::streams::Poller;
use crate::tag;

/// How long requests that are under way may take to finish when the shop stops.
const GRACE: Duration = Duration::from_secs(10);
/// How often expired items are deleted.
const SWEEP: Duration = Duration::from_secs(60);

/// How to run the shop. Nothing else is read: no environment, no current folder.
#[derive(Clone)]
pub struct Options {
    /// The shop's files.
    pub project: Project,
    /// The folder where everything is kept; `None` keeps it in memory.
    pub data: Option<PathBuf>,
    /// The site, the HTTP API, the webhook and `/_local`. Port 0 is any that is free.
    pub shop_port: u16,
    /// The Stripe stand-in.
    pub stripe_port: u16,
    /// DynamoDB and SES.
    pub aws_port: u16,
    /// The front end that buyers use, if not the site on the shop's own port; its origin counts.
    pub site: Option<Url>,
    /// Where containers find Stripe and AWS, if not on loopback: the address of Docker's bridge.
    pub bridge: Option<Ipv4Addr>,
    /// What is for sale at first.
    pub samples: Samples,
    /// What the developer set in the environment or in `.env`.
    pub environment: Variables,
    /// Builds the functions.
    pub wiring: Wiring,
    /// Hears how the start goes on.
    pub progress: Progress,
}

impl Options {
    /// A shop in memory, on any free ports, with this code and all sample products: what tests want.
    pub fn in_memory(project: Project, wiring: Wiring) -> Self {
        Self {
            project,
            data: None,
            shop_port: 0,
            stripe_port: 0,
            aws_port: 0,
            site: None,
            bridge: None,
            samples: Samples::Currencies,
            environment: Variables::new(),
            wiring,
            progress: Arc::new(|_, _, _| {}),
        }
    }
}

/// A running shop.
pub struct Shop {
    addresses: Addresses,
    stripe: Stripe,
    stages: Vec<Stage>,
    /// Nobody else may use the folder meanwhile.
    _kept: Kept,
}

/// What stops together. The stages stop one after the other, so that requests under way still find
/// what they need.
struct Stage {
    ask: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Stage {
    fn new() -> (Self, Shutdown) {
        let (ask, shutdown) = Shutdown::channel();
        (
            Self {
                ask,
                tasks: Vec::new(),
            },
            shutdown,
        )
    }

    fn run(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }

    async fn stop(self) {
        self.ask.send_replace(true);
        let patience = tokio::time::sleep(GRACE);
        tokio::pin!(patience);
        for mut task in self.tasks {
            tokio::select! {
                // A task that panicked is stopped, too.
                _ = &mut task => {}
                () = &mut patience => task.abort(),
            }
        }
    }
}

impl Shop {
    /// Starts the shop; when this returns, everything answers.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let stripe = Stripe::chosen(&options.environment)?;
        let doors = Doors::open(&options, &stripe).await?;
        let addresses = doors.addresses(options.site.as_ref());
        let mut template = Template::read(&options.project.template, &addresses.parameters())?;
        let kept = Kept(options.data.as_deref().map(Folder::open).transpose()?);

        let (mut engine_stage, engine_shutdown) = Stage::new();
        let engine = open_engine(&options, &addresses, &kept)?;
        prepare_tables(&engine, &template, &options.progress).await?;
        engine_stage.run(sweep(engine.clone(), engine_shutdown));

        let (mut aws_stage, aws_shutdown) = Stage::new();
        let (mut shop_stage, shop_shutdown) = Stage::new();
        let mailbox = Mailbox::open(kept.database("mailbox.db")?.as_deref())?;
        let (wrote, written) = watch::channel(());
        let faults = Faults::default();
        let aws = Aws {
            engine: engine.clone(),
            wrote,
            mail: ses(&options, &addresses, &mailbox)?,
            faults: faults.clone(),
            shutdown: shop_shutdown.clone(),
            client: reqwest::Client::new(),
        };
        aws_stage.run(doors.aws.serve(aws.router(), aws_shutdown));

        let environments = environments(&options, &template, &addresses, &stripe).await?;
        let bookkeeping = environments.get("ReconcileFunction").cloned();
        let functions = (options.wiring)(environments).await?;
        let deployment = Arc::new(Deployment::new(functions, &mut template)?);
        let clockwork = Clockwork {
            engine,
            written,
            deployment: Arc::clone(&deployment),
            shutdown: shop_shutdown.clone(),
        };
        clockwork.wind(&mut template, &kept, &mut shop_stage);
        let mut stand_in = None;
        if let Some(door) = doors.stripe {
            let config = stand_in_config(&addresses, &door, kept.database("stripe.db")?)?;
            let opened = open_stand_in(config, door, &mut shop_stage, &shop_shutdown)?;
            stand_in = Some(opened);
        }
        let mut book = None;
        if let Some(variables) = bookkeeping {
            book = Some(Book::open(variables, &addresses.aws, stand_in.clone()).await?);
        }
        let identity = Identity::open(&addresses, kept.file("identity.pem").as_deref())?;
        let dashboard = dashboard::router(Dashboard {
            site: addresses.site.clone(),
            mailbox,
            stand_in,
            faults,
            book,
        });
        let provider = identity.router();
        let url = addresses.shop.clone();
        let gateway = Gateway::new(url, options.project.site, template, deployment, identity);
        let dashboard = dashboard.layer(middleware::from_fn(refuse_other_origins));
        let router = gateway.router().merge(provider).merge(dashboard);
        shop_stage.run(doors.shop.serve(router, shop_shutdown));

        Ok(Self {
            addresses,
            stripe,
            stages: vec![shop_stage, aws_stage, engine_stage],
            _kept: kept,
        })
    }

    /// `http://127.0.0.1:3000`: the site, the HTTP API, `/webhook` and `/_local`.
    pub fn url(&self) -> &str {
        &self.addresses.shop
    }

    /// Where buyers are: the same, or a front end at another origin.
    pub fn site_url(&self) -> &str {
        &self.addresses.site
    }

    /// `http://127.0.0.1:3001`: the Stripe stand-in, unless Stripe itself takes the money.
    pub fn stripe_url(&self) -> Option<&str> {
        self.addresses.stripe.as_deref()
    }

    /// `http://127.0.0.1:3002`: DynamoDB and SES.
    pub fn aws_url(&self) -> &str {
        &self.addresses.aws
    }

    /// Who takes the money.
    pub fn stripe(&self) -> &Stripe {
        &self.stripe
    }

    /// Stops: no new requests, those under way finish, then the files are closed.
    pub async fn shutdown(self) {
        for stage in self.stages {
            stage.stop().await;
        }
    }
}

/// The shop's ports, open but not yet answering.
struct Doors {
    shop: Door,
    aws: Door,
    /// Only where the stand-in is.
    stripe: Option<Door>,
}

impl Doors {
    async fn open(options: &Options, stripe: &Stripe) -> anyhow::Result<Self> {
        let shop = Door::open(options.shop_port, "--port").await?;
        let aws = Door::open(options.aws_port, "--aws-port").await?;
        let aws = aws.for_containers(options.bridge).await?;
        let stripe = match stripe {
            Stripe::StandIn => {
                let door = Door::open(options.stripe_port, "--stripe-port").await?;
                Some(door.for_containers(options.bridge).await?)
            }
            Stripe::Real { .. } => None,
        };
        Ok(Self { shop, aws, stripe })
    }

    fn addresses(&self, site: Option<&Url>) -> Addresses {
        let shop = self.shop.url();
        let site = site.map(|site| site.origin().ascii_serialization());
        Addresses {
            site: site.unwrap_or_else(|| shop.clone()),
            shop,
            stripe: self.stripe.as_ref().map(Door::url),
            aws: self.aws.url(),
        }
    }
}

/// The folder where everything is kept, if anything is.
struct Kept(Option<Folder>);

impl Kept {
    fn file(&self, name: &str) -> Option<PathBuf> {
        self.0.as_ref().map(|folder| folder.file(name))
    }

    fn database(&self, name: &str) -> anyhow::Result<Option<PathBuf>> {
        let database = self.0.as_ref().map(|folder| folder.database(name));
        database.transpose()
    }
}

fn open_engine(options: &Options, addresses: &Addresses, kept: &Kept) -> anyhow::Result<Engine> {
    Ok(
        match elsewhere(&options.environment, "DYNAMODB", &addresses.aws)? {
            Some(endpoint) => Engine::Elsewhere(Elsewhere::at(endpoint)),
            None => Engine::Embedded(Embedded::open(kept.database("dynamodb.db")?.as_deref())?),
        },
    )
}

fn ses(options: &Options, addresses: &Addresses, own: &Mailbox) -> anyhow::Result<aws::Mail> {
    Ok(
        match elsewhere(&options.environment, "SES", &addresses.aws)? {
            Some(endpoint) => aws::Mail::Elsewhere(endpoint),
            None => aws::Mail::Mailbox(own.clone()),
        },
    )
}

/// Deletes what is expired, now and then. Another engine does so itself.
async fn sweep(engine: Engine, shutdown: Shutdown) {
    let Engine::Embedded(embedded) = engine else {
        return;
    };
    let expire = move || {
        let embedded = embedded.clone();
        async move { embedded.expire().await }
    };
    schedules::every(SWEEP, shutdown, expire).await;
}

async fn prepare_tables(
    engine: &Engine,
    template: &Template,
    progress: &Progress,
) -> anyhow::Result<()> {
    let steps = template.tables.len();
    for (done, table) in template.tables.iter().enumerate() {
        progress(done, steps, &table.name);
        database::prepare(engine, table).await?;
    }
    Ok(())
}

/// What each function reads, once the shop has its tag and something to sell.
async fn environments(
    options: &Options,
    template: &Template,
    addresses: &Addresses,
    stripe: &Stripe,
) -> anyhow::Result<BTreeMap<String, Variables>> {
    let given = &options.environment;
    let mut environments = environment::compose(template, addresses, stripe, given)?;
    tag::tell(environments.values_mut(), given).await?;
    if let Some(catalog) = environments.get("CatalogFunction") {
        let catalog = shared::config::Environment::from(catalog.clone());
        let (samples, progress) = (options.samples, &options.progress);
        samples::add(samples, &catalog, &addresses.shop, progress).await?;
    }
    Ok(environments)
}

/// What runs functions that no request does.
struct Clockwork {
    engine: Engine,
    /// Something was written to a table.
    written: watch::Receiver<()>,
    deployment: Arc<Deployment>,
    shutdown: Shutdown,
}

impl Clockwork {
    /// Starts the template's streams and schedules.
    fn wind(self, template: &mut Template, kept: &Kept, stage: &mut Stage) {
        for mapping in std::mem::take(&mut template.streams) {
            let position = format!("stream-{}-{}.json", mapping.table, mapping.function);
            let poller = Poller {
                position_file: kept.file(&position),
                mapping,
                engine: self.engine.clone(),
                deployment: Arc::clone(&self.deployment),
            };
            stage.run(poller.run(self.written.clone(), self.shutdown.clone()));
        }
        for schedule in std::mem::take(&mut template.schedules) {
            let deployment = Arc::clone(&self.deployment);
            stage.run(schedules::keep(schedule, deployment, self.shutdown.clone()));
        }
    }
}

fn open_stand_in(
    config: stand_in::Config,
    door: Door,
    stage: &mut Stage,
    shutdown: &Shutdown,
) -> anyhow::Result<StandIn> {
    let stand_in = StandIn::open(config)?;
    stage.run(door.serve(stand_in.router(), shutdown.clone()));
    stage.run({
        let (stand_in, shutdown) = (stand_in.clone(), shutdown.clone());
        async move { stand_in.deliver(shutdown.requested()).await }
    });
    Ok(stand_in)
}

fn stand_in_config(
    addresses: &Addresses,
    door: &Door,
    database: Option<PathBuf>,
) -> anyhow::Result<stand_in::Config> {
    Ok(stand_in::Config {
        database,
        public_url: Url::parse(&door.url())?,
        secret_key: STAND_IN_KEY.to_owned(),
        webhook_secret: SigningSecret::new(STAND_IN_WEBHOOK_SECRET)?,
        webhook_url: Url::parse(&format!("{}/webhook", addresses.shop))?,
        enabled_events: handled().map(str::to_owned).collect(),
    })
}

/// Another engine that the developer points to, as the AWS SDKs' own variables do.
fn elsewhere(given: &Variables, service: &str, own: &str) -> anyhow::Result<Option<String>> {
    let names = [
        format!("AWS_ENDPOINT_URL_{service}"),
        "AWS_ENDPOINT_URL".to_owned(),
    ];
    for name in names {
        let Some(endpoint) = said(given, &name) else {
            continue;
        };
        let url = Url::parse(endpoint)
            .ok()
            .filter(|url| url.scheme() == "http" && url.has_host());
        let Some(url) = url else {
            bail!("{name} is {endpoint}, which is no http:// address of an engine on this machine");
        };
        let ours = Url::parse(own)?;
        // Set for the aws CLI, say, which should find this very shop.
        if url.port_or_known_default() == ours.port() && is_loopback(&url) {
            return Ok(None);
        }
        return Ok(Some(url.to_string()));
    }
    Ok(None)
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}
