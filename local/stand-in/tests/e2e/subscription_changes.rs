//! What a shop changes of subscriptions, and what that costs.

use serde_json::{Value, json};

use crate::bench::id;
use crate::subscriptions::{Club, DAY, FEBRUARY, HOUR, price};
use crate::test_clocks::JANUARY;

fn item(subscription: &Value) -> String {
    id(&subscription["items"]["data"][0])
}

#[tokio::test]
async fn another_interval_begins_another_cycle_and_is_paid_at_once() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let yearly = price(&club.bench, "10000", vec![("recurring[interval]", "year")]).await;
    let now = JANUARY + 14 * DAY;
    club.wind(now).await;
    let item = item(&subscription);
    let form = vec![("items[0][id]", &*item), ("items[0][price]", &*yearly)];
    let changed = club.update(&subscription, form).await;
    assert_eq!(changed["billing_cycle_anchor"], now);
    let period = &changed["items"]["data"][0];
    assert_eq!(period["current_period_start"], now);
    assert_eq!(period["current_period_end"], now + 365 * DAY);
    let invoice = club.invoice(&subscription).await;
    assert_eq!(invoice["billing_reason"], "subscription_update");
    assert_eq!(
        (&invoice["status"], &invoice["amount_paid"]),
        (&json!("paid"), &json!(9_500))
    );
}

#[tokio::test]
async fn a_change_that_cannot_be_paid_is_past_due_or_not_made() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    club.pay_with("pm_card_chargeCustomerFail").await;
    club.wind(JANUARY + 14 * DAY).await;
    let item = item(&subscription);
    let form = |behavior| {
        vec![
            ("items[0][id]", item.as_str()),
            ("items[0][quantity]", "5"),
            ("proration_behavior", "always_invoice"),
            ("payment_behavior", behavior),
        ]
    };
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let error = club
        .bench
        .post(&path, &form("error_if_incomplete"))
        .await
        .expect(402)
        .error();
    assert_eq!(error["code"], "card_declined");
    assert_eq!(
        club.show(&subscription).await["items"]["data"][0]["quantity"],
        1
    );
    let error = club
        .bench
        .post(&path, &form("pending_if_incomplete"))
        .await
        .expect(400)
        .error();
    assert_eq!(error["param"], "payment_behavior");
    let changed = club.update(&subscription, form("allow_incomplete")).await;
    assert_eq!(changed["status"], "past_due");
    assert_eq!(changed["items"]["data"][0]["quantity"], 5);
}

#[tokio::test]
async fn a_trial_that_is_ended_now_is_paid_for_now() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![("trial_period_days", "14")]).await;
    club.wind(JANUARY + DAY).await;
    let changed = club.update(&subscription, vec![("trial_end", "now")]).await;
    assert_eq!(
        (&changed["status"], &changed["trial_end"]),
        (&json!("active"), &json!(JANUARY + DAY))
    );
    assert_eq!(club.invoice(&subscription).await["amount_paid"], 1_000);
    let told = club
        .bench
        .latest("customer.subscription.trial_will_end")
        .await;
    assert_eq!(told["created"], JANUARY + DAY);
    assert_eq!(told["data"]["object"]["status"], "active");
}

#[tokio::test]
async fn an_end_that_is_taken_back_does_not_come() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    club.update(&subscription, vec![("cancel_at_period_end", "true")])
        .await;
    let changed = club
        .update(&subscription, vec![("cancel_at_period_end", "false")])
        .await;
    assert_eq!(
        (&changed["cancel_at"], &changed["canceled_at"]),
        (&Value::Null, &Value::Null)
    );
    club.wind(FEBRUARY + 2 * HOUR).await;
    assert_eq!(club.show(&subscription).await["status"], "active");
}

#[tokio::test]
async fn what_is_not_collected_becomes_what_its_shop_has_said() {
    for (behavior, status) in [
        ("void", "void"),
        ("mark_uncollectible", "uncollectible"),
        ("keep_as_draft", "draft"),
    ] {
        let club = Club::open().await;
        let subscription = club.subscribe(vec![]).await;
        let form = vec![("pause_collection[behavior]", behavior)];
        let changed = club.update(&subscription, form).await;
        assert_eq!(changed["status"], "active");
        club.wind(FEBRUARY + 2 * HOUR).await;
        assert_eq!(
            club.invoice(&subscription).await["status"],
            status,
            "{behavior}"
        );
        let told = club.bench.event_types().await;
        assert!(!told.iter().any(|it| it == "invoice.upcoming"), "{told:?}");
        let changed = club
            .update(&subscription, vec![("pause_collection", "")])
            .await;
        assert_eq!(changed["pause_collection"], Value::Null);
    }
}

