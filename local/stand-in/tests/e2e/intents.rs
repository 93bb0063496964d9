//! Payment intents over the API.

use serde_json::{Value, json};

use crate::bench::{Answer, Bench, id};

const INTENTS: &str = "/v1/payment_intents";

/// An intent over 20 dollars that is confirmed at once with this payment method.
async fn confirmed(bench: &Bench, method: &str, more: &[(&str, &str)]) -> Answer {
    let form = [
        &[
            ("amount", "2000"),
            ("currency", "usd"),
            ("payment_method", method),
            ("payment_method_types[]", "card"),
            ("confirm", "true"),
        ],
        more,
    ]
    .concat();
    bench.post(INTENTS, &form).await
}

async fn new(bench: &Bench, more: &[(&str, &str)]) -> Value {
    let form = [&[("amount", "2000"), ("currency", "usd")], more].concat();
    bench.post(INTENTS, &form).await.expect(200).json()
}

async fn act(bench: &Bench, intent: &Value, what: &str, form: &[(&str, &str)]) -> Answer {
    let path = format!("{INTENTS}/{}/{what}", id(intent));
    bench.post(&path, &form.to_vec()).await
}

#[tokio::test]
async fn an_intent_is_paid_by_confirming_it() {
    let bench = Bench::start().await;
    let intent = confirmed(&bench, "pm_card_visa", &[("metadata[order]", "7")])
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&intent["status"], &intent["amount_received"]),
        (&json!("succeeded"), &json!(2000))
    );
    let charge = bench
        .fetch("charges", intent["latest_charge"].as_str().unwrap())
        .await;
    assert_eq!(charge["metadata"], json!({ "order": "7" }));
    assert_eq!(charge["outcome"]["risk_level"], "normal");
    assert!(charge["outcome"]["risk_score"].is_u64());
    assert!(
        charge["receipt_url"]
            .as_str()
            .unwrap()
            .starts_with(&bench.url)
    );
    assert_eq!(charge["payment_method"], intent["payment_method"]);
    let method = intent["payment_method"].as_str().unwrap();
    let method = bench.fetch("payment_methods", method).await;
    assert_eq!(method["card"]["last4"], "4242");
    assert_eq!(
        bench.event_types().await,
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated"
        ]
    );
    let again = act(&bench, &intent, "confirm", &[]).await.expect(400);
    assert_eq!(again.error()["code"], "payment_intent_unexpected_state");
    assert_eq!(again.error()["payment_intent"]["id"], intent["id"]);
}

#[tokio::test]
async fn a_decline_is_answered_with_everything_about_it() {
    let bench = Bench::start().await;
    let declined = confirmed(&bench, "pm_card_chargeDeclined", &[]).await;
    let error = declined.expect(402).error();
    assert_eq!(error["type"], "card_error");
    assert_eq!(
        (&error["code"], &error["decline_code"]),
        (&json!("card_declined"), &json!("generic_decline"))
    );
    let intent = &error["payment_intent"];
    assert_eq!(intent["status"], "requires_payment_method");
    assert_eq!(intent["payment_method"], json!(null));
    assert_eq!(intent["last_payment_error"]["charge"], error["charge"]);
    assert_eq!(error["payment_method"]["card"]["last4"], "0002");
    assert_eq!(&bench.fetch("payment_intents", &id(intent)).await, intent);
    let charge = bench
        .fetch("charges", error["charge"].as_str().unwrap())
        .await;
    assert_eq!(
        (&charge["status"], &charge["paid"], &charge["failure_code"]),
        (&json!("failed"), &json!(false), &json!("card_declined"))
    );
    assert_eq!(charge["outcome"]["type"], "issuer_declined");
    assert_eq!(
        bench.event_types().await,
        [
            "payment_intent.created",
            "charge.failed",
            "payment_intent.payment_failed"
        ]
    );
    // Another card pays the same intent.
    let paid = act(
        &bench,
        intent,
        "confirm",
        &[("payment_method", "pm_card_visa")],
    )
    .await;
    assert_eq!(paid.expect(200).json()["status"], "succeeded");
}

#[tokio::test]
async fn a_blocked_payment_never_reaches_the_bank() {
    let bench = Bench::start().await;
    let blocked = confirmed(&bench, "pm_card_radarBlock", &[])
        .await
        .expect(402);
    let charge = blocked.error()["charge"].as_str().unwrap().to_owned();
    let outcome = bench.fetch("charges", &charge).await["outcome"].clone();
    assert_eq!(
        (&outcome["type"], &outcome["network_status"]),
        (&json!("blocked"), &json!("not_sent_to_network"))
    );
    assert_eq!(outcome["risk_level"], "highest");
}

