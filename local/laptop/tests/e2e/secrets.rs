//! Stripe's key and the webhook's secrets, from Parameter Store and Secrets Manager, while they
//! are rolled. Where `AWS_ENDPOINT_URL` points to another engine, it keeps them; otherwise a
//! small server here does, which counts how often it is asked and can be told to fail.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use futures::future::join_all;
use http::StatusCode;
use lambda_http::{Body, Request};
use laptop::shop::{LocalShop, Options};
use laptop::wiring;
use reconcile::{ReconcileError, Scheduled};
use reqwest::Client;
use serde_json::{Value, json};
use shared::config::Environment;
use shared::stripe::key::StripeKey;
use shared::stripe::signature::{WebhookSecret, sign};
use testing::eventually;
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;
use webhook::Webhook;

const STRIPE_KEY: &str = "STRIPE_SECRET_KEY";
const WEBHOOK_SECRETS: &str = "STRIPE_WEBHOOK_SECRETS";

/// AWS's two stores, in the words of `SECRETS_STORE`.
const STORES: [&str; 2] = ["ssm", "secretsmanager"];

// --- the store ---

/// What the small server keeps, and what it is told to do.
#[derive(Default)]
struct Kept {
    secrets: BTreeMap<String, String>,
    readings: usize,
    delay: Duration,
    fails: bool,
}

/// A store of secrets, with names of this test's own.
struct Store {
    kind: &'static str,
    endpoint: String,
    here: Option<Arc<Mutex<Kept>>>,
    suffix: String,
    http: Client,
}

impl Store {
    /// The other engine if there is one.
    async fn any(kind: &'static str) -> Self {
        let engine = std::env::var("AWS_ENDPOINT_URL");
        match engine.ok().filter(|url| !url.trim().is_empty()) {
            Some(endpoint) => Self::at(kind, endpoint, None),
            None => Self::here(kind).await,
        }
    }

    /// The one that counts and fails.
    async fn here(kind: &'static str) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&kept));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self::at(kind, endpoint, Some(kept))
    }

    fn at(kind: &'static str, endpoint: String, here: Option<Arc<Mutex<Kept>>>) -> Self {
        Self {
            kind,
            endpoint,
            here,
            suffix: Uuid::new_v4().simple().to_string(),
            http: Client::builder().no_proxy().build().unwrap(),
        }
    }

    fn name(&self, variable: &str) -> String {
        format!("/till/{variable}-{}", self.suffix)
    }

    /// Stores a secret, or replaces it.
    async fn put(&self, variable: &str, value: &str) {
        let name = self.name(variable);
        if let Some(here) = &self.here {
            here.lock().unwrap().secrets.insert(name, value.to_owned());
            return;
        }
        let done = if self.kind == "ssm" {
            let parameter =
                json!({"Name": name, "Value": value, "Type": "SecureString", "Overwrite": true});
            self.call("AmazonSSM.PutParameter", &parameter).await
        } else {
            let fresh = json!({"Name": name, "SecretString": value});
            let replaced = json!({"SecretId": name, "SecretString": value});
            self.call("secretsmanager.CreateSecret", &fresh).await
                || self.call("secretsmanager.PutSecretValue", &replaced).await
        };
        assert!(done, "{} does not take {name}", self.endpoint);
    }

    async fn call(&self, target: &str, body: &Value) -> bool {
        let service = if self.kind == "ssm" {
            "ssm"
        } else {
            "secretsmanager"
        };
        let scope = format!("local/20260101/us-east-1/{service}/aws4_request");
        let request = self
            .http
            .post(&self.endpoint)
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.1")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            )
            .body(body.to_string());
        request.send().await.unwrap().status().is_success()
    }

    /// The server here; what it counts and what it is told.
    #[track_caller]
    fn told(&self, tell: impl FnOnce(&mut Kept)) {
        tell(&mut self.here.as_ref().unwrap().lock().unwrap());
    }

    #[track_caller]
    fn readings(&self) -> usize {
        self.here.as_ref().unwrap().lock().unwrap().readings
    }

