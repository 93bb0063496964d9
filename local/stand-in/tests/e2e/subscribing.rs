//! Checkout in subscription mode.

use serde_json::{Value, json};

use crate::bench::{Bench, CARD, DECLINED, Form, by_card, id};
use crate::subscriptions::price;

const SESSIONS: &str = "/v1/checkout/sessions";

fn of_price(price: &str) -> Form<'_> {
    vec![
        ("mode", "subscription"),
        ("success_url", "http://shop.example/done"),
        ("line_items[0][price]", price),
        ("line_items[0][quantity]", "1"),
    ]
}

async fn open(bench: &Bench, price: &str, more: Form<'_>) -> Value {
    let form = [of_price(price), more].concat();
    bench.post(SESSIONS, &form).await.expect(200).json()
}

async fn refusal(bench: &Bench, form: &Form<'_>) -> Value {
    bench.post(SESSIONS, form).await.expect(400).error()
}

async fn get(bench: &Bench, list: &str, id: &Value) -> Value {
    let path = format!("/v1/{list}/{}", id.as_str().unwrap());
    bench.get(&path).await.expect(200).json()
}

#[tokio::test]
async fn the_card_that_fails_later_is_offered_only_where_a_card_is_kept() {
    let bench = Bench::start().await;
    let price = price(&bench, "900", vec![]).await;
    let subscribing = open(&bench, &price, vec![]).await;
    let setting_up = [
        ("mode", "setup"),
        ("currency", "usd"),
        ("success_url", "http://shop.example/done"),
    ];
    let setting_up = bench
        .post(SESSIONS, &setting_up.to_vec())
        .await
        .expect(200)
        .json();
    let once = bench.session().await;
    for (session, is_kept) in [
        (id(&subscribing), true),
        (id(&setting_up), true),
        (once, false),
    ] {
        let page = bench.get(&format!("/pay/{session}")).await.expect(200).text;
        let offers = |card: &str| page.contains(&format!("data-card=\"{card}\""));
        assert!(offers("4242 4242 4242 4242"), "{page}");
        assert_eq!(offers("4000 0000 0000 0341"), is_kept, "{page}");
    }
}

#[tokio::test]
async fn a_paid_session_begins_a_subscription_with_a_paid_invoice() {
    let bench = Bench::start().await;
    let price = price(&bench, "900", vec![]).await;
    let more = vec![("subscription_data[metadata][order]", "7")];
    let session = open(&bench, &price, more).await;
    assert_eq!(session["amount_total"], 900);
    assert_eq!(session["subscription"], Value::Null);
    let so_far = bench.event_types().await.len();
    bench.pay(&id(&session), CARD).await.expect(303);

    let session = bench.retrieve(&id(&session)).await;
    assert_eq!(
        (&session["status"], &session["payment_status"]),
        (&json!("complete"), &json!("paid"))
    );
    assert_eq!(session["payment_intent"], Value::Null);
    let subscription = get(&bench, "subscriptions", &session["subscription"]).await;
    assert_eq!(subscription["status"], "active");
    assert_eq!(subscription["customer"], session["customer"]);
    assert_eq!(subscription["metadata"], json!({ "order": "7" }));
    assert!(subscription["default_payment_method"].is_string());
    assert_eq!(subscription["latest_invoice"], session["invoice"]);
    let invoice = get(&bench, "invoices", &session["invoice"]).await;
    assert_eq!(
        (&invoice["status"], &invoice["amount_paid"]),
        (&json!("paid"), &json!(900))
    );
    assert_eq!(invoice["billing_reason"], "subscription_create");
    assert_eq!(
        invoice["parent"]["subscription_details"]["metadata"],
        json!({ "order": "7" })
    );
    let mut told = bench.event_types_after(so_far).await;
    told.retain(|it| !it.starts_with("payment_intent") && it != "charge.updated");
    assert_eq!(
        told,
        [
            "customer.created",
            "charge.succeeded",
            "payment_method.attached",
            "checkout.session.completed",
            "customer.updated",
            "customer.subscription.created",
            "invoice.created",
            "invoice.finalized",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
        ]
    );
}

#[tokio::test]
async fn a_declined_try_leaves_no_subscription() {
    let bench = Bench::start().await;
    let price = price(&bench, "900", vec![]).await;
    let session = id(&open(&bench, &price, vec![]).await);
    bench.pay(&session, DECLINED).await.expect(402);
    let all = bench
        .get("/v1/subscriptions?status=all")
        .await
        .expect(200)
        .json();
    assert_eq!(all["data"], json!([]));
    assert_eq!(
        bench.get("/v1/invoices").await.expect(200).json()["data"],
        json!([])
    );
    bench.pay(&session, CARD).await.expect(303);
    assert_eq!(bench.retrieve(&session).await["payment_status"], "paid");
}

