//! The whole shop with its own functions: started, stopped, and started again.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use laptop::shop::{LocalShop, Options};
use reqwest::{Client, RequestBuilder};
use shared::clock::Clock;
use shared::config::Environment;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

use crate::answer::Answer;
use crate::contract;
use crate::preparation::{Prepared, Tables, prepare};
use crate::time::eventually;
use crate::wiring::{Calls, Environments};

/// A running shop and a client that follows no redirects.
pub struct TestApp {
    running: Running,
    pub(crate) addresses: Addresses,
    options: Options,
    pub(crate) http: Client,
    pub(crate) tables: Tables,
    environments: Environments,
    pub(crate) ada: OnceCell<String>,
    _folder: TempDir,
}

/// Where the shop runs.
enum Running {
    /// In the test's process.
    Here(Box<LocalShop>),
    /// As `till` itself, which can be killed.
    Process {
        /// The path of the program.
        till: &'static str,
        process: Child,
    },
}

impl Running {
    async fn here(options: &Options) -> Self {
        Self::Here(Box::new(LocalShop::start(options.clone()).await.unwrap()))
    }

    /// `till` in the project's folder, with only what the test gives it in its environment.
    fn process(till: &'static str, options: &Options) -> Self {
        let mut command = Command::new(till);
        command
            .current_dir(options.project.template.parent().unwrap())
            .env_clear()
            .envs(&options.environment)
            .env("LOG_LEVEL", "error")
            .stdout(Stdio::null())
            .kill_on_drop(true);
        for (option, port) in [
            ("--port", options.shop_port),
            ("--stripe-port", options.stripe_port),
            ("--aws-port", options.aws_port),
        ] {
            command.arg(option).arg(port.to_string());
        }
        command.arg("--data").arg(options.data.as_ref().unwrap());
        let process = command.spawn().unwrap();
        Self::Process { till, process }
    }
}

pub(crate) struct Addresses {
    pub(crate) shop: String,
    pub(crate) stripe: String,
    pub(crate) aws: String,
}

impl TestApp {
    /// Everything in memory, on ports of its own.
    pub async fn start() -> Self {
        Self::with(|_, _| {}).await
    }

    /// With a data folder, so that it can be started again.
    pub async fn on_disk() -> Self {
        Self::with(|options, folder| options.data = Some(folder.join("data"))).await
    }

    /// As a process of its own, of the program at this path, with a data folder.
    pub async fn as_process(till: &'static str) -> Self {
        let Prepared {
            mut options,
            tables,
            environments,
            folder,
        } = prepare();
        options.data = Some(folder.path().join("data"));
        let free = || {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            port.local_addr().unwrap().port()
        };
        (options.shop_port, options.stripe_port, options.aws_port) = (free(), free(), free());
        let running = Running::process(till, &options);
        let app = Self::of(running, options, tables, environments, folder);
        app.answers().await;
        app
    }

    /// With the calls of one function counted.
    pub async fn counting(function: &'static str) -> (Self, Calls) {
        let calls = Calls::default();
        let counted = calls.clone();
        let shop = Self::with(move |options, _| {
            options.wiring = counted.of(function, Arc::clone(&options.wiring));
        });
        (shop.await, calls)
    }

    /// With another signing secret as well as the stand-in's.
    pub async fn with_second_secret(secret: &str) -> Self {
        let name = "STRIPE_WEBHOOK_SECRETS".to_owned();
        Self::with(|options, _| _ = options.environment.insert(name, secret.to_owned())).await
    }

    /// Another shop, which shares this one's Stripe account.
    pub async fn beside(other: &Self, said: &[(&str, &str)]) -> Self {
        let heard = Environments::default();
        let stripe = other.addresses.stripe.clone();
        let mut app = Self::with(|options, _| {
            options.wiring = heard.overhear(Some(stripe.clone()));
            options.environment.extend(owned(said));
        })
        .await;
        app.addresses.stripe = stripe;
        app.environments = heard;
        app
    }

    async fn with(change: impl FnOnce(&mut Options, &Path)) -> Self {
        let Prepared {
            mut options,
            tables,
            environments,
            folder,
        } = prepare();
        change(&mut options, folder.path());
        let shop = LocalShop::start(options.clone()).await.unwrap();
        // What starts again is to be found where it was.
        options.shop_port = port(shop.url());
        options.stripe_port = port(shop.stripe_url().unwrap());
        options.aws_port = port(shop.aws_url());
        let running = Running::Here(Box::new(shop));
        Self::of(running, options, tables, environments, folder)
    }

