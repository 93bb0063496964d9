//! What is always true of subscriptions: readings, notices, and what they entitle to.

use proptest::prelude::*;
use time::OffsetDateTime;

use super::*;
use crate::{
    invoice::{
        Bill, Invoice, InvoiceReport, InvoiceState, Period, Reason,
        tests::{bill, lost_dispute, refund, seen},
    },
    product::{Interval, Recurring},
    purchase::RefundState,
};

const DAY: i64 = 24 * 3600;
const START: i64 = 100 * DAY;
const END: i64 = 130 * DAY;

fn subscription() -> Subscription {
    let buyer = Buyer {
        subject: Some("buyer-1".to_owned()),
        email: None,
        language: None,
    };
    let id = "sub_1".to_owned().try_into().unwrap();
    Subscription::new(id, PurchaseId::new(OffsetDateTime::UNIX_EPOCH), buyer)
}

fn reading(status: SubscriptionStatus) -> Reading {
    Reading {
        status,
        currency: "usd".parse().unwrap(),
        items: vec![item(1)],
        period: Period {
            start: START,
            end: END,
        },
        started_at: START,
        cancel_at: None,
        ended_at: None,
        lost: false,
        trial_end: None,
        latest_invoice: None,
        pause: None,
    }
}

fn item(quantity: u32) -> Item {
    Item {
        id: "si_1".to_owned(),
        product_id: "box".parse().ok(),
        name: "Coffee box".to_owned(),
        quantity,
        unit_amount: Some(900),
        recurring: Recurring {
            interval: Interval::Month,
            interval_count: 1,
            trial_days: 0,
        },
    }
}

fn ended(lost: bool, at: i64) -> Reading {
    Reading {
        ended_at: Some(at),
        lost,
        ..reading(SubscriptionStatus::Canceled)
    }
}

fn paused(behavior: PauseBehavior) -> Reading {
    let pause = Pause {
        behavior,
        resumes_at: None,
    };
    Reading {
        pause: Some(pause),
        ..reading(SubscriptionStatus::Active)
    }
}

/// An invoice for a period, in a state.
fn invoice(state: InvoiceState, start: i64, end: i64) -> Invoice {
    let paid = if state == InvoiceState::Paid { 900 } else { 0 };
    seen(InvoiceReport {
        state,
        bill: Bill {
            period: Some(Period { start, end }),
            ..bill(paid)
        },
        trouble: None,
        intent: None,
    })
}

fn paid(start: i64, end: i64) -> Invoice {
    invoice(InvoiceState::Paid, start, end)
}

fn returned(start: i64, end: i64, amount: i64) -> Invoice {
    let mut invoice = paid(start, end);
    invoice.record(refund(RefundState::Succeeded, amount), false);
    invoice
}

/// One of which a bank took so much for the buyer, for good.
fn charged_back(start: i64, end: i64, amount: i64) -> Invoice {
    let mut invoice = paid(start, end);
    invoice.record(lost_dispute(amount), false);
    invoice
}

fn until(reading: &Reading, invoices: &[Invoice], grace: i64) -> Option<i64> {
    Entitlement::of(reading, invoices, 0, grace).active_until
}

#[test]
fn only_what_was_paid_after_the_end_was_paid_in_vain() {
    let paid = |paid_at| {
        seen(InvoiceReport {
            state: InvoiceState::Paid,
            bill: Bill {
                paid_at,
                ..bill(900)
            },
            trouble: None,
            intent: None,
        })
    };
    let canceled = ended(true, END);
    assert!(canceled.had_ended_before(&paid(Some(END + 1))));
    for in_time in [None, Some(END), Some(START)] {
        assert!(!canceled.had_ended_before(&paid(in_time)));
    }
    let past_due = reading(SubscriptionStatus::PastDue);
    assert!(!past_due.had_ended_before(&paid(Some(END + 1))));
    assert!(!canceled.had_ended_before(&invoice(InvoiceState::Open, START, END)));
}

/// The month before the reading's period.
const BEFORE: i64 = START - 30 * DAY;

#[test]
fn what_is_in_order_is_active_until_its_period_ends_and_the_renewal_may_be_late() {
    use SubscriptionStatus::{Active, Trialing};
    for status in [Active, Trialing] {
        assert_eq!(until(&reading(status), &[], 3 * DAY), Some(END + 3 * DAY));
    }
    let at_end = |now| Entitlement::of(&reading(Active), &[], now, DAY).active;
    assert!(at_end(END + DAY - 1) && !at_end(END + DAY));
    // The renewal's invoice is a draft for an hour.
    let renewing = [
        paid(BEFORE, START),
        invoice(InvoiceState::Draft, START, END),
    ];
    assert_eq!(until(&reading(Active), &renewing, 0), Some(END));
}