#[tokio::test]
async fn an_intent_is_confirmed_captured_and_canceled_only_when_it_can_be() {
    let bench = Bench::start().await;
    let bare = new(&bench, &[]).await;
    assert_eq!(bare["status"], "requires_payment_method");
    for (what, code) in [
        ("confirm", "payment_intent_unexpected_state"),
        ("capture", "payment_intent_unexpected_state"),
    ] {
        let refused = act(&bench, &bare, what, &[]).await.expect(400);
        assert_eq!(refused.error()["code"], code, "{what}");
    }
    let reason = [("cancellation_reason", "abandoned")];
    let canceled = act(&bench, &bare, "cancel", &reason)
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&canceled["status"], &canceled["cancellation_reason"]),
        (&json!("canceled"), &json!("abandoned"))
    );
    act(&bench, &bare, "cancel", &[]).await.expect(400);
    act(
        &bench,
        &bare,
        "confirm",
        &[("payment_method", "pm_card_visa")],
    )
    .await
    .expect(400);
    assert_eq!(
        bench.event_types().await,
        ["payment_intent.created", "payment_intent.canceled"]
    );
}

#[tokio::test]
async fn money_that_is_set_aside_is_captured_in_part() {
    let bench = Bench::start().await;
    let manual = [("capture_method", "manual")];
    let held = confirmed(&bench, "pm_card_visa", &manual)
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&held["status"], &held["amount_capturable"]),
        (&json!("requires_capture"), &json!(2000))
    );
    let too_much = act(&bench, &held, "capture", &[("amount_to_capture", "2001")]).await;
    assert_eq!(too_much.expect(400).error()["code"], "amount_too_large");
    let form = [("amount_to_capture", "1500")];
    let captured = act(&bench, &held, "capture", &form)
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&captured["status"], &captured["amount_received"]),
        (&json!("succeeded"), &json!(1500))
    );
    let charge = bench
        .fetch("charges", captured["latest_charge"].as_str().unwrap())
        .await;
    assert_eq!(
        (
            &charge["captured"],
            &charge["amount_captured"],
            &charge["amount_refunded"]
        ),
        (&json!(true), &json!(1500), &json!(500))
    );
    act(&bench, &held, "capture", &[]).await.expect(400);
    assert_eq!(
        bench.event_types().await,
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
            "charge.captured",
            "payment_intent.succeeded"
        ]
    );
    let refund = [("payment_intent", captured["id"].as_str().unwrap())];
    let refund = bench.post("/v1/refunds", &refund.to_vec()).await;
    assert_eq!(refund.expect(200).json()["amount"], 1500);
}

#[tokio::test]
async fn money_that_nobody_captures_goes_back_after_a_week() {
    let bench = Bench::start().await;
    let manual = [("capture_method", "manual")];
    let held = confirmed(&bench, "pm_card_visa", &manual)
        .await
        .expect(200)
        .json();
    bench.advance(7 * 86_400).await;
    let gone = bench.fetch("payment_intents", &id(&held)).await;
    assert_eq!(
        (&gone["status"], &gone["cancellation_reason"]),
        (&json!("canceled"), &json!("automatic"))
    );
    assert_eq!(
        bench.event_types_after(3).await,
        ["charge.expired", "payment_intent.canceled"]
    );
    let canceled = confirmed(&bench, "pm_card_visa", &manual)
        .await
        .expect(200)
        .json();
    act(&bench, &canceled, "cancel", &[]).await.expect(200);
    let charge = bench
        .fetch("charges", canceled["latest_charge"].as_str().unwrap())
        .await;
    assert_eq!(charge["refunded"], true);
}

#[tokio::test]
async fn a_card_typed_with_an_intent_pays_it() {
    let bench = Bench::start().await;
    let form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method_data[type]", "card"),
        ("payment_method_data[card][number]", "4242424242424242"),
        ("payment_method_data[card][exp_month]", "12"),
        ("payment_method_data[card][exp_year]", "2040"),
        ("payment_method_data[card][cvc]", "123"),
        ("confirm", "true"),
    ];
    let intent = bench.post(INTENTS, &form).await.expect(200).json();
    assert_eq!(intent["status"], "succeeded");
}

