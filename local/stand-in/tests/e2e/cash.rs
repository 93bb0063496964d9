//! What customers have transferred and what has not been used to pay.

use serde_json::{Value, json};

use crate::bench::{Bench, Form, id};

const REFUNDS: &str = "/v1/refunds";

async fn customer(bench: &Bench) -> String {
    let made = bench.post("/v1/customers", &vec![]).await.expect(200);
    id(&made.json())
}

/// An intent over so many cents that waits for a transfer.
async fn waiting(bench: &Bench, customer: &str, amount: &str) -> Value {
    let form = vec![
        ("amount", amount),
        ("currency", "usd"),
        ("customer", customer),
        ("payment_method_types[]", "customer_balance"),
        ("payment_method_data[type]", "customer_balance"),
        ("confirm", "true"),
    ];
    let made = bench.post("/v1/payment_intents", &form).await;
    made.expect(200).json()
}

async fn fund(bench: &Bench, customer: &str, amount: &str) -> Value {
    let path = format!("/v1/test_helpers/customers/{customer}/fund_cash_balance");
    let form = vec![("amount", amount), ("currency", "usd")];
    bench.post(&path, &form).await.expect(200).json()
}

async fn available(bench: &Bench, customer: &str) -> Value {
    let path = format!("/v1/customers/{customer}/cash_balance");
    bench.get(&path).await.expect(200).json()["available"].clone()
}

/// What has moved a balance, oldest first.
async fn movements(bench: &Bench, customer: &str) -> Vec<(String, i64, i64)> {
    let path = format!("/v1/customers/{customer}/cash_balance_transactions");
    let list = bench.get(&path).await.expect(200).json();
    let data = list["data"].as_array().unwrap().iter().rev();
    data.map(|it| {
        (
            it["type"].as_str().unwrap().to_owned(),
            it["net_amount"].as_i64().unwrap(),
            it["ending_balance"].as_i64().unwrap(),
        )
    })
    .collect()
}

fn moved(kind: &str, net: i64, ending: i64) -> (String, i64, i64) {
    (kind.to_owned(), net, ending)
}

#[tokio::test]
async fn canceling_a_part_funded_payment_gives_its_money_back_to_the_customer() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let intent = waiting(&bench, &ann, "1000").await;
    fund(&bench, &ann, "400").await;
    assert_eq!(available(&bench, &ann).await, json!({ "usd": 0 }));
    let before = bench.event_types().await.len();
    let path = format!("/v1/payment_intents/{}/cancel", id(&intent));
    let canceled = bench.post(&path, &vec![]).await.expect(200).json();
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(available(&bench, &ann).await, json!({ "usd": 400 }));
    assert_eq!(
        bench.event_types_after(before).await,
        [
            "customer_cash_balance_transaction.created",
            "payment_intent.canceled",
            "cash_balance.funds_available",
        ]
    );
    assert_eq!(
        movements(&bench, &ann).await,
        [
            moved("funded", 400, 400),
            moved("applied_to_payment", -400, 0),
            moved("unapplied_from_payment", 400, 400),
        ]
    );
    let told = bench
        .latest("customer_cash_balance_transaction.created")
        .await;
    let told = &told["data"]["object"];
    assert_eq!(
        told["unapplied_from_payment"]["payment_intent"],
        intent["id"]
    );
    let path = format!("/v1/customers/{ann}/cash_balance_transactions/{}", id(told));
    assert_eq!(&bench.get(&path).await.expect(200).json(), told);
}