#[test]
fn what_is_past_due_is_active_until_the_end_of_what_is_paid_and_the_grace() {
    let behind = reading(SubscriptionStatus::PastDue);
    assert_eq!(until(&behind, &[], 3 * DAY), Some(START + 3 * DAY));
    let open = invoice(InvoiceState::Open, START, END);
    let invoices = [paid(BEFORE, START), open];
    assert_eq!(until(&behind, &invoices, 3 * DAY), Some(START + 3 * DAY));
    // Two periods behind: it is the earlier that counts.
    let earlier = [
        paid(BEFORE - 30 * DAY, BEFORE),
        invoice(InvoiceState::Open, BEFORE, START),
        invoice(InvoiceState::Open, START, END),
    ];
    assert_eq!(until(&behind, &earlier, 3 * DAY), Some(BEFORE + 3 * DAY));
}

#[test]
fn once_nobody_tries_to_charge_it_any_more_there_is_no_grace() {
    use SubscriptionStatus::{Incomplete, IncompleteExpired, Paused, Unpaid};
    let invoices = [paid(BEFORE, START)];
    for status in [Unpaid, Paused] {
        assert_eq!(until(&reading(status), &invoices, 3 * DAY), Some(START));
    }
    for status in [Incomplete, IncompleteExpired] {
        assert_eq!(until(&reading(status), &[], 3 * DAY), None);
    }
}

#[test]
fn what_is_cancelled_is_active_until_then_and_not_a_second_longer() {
    let cancelled = |cancel_at| Reading {
        cancel_at: Some(cancel_at),
        ..reading(SubscriptionStatus::Active)
    };
    assert_eq!(until(&cancelled(END), &[], 3 * DAY), Some(END));
    assert_eq!(
        until(&cancelled(START + DAY), &[], 3 * DAY),
        Some(START + DAY)
    );
    // Beyond this period: as long as it renews.
    let far = cancelled(END + 40 * DAY);
    assert_eq!(until(&far, &[], 3 * DAY), Some(END + 3 * DAY));
}

#[test]
fn what_is_over_was_active_until_it_ended_or_until_it_was_not_paid() {
    let invoices = [paid(BEFORE, START)];
    assert_eq!(
        until(&ended(false, START + DAY), &invoices, DAY),
        Some(START + DAY)
    );
    // Dunning went on for two weeks, which were not paid.
    assert_eq!(
        until(&ended(true, START + 14 * DAY), &invoices, DAY),
        Some(START)
    );
}

#[test]
fn a_pause_of_collection_keeps_the_buyer_unless_its_invoices_are_voided() {
    let invoices = [paid(BEFORE, START)];
    for behavior in [PauseBehavior::KeepAsDraft, PauseBehavior::MarkUncollectible] {
        assert_eq!(until(&paused(behavior), &invoices, DAY), Some(END + DAY));
    }
    let void = paused(PauseBehavior::Void);
    assert_eq!(until(&void, &invoices, DAY), Some(START));
    // What is paid is served.
    assert_eq!(until(&void, &[paid(START, END)], DAY), Some(END));
}

#[test]
fn a_period_whose_money_went_back_is_not_paid() {
    let active = reading(SubscriptionStatus::Active);
    let before = paid(BEFORE, START);
    let all = [before.clone(), returned(START, END, 900)];
    assert_eq!(until(&active, &all, 3 * DAY), Some(START));
    let some = [before, returned(START, END, 400)];
    assert_eq!(until(&active, &some, 3 * DAY), Some(END + 3 * DAY));
    // One long past does not matter, unless all since went back, too.
    let earlier = [returned(BEFORE, START, 900), paid(START, END)];
    assert_eq!(until(&active, &earlier, 3 * DAY), Some(END + 3 * DAY));
    let both = [returned(BEFORE, START, 900), returned(START, END, 900)];
    assert_eq!(until(&active, &both, 3 * DAY), Some(BEFORE));
}

#[test]
fn a_lost_dispute_of_a_part_takes_no_time_away() {
    let active = reading(SubscriptionStatus::Active);
    let whole = [paid(BEFORE, START), charged_back(START, END, 900)];
    assert_eq!(until(&active, &whole, 3 * DAY), Some(START));
    let mut part = charged_back(START, END, 500);
    let kept = until(&active, &[part.clone()], 3 * DAY);
    assert_eq!(kept, Some(END + 3 * DAY));
    // The rest was refunded.
    part.record(refund(RefundState::Succeeded, 400), false);
    let all = [paid(BEFORE, START), part];
    assert_eq!(until(&active, &all, 3 * DAY), Some(START));
}

#[test]
fn a_refund_of_what_only_adjusts_a_period_takes_no_time_away() {
    let mut adjusting = InvoiceReport {
        state: InvoiceState::Paid,
        bill: bill(900),
        trouble: None,
        intent: None,
    };
    adjusting.bill.period = None;
    adjusting.bill.reason = Reason::Change;
    let mut adjusting = seen(adjusting);
    adjusting.record(refund(RefundState::Succeeded, 900), false);
    assert!(adjusting.is_taken_back());
    let active = reading(SubscriptionStatus::Active);
    let invoices = [paid(START, END), adjusting];
    assert_eq!(until(&active, &invoices, 0), Some(END));
}

