//! What callers and endpoints of older versions of the API are shown.

use serde_json::{Value, json};

use crate::bench::{Answer, Bench, CARD, Form, KEY, by_card, id, one_mug};

const SESSIONS: &str = "/v1/checkout/sessions";
const ACACIA: &str = "2025-02-24.acacia";
const BASIL: &str = "2025-08-27.basil";
const CLOVER: &str = "2025-09-30.clover";
const DAHLIA: &str = "2026-03-25.dahlia";

async fn post(bench: &Bench, version: &str, path: &str, form: &Form<'_>) -> Answer {
    let request = bench.request("POST", path).bearer_auth(KEY);
    let request = request.header("Stripe-Version", version);
    bench.send(request.form(form)).await
}

async fn get(bench: &Bench, version: &str, path: &str) -> Value {
    let request = bench.request("GET", path).bearer_auth(KEY);
    let request = request.header("Stripe-Version", version);
    bench.send(request).await.expect(200).json()
}

/// An endpoint that is told of sessions as this version shows them, at the bench's own webhook.
async fn endpoint(bench: &Bench, version: &str) {
    let form = vec![
        ("url", bench.webhook.url.as_str()),
        ("enabled_events[]", "checkout.session.completed"),
        ("api_version", version),
    ];
    bench.post("/v1/webhook_endpoints", &form).await.expect(200);
}

#[tokio::test]
async fn a_sessions_ui_mode_is_called_what_its_version_calls_it() {
    let bench = Bench::start().await;
    for (version, own, others) in [
        (ACACIA, "hosted", "hosted_page"),
        (BASIL, "hosted", "hosted_page"),
        (CLOVER, "hosted", "hosted_page"),
        (DAHLIA, "hosted_page", "hosted"),
    ] {
        let with = |mode| [one_mug(), vec![("ui_mode", mode)]].concat();
        let made = post(&bench, version, SESSIONS, &with(own))
            .await
            .expect(200);
        assert_eq!(made.json()["ui_mode"], own, "{version}");
        let refused = post(&bench, version, SESSIONS, &with(others)).await;
        assert_eq!(refused.expect(400).error()["param"], "ui_mode", "{version}");
        let listed = get(&bench, version, SESSIONS).await;
        assert_eq!(listed["data"][0]["ui_mode"], own, "{version}");
    }
}

#[tokio::test]
async fn an_endpoint_hears_of_what_its_version_knows() {
    let bench = Bench::start().await;
    endpoint(&bench, CLOVER).await;
    bench.charge(CARD).await;
    let heard = bench.webhook.hears(2).await;
    let modes = heard.iter().map(|it| {
        let event = it.event();
        let (version, session) = (&event["api_version"], &event["data"]["object"]);
        (version.clone(), session["ui_mode"].clone())
    });
    let mut modes: Vec<_> = modes.map(|(a, b)| format!("{a} {b}")).collect();
    modes.sort_unstable();
    let expected = [
        format!("\"{CLOVER}\" \"hosted\""),
        "\"2026-09-30.endive\" \"hosted_page\"".to_owned(),
    ];
    assert_eq!(modes, expected);
}

#[tokio::test]
async fn where_to_ship_is_where_acacia_has_it() {
    let bench = Bench::start().await;
    let form = [
        one_mug(),
        vec![("shipping_address_collection[allowed_countries][]", "US")],
    ]
    .concat();
    let session = id(&bench.post(SESSIONS, &form).await.expect(200).json());
    let typed = [
        by_card(CARD),
        vec![
            ("shipping_name", "Ann"),
            ("shipping_country", "US"),
            ("shipping_line1", "1 Main St"),
            ("shipping_city", "Springfield"),
            ("shipping_state", "IL"),
            ("shipping_postal_code", "62701"),
        ],
    ]
    .concat();
    bench.submit(&session, &typed).await.expect(303);
    let path = format!("{SESSIONS}/{session}");
    let now = bench.retrieve(&session).await;
    let to = &now["collected_information"]["shipping_details"];
    assert_eq!(to["address"]["line1"], "1 Main St");
    let old = get(&bench, ACACIA, &path).await;
    assert_eq!(old["shipping_details"]["address"], to["address"]);
    assert_eq!(now.get("shipping_details"), None);
    let newer = get(&bench, BASIL, &path).await;
    assert_eq!(newer.get("shipping_details"), None);
}