#[tokio::test]
async fn what_stripe_does_not_allow_is_refused_in_its_words() {
    let bench = Bench::start().await;
    let customer = id(&bench
        .post("/v1/customers", &vec![])
        .await
        .expect(200)
        .json());
    let path = "/v1/payment_methods/pm_card_visa/attach";
    let kept = bench.post(path, &vec![("customer", &customer)]).await;
    let kept = id(&kept.expect(200).json());
    for (more, param) in [
        (vec![("payment_method", kept.as_str())], "payment_method"),
        (vec![("off_session", "true")], "off_session"),
        (vec![("customer", "cus_none")], "customer"),
        (
            vec![("statement_descriptor", "1234")],
            "statement_descriptor",
        ),
        (
            vec![
                ("payment_method", "pm_card_visa"),
                ("payment_method_types[]", "us_bank_account"),
            ],
            "payment_method",
        ),
    ] {
        let form = [vec![("amount", "2000"), ("currency", "usd")], more].concat();
        let refused = bench.post(INTENTS, &form).await;
        assert!(refused.status.is_client_error(), "{form:?}");
        assert_eq!(refused.error()["param"], param, "{form:?}");
    }
    assert_eq!(
        bench.get(INTENTS).await.json()["data"],
        json!([]),
        "and nothing is left behind"
    );
}

#[tokio::test]
async fn an_intent_is_changed_until_it_is_paid() {
    let bench = Bench::start().await;
    let intent = new(&bench, &[("payment_method", "pm_card_visa")]).await;
    assert_eq!(intent["status"], "requires_confirmation");
    let path = format!("{INTENTS}/{}", id(&intent));
    let form = vec![
        ("amount", "3000"),
        ("description", "Two mugs"),
        ("metadata[order]", "8"),
        ("receipt_email", "buyer@mail.example"),
    ];
    let changed = bench.post(&path, &form).await.expect(200).json();
    assert_eq!(
        (&changed["amount"], &changed["description"]),
        (&json!(3000), &json!("Two mugs"))
    );
    let paid = act(&bench, &intent, "confirm", &[])
        .await
        .expect(200)
        .json();
    let charge = bench
        .fetch("charges", paid["latest_charge"].as_str().unwrap())
        .await;
    assert_eq!(charge["receipt_email"], "buyer@mail.example");
    let late = bench
        .post(&path, &vec![("amount", "4000")])
        .await
        .expect(400);
    assert_eq!(late.error()["code"], "payment_intent_unexpected_state");
    let form = vec![("metadata[order]", "")];
    let told = bench.post(&path, &form).await.expect(200).json();
    assert_eq!(told["metadata"], json!({}));
}

#[tokio::test]
async fn how_an_intent_is_paid_is_settled_once_it_is_paid() {
    let bench = Bench::start().await;
    let customer = async || {
        let made = bench.post("/v1/customers", &vec![]).await;
        id(&made.expect(200).json())
    };
    let (ann, bob) = (customer().await, customer().await);
    let refused = async |intent: &Value, form: &[(&str, &str)], param: &str| {
        let path = format!("{INTENTS}/{}", id(intent));
        let refused = bench.post(&path, &form.to_vec()).await.expect(400);
        assert_eq!(refused.error()["param"], param, "{form:?}");
        assert_eq!(&bench.fetch("payment_intents", &id(intent)).await, intent);
    };
    let paid = confirmed(&bench, "pm_card_visa", &[]).await;
    let manual = [("capture_method", "manual")];
    let held = confirmed(&bench, "pm_card_visa", &manual).await;
    let given_up = new(&bench, &[]).await;
    let given_up = act(&bench, &given_up, "cancel", &[]).await;
    for done in [paid, held, given_up] {
        let done = done.expect(200).json();
        let done = bench.fetch("payment_intents", &id(&done)).await;
        for (field, value) in [
            ("customer", ann.as_str()),
            ("capture_method", "manual"),
            ("setup_future_usage", "off_session"),
        ] {
            refused(&done, &[(field, value)], field).await;
        }
    }
    let open = new(&bench, &[("customer", &ann)]).await;
    refused(&open, &[("customer", &bob)], "customer").await;

    for (amount, form) in [
        ("505", vec![("currency", "isk")]),
        ("60", vec![("currency", "mxn")]),
        ("2000", vec![("currency", "kwd"), ("amount", "505")]),
    ] {
        let open = new(&bench, &[("amount", amount)]).await;
        refused(&open, &form, "amount").await;
    }
}

#[tokio::test]
async fn an_intent_made_by_hand_can_be_looked_at() {
    let bench = Bench::start().await;
    let form = vec![
        ("amount", "2000"),
        ("currency", "eur"),
        ("metadata[a]", "b"),
    ];
    let intent = bench.post(INTENTS, &form).await.expect(200).json();
    assert_eq!(intent["status"], "requires_payment_method");
    let path = format!("{INTENTS}/{}", id(&intent));
    assert_eq!(bench.get(&path).await.expect(200).json(), intent);
    assert_eq!(bench.event_types().await, ["payment_intent.created"]);
    for (amount, code) in [
        ("49", "amount_too_small"),
        ("100000000", "amount_too_large"),
    ] {
        let form = vec![("amount", amount), ("currency", "eur")];
        let error = bench.post(INTENTS, &form).await.expect(400).error();
        assert_eq!(error["code"], code);
    }
}
