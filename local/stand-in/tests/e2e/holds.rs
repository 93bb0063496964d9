//! Money that is set aside and then taken in parts, taken in excess, or added to.

use serde_json::{Value, json};

use crate::bench::{Answer, Bench, id};

const INTENTS: &str = "/v1/payment_intents";

/// Twenty dollars set aside on a card, with this asked of its issuer.
async fn held(bench: &Bench, method: &str, asks: &[&str]) -> Value {
    let names: Vec<String> = asks
        .iter()
        .map(|asks| format!("payment_method_options[card][request_{asks}]"))
        .collect();
    let mut form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method", method),
        ("payment_method_types[]", "card"),
        ("capture_method", "manual"),
        ("confirm", "true"),
    ];
    form.extend(names.iter().map(|name| (name.as_str(), "if_available")));
    bench.post(INTENTS, &form).await.expect(200).json()
}

async fn act(bench: &Bench, intent: &Value, what: &str, form: &[(&str, &str)]) -> Answer {
    let path = format!("{INTENTS}/{}/{what}", id(intent));
    bench.post(&path, &form.to_vec()).await
}

async fn charge_of(bench: &Bench, intent: &Value) -> Value {
    let charge = intent["latest_charge"].as_str().unwrap();
    bench.fetch("charges", charge).await
}

#[tokio::test]
async fn an_issuer_offers_what_the_shop_asks_for_and_its_network_has() {
    let bench = Bench::start().await;
    let statuses = async |method, asks: &[&str]| {
        let charge = charge_of(&bench, &held(&bench, method, asks).await).await;
        let card = charge["payment_method_details"]["card"].clone();
        ["multicapture", "overcapture", "incremental_authorization"]
            .map(|it| card[it]["status"].as_str().unwrap() == "available")
    };
    let all = ["multicapture", "overcapture", "incremental_authorization"];
    assert_eq!(statuses("pm_card_visa", &all).await, [true; 3]);
    assert_eq!(statuses("pm_card_visa", &[]).await, [false; 3]);
    assert_eq!(
        statuses("pm_card_jcb", &all).await,
        [true, false, false],
        "JCB has multicapture alone"
    );
}

#[tokio::test]
async fn money_that_is_set_aside_can_be_taken_in_parts() {
    let bench = Bench::start().await;
    let intent = held(&bench, "pm_card_visa", &["multicapture"]).await;
    let part = |amount| [("amount_to_capture", amount), ("final_capture", "false")];
    let first = act(&bench, &intent, "capture", &part("700")).await;
    let first = first.expect(200).json();
    assert_eq!(
        (
            &first["status"],
            &first["amount_received"],
            &first["amount_capturable"]
        ),
        (&json!("requires_capture"), &json!(700), &json!(1300))
    );
    let charge = charge_of(&bench, &intent).await;
    assert_eq!(
        (
            &charge["captured"],
            &charge["amount_captured"],
            &charge["amount_refunded"]
        ),
        (&json!(false), &json!(700), &json!(0))
    );
    let too_much = act(&bench, &intent, "capture", &part("1301")).await;
    assert_eq!(too_much.expect(400).error()["code"], "amount_too_large");
    let last = act(&bench, &intent, "capture", &[("amount_to_capture", "800")]).await;
    let last = last.expect(200).json();
    assert_eq!(
        (&last["status"], &last["amount_received"]),
        (&json!("succeeded"), &json!(1500))
    );
    let charge = charge_of(&bench, &intent).await;
    assert_eq!(
        (&charge["captured"], &charge["amount_refunded"]),
        (&json!(true), &json!(500))
    );
    assert_eq!(
        bench.event_types_after(3).await,
        [
            "charge.updated",
            "payment_intent.amount_capturable_updated",
            "charge.captured",
            "payment_intent.succeeded",
        ]
    );
    let booked = bench.get("/v1/balance_transactions?type=charge").await;
    let booked = booked.expect(200).json()["data"].clone();
    let amounts: Vec<_> = booked.as_array().unwrap().iter().collect();
    assert_eq!(
        amounts.iter().map(|it| &it["amount"]).collect::<Vec<_>>(),
        [800, 700]
    );
    act(&bench, &intent, "capture", &[]).await.expect(400);
}

#[tokio::test]
async fn taking_all_of_it_part_by_part_ends_a_payment() {
    let bench = Bench::start().await;
    let intent = held(&bench, "pm_card_visa", &["multicapture"]).await;
    let part = [("amount_to_capture", "1000"), ("final_capture", "false")];
    act(&bench, &intent, "capture", &part).await.expect(200);
    let all = act(&bench, &intent, "capture", &part).await.expect(200);
    assert_eq!(all.json()["status"], "succeeded");
}

