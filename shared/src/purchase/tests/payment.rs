//! What is true of a payment by itself, whatever it pays for.

use proptest::prelude::*;

use super::*;

/// What Stripe may say about a payment after it was made.
#[derive(Clone, Debug)]
enum Said {
    Refund(RefundId, Refund),
    Dispute(DisputeId, DisputeReport),
}

fn said() -> impl Strategy<Value = Vec<Said>> {
    let amount = (prop_oneof![Just(500_i64), Just(1500)], "usd|eur");
    let refund = ("re_[12]", refund_state(), amount).prop_map(|(id, state, (amount, currency))| {
        let amount = Money::new(amount, currency.parse().unwrap());
        Said::Refund(id.into(), Refund { state, amount })
    });
    let dispute = ("dp_[12]", dispute_report());
    let dispute = dispute.prop_map(|(id, report)| Said::Dispute(id.into(), report));
    prop::collection::vec(prop_oneof![refund, dispute], 0..10)
}

fn tell(payment: &mut Payment, said: Said) -> bool {
    match said {
        Said::Refund(id, refund) => payment.refund(id, refund),
        Said::Dispute(id, report) => payment.dispute(id, report),
    }
}

fn payment(said: &[Said]) -> Payment {
    let mut payment = Payment::default();
    for one in said {
        tell(&mut payment, one.clone());
    }
    payment
}

/// What must not depend on the order of reports.
fn told(payment: &Payment) -> impl PartialEq + std::fmt::Debug + use<> {
    let facts = (payment.refunds().clone(), payment.disputes().clone());
    let paid = [usd(1500)].into_iter();
    let mails = payment.mails().filter(|mail| !mail.is_progress());
    (
        facts,
        payment.accounts(paid, usd(0).currency),
        mails.collect::<Vec<_>>(),
    )
}

proptest! {
    #[test]
    fn a_payment_is_the_same_in_whichever_order_and_however_often_it_is_reported(
        (said, shuffled) in said().prop_flat_map(|said| {
            let twice: Vec<_> = said.iter().chain(&said).cloned().collect();
            (Just(said), Just(twice).prop_shuffle())
        })
    ) {
        prop_assert_eq!(told(&payment(&said)), told(&payment(&shuffled)));
    }

    #[test]
    fn a_report_seen_before_is_not_news(said in said()) {
        let mut payment = payment(&said);
        let before = payment.clone();
        for one in said {
            prop_assert!(!tell(&mut payment, one));
        }
        prop_assert_eq!(before, payment);
    }

    #[test]
    fn a_payment_rebuilt_from_its_facts_is_the_same_payment(said in said()) {
        let payment = payment(&said);
        let (refunds, disputes) = (payment.refunds().clone(), payment.disputes().clone());
        prop_assert_eq!(Payment::kept(refunds, disputes, payment.doubts()), payment);
    }

    #[test]
    fn a_payments_accounts_add_up_in_one_currency(
        said in said(), paid in prop::collection::vec((1_i64..3000, "usd|eur"), 0..3)
    ) {
        let paid = paid.into_iter();
        let paid: Vec<_> = paid
            .map(|(amount, currency)| Money::new(amount, currency.parse().unwrap()))
            .collect();
        let payment = payment(&said);
        let accounts = payment.accounts(paid.iter().copied(), usd(0).currency);
        let Accounts { paid: sum, refunded, disputed, net } = accounts;
        for amount in [refunded, disputed, net] {
            prop_assert_eq!(amount.currency, sum.currency);
        }
        let gone = refunded.amount.saturating_add(disputed.amount);
        prop_assert_eq!(net.amount, sum.amount.saturating_sub(gone));
        prop_assert!(paid.is_empty() || sum.amount > 0);
        let moved = payment.moved().filter(|amount| amount.currency == sum.currency);
        prop_assert!(gone <= moved.map(|amount| amount.amount).sum());
    }

    #[test]
    fn a_payment_is_over_when_nothing_more_can_come_of_its_refunds_and_disputes(said in said()) {
        let payment = payment(&said);
        let refunds = payment.refunds().values();
        let waiting = refunds.filter(|refund| refund.state.is_unfinished()).count();
        let open = payment.disputes().values().filter(|dispute| dispute.is_unfinished()).count();
        prop_assert_eq!(payment.is_unfinished(), waiting > 0 || open > 0);
        let is_disputed = payment.disputes().values().any(Dispute::is_open);
        prop_assert!(!is_disputed || payment.is_unfinished());
    }
}

#[test]
fn a_charges_sum_is_compared_with_its_known_refunds() {
    let mut payment = Payment::default();
    let refund = Refund {
        state: RefundState::Succeeded,
        amount: usd(500),
    };
    payment.refund("re_1".to_owned().into(), refund);
    assert!(!payment.charge_refunded(usd(500)));
    assert_eq!(payment.doubts(), 0);
    assert!(payment.charge_refunded(usd(900)));
    assert_eq!(payment.doubts(), 1);
    // Compared with Stripe while another doubt came up: it has to be compared again.
    assert!(payment.charge_refunded(usd(700)));
    payment.checked(1);
    assert_eq!(payment.doubts(), 2);
    payment.checked(2);
    assert_eq!(payment.doubts(), 0);
}