#[tokio::test]
async fn what_the_stand_in_does_not_bill_is_refused_by_name() {
    let club = Club::open().await;
    let past = (JANUARY - DAY).to_string();
    for (param, value) in [
        ("backdate_start_date", past.as_str()),
        ("payment_behavior", "pending_if_incomplete"),
        ("pending_invoice_item_interval[interval]", "week"),
        ("billing_thresholds[amount_gte]", "5000"),
        ("trial_settings[end_behavior][billing_cycle_anchor]", "now"),
    ] {
        let error = club.ask(vec![(param, value)]).await.expect(400).error();
        assert_eq!(error["code"], "parameter_unsupported", "{param}");
        let named = error["param"].as_str().unwrap();
        assert!(param.starts_with(named), "{param}: {named}");
    }
}

#[tokio::test]
async fn items_come_and_go() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let other = price(&club.bench, "500", vec![]).await;
    let form = vec![
        ("subscription", subscription["id"].as_str().unwrap()),
        ("price", &*other),
    ];
    let added = club
        .bench
        .post("/v1/subscription_items", &form)
        .await
        .expect(200)
        .json();
    assert_eq!(added["price"]["id"], other);
    let path = format!("/v1/subscription_items?subscription={}", id(&subscription));
    let all = club.bench.get(&path).await.expect(200).json();
    assert_eq!(all["data"].as_array().unwrap().len(), 2);
    let path = format!("/v1/subscription_items/{}", id(&added));
    let changed = club
        .bench
        .post(&path, &vec![("quantity", "3")])
        .await
        .expect(200)
        .json();
    assert_eq!(changed["quantity"], 3);
    let gone = club.bench.delete(&path).await.expect(200).json();
    assert_eq!(gone["deleted"], true);
    club.bench.get(&path).await.expect(404);
    let path = format!("/v1/subscription_items/{}", item(&subscription));
    let error = club.bench.delete(&path).await.expect(400).error();
    assert_eq!(error["param"], "items");
}

#[tokio::test]
async fn a_coupon_that_repeats_ends_with_its_months() {
    let club = Club::open().await;
    let form = vec![
        ("id", "TWO"),
        ("percent_off", "25"),
        ("duration", "repeating"),
        ("duration_in_months", "2"),
    ];
    club.bench.post("/v1/coupons", &form).await.expect(200);
    let subscription = club.subscribe(vec![("discounts[0][coupon]", "TWO")]).await;
    let mut paid = vec![club.invoice(&subscription).await["amount_paid"].clone()];
    for end in [28, 59, 89] {
        club.wind(JANUARY + end * DAY + 2 * HOUR).await;
        paid.push(club.invoice(&subscription).await["amount_paid"].clone());
    }
    assert_eq!(json!(paid), json!([750, 750, 1_000, 1_000]));
}

#[tokio::test]
async fn a_first_period_up_to_the_anchor_costs_its_part() {
    let club = Club::open().await;
    let anchor = (JANUARY + 7 * DAY).to_string();
    let subscription = club
        .subscribe(vec![("billing_cycle_anchor", &*anchor)])
        .await;
    let invoice = club.invoice(&subscription).await;
    // Seven days of the 31 from 7 January to 7 February.
    assert_eq!(invoice["amount_paid"], 225);
    let free = vec![
        ("billing_cycle_anchor", &*anchor),
        ("proration_behavior", "none"),
    ];
    let subscription = club.subscribe(free).await;
    assert_eq!(club.invoice(&subscription).await["total"], 0);
    let late = (JANUARY + 40 * DAY).to_string();
    let error = club
        .ask(vec![("billing_cycle_anchor", &*late)])
        .await
        .expect(400)
        .error();
    assert_eq!(error["param"], "billing_cycle_anchor");
}