#[tokio::test]
async fn a_card_that_fails_once_it_is_kept_pays_no_first_invoice_but_begins_a_trial() {
    let bench = Bench::start().await;
    let price = price(&bench, "900", vec![]).await;
    let fails = "4000000000000341";
    let session = id(&open(&bench, &price, vec![]).await);
    bench.pay(&session, fails).await.expect(402);
    assert_eq!(bench.retrieve(&session).await["status"], "open");
    let more = vec![("subscription_data[trial_period_days]", "14")];
    let session = id(&open(&bench, &price, more).await);
    let form = by_card(fails);
    bench.submit(&session, &form).await.expect(303);
    bench.advance(15 * 24 * 3600).await;
    let session = bench.retrieve(&session).await;
    let subscription = get(&bench, "subscriptions", &session["subscription"]).await;
    assert_eq!(subscription["status"], "past_due");
}

#[tokio::test]
async fn a_subscription_from_checkout_renews_with_the_card_that_paid() {
    let bench = Bench::start().await;
    let price = price(&bench, "900", vec![]).await;
    let session = id(&open(&bench, &price, vec![]).await);
    bench.pay(&session, CARD).await.expect(303);
    bench.advance(32 * 24 * 3600).await;
    let session = bench.retrieve(&session).await;
    let subscription = get(&bench, "subscriptions", &session["subscription"]).await;
    assert_eq!(subscription["status"], "active");
    let invoice = get(&bench, "invoices", &subscription["latest_invoice"]).await;
    assert_eq!(
        (&invoice["billing_reason"], &invoice["status"]),
        (&json!("subscription_cycle"), &json!("paid"))
    );
}