/// Readings as they may follow each other.
fn readings() -> impl Strategy<Value = Vec<Reading>> {
    use SubscriptionStatus as S;
    let running = (
        prop_oneof![
            Just(S::Active),
            Just(S::Trialing),
            Just(S::PastDue),
            Just(S::Unpaid)
        ],
        prop::option::of(prop_oneof![Just(END), Just(START + 5 * DAY)]),
        1_u32..3,
    );
    let running = running.prop_map(|(status, cancel_at, quantity)| Reading {
        cancel_at,
        trial_end: (status == S::Trialing).then_some(END),
        items: vec![item(quantity)],
        ..reading(status)
    });
    let over = any::<bool>().prop_map(|lost| ended(lost, START + 9 * DAY));
    prop::collection::vec(prop_oneof![4 => running, 1 => over], 1..12)
}

proptest! {
    #[test]
    fn each_notice_is_told_once_and_taken_back_if_it_is_not_true_any_more(
        readings in readings(), now in START..END, said in any::<bool>()
    ) {
        let mut subscription = subscription();
        let (mut ordered, mut taken_back) = (BTreeSet::new(), BTreeSet::new());
        for (version, reading) in (1..).zip(readings) {
            let told = subscription.read(reading.clone(), said, version, now);
            let Letters { due, superseded } = told.unwrap_or_default();
            for mail in due {
                prop_assert!(ordered.insert(mail.clone()), "{} twice", mail);
            }
            for mail in superseded {
                prop_assert!(mail.is_progress() && ordered.contains(&mail));
                prop_assert!(taken_back.insert(mail));
            }
            // The same reading again tells nothing.
            prop_assert_eq!(subscription.read(reading.clone(), said, version.saturating_add(1), now), None);
            // What stands of it is what is true now.
            let standing = ordered.difference(&taken_back);
            let is_cancelled = |mail: &&Mail| matches!(mail, Mail::Notice(Notice::Cancelled, _));
            let told = standing.filter(is_cancelled).count();
            prop_assert_eq!(told == 1, reading.ends_at().is_some());
        }
    }

    #[test]
    fn no_entitlement_lasts_beyond_the_period_and_the_grace(
        readings in readings(), grace in 0..10 * DAY, returned_of in 0_i64..900
    ) {
        let invoices = [paid(BEFORE, START), returned(START, END, returned_of)];
        for reading in readings {
            let until = until(&reading, &invoices, grace);
            prop_assert!(until.is_none_or(|until| until <= END.saturating_add(grace)));
            let end = reading.ended_at.or(reading.cancel_at);
            prop_assert!(until.zip(end).is_none_or(|(until, end)| until <= end));
        }
    }

    #[test]
    fn what_is_not_over_is_read_again_but_never_at_once(
        readings in readings(), now in START - DAY..END + 100 * DAY
    ) {
        let mut subscription = subscription();
        prop_assert_eq!(subscription.next_check(now), Some(now));
        for (version, reading) in (1..).zip(readings) {
            let is_over = reading.is_over();
            subscription.read(reading, false, version, now);
            let next = subscription.next_check(now);
            prop_assert_eq!(next.is_none(), is_over);
            prop_assert!(next.is_none_or(|next| next > now));
        }
    }
}

#[test]
fn a_trial_that_is_about_to_end_is_told_by_the_event_or_by_the_clock() {
    let trial = Reading {
        trial_end: Some(END),
        ..reading(SubscriptionStatus::Trialing)
    };
    let ending = |said, now| {
        let told = subscription().read(trial.clone(), said, 1, now).unwrap();
        told.due.contains(&Mail::Notice(Notice::TrialEnding, 1))
    };
    assert!(!ending(false, START));
    assert!(ending(true, START));
    assert!(ending(false, END - 2 * DAY));
}

#[test]
fn another_plan_is_told_and_another_item_of_the_same_kind_is_not() {
    let mut subscription = subscription();
    let first = reading(SubscriptionStatus::Active);
    let told = subscription.read(first.clone(), false, 1, START).unwrap();
    assert!(told.due.is_empty());
    let mut renewed = first.clone();
    renewed.items[0].id = "si_2".to_owned();
    let told = subscription.read(renewed, false, 2, START).unwrap();
    assert!(told.due.is_empty());
    let more = Reading {
        items: vec![item(2)],
        ..first
    };
    let told = subscription.read(more, false, 3, START).unwrap();
    assert_eq!(told.due, [Mail::Notice(Notice::PlanChanged, 3)].into());
}

#[test]
fn the_seller_is_told_of_what_dunning_lost_and_the_buyer_of_its_end() {
    let mut subscription = subscription();
    subscription.read(reading(SubscriptionStatus::PastDue), false, 1, START);
    let told = subscription.read(ended(true, END), false, 2, END).unwrap();
    let [ended, lost] = [Notice::Ended, Notice::Lost].map(|notice| Mail::Notice(notice, 2));
    assert!(lost.is_for_seller() && !ended.is_for_seller());
    assert_eq!(told.due, [ended, lost].into());
}