#[tokio::test]
async fn a_short_first_period_gives_back_no_more_than_its_part() {
    let club = Club::open().await;
    let anchor = (JANUARY + 7 * DAY).to_string();
    let form = vec![("billing_cycle_anchor", &*anchor)];
    let subscription = club.subscribe(form).await;
    club.wind(JANUARY + 3 * DAY).await;
    let item = item(&subscription);
    let form = vec![
        ("items[0][id]", &*item),
        ("items[0][quantity]", "2"),
        ("proration_behavior", "always_invoice"),
    ];
    club.update(&subscription, form).await;
    let invoice = club.invoice(&subscription).await;
    let lines = invoice["lines"]["data"].as_array().unwrap();
    let mut amounts: Vec<_> = lines.iter().map(|it| it["amount"].as_i64()).collect();
    amounts.sort_unstable();
    // Four days of the 31 from 7 January to 7 February, of one and of two.
    assert_eq!(amounts, [Some(-129), Some(258)]);
}

#[tokio::test]
async fn an_invoice_that_is_sent_is_past_due_only_once_its_time_is_over() {
    let club = Club::of_nobody().await;
    let form = vec![
        ("collection_method", "send_invoice"),
        ("days_until_due", "7"),
    ];
    let subscription = club.subscribe(form).await;
    assert_eq!(subscription["status"], "active");
    assert_eq!(club.invoice(&subscription).await["status"], "draft");
    club.wind(JANUARY + 2 * HOUR).await;
    let invoice = club.invoice(&subscription).await;
    assert_eq!(
        (&invoice["status"], &invoice["due_date"]),
        (&json!("open"), &json!(JANUARY + HOUR + 7 * DAY))
    );
    assert_eq!(club.show(&subscription).await["status"], "active");
    club.wind(JANUARY + 8 * DAY).await;
    assert_eq!(club.show(&subscription).await["status"], "past_due");
}

#[tokio::test]
async fn a_plan_is_a_price() {
    let club = Club::open().await;
    let form = vec![
        ("id", "gold"),
        ("currency", "usd"),
        ("amount", "700"),
        ("interval", "week"),
        ("product[name]", "Gold"),
    ];
    let plan = club.bench.post("/v1/plans", &form).await.expect(200).json();
    assert_eq!(
        (&plan["amount"], &plan["interval"]),
        (&json!(700), &json!("week"))
    );
    let price = club.bench.get("/v1/prices/gold").await.expect(200).json();
    assert_eq!(price["recurring"]["interval"], "week");
    let form = vec![("customer", &*club.customer), ("items[0][plan]", "gold")];
    let subscription = club
        .bench
        .post("/v1/subscriptions", &form)
        .await
        .expect(200)
        .json();
    assert_eq!(subscription["items"]["data"][0]["plan"]["id"], "gold");
    assert_eq!(club.invoice(&subscription).await["amount_paid"], 700);
    club.bench.delete("/v1/plans/gold").await.expect(200);
    club.bench.get("/v1/plans/gold").await.expect(404);
}

#[tokio::test]
async fn a_customer_who_is_deleted_is_subscribed_to_nothing() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    club.bench
        .delete(&format!("/v1/customers/{}", club.customer))
        .await
        .expect(200);
    assert_eq!(club.show(&subscription).await["status"], "canceled");
    let told = club.bench.event_types().await;
    let place = |of: &str| told.iter().position(|it| it == of);
    assert!(place("customer.subscription.deleted") < place("customer.deleted"));
}

#[tokio::test]
async fn collection_that_resumes_with_a_period_collects_it() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let at = FEBRUARY.to_string();
    let form = vec![
        ("pause_collection[behavior]", "void"),
        ("pause_collection[resumes_at]", &*at),
    ];
    club.update(&subscription, form).await;
    club.wind(FEBRUARY + 2 * HOUR).await;
    assert_eq!(
        club.show(&subscription).await["pause_collection"],
        Value::Null
    );
    assert_eq!(club.invoice(&subscription).await["status"], "paid");
}

#[tokio::test]
async fn a_trial_that_is_moved_is_told_of_three_days_before_its_end() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![("trial_period_days", "14")]).await;
    let end = (JANUARY + 20 * DAY).to_string();
    let form = vec![("trial_end", &*end), ("proration_behavior", "none")];
    let changed = club.update(&subscription, form).await;
    assert_eq!(changed["trial_end"], JANUARY + 20 * DAY);
    club.wind(JANUARY + 18 * DAY).await;
    let told = club
        .bench
        .latest("customer.subscription.trial_will_end")
        .await;
    assert_eq!(told["created"], JANUARY + 17 * DAY);
    assert_eq!(club.show(&subscription).await["status"], "trialing");
}
