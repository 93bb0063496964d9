use serde_json::{Value, json};

use crate::bench::{Bench, CARD, Webhook, id, ids};

const ENDPOINTS: &str = "/v1/webhook_endpoints";

async fn create(bench: &Bench, url: &str, events: &[&str]) -> Value {
    let mut form = vec![("url", url)];
    form.extend(events.iter().map(|event| ("enabled_events[]", *event)));
    bench.post(ENDPOINTS, &form).await.expect(200).json()
}

async fn delete(bench: &Bench, endpoint: &str) -> Value {
    let path = format!("{ENDPOINTS}/{endpoint}");
    bench.delete(&path).await.expect(200).json()
}

#[tokio::test]
async fn the_shops_own_endpoint_is_there_from_the_start() {
    let bench = Bench::start().await;
    let list = bench.get(ENDPOINTS).await.expect(200).json();
    let own = &list["data"][0];
    assert_eq!(own["object"], "webhook_endpoint");
    assert_eq!(own["url"], bench.webhook.url);
    assert_eq!(
        (&own["status"], &own["livemode"]),
        (&json!("enabled"), &json!(false))
    );
    assert_eq!(own["api_version"], "2026-09-30.endive");
    assert!(own.get("secret").is_none());
    let events = own["enabled_events"].as_array().unwrap();
    for event in [
        "checkout.session.completed",
        "refund.failed",
        "charge.refunded",
        "charge.dispute.closed",
    ] {
        assert!(events.contains(&json!(event)), "{event}");
    }
}

#[tokio::test]
async fn an_endpoint_is_made_read_changed_and_deleted() {
    let bench = Bench::start().await;
    let made = bench
        .post(
            ENDPOINTS,
            &vec![
                ("url", "https://shop.example/webhook"),
                ("enabled_events[]", "checkout.session.completed"),
                ("enabled_events[]", "charge.refunded"),
                ("api_version", "2026-09-30.endive"),
                ("description", "Till"),
                ("metadata[stack]", "shop"),
            ],
        )
        .await
        .expect(200)
        .json();
    let endpoint = id(&made);
    assert!(endpoint.starts_with("we_"));
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(made["metadata"], json!({ "stack": "shop" }));
    let read = bench.fetch("webhook_endpoints", &endpoint).await;
    assert!(read.get("secret").is_none(), "the secret is shown once");
    assert_eq!(
        read["enabled_events"],
        json!(["checkout.session.completed", "charge.refunded"])
    );
    let list = bench.get(ENDPOINTS).await.json();
    assert_eq!(ids(&list)[0], endpoint);
    assert!(!bench.get(ENDPOINTS).await.text.contains("whsec_"));

    let path = format!("{ENDPOINTS}/{endpoint}");
    let changed = bench
        .post(
            &path,
            &vec![
                ("enabled_events[]", "*"),
                ("url", "https://shop.example/hook"),
                ("disabled", "true"),
                ("description", ""),
                ("metadata[stack]", ""),
            ],
        )
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&changed["status"], &changed["enabled_events"]),
        (&json!("disabled"), &json!(["*"]))
    );
    assert_eq!(
        (&changed["url"], &changed["description"]),
        (&json!("https://shop.example/hook"), &json!(null))
    );
    assert_eq!(changed["metadata"], json!({}));
    assert!(changed.get("secret").is_none());

    assert_eq!(
        delete(&bench, &endpoint).await,
        json!({ "id": endpoint, "object": "webhook_endpoint", "deleted": true })
    );
    bench.get(&path).await.expect(404);
}

#[tokio::test]
async fn an_endpoint_needs_a_url_and_events_that_there_are() {
    let bench = Bench::start().await;
    for form in [
        vec![("enabled_events[]", "*")],
        vec![("url", "https://shop.example/")],
        vec![("url", "shop"), ("enabled_events[]", "*")],
        vec![
            ("url", "https://shop.example/"),
            ("enabled_events[]", "everything"),
        ],
        vec![
            ("url", "https://shop.example/"),
            ("enabled_events[]", "*"),
            ("api_version", "2020-08-27.zebra"),
        ],
    ] {
        bench.post(ENDPOINTS, &form).await.expect(400);
    }
}

