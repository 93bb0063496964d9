//! What a buyer and a seller see, to the byte.

use super::*;
use crate::purchase::{Billing, Change, DisputeReport, Line, Order, PaymentChange, Refund};

fn usd(amount: i64) -> Money {
    Money::new(amount, "usd".parse().unwrap())
}

fn line(id: &str, quantity: u32, reserved: bool) -> Line {
    Line {
        product_id: id.parse().unwrap(),
        name: format!("The {id}"),
        description: "Not shown".to_owned(),
        image: Some("https://shop.example/not-shown.jpg".to_owned()),
        quantity,
        unit_amount: 500,
        recurring: None,
        shipped: false,
        file: None,
        tax_code: None,
        tax_behavior: None,
        reserved,
    }
}

fn opened() -> Purchase {
    let id = "01997a3c-4f4d-7000-8000-000000000001".parse().unwrap();
    let order = Order {
        buyer: Buyer {
            subject: Some("ada".to_owned()),
            email: Some("ada@buyers.example".to_owned()),
            language: Some("en-US".to_owned()),
        },
        lines: vec![line("mug", 2, true), line("card", 1, false)],
        total: usd(1500),
        shipping: None,
        billing: Billing::default(),
        customer: None,
        rebuilt: false,
    };
    let mut purchase = Purchase::new(id, order, 1_758_700_000);
    purchase.attach("cs_1".to_owned().into(), "https://pay.example/cs_1");
    purchase
}

fn with_a_voucher() -> Purchase {
    let mut purchase = opened();
    let waits_for = WaitsFor::Buyer {
        voucher_url: Some("https://pay.example/voucher".to_owned()),
    };
    let state = SessionState::Pending { waits_for };
    purchase.record(Change::Session("cs_1".to_owned().into(), state));
    purchase
}

/// Paid twice, refunded in part, and disputed.
fn troubled() -> Purchase {
    let mut purchase = opened();
    for number in 1..=2 {
        let state = SessionState::Settled {
            amount: usd(1500),
            payment_intent: Some(format!("pi_{number}").into()),
            subscription: None,
            invoice: None,
            sums: None,
            delivery: None,
        };
        purchase.record(Change::Session(format!("cs_{number}").into(), state));
    }
    let refund = Refund {
        state: RefundState::Succeeded,
        amount: usd(500),
    };
    purchase.record(Change::Payment(PaymentChange::Refund(
        "re_1".to_owned().into(),
        refund,
    )));
    let movement = Movement {
        amount: usd(-400),
        fee: 1500,
    };
    let report = DisputeReport {
        status: DisputeStatus::NeedsResponse,
        terms: DisputeTerms {
            amount: usd(400),
            reason: "fraudulent".to_owned(),
            due_by: Some(1_760_000_000),
        },
        movements: [("txn_1".to_owned().into(), movement)].into(),
    };
    purchase.record(Change::Payment(PaymentChange::Dispute(
        "dp_1".to_owned().into(),
        report,
    )));
    purchase
}

/// The text without line breaks and indentation.
fn golden(text: &str) -> String {
    text.lines().map(str::trim).collect()
}

fn to_buyer(purchase: &Purchase) -> String {
    serde_json::to_string(&BuyerView::of(purchase, 1_758_700_100)).unwrap()
}

fn to_seller(purchase: &Purchase) -> String {
    serde_json::to_string(&SellerView::of(purchase)).unwrap()
}

#[test]
fn a_buyer_sees_where_to_pay_what_the_payment_waits_for_and_where_their_money_is() {
    assert_eq!(
        to_buyer(&opened()),
        golden(
            r#"
        {"id":"01997a3c-4f4d-7000-8000-000000000001","status":"open",
        "created_at":"2025-09-24T05:39:56.877Z","total":{"amount":1500,"currency":"usd"},
        "paid":{"amount":0,"currency":"usd"},"refunded":{"amount":0,"currency":"usd"},
        "disputed":{"amount":0,"currency":"usd"},"net":{"amount":0,"currency":"usd"},
        "lines":[{"product_id":"mug","name":"The mug","quantity":2,"unit_amount":500},
        {"product_id":"card","name":"The card","quantity":1,"unit_amount":500}],
        "payment":{"url":"https://pay.example/cs_1","expires_at":"2025-09-24T08:21:40Z"}}"#
        )
    );
    assert_eq!(
        to_buyer(&with_a_voucher()),
        golden(
            r#"
        {"id":"01997a3c-4f4d-7000-8000-000000000001","status":"pending",
        "waits_for":{"who":"buyer","voucher_url":"https://pay.example/voucher"},
        "created_at":"2025-09-24T05:39:56.877Z","total":{"amount":1500,"currency":"usd"},
        "paid":{"amount":0,"currency":"usd"},"refunded":{"amount":0,"currency":"usd"},
        "disputed":{"amount":0,"currency":"usd"},"net":{"amount":0,"currency":"usd"},
        "lines":[{"product_id":"mug","name":"The mug","quantity":2,"unit_amount":500},
        {"product_id":"card","name":"The card","quantity":1,"unit_amount":500}]}"#
        )
    );
    assert_eq!(
        to_buyer(&troubled()),
        golden(
            r#"
        {"id":"01997a3c-4f4d-7000-8000-000000000001","status":"disputed",
        "created_at":"2025-09-24T05:39:56.877Z","total":{"amount":1500,"currency":"usd"},
        "paid":{"amount":3000,"currency":"usd"},"refunded":{"amount":500,"currency":"usd"},
        "disputed":{"amount":400,"currency":"usd"},"net":{"amount":2100,"currency":"usd"},
        "lines":[{"product_id":"mug","name":"The mug","quantity":2,"unit_amount":500},
        {"product_id":"card","name":"The card","quantity":1,"unit_amount":500}],
        "refunds":[{"id":"re_1","status":"succeeded","amount":{"amount":500,"currency":"usd"}}],
        "disputes":[{"id":"dp_1","status":"needs_response",
        "amount":{"amount":400,"currency":"usd"}}],"attention":["paid_twice"]}"#
        )
    );
}

