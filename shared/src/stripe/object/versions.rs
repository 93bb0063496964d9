//! The same invoice, subscription and session, as versions of Stripe's API show them.

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::{InvoiceObject, InvoiceStatement, Session, SubscriptionObject, WhoseInvoice};
use crate::{
    config::Environment,
    invoice::{InvoiceState, Period, Reason},
    purchase::{PaymentIntentId, SessionState},
};

const PURCHASE: &str = "01936f3c-8a10-7c3e-9a35-0c1de2a3f5b7";

fn tags() -> Value {
    json!({ "till_stack": "till", "purchase_id": PURCHASE, "buyer": "buyer-1" })
}

/// What no version has moved.
fn invoice(moved: Value) -> Value {
    let mut invoice = json!({
        "id": "in_1", "object": "invoice", "status": "paid", "currency": "usd", "subtotal": 1900, "total": 1900,
        "amount_due": 1900, "amount_paid": 1900, "attempt_count": 1,
        "billing_reason": "subscription_cycle", "created": 1000,
        "customer_email": "ana@example.com", "hosted_invoice_url": "https://invoice.example/1",
        "next_payment_attempt": null, "number": "A-0002",
        "period_start": 1, "period_end": 1000,
    });
    invoice
        .as_object_mut()
        .unwrap()
        .extend(moved.as_object().unwrap().clone());
    invoice
}

/// A line for a period, and one that adjusts another.
fn lines(own: &Value, adjusting: &Value) -> Value {
    let line = |amount: i64, start: i64, end: i64, moved: &Value| {
        let mut line = json!({
            "amount": amount, "description": "Coffee", "period": { "start": start, "end": end },
        });
        line.as_object_mut()
            .unwrap()
            .extend(moved.as_object().unwrap().clone());
        line
    };
    json!({ "data": [line(900, 1000, 2000, own), line(1000, 500, 9000, adjusting)] })
}

#[test]
fn of_an_invoice_that_is_not_the_shops_nothing_but_whose_it_is_has_to_be_readable() {
    let stack = Environment::of([("TILL_STACK", "till")]).stack().unwrap();
    let of = |object: Value| InvoiceStatement::of(object, None, &stack);
    let details = |metadata: Value| {
        json!({ "parent": { "subscription_details": {
            "subscription": "sub_1", "metadata": metadata,
        } } })
    };
    for foreign in [
        json!({}),
        json!({ "lines": 7, "parent": null }),
        details(json!({})),
        details(json!({ "till_stack": "other" })),
    ] {
        assert!(of(foreign).unwrap().is_none());
    }
    assert!(of(details(tags())).is_err());
}

/// `2020-08-27`, `2024-12-18.acacia` and `2026-09-30.endive`.
fn invoices() -> [(&'static str, Value); 3] {
    let item = |proration: bool| {
        json!({ "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": { "subscription": "sub_1", "proration": proration },
        } })
    };
    let old = |proration: bool| json!({ "type": "subscription", "proration": proration });
    [
        (
            "2020-08-27",
            invoice(json!({
                "paid": true, "subscription": "sub_1", "payment_intent": "pi_1", "charge": "ch_1",
                "total_tax_amounts": [{ "amount": 100, "inclusive": true }, { "amount": 40 }],
                "lines": lines(&old(false), &old(true)),
            })),
        ),
        (
            "2024-12-18.acacia",
            invoice(json!({
                "paid": true, "subscription": "sub_1", "payment_intent": { "id": "pi_1" },
                "charge": "ch_1", "subscription_details": { "metadata": tags() },
                "total_tax_amounts": [{ "amount": 140, "inclusive": true }],
                "lines": lines(&old(false), &old(true)),
            })),
        ),
        (
            "2026-09-30.endive",
            invoice(json!({
                "total_taxes": [{ "amount": 140, "tax_behavior": "inclusive" }],
                "parent": {
                    "type": "subscription_details", "quote_details": null,
                    "subscription_details": { "metadata": tags(), "subscription": "sub_1" },
                },
                "payments": { "data": [
                    {
                        "status": "canceled",
                        "payment": { "type": "payment_intent", "payment_intent": "pi_0" },
                    },
                    {
                        "status": "paid",
                        "payment": { "type": "payment_intent", "payment_intent": "pi_1" },
                    },
                ] },
                "lines": lines(&item(false), &item(true)),
            })),
        ),
    ]
}

