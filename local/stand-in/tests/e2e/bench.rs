//! A stand-in on a port of its own, a webhook that listens to it, and one method per thing that can
//! be asked of it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use sha2::Sha256;
use stand_in::{Config, MachineTime, OtherKeys, Seed, SigningSecret, StandIn};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) const KEY: &str = "sk_test_local";
pub(crate) const SECRET: &str = "whsec_local";
/// What a shop wants to hear of.
const SUBSCRIBED: [&str; 13] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
];
pub(crate) const CARD: &str = "4242424242424242";
pub(crate) const DECLINED: &str = "4000000000000002";

pub(crate) type Form<'a> = Vec<(&'a str, &'a str)>;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn error(&self) -> Value {
        self.json()["error"].clone()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

/// Dropped, it is gone as if the process had died.
pub(crate) struct Bench {
    pub(crate) url: String,
    pub(crate) webhook: Webhook,
    pub(crate) stand_in: StandIn,
    client: Client,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Bench {
    /// Everything in memory, and deliveries on.
    pub(crate) async fn start() -> Self {
        Self::open(None, Webhook::start().await, true).await
    }

    pub(crate) async fn open(database: Option<&Path>, webhook: Webhook, delivers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stand_in = StandIn::open(config(database, &url, &webhook.url)).unwrap();
        let mut bench = Self::at(listener, stand_in.clone(), webhook);
        if delivers {
            bench.tasks.push(tokio::spawn(async move {
                stand_in.deliver(std::future::pending()).await
            }));
        }
        bench
    }

    /// A stand-in that delivers nothing, configured by whoever asks.
    pub(crate) async fn serve(stand_in: StandIn, webhook: Webhook) -> Self {
        Self::at(
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            stand_in,
            webhook,
        )
    }

    fn at(listener: TcpListener, stand_in: StandIn, webhook: Webhook) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = stand_in.router();
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            url,
            webhook,
            stand_in,
            client,
            tasks: vec![tokio::spawn(async move {
                axum::serve(listener, router).await.unwrap();
            })],
        }
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer {
            status,
            headers,
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client
            .request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_as(KEY, path).await
    }

    pub(crate) async fn get_as(&self, key: &str, path: &str) -> Answer {
        self.send(self.request("GET", path).bearer_auth(key)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path).bearer_auth(KEY))
            .await
    }

    pub(crate) async fn post(&self, path: &str, form: &Form<'_>) -> Answer {
        self.post_as(KEY, path, form).await
    }

    pub(crate) async fn post_as(&self, key: &str, path: &str, form: &Form<'_>) -> Answer {
        self.send(self.request("POST", path).bearer_auth(key).form(form))
            .await
    }

    pub(crate) async fn post_with_key(&self, path: &str, key: &str, form: &Form<'_>) -> Answer {
        let request = self
            .request("POST", path)
            .bearer_auth(KEY)
            .header("Idempotency-Key", key);
        self.send(request.form(form)).await
    }

    pub(crate) async fn create(&self, more: Form<'_>) -> Value {
        let form = [one_mug(), more].concat();
        self.post("/v1/checkout/sessions", &form)
            .await
            .expect(200)
            .json()
    }

    /// A new session's id.
    pub(crate) async fn session(&self) -> String {
        id(&self.create(vec![]).await)
    }

    pub(crate) async fn retrieve(&self, session: &str) -> Value {
        self.get(&format!("/v1/checkout/sessions/{session}"))
            .await
            .expect(200)
            .json()
    }

    pub(crate) async fn submit(&self, session: &str, form: &Form<'_>) -> Answer {
        self.send(self.request("POST", &format!("/pay/{session}")).form(form))
            .await
    }

    pub(crate) async fn pay(&self, session: &str, card: &str) -> Answer {
        self.submit(session, &by_card(card)).await
    }

    /// A session paid with this card. Returns its charge.
    pub(crate) async fn charge(&self, card: &str) -> Value {
        let session = self.session().await;
        self.pay(&session, card).await.expect(303);
        self.charge_of(&session).await
    }

    pub(crate) async fn charge_of(&self, session: &str) -> Value {
        let path = format!("/v1/checkout/sessions/{session}?expand[]=payment_intent.latest_charge");
        self.get(&path).await.expect(200).json()["payment_intent"]["latest_charge"].clone()
    }

    /// An object as it is now.
    pub(crate) async fn fetch(&self, list: &str, id: &str) -> Value {
        self.get(&format!("/v1/{list}/{id}"))
            .await
            .expect(200)
            .json()
    }

    /// The newest event of this type.
    pub(crate) async fn latest(&self, event_type: &str) -> Value {
        let path = format!("/v1/events?limit=1&type={event_type}");
        self.get(&path).await.expect(200).json()["data"][0].clone()
    }

    pub(crate) async fn control(&self, path: &str, form: &Form<'_>) -> Answer {
        self.send(self.request("POST", &format!("/_stripe/{path}")).form(form))
            .await
    }

    pub(crate) async fn advance(&self, seconds: u32) {
        self.control("clock", &vec![("advance", &seconds.to_string())])
            .await
            .expect(200);
    }

    pub(crate) async fn deliveries(&self) -> Vec<Value> {
        let answer = self
            .send(self.request("GET", "/_stripe/deliveries"))
            .await
            .expect(200);
        answer.json()["deliveries"].as_array().unwrap().clone()
    }

    /// Plans a fault.
    pub(crate) async fn fault(&self, fault: &[(&str, &str)]) {
        self.control("faults", &fault.to_vec()).await.expect(200);
    }

    /// Waits until the newest delivery is as hoped for.
    pub(crate) async fn until(&self, hoped: impl Fn(&Value) -> bool) -> Value {
        eventually(async || self.deliveries().await.into_iter().next().filter(&hoped)).await
    }

    /// The types of the events since there were so many.
    pub(crate) async fn event_types_after(&self, count: usize) -> Vec<String> {
        self.event_types().await.split_off(count)
    }

    /// The types of all events, in the order in which they happened.
    pub(crate) async fn event_types(&self) -> Vec<String> {
        let events = self.get("/v1/events?limit=100").await.expect(200).json();
        let types = events["data"].as_array().unwrap().iter().rev();
        types
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub(crate) fn config(database: Option<&Path>, url: &str, webhook_url: &str) -> Config {
    Config {
        database: database.map(Path::to_owned),
        public_url: url.parse().unwrap(),
        fixed_url: false,
        host_names: Vec::new(),
        business_name: "Mugs on this machine".to_owned(),
        secret_key: KEY.to_owned(),
        other_keys: OtherKeys::OwnAccount,
        webhook: Some(stand_in::Webhook {
            url: webhook_url.parse().unwrap(),
            secret: SigningSecret::new(SECRET).unwrap(),
            enabled_events: SUBSCRIBED.iter().map(ToString::to_string).collect(),
        }),
        seed: Seed::parse(include_str!("seed.json")).unwrap(),
        machine: MachineTime::default(),
    }
}

pub(crate) fn one_mug() -> Form<'static> {
    vec![
        ("mode", "payment"),
        (
            "success_url",
            "http://shop.example/success?session={CHECKOUT_SESSION_ID}",
        ),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "1500"),
        ("line_items[0][price_data][product_data][name]", "Mug"),
        ("line_items[0][quantity]", "1"),
    ]
}