#[test]
fn a_seller_sees_who_bought_through_which_sessions_and_everything_about_disputes() {
    assert_eq!(
        to_seller(&opened()),
        golden(
            r#"
        {"id":"01997a3c-4f4d-7000-8000-000000000001","status":"open",
        "created_at":"2025-09-24T05:39:56Z","total":{"amount":1500,"currency":"usd"},
        "paid":{"amount":0,"currency":"usd"},"refunded":{"amount":0,"currency":"usd"},
        "disputed":{"amount":0,"currency":"usd"},"net":{"amount":0,"currency":"usd"},
        "buyer":{"subject":"ada","email":"ada@buyers.example","language":"en-US"},
        "lines":[{"product_id":"mug","name":"The mug","quantity":2,"unit_amount":500,
        "reserved":true},{"product_id":"card","name":"The card","quantity":1,
        "unit_amount":500,"reserved":false}],
        "sessions":[{"id":"cs_1","state":"open"}],"refunds":[],"disputes":[]}"#
        )
    );
    assert_eq!(
        to_seller(&with_a_voucher()),
        golden(
            r#"
        {"id":"01997a3c-4f4d-7000-8000-000000000001","status":"pending",
        "created_at":"2025-09-24T05:39:56Z","total":{"amount":1500,"currency":"usd"},
        "paid":{"amount":0,"currency":"usd"},"refunded":{"amount":0,"currency":"usd"},
        "disputed":{"amount":0,"currency":"usd"},"net":{"amount":0,"currency":"usd"},
        "buyer":{"subject":"ada","email":"ada@buyers.example","language":"en-US"},
        "lines":[{"product_id":"mug","name":"The mug","quantity":2,"unit_amount":500,
        "reserved":true},{"product_id":"card","name":"The card","quantity":1,
        "unit_amount":500,"reserved":false}],
        "sessions":[{"id":"cs_1","state":"pending",
        "waits_for":{"who":"buyer","voucher_url":"https://pay.example/voucher"}}],
        "refunds":[],"disputes":[]}"#
        )
    );
    assert_eq!(
        to_seller(&troubled()),
        golden(
            r#"
        {"id":"01997a3c-4f4d-7000-8000-000000000001","status":"disputed",
        "created_at":"2025-09-24T05:39:56Z","total":{"amount":1500,"currency":"usd"},
        "paid":{"amount":3000,"currency":"usd"},"refunded":{"amount":500,"currency":"usd"},
        "disputed":{"amount":400,"currency":"usd"},"net":{"amount":2100,"currency":"usd"},
        "attention":["paid_twice"],
        "buyer":{"subject":"ada","email":"ada@buyers.example","language":"en-US"},
        "lines":[{"product_id":"mug","name":"The mug","quantity":2,"unit_amount":500,
        "reserved":true},{"product_id":"card","name":"The card","quantity":1,
        "unit_amount":500,"reserved":false}],
        "sessions":[{"id":"cs_1","state":"settled","amount":{"amount":1500,"currency":"usd"},
        "payment_intent":"pi_1"},{"id":"cs_2","state":"settled",
        "amount":{"amount":1500,"currency":"usd"},"payment_intent":"pi_2"}],
        "refunds":[{"id":"re_1","status":"succeeded","amount":{"amount":500,"currency":"usd"}}],
        "disputes":[{"id":"dp_1","status":"needs_response",
        "amount":{"amount":400,"currency":"usd"},"reason":"fraudulent","due_by":1760000000,
        "balance":[{"amount":{"amount":-400,"currency":"usd"},"fee":1500}]}]}"#
        )
    );
}
