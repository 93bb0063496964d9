//! The whole shop with its own functions, and one method for everything that can be asked of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use http::{HeaderMap, StatusCode};
use mailer::Mailer;
use reconcile::{Findings, Limits, Reconcile};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use shared::config::Environment;
use shared::stripe::signature::{WebhookSecret, sign};
use tempfile::TempDir;
use template::project::Project;
use till::functions::Wiring;
use till::shop::{Options, Shop};
use till::wiring;
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

/// Who gets all mail in test mode.
pub(crate) const DEVELOPER: &str = "developer@tests.example";
pub(crate) const ADA: &str = "ada@buyers.example";
pub(crate) const BOB: &str = "bob@buyers.example";
pub(crate) const MUG: &str = "sample-mug";
/// In euros.
pub(crate) const NOTEBOOK: &str = "sample-notebook-eur";
pub(crate) const CARD: &str = "4242424242424242";
pub(crate) const DECLINED: &str = "4000000000000002";
/// Its refunds stay pending until the test says how they end.
pub(crate) const REFUNDS_SLOWLY: &str = "4000000000007726";

const STRIPE_KEY: &str = "sk_test_local";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_local";
const TABLES: [&str; 3] = ["ProductsTable", "PurchasesTable", "OutboxTable"];

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    pub(crate) fn is(&self, status: u16) -> bool {
        self.status.as_u16() == status
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The answer as problem+json, all of whose members are there and agree with the status.
    #[track_caller]
    pub(crate) fn problem(&self) -> Value {
        let content_type = self.header("content-type").unwrap_or_default();
        assert_eq!(content_type, "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        for member in ["type", "title", "detail", "request_id"] {
            let text = problem[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no {member} in {problem}");
        }
        problem
    }
}

/// What `POST /checkout` has opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkout {
    pub(crate) purchase: String,
    /// The payment page.
    pub(crate) url: String,
}

impl Checkout {
    #[track_caller]
    pub(crate) fn of(answer: &Answer) -> Self {
        let answer = answer.clone().expect(201).json();
        let text = |name: &str| {
            let text = answer[name].as_str();
            text.unwrap_or_else(|| panic!("no {name} in {answer}"))
                .to_owned()
        };
        Self {
            purchase: text("purchase_id"),
            url: text("url"),
        }
    }

    /// `cs_test_…`
    pub(crate) fn session(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }
}

/// A running shop and a client that follows no redirects.
pub(crate) struct TestApp {
    running: Running,
    addresses: Addresses,
    options: Options,
    http: Client,
    tables: Tables,
    environments: Environments,
    ada: OnceCell<String>,
    _folder: TempDir,
}

/// What each function was given, by its logical id.
#[derive(Clone, Default)]
struct Environments(Arc<Mutex<BTreeMap<String, BTreeMap<String, String>>>>);

impl Environments {
    /// The shop's own wiring, overheard; with another's account at Stripe, if that is given.
    fn overhear(&self, stripe: Option<String>) -> Wiring {
        let heard = Arc::clone(&self.0);
        let wire = wiring::deployed();
        Arc::new(move |mut environments| {
            for (environment, stripe) in environments.values_mut().zip(stripe.iter().cycle()) {
                environment.insert("STRIPE_API_BASE".to_owned(), stripe.clone());
            }
            heard.lock().unwrap().clone_from(&environments);
            wire(environments)
        })
    }
}

/// Calls of a function to DynamoDB and Stripe, counted on their way.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<BTreeMap<String, usize>>>);

impl Calls {
    /// A wiring in which the calls of `function` go by this counter.
    fn of(&self, function: &'static str, wire: Wiring) -> Wiring {
        let calls = self.clone();
        Arc::new(move |mut environments| {
            let (calls, wire) = (calls.clone(), Arc::clone(&wire));
            Box::pin(async move {
                let variables = environments.get_mut(function).unwrap();
                for name in ["AWS_ENDPOINT_URL_DYNAMODB", "STRIPE_API_BASE"] {
                    let target = variables[name].clone();
                    variables.insert(name.to_owned(), calls.before(target).await);
                }
                wire(environments).await
            })
        })
    }

    /// The address of a server that counts, and hands on to `target`.
    async fn before(&self, target: String) -> String {
        let (calls, http) = (self.clone(), Client::builder().no_proxy().build().unwrap());
        let handler = move |request: axum::extract::Request| async move {
            let (parts, body) = request.into_parts();
            calls.count(&parts);
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let mut headers = parts.headers;
            headers.remove("host");
            let url = format!("{target}{}", parts.uri);
            let request = http.request(parts.method, url).headers(headers).body(body);
            let answer = request.send().await.unwrap();
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut response =
                http::Response::new(axum::body::Body::from(answer.bytes().await.unwrap()));
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            response.headers_mut().remove("transfer-encoding");
            response
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = axum::Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, server).await });
        format!("http://{address}")
    }

    fn count(&self, request: &http::request::Parts) {
        let call = match request.headers.get("x-amz-target") {
            Some(operation) => {
                let operation = operation.to_str().unwrap();
                operation.rsplit('.').next().unwrap().to_owned()
            }
            None => format!("Stripe {}", request.method),
        };
        *self.0.lock().unwrap().entry(call).or_default() += 1;
    }

    /// What was called since the last time, and how often.
    pub(crate) fn take(&self) -> Vec<(String, usize)> {
        std::mem::take(&mut *self.0.lock().unwrap())
            .into_iter()
            .collect()
    }
}