pub(crate) fn by_card(number: &str) -> Form<'_> {
    vec![
        ("email", "buyer@mail.example"),
        ("method", "card"),
        ("card_number", number),
        ("exp", "12 / 40"),
        ("cvc", "123"),
    ]
}

pub(crate) fn by_bank() -> Form<'static> {
    vec![("email", "buyer@mail.example"), ("method", "bank_debit")]
}

#[track_caller]
pub(crate) fn id(object: &Value) -> String {
    object["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {object}"))
        .to_owned()
}

/// The ids of a page of a list.
#[track_caller]
pub(crate) fn ids(list: &Value) -> Vec<String> {
    list["data"]
        .as_array()
        .unwrap_or_else(|| panic!("no list: {list}"))
        .iter()
        .map(id)
        .collect()
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

/// A webhook that takes everything, unless told otherwise.
#[derive(Clone)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    answers: Arc<Mutex<VecDeque<(StatusCode, Duration)>>>,
}

/// One request that the webhook got.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Heard {
    /// Whether it was signed with this secret just now, as Stripe tells receivers to check it.
    #[track_caller]
    pub(crate) fn assert_signed_with(&self, secret: &str) {
        let header = self.headers["stripe-signature"].to_str().unwrap();
        let (time, signature) = header.split_once(',').unwrap();
        let (time, signature) = (time.strip_prefix("t="), signature.strip_prefix("v1="));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{}.{}", time.unwrap(), self.body).as_bytes());
        mac.verify_slice(&hex::decode(signature.unwrap()).unwrap())
            .unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let signed: u64 = time.unwrap().parse().unwrap();
        assert!(now.as_secs().abs_diff(signed) < 300, "{header}");
    }

    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Webhook {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let webhook = Self {
            url: format!("http://{}/webhook", listener.local_addr().unwrap()),
            heard: Arc::default(),
            answers: Arc::default(),
        };
        let router = Router::new()
            .route("/webhook", axum::routing::post(hear))
            .with_state(webhook.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        webhook
    }

    /// As if it were elsewhere.
    pub(crate) fn at(self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..self
        }
    }

    /// Plans the next answer.
    pub(crate) fn answer(&self, status: u16, delay: Duration) {
        let status = StatusCode::from_u16(status).unwrap();
        self.answers.lock().unwrap().push_back((status, delay));
    }

    pub(crate) fn refuse(&self, times: usize) {
        (0..times).for_each(|_| self.answer(503, Duration::ZERO));
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits for the first so many requests.
    pub(crate) async fn hears(&self, count: usize) -> Vec<Heard> {
        eventually(async || Some(self.heard()).filter(|heard| heard.len() >= count)).await
    }
}

async fn hear(
    State(webhook): State<Webhook>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, &'static str) {
    webhook.heard.lock().unwrap().push(Heard { headers, body });
    let planned = webhook.answers.lock().unwrap().pop_front();
    let (status, delay) = planned.unwrap_or((StatusCode::OK, Duration::ZERO));
    tokio::time::sleep(delay).await;
    (status, "heard")
}
