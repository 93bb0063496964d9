//! Payments that take their time over the API: bank debits, vouchers, and money that is on its way.

use serde_json::{Value, json};

use crate::bench::{Bench, id};

/// A SEPA debit of this account, confirmed.
async fn debit(bench: &Bench, iban: &str) -> Value {
    let form = vec![
        ("type", "sepa_debit"),
        ("sepa_debit[iban]", iban),
        ("billing_details[name]", "Bob"),
        ("billing_details[email]", "bob@example.com"),
    ];
    let method = bench
        .post("/v1/payment_methods", &form)
        .await
        .expect(200)
        .json();
    let method = id(&method);
    let form = vec![
        ("amount", "1000"),
        ("currency", "eur"),
        ("payment_method", method.as_str()),
        ("payment_method_types[]", "sepa_debit"),
        ("confirm", "true"),
        ("mandate_data[customer_acceptance][type]", "offline"),
    ];
    bench
        .post("/v1/payment_intents", &form)
        .await
        .expect(200)
        .json()
}

#[tokio::test]
async fn an_account_says_by_its_number_how_its_debits_end() {
    let bench = Bench::start().await;
    let paid = debit(&bench, "AT611904300234573201").await;
    assert_eq!(paid["status"], "processing");
    let now = bench.fetch("payment_intents", &id(&paid)).await;
    assert_eq!(now["status"], "succeeded");
    assert_eq!(
        bench.event_types().await,
        [
            "payment_intent.created",
            "charge.pending",
            "payment_intent.processing",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated"
        ]
    );
}

#[tokio::test]
async fn a_bank_may_take_three_minutes_to_say_no() {
    let bench = Bench::start().await;
    let intent = debit(&bench, "AT051904300235473205").await;
    bench.advance(150).await;
    let path = format!("/v1/payment_intents/{}/cancel", id(&intent));
    bench.post(&path, &vec![]).await.expect(400);
    let still = bench.fetch("payment_intents", &id(&intent)).await;
    assert_eq!(still["status"], "processing");
    bench.advance(30).await;
    let failed = bench.fetch("payment_intents", &id(&intent)).await;
    assert_eq!(failed["status"], "requires_payment_method");
    assert_eq!(
        bench.event_types_after(3).await,
        ["charge.failed", "payment_intent.payment_failed"]
    );
}

#[tokio::test]
async fn the_owner_of_an_account_may_contest_its_debit() {
    let bench = Bench::start().await;
    let intent = debit(&bench, "AT591904300235473203").await;
    let list = format!("/v1/disputes?payment_intent={}", id(&intent));
    let disputes = bench.get(&list).await.expect(200).json();
    assert_eq!(disputes["data"][0]["status"], "needs_response");
}

#[tokio::test]
async fn a_voucher_is_paid_or_not_as_its_buyers_address_says() {
    for (email, seconds, status) in [
        ("jenny@example.com", 180, "succeeded"),
        ("succeed_immediately@example.com", 0, "succeeded"),
        (
            "expire_immediately@example.com",
            0,
            "requires_payment_method",
        ),
        (
            "fill_never@example.com",
            4 * 86_400,
            "requires_payment_method",
        ),
    ] {
        let bench = Bench::start().await;
        let form = vec![
            ("amount", "5000"),
            ("currency", "mxn"),
            ("payment_method_data[type]", "oxxo"),
            ("payment_method_data[billing_details][name]", "Jenny"),
            ("payment_method_data[billing_details][email]", email),
            ("payment_method_types[]", "oxxo"),
            ("confirm", "true"),
        ];
        let intent = bench
            .post("/v1/payment_intents", &form)
            .await
            .expect(200)
            .json();
        assert_eq!(intent["status"], "requires_action");
        assert_eq!(intent["next_action"]["type"], "oxxo_display_details");
        bench.advance(seconds).await;
        let ended = bench.fetch("payment_intents", &id(&intent)).await;
        assert_eq!(ended["status"], status, "{email}");
    }
}

#[tokio::test]
async fn a_delayed_payment_can_be_ended_by_hand() {
    let bench = Bench::start().await;
    let intent = id(&debit(&bench, "AT051904300235473205").await);
    let path = format!("payment_intents/{intent}/succeed");
    bench.control(&path, &vec![]).await.expect(200);
    bench.control(&path, &vec![]).await.expect(400);
    let paid = bench.fetch("payment_intents", &intent).await;
    assert_eq!(paid["status"], "succeeded");
}

#[tokio::test]
async fn money_is_on_its_way_for_days_unless_the_card_skips_that() {
    let bench = Bench::start().await;
    let form = |method: &'static str| {
        vec![
            ("amount", "2000"),
            ("currency", "usd"),
            ("payment_method", method),
            ("payment_method_types[]", "card"),
            ("confirm", "true"),
        ]
    };
    let pending = async || {
        let list = "/v1/balance_transactions?limit=1";
        bench.get(list).await.json()["data"][0]["status"].clone()
    };
    bench
        .post("/v1/payment_intents", &form("pm_card_visa"))
        .await
        .expect(200);
    assert_eq!(pending().await, json!("pending"));
    bench
        .post("/v1/payment_intents", &form("pm_card_bypassPending"))
        .await
        .expect(200);
    assert_eq!(pending().await, json!("available"));
    let told = bench.latest("balance.available").await;
    assert_eq!(told["data"]["object"]["available"][0]["amount"], 1912);
}