/// Where the shop runs.
enum Running {
    /// In the test's process.
    Here(Box<Shop>),
    /// As `till` itself, which can be killed.
    Process(Child),
}

impl Running {
    async fn here(options: &Options) -> Self {
        Self::Here(Box::new(Shop::start(options.clone()).await.unwrap()))
    }

    /// `till` in the project's folder, with nothing in its environment but what the test says.
    fn process(options: &Options) -> Self {
        let mut till = Command::new(env!("CARGO_BIN_EXE_till"));
        till.current_dir(options.project.template.parent().unwrap())
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
            till.arg(option).arg(port.to_string());
        }
        till.arg("--data").arg(options.data.as_ref().unwrap());
        Self::Process(till.spawn().unwrap())
    }
}

struct Addresses {
    shop: String,
    stripe: String,
    aws: String,
}

/// The names of the tables behind the template's logical ids.
#[derive(Clone)]
struct Tables {
    suffix: String,
}

impl Tables {
    fn name(&self, logical_id: &str) -> String {
        format!("{logical_id}{}", self.suffix)
    }
}

impl TestApp {
    /// Everything in memory, on ports of its own.
    pub(crate) async fn start() -> Self {
        Self::with(|_, _| {}).await
    }

    /// With a data folder, so that it can be started again.
    pub(crate) async fn on_disk() -> Self {
        Self::with(|options, folder| options.data = Some(folder.join("data"))).await
    }

    /// As a process of its own, with a data folder.
    pub(crate) async fn as_process() -> Self {
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
        let running = Running::process(&options);
        let app = Self::of(running, options, tables, environments, folder);
        app.answers().await;
        app
    }

    /// With the calls of one function counted.
    pub(crate) async fn counting(function: &'static str) -> (Self, Calls) {
        let calls = Calls::default();
        let counted = calls.clone();
        let shop = Self::with(move |options, _| {
            options.wiring = counted.of(function, Arc::clone(&options.wiring));
        });
        (shop.await, calls)
    }

    /// With another signing secret beside the stand-in's.
    pub(crate) async fn with_second_secret(secret: &str) -> Self {
        let name = "STRIPE_WEBHOOK_SECRETS".to_owned();
        Self::with(|options, _| _ = options.environment.insert(name, secret.to_owned())).await
    }