    /// The variables that lead a function to a secret in this store.
    fn variables(&self, variable: &str) -> BTreeMap<String, String> {
        let own = match self.kind {
            "ssm" => "AWS_ENDPOINT_URL_SSM",
            _ => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        };
        BTreeMap::from([
            (variable.to_owned(), String::new()),
            (format!("{variable}_PARAMETER"), self.name(variable)),
            ("SECRETS_STORE".to_owned(), self.kind.to_owned()),
            (own.to_owned(), self.endpoint.clone()),
        ])
    }

    /// A webhook function with its secrets here.
    async fn webhook(&self) -> Result<Webhook, String> {
        let function = Webhook::new(&self.environment(WEBHOOK_SECRETS)).await;
        function.map_err(|error| error.to_string())
    }

    /// A function's environment, with one secret here.
    fn environment(&self, variable: &str) -> Environment {
        let mut variables = self.variables(variable);
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_REGION", "us-east-1"),
            // Nothing in these tests comes as far as a table or Stripe.
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
            ("PRODUCTS_TABLE", "products"),
            ("PURCHASES_TABLE", "purchases"),
            ("OUTBOX_TABLE", "outbox"),
            ("STRIPE_SECRET_KEY", "sk_test_local"),
            ("TILL_MODE", "test"),
            ("TILL_STACK", "till"),
        ] {
            let value = || value.to_owned();
            variables.entry(name.to_owned()).or_insert_with(value);
        }
        Environment::from(variables)
    }
}

/// Parameter Store and Secrets Manager, as far as reading goes.
async fn answer(
    State(kept): State<Arc<Mutex<Kept>>>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let header = |name: &str| headers.get(name).unwrap().to_str().unwrap();
    let signed = header("authorization");
    assert!(
        signed.starts_with("AWS4-HMAC-SHA256 Credential=local/"),
        "{signed}"
    );
    let asked: Value = serde_json::from_str(&body).unwrap();
    let (service, name) = match header("x-amz-target") {
        "AmazonSSM.GetParameter" => {
            assert_eq!(asked["WithDecryption"], true);
            ("ssm", &asked["Name"])
        }
        "secretsmanager.GetSecretValue" => ("secretsmanager", &asked["SecretId"]),
        other => panic!("nobody should ask {other}"),
    };
    assert!(signed.contains(&format!("/us-east-1/{service}/aws4_request")));
    let (delay, fails, secret) = {
        let mut kept = kept.lock().unwrap();
        kept.readings = kept.readings.saturating_add(1);
        let secret = kept.secrets.get(name.as_str().unwrap()).cloned();
        (kept.delay, kept.fails, secret)
    };
    tokio::time::sleep(delay).await;
    let (status, answer) = match secret {
        _ if fails => (400, json!({"__type": "AccessDeniedException"})),
        Some(secret) if service == "ssm" => (200, json!({"Parameter": {"Value": secret}})),
        Some(secret) => (200, json!({"SecretString": secret})),
        None if service == "ssm" => (400, json!({"__type": "com.amazonaws#ParameterNotFound"})),
        None => (400, json!({"__type": "ResourceNotFoundException"})),
    };
    (StatusCode::from_u16(status).unwrap(), answer.to_string())
}

// --- deliveries ---

/// The status that answers an event signed with the secret. Its type is none that Till handles, so
/// 200 says that the signature was believed, and nothing else.
async fn deliver(function: &Webhook, secret: &str) -> u16 {
    let body = json!({
        "id": "evt_1", "object": "event", "type": "product.updated", "livemode": false,
        "api_version": "2026-09-30.endive", "created": 1, "data": {"object": {"id": "prod_1"}},
    });
    let body = body.to_string();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    let signature = sign(body.as_bytes(), &WebhookSecret::new(secret).unwrap(), now);
    let request = http::Request::post("/")
        .header("stripe-signature", signature)
        .body(Body::Text(body));
    let request: Request = request.unwrap();
    function.handle(request).await.status().as_u16()
}