#[tokio::test]
async fn what_changed_is_told_in_the_words_of_the_endpoints_version() {
    let bench = Bench::start().await;
    let form = vec![
        ("url", bench.webhook.url.as_str()),
        ("enabled_events[]", "promotion_code.updated"),
        ("api_version", BASIL),
    ];
    bench.post("/v1/webhook_endpoints", &form).await.expect(200);
    let coupon = vec![("id", "C"), ("percent_off", "20")];
    bench.post("/v1/coupons", &coupon).await.expect(200);
    let code = vec![("promotion[type]", "coupon"), ("promotion[coupon]", "C")];
    let code = bench.post("/v1/promotion_codes", &code).await;
    let code = format!("/v1/promotion_codes/{}", id(&code.expect(200).json()));
    bench
        .post(&code, &vec![("active", "false")])
        .await
        .expect(200);
    let heard = bench.webhook.hears(1).await;
    let data = &heard[0].event()["data"];
    assert_eq!(data["object"]["coupon"]["id"], "C");
    assert_eq!(data["previous_attributes"], json!({ "active": true }));
}

/// A customer who subscribes to coffee for ten dollars, and what they subscribe to.
async fn subscriber(bench: &Bench) -> (String, Value) {
    let card = "pm_card_visa";
    let form = vec![
        ("payment_method", card),
        ("invoice_settings[default_payment_method]", card),
    ];
    let ada = id(&bench.post("/v1/customers", &form).await.expect(200).json());
    let coffee = price(bench, "1000").await;
    let form = vec![
        ("customer", ada.as_str()),
        ("items[0][price]", coffee.as_str()),
    ];
    let made = bench.post("/v1/subscriptions", &form).await;
    (ada, made.expect(200).json())
}

async fn price(bench: &Bench, amount: &str) -> String {
    let form = vec![
        ("currency", "usd"),
        ("unit_amount", amount),
        ("recurring[interval]", "month"),
        ("product_data[name]", "Coffee"),
    ];
    id(&bench.post("/v1/prices", &form).await.expect(200).json())
}

#[tokio::test]
async fn acacia_shows_the_charge_that_has_paid_an_invoice() {
    let bench = Bench::start().await;
    let (ada, subscription) = subscriber(&bench).await;
    let invoice = subscription["latest_invoice"].as_str().unwrap();
    let path = format!("/v1/invoices/{invoice}");
    let shown = get(&bench, ACACIA, &path).await;
    let charges = format!("/v1/charges?customer={ada}");
    let charge = bench.get(&charges).await.expect(200).json()["data"][0].clone();
    assert_eq!(shown["charge"], charge["id"]);
    assert_eq!(shown["payment_intent"], charge["payment_intent"]);
    let expanded = get(&bench, ACACIA, &format!("{path}?expand[]=charge")).await;
    assert_eq!(expanded["charge"]["invoice"], invoice);
    let latest = format!("/v1/subscriptions/{}", id(&subscription));
    let latest = format!("{latest}?expand[]=latest_invoice.charge");
    let expanded = get(&bench, ACACIA, &latest).await;
    assert_eq!(expanded["latest_invoice"]["charge"]["id"], charge["id"]);
}

#[tokio::test]
async fn acacia_asks_for_the_upcoming_invoice() {
    let bench = Bench::start().await;
    let (ada, subscription) = subscriber(&bench).await;
    let upcoming = format!("/v1/invoices/upcoming?customer={ada}");
    let of_subscription = format!("{upcoming}&subscription={}", id(&subscription));
    let next = get(&bench, ACACIA, &of_subscription).await;
    assert_eq!(
        (&next["object"], &next["total"]),
        (&json!("invoice"), &json!(1000))
    );
    assert_eq!(next["subscription"], subscription["id"]);

    let tea = price(&bench, "2500").await;
    let item = id(&subscription["items"]["data"][0]);
    let changed = format!(
        "{of_subscription}&subscription_items[0][id]={item}&subscription_items[0][price]={tea}\
         &subscription_proration_behavior=none"
    );
    assert_eq!(get(&bench, ACACIA, &changed).await["total"], 2500);
    let lines = changed.replace("upcoming?", "upcoming/lines?");
    let lines = get(&bench, ACACIA, &lines).await;
    assert_eq!(lines["data"][0]["amount"], 2500);
    assert_eq!(lines["data"][0]["price"]["id"], json!(tea));

    let coupon = vec![("id", "HALF"), ("percent_off", "50")];
    bench.post("/v1/coupons", &coupon).await.expect(200);
    let halved = format!("{of_subscription}&coupon=HALF");
    assert_eq!(get(&bench, ACACIA, &halved).await["total"], 500);

    // Who does not say their version may be of acacia; since basil there is no such call.
    let lenient = bench.get(&of_subscription).await.expect(200).json();
    assert_eq!(lenient["total"], 1000);
    let request = bench
        .request("GET", "/v1/invoices/upcoming")
        .bearer_auth(KEY);
    let request = request.header("Stripe-Version", BASIL);
    bench.send(request).await.expect(404);
}