    /// Another shop, with an account at Stripe that is this one's, too.
    pub(crate) async fn beside(other: &Self, said: &[(&str, &str)]) -> Self {
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
        let shop = Shop::start(options.clone()).await.unwrap();
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
    pub(crate) async fn restart(self) -> Self {
        let running = match self.running {
            Running::Here(shop) => {
                shop.shutdown().await;
                Running::here(&self.options).await
            }
            Running::Process(mut till) => {
                till.kill().await.unwrap();
                Running::process(&self.options)
            }
        };
        let app = Self { running, ..self };
        app.answers().await;
        app
    }

    /// Stops the shop, and starts it again with this in its environment, too.
    pub(crate) async fn restart_with(mut self, said: &[(&str, &str)]) -> Self {
        self.options.environment.extend(owned(said));
        self.restart().await
    }

    /// By what the shop knows its own at Stripe.
    pub(crate) fn tag(&self) -> String {
        let environment = self.environment("CheckoutFunction");
        environment.optional("TILL_STACK").unwrap().to_owned()
    }

    /// `till purchases confirm`
    pub(crate) async fn confirm(&self, ids: &[&str]) {
        let mut till = self.till();
        till.args(["purchases", "confirm", "--yes"])
            .args(ids)
            .args(self.ports());
        assert!(till.status().await.unwrap().success());
    }

    /// Waits until the shop's port, the last to open, answers.
    async fn answers(&self) {
        eventually(async || self.request("GET", "/config.json").send().await.ok()).await;
    }

    /// `till` beside the shop: in its project's folder, with nothing in its environment.
    pub(crate) fn till(&self) -> Command {
        let mut till = Command::new(env!("CARGO_BIN_EXE_till"));
        till.current_dir(self.options.project.template.parent().unwrap())
            .env_clear()
            .stdin(Stdio::null())
            .kill_on_drop(true);
        till
    }

    /// The process of a shop that has one of its own.
    pub(crate) fn pid(&self) -> u32 {
        match &self.running {
            Running::Process(till) => till.id().unwrap(),
            Running::Here(_) => std::process::id(),
        }
    }

    /// The options by which `till` finds the shop.
    pub(crate) fn ports(&self) -> [String; 6] {
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
    pub(crate) fn table(&self, logical_id: &str) -> String {
        self.tables.name(logical_id)
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer {
            status,
            headers,
            text: response.text().await.unwrap(),
        }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.addresses.shop);
        self.http.request(method.parse().unwrap(), url)
    }

    // --- the HTTP API ---

    /// `POST /_local/token`
    pub(crate) async fn token(&self, email: &str) -> String {
        self.token_with(&[("email", email)]).await
    }

    pub(crate) async fn token_with(&self, form: &[(&str, &str)]) -> String {
        let answer = self
            .send(self.request("POST", "/_local/token").form(form))
            .await;
        let token = answer.expect(200).json();
        token["access_token"].as_str().unwrap().to_owned()
    }

    /// A token of the buyer whom most tests are about.
    pub(crate) async fn ada(&self) -> &str {
        self.ada.get_or_init(|| self.token(ADA)).await
    }

    /// `POST /checkout` with everything said.
    pub(crate) async fn post_checkout(
        &self,
        token: Option<&str>,
        idempotency_key: Option<&str>,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let mut request = self
            .request("POST", "/checkout")
            .header("content-type", "application/json")
            .body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        self.send(request).await
    }

    /// Ada's cart, once.
    pub(crate) async fn checkout(&self, cart: &Value) -> Answer {
        self.post_checkout(Some(self.ada().await), None, cart.to_string())
            .await
    }

    /// Ada's cart under a key.
    pub(crate) async fn checkout_as(&self, key: &str, cart: &Value) -> Answer {
        self.post_checkout(Some(self.ada().await), Some(key), cart.to_string())
            .await
    }

    /// Ada wants a mug.
    pub(crate) async fn open(&self) -> Checkout {
        Checkout::of(&self.checkout(&cart(&[(MUG, 1)])).await)
    }

    /// Ada wants this, once.
    pub(crate) async fn open_one(&self, product: &str) -> Checkout {
        Checkout::of(&self.checkout(&cart(&[(product, 1)])).await)
    }

    /// Ada has a mug, paid for with this card.
    pub(crate) async fn paid_with(&self, card: &str) -> Checkout {
        let checkout = self.open().await;
        self.pay(&checkout, card).await.expect(303);
        self.until_status(&checkout.purchase, "paid").await;
        checkout
    }

    /// Ada has a mug.
    pub(crate) async fn paid(&self) -> Checkout {
        self.paid_with(CARD).await
    }

    /// Ada has paid for a mug, and the body of the event that says so, which the shop has not heard
    /// of yet.
    pub(crate) async fn paid_unheard(&self) -> (Checkout, String) {
        self.hold_deliveries().await;
        let checkout = self.open().await;
        self.pay(&checkout, CARD).await.expect(303);
        let event = self.events_of(checkout.session()).await.remove(0);
        (checkout, event)
    }

    /// `GET /products` and whatever follows it.
    pub(crate) async fn products(&self, rest: &str) -> Answer {
        self.send(self.request("GET", &format!("/products{rest}")))
            .await
    }

    /// `GET /products…`, if it is not as the client knows it.
    pub(crate) async fn products_unless(&self, rest: &str, etag: &str) -> Answer {
        let request = self.request("GET", &format!("/products{rest}"));
        self.send(request.header("if-none-match", etag)).await
    }

    /// `GET /purchases` and whatever follows it.
    pub(crate) async fn purchases_of(&self, token: &str, rest: &str) -> Answer {
        self.send(
            self.request("GET", &format!("/purchases{rest}"))
                .bearer_auth(token),
        )
        .await
    }

    /// `POST /purchases/{id}/cancel`
    pub(crate) async fn cancel_as(&self, token: &str, id: &str) -> Answer {
        let path = format!("/purchases/{id}/cancel");
        self.send(self.request("POST", &path).bearer_auth(token))
            .await
    }

    /// Ada does not want one of her purchases any more.
    pub(crate) async fn cancel(&self, id: &str) -> Answer {
        self.cancel_as(self.ada().await, id).await
    }

    /// Ada's purchases that wait for their payment, newest first.
    pub(crate) async fn open_purchases(&self) -> Vec<Value> {
        let answer = self.purchases_of(self.ada().await, "?status=open").await;
        let page = answer.expect(200).json();
        assert!(page["next"].is_null(), "{page}");
        page["purchases"].as_array().unwrap().clone()
    }

    /// One of Ada's purchases.
    pub(crate) async fn purchase(&self, id: &str) -> Value {
        let answer = self
            .purchases_of(self.ada().await, &format!("/{id}"))
            .await
            .expect(200);
        answer.json()
    }

    pub(crate) async fn status(&self, id: &str) -> String {
        let purchase = self.purchase(id).await;
        purchase["status"].as_str().unwrap().to_owned()
    }

    /// Waits until one of Ada's purchases has this status.
    pub(crate) async fn until_status(&self, id: &str, hoped: &str) {
        let mut last = String::new();
        let reached = async {
            loop {
                last = self.status(id).await;
                if last == hoped {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
        assert!(reached.is_ok(), "purchase {id} is {last}, not {hoped}");
    }

    /// Where the money of one of Ada's purchases is: paid, refunded, disputed, and what is left, all
    /// in one currency.
    pub(crate) async fn money(&self, id: &str) -> [i64; 4] {
        let purchase = self.purchase(id).await;
        ["paid", "refunded", "disputed", "net"].map(|name| {
            let sum = &purchase[name];
            assert_eq!(sum["currency"], purchase["paid"]["currency"], "{purchase}");
            sum["amount"].as_i64().unwrap()
        })
    }

    /// What a person should look at in one of Ada's purchases.
    pub(crate) async fn attention(&self, id: &str) -> Vec<String> {
        let purchase = self.purchase(id).await;
        let all = purchase["attention"].as_array().cloned();
        let all = all.unwrap_or_default().into_iter();
        all.map(|reason| reason.as_str().unwrap().to_owned())
            .collect()
    }

    /// The ids in Ada's history, newest first.
    pub(crate) async fn history(&self) -> Vec<String> {
        let answer = self.purchases_of(self.ada().await, "").await.expect(200);
        let page = answer.json();
        let purchases = page["purchases"].as_array().unwrap().iter();
        purchases.map(|purchase| text(purchase, "id")).collect()
    }

    // --- mail ---

    /// Everything sent so far, newest first.
    pub(crate) async fn mailbox(&self) -> Vec<Value> {
        let answer = self
            .send(self.request("GET", "/_local/mailbox.json"))
            .await
            .expect(200);
        answer.json().as_array().unwrap().clone()
    }

    /// Waits for so many mails, then a little longer for one too many. Newest first.
    pub(crate) async fn mails(&self, count: usize) -> Vec<Value> {
        eventually(async || Some(self.mailbox().await).filter(|mails| mails.len() >= count)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mails = self.mailbox().await;
        let subjects: Vec<_> = mails.iter().map(|mail| &mail["subject"]).collect();
        assert_eq!(mails.len(), count, "{subjects:?}");
        for mail in &mails {
            assert_eq!(
                mail["to"],
                json!([DEVELOPER]),
                "in test mode nobody else gets mail"
            );
        }
        mails
    }

    /// The subjects of all mails that name this purchase, sorted.
    pub(crate) async fn subjects_about(&self, purchase: &str) -> Vec<String> {
        let mails = self.mailbox().await.into_iter();
        let named = mails.filter(|mail| text(mail, "text").contains(purchase));
        let mut subjects: Vec<_> = named.map(|mail| text(&mail, "subject")).collect();
        subjects.sort();
        subjects
    }

    /// Waits for the newest mail that names this purchase.
    pub(crate) async fn mail_about(&self, purchase: &str) -> Value {
        let names = |mail: &Value| text(mail, "text").contains(purchase);
        eventually(async || self.mailbox().await.into_iter().find(names)).await
    }

    /// The mailer, run by the clock instead of by the outbox's stream.
    pub(crate) async fn mailer(&self) {
        let mailer = Mailer::new(&self.environment("MailerFunction")).await;
        mailer.unwrap().handle(json!({})).await.unwrap();
    }

    // --- reconcile ---

    /// What a function was given.
    pub(crate) fn environment(&self, function: &str) -> Environment {
        let environments = self.environments.0.lock().unwrap();
        Environment::from(environments[function].clone())
    }

    /// What a function was given, but for one variable.
    pub(crate) fn environment_with(&self, function: &str, name: &str, value: &str) -> Environment {
        let mut variables = self.variables(function);
        variables.insert(name.to_owned(), value.to_owned());
        Environment::from(variables)
    }

    /// What a function was given, by name.
    pub(crate) fn variables(&self, function: &str) -> BTreeMap<String, String> {
        self.environments.0.lock().unwrap()[function].clone()
    }

    /// The function, for runs of every kind.
    pub(crate) async fn reconciler(&self) -> Reconcile {
        let environment = self.environment("ReconcileFunction");
        Reconcile::new(&environment).await.unwrap()
    }

    /// One whole run that comes to its end.
    pub(crate) async fn reconcile(&self) -> Findings {
        let run = self.reconciler().await.run(Limits::default(), |_| {}).await;
        let findings = run.unwrap();
        assert!(findings.complete, "{findings:?}");
        findings
    }

    // --- Stripe ---

    fn stripe_request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.addresses.stripe);
        self.http.request(method.parse().unwrap(), url)
    }

    /// An object or a list, as Stripe's API shows it.
    pub(crate) async fn at_stripe(&self, path: &str) -> Value {
        let request = self.stripe_request("GET", &format!("/v1/{path}"));
        self.send(request.bearer_auth(STRIPE_KEY))
            .await
            .expect(200)
            .json()
    }

    /// Submits the payment page.
    pub(crate) async fn pay(&self, checkout: &Checkout, card: &str) -> Answer {
        let form = [
            ("email", ADA),
            ("method", "card"),
            ("card_number", card),
            ("exp", "12 / 40"),
            ("cvc", "123"),
        ];
        self.send(self.http.post(&checkout.url).form(&form)).await
    }

    /// Submits the payment page with a promotion code that leaves nothing to pay.
    pub(crate) async fn pay_nothing(&self, checkout: &Checkout) -> Answer {
        let form = [("email", ADA), ("promotion_code", "FREE")];
        self.send(self.http.post(&checkout.url).form(&form)).await
    }

    /// Submits the payment page with the delayed method.
    pub(crate) async fn pay_by_bank(&self, checkout: &Checkout) -> Answer {
        let form = [("email", ADA), ("method", "bank_debit")];
        self.send(self.http.post(&checkout.url).form(&form)).await
    }

    /// Submits the payment page for a voucher, which the buyer has to pay yet.
    pub(crate) async fn take_voucher(&self, checkout: &Checkout) -> Answer {
        let form = [("email", ADA), ("method", "voucher")];
        self.send(self.http.post(&checkout.url).form(&form)).await
    }

    /// Ends an open session, as Stripe's API lets a shop do.
    pub(crate) async fn expire(&self, checkout: &Checkout) {
        let path = format!("/v1/checkout/sessions/{}/expire", checkout.session());
        let request = self.stripe_request("POST", &path).bearer_auth(STRIPE_KEY);
        self.send(request).await.expect(200);
    }

    /// A command of the stand-in's control API.
    pub(crate) async fn control(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let request = self.stripe_request("POST", &format!("/_stripe/{path}"));
        self.send(request.form(form)).await.expect(200).json()
    }

    /// `POST /v1/…`
    pub(crate) async fn stripe_post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let request = self.stripe_request("POST", &format!("/v1/{path}"));
        let answer = self.send(request.bearer_auth(STRIPE_KEY).form(form)).await;
        answer.expect(200).json()
    }

    /// Takes all of the stand-in's planned faults away.
    pub(crate) async fn stripe_is_well(&self) {
        let request = self.stripe_request("DELETE", "/_stripe/faults");
        self.send(request).await.expect(200);
    }

    /// A session that is none of this shop's: of a payment link in the same account, say.
    pub(crate) async fn foreign_session(&self) -> Checkout {
        self.session_made_elsewhere(&[]).await
    }

    /// A session that this shop did not make, whatever its metadata say.
    pub(crate) async fn session_made_elsewhere(&self, metadata: &[(&str, &str)]) -> Checkout {
        let form = [
            ("mode", "payment"),
            ("success_url", "http://127.0.0.1/"),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[0][price_data][unit_amount]", "700"),
            (
                "line_items[0][price_data][product_data][name]",
                "A donation",
            ),
            ("line_items[0][quantity]", "1"),
        ];
        let form = [&form, metadata].concat();
        let session = self.stripe_post("checkout/sessions", &form).await;
        Checkout {
            purchase: String::new(),
            url: text(&session, "url"),
        }
    }

    /// The payment intent that paid, `pi_…`
    pub(crate) async fn payment_intent(&self, checkout: &Checkout) -> String {
        text(&self.session(checkout.session()).await, "payment_intent")
    }

    /// The seller gives so much back, or all that is left. Answers the refund's id.
    pub(crate) async fn refund(&self, checkout: &Checkout, amount: Option<u32>) -> String {
        let intent = self.payment_intent(checkout).await;
        let amount = amount.map(|amount| amount.to_string());
        let mut form = vec![("payment_intent", intent.as_str())];
        form.extend(amount.as_deref().map(|amount| ("amount", amount)));
        text(&self.stripe_post("refunds", &form).await, "id")
    }

    /// A refund goes on: `succeed`, `fail`, `require_action`, `cancel`.
    pub(crate) async fn refund_goes(&self, refund: &str, step: &str) {
        self.control(&format!("refunds/{refund}/{step}"), &[]).await;
    }

    /// The buyer goes to their bank. Answers the dispute's id.
    pub(crate) async fn dispute(&self, checkout: &Checkout, claim: &[(&str, &str)]) -> String {
        let intent = self.payment_intent(checkout).await;
        let intent = self.at_stripe(&format!("payment_intents/{intent}")).await;
        let charge = text(&intent, "latest_charge");
        let path = format!("charges/{charge}/dispute");
        text(&self.control(&path, claim).await, "dispute")
    }

    /// A dispute goes on to this status.
    pub(crate) async fn dispute_goes(&self, dispute: &str, status: &str) {
        let path = format!("disputes/{dispute}/status");
        self.control(&path, &[("status", status)]).await;
    }

    /// Keeps events back, so that the test delivers them itself.
    pub(crate) async fn hold_deliveries(&self) {
        self.control("deliveries/hold", &[]).await;
    }

    /// All deliveries to the webhook, oldest first.
    pub(crate) async fn deliveries(&self) -> Vec<Value> {
        let request = self.stripe_request("GET", "/_stripe/deliveries");
        let mut deliveries = self.send(request).await.expect(200).json();
        let deliveries = deliveries.as_array_mut().unwrap();
        deliveries.reverse();
        std::mem::take(deliveries)
    }

    /// All events so far that are for the webhook and name this session, payment intent, refund or
    /// dispute, oldest first.
    pub(crate) async fn events_of(&self, object: &str) -> Vec<String> {
        let deliveries = self.deliveries().await;
        let bodies = deliveries.iter().map(|delivery| text(delivery, "body"));
        bodies.filter(|body| body.contains(object)).collect()
    }

    /// All events of a paid purchase so far that are for the webhook, oldest first.
    pub(crate) async fn events_of_payment(&self, checkout: &Checkout) -> Vec<String> {
        let intent = self.payment_intent(checkout).await;
        self.events_of(&intent).await
    }

    /// How many sessions Stripe has made. Meets planned faults like any other call.
    pub(crate) async fn sessions(&self) -> usize {
        let request = self
            .stripe_request("GET", "/v1/checkout/sessions?limit=100")
            .bearer_auth(STRIPE_KEY);
        let answer = self.send(request).await.expect(200).json();
        answer["data"].as_array().unwrap().len()
    }

    /// Lets calls that nobody waits for meet the faults that are still planned.
    pub(crate) async fn stripe_recovers(&self) {
        for _ in 0..200 {
            let request = self
                .stripe_request("GET", "/v1/checkout/sessions?limit=1")
                .bearer_auth(STRIPE_KEY)
                .timeout(Duration::from_millis(200));
            if let Ok(response) = request.send().await
                && response.status().is_success()
            {
                return;
            }
        }
        panic!("Stripe does not recover");
    }

    /// A session as Stripe's API shows it.
    pub(crate) async fn session(&self, id: &str) -> Value {
        let path = format!("/v1/checkout/sessions/{id}?expand[]=line_items");
        let request = self.stripe_request("GET", &path).bearer_auth(STRIPE_KEY);
        self.send(request).await.expect(200).json()
    }

    /// Stripe's next calls go wrong.
    pub(crate) async fn stripe_fails(&self, fault: &[(&str, &str)]) {
        let session = [("path", "/v1/checkout/sessions")];
        self.control("faults", &[&session, fault].concat()).await;
    }

    // --- the webhook ---

    /// `POST /webhook`, signed as Stripe signs.
    pub(crate) async fn deliver(&self, body: &str) -> Answer {
        let secret = WebhookSecret::new(WEBHOOK_SECRET).unwrap();
        let signature = sign(body.as_bytes(), &secret, now());
        self.post_webhook(Some(&signature), body).await
    }

    /// What became of an event that is delivered and taken.
    pub(crate) async fn receipt(&self, body: &str) -> String {
        let answer = self.deliver(body).await.expect(200).json();
        assert_eq!(answer["received"], true);
        text(&answer, "result")
    }

    pub(crate) async fn post_webhook(&self, signature: Option<&str>, body: &str) -> Answer {
        let plain = "application/json; charset=utf-8";
        self.post_webhook_as(plain, signature, body).await
    }

    /// What is neither JSON nor text comes to a function in base64.
    pub(crate) async fn post_webhook_as(
        &self,
        content_type: &str,
        signature: Option<&str>,
        body: &str,
    ) -> Answer {
        let mut request = self
            .request("POST", "/webhook")
            .header("content-type", content_type)
            .body(body.to_owned());
        if let Some(signature) = signature {
            request = request.header("stripe-signature", signature);
        }
        self.send(request).await
    }

    pub(crate) async fn post_webhook_at(&self, path: &str, signature: &str, body: &str) -> Answer {
        let request = self
            .request("POST", path)
            .header("content-type", "application/json")
            .header("stripe-signature", signature)
            .body(body.to_owned());
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    // --- DynamoDB ---

    async fn dynamodb(&self, operation: &str, input: Value) -> Value {
        let request = self
            .http
            .post(&self.addresses.aws)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 \
                 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=00",
            );
        let answer = self.send(request.body(input.to_string())).await;
        answer.expect(200).json()
    }

    /// Every item of a table.
    async fn items(&self, logical_id: &str) -> Vec<Value> {
        let input = json!({ "TableName": self.tables.name(logical_id), "ConsistentRead": true });
        let scanned = self.dynamodb("Scan", input).await;
        assert!(scanned["LastEvaluatedKey"].is_null(), "more than a page");
        scanned["Items"].as_array().unwrap().clone()
    }

    /// Every item of every table, for comparing before with after.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let mut items = Vec::new();
        for table in TABLES {
            let of_table = self.items(table).await;
            items.extend(of_table.iter().map(|item| format!("{table} {item}")));
        }
        items.sort();
        items
    }

    /// The ids of all purchases, whoever's and however far they came.
    pub(crate) async fn stored_purchases(&self) -> Vec<String> {
        let items = self.items("PurchasesTable").await;
        let rows = items.iter().filter(|item| item["sk"]["S"] == "purchase");
        rows.map(|item| item["pk"]["S"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Whether a purchase is to be forgotten in time.
    pub(crate) async fn is_forgettable(&self, id: &str) -> bool {
        let items = self.items("PurchasesTable").await;
        let row = |item: &&Value| item["pk"]["S"] == *id && item["sk"]["S"] == "purchase";
        items.iter().find(row).unwrap().get("ttl").is_some()
    }

    /// A purchase's item.
    pub(crate) async fn purchase_item(&self, id: &str) -> Value {
        let items = self.items("PurchasesTable").await.into_iter();
        let mut items =
            items.filter(|item| item["pk"]["S"] == *id && item["sk"]["S"] == "purchase");
        items.next().unwrap()
    }

    /// Writes an item as it is.
    pub(crate) async fn put_item(&self, logical_id: &str, item: &Value) {
        let table = self.tables.name(logical_id);
        self.dynamodb("PutItem", json!({ "TableName": table, "Item": item }))
            .await;
    }

    /// As if a purchase had been opened, and were to be looked at, so many seconds earlier.
    pub(crate) async fn age(&self, purchase: &str, seconds: i64) {
        let mut item = self.purchase_item(purchase).await;
        let earlier = |number: &mut Value| {
            let then: i64 = number["N"].as_str().unwrap().parse().unwrap();
            number["N"] = (then - seconds).to_string().into();
        };
        for time in ["started_at", "expires_at"] {
            earlier(&mut item["attempt"]["M"][time]);
        }
        if item.get("work_due").is_some() {
            earlier(&mut item["work_due"]);
        }
        self.put_item("PurchasesTable", &item).await;
    }

    /// As if so many seconds had passed since somebody looked at a purchase.
    pub(crate) async fn age_look(&self, purchase: &str, seconds: i64) {
        let items = self.items("PurchasesTable").await;
        let look = |item: &&Value| item["pk"]["S"] == *purchase && item["sk"]["S"] == "look";
        let mut look = items.iter().find(look).unwrap().clone();
        let then: i64 = look["looked_at"]["N"].as_str().unwrap().parse().unwrap();
        look["looked_at"]["N"] = (then - seconds).to_string().into();
        self.put_item("PurchasesTable", &look).await;
    }

    /// As if what the one buyer there is holds had been let go of so many seconds later.
    pub(crate) async fn age_holds(&self, seconds: i64) {
        let items = self.items("PurchasesTable").await;
        let mut rows = items.into_iter().filter(|item| item["sk"]["S"] == "open");
        let mut row = rows.next().unwrap();
        assert!(rows.next().is_none(), "more than one buyer");
        for hold in row.as_object_mut().unwrap().values_mut() {
            if let Some(until) = hold.pointer_mut("/M/until/N") {
                let then: i64 = until.as_str().unwrap().parse().unwrap();
                *until = (then - seconds).to_string().into();
            }
        }
        self.put_item("PurchasesTable", &row).await;
    }

    /// What was recorded of a purchase: what told it, and whether it was news.
    pub(crate) async fn recorded(&self, purchase: &str) -> BTreeMap<String, bool> {
        let items = self.items("PurchasesTable").await.into_iter();
        let claims = items.filter(|item| item["pk"]["S"] == *purchase);
        let claims = claims.filter_map(|item| {
            let id = item["sk"]["S"].as_str()?.strip_prefix("event#")?.to_owned();
            Some((id, item["changed"]["BOOL"].as_bool()?))
        });
        claims.collect()
    }

    /// How many rows are authentic events that nobody could understand.
    pub(crate) async fn parked(&self) -> usize {
        let items = self.items("PurchasesTable").await;
        let partition = |item: &Value| item["pk"]["S"].as_str().unwrap().to_owned();
        items
            .iter()
            .filter(|item| partition(item).starts_with("parked#"))
            .count()
    }

    /// The one parked event is this one from now on, as if what kept it from being read were mended.
    pub(crate) async fn mend_parked(&self, body: &str) {
        let items = self.items("PurchasesTable").await;
        let parked = |item: &&Value| item["pk"]["S"].as_str().unwrap().starts_with("parked#");
        let mut item = items.iter().find(parked).unwrap().clone();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        std::io::Write::write_all(&mut gzip, body.as_bytes()).unwrap();
        let gzip = base64::engine::general_purpose::STANDARD.encode(gzip.finish().unwrap());
        item["body_gzip"] = json!({ "B": gzip });
        self.put_item("PurchasesTable", &item).await;
    }

    /// The effects of a purchase that a mail tells of: `paid`, `pending`, …
    pub(crate) async fn effects(&self, purchase: &str) -> Vec<String> {
        let items = self.items("OutboxTable").await;
        let ids = items.iter().map(|item| item["id"]["S"].as_str().unwrap());
        let mut effects: Vec<_> = ids
            .filter_map(|id| id.strip_prefix(purchase)?.strip_prefix('#'))
            .map(str::to_owned)
            .collect();
        effects.sort();
        effects
    }

    /// The outbox's row of one of them.
    pub(crate) async fn outbox_row(&self, purchase: &str, effect: &str) -> Value {
        let id = format!("{purchase}#{effect}");
        let mut items = self.items("OutboxTable").await.into_iter();
        items.find(|item| item["id"]["S"] == *id).unwrap()
    }

    /// The next attempt at sending a mail is due, and made.
    pub(crate) async fn mail_again(&self, purchase: &str, effect: &str) {
        let mut row = self.outbox_row(purchase, effect).await;
        row["next_attempt"] = json!({ "N": "1" });
        self.put_item("OutboxTable", &row).await;
        self.mailer().await;
    }

    /// Takes an item out of the purchases table.
    pub(crate) async fn delete_item(&self, pk: &str, sk: &str) {
        let table = self.tables.name("PurchasesTable");
        let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        self.dynamodb("DeleteItem", json!({ "TableName": table, "Key": key }))
            .await;
    }

    /// How far reconcile has read Stripe's events.
    pub(crate) async fn cursor(&self) -> Option<Value> {
        let items = self.items("PurchasesTable").await.into_iter();
        let mut items = items.filter(|item| item["pk"]["S"] == "reconcile");
        items.next()
    }

    /// As if the purchase had never been stored.
    pub(crate) async fn lose_purchase(&self, id: &str) {
        self.delete_item(id, "purchase").await;
        assert!(self.stored_purchases().await.is_empty());
    }

    /// A product like the mug of which so many are left.
    pub(crate) async fn sell_limited(&self, id: &str, stock: u32) {
        self.sell_mug_for(id, 1500).await;
        self.limit(id, Some(stock)).await;
    }

    /// So many of a product are left from now on, or any number.
    pub(crate) async fn limit(&self, id: &str, stock: Option<u32>) {
        let mut update = json!({
            "TableName": self.tables.name("ProductsTable"),
            "Key": { "id": { "S": id } },
            "UpdateExpression": "REMOVE stock",
        });
        if let Some(stock) = stock {
            update["UpdateExpression"] = json!("SET stock = :stock");
            update["ExpressionAttributeValues"] = json!({ ":stock": { "N": stock.to_string() } });
        }
        self.dynamodb("UpdateItem", update).await;
    }

    /// How many are left of a product; `None` if there is no limit, or no such product.
    pub(crate) async fn stock(&self, id: &str) -> Option<i64> {
        let items = self.items("ProductsTable").await;
        let product = items.iter().find(|item| item["id"]["S"] == *id)?;
        Some(product.get("stock")?["N"].as_str()?.parse().unwrap())
    }

    /// The seller takes a product out of the shop for good.
    pub(crate) async fn delete_product(&self, id: &str) {
        let table = self.tables.name("ProductsTable");
        let key = json!({ "id": { "S": id } });
        self.dynamodb("DeleteItem", json!({ "TableName": table, "Key": key }))
            .await;
    }

    /// Another product like the mug, at another price.
    pub(crate) async fn sell_mug_for(&self, id: &str, amount: u64) {
        let table = self.tables.name("ProductsTable");
        let key = json!({ "id": { "S": MUG } });
        let mug = self
            .dynamodb("GetItem", json!({ "TableName": table, "Key": key }))
            .await;
        let mug = mug["Item"].to_string();
        assert!(mug.contains(r#""1500""#), "no price in {mug}");
        let item = mug
            .replace(r#""1500""#, &format!(r#""{amount}""#))
            .replace(MUG, id);
        let item: Value = serde_json::from_str(&item).unwrap();
        self.dynamodb("PutItem", json!({ "TableName": table, "Item": item }))
            .await;
    }

    /// DynamoDB or SES has a bad day: `times` requests long, or until it is over.
    pub(crate) async fn aws_fails(&self, operation: &str, fault: &str, times: Option<u32>) {
        let mut armed = json!({ "operation": operation, "fault": fault });
        if let Some(times) = times {
            armed["times"] = times.into();
        }
        let url = format!("{}/_aws/faults", self.addresses.aws);
        self.send(self.http.post(url).json(&armed))
            .await
            .expect(201);
    }

    /// The bad day is over. Says which faults were still waiting to strike.
    pub(crate) async fn aws_recovers(&self) -> Value {
        let url = format!("{}/_aws/faults", self.addresses.aws);
        let waiting = self.send(self.http.get(&url)).await.expect(200).json();
        self.send(self.http.delete(url)).await.expect(204);
        waiting
    }
}

/// A shop that can be started: everything in memory, any ports that are free.
struct Prepared {
    options: Options,
    tables: Tables,
    environments: Environments,
    folder: TempDir,
}

fn prepare() -> Prepared {
    let folder = tempfile::tempdir().unwrap();
    let engine = borrowed_engine();
    let suffix = match &engine {
        // Other tests, and earlier runs, have tables there too.
        Some(_) => uuid::Uuid::new_v4().simple().to_string(),
        None => String::new(),
    };
    let tables = Tables { suffix };
    let environments = Environments::default();
    let project = project(folder.path(), &tables);
    let mut options = Options::in_memory(project, environments.overhear(None));
    let environment = &mut options.environment;
    environment.insert("DEVELOPER_EMAIL".into(), DEVELOPER.into());
    if let Some(engine) = engine {
        // DynamoDB only: mail ends in this shop's mailbox, where the tests read it.
        environment.insert("AWS_ENDPOINT_URL_DYNAMODB".into(), engine);
    }
    Prepared {
        options,
        tables,
        environments,
        folder,
    }
}

/// Where `AWS_ENDPOINT_URL` points: then the tests run on that engine instead of the embedded one.
/// The shop's own AWS endpoint still stands before it, so faults can be had there, too.
fn borrowed_engine() -> Option<String> {
    ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|endpoint| !endpoint.trim().is_empty())
}

/// The shop's own template, with tables of this test's own.
fn project(folder: &Path, tables: &Tables) -> Project {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut template = std::fs::read_to_string(root.join("template.yaml")).unwrap();
    for table in TABLES {
        template = template.replace(table, &tables.name(table));
    }
    let path = folder.join("template.yaml");
    std::fs::write(&path, template).unwrap();
    Project {
        template: path,
        site: root.join("site"),
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

/// A cart's body.
pub(crate) fn cart(items: &[(&str, u64)]) -> Value {
    let items: Vec<_> = items
        .iter()
        .map(|(product, quantity)| json!({ "product_id": product, "quantity": quantity }))
        .collect();
    json!({ "items": items })
}

#[track_caller]
pub(crate) fn text(object: &Value, name: &str) -> String {
    let text = object[name].as_str();
    let text = text.unwrap_or_else(|| panic!("no {name} in {object}"));
    // An amount and its currency are kept together by a space that does not break.
    text.replace('\u{a0}', " ")
}

/// The same event, but for what `change` changes.
pub(crate) fn altered(event: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut event: Value = serde_json::from_str(event).unwrap();
    change(&mut event);
    event.to_string()
}

/// The first event of a type.
#[track_caller]
pub(crate) fn of_type<'e>(events: &'e [String], kind: &str) -> &'e str {
    let kinds: Vec<_> = events.iter().map(|event| kind_of(event)).collect();
    let at = kinds.iter().position(|it| it == kind);
    let at = at.unwrap_or_else(|| panic!("no {kind} among {kinds:?}"));
    &events[at]
}

/// An event's type.
pub(crate) fn kind_of(event: &str) -> String {
    text(&serde_json::from_str(event).unwrap(), "type")
}

/// All orders of so many things.
pub(crate) fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let last = count - 1;
    permutations(last)
        .into_iter()
        .flat_map(|shorter| {
            (0..count).map(move |place| {
                let mut longer = shorter.clone();
                longer.insert(place, last);
                longer
            })
        })
        .collect()
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}

/// Asks until there is an answer; gives up after twenty seconds.
pub(crate) async fn eventually<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking)
        .await
        .expect("it did not happen")
}
