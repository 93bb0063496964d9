//! Subscriptions that are paused, and how they go on.

use serde_json::{Value, json};

use crate::bench::{Answer, Form, id};
use crate::subscriptions::{Club, DAY, FEBRUARY, HOUR};
use crate::test_clocks::JANUARY;

const WEEK: i64 = 7 * DAY;

impl Club {
    async fn ask_for(&self, verb: &str, subscription: &Value, form: Form<'_>) -> Answer {
        let path = format!("/v1/subscriptions/{}/{verb}", id(subscription));
        self.bench.post(&path, &form).await
    }

    async fn pause(&self, subscription: &Value) -> Value {
        let paused = self.ask_for("pause", subscription, vec![]).await;
        paused.expect(200).json()
    }

    async fn resume(&self, subscription: &Value, form: Form<'_>) -> Value {
        let resumed = self.ask_for("resume", subscription, form).await;
        resumed.expect(200).json()
    }

    /// The latest invoice is paid by hand.
    async fn pay(&self, subscription: &Value) -> Answer {
        let path = format!("/v1/invoices/{}/pay", id(&self.invoice(subscription).await));
        self.bench.post(&path, &vec![]).await
    }
}

/// A subscription that was paused after a week, a week ago.
async fn paused() -> (Club, Value) {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    club.wind(JANUARY + WEEK).await;
    let paused = club.pause(&subscription).await;
    assert_eq!(paused["status"], "paused");
    club.wind(JANUARY + 2 * WEEK).await;
    (club, paused)
}

fn period(subscription: &Value) -> (&Value, &Value) {
    let item = &subscription["items"]["data"][0];
    (&item["current_period_start"], &item["current_period_end"])
}

#[tokio::test]
async fn a_paused_subscription_bills_nothing_until_it_is_resumed_and_paid() {
    let (club, subscription) = paused().await;
    assert_eq!(
        period(&subscription),
        (&json!(JANUARY), &json!(JANUARY + WEEK))
    );
    let told = club.bench.latest("customer.subscription.paused").await;
    assert_eq!(told["data"]["object"]["id"], subscription["id"]);
    let why = &subscription["status_details"]["paused"];
    assert_eq!(why["subscription"]["type"], "pause_requested");
    assert_eq!(why["transitioned_at"], JANUARY + WEEK);
    club.wind(FEBRUARY + 2 * HOUR).await;
    assert_eq!(
        club.invoice(&subscription).await["billing_reason"],
        "subscription_create"
    );
    let resumed = club.resume(&subscription, vec![]).await;
    assert_eq!(resumed["status"], "paused");
    assert_eq!(resumed["billing_cycle_anchor"], FEBRUARY + 2 * HOUR);
    let invoice = club.invoice(&subscription).await;
    assert_eq!(
        (&invoice["status"], &invoice["amount_due"]),
        (&json!("open"), &json!(1_000))
    );
    club.pay(&subscription).await.expect(200);
    let shown = club.show(&subscription).await;
    assert_eq!(
        (&shown["status"], &shown["status_details"]),
        (&json!("active"), &Value::Null)
    );
    let told = club.bench.latest("customer.subscription.resumed").await;
    assert_eq!(told["data"]["object"]["id"], subscription["id"]);
}

#[tokio::test]
async fn a_resumption_that_is_to_be_paid_first_is_tried_at_once_and_again() {
    let form = vec![("payment_behavior", "resume_on_payment_success")];
    let (club, subscription) = paused().await;
    let resumed = club.resume(&subscription, form.clone()).await;
    assert_eq!(resumed["status"], "active");
    assert_eq!(club.invoice(&subscription).await["status"], "paid");

    let (club, subscription) = paused().await;
    club.pay_with("pm_card_chargeCustomerFail").await;
    let resumed = club.resume(&subscription, form.clone()).await;
    assert_eq!(resumed["status"], "paused");
    assert_eq!(club.invoice(&subscription).await["attempt_count"], 1);
    club.pay_with("pm_card_visa").await;
    club.wind(JANUARY + 2 * WEEK + 2 * DAY).await;
    assert_eq!(club.show(&subscription).await["status"], "active");

    let club = Club::of_nobody().await;
    let pausing = "trial_settings[end_behavior][missing_payment_method]";
    let trial = vec![("trial_period_days", "5"), (pausing, "pause")];
    let subscription = club.subscribe(trial).await;
    club.wind(JANUARY + 5 * DAY + HOUR).await;
    let before = club.show(&subscription).await;
    assert_eq!(before["status"], "paused");
    let why = &before["status_details"]["paused"]["subscription"];
    assert_eq!(why["type"], "trial_end_without_payment_method");
    club.ask_for("resume", &subscription, form)
        .await
        .expect(400);
    assert_eq!(club.show(&subscription).await, before);
}