    fn of(
        running: Running,
        options: Options,
        tables: Tables,
        environments: Environments,
        folder: TempDir,
    ) -> Self {
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        let addresses = Addresses {
            shop: at(options.shop_port),
            stripe: at(options.stripe_port),
            aws: at(options.aws_port),
        };
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            running,
            addresses,
            options,
            http,
            tables,
            environments,
            ada: OnceCell::new(),
            _folder: folder,
        }
    }

    /// Stops the shop, or kills its process, and starts it again with the same data, on the same
    /// ports.
    pub async fn restart(self) -> Self {
        let running = match self.running {
            Running::Here(shop) => {
                shop.shutdown().await;
                Running::here(&self.options).await
            }
            Running::Process { till, mut process } => {
                process.kill().await.unwrap();
                Running::process(till, &self.options)
            }
        };
        let app = Self { running, ..self };
        app.answers().await;
        app
    }

    /// Stops the shop, and starts it again with this in its environment, too.
    pub async fn restart_with(mut self, said: &[(&str, &str)]) -> Self {
        self.options.environment.extend(owned(said));
        self.restart().await
    }

    /// Waits until everything done so far has had its effect: events are delivered, unless they are
    /// held back, and no mail in the outbox is due.
    pub async fn drained(&self) {
        match &self.running {
            Running::Here(shop) => {
                let drained = tokio::time::timeout(Duration::from_secs(20), shop.drained()).await;
                drained.expect("the shop is not drained").unwrap();
            }
            // It can only be asked from outside.
            Running::Process { .. } => {
                eventually(async || self.is_at_rest().await.then_some(())).await;
            }
        }
    }

    async fn is_at_rest(&self) -> bool {
        let deliveries = self.deliveries().await;
        let mails = self.items("OutboxTable").await;
        deliveries.iter().all(|it| it["state"] != "pending")
            && mails.iter().all(|it| it["state"]["S"] != "due")
    }

    /// The tag on the shop's own objects at Stripe.
    pub fn tag(&self) -> String {
        let environment = self.environment("CheckoutFunction");
        environment.optional("TILL_STACK").unwrap().to_owned()
    }

    /// Waits until the shop's port, the last to open, answers.
    async fn answers(&self) {
        eventually(async || self.request("GET", "/config.json").send().await.ok()).await;
    }

    /// The program at this path beside the shop: in its project's folder, with nothing in its
    /// environment.
    pub fn till(&self, till: &str) -> Command {
        let mut till = Command::new(till);
        till.current_dir(self.options.project.template.parent().unwrap())
            .env_clear()
            .stdin(Stdio::null())
            .kill_on_drop(true);
        till
    }

    /// The process of a shop that has one of its own.
    pub fn pid(&self) -> u32 {
        match &self.running {
            Running::Process { process, .. } => process.id().unwrap(),
            Running::Here(_) => std::process::id(),
        }
    }

    /// The options by which `till` finds the shop.
    pub fn ports(&self) -> [String; 6] {
        let (shop, stripe, aws) = (
            self.options.shop_port,
            self.options.stripe_port,
            self.options.aws_port,
        );
        [
            "--port".into(),
            shop.to_string(),
            "--stripe-port".into(),
            stripe.to_string(),
            "--aws-port".into(),
            aws.to_string(),
        ]
    }

    /// The name of the table behind a logical id.
    pub fn table(&self, logical_id: &str) -> String {
        self.tables.name(logical_id)
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let (method, url) = (request.method().clone(), request.url().to_string());
        let response = client.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let answer = Answer {
            status,
            headers,
            text: response.text().await.unwrap(),
        };
        if let Some(path) = url.strip_prefix(&self.addresses.shop) {
            contract::check(&method, path, &answer);
        }
        answer
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.addresses.shop);
        self.http.request(method.parse().unwrap(), url)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// What a function was given.
    pub fn environment(&self, function: &str) -> Environment {
        Environment::from(self.variables(function)).with_clock(self.clock())
    }

    /// The clock that the functions go by.
    pub fn clock(&self) -> Clock {
        match &self.running {
            Running::Here(shop) => shop.clock(),
            Running::Process { .. } => Clock::default(),
        }
    }

    /// What a function was given, with one variable changed.
    pub fn environment_with(&self, function: &str, name: &str, value: &str) -> Environment {
        let mut variables = self.variables(function);
        variables.insert(name.to_owned(), value.to_owned());
        Environment::from(variables).with_clock(self.clock())
    }

    /// What a function was given, by name.
    pub fn variables(&self, function: &str) -> BTreeMap<String, String> {
        self.environments.0.lock().unwrap()[function].clone()
    }
}

fn port(url: &str) -> u16 {
    url.trim_end_matches('/')
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

fn owned(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    let variables = variables.iter();
    variables
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
