//! What is true whatever comes in, and in whichever order.

use proptest::prelude::*;

use super::*;

/// What was said.
type Facts = (
    BTreeMap<SessionId, SessionState>,
    BTreeMap<RefundId, Refund>,
    BTreeMap<DisputeId, Dispute>,
);

/// What of a purchase is shown besides.
type Shown = (BTreeSet<Attention>, Option<(Sums, Money)>, Option<Delivery>);

/// What must not depend on the order of changes.
fn outcome(changes: &[Change]) -> (Facts, Status, Accounts, Shown, Vec<Mail>) {
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
        (
            purchase.attention(),
            purchase.sums(),
            purchase.delivery().cloned(),
        ),
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
    fn a_change_seen_before_is_not_news(changes in changes()) {
        let mut purchase = purchase();
        for change in &changes {
            purchase.record(change.clone());
        }
        let before = purchase.clone();
        for change in changes {
            // A sum is not a fact: it may call for another look.
            if !matches!(change, Change::Payment(PaymentChange::ChargeRefunded(_))) {
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
        prop_assert!(purchase.mails_called_for().is_subset(purchase.mails()));
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
