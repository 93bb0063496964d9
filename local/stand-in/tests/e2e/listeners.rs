//! `stripe listen` and `stripe logs tail`, as the CLI speaks with the stand-in.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::bench::{Bench, CARD, Form, Heard, KEY, eventually, id};

/// A CLI that is connected.
struct Listener(WebSocketStream<TcpStream>);

impl Listener {
    /// `stripe listen`.
    async fn start(bench: &Bench) -> Self {
        let session = begin(bench, &vec![("websocket_features[]", "webhooks")]).await;
        Self::connect(&session).await.unwrap()
    }

    async fn connect(session: &Value) -> Result<Self, Error> {
        let text = |field: &str| session[field].as_str().unwrap();
        let feature = text("websocket_authorized_feature");
        let url = format!("{}?websocket_feature={feature}", text("websocket_url"));
        let mut request = url.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("websocket-id", text("websocket_id").parse().unwrap());
        headers.insert(
            "sec-websocket-protocol",
            "stripecli-devproxy-v1".parse().unwrap(),
        );
        let address = request.uri().authority().unwrap().as_str();
        let stream = TcpStream::connect(address).await?;
        Ok(Self(client_async(request, stream).await?.0))
    }

    /// The next message, which comes soon.
    async fn hears(&mut self) -> Value {
        let message = tokio::time::timeout(Duration::from_secs(20), self.0.next());
        match message.await.unwrap().unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("not a text: {other:?}"),
        }
    }

    /// The next event, which comes once without and once with a version.
    async fn hears_event(&mut self) -> (Value, Heard) {
        let message = self.hears().await;
        assert_eq!(message["type"], "webhook_event");
        assert_eq!(message["endpoint"]["api_version"], Value::Null);
        let other = self.hears().await;
        assert_eq!(other["endpoint"]["api_version"], "2026-09-30.endive");
        assert_eq!(other["event_payload"], message["event_payload"]);
        assert_ne!(
            other["webhook_conversation_id"],
            message["webhook_conversation_id"]
        );
        let headers = message["http_headers"].as_object().unwrap().iter();
        let headers: HeaderMap = headers
            .map(|(name, value)| (name.parse().unwrap(), value.as_str().unwrap()))
            .map(|(name, value): (http::HeaderName, _)| (name, value.parse().unwrap()))
            .collect();
        let body = message["event_payload"].as_str().unwrap().to_owned();
        (message, Heard { headers, body })
    }

    async fn hears_type(&mut self) -> String {
        let (_, heard) = self.hears_event().await;
        heard.event()["type"].as_str().unwrap().to_owned()
    }

    async fn says(&mut self, message: Value) {
        let message = Message::text(message.to_string());
        self.0.send(message).await.unwrap();
    }
}

async fn begin(bench: &Bench, form: &Form<'_>) -> Value {
    let answer = bench.post("/v1/stripecli/sessions", form).await.expect(200);
    answer.json()
}

/// Makes one event. Returns the session it is about.
async fn expire(bench: &Bench) -> String {
    let session = bench.session().await;
    let path = format!("/v1/checkout/sessions/{session}/expire");
    bench.post(&path, &vec![]).await.expect(200);
    session
}

#[tokio::test]
async fn a_listener_hears_of_everything_from_the_moment_it_is_connected() {
    let bench = Bench::start().await;
    expire(&bench).await;
    let form = vec![
        ("device_name", "here"),
        ("websocket_features[]", "webhooks"),
    ];
    let session = begin(&bench, &form).await;
    let before = bench.event_types().await.len();
    let mut first = Listener::connect(&session).await.unwrap();
    let mut second = Listener::start(&bench).await;

    let checkout = bench.session().await;
    bench.pay(&checkout, CARD).await.expect(303);
    let happened = bench.event_types_after(before).await;
    assert!(happened.len() > 1);
    for listener in [&mut first, &mut second] {
        for event_type in &happened {
            let (_, heard) = listener.hears_event().await;
            heard.assert_signed_with(session["secret"].as_str().unwrap());
            let event = heard.event();
            assert_eq!(event["type"], **event_type);
            let kept = bench.fetch("events", &id(&event)).await;
            assert_eq!(event["data"], kept["data"]);
            assert_eq!(
                heard.headers["content-type"],
                "application/json; charset=utf-8"
            );
        }
    }
}