#[tokio::test]
async fn what_a_customer_has_pays_the_next_payment_as_far_as_it_goes() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let transfer = fund(&bench, &ann, "1500").await;
    assert_eq!(transfer["ending_balance"], 1500);
    assert_eq!(
        bench.event_types_after(1).await,
        [
            "customer_cash_balance_transaction.created",
            "cash_balance.funds_available"
        ]
    );
    let paid = waiting(&bench, &ann, "1000").await;
    assert_eq!(
        (&paid["status"], &paid["amount_received"]),
        (&json!("succeeded"), &json!(1000))
    );
    let part = waiting(&bench, &ann, "800").await;
    assert_eq!(part["status"], "requires_action");
    let action = &part["next_action"]["display_bank_transfer_instructions"];
    assert_eq!(action["amount_remaining"], 300);
    assert_eq!(
        bench.event_types_after(3).await,
        [
            "payment_intent.created",
            "customer_cash_balance_transaction.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated",
            "payment_intent.created",
            "customer_cash_balance_transaction.created",
            "payment_intent.requires_action",
            "payment_intent.partially_funded",
        ]
    );
    fund(&bench, &ann, "350").await;
    let part = bench.fetch("payment_intents", &id(&part)).await;
    assert_eq!(part["status"], "succeeded");
    let path = format!("/v1/customers/{ann}?expand[]=cash_balance");
    let expanded = bench.get(&path).await.expect(200).json();
    assert_eq!(expanded["cash_balance"]["available"], json!({ "usd": 50 }));
}

#[tokio::test]
async fn a_canceled_payments_money_pays_another_that_waits() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let first = waiting(&bench, &ann, "1000").await;
    let second = waiting(&bench, &ann, "300").await;
    fund(&bench, &ann, "400").await;
    let path = format!("/v1/payment_intents/{}/cancel", id(&first));
    bench.post(&path, &vec![]).await.expect(200);
    let second = bench.fetch("payment_intents", &id(&second)).await;
    assert_eq!(second["status"], "succeeded");
    assert_eq!(available(&bench, &ann).await, json!({ "usd": 100 }));
}

#[tokio::test]
async fn a_shop_may_reconcile_by_hand() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let settings = format!("/v1/customers/{ann}/cash_balance");
    let by_hand = vec![("settings[reconciliation_mode]", "manual")];
    let balance = bench.post(&settings, &by_hand).await.expect(200).json();
    assert_eq!(
        balance["settings"],
        json!({ "reconciliation_mode": "manual", "using_merchant_default": false })
    );
    fund(&bench, &ann, "700").await;
    let intent = waiting(&bench, &ann, "1000").await;
    let apply = async |form: &[(&str, &str)]| {
        let path = format!("/v1/payment_intents/{}/apply_customer_balance", id(&intent));
        bench.post(&path, &form.to_vec()).await
    };
    let refused = apply(&[]).await.expect(400);
    assert_eq!(refused.error()["code"], "balance_insufficient");
    apply(&[("currency", "eur")]).await.expect(400);
    apply(&[("amount", "1001")]).await.expect(400);
    assert_eq!(available(&bench, &ann).await, json!({ "usd": 700 }));
    let part = apply(&[("amount", "600")]).await.expect(200).json();
    let action = &part["next_action"]["display_bank_transfer_instructions"];
    assert_eq!(action["amount_remaining"], 400);
    fund(&bench, &ann, "300").await;
    let paid = apply(&[]).await.expect(200).json();
    assert_eq!(paid["status"], "succeeded");
    assert_eq!(available(&bench, &ann).await, json!({ "usd": 0 }));
    let late = apply(&[("amount", "1")]).await.expect(400);
    assert_eq!(late.error()["code"], "payment_intent_unexpected_state");
    let back = vec![("settings[reconciliation_mode]", "merchant_default")];
    let balance = bench.post(&settings, &back).await.expect(200).json();
    assert_eq!(balance["settings"]["using_merchant_default"], true);
}

#[tokio::test]
async fn a_transfer_that_is_ended_by_hand_is_in_the_books_too() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    for (how, left) in [("succeed", 0), ("fail", 400)] {
        let intent = waiting(&bench, &ann, "1000").await;
        fund(&bench, &ann, "400").await;
        let path = format!("payment_intents/{}/{how}", id(&intent));
        bench.control(&path, &vec![]).await.expect(200);
        assert_eq!(
            available(&bench, &ann).await,
            json!({ "usd": left }),
            "{how}"
        );
    }
}