/// A minute goes by.
async fn a_minute_later() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_rolled_webhook_secret_is_believed_at_the_next_delivery() {
    for kind in STORES {
        let store = Store::any(kind).await;
        store.put(WEBHOOK_SECRETS, "whsec_old").await;
        let function = store.webhook().await.unwrap();
        assert_eq!(deliver(&function, "whsec_old").await, 200);
        assert_eq!(deliver(&function, "whsec_new").await, 400);

        a_minute_later().await;
        store.put(WEBHOOK_SECRETS, "whsec_old, whsec_new").await;
        assert_eq!(deliver(&function, "whsec_new").await, 200, "{kind}");
        assert_eq!(deliver(&function, "whsec_old").await, 200, "{kind}");

        a_minute_later().await;
        store.put(WEBHOOK_SECRETS, "whsec_new").await;
        assert_eq!(deliver(&function, "whsec_nobodys").await, 400);
        assert_eq!(deliver(&function, "whsec_old").await, 400, "{kind}");
        assert_eq!(deliver(&function, "whsec_new").await, 200, "{kind}");
    }
}

#[tokio::test]
async fn a_flood_of_bad_signatures_reads_the_store_once_a_minute() {
    let store = Store::here("ssm").await;
    store.put(WEBHOOK_SECRETS, "whsec_ours").await;
    let function = store.webhook().await.unwrap();
    assert_eq!(store.readings(), 1);
    for minute in 1..=3 {
        for _ in 0..3 {
            let together = (0..40).map(|_| deliver(&function, "whsec_guessed"));
            assert_eq!(join_all(together).await, [400; 40]);
            assert_eq!(deliver(&function, "whsec_ours").await, 200);
        }
        assert_eq!(store.readings(), 1 + minute);
        a_minute_later().await;
    }
}

#[tokio::test]
async fn a_header_that_is_not_a_signature_reads_no_secrets() {
    let store = Store::here("ssm").await;
    store.put(WEBHOOK_SECRETS, "whsec_ours").await;
    let function = store.webhook().await.unwrap();
    for header in ["", "nonsense", "t=1"] {
        let request = http::Request::post("/").header("stripe-signature", header);
        let answer = function.handle(request.body(Body::Empty).unwrap()).await;
        assert_eq!(answer.status(), 400);
    }
    assert_eq!(store.readings(), 1);
}

#[tokio::test]
async fn good_signatures_wait_for_no_store_and_those_with_a_new_secret_share_one_reading() {
    let store = Store::here("secretsmanager").await;
    store.put(WEBHOOK_SECRETS, "whsec_old").await;
    let function = store.webhook().await.unwrap();
    store.put(WEBHOOK_SECRETS, "whsec_old,whsec_new").await;
    store.told(|kept| kept.delay = Duration::from_secs(1));

    let newly = join_all((0..20).map(|_| deliver(&function, "whsec_new")));
    let guessed = join_all((0..20).map(|_| deliver(&function, "whsec_guessed")));
    let rightly = async {
        eventually(async || (store.readings() == 2).then_some(())).await;
        let began = Instant::now();
        assert_eq!(deliver(&function, "whsec_old").await, 200);
        assert!(began.elapsed() < Duration::from_millis(500));
    };
    let (newly, guessed, ()) = futures::join!(newly, guessed, rightly);
    assert_eq!(newly, [200; 20]);
    assert_eq!(guessed, [400; 20]);
    assert_eq!(store.readings(), 2);
}

