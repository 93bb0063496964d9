// What helps a test may fail like a test.
#![allow(clippy::arithmetic_side_effects)]

use serde_json::{Value, json};

use super::*;
use crate::{
    invoice::{Bill, InvoiceChange, InvoiceReport, InvoiceState},
    product::Interval,
    subscription::SubscriptionStatus,
};

const DAY: i64 = 24 * 3600;
/// 2025-09-24T05:33:20Z
const BEGAN: i64 = 1_758_692_000;
const PURCHASE: &str = "01997a3c-4f4d-7000-8000-000000000001";

fn usd(amount: i64) -> Money {
    Money::new(amount, "usd".parse().unwrap())
}

fn subscription(id: &str) -> Subscription {
    let buyer = Buyer {
        subject: Some("ada".to_owned()),
        email: Some("ada@buyers.example".to_owned()),
        language: None,
    };
    let id = id.to_owned().try_into().unwrap();
    Subscription::new(id, PURCHASE.parse().unwrap(), buyer)
}

fn reading(status: SubscriptionStatus, product: &str) -> Reading {
    let monthly = Recurring {
        interval: Interval::Month,
        interval_count: 1,
        trial_days: 0,
    };
    Reading {
        status,
        currency: "usd".parse().unwrap(),
        items: vec![Item {
            id: "si_1".to_owned(),
            product_id: Some(product.parse().unwrap()),
            name: "Coffee box".to_owned(),
            quantity: 2,
            unit_amount: Some(1900),
            recurring: monthly,
        }],
        period: Period {
            start: BEGAN + 30 * DAY,
            end: BEGAN + 60 * DAY,
        },
        started_at: BEGAN,
        cancel_at: None,
        ended_at: None,
        lost: false,
        trial_end: None,
        latest_invoice: None,
        pause: None,
    }
}

fn invoice(id: &str, state: InvoiceState, month: i64) -> Invoice {
    let paid = if state == InvoiceState::Paid { 3800 } else { 0 };
    let start = BEGAN + month * 30 * DAY;
    let bill = Bill {
        attempts: 1,
        paid: usd(paid),
        due: usd(3800),
        total: usd(3800),
        number: Some(format!("A1-{month}")),
        page: Some(format!("https://invoice.example/{id}")),
        period: Some(Period {
            start,
            end: start + 30 * DAY,
        }),
        reason: if month == 0 {
            Reason::First
        } else {
            Reason::Renewal
        },
        next_attempt: Some(start + 3 * DAY).filter(|_| paid == 0),
        created_at: start,
        lines: Vec::new(),
        paid_at: None,
        sums: None,
    };
    let report = InvoiceReport {
        state,
        bill,
        trouble: None,
        intent: None,
    };
    let of = (
        "sub_1".to_owned().try_into().unwrap(),
        PURCHASE.parse().unwrap(),
    );
    let buyer = subscription("sub_1").buyer().clone();
    let id = id.to_owned().try_into().unwrap();
    let mut invoice = Invoice::new(id, of, buyer, &report);
    invoice.record(InvoiceChange::Seen(report), false);
    invoice
}

fn found(id: &str, reading: Reading, invoices: Vec<Invoice>) -> WithInvoices {
    let mut subscription = subscription(id);
    subscription.read(reading, false, 1, BEGAN);
    WithInvoices {
        subscription,
        invoices,
    }
}

fn to_json(view: &impl Serialize) -> Value {
    serde_json::to_value(view).unwrap()
}

#[test]
fn a_buyer_sees_what_they_pay_for_until_when_and_what_comes_next() {
    let paid = [
        invoice("in_1", InvoiceState::Paid, 0),
        invoice("in_2", InvoiceState::Paid, 1),
        invoice("in_3", InvoiceState::Draft, 2),
    ];
    let found = found(
        "sub_1",
        reading(SubscriptionStatus::Active, "coffee"),
        paid.into(),
    );
    let view = to_json(&SubscriptionDetails::of(&found, BEGAN + 31 * DAY));
    for (member, expected) in [
        ("id", json!("sub_1")),
        ("purchase_id", json!(PURCHASE)),
        ("status", json!("active")),
        ("active", json!(true)),
        ("active_until", json!("2025-11-23T05:33:20Z")),
        ("total", json!({ "amount": 3800, "currency": "usd" })),
        ("started_at", json!("2025-09-24T05:33:20Z")),
        (
            "next",
            json!({
                "at": "2025-11-23T05:33:20Z",
                "amount": { "amount": 3800, "currency": "usd" },
            }),
        ),
        (
            "items",
            json!([{
                "product_id": "coffee",
                "name": "Coffee box",
                "quantity": 2,
                "unit_amount": 1900,
                "recurring": { "interval": "month", "interval_count": 1 },
            }]),
        ),
    ] {
        assert_eq!(view[member], expected, "{member}");
    }
    for absent in [
        "cancel_at",
        "ended_at",
        "trial_end",
        "pause",
        "to_pay",
        "buyer",
    ] {
        assert!(view.get(absent).is_none(), "{absent} in {view}");
    }
    let ids = view["invoices"].as_array().unwrap().iter();
    let ids: Vec<_> = ids.map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["in_2", "in_1"], "newest first, without drafts");
    assert_eq!(view["invoices"][1]["reason"], "first");
    assert_eq!(view["invoices"][0]["paid"]["amount"], 3800);
}

