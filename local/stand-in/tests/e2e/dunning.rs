//! Subscriptions that are not paid for at once: first payments that fail, and renewals that do.

use serde_json::{Value, json};

use crate::bench::id;
use crate::subscriptions::{Club, DAY, FEBRUARY, HOUR};
use crate::test_clocks::JANUARY;

impl Club {
    /// The intent that pays the latest invoice.
    async fn intent(&self, subscription: &Value) -> String {
        let path = format!(
            "/v1/invoice_payments?invoice={}",
            id(&self.invoice(subscription).await)
        );
        let payments = self.bench.get(&path).await.expect(200).json();
        let intent = payments["data"][0]["payment"]["payment_intent"].clone();
        intent.as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_renewal_that_fails_is_past_due_until_another_card_pays_it() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    club.pay_with("pm_card_chargeCustomerFail").await;
    let so_far = club.bench.event_types().await.len();
    club.wind(FEBRUARY + 2 * HOUR).await;
    assert_eq!(club.show(&subscription).await["status"], "past_due");
    let invoice = club.invoice(&subscription).await;
    assert_eq!(
        (&invoice["status"], &invoice["attempt_count"]),
        (&json!("open"), &json!(1))
    );
    assert_eq!(invoice["next_payment_attempt"], FEBRUARY + HOUR + DAY);
    let told = club.told_after(so_far).await;
    let after_finalized = told
        .iter()
        .position(|it| it == "invoice.finalized")
        .unwrap();
    assert_eq!(
        told[after_finalized..],
        [
            "invoice.finalized",
            "invoice.payment_failed",
            "invoice.updated",
            "customer.subscription.updated",
        ]
    );
    let updated = club.bench.latest("customer.subscription.updated").await;
    assert_eq!(
        updated["data"]["previous_attributes"],
        json!({ "status": "active" })
    );

    club.pay_with("pm_card_visa").await;
    let path = format!("/v1/invoices/{}/pay", id(&invoice));
    let paid = club.bench.post(&path, &vec![]).await.expect(200).json();
    assert_eq!(paid["status"], "paid");
    assert_eq!(club.show(&subscription).await["status"], "active");
}

#[tokio::test]
async fn a_subscription_nobody_pays_for_is_canceled_after_the_last_retry() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    club.pay_with("pm_card_chargeCustomerFail").await;
    club.wind(FEBRUARY + 20 * DAY).await;
    let shown = club.show(&subscription).await;
    assert_eq!(shown["status"], "canceled");
    assert_eq!(shown["ended_at"], FEBRUARY + HOUR + 14 * DAY);
    assert_eq!(shown["cancellation_details"]["reason"], "payment_failed");
    let invoice = club.invoice(&subscription).await;
    assert_eq!(invoice["attempt_count"], 9);
    assert_eq!(invoice["status"], "open");
}

#[tokio::test]
async fn whoever_has_nothing_to_pay_with_cannot_subscribe() {
    let club = Club::of_nobody().await;
    let error = club.ask(vec![]).await.expect(400).error();
    assert_eq!(error["code"], "resource_missing");
    let all = club
        .bench
        .get("/v1/subscriptions?status=all")
        .await
        .expect(200)
        .json();
    assert_eq!(all["data"], json!([]));
    assert!(
        !club
            .bench
            .event_types()
            .await
            .contains(&"invoice.created".to_owned())
    );
}

#[tokio::test]
async fn a_first_payment_that_fails_leaves_an_incomplete_subscription_for_a_day() {
    let club = Club::paying_with("pm_card_chargeCustomerFail").await;
    let subscription = club.subscribe(vec![]).await;
    assert_eq!(subscription["status"], "incomplete");
    assert_eq!(club.invoice(&subscription).await["status"], "open");
    club.wind(JANUARY + DAY).await;
    let shown = club.show(&subscription).await;
    assert_eq!(shown["status"], "incomplete_expired");
    assert_eq!(shown["ended_at"], JANUARY + 23 * HOUR);
    assert_eq!(club.invoice(&subscription).await["status"], "void");
}