#[tokio::test]
async fn a_store_that_fails_leaves_the_old_secrets_in_force() {
    let store = Store::here("ssm").await;
    store.put(WEBHOOK_SECRETS, "whsec_old").await;
    let function = store.webhook().await.unwrap();
    let unusable: [fn(&mut Kept); 3] = [
        |kept| kept.fails = true,
        |kept| kept.secrets.clear(),
        // An empty secret among them would let anybody in.
        |kept| {
            kept.secrets
                .values_mut()
                .for_each(|v| *v = "whsec_new,".into())
        },
    ];
    for make_unusable in unusable {
        store.told(make_unusable);
        let before = store.readings();
        assert_eq!(deliver(&function, "whsec_new").await, 400);
        assert_eq!(store.readings(), before + 1);
        assert_eq!(deliver(&function, "whsec_old").await, 200);
        a_minute_later().await;
        store.told(|kept| kept.fails = false);
        store.put(WEBHOOK_SECRETS, "whsec_old").await;
    }
    store.put(WEBHOOK_SECRETS, "whsec_new").await;
    assert_eq!(deliver(&function, "whsec_new").await, 200);
}

#[tokio::test]
async fn a_missing_secret_keeps_the_function_from_starting_and_says_which_and_where() {
    for kind in STORES {
        let store = Store::any(kind).await;
        let error = store.webhook().await.err().unwrap();
        for part in [WEBHOOK_SECRETS, &store.name(WEBHOOK_SECRETS), "till setup"] {
            assert!(error.contains(part), "{error}");
        }
        store.put(WEBHOOK_SECRETS, "whsec_a").await;
        assert!(store.webhook().await.is_ok(), "{kind}");
    }
}

#[tokio::test]
async fn key_value_pairs_are_read_by_the_name_of_the_variable() {
    let store = Store::any("secretsmanager").await;
    let pairs = json!({"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRETS": "whsec_pair"});
    store.put(WEBHOOK_SECRETS, &pairs.to_string()).await;
    let function = store.webhook().await.unwrap();
    assert_eq!(deliver(&function, "whsec_pair").await, 200);

    let pairs = json!({"webhook": "whsec_pair"}).to_string();
    store.put(WEBHOOK_SECRETS, &pairs).await;
    let error = store.webhook().await.err().unwrap();
    assert!(
        error.contains("none named STRIPE_WEBHOOK_SECRETS") && !error.contains("whsec_pair"),
        "{error}"
    );
}

// --- the key ---

/// The whole shop, whose checkout reads its Stripe key from the store.
async fn shop(store: &Store) -> (LocalShop, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let project = testing::repository();
    let variables = store.variables(STRIPE_KEY);
    let deployed = wiring::deployed();
    let wiring: laptop::functions::Wiring = Arc::new(move |mut environments| {
        let checkout = environments.get_mut("CheckoutFunction").unwrap();
        checkout.extend(variables.clone());
        deployed(environments)
    });
    let shop = LocalShop::start(Options::in_memory(project, wiring)).await;
    (shop.unwrap(), folder)
}

/// The status that answers somebody who wants a mug.
async fn buy(shop: &LocalShop) -> u16 {
    let http = Client::builder().no_proxy().build().unwrap();
    let token = http
        .post(format!("{}/_local/token", shop.url()))
        .form(&[("email", "ada@buyers.example")]);
    let token: Value = serde_json::from_str(&text(token).await.1).unwrap();
    let checkout = http
        .post(format!("{}/checkout", shop.url()))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .body(json!({"items": [{"product_id": "sample-mug", "quantity": 1}]}).to_string());
    text(checkout).await.0
}

