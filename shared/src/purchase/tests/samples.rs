//! Purchases, and what Stripe may say about them.

use proptest::prelude::*;
use time::OffsetDateTime;

use super::*;

pub(super) fn usd(amount: i64) -> Money {
    Money::new(amount, "usd".parse().unwrap())
}

pub(super) fn purchase() -> Purchase {
    let buyer = Buyer {
        subject: None,
        email: None,
        language: None,
    };
    Purchase::new(
        PurchaseId::new(OffsetDateTime::UNIX_EPOCH),
        Order {
            buyer,
            lines: vec![],
            total: usd(1500),
            shipping: None,
            billing: Billing::default(),
            customer: None,
            rebuilt: false,
        },
        0,
    )
}

pub(super) fn session(id: &str, state: SessionState) -> Change {
    Change::Session(SessionId::from(id.to_owned()), state)
}

pub(super) fn settled(amount: Money) -> SessionState {
    SessionState::Settled {
        amount,
        payment_intent: Some("pi_1".to_owned().into()),
        subscription: None,
        invoice: None,
        sums: None,
        delivery: None,
    }
}

pub(super) fn state() -> impl Strategy<Value = SessionState> {
    prop_oneof![
        Just(SessionState::Open),
        Just(SessionState::Expired),
        waits_for().prop_map(|waits_for| SessionState::Pending { waits_for }),
        Just(SessionState::Failed),
        (
            prop_oneof![Just(1500_i64), Just(900), Just(2000)],
            "usd|eur",
            any::<bool>(),
            prop::option::of(sums()),
            prop::option::of(delivery()),
        )
            .prop_map(|(amount, currency, has_intent, sums, delivery)| {
                SessionState::Settled {
                    amount: Money::new(amount, currency.parse().unwrap()),
                    payment_intent: has_intent.then(|| "pi_1".to_owned().into()),
                    subscription: None,
                    invoice: None,
                    sums,
                    delivery: delivery.map(Box::new),
                }
            }),
    ]
}

/// As an earlier build may have left them out, and a later one reads them.
pub(super) fn sums() -> impl Strategy<Value = Sums> {
    (0_i64..3, 0_i64..3).prop_map(|(shipping, tax)| Sums {
        subtotal: 1500,
        discount: 0,
        shipping: shipping.saturating_mul(490),
        tax,
    })
}

pub(super) fn delivery() -> impl Strategy<Value = Delivery> {
    ("Ada|Jo", prop::option::of("Berlin|Wien")).prop_map(|(name, city)| Delivery {
        name: Some(name),
        phone: None,
        address: Address {
            city,
            ..Address::default()
        },
    })
}

pub(super) fn waits_for() -> impl Strategy<Value = WaitsFor> {
    let url = prop::option::of("https://pay.example/[ab]");
    prop_oneof![
        Just(WaitsFor::Unknown),
        Just(WaitsFor::Bank),
        url.prop_map(|voucher_url| WaitsFor::Buyer { voucher_url }),
    ]
}

pub(super) fn refund_state() -> impl Strategy<Value = RefundState> {
    prop_oneof![
        Just(RefundState::Pending),
        Just(RefundState::RequiresAction),
        Just(RefundState::Succeeded),
        Just(RefundState::Canceled),
        Just(RefundState::Failed),
    ]
}

pub(super) fn dispute_report() -> impl Strategy<Value = DisputeReport> {
    let status = prop_oneof![
        Just(DisputeStatus::WarningNeedsResponse),
        Just(DisputeStatus::WarningUnderReview),
        Just(DisputeStatus::WarningClosed),
        Just(DisputeStatus::Prevented),
        Just(DisputeStatus::NeedsResponse),
        Just(DisputeStatus::UnderReview),
        Just(DisputeStatus::Won),
        Just(DisputeStatus::Lost),
    ];
    let taken = prop_oneof![Just(vec![]), Just(vec![-1500]), Just(vec![-1500, 1500])];
    let due = prop::option::of(Just(1_800_000_000_i64));
    (status, taken, due, prop_oneof![Just(1500_i64), Just(700)])
        .prop_map(|(status, taken, due, amount)| dispute(status, amount, due, &taken))
}

pub(super) fn dispute(
    status: DisputeStatus,
    amount: i64,
    due_by: Option<i64>,
    moved: &[i64],
) -> DisputeReport {
    DisputeReport {
        status,
        terms: DisputeTerms {
            amount: usd(amount),
            reason: "fraudulent".to_owned(),
            due_by,
        },
        movements: moved
            .iter()
            .map(|amount| {
                let movement = Movement {
                    amount: usd(*amount),
                    fee: 0,
                };
                (format!("txn_{amount}").into(), movement)
            })
            .collect(),
    }
}

pub(super) fn refund(id: &str, state: RefundState, amount: i64) -> Change {
    let refund = Refund {
        state,
        amount: usd(amount),
    };
    Change::Payment(PaymentChange::Refund(id.to_owned().into(), refund))
}

pub(super) fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        3 => ("cs_[12]", state()).prop_map(|(id, s)| session(&id, s)),
        2 => ("re_[12]", refund_state()).prop_map(|(id, s)| refund(&id, s, 500)),
        2 => ("dp_[12]", dispute_report())
            .prop_map(|(id, report)| Change::Payment(PaymentChange::Dispute(id.into(), report))),
        1 => Just(Change::Payment(PaymentChange::ChargeRefunded(usd(500)))),
        2 => fulfilled(),
        1 => ("in_[12]", prop::option::of("A-[12]")).prop_map(|(id, number)| {
            let document = Document {
                number,
                ..Document::default()
            };
            Change::Document(id.try_into().unwrap(), document)
        }),
    ];
    prop::collection::vec(change, 0..10)
}

/// A parcel, of which more may be said later.
pub(super) fn fulfilled() -> impl Strategy<Value = Change> {
    let parcel = (
        0_i64..3,
        prop::option::of("DHL|UPS"),
        prop::option::of("https://track.example/[ab]"),
    );
    let parcel = parcel.prop_map(|(at, carrier, tracking_url)| Parcel {
        at,
        carrier,
        tracking_url,
    });
    ("-|A1|B2", parcel)
        .prop_map(|(id, parcel)| Change::Fulfilled(ParcelId::try_from(id).unwrap(), parcel))
}

/// A purchase whose only line was taken from limited stock.
pub(super) fn limited_purchase() -> Purchase {
    let mut purchase = purchase();
    purchase.order.lines.push(Line {
        product_id: "mug".parse().unwrap(),
        name: "Mug".to_owned(),
        description: String::new(),
        image: None,
        quantity: 1,
        unit_amount: 1500,
        recurring: None,
        shipped: false,
        file: None,
        tax_code: None,
        tax_behavior: None,
        reserved: true,
    });
    purchase
}