#[tokio::test]
async fn what_was_taken_stays_and_the_rest_goes_back() {
    let part = [("amount_to_capture", "700"), ("final_capture", "false")];
    let enough = [("amount_to_capture", "0")];
    for how in ["capture", "cancel", "time"] {
        let bench = Bench::start().await;
        let intent = held(&bench, "pm_card_visa", &["multicapture"]).await;
        act(&bench, &intent, "capture", &enough).await.expect(400);
        act(&bench, &intent, "capture", &part).await.expect(200);
        match how {
            "capture" => drop(act(&bench, &intent, "capture", &enough).await.expect(200)),
            "cancel" => drop(act(&bench, &intent, "cancel", &[]).await.expect(200)),
            _ => bench.advance(7 * 86_400).await,
        }
        let ended = bench.fetch("payment_intents", &id(&intent)).await;
        assert_eq!(
            (&ended["status"], &ended["amount_received"]),
            (&json!("succeeded"), &json!(700)),
            "{how}"
        );
        let charge = charge_of(&bench, &intent).await;
        assert_eq!(charge["amount_refunded"], 1300, "{how}");
    }
}

#[tokio::test]
async fn a_part_that_was_taken_can_be_refunded_before_the_rest_is_taken() {
    let bench = Bench::start().await;
    let intent = held(&bench, "pm_card_visa", &["multicapture"]).await;
    let part = [("amount_to_capture", "700"), ("final_capture", "false")];
    let refund = vec![("payment_intent", intent["id"].as_str().unwrap())];
    bench.post("/v1/refunds", &refund).await.expect(400);
    act(&bench, &intent, "capture", &part).await.expect(200);
    let refund = bench.post("/v1/refunds", &refund).await.expect(200);
    assert_eq!(refund.json()["amount"], 700);
}

#[tokio::test]
async fn nobody_takes_in_parts_or_in_excess_what_was_not_asked_for() {
    let bench = Bench::start().await;
    let intent = held(&bench, "pm_card_visa", &[]).await;
    let part = [("amount_to_capture", "700"), ("final_capture", "false")];
    let refused = act(&bench, &intent, "capture", &part).await.expect(400);
    assert_eq!(refused.error()["param"], "final_capture");
    let more = [("amount", "2500")];
    act(&bench, &intent, "increment_authorization", &more)
        .await
        .expect(400);
    assert_eq!(bench.fetch("payment_intents", &id(&intent)).await, intent);
}

#[tokio::test]
async fn a_fifth_more_than_was_set_aside_can_be_taken() {
    let bench = Bench::start().await;
    let intent = held(&bench, "pm_card_visa", &["overcapture"]).await;
    let charge = charge_of(&bench, &intent).await;
    assert_eq!(
        charge["payment_method_details"]["card"]["overcapture"],
        json!({ "maximum_amount_capturable": 2400, "status": "available" })
    );
    let take = async |amount| {
        let form = [("amount_to_capture", amount)];
        act(&bench, &intent, "capture", &form).await
    };
    take("2401").await.expect(400);
    let taken = take("2400").await.expect(200).json();
    assert_eq!(taken["amount_received"], 2400);
    let charge = charge_of(&bench, &intent).await;
    assert_eq!(
        (&charge["amount_captured"], &charge["amount_refunded"]),
        (&json!(2400), &json!(0))
    );
}

#[tokio::test]
async fn more_can_be_set_aside_until_some_is_taken() {
    let bench = Bench::start().await;
    let asks = ["incremental_authorization", "multicapture"];
    let intent = held(&bench, "pm_card_visa", &asks).await;
    let add = async |amount| {
        let form = [("amount", amount), ("description", "and breakfast")];
        act(&bench, &intent, "increment_authorization", &form).await
    };
    for amount in ["2000", "1999"] {
        let refused = add(amount).await.expect(400);
        assert_eq!(refused.error()["param"], "amount");
    }
    let more = add("2500").await.expect(200).json();
    assert_eq!(
        (&more["amount"], &more["amount_capturable"]),
        (&json!(2500), &json!(2500))
    );
    assert_eq!(more["description"], "and breakfast");
    let charge = charge_of(&bench, &intent).await;
    assert_eq!(charge["amount"], 2500);
    assert_eq!(
        charge["payment_method_details"]["card"]["amount_authorized"],
        2500
    );
    assert_eq!(
        bench.event_types_after(3).await,
        ["charge.updated", "payment_intent.amount_capturable_updated"]
    );
    let part = [("amount_to_capture", "100"), ("final_capture", "false")];
    act(&bench, &intent, "capture", &part).await.expect(200);
    let late = add("3000").await.expect(400);
    assert_eq!(late.error()["code"], "payment_intent_unexpected_state");
}