#[tokio::test]
async fn the_secret_is_the_same_for_every_session_of_a_key() {
    let bench = Bench::start().await;
    let form = vec![("websocket_features[]", "webhooks")];
    let first = begin(&bench, &form).await;
    let second = begin(&bench, &form).await;
    assert_eq!(first["secret"], second["secret"]);
    assert_ne!(first["websocket_id"], second["websocket_id"]);
    assert_eq!(first["default_version"], "2026-09-30.endive");

    let nobody = bench.request("POST", "/v1/stripecli/sessions").form(&form);
    bench.send(nobody).await.expect(401);
}

#[tokio::test]
async fn a_listener_connects_where_it_has_asked() {
    let bench = Bench::start().await;
    let request = bench.request("POST", "/v1/stripecli/sessions");
    let request = request.bearer_auth(KEY).header("host", "stripe:12111");
    let form = [("websocket_features[]", "webhooks")];
    let session = bench.send(request.form(&form)).await.expect(200).json();
    assert_eq!(
        session["websocket_url"],
        "ws://stripe:12111/stripecli/subscribe"
    );
}

#[tokio::test]
async fn a_listener_that_is_gone_does_no_harm() {
    let bench = Bench::start().await;
    let mut stays = Listener::start(&bench).await;
    let silent = Listener::start(&bench).await;
    // This one is cut off without a word.
    drop(Listener::start(&bench).await);
    for _ in 0..3 {
        expire(&bench).await;
        assert_eq!(stays.hears_type().await, "checkout.session.expired");
    }
    assert_eq!(bench.webhook.hears(3).await.len(), 3);
    drop(silent);
}

#[tokio::test]
async fn a_session_goes_on_where_it_was_when_it_connects_again() {
    let bench = Bench::start().await;
    let session = begin(&bench, &vec![("websocket_features[]", "webhooks")]).await;
    let mut listener = Listener::connect(&session).await.unwrap();
    let first = expire(&bench).await;
    let (_, heard) = listener.hears_event().await;
    assert_eq!(heard.event()["data"]["object"]["id"], *first);
    listener.0.close(None).await.unwrap();

    let second = expire(&bench).await;
    let mut listener = Listener::connect(&session).await.unwrap();
    let (_, heard) = listener.hears_event().await;
    assert_eq!(heard.event()["data"]["object"]["id"], *second);
}

#[tokio::test]
async fn a_session_that_is_not_known_is_told_to_begin_anew() {
    let bench = Bench::start().await;
    let mut session = begin(&bench, &vec![("websocket_features[]", "webhooks")]).await;
    session["websocket_id"] = json!("cliws_another");
    match Listener::connect(&session).await {
        Err(Error::Http(refusal)) => {
            let body: Value = serde_json::from_slice(refusal.body().as_ref().unwrap()).unwrap();
            assert_eq!(body["error"]["message"], "Unknown WebSocket ID.");
        }
        other => panic!("{:?}", other.map(|_| "connected")),
    }
}

#[tokio::test]
async fn what_is_held_back_reaches_listeners_when_it_is_released() {
    let bench = Bench::start().await;
    let mut listener = Listener::start(&bench).await;
    bench.control("deliveries/hold", &vec![]).await.expect(200);
    let held = expire(&bench).await;
    let event = id(&bench.latest("checkout.session.expired").await);
    // Asked for, it comes at once, as to an endpoint.
    let retry = format!("/v1/events/{event}/retry");
    let form = vec![("for_stripecli", "true")];
    bench.post(&retry, &form).await.expect(200);
    let (_, heard) = listener.hears_event().await;
    assert_eq!(id(&heard.event()), event);

    let paid = bench.session().await;
    bench.pay(&paid, CARD).await.expect(303);
    bench
        .control("deliveries/release", &vec![])
        .await
        .expect(200);
    let (_, heard) = listener.hears_event().await;
    assert_eq!(heard.event()["data"]["object"]["id"], *held);
    assert_ne!(listener.hears_type().await, "checkout.session.expired");
}

