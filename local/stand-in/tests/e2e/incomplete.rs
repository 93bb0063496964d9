//! Subscriptions whose first invoice nobody has paid, and those that are over.

use serde_json::{Value, json};

use crate::bench::{Form, id};
use crate::subscriptions::{Club, DAY, HOUR, price};
use crate::test_clocks::JANUARY;

/// A club whose member's card is declined, and what they would subscribe to.
async fn unpaid() -> (Club, Value) {
    let club = Club::paying_with("pm_card_chargeCustomerFail").await;
    let subscription = club.subscribe(vec![]).await;
    assert_eq!(subscription["status"], "incomplete");
    (club, subscription)
}

fn path(subscription: &Value) -> String {
    format!("/v1/subscriptions/{}", id(subscription))
}

#[tokio::test]
async fn what_is_not_paid_yet_takes_no_other_price() {
    let (club, subscription) = unpaid().await;
    let dearer = price(&club.bench, "5000", vec![]).await;
    let coupon = vec![("id", "HALF"), ("percent_off", "50")];
    club.bench.post("/v1/coupons", &coupon).await.expect(200);
    let item = id(&subscription["items"]["data"][0]);
    let soon = (JANUARY + 7 * DAY).to_string();
    let own = ("items[0][id]", item.as_str());
    let changes: Vec<Form<'_>> = vec![
        vec![own, ("items[0][price]", &*dearer)],
        vec![own, ("items[0][quantity]", "2")],
        vec![
            own,
            ("items[0][quantity]", "2"),
            ("proration_behavior", "none"),
        ],
        vec![("items[0][price]", &*dearer)],
        vec![
            own,
            ("items[0][deleted]", "true"),
            ("items[1][price]", &*dearer),
        ],
        vec![("add_invoice_items[0][price]", &*dearer)],
        vec![("discounts[0][coupon]", "HALF")],
        vec![("trial_end", &*soon)],
        vec![("billing_cycle_anchor", "now")],
        vec![("cancel_at", &*soon)],
    ];
    for change in &changes {
        let error = club.bench.post(&path(&subscription), change).await;
        let error = error.expect(400).error();
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("`incomplete`"), "{change:?}: {message}");
    }
    let items = "/v1/subscription_items";
    let one = format!("{items}/{item}");
    let of = subscription["id"].as_str().unwrap();
    let more = vec![("subscription", of), ("price", &*dearer)];
    club.bench.post(items, &more).await.expect(400);
    let form = vec![("price", &*dearer)];
    club.bench.post(&one, &form).await.expect(400);
    club.bench.delete(&one).await.expect(400);
    assert_eq!(club.show(&subscription).await, subscription);
}

#[tokio::test]
async fn whoever_pays_the_first_invoice_has_what_it_says() {
    let (club, subscription) = unpaid().await;
    club.pay_with("pm_card_visa").await;
    let methods = format!("/v1/customers/{}/payment_methods", club.customer);
    let methods = club.bench.get(&methods).await.expect(200).json();
    let visa = id(&methods["data"][0]);
    let form = vec![
        ("metadata[seat]", "12"),
        ("description", "Front row"),
        ("default_payment_method", &*visa),
        ("cancel_at_period_end", "true"),
    ];
    let changed = club.update(&subscription, form).await;
    assert_eq!(
        (&changed["status"], &changed["default_payment_method"]),
        (&json!("incomplete"), &json!(visa))
    );
    let invoice = club.invoice(&subscription).await;
    let pay = format!("/v1/invoices/{}/pay", id(&invoice));
    let paid = club.bench.post(&pay, &vec![]).await.expect(200).json();
    assert_eq!(paid["amount_paid"], 1_000);
    let shown = club.show(&subscription).await;
    assert_eq!(shown["status"], "active");
    assert_eq!(shown["items"]["data"][0]["price"]["id"], club.price);
    assert_eq!(shown["metadata"], json!({ "seat": "12" }));
}

#[tokio::test]
async fn what_never_began_cannot_be_paid_once_it_is_ended_by_whatever_door() {
    for door in ["subscription", "final invoice", "customer", "clock", "time"] {
        let (club, subscription) = unpaid().await;
        let invoice = club.invoice(&subscription).await;
        let so_far = club.bench.event_types().await.len();
        match door {
            "subscription" => {
                let gone = club.bench.delete(&path(&subscription)).await;
                assert_eq!(gone.expect(200).json()["status"], "incomplete_expired");
                club.bench.delete(&path(&subscription)).await.expect(404);
            }
            "final invoice" => {
                let path = format!("{}?invoice_now=true&prorate=true", path(&subscription));
                club.bench.delete(&path).await.expect(200);
            }
            "customer" => {
                let path = format!("/v1/customers/{}", club.customer);
                club.bench.delete(&path).await.expect(200);
            }
            "clock" => {
                let path = format!("/v1/test_helpers/test_clocks/{}", club.clock);
                club.bench.delete(&path).await.expect(200);
            }
            _ => {
                let soon = (JANUARY + HOUR).to_string();
                let form = vec![("cancel_at", &*soon), ("proration_behavior", "none")];
                club.update(&subscription, form).await;
                club.wind(JANUARY + 2 * HOUR).await;
            }
        }
        let shown = club.show(&subscription).await;
        assert_eq!(shown["status"], "incomplete_expired", "{door}");
        assert!(shown["canceled_at"].is_i64(), "{door}: {shown}");
        assert_eq!(shown["latest_invoice"], invoice["id"], "{door}");
        assert_eq!(
            club.invoice(&subscription).await["status"],
            "void",
            "{door}"
        );
        let pay = format!("/v1/invoices/{}/pay", id(&invoice));
        club.bench.post(&pay, &vec![]).await.expect(400);
        let intents = club.bench.get("/v1/payment_intents").await.json();
        assert_eq!(intents["data"][0]["status"], "canceled", "{door}");
        let told = club.told_after(so_far).await;
        let tells = |of: &str| told.iter().any(|it| it == of);
        assert!(tells("customer.subscription.updated"), "{door}: {told:?}");
        assert!(!tells("customer.subscription.deleted"), "{door}: {told:?}");
        assert!(tells("invoice.voided"), "{door}: {told:?}");
    }
}

#[tokio::test]
async fn what_is_over_takes_nothing_but_words_about_it() {
    let active = Club::open().await;
    let subscription = active.subscribe(vec![]).await;
    let (unpaid, expired) = unpaid().await;
    for (club, subscription) in [(active, subscription), (unpaid, expired)] {
        let path = path(&subscription);
        club.bench.delete(&path).await.expect(200);
        let item = id(&subscription["items"]["data"][0]);
        let other = price(&club.bench, "5000", vec![]).await;
        let changes: Vec<Form<'_>> = vec![
            vec![("items[0][id]", &*item), ("items[0][price]", &*other)],
            vec![("collection_method", "charge_automatically")],
            vec![("cancel_at_period_end", "false")],
            vec![("description", "Gone"), ("metadata[why]", "moved")],
        ];
        for change in &changes {
            let error = club.bench.post(&path, change).await.expect(400).error();
            assert_eq!(
                error["code"], "invalid_canceled_subscription_fields",
                "{change:?}"
            );
        }
        let words = vec![
            ("metadata[why]", "moved"),
            ("cancellation_details[comment]", "Far away"),
        ];
        let told = club.bench.post(&path, &words).await.expect(200).json();
        assert_eq!(told["metadata"]["why"], "moved");
        assert_eq!(told["cancellation_details"]["comment"], "Far away");
    }
}
