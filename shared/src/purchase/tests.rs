//! What holds of a purchase, whatever comes in, and in whichever order.

use proptest::prelude::*;

use super::*;

fn usd(amount: i64) -> Money {
    Money::new(amount, "usd".parse().unwrap())
}

fn purchase() -> Purchase {
    let buyer = Buyer {
        subject: None,
        email: None,
        language: None,
    };
    Purchase::new(
        PurchaseId::generate(),
        Order {
            buyer,
            lines: vec![],
            total: usd(1500),
            rebuilt: false,
        },
        0,
    )
}

fn session(id: &str, state: SessionState) -> Change {
    Change::Session(SessionId::from(id.to_owned()), state)
}

fn settled(amount: Money) -> SessionState {
    SessionState::Settled {
        amount,
        payment_intent: Some("pi_1".to_owned().into()),
    }
}

fn state() -> impl Strategy<Value = SessionState> {
    prop_oneof![
        Just(SessionState::Open),
        Just(SessionState::Expired),
        waits_for().prop_map(|waits_for| SessionState::Pending { waits_for }),
        Just(SessionState::Failed),
        (
            prop_oneof![Just(1500_i64), Just(900), Just(2000)],
            "usd|eur",
            any::<bool>()
        )
            .prop_map(|(amount, currency, has_intent)| SessionState::Settled {
                amount: Money::new(amount, currency.parse().unwrap()),
                payment_intent: has_intent.then(|| "pi_1".to_owned().into()),
            }),
    ]
}

fn waits_for() -> impl Strategy<Value = WaitsFor> {
    let url = prop::option::of("https://pay.example/[ab]");
    prop_oneof![
        Just(WaitsFor::Unknown),
        Just(WaitsFor::Bank),
        url.prop_map(|voucher_url| WaitsFor::Buyer { voucher_url }),
    ]
}

fn refund_state() -> impl Strategy<Value = RefundState> {
    prop_oneof![
        Just(RefundState::Pending),
        Just(RefundState::RequiresAction),
        Just(RefundState::Succeeded),
        Just(RefundState::Canceled),
        Just(RefundState::Failed),
    ]
}