#[tokio::test]
async fn what_becomes_of_a_forwarded_event_is_among_the_deliveries() {
    let bench = Bench::start().await;
    let mut listener = Listener::start(&bench).await;
    let charge = bench.charge(CARD).await;
    let event = loop {
        let (message, heard) = listener.hears_event().await;
        if heard.event()["type"] != "charge.succeeded" {
            continue;
        }
        for (status, answer) in [(500, "not yet"), (200, "taken")] {
            let response = json!({
                "type": "webhook_response",
                "forward_url": "http://localhost:3000/hook",
                "status": status,
                "http_headers": {},
                "body": answer,
                "request_headers": message["http_headers"],
                "request_body": message["event_payload"],
                "webhook_conversation_id": message["webhook_conversation_id"],
                "webhook_id": message["webhook_id"],
            });
            listener.says(response).await;
        }
        // Neither of these is about a delivery.
        listener.says(json!({ "type": "event_ack" })).await;
        listener.says(json!("nonsense")).await;
        break heard.event();
    };
    let delivery = eventually(async || {
        let deliveries = bench.deliveries().await;
        let mut forwarded = deliveries
            .into_iter()
            .filter(|it| it["endpoint"] == "stripe listen");
        forwarded.find(|it| it["attempts"].as_array().unwrap().len() == 2)
    })
    .await;
    assert_eq!(delivery["event"], event["id"]);
    assert_eq!(event["data"]["object"]["id"], charge["id"]);
    assert_eq!(delivery["state"], "delivered");
    assert_eq!(delivery["url"], "http://localhost:3000/hook");
    assert_eq!(delivery["attempts"][0]["status"], 500);
    assert_eq!(delivery["attempts"][1]["answer"], "taken");
    let now = bench.fetch("events", &id(&event)).await;
    assert_eq!(now["pending_webhooks"], 0);
}

#[tokio::test]
async fn an_event_is_sent_again_to_the_endpoint_that_is_named() {
    let bench = Bench::start().await;
    expire(&bench).await;
    let event = bench.webhook.hears(1).await[0].event();
    let retry = format!("/v1/events/{}/retry", id(&event));
    let endpoints = bench.get("/v1/webhook_endpoints").await.expect(200).json();
    let endpoint = id(&endpoints["data"][0]);
    let ours = id(&bench.get("/v1/account").await.expect(200).json());
    let to = |endpoint| vec![("webhook_endpoint", endpoint), ("account", &*ours)];
    let answer = bench.post(&retry, &to(&*endpoint)).await.expect(200).json();
    assert_eq!(answer["id"], event["id"]);
    assert_eq!(bench.webhook.hears(2).await[1].event()["id"], event["id"]);

    let missing = bench.post(&retry, &to("we_1")).await.expect(400).error();
    assert_eq!(missing["param"], "webhook_endpoint");
    let missing = bench.post(&retry, &vec![]).await.expect(400).error();
    assert_eq!(missing["param"], "webhook_endpoint");
    let account = vec![("for_stripecli", "true"), ("account", "acct_1")];
    let missing = bench.post(&retry, &account).await.expect(404).error();
    assert_eq!(missing["param"], "account");
    let form = vec![("for_stripecli", "true")];
    bench
        .post("/v1/events/evt_1/retry", &form)
        .await
        .expect(404);
}