#[tokio::test]
async fn a_transfer_pays_what_waits_for_it_as_far_as_the_money_goes() {
    let bench = Bench::start().await;
    let customer = id(&bench
        .post("/v1/customers", &vec![])
        .await
        .expect(200)
        .json());
    let form = vec![
        ("amount", "20000"),
        ("currency", "jpy"),
        ("customer", customer.as_str()),
        ("payment_method_types[]", "customer_balance"),
        ("payment_method_data[type]", "customer_balance"),
        (
            "payment_method_options[customer_balance][funding_type]",
            "bank_transfer",
        ),
        (
            "payment_method_options[customer_balance][bank_transfer][type]",
            "jp_bank_transfer",
        ),
        ("confirm", "true"),
    ];
    let intent = bench
        .post("/v1/payment_intents", &form)
        .await
        .expect(200)
        .json();
    let action = &intent["next_action"]["display_bank_transfer_instructions"];
    assert_eq!(action["amount_remaining"], 20_000);
    let fund = async |amount: &str| {
        let path = format!("/v1/test_helpers/customers/{customer}/fund_cash_balance");
        let form = vec![("amount", amount), ("currency", "jpy")];
        bench.post(&path, &form).await.expect(200);
        bench.fetch("payment_intents", &id(&intent)).await
    };
    let half = fund("10000").await;
    assert_eq!(half["status"], "requires_action");
    assert_eq!(
        bench.event_types().await.last().unwrap(),
        "payment_intent.partially_funded"
    );
    assert_eq!(fund("10000").await["status"], "succeeded");
}

#[tokio::test]
async fn what_a_customer_has_transferred_is_not_forgotten() {
    let bench = Bench::start().await;
    let customer = id(&bench
        .post("/v1/customers", &vec![])
        .await
        .expect(200)
        .json());
    let form = vec![
        ("amount", "1000"),
        ("currency", "usd"),
        ("customer", customer.as_str()),
        ("payment_method_types[]", "customer_balance"),
        ("payment_method_types[]", "card"),
        ("payment_method_data[type]", "customer_balance"),
        ("confirm", "true"),
    ];
    let intent = bench.post("/v1/payment_intents", &form).await;
    let path = format!("/v1/payment_intents/{}", id(&intent.expect(200).json()));
    let remaining = |intent: &Value| {
        intent["next_action"]["display_bank_transfer_instructions"]["amount_remaining"].clone()
    };
    let fund = async |amount: &str| {
        let fund = format!("/v1/test_helpers/customers/{customer}/fund_cash_balance");
        let form = vec![("amount", amount), ("currency", "usd")];
        bench.post(&fund, &form).await.expect(200);
        bench.get(&path).await.expect(200).json()
    };
    assert_eq!(remaining(&fund("400").await), 600);
    let confirm = format!("{path}/confirm");
    let again = bench.post(&confirm, &vec![]).await.expect(200).json();
    assert_eq!(remaining(&again), 600);
    let by_card = vec![("payment_method", "pm_card_visa")];
    bench.post(&confirm, &by_card).await.expect(400);
    bench.post(&path, &by_card).await.expect(400);
    bench
        .post(&path, &vec![("amount", "300")])
        .await
        .expect(400);
    bench
        .post(&path, &vec![("currency", "eur")])
        .await
        .expect(400);
    let less = bench.post(&path, &vec![("amount", "900")]).await;
    assert_eq!(remaining(&less.expect(200).json()), 500);
    let paid = fund("500").await;
    assert_eq!(
        (&paid["status"], &paid["amount_received"]),
        (&json!("succeeded"), &json!(900))
    );
}

/// A payment with a voucher that its buyer has paid.
async fn paid_by_voucher(bench: &Bench, method: &str, currency: &str) -> String {
    let kind = [
        ("payment_method_data[type]", method),
        ("payment_method_types[]", method),
        ("currency", currency),
    ];
    let buyer = [
        ("payment_method_data[billing_details][name]", "Jenny"),
        (
            "payment_method_data[billing_details][email]",
            "succeed_immediately@example.com",
        ),
        ("payment_method_data[boleto][tax_id]", "00000000000000"),
    ];
    let buyer = buyer.into_iter();
    let buyer = buyer.filter(|(name, _)| method == "boleto" || !name.contains("tax_id"));
    let form = kind
        .into_iter()
        .chain(buyer)
        .chain([("amount", "5000"), ("confirm", "true")]);
    let made = bench.post("/v1/payment_intents", &form.collect()).await;
    let intent = id(&made.expect(200).json());
    bench.advance(0).await;
    let paid = bench.fetch("payment_intents", &intent).await;
    assert_eq!(paid["status"], "succeeded", "{method}");
    intent
}

#[tokio::test]
async fn a_refund_of_a_voucher_goes_to_a_bank_account_that_its_buyer_names() {
    let bench = Bench::start().await;
    for (method, currency, destination) in [
        ("boleto", "brl", "br_bank_transfer"),
        ("konbini", "jpy", "jp_bank_transfer"),
        ("multibanco", "eur", "multibanco"),
    ] {
        let intent = paid_by_voucher(&bench, method, currency).await;
        let form = vec![("payment_intent", intent.as_str())];
        let refund = bench.post("/v1/refunds", &form).await.expect(200).json();
        assert_eq!(refund["status"], "requires_action", "{method}");
        assert_eq!(refund["destination_details"]["type"], destination);
        assert!(refund["destination_details"][destination].is_object());
        let email = "succeed_immediately@example.com";
        assert_eq!(refund["instructions_email"], email);
    }
    let intent = paid_by_voucher(&bench, "oxxo", "mxn").await;
    let form = vec![("payment_intent", intent.as_str())];
    let error = bench.post("/v1/refunds", &form).await.expect(400).error();
    let message = "Payments with oxxo cannot be refunded.";
    assert_eq!(error["message"], message);
}