#[tokio::test]
async fn a_customer_is_told_where_to_transfer_to() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let path = format!("/v1/customers/{ann}/funding_instructions");
    let form = vec![
        ("currency", "eur"),
        ("funding_type", "bank_transfer"),
        ("bank_transfer[type]", "eu_bank_transfer"),
        ("bank_transfer[eu_bank_transfer][country]", "FR"),
    ];
    let told = bench.post(&path, &form).await.expect(200).json();
    let transfer = &told["bank_transfer"];
    assert_eq!(
        (&transfer["country"], &transfer["type"]),
        (&json!("FR"), &json!("eu_bank_transfer"))
    );
    assert!(
        transfer["financial_addresses"][0]["iban"]["iban"]
            .as_str()
            .unwrap()
            .starts_with("FR")
    );
    let form = vec![
        ("currency", "usd"),
        ("funding_type", "bank_transfer"),
        ("bank_transfer[type]", "eu_bank_transfer"),
    ];
    bench.post(&path, &form).await.expect(400);
}

/// A customer with an address, at which they can be asked for their bank account.
async fn customer_with_mail(bench: &Bench) -> String {
    let form = vec![("email", "ann@mail.example")];
    id(&bench.post("/v1/customers", &form).await.expect(200).json())
}

/// What a customer has transferred and not used is to go back to them.
fn cash_back<'a>(customer: &'a str, amount: &'a str) -> Form<'a> {
    vec![
        ("origin", "customer_balance"),
        ("customer", customer),
        ("amount", amount),
        ("currency", "usd"),
    ]
}

#[tokio::test]
async fn a_refund_of_a_bank_transfer_asks_the_customer_where_the_money_is_to_go() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let intent = id(&waiting(&bench, &ann, "1000").await);
    fund(&bench, &ann, "1000").await;
    let form = vec![("payment_intent", intent.as_str())];
    let error = bench.post(REFUNDS, &form).await.expect(400).error();
    assert_eq!(
        error["param"], "instructions_email",
        "there is nobody to ask"
    );

    let form = [form, vec![("instructions_email", "ann@mail.example")]].concat();
    let refund = bench.post(REFUNDS, &form).await.expect(200).json();
    assert_eq!(refund["status"], "requires_action");
    assert_eq!(refund["instructions_email"], "ann@mail.example");
    let asked = &refund["next_action"]["display_details"]["email_sent"];
    assert_eq!(asked["email_sent_to"], "ann@mail.example");
    let destination = &refund["destination_details"];
    assert_eq!(destination["type"], "us_bank_transfer");
    assert!(destination["us_bank_transfer"].is_object(), "{destination}");

    let succeed = format!("refunds/{}/succeed", id(&refund));
    bench.control(&succeed, &vec![]).await.expect(200);
    let arrived = bench.fetch("refunds", &id(&refund)).await;
    assert_eq!(arrived["status"], "succeeded");
    let details = &arrived["destination_details"]["us_bank_transfer"];
    assert_eq!(details["reference_status"], "available");
}

#[tokio::test]
async fn a_refund_that_nobody_answers_fails_after_forty_five_days() {
    let bench = Bench::start().await;
    let ann = customer_with_mail(&bench).await;
    let intent = id(&waiting(&bench, &ann, "1000").await);
    fund(&bench, &ann, "1000").await;
    let form = vec![("payment_intent", intent.as_str())];
    let refund = id(&bench.post(REFUNDS, &form).await.expect(200).json());
    bench.advance(44 * 86_400).await;
    let waits = bench.fetch("refunds", &refund).await;
    assert_eq!(waits["status"], "requires_action");
    bench.advance(2 * 86_400).await;
    let failed = bench.fetch("refunds", &refund).await;
    assert_eq!(
        (&failed["status"], &failed["failure_reason"]),
        (&json!("failed"), &json!("unknown"))
    );
    bench.post(REFUNDS, &form).await.expect(200);
}