async fn text(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_key_that_stripe_no_longer_knows_is_replaced_and_the_call_repeated() {
    for kind in STORES {
        let store = Store::any(kind).await;
        store.put(STRIPE_KEY, "rk_test_rolled").await;
        let (shop, _folder) = shop(&store).await;
        store.put(STRIPE_KEY, "sk_test_local").await;
        assert_eq!(buy(&shop).await, 201, "{kind}");
        shop.shutdown().await;
    }
}

#[tokio::test]
async fn a_key_that_stays_wrong_is_looked_up_once_a_minute() {
    let store = Store::here("ssm").await;
    store.put(STRIPE_KEY, "rk_test_revoked").await;
    let (shop, _folder) = shop(&store).await;
    for _ in 0..3 {
        assert_eq!(buy(&shop).await, 502);
    }
    assert_eq!(store.readings(), 2);
    shop.shutdown().await;
}

#[tokio::test]
async fn a_live_key_in_a_test_deployment_is_refused_at_start_and_when_read_again() {
    let store = Store::here("ssm").await;
    store.put(STRIPE_KEY, "rk_test_rolled").await;
    let (shop, _folder) = shop(&store).await;
    let log = Log::start();
    store.put(STRIPE_KEY, "rk_live_by_mistake").await;
    assert_eq!(buy(&shop).await, 502);
    assert_eq!(store.readings(), 2);
    let said = log.text();
    assert!(said.contains("the key's mode is not TILL_MODE"), "{said}");
    assert!(!said.contains("by_mistake"), "{said}");

    store.put(STRIPE_KEY, "sk_test_local").await;
    a_minute_later().await;
    assert_eq!(buy(&shop).await, 201);
    shop.shutdown().await;
}

// --- silence ---

/// All that is logged from here on, by whomever, at every level.
struct Log {
    lines: Arc<Mutex<Vec<u8>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

#[derive(Clone)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn start() -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(Lines(Arc::clone(&lines)))
            .finish();
        Self {
            lines,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.lines.lock().unwrap()).into_owned()
    }
}

#[tokio::test]
async fn no_log_line_and_no_debug_output_shows_a_secret() {
    let log = Log::start();
    for kind in STORES {
        let store = Store::here(kind).await;
        store.put(WEBHOOK_SECRETS, "whsec_private_old").await;
        let function = store.webhook().await.unwrap();
        store.put(WEBHOOK_SECRETS, "whsec_private_new").await;
        assert_eq!(deliver(&function, "whsec_private_new").await, 200);
        assert_eq!(deliver(&function, "whsec_private_old").await, 400);

        a_minute_later().await;
        store.put(WEBHOOK_SECRETS, "whsec_private_1,,").await;
        assert_eq!(deliver(&function, "whsec_private_1").await, 400);

        let environment = Environment::from(store.variables(WEBHOOK_SECRETS));
        tracing::info!(?environment);
        let mut variables = store.variables(STRIPE_KEY);
        variables.extend([
            ("TILL_MODE".to_owned(), "test".to_owned()),
            ("AWS_REGION".to_owned(), "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "private-aws".to_owned()),
        ]);
        for (key, fine) in [("sk_test_private", true), ("sk_live_private", false)] {
            store.put(STRIPE_KEY, key).await;
            let secret = StripeKey::read(&Environment::from(variables.clone())).await;
            assert_eq!(secret.is_ok(), fine);
            tracing::info!(?secret, key = ?secret.as_ref().map(|secret| secret.current()));
        }
    }
    let said = log.text();
    assert!(said.contains("a secret cannot be read again"), "{said}");
    assert!(said.contains("a secret was not accepted"), "{said}");
    for line in said.lines() {
        assert!(!line.contains("private"), "{line}");
    }
}

#[tokio::test]
async fn a_shop_that_is_not_set_up_yet_has_nothing_to_reconcile_and_nothing_to_alarm() {
    for kind in STORES {
        let store = Store::any(kind).await;
        let function = Scheduled::new(store.environment(STRIPE_KEY));
        for _ in 0..2 {
            assert!(function.handle(Value::Null).await.is_ok(), "{kind}");
        }
        store.put(STRIPE_KEY, "sk_test_ours").await;
        // There are no tables here: it has got as far as asking for them.
        let asked = function.handle(Value::Null).await;
        assert!(matches!(asked, Err(ReconcileError::Store(_))), "{asked:?}");
    }
}

#[tokio::test]
async fn a_key_that_may_not_be_read_is_a_failure_of_reconcile() {
    let store = Store::here("ssm").await;
    store.told(|kept| kept.fails = true);
    let function = Scheduled::new(store.environment(STRIPE_KEY));
    let failed = function.handle(Value::Null).await;
    let Err(ReconcileError::Config(why)) = failed else {
        panic!("{failed:?}")
    };
    assert!(why.to_string().contains("AccessDenied"), "{why}");
}
