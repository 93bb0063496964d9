//! The status of purchases, what a person should look at, and when Stripe is asked.

use proptest::prelude::*;

use super::*;
use crate::shipping::{Offer, OfferedRate};

#[test]
fn refunds_take_the_status_back_and_a_failed_one_gives_it_back() {
    let mut purchase = purchase();
    purchase.record(session("cs_1", settled(usd(1500))));
    let steps = [
        (refund("re_1", RefundState::Pending, 500), Status::Paid, 0),
        (
            refund("re_1", RefundState::Succeeded, 500),
            Status::PartiallyRefunded,
            500,
        ),
        (
            refund("re_2", RefundState::Succeeded, 1000),
            Status::Refunded,
            1500,
        ),
        (
            refund("re_2", RefundState::Failed, 1000),
            Status::PartiallyRefunded,
            500,
        ),
        (refund("re_1", RefundState::Canceled, 500), Status::Paid, 0),
    ];
    for (change, status, refunded) in steps {
        assert!(purchase.record(change).is_some());
        assert_eq!(purchase.status(), status);
        let accounts = purchase.accounts();
        assert_eq!(accounts.refunded, usd(refunded));
        assert_eq!(accounts.net, usd(1500 - refunded));
    }
}

#[test]
fn every_doubt_counts() {
    let mut purchase = purchase();
    assert!(
        purchase
            .record(Change::Payment(PaymentChange::ChargeRefunded(usd(500))))
            .is_some()
    );
    assert!(
        purchase
            .record(Change::Payment(PaymentChange::ChargeRefunded(usd(900))))
            .is_some()
    );
    assert_eq!(purchase.payment.doubts(), 2);
}

#[test]
fn a_refund_that_comes_before_its_payment_waits_for_it() {
    let mut purchase = purchase();
    purchase.record(refund("re_1", RefundState::Succeeded, 1500));
    assert_eq!(purchase.status(), Status::Open);
    purchase.record(session("cs_1", settled(usd(1500))));
    assert_eq!(purchase.status(), Status::Refunded);
    assert!(purchase.mails.contains(&Mail::Paid));
}

#[test]
fn a_dispute_holds_the_money_until_it_is_won_or_lost() {
    use DisputeStatus as S;
    let open = |status| {
        Change::Payment(PaymentChange::Dispute(
            "dp_1".to_owned().into(),
            dispute(status, 1500, None, &[-1500]),
        ))
    };
    let mut purchase = purchase();
    purchase.record(session("cs_1", settled(usd(1500))));
    for (status, stands, disputed) in [
        (S::WarningNeedsResponse, Status::Paid, 0),
        (S::WarningClosed, Status::Paid, 0),
        (S::NeedsResponse, Status::Disputed, 1500),
        (S::UnderReview, Status::Disputed, 1500),
        (S::Won, Status::Paid, 0),
    ] {
        purchase.record(open(status));
        assert_eq!(purchase.status(), stands, "{status:?}");
        assert_eq!(purchase.accounts().disputed, usd(disputed), "{status:?}");
    }
    let lost = Change::Payment(PaymentChange::Dispute(
        "dp_2".to_owned().into(),
        dispute(S::Lost, 700, None, &[-700]),
    ));
    purchase.record(lost);
    assert_eq!(purchase.status(), Status::ChargedBack);
    assert_eq!(purchase.accounts().net, usd(800));
}

#[test]
fn a_dispute_decided_twice_stands_as_the_money_says_and_is_fetched_again() {
    use DisputeStatus as S;
    for (moved, status) in [
        (vec![-1500, 1500], Status::Paid),
        (vec![-1500], Status::ChargedBack),
    ] {
        let mut purchase = purchase();
        purchase.record(session("cs_1", settled(usd(1500))));
        for status in [S::Lost, S::Won] {
            let report = dispute(status, 1500, None, &moved);
            purchase.record(Change::Payment(PaymentChange::Dispute(
                "dp_1".to_owned().into(),
                report,
            )));
        }
        assert_eq!(purchase.status(), status);
        assert!(
            purchase
                .attention()
                .contains(&Attention::DisputeDecidedTwice)
        );
        assert_eq!(purchase.next_check(7), Some(7));
    }
}

#[test]
fn a_charges_sum_that_does_not_fit_asks_for_another_look() {
    let mut purchase = purchase();
    purchase.record(session("cs_1", settled(usd(1500))));
    purchase.record(refund("re_1", RefundState::Succeeded, 500));
    assert_eq!(
        purchase.record(Change::Payment(PaymentChange::ChargeRefunded(usd(500)))),
        None
    );
    assert_eq!(purchase.next_check(7), None);
    assert!(
        purchase
            .record(Change::Payment(PaymentChange::ChargeRefunded(usd(900))))
            .is_some()
    );
    assert_eq!(purchase.next_check(7), Some(7));
}

