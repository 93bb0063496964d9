//! What a page in a browser may ask of the API, with the key that it may have.

use serde_json::{Value, json};

use crate::bench::{Answer, Bench, Form, KEY, by_card, id, one_mug};

const BROWSER_KEY: &str = "pk_test_local";
const INTENTS: &str = "/v1/payment_intents";

/// As a page of the shop's sends it.
async fn from_a_page(bench: &Bench, key: &str, path: &str, form: &Form<'_>) -> Answer {
    let request = bench.request("POST", path).bearer_auth(key);
    let request = request.header("Origin", "http://shop.example");
    bench.send(request.form(form)).await
}

async fn intent(bench: &Bench, more: Form<'_>) -> Value {
    let form = [vec![("amount", "2000"), ("currency", "usd")], more].concat();
    bench.post(INTENTS, &form).await.expect(200).json()
}

/// Confirms an intent in a page, with these parameters besides.
async fn confirm(bench: &Bench, intent: &Value, more: Form<'_>) -> Answer {
    let secret = intent["client_secret"].as_str().unwrap();
    let form = [
        vec![
            ("client_secret", secret),
            ("payment_method", "pm_card_visa"),
        ],
        more,
    ]
    .concat();
    let path = format!("{INTENTS}/{}/confirm", id(intent));
    from_a_page(bench, BROWSER_KEY, &path, &form).await
}

#[tokio::test]
async fn any_page_may_ask_and_see_the_answer() {
    let bench = Bench::start().await;
    let asks = bench
        .request("OPTIONS", "/v1/payment_methods")
        .header("Origin", "http://shop.example")
        .header("Access-Control-Request-Method", "POST")
        .header(
            "Access-Control-Request-Headers",
            "authorization,stripe-version",
        );
    let allowed = bench.send(asks).await.expect(200);
    let says = |name| allowed.header(name);
    assert_eq!(says("access-control-allow-origin"), Some("*"));
    assert_eq!(
        says("access-control-allow-headers"),
        Some("authorization,stripe-version")
    );
    assert!(
        says("access-control-allow-methods")
            .unwrap()
            .contains("POST")
    );

    let form = vec![("type", "card"), ("card[token]", "tok_visa")];
    let made = from_a_page(&bench, BROWSER_KEY, "/v1/payment_methods", &form).await;
    let made = made.expect(200);
    assert_eq!(made.header("access-control-allow-origin"), Some("*"));
    let exposed = made.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("Request-Id"), "{exposed}");

    let refused = from_a_page(&bench, BROWSER_KEY, INTENTS, &vec![])
        .await
        .expect(401);
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    from_a_page(&bench, KEY, "/v1/payment_methods", &form)
        .await
        .expect(403);
}

#[tokio::test]
async fn the_control_api_and_the_pages_open_to_no_other_page() {
    let bench = Bench::start().await;
    for path in ["/_stripe/clock", "/pay/cs_1", "/links/link_1"] {
        let asks = bench
            .request("OPTIONS", path)
            .header("Origin", "http://shop.example")
            .header("Access-Control-Request-Method", "POST");
        let answer = bench.send(asks).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }
}

#[tokio::test]
async fn what_only_the_shops_server_may_say_is_unknown_in_a_page() {
    let bench = Bench::start().await;
    let intent = intent(&bench, vec![]).await;
    for (param, value) in [
        ("off_session", "true"),
        ("error_on_requires_action", "true"),
        ("capture_method", "manual"),
        ("mandate", "mandate_1"),
        ("radar_options[session]", "rse_1"),
    ] {
        let refused = confirm(&bench, &intent, vec![(param, value)])
            .await
            .expect(400);
        let named = param.split('[').next().unwrap();
        assert_eq!(refused.error()["code"], "parameter_unknown", "{param}");
        assert_eq!(refused.error()["param"], named);
    }
    let as_it_was = bench.fetch("payment_intents", &id(&intent)).await;
    assert_eq!(as_it_was["status"], "requires_payment_method");
    let more = vec![
        ("return_url", "http://shop.example"),
        ("setup_future_usage", "off_session"),
    ];
    confirm(&bench, &intent, more).await.expect(200);
}

#[tokio::test]
async fn a_client_secret_is_for_pages() {
    let bench = Bench::start().await;
    let intent = intent(&bench, vec![]).await;
    let secret = intent["client_secret"].as_str().unwrap();
    let path = format!("{INTENTS}/{}/confirm", id(&intent));
    let form = vec![
        ("client_secret", secret),
        ("payment_method", "pm_card_visa"),
    ];
    let refused = bench.post(&path, &form).await.expect(400);
    assert_eq!(refused.error()["code"], "parameter_unknown");
    let path = format!("{INTENTS}/{}?client_secret={secret}", id(&intent));
    bench.get(&path).await.expect(200);
}