#[tokio::test]
async fn a_listener_hears_only_of_its_own_account() {
    let bench = Bench::start().await;
    let mut listener = Listener::start(&bench).await;
    let other = "sk_test_other";
    let form = vec![("percent_off", "10")];
    bench.post_as(other, "/v1/coupons", &form).await.expect(200);
    let form = vec![("websocket_features[]", "webhooks")];
    let path = "/v1/stripecli/sessions";
    let theirs = bench.post_as(other, path, &form).await.expect(200).json();
    assert_ne!(theirs["secret"], begin(&bench, &form).await["secret"]);
    let mut their_listener = Listener::connect(&theirs).await.unwrap();

    expire(&bench).await;
    assert_eq!(listener.hears_type().await, "checkout.session.expired");
    let form = vec![("percent_off", "10")];
    bench.post_as(other, "/v1/coupons", &form).await.expect(200);
    assert_eq!(their_listener.hears_type().await, "coupon.created");
}

#[tokio::test]
async fn a_listener_hears_of_what_is_new_after_going_back_in_time() {
    let bench = Bench::start().await;
    let mut listener = Listener::start(&bench).await;
    let named = vec![("name", "before")];
    bench.control("snapshots", &named).await.expect(200);
    for _ in 0..3 {
        expire(&bench).await;
        listener.hears_event().await;
    }
    for way_back in ["snapshots/before/restore", "reset"] {
        bench.control(way_back, &vec![]).await.expect(200);
        let session = expire(&bench).await;
        let (_, heard) = listener.hears_event().await;
        assert_eq!(heard.event()["data"]["object"]["id"], *session);
    }
}

#[tokio::test]
async fn requests_are_logged_for_whoever_tails_them() {
    let bench = Bench::start().await;
    let filters = r#"{"filter_http_method": ["POST"], "filter_status_code_type": ["400"]}"#;
    let form = |filters| {
        vec![
            ("websocket_features[]", "request_logs"),
            ("filters", filters),
        ]
    };
    let session = begin(&bench, &form(filters)).await;
    assert_eq!(session["websocket_authorized_feature"], "request_logs");
    let mut some = Listener::connect(&session).await.unwrap();
    let session = begin(&bench, &form("{}")).await;
    let mut all = Listener::connect(&session).await.unwrap();

    bench.get("/v1/events?limit=1").await.expect(200);
    bench.session().await;
    let refused = bench
        .post("/v1/refunds", &vec![("charge", "ch_1")])
        .await
        .expect(400);

    let logged = async |listener: &mut Listener| {
        let message = listener.hears().await;
        assert_eq!(message["type"], "request_log_event");
        serde_json::from_str::<Value>(message["event_payload"].as_str().unwrap()).unwrap()
    };
    for (method, url, status) in [
        ("GET", "/v1/events", 200),
        ("POST", "/v1/checkout/sessions", 200),
        ("POST", "/v1/refunds", 400),
    ] {
        let log = logged(&mut all).await;
        let told = (&log["method"], &log["url"], &log["status"]);
        assert_eq!(told, (&json!(method), &json!(url), &json!(status)));
    }
    let log = logged(&mut some).await;
    assert_eq!(log["request_id"], refused.header("request-id").unwrap());
    assert_eq!(log["error"]["code"], refused.error()["code"]);
    assert_eq!(log["livemode"], false);
    let now = bench.stand_in.default_account().clock().await.unwrap().now;
    assert!((now - log["created_at"].as_i64().unwrap()).abs() < 60);
}

#[tokio::test]
async fn a_session_says_what_it_cannot_do() {
    let bench = Bench::start().await;
    for (form, param) in [
        (vec![], "websocket_features"),
        (
            vec![("websocket_features[]", "webhook")],
            "websocket_features",
        ),
        (
            vec![
                ("websocket_features[]", "request_logs"),
                ("filters", r#"{"filter_ip_address": ["127.0.0.1"]}"#),
            ],
            "filters",
        ),
    ] {
        let answer = bench.post("/v1/stripecli/sessions", &form).await;
        assert_eq!(answer.expect(400).error()["param"], param);
    }
    // Without --events, `stripe listen` asks for thin events, too. There are none.
    let form = vec![
        ("websocket_features[]", "webhooks"),
        ("websocket_features[]", "v2_events"),
    ];
    let mut listener = Listener::connect(&begin(&bench, &form).await)
        .await
        .unwrap();
    expire(&bench).await;
    assert_eq!(listener.hears_type().await, "checkout.session.expired");
}