#[tokio::test]
async fn what_is_bought_once_is_on_the_first_invoice_alone() {
    let bench = Bench::start().await;
    let monthly = price(&bench, "900", vec![]).await;
    let more = vec![
        ("line_items[1][quantity]", "2"),
        ("line_items[1][price_data][currency]", "usd"),
        ("line_items[1][price_data][unit_amount]", "500"),
        ("line_items[1][price_data][product_data][name]", "Cup"),
    ];
    let session = open(&bench, &monthly, more).await;
    assert_eq!(session["amount_total"], 1_900);
    bench.pay(&id(&session), CARD).await.expect(303);
    let session = bench.retrieve(&id(&session)).await;
    let invoice = get(&bench, "invoices", &session["invoice"]).await;
    assert_eq!(
        (&invoice["total"], &invoice["status"]),
        (&json!(1_900), &json!("paid"))
    );
    let subscription = get(&bench, "subscriptions", &session["subscription"]).await;
    assert_eq!(subscription["items"]["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_trial_takes_a_card_and_no_money() {
    let bench = Bench::start().await;
    let price = price(&bench, "900", vec![]).await;
    let more = vec![("subscription_data[trial_period_days]", "14")];
    let session = open(&bench, &price, more).await;
    assert_eq!(session["amount_total"], 0);
    let page = bench
        .send(bench.request("GET", &format!("/pay/{}", id(&session))))
        .await;
    assert!(page.text.contains("14 days free"), "{}", page.text);
    assert!(page.text.contains("Then $9.00 / month"), "{}", page.text);
    let nothing = [("email", "ada@mail.example")].to_vec();
    bench.submit(&id(&session), &nothing).await.expect(422);
    bench
        .submit(&id(&session), &by_card(CARD))
        .await
        .expect(303);
    let session = bench.retrieve(&id(&session)).await;
    assert_eq!(session["payment_status"], "no_payment_required");
    let subscription = get(&bench, "subscriptions", &session["subscription"]).await;
    assert_eq!(subscription["status"], "trialing");
    assert!(subscription["default_payment_method"].is_string());
    bench.advance(15 * 24 * 3600).await;
    let subscription = get(&bench, "subscriptions", &session["subscription"]).await;
    assert_eq!(subscription["status"], "active");
    let invoice = get(&bench, "invoices", &subscription["latest_invoice"]).await;
    assert_eq!(
        (&invoice["status"], &invoice["total"]),
        (&json!("paid"), &json!(900))
    );
}

#[tokio::test]
async fn a_trial_can_begin_without_a_card() {
    let bench = Bench::start().await;
    let price = price(&bench, "900", vec![]).await;
    let more = vec![
        ("subscription_data[trial_period_days]", "14"),
        ("payment_method_collection", "if_required"),
        (
            "subscription_data[trial_settings][end_behavior][missing_payment_method]",
            "cancel",
        ),
    ];
    let session = id(&open(&bench, &price, more).await);
    let form = [("email", "ada@mail.example")].to_vec();
    bench.submit(&session, &form).await.expect(303);
    let session = bench.retrieve(&session).await;
    bench.advance(15 * 24 * 3600).await;
    let subscription = get(&bench, "subscriptions", &session["subscription"]).await;
    assert_eq!(subscription["status"], "canceled");
}

#[tokio::test]
async fn a_coupon_of_a_session_lasts_as_long_as_it_says() {
    let bench = Bench::start().await;
    let price = price(&bench, "1000", vec![]).await;
    let form = vec![("id", "HALF"), ("percent_off", "50"), ("duration", "once")];
    bench.post("/v1/coupons", &form).await.expect(200);
    let session = open(&bench, &price, vec![("discounts[0][coupon]", "HALF")]).await;
    assert_eq!(session["amount_total"], 500);
    bench.pay(&id(&session), CARD).await.expect(303);
    let session = bench.retrieve(&id(&session)).await;
    let invoice = get(&bench, "invoices", &session["invoice"]).await;
    assert_eq!(invoice["amount_paid"], 500);
    bench.advance(32 * 24 * 3600).await;
    let subscription = get(&bench, "subscriptions", &session["subscription"]).await;
    let invoice = get(&bench, "invoices", &subscription["latest_invoice"]).await;
    assert_eq!(invoice["amount_paid"], 1_000);
}

#[tokio::test]
async fn lines_that_do_not_go_together_are_refused() {
    let bench = Bench::start().await;
    let monthly = price(&bench, "900", vec![]).await;
    let yearly = price(&bench, "9000", vec![("recurring[interval]", "year")]).await;
    let both = [
        of_price(&monthly),
        vec![
            ("line_items[1][price]", yearly.as_str()),
            ("line_items[1][quantity]", "1"),
        ],
    ]
    .concat();
    assert_eq!(refusal(&bench, &both).await["param"], "line_items[1]");
    let mut wrong_mode = of_price(&monthly);
    wrong_mode.retain(|(name, _)| *name != "mode");
    wrong_mode.push(("mode", "payment"));
    assert_eq!(
        refusal(&bench, &wrong_mode).await["param"],
        "line_items[0][price]"
    );
    let once = vec![
        ("mode", "subscription"),
        ("success_url", "http://shop.example/done"),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "500"),
        ("line_items[0][price_data][product_data][name]", "Cup"),
    ];
    assert_eq!(refusal(&bench, &once).await["param"], "line_items");
    for (param, value) in [
        ("payment_intent_data[description]", "x"),
        ("customer_creation", "always"),
        ("subscription_data[trial_end]", "1"),
    ] {
        let form = [of_price(&monthly), vec![(param, value)]].concat();
        let named = refusal(&bench, &form).await["param"].clone();
        assert!(
            param.starts_with(named.as_str().unwrap()),
            "{param}: {named}"
        );
    }
}

#[tokio::test]
async fn the_page_says_what_is_subscribed_to() {
    let bench = Bench::start().await;
    let price = price(&bench, "900", vec![]).await;
    let session = id(&open(&bench, &price, vec![]).await);
    let page = bench
        .send(bench.request("GET", &format!("/pay/{session}")))
        .await;
    for text in ["Due today", "Billed every month", ">Subscribe<"] {
        assert!(page.text.contains(text), "{text} is missing: {}", page.text);
    }
}

#[tokio::test]
async fn a_buyer_who_wants_none_of_what_recurs_subscribes_to_nothing() {
    let bench = Bench::start().await;
    let monthly = price(&bench, "900", vec![]).await;
    let more = vec![
        ("line_items[0][adjustable_quantity][enabled]", "true"),
        ("line_items[1][quantity]", "1"),
        ("line_items[1][price_data][currency]", "usd"),
        ("line_items[1][price_data][unit_amount]", "500"),
        ("line_items[1][price_data][product_data][name]", "Cup"),
    ];
    let session = id(&open(&bench, &monthly, more).await);
    let path = format!("{SESSIONS}/{session}/line_items");
    let lines = bench.get(&path).await.expect(200).json();
    let none = format!("quantity[{}]", id(&lines["data"][0]));
    let form = [by_card(CARD), vec![(none.as_str(), "0")]].concat();
    bench.submit(&session, &form).await.expect(422);
    let two = [by_card(CARD), vec![(none.as_str(), "2")]].concat();
    bench.submit(&session, &two).await.expect(303);
    let session = bench.retrieve(&session).await;
    let subscription = get(&bench, "subscriptions", &session["subscription"]).await;
    assert_eq!(subscription["items"]["data"][0]["quantity"], 2);
}