fn dispute_report() -> impl Strategy<Value = DisputeReport> {
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

fn dispute(
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

fn refund(id: &str, state: RefundState, amount: i64) -> Change {
    let refund = Refund {
        state,
        amount: usd(amount),
    };
    Change::Refund(id.to_owned().into(), refund)
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        3 => ("cs_[12]", state()).prop_map(|(id, s)| session(&id, s)),
        2 => ("re_[12]", refund_state()).prop_map(|(id, s)| refund(&id, s, 500)),
        2 => ("dp_[12]", dispute_report())
            .prop_map(|(id, report)| Change::Dispute(id.into(), report)),
        1 => Just(Change::ChargeRefunded(usd(500))),
    ];
    prop::collection::vec(change, 0..10)
}

/// What was said.
type Facts = (
    BTreeMap<SessionId, SessionState>,
    BTreeMap<RefundId, Refund>,
    BTreeMap<DisputeId, Dispute>,
);

/// What must not depend on the order in which changes came.
fn outcome(changes: &[Change]) -> (Facts, Status, Accounts, BTreeSet<Attention>, Vec<Mail>) {
    let mut purchase = purchase();
    for change in changes {
        purchase.record(change.clone());
    }
    let settled = purchase.mails.iter().filter(|mail| !mail.is_progress());
    (
        (
            purchase.sessions.clone(),
            purchase.payment.refunds().clone(),
            purchase.payment.disputes().clone(),
        ),
        purchase.status(),
        purchase.accounts(),
        purchase.attention(),
        settled.cloned().collect(),
    )
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_of_the_same_changes_gives_the_same_purchase(
        (changes, shuffled) in changes().prop_flat_map(|changes| {
            let twice: Vec<_> = changes.iter().chain(&changes).cloned().collect();
            (Just(changes), Just(twice).prop_shuffle())
        })
    ) {
        prop_assert_eq!(outcome(&changes), outcome(&shuffled));
    }

    #[test]
    fn a_change_seen_before_tells_nothing_new(changes in changes()) {
        let mut purchase = purchase();
        for change in &changes {
            purchase.record(change.clone());
        }
        let before = purchase.clone();
        for change in changes {
            // A sum is no fact: it may call for another look again.
            if !matches!(change, Change::ChargeRefunded(_)) {
                prop_assert_eq!(purchase.record(change), None);
            }
        }
        prop_assert_eq!(before, purchase);
    }

    #[test]
    fn each_mail_is_ordered_once_and_only_progress_is_ever_taken_back(changes in changes()) {
        let mut purchase = purchase();
        let (mut ordered, mut taken_back) = (BTreeSet::new(), BTreeSet::new());
        for change in changes {
            let effects = purchase.record(change).unwrap_or_default();
            for mail in effects.due {
                prop_assert!(ordered.insert(mail));
            }
            for mail in effects.superseded {
                prop_assert!(mail.is_progress());
                prop_assert!(taken_back.insert(mail));
            }
        }
        let true_now = purchase.mails_called_for();
        prop_assert!(true_now.is_subset(&ordered));
        let stale = ordered
            .difference(&true_now)
            .filter(|mail| mail.is_progress() && !purchase.may_be_true_again(mail));
        prop_assert_eq!(stale.cloned().collect::<BTreeSet<_>>(), taken_back);
    }

    #[test]
    fn a_mails_name_reads_back(changes in changes()) {
        let mut purchase = purchase();
        for change in changes {
            purchase.record(change);
        }
        for mail in purchase.mails {
            prop_assert_eq!(Mail::try_from(mail.to_string()), Ok(mail));
        }
    }

    #[test]
    fn stock_goes_back_once_whatever_comes_after_what(changes in changes(), at in 0_usize..10) {
        let mut purchase = limited_purchase();
        let mut returns = Vec::new();
        for (n, change) in changes.into_iter().enumerate() {
            returns.push(purchase.record(change).unwrap_or_default());
            if n == at {
                returns.extend(purchase.abandon(1));
            }
        }
        let returns = returns.iter().filter(|effects| !effects.returned.is_empty()).count();
        prop_assert!(returns <= 1);
        prop_assert_eq!(returns == 1, purchase.stock_returned);
        prop_assert!(purchase.stock_returned || !purchase.came_to_nothing());
    }
}

proptest! {
    #[test]
    fn a_purchase_is_held_until_it_is_decided_and_its_stock_as_long_as_it_is_out(
        changes in changes(), at in 0_usize..10
    ) {
        let mut purchase = limited_purchase();
        let mut known = purchase.hold();
        prop_assert!(known.is_some());
        for (n, change) in changes.into_iter().enumerate() {
            let recorded = purchase.record(change);
            let abandoned = (n == at).then(|| purchase.abandon(1)).flatten();
            if [recorded, abandoned].iter().flatten().any(|effects| effects.hold_changed) {
                known = purchase.hold();
            }
            prop_assert_eq!(known, purchase.hold());
            let pieces = known.map_or(0, |hold| hold.pieces);
            prop_assert!(pieces == 0 || !purchase.stock_returned);
            let money_moved = purchase.is_settled()
                || !purchase.payment.disputes().is_empty();
            prop_assert!(pieces == 1 || purchase.stock_returned || money_moved);
            prop_assert!(!purchase.awaits_payment() || known.is_some());
        }
    }
}

/// One whose only line was taken from a limited stock.
fn limited_purchase() -> Purchase {
    let mut purchase = purchase();
    purchase.order.lines.push(Line {
        product_id: "mug".parse().unwrap(),
        name: "Mug".to_owned(),
        description: String::new(),
        image: None,
        quantity: 1,
        unit_amount: 1500,
        reserved: true,
    });
    purchase
}

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
fn the_mail_of_a_refund_that_waits_for_the_buyer_is_not_taken_back() {
    let mut purchase = purchase();
    let steps = [
        RefundState::Pending,
        RefundState::RequiresAction,
        RefundState::Succeeded,
    ];
    for state in steps {
        let effects = purchase.record(refund("re_1", state, 500)).unwrap();
        assert!(effects.superseded.is_empty(), "{state:?}");
    }
    let effects = purchase
        .record(refund("re_1", RefundState::Failed, 500))
        .unwrap();
    assert_eq!(
        effects.superseded,
        [Mail::Refund("re_1".to_owned().into())].into()
    );
}

#[test]
fn the_mail_of_a_payment_on_its_way_is_not_taken_back_while_a_voucher_waits() {
    let mut purchase = purchase();
    let voucher = WaitsFor::Buyer { voucher_url: None };
    for waits_for in [WaitsFor::Unknown, voucher, WaitsFor::Bank] {
        let pending = SessionState::Pending { waits_for };
        let change = Change::Session("cs_1".to_owned().into(), pending);
        let effects = purchase.record(change).unwrap();
        assert!(!effects.superseded.contains(&Mail::Pending));
    }
    let change = Change::Session("cs_1".to_owned().into(), SessionState::Failed);
    let effects = purchase.record(change).unwrap();
    assert_eq!(effects.superseded, [Mail::Pending].into());
}

#[test]
fn every_doubt_counts() {
    let mut purchase = purchase();
    assert!(purchase.record(Change::ChargeRefunded(usd(500))).is_some());
    assert!(purchase.record(Change::ChargeRefunded(usd(900))).is_some());
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
        Change::Dispute(
            "dp_1".to_owned().into(),
            dispute(status, 1500, None, &[-1500]),
        )
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
    let lost = Change::Dispute(
        "dp_2".to_owned().into(),
        dispute(S::Lost, 700, None, &[-700]),
    );
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
            purchase.record(Change::Dispute("dp_1".to_owned().into(), report));
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
    assert_eq!(purchase.record(Change::ChargeRefunded(usd(500))), None);
    assert_eq!(purchase.next_check(7), None);
    assert!(purchase.record(Change::ChargeRefunded(usd(900))).is_some());
    assert_eq!(purchase.next_check(7), Some(7));
}

#[test]
fn an_open_purchase_is_looked_at_after_an_hour_and_at_its_end() {
    const HOUR: i64 = 3600;
    let mut purchase = purchase();
    purchase.record(session("cs_1", SessionState::Open));
    assert_eq!(purchase.next_check(7), Some(HOUR));
    assert_eq!(purchase.next_check(HOUR), Some(23 * HOUR + 600));
    // What holds limited stock ends sooner than that.
    let mut limited = limited_purchase();
    limited.attempt = Attempt::first(&limited.order, 0);
    assert_eq!(limited.next_check(7), Some(45 * 60));
}

#[test]
fn stock_waits_for_every_session_that_could_still_be_paid() {
    let mut purchase = limited_purchase();
    purchase.record(session("cs_2", SessionState::Open));
    purchase.record(session("cs_1", SessionState::Expired));
    assert!(!purchase.stock_returned);
    let effects = purchase
        .record(session("cs_2", SessionState::Expired))
        .unwrap();
    assert_eq!(effects.returned, [("mug".parse().unwrap(), 1)]);
    purchase.record(session("cs_1", settled(usd(1500))));
    assert_eq!(
        purchase.attention(),
        [Attention::PaidAfterStockReturned].into()
    );
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
        settled(Money::new(1500, "eur".parse().unwrap())),
    ));
    assert_eq!(euro.attention(), [Attention::OtherCurrency].into());
    assert_eq!(euro.status(), Status::Paid);
    assert_eq!(
        euro.accounts().paid,
        Money::new(1500, "eur".parse().unwrap())
    );

    let mut promotion = purchase();
    promotion.record(session("cs_1", settled(usd(900))));
    assert!(promotion.attention().is_empty());
}