#[test]
fn a_payment_that_failed_says_where_to_pay_and_when_it_is_tried_again() {
    let invoices = vec![
        invoice("in_1", InvoiceState::Paid, 0),
        invoice("in_2", InvoiceState::Open, 1),
    ];
    let found = found(
        "sub_1",
        reading(SubscriptionStatus::PastDue, "coffee"),
        invoices,
    );
    let view = to_json(&SubscriptionView::of(&found, BEGAN + 31 * DAY));
    assert_eq!(
        view["to_pay"],
        json!({
            "invoice_id": "in_2",
            "amount": { "amount": 3800, "currency": "usd" },
            "url": "https://invoice.example/in_2",
            "next_attempt": "2025-10-27T05:33:20Z",
        })
    );
    assert_eq!(view["active"], false);
    assert_eq!(view["active_until"], "2025-10-24T05:33:20Z");
}

#[test]
fn one_that_was_never_read_says_only_whose_it_is() {
    let unread = WithInvoices {
        subscription: subscription("sub_1"),
        invoices: Vec::new(),
    };
    assert_eq!(
        to_json(&SubscriptionView::of(&unread, BEGAN)),
        json!({
            "id": "sub_1",
            "purchase_id": PURCHASE,
            "status": "unread",
            "items": [],
            "active": false,
        })
    );
}

#[test]
fn of_several_subscriptions_to_a_product_the_longest_entitles() {
    let mut ended = reading(SubscriptionStatus::Canceled, "coffee");
    ended.ended_at = Some(BEGAN + 40 * DAY);
    let all = [
        found("sub_1", ended, Vec::new()),
        found(
            "sub_2",
            reading(SubscriptionStatus::Active, "coffee"),
            Vec::new(),
        ),
        found(
            "sub_3",
            reading(SubscriptionStatus::Incomplete, "tea"),
            Vec::new(),
        ),
    ];
    let now = BEGAN + 41 * DAY;
    let views = EntitlementView::of_buyer(&all, now, 0);
    assert_eq!(
        to_json(&views),
        json!([{
            "product_id": "coffee",
            "quantity": 2,
            "subscription_id": "sub_2",
            "active": true,
            "active_until": "2025-11-23T05:33:20Z",
        }])
    );
}

#[test]
fn grace_counts_for_a_payment_that_is_late() {
    let invoices = vec![invoice("in_1", InvoiceState::Paid, 0)];
    let late = [found(
        "sub_1",
        reading(SubscriptionStatus::PastDue, "coffee"),
        invoices,
    )];
    let now = BEGAN + 31 * DAY;
    for (grace, active) in [(0, false), (3 * DAY, true)] {
        let views = to_json(&EntitlementView::of_buyer(&late, now, grace));
        assert_eq!(views[0]["active"], active, "{grace}");
    }
}

#[test]
fn a_seller_sees_drafts_too_and_how_often_each_invoice_was_charged() {
    let invoices = vec![
        invoice("in_1", InvoiceState::Paid, 0),
        invoice("in_2", InvoiceState::Open, 1),
        invoice("in_3", InvoiceState::Draft, 2),
    ];
    let found = found(
        "sub_1",
        reading(SubscriptionStatus::PastDue, "coffee"),
        invoices,
    );
    let view = to_json(&SellerSubscriptionDetails::of(&found, BEGAN + 31 * DAY));
    assert_eq!(view["buyer"]["email"], "ada@buyers.example");
    assert_eq!(view["to_pay"]["invoice_id"], "in_2");
    let ids = view["invoices"].as_array().unwrap().iter();
    let ids: Vec<_> = ids.map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["in_3", "in_2", "in_1"]);
    let open = &view["invoices"][1];
    for (member, expected) in [
        ("due", json!({ "amount": 3800, "currency": "usd" })),
        ("attempts", json!(1)),
        ("next_attempt", json!("2025-10-27T05:33:20Z")),
        ("payment_intents", json!([])),
        ("refunds", json!([])),
        ("disputes", json!([])),
    ] {
        assert_eq!(open[member], expected, "{member}");
    }
}