#[test]
fn an_invoice_says_the_same_in_every_version() {
    let stack = Environment::of([("TILL_STACK", "till")]).stack().unwrap();
    for (version, object) in invoices() {
        let whose = WhoseInvoice::deserialize(&object).unwrap();
        let object: InvoiceObject = serde_json::from_value(object).unwrap();
        assert_eq!(object.id().unwrap().as_str(), "in_1", "{version}");
        let subscription = whose.subscription().map(|id| id.as_str());
        assert_eq!(subscription, Some("sub_1"), "{version}");
        // Before 2023 an invoice did not have its subscription's metadata.
        let tagged = whose.tags().map(|tags| tags.purchase(&stack).unwrap());
        let expected = (version != "2020-08-27").then(|| PURCHASE.parse().ok());
        assert_eq!(tagged, expected, "{version}");
        let report = object.report(None).unwrap();
        assert_eq!(report.state, InvoiceState::Paid, "{version}");
        assert_eq!(
            report.intent,
            Some(PaymentIntentId::from("pi_1".to_owned()))
        );
        assert_eq!(report.bill.reason, Reason::Renewal);
        let period = Period {
            start: 1000,
            end: 2000,
        };
        assert_eq!(report.bill.period, Some(period), "{version}");
        assert_eq!(report.bill.lines.len(), 2);
        let sums = report.bill.sums.map(|sums| (sums.subtotal, sums.tax));
        assert_eq!(sums, Some((1900, 140)), "{version}");
    }
}

#[test]
fn a_subscription_says_the_same_in_every_version() {
    let product = json!({ "id": "prod_1", "name": "Coffee", "metadata": { "product_id": "box" } });
    let price = json!({
        "unit_amount": 900, "product": product,
        "recurring": { "interval": "month", "interval_count": 1 },
    });
    let former = json!({ "id": "si_1", "quantity": 2, "price": price });
    let mut newer = former.clone();
    newer["current_period_start"] = 1000.into();
    newer["current_period_end"] = 2000.into();
    let subscription = |item: &Value, moved: Value| {
        let mut object = json!({
            "id": "sub_1", "status": "active", "currency": "usd", "start_date": 500,
            "cancel_at": null, "cancel_at_period_end": true, "ended_at": null, "trial_end": null,
            "latest_invoice": "in_1", "pause_collection": null, "metadata": tags(),
            "items": { "data": [item] },
        });
        object
            .as_object_mut()
            .unwrap()
            .extend(moved.as_object().unwrap().clone());
        object
    };
    let own = json!({ "current_period_start": 1000, "current_period_end": 2000 });
    let details = json!({ "cancellation_details": { "reason": "cancellation_requested" } });
    let mut readings = [
        subscription(&former, own.clone()),
        subscription(&newer, details),
        subscription(&newer, own),
    ]
    .map(|object| {
        let object: SubscriptionObject = serde_json::from_value(object).unwrap();
        object.reading().unwrap()
    })
    .into_iter();
    let first = readings.next().unwrap();
    assert_eq!(first.period.end, 2000);
    assert_eq!(first.cancel_at, Some(2000));
    assert_eq!(first.items[0].product_id, "box".parse().ok());
    assert!(readings.all(|reading| reading == first));
}

/// `2024-12-18.acacia` has the address at the session itself, `2025-03-31.basil` and later within
/// what was collected.
#[test]
fn a_session_says_the_same_of_where_it_is_delivered_to_in_every_version() {
    let details = json!({
        "name": "Ada Byron",
        "address": {
            "line1": "Weg 1", "line2": null, "city": "Berlin", "state": "", "postal_code": "10115",
            "country": "DE",
        },
    });
    let versions = [
        json!({ "shipping_details": details }),
        json!({
            "shipping_details": null,
            "collected_information": { "business_name": null, "shipping_details": details },
        }),
    ];
    let states = versions.map(|moved| {
        let mut session = json!({
            "id": "cs_1", "object": "checkout.session", "status": "complete", "metadata": tags(),
            "payment_status": "paid", "payment_intent": "pi_1", "currency": "usd",
            "amount_subtotal": 1500, "amount_total": 1990,
            "total_details": { "amount_discount": 0, "amount_shipping": 490, "amount_tax": 0 },
            "customer_details": { "email": "ada@example.com", "phone": "+49301" },
        });
        let session_object = session.as_object_mut().unwrap();
        session_object.extend(moved.as_object().unwrap().clone());
        let session: Session = serde_json::from_value(session).unwrap();
        session.state().unwrap()
    });
    let first = states[0].clone();
    let SessionState::Settled { sums, delivery, .. } = &first else {
        panic!("it is paid");
    };
    assert_eq!(sums.unwrap().shipping, 490);
    let delivery = delivery.as_ref().unwrap();
    assert_eq!(delivery.phone.as_deref(), Some("+49301"));
    let label = delivery.label().join("/");
    assert_eq!(label, "Ada Byron/Weg 1/10115 Berlin/DE");
    assert!(states.iter().all(|state| *state == first));

    // An address of a shape that nobody knows yet keeps no payment from being recorded.
    let odd = json!({
        "id": "cs_1", "status": "complete", "payment_status": "paid", "currency": "usd",
        "amount_total": 1990,
        "collected_information": { "shipping_details": { "name": 7, "address": ["Weg 1"] } },
    });
    let session: Session = serde_json::from_value(odd).unwrap();
    let SessionState::Settled { delivery, .. } = session.state().unwrap() else {
        panic!("it is paid");
    };
    assert!(delivery.unwrap().label().is_empty());
}