#[tokio::test]
async fn a_customer_gets_back_what_they_have_transferred_and_not_used() {
    let bench = Bench::start().await;
    let ann = customer_with_mail(&bench).await;
    fund(&bench, &ann, "1500").await;
    let before = bench.event_types().await.len();
    let refund = bench.post(REFUNDS, &cash_back(&ann, "600")).await;
    let refund = refund.expect(200).json();
    assert_eq!(
        (&refund["status"], &refund["amount"], &refund["customer"]),
        (&json!("requires_action"), &json!(600), &json!(ann))
    );
    for field in ["charge", "payment_intent", "balance_transaction"] {
        assert_eq!(refund[field], Value::Null, "{field}");
    }
    assert_eq!(available(&bench, &ann).await, json!({ "usd": 900 }));
    assert_eq!(
        bench.event_types_after(before).await,
        [
            "customer_cash_balance_transaction.created",
            "refund.created"
        ]
    );
    let error = bench.post(REFUNDS, &cash_back(&ann, "901")).await;
    assert_eq!(error.expect(400).error()["code"], "balance_insufficient");

    let path = format!("{REFUNDS}/{}/cancel", id(&refund));
    let before = bench.event_types().await.len();
    let canceled = bench.post(&path, &vec![]).await.expect(200).json();
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(available(&bench, &ann).await, json!({ "usd": 1500 }));
    assert_eq!(
        bench.event_types_after(before).await,
        [
            "customer_cash_balance_transaction.created",
            "cash_balance.funds_available",
            "refund.updated"
        ]
    );
    assert_eq!(
        movements(&bench, &ann).await,
        [
            moved("funded", 1500, 1500),
            moved("return_initiated", -600, 900),
            moved("return_canceled", 600, 1500),
        ]
    );
    assert_eq!(
        id(&bench
            .get(&format!("{REFUNDS}/{}", id(&refund)))
            .await
            .json()),
        id(&refund)
    );
}

#[tokio::test]
async fn cash_that_comes_back_pays_what_waits_for_it() {
    let bench = Bench::start().await;
    let ann = customer_with_mail(&bench).await;
    fund(&bench, &ann, "1000").await;
    let refund = bench.post(REFUNDS, &cash_back(&ann, "1000")).await;
    let refund = id(&refund.expect(200).json());
    let intent = id(&waiting(&bench, &ann, "700").await);
    let path = format!("refunds/{refund}/fail");
    bench.control(&path, &vec![]).await.expect(200);
    let paid = bench.fetch("payment_intents", &intent).await;
    assert_eq!(paid["status"], "succeeded");
    assert_eq!(available(&bench, &ann).await, json!({ "usd": 300 }));
}

#[tokio::test]
async fn a_return_of_cash_says_whose_how_much_and_in_what() {
    let bench = Bench::start().await;
    let ann = customer_with_mail(&bench).await;
    fund(&bench, &ann, "1000").await;
    for missing in ["customer", "amount", "currency"] {
        let mut form = cash_back(&ann, "100");
        form.retain(|(name, _)| *name != missing);
        let error = bench.post(REFUNDS, &form).await.expect(400).error();
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!("parameter_missing"), &json!(missing))
        );
    }
    let error = bench.post(REFUNDS, &cash_back("cus_none", "100")).await;
    assert_eq!(error.expect(400).error()["param"], "customer");
    // Of a payment, Stripe knows the currency itself.
    let form = vec![("charge", "ch_1"), ("currency", "usd")];
    let error = bench.post(REFUNDS, &form).await.expect(400).error();
    assert_eq!(error["code"], "parameter_unknown");
}