proptest! {
    #[test]
    fn whatever_is_still_to_come_is_asked_for(changes in changes()) {
        let mut purchase = purchase();
        for change in changes {
            purchase.record(change);
        }
        let waits = purchase.waits_for().is_some() || purchase.status() == Status::Open;
        prop_assert!(!waits || purchase.next_check(7).is_some(), "{purchase:?}");
    }
}

#[test]
fn a_payment_that_is_disputed_before_it_is_known_to_be_made_is_still_asked_for() {
    let mut purchase = purchase();
    purchase.record(session("cs_1", SessionState::PENDING));
    let waits_for = WaitsFor::Bank;
    purchase.record(session("cs_1", SessionState::Pending { waits_for }));
    let lost = dispute(DisputeStatus::Lost, 1500, None, &[]);
    purchase.record(Change::Payment(PaymentChange::Dispute(
        "dp_1".to_owned().into(),
        lost,
    )));
    assert_eq!(purchase.status(), Status::ChargedBack);
    assert!(purchase.next_check(7).is_some());
}

#[test]
fn a_delayed_payment_is_asked_for_at_once_until_it_is_known_what_it_waits_for_and_then_each_day() {
    let mut purchase = purchase();
    purchase.record(session("cs_1", SessionState::PENDING));
    assert_eq!(purchase.next_check(7), Some(7));
    let waits_for = WaitsFor::Bank;
    purchase.record(session("cs_1", SessionState::Pending { waits_for }));
    assert_eq!(purchase.next_check(7), Some(7 + 24 * 3600));
}

#[test]
fn an_open_purchase_is_looked_at_after_an_hour_and_at_its_end() {
    const HOUR: i64 = 3600;
    let mut purchase = purchase();
    purchase.record(session("cs_1", SessionState::Open));
    assert_eq!(purchase.next_check(7), Some(HOUR));
    assert_eq!(purchase.next_check(HOUR), Some(23 * HOUR + 600));
    // A purchase of limited stock ends sooner than that.
    let mut limited = limited_purchase();
    limited.attempt = Attempt::first(&limited.order, 0);
    assert_eq!(limited.next_check(7), Some(45 * 60));
}

#[test]
fn the_furthest_session_says_what_became_of_the_purchase() {
    let mut purchase = purchase();
    assert_eq!(purchase.status(), Status::Open);
    for (state, status) in [
        (SessionState::Open, Status::Open),
        (SessionState::Expired, Status::Expired),
        (SessionState::PENDING, Status::Pending),
        (SessionState::Failed, Status::Failed),
        (settled(usd(1500)), Status::Paid),
    ] {
        purchase.record(session("cs_1", state));
        assert_eq!(purchase.status(), status);
    }
    purchase.record(session("cs_2", SessionState::Expired));
    assert_eq!(purchase.status(), Status::Paid);
    assert_eq!(purchase.accounts().paid, usd(1500));
    assert!(purchase.attention().is_empty());
}

#[test]
fn a_second_payment_and_strange_amounts_call_for_attention() {
    let mut twice = purchase();
    twice.record(session("cs_1", settled(usd(1500))));
    twice.record(session("cs_2", settled(usd(1500))));
    assert_eq!(twice.attention(), [Attention::PaidTwice].into());
    assert_eq!(twice.accounts().paid, usd(3000));

    let mut odd = purchase();
    odd.record(session("cs_1", settled(usd(1501))));
    assert_eq!(odd.attention(), [Attention::Overpaid].into());

    let mut euro = purchase();
    euro.record(session(
        "cs_1",
        settled(Money::new(1600, "eur".parse().unwrap())),
    ));
    assert_eq!(euro.attention(), [Attention::OtherCurrency].into());
    assert_eq!(euro.status(), Status::Paid);
    assert_eq!(
        euro.accounts().paid,
        Money::new(1600, "eur".parse().unwrap())
    );

    let mut promotion = purchase();
    promotion.record(session("cs_1", settled(usd(900))));
    assert!(promotion.attention().is_empty());
}

#[test]
fn more_money_going_back_than_came_calls_for_attention() {
    let mut purchase = purchase();
    // Until its payment is heard of, nothing is known to be too much.
    purchase.record(refund("re_1", RefundState::Succeeded, 1500));
    assert!(purchase.attention().is_empty());
    purchase.record(session("cs_1", settled(usd(1500))));
    assert!(purchase.attention().is_empty(), "all of it may go back");
    purchase.record(refund("re_2", RefundState::Succeeded, 1));
    assert_eq!(purchase.attention(), [Attention::Overreturned].into());
}