#[tokio::test]
async fn an_incomplete_subscription_is_active_once_its_invoice_is_paid() {
    let club = Club::paying_with("pm_card_chargeCustomerFail").await;
    let subscription = club.subscribe(vec![]).await;
    club.pay_with("pm_card_visa").await;
    let path = format!(
        "/v1/invoices/{}/pay",
        id(&club.invoice(&subscription).await)
    );
    club.bench.post(&path, &vec![]).await.expect(200);
    assert_eq!(club.show(&subscription).await["status"], "active");
    let updated = club.bench.latest("customer.subscription.updated").await;
    assert_eq!(
        updated["data"]["previous_attributes"],
        json!({ "status": "incomplete" })
    );
}

#[tokio::test]
async fn a_first_payment_that_was_to_be_an_error_leaves_nothing() {
    let club = Club::paying_with("pm_card_chargeCustomerFail").await;
    let so_far = club.bench.event_types().await.len();
    let error = club
        .ask(vec![("payment_behavior", "error_if_incomplete")])
        .await;
    assert_eq!(error.expect(402).error()["code"], "card_declined");
    let path = format!("/v1/subscriptions?status=all&customer={}", club.customer);
    assert_eq!(
        club.bench.get(&path).await.expect(200).json()["data"],
        json!([])
    );
    assert_eq!(
        club.bench.event_types_after(so_far).await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn what_follows_the_last_retry_is_as_the_account_has_it() {
    for (setting, status) in [("mark_unpaid", "unpaid"), ("leave_past_due", "past_due")] {
        let club = Club::open().await;
        let form = vec![("after_retries", setting)];
        club.bench.control("billing", &form).await.expect(200);
        let subscription = club.subscribe(vec![]).await;
        club.pay_with("pm_card_chargeCustomerFail").await;
        club.wind(FEBRUARY + 20 * DAY).await;
        assert_eq!(club.show(&subscription).await["status"], status);
    }
}

#[tokio::test]
async fn a_buyer_who_is_asked_who_they_are_subscribes_once_they_have_shown_it() {
    let club = Club::paying_with("pm_card_threeDSecure2Required").await;
    let so_far = club.bench.event_types().await.len();
    let subscription = club.subscribe(vec![]).await;
    assert_eq!(subscription["status"], "incomplete");
    let told = club.told_after(so_far).await;
    assert!(
        told.contains(&"invoice.payment_action_required".to_owned()),
        "{told:?}"
    );
    let path = format!(
        "payment_intents/{}/authenticate",
        club.intent(&subscription).await
    );
    let form = vec![("outcome", "succeed")];
    club.bench.control(&path, &form).await.expect(200);
    assert_eq!(club.show(&subscription).await["status"], "active");
    assert_eq!(club.invoice(&subscription).await["status"], "paid");
}

#[tokio::test]
async fn what_is_left_to_the_buyer_is_paid_by_them() {
    let club = Club::of_nobody().await;
    let form = vec![
        ("payment_behavior", "default_incomplete"),
        (
            "payment_settings[save_default_payment_method]",
            "on_subscription",
        ),
    ];
    let subscription = club.subscribe(form).await;
    assert_eq!(subscription["status"], "incomplete");
    let invoice = club.invoice(&subscription).await;
    assert_eq!(
        (&invoice["status"], &invoice["attempted"]),
        (&json!("open"), &json!(false))
    );
    let path = format!(
        "/v1/payment_intents/{}/confirm",
        club.intent(&subscription).await
    );
    let form = vec![("payment_method", "pm_card_visa")];
    let intent = club.bench.post(&path, &form).await.expect(200).json();
    let shown = club.show(&subscription).await;
    assert_eq!(shown["status"], "active");
    assert_eq!(shown["default_payment_method"], intent["payment_method"]);
    club.wind(FEBRUARY + 2 * HOUR).await;
    assert_eq!(club.invoice(&subscription).await["status"], "paid");
}

#[tokio::test]
async fn a_final_decline_is_not_tried_again_with_the_same_card() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    club.pay_with("pm_card_radarBlock").await;
    club.wind(FEBRUARY + 5 * DAY).await;
    let invoice = club.invoice(&subscription).await;
    assert_eq!(invoice["status"], "open");
    assert!(invoice["attempt_count"].as_i64().unwrap() > 2, "{invoice}");
    let told = club.bench.event_types().await;
    assert_eq!(told.iter().filter(|it| *it == "charge.failed").count(), 1);
    club.pay_with("pm_card_visa").await;
    club.wind(FEBRUARY + 8 * DAY).await;
    assert_eq!(club.invoice(&subscription).await["status"], "paid");
    assert_eq!(club.show(&subscription).await["status"], "active");
}