#[tokio::test]
async fn an_intent_that_is_confirmed_by_hand_is_confirmed_by_the_shops_server_only() {
    let bench = Bench::start().await;
    let intent = intent(&bench, vec![("confirmation_method", "manual")]).await;
    let refused = confirm(&bench, &intent, vec![]).await.expect(400);
    let message = refused.error()["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("`confirmation_method` is set to `manual`"),
        "{message}"
    );
    let path = format!("{INTENTS}/{}/confirm", id(&intent));
    let form = vec![("payment_method", "pm_card_visa")];
    bench.post(&path, &form).await.expect(200);
}

#[tokio::test]
async fn a_page_ships_nowhere_else_than_the_shop_has_said() {
    let bench = Bench::start().await;
    let to = |line| {
        vec![
            ("shipping[name]", "Ann"),
            ("shipping[address][line1]", line),
            ("shipping[address][country]", "US"),
        ]
    };
    let said = intent(&bench, to("1 Main St")).await;
    let refused = confirm(&bench, &said, to("2 Side St")).await.expect(400);
    assert_eq!(refused.error()["param"], "shipping");
    confirm(&bench, &said, to("1 Main St")).await.expect(200);

    // What the page itself has said, it may say otherwise.
    let unsaid = intent(&bench, vec![]).await;
    let declined = [
        to("1 Main St"),
        vec![("payment_method", "pm_card_chargeDeclined")],
    ]
    .concat();
    confirm(&bench, &unsaid, declined).await.expect(402);
    let paid = confirm(&bench, &unsaid, to("2 Side St"))
        .await
        .expect(200)
        .json();
    assert_eq!(paid["shipping"]["address"]["line1"], "2 Side St");
}

/// A call by this name of the stand-in's.
async fn called(bench: &Bench, name: &str, path: &str, form: &Form<'_>) -> Value {
    let request = bench
        .request("POST", path)
        .bearer_auth(KEY)
        .header("Host", name);
    bench.send(request.form(form)).await.expect(200).json()
}

#[tokio::test]
async fn pages_are_at_the_name_by_which_the_caller_knows_the_stand_in() {
    let bench = Bench::start().await;
    let port = bench.url.rsplit(':').next().unwrap();
    let (known, other) = (
        format!("localhost:{port}"),
        format!("elsewhere.example:{port}"),
    );
    for (name, at) in [
        (&known, format!("http://{known}")),
        (&other, bench.url.clone()),
    ] {
        let session = called(&bench, name, "/v1/checkout/sessions", &one_mug()).await;
        let url = session["url"].as_str().unwrap();
        assert!(url.starts_with(&format!("{at}/pay/")), "{url}");

        let form = vec![
            ("amount", "2000"),
            ("currency", "usd"),
            ("confirm", "true"),
            ("payment_method", "pm_card_authenticationRequired"),
            ("return_url", "http://shop.example"),
        ];
        let challenged = called(&bench, name, INTENTS, &form).await;
        let url = &challenged["next_action"]["redirect_to_url"]["url"];
        assert_eq!(url, &json!(format!("{at}/3ds/{}", id(&challenged))));

        let form = vec![
            ("amount", "2000"),
            ("currency", "usd"),
            ("source", "tok_visa"),
        ];
        let charge = called(&bench, name, "/v1/charges", &form).await;
        let receipt = format!("{at}/receipts/{}", id(&charge));
        assert_eq!(charge["receipt_url"], receipt);

        let price = vec![
            ("unit_amount", "100"),
            ("currency", "usd"),
            ("product_data[name]", "Mug"),
        ];
        let price = id(&called(&bench, name, "/v1/prices", &price).await);
        let form = vec![
            ("line_items[0][price]", price.as_str()),
            ("line_items[0][quantity]", "1"),
        ];
        let link = called(&bench, name, "/v1/payment_links", &form).await;
        assert_eq!(link["url"], format!("{at}/link/{}", id(&link)));
    }
}

#[tokio::test]
async fn a_buyer_stays_at_the_name_that_they_came_by() {
    let bench = Bench::start().await;
    let name = format!("localhost:{}", bench.url.rsplit(':').next().unwrap());
    let session = bench.session().await;
    let pay = bench
        .request("POST", &format!("/pay/{session}"))
        .header("Host", &name);
    let challenged = bench
        .send(pay.form(&by_card("4000000000003220")))
        .await
        .expect(303);
    let to = challenged.header("location").unwrap();
    assert!(to.starts_with(&format!("http://{name}/3ds/")), "{to}");
}