#[tokio::test]
async fn every_endpoint_gets_what_it_wants_signed_with_its_own_secret() {
    let bench = Bench::start().await;
    let other = Webhook::start().await;
    let endpoint = create(
        &bench,
        &other.url,
        &["checkout.session.completed", "charge.succeeded"],
    )
    .await;
    other.refuse(1);
    let session = bench.session().await;
    bench.pay(&session, CARD).await.expect(303);
    bench.webhook.hears(1).await;
    other.hears(2).await;
    let completed = bench.latest("checkout.session.completed").await;
    bench.advance(2).await;
    let heard = other.hears(3).await;
    let mut types: Vec<_> = heard
        .iter()
        .map(|it| it.event()["type"].as_str().unwrap().to_owned())
        .collect();
    types.sort();
    types.dedup();
    assert_eq!(types, ["charge.succeeded", "checkout.session.completed"]);
    let secret = endpoint["secret"].as_str().unwrap();
    heard.iter().for_each(|it| it.assert_signed_with(secret));
    let of_both = heard
        .iter()
        .find(|it| it.event()["id"] == completed["id"])
        .unwrap();
    assert_eq!(of_both.event()["pending_webhooks"], 2);

    let taken = async || {
        let event = bench.fetch("events", &id(&completed)).await;
        (event["pending_webhooks"] == 0).then_some(())
    };
    crate::bench::eventually(taken).await;
    let deliveries = bench.deliveries().await;
    let of_event = deliveries
        .iter()
        .filter(|it| it["event"] == completed["id"]);
    let mut endpoints: Vec<_> = of_event
        .map(|it| it["endpoint"].as_str().unwrap())
        .collect();
    endpoints.sort();
    endpoints.dedup();
    assert_eq!(endpoints.len(), 2);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_or_disabled_is_sent_nothing() {
    let bench = Bench::start().await;
    let gone = create(&bench, "http://127.0.0.1:9/", &["*"]).await;
    let other = Webhook::start().await;
    let disabled = create(&bench, &other.url, &["*"]).await;
    bench
        .post(
            &format!("{ENDPOINTS}/{}", id(&disabled)),
            &vec![("disabled", "true")],
        )
        .await
        .expect(200);
    let session = bench.session().await;
    bench.pay(&session, CARD).await.expect(303);
    bench.webhook.hears(1).await;
    assert_ne!(
        bench.latest("charge.succeeded").await["pending_webhooks"],
        0
    );
    delete(&bench, &id(&gone)).await;
    assert_eq!(
        bench.latest("charge.succeeded").await["pending_webhooks"],
        0
    );
    assert!(other.heard().is_empty());
    assert!(
        bench
            .deliveries()
            .await
            .iter()
            .all(|it| it["endpoint"] != gone["id"])
    );
}

#[tokio::test]
async fn the_account_and_its_balance_can_be_asked_for() {
    let bench = Bench::start().await;
    let account = bench.get("/v1/account").await.expect(200).json();
    assert!(id(&account).starts_with("acct_"));
    assert_eq!(
        (&account["charges_enabled"], &account["default_currency"]),
        (&json!(true), &json!("usd"))
    );
    let balance = async || {
        let balance = bench.get("/v1/balance").await.expect(200).json();
        ["available", "pending"].map(|part| balance[part][0]["amount"].as_i64().unwrap())
    };
    assert_eq!(balance().await, [0, 0]);
    bench.charge(CARD).await;
    assert_eq!(balance().await, [0, 1426]);
    bench.charge("4000000000000259").await;
    assert_eq!(balance().await, [-3000, 2 * 1426]);
    bench.advance(3 * 86_400).await;
    assert_eq!(balance().await, [2 * 1426 - 3000, 0]);
    let told = bench.latest("balance.available").await;
    assert_eq!(told["data"]["object"]["object"], "balance");
    // Money that may skip the wait is there at once.
    bench.charge("4000000000000077").await;
    assert_eq!(balance().await, [3 * 1426 - 3000, 0]);
}