#[test]
fn a_payment_calls_for_attention_if_the_stock_was_given_back_before() {
    let mut purchase = limited_purchase();
    purchase.record(session("cs_1", SessionState::Expired));
    assert!(purchase.stock_returned && purchase.attention().is_empty());
    purchase.record(session("cs_1", settled(usd(1500))));
    assert_eq!(
        purchase.attention(),
        [Attention::PaidAfterStockReturned].into()
    );
}

#[test]
fn the_sessions_that_can_be_paid_are_the_open_ones() {
    let mut purchase = purchase();
    assert!(!purchase.is_settled());
    purchase.record(session("cs_1", SessionState::Expired));
    purchase.record(session("cs_2", SessionState::Open));
    let open: Vec<_> = purchase.open_sessions().map(SessionId::as_str).collect();
    assert_eq!(open, ["cs_2"]);
    assert!(!purchase.is_settled());
    purchase.record(session("cs_2", settled(usd(1500))));
    assert_eq!(purchase.open_sessions().count(), 0);
    assert!(purchase.is_settled());
}

#[test]
fn a_purchase_knows_the_subscription_that_began_with_it() {
    let mut purchase = purchase();
    purchase.record(session("cs_1", SessionState::Open));
    assert_eq!(purchase.subscription(), None);
    let begun: SubscriptionId = "sub_1".to_owned().try_into().unwrap();
    let invoice: InvoiceId = "in_1".to_owned().try_into().unwrap();
    let state = SessionState::Settled {
        amount: usd(1500),
        payment_intent: None,
        subscription: Some(begun.clone()),
        invoice: Some(invoice.clone()),
        sums: None,
        delivery: None,
    };
    purchase.record(session("cs_1", state));
    assert_eq!(purchase.subscription(), Some(&begun));
    assert_eq!(purchase.first_invoice(), Some((&begun, &invoice)));
}

/// Settled for 15.00 USD of goods, and what came on top.
fn settled_with(shipping: i64, tax: i64, amount: i64) -> Change {
    let state = SessionState::Settled {
        amount: usd(amount),
        payment_intent: None,
        subscription: None,
        invoice: None,
        sums: Some(Sums {
            subtotal: 1500,
            discount: 0,
            shipping,
            tax,
        }),
        delivery: Some(Box::default()),
    };
    session("cs_1", state)
}

#[test]
fn shipping_and_tax_come_on_top_of_what_was_ordered_and_nothing_else_does() {
    for (shipping, tax, amount, overpaid) in [
        (490, 0, 1990, false),
        (490, 285, 2275, false),
        (490, 0, 1991, true),
        (0, 0, 1501, true),
    ] {
        let mut purchase = purchase();
        purchase.record(settled_with(shipping, tax, amount));
        let attention = purchase.attention();
        let is_overpaid = attention.contains(&Attention::Overpaid);
        assert_eq!(is_overpaid, overpaid, "{shipping} {tax} {amount}");
        assert_eq!(purchase.accounts().paid, usd(amount));
    }
}

#[test]
fn the_amount_that_was_paid_for_shipping_tells_which_rate_was_chosen() {
    let mut purchase = purchase();
    let rate = |name: &str, amount| OfferedRate {
        name: name.to_owned(),
        amount,
    };
    purchase.order.shipping = Some(Offer {
        countries: vec!["DE".parse().unwrap()],
        rates: vec![rate("Post", 0), rate("Express", 490)],
    });
    assert_eq!(purchase.shipping_rate(), None, "nothing is chosen yet");
    purchase.record(settled_with(490, 0, 1990));
    assert_eq!(purchase.shipping_rate(), Some("Express"));
}

#[test]
fn a_dispute_both_won_and_lost_is_a_doubt_once_whichever_was_heard_first() {
    use DisputeStatus::{Lost, Won};
    for order in [[Won, Lost], [Lost, Won]] {
        let mut purchase = purchase();
        for status in [order, order].concat() {
            let report = dispute(status, 1500, None, &[]);
            let change = PaymentChange::Dispute("dp_1".to_owned().into(), report);
            purchase.record(Change::Payment(change));
        }
        assert_eq!(purchase.payment.doubts(), 1, "{order:?}");
    }
}

#[test]
fn a_dispute_is_unfinished_until_it_is_decided_closed_or_prevented() {
    use DisputeStatus as S;
    for (status, unfinished) in [
        (S::WarningNeedsResponse, true),
        (S::WarningUnderReview, true),
        (S::WarningClosed, false),
        (S::Prevented, false),
        (S::NeedsResponse, true),
        (S::UnderReview, true),
        (S::Won, false),
        (S::Lost, false),
    ] {
        let mut known = Dispute::default();
        known.merge(dispute(status, 1500, None, &[]));
        assert_eq!(known.is_unfinished(), unfinished, "{status:?}");
    }
}