#[tokio::test]
async fn a_resumption_that_is_tried_by_hand_and_declined_is_past_due() {
    let (club, subscription) = paused().await;
    club.resume(&subscription, vec![]).await;
    club.pay_with("pm_card_chargeCustomerFail").await;
    club.pay(&subscription).await.expect(402);
    assert_eq!(club.show(&subscription).await["status"], "past_due");
    club.pay_with("pm_card_visa").await;
    club.pay(&subscription).await.expect(200);
    assert_eq!(club.show(&subscription).await["status"], "active");
}

#[tokio::test]
async fn a_resumption_is_void_once_nobody_can_pay_it_any_more() {
    let (club, subscription) = paused().await;
    club.resume(&subscription, vec![]).await;
    let first = club.invoice(&subscription).await;
    club.resume(&subscription, vec![]).await;
    let path = format!("/v1/invoices/{}", id(&first));
    let first = club.bench.get(&path).await.expect(200).json();
    assert_eq!(first["status"], "void");
    club.wind(JANUARY + 2 * WEEK + DAY).await;
    assert_eq!(club.invoice(&subscription).await["status"], "void");
    assert_eq!(club.show(&subscription).await["status"], "paused");
}

#[tokio::test]
async fn who_comes_back_into_their_old_cycle_pays_for_what_is_left_of_it() {
    let late = (JANUARY + 3 * WEEK).to_string();
    for (more, pending, paid) in [
        (vec![("proration_behavior", "none")], 0, 1_000),
        (vec![], 500, 1_000),
        (vec![("proration_date", &*late)], 250, 1_000),
        (
            vec![
                ("proration_behavior", "always_invoice"),
                ("payment_behavior", "resume_on_payment_success"),
            ],
            0,
            500,
        ),
    ] {
        let (club, subscription) = paused().await;
        let form = [vec![("billing_cycle_anchor[type]", "unchanged")], more].concat();
        let resumed = club.resume(&subscription, form.clone()).await;
        assert_eq!(resumed["status"], "active", "{form:?}");
        assert_eq!(resumed["billing_cycle_anchor"], JANUARY, "{form:?}");
        let kept = period(&resumed);
        assert_eq!(kept, (&json!(JANUARY), &json!(FEBRUARY)), "{form:?}");
        let latest = club.invoice(&subscription).await;
        assert_eq!(latest["amount_paid"], paid, "{form:?}");
        let path = format!("/v1/invoiceitems?pending=true&customer={}", club.customer);
        let waiting = club.bench.get(&path).await.expect(200).json();
        let waiting = waiting["data"].as_array().unwrap().iter();
        let waiting: i64 = waiting.map(|it| it["amount"].as_i64().unwrap()).sum();
        assert_eq!(waiting, pending, "{form:?}");
    }
    let (club, subscription) = paused().await;
    let past = (JANUARY - DAY).to_string();
    let form = vec![
        ("billing_cycle_anchor", "unchanged"),
        ("proration_date", &*past),
    ];
    let error = club.ask_for("resume", &subscription, form).await;
    assert_eq!(error.expect(400).error()["param"], "proration_date");
}

#[tokio::test]
async fn an_invoice_from_before_the_pause_does_not_end_it() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    club.wind(FEBRUARY + HOUR / 2).await;
    club.pause(&subscription).await;
    club.wind(FEBRUARY + 2 * HOUR).await;
    assert_eq!(club.invoice(&subscription).await["status"], "paid");
    assert_eq!(club.show(&subscription).await["status"], "paused");
}

#[tokio::test]
async fn only_what_is_running_and_collected_can_be_paused() {
    for form in [
        vec![("trial_period_days", "5")],
        vec![
            ("collection_method", "send_invoice"),
            ("days_until_due", "7"),
        ],
    ] {
        let club = Club::open().await;
        let subscription = club.subscribe(form).await;
        let refused = club.ask_for("pause", &subscription, vec![]).await;
        refused.expect(400);
    }
    let (club, subscription) = paused().await;
    let again = club.ask_for("pause", &subscription, vec![]).await;
    again.expect(400);
    let form = vec![("bill_for[unused_time_from][type]", "now")];
    let error = club.ask_for("pause", &subscription, form).await;
    assert_eq!(error.expect(400).error()["code"], "parameter_unsupported");
}
