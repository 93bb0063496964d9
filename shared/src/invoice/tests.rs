//! What is always true of invoices.

use proptest::prelude::*;
use time::OffsetDateTime;

use super::*;
use crate::{
    money::Money,
    purchase::{DisputeReport, DisputeStatus, DisputeTerms, Refund, RefundState},
};

pub(crate) fn usd(amount: i64) -> Money {
    Money::new(amount, "usd".parse().unwrap())
}

pub(crate) fn bill(paid: i64) -> Bill {
    Bill {
        attempts: 1,
        paid: usd(paid),
        due: usd(900),
        total: usd(900),
        number: Some("A-0001".to_owned()),
        page: None,
        period: Some(Period {
            start: 1000,
            end: 2000,
        }),
        reason: Reason::Renewal,
        next_attempt: None,
        created_at: 1000,
        lines: vec![],
        paid_at: None,
        sums: None,
    }
}

fn report(state: InvoiceState, attempts: u32) -> InvoiceReport {
    let paid = if state == InvoiceState::Paid { 900 } else { 0 };
    InvoiceReport {
        state,
        bill: Bill {
            attempts,
            ..bill(paid)
        },
        trouble: None,
        intent: None,
    }
}

fn troubled(attempts: u32, trouble: Trouble) -> InvoiceReport {
    InvoiceReport {
        trouble: Some(trouble),
        ..report(InvoiceState::Open, attempts)
    }
}

/// An invoice of which only this was seen.
pub(crate) fn seen(report: InvoiceReport) -> Invoice {
    let mut invoice = begun(&report);
    invoice.record(InvoiceChange::Seen(report), false);
    invoice
}

fn begun(report: &InvoiceReport) -> Invoice {
    let buyer = Buyer {
        subject: Some("buyer-1".to_owned()),
        email: None,
        language: None,
    };
    let subscription = "sub_1".to_owned().try_into().unwrap();
    let purchase = PurchaseId::new(OffsetDateTime::UNIX_EPOCH);
    let id = "in_1".to_owned().try_into().unwrap();
    Invoice::new(id, (subscription, purchase), buyer, report)
}

pub(crate) fn refund(state: RefundState, amount: i64) -> InvoiceChange {
    let refund = Refund {
        state,
        amount: usd(amount),
    };
    let change = PaymentChange::Refund("re_1".to_owned().into(), refund);
    InvoiceChange::Payment("pi_1".to_owned().into(), change)
}

pub(crate) fn lost_dispute(amount: i64) -> InvoiceChange {
    let report = DisputeReport {
        status: DisputeStatus::Lost,
        terms: DisputeTerms {
            amount: usd(amount),
            reason: "fraudulent".to_owned(),
            due_by: None,
        },
        movements: BTreeMap::new(),
    };
    let change = PaymentChange::Dispute("du_1".to_owned().into(), report);
    InvoiceChange::Payment("pi_1".to_owned().into(), change)
}

fn state() -> impl Strategy<Value = InvoiceState> {
    prop_oneof![
        Just(InvoiceState::Draft),
        Just(InvoiceState::Open),
        Just(InvoiceState::Uncollectible),
        Just(InvoiceState::Void),
        Just(InvoiceState::Paid),
    ]
}

fn change() -> impl Strategy<Value = InvoiceChange> {
    let trouble = prop_oneof![Just(Trouble::Failed), Just(Trouble::ActionRequired)];
    prop_oneof![
        4 => (state(), 0_u32..4).prop_map(|(state, n)| InvoiceChange::Seen(report(state, n))),
        2 => (1_u32..4, trouble).prop_map(|(n, trouble)| InvoiceChange::Seen(troubled(n, trouble))),
        1 => Just(refund(RefundState::Pending, 900)),
        1 => Just(refund(RefundState::Succeeded, 900)),
        1 => Just(refund(RefundState::Failed, 900)),
    ]
}

/// What an invoice comes to after these changes, the first of which shows it.
fn after(changes: &[InvoiceChange]) -> Invoice {
    let first = changes.iter().find_map(|change| match change {
        InvoiceChange::Seen(report) => Some(report),
        InvoiceChange::Payment(..) => None,
    });
    let mut invoice = begun(first.unwrap_or(&report(InvoiceState::Draft, 0)));
    for change in changes {
        invoice.record(change.clone(), false);
    }
    invoice
}

/// What must not depend on the order of reports.
fn told(invoice: &Invoice) -> impl PartialEq + std::fmt::Debug + use<> {
    let payment = invoice.payment();
    let letters = invoice.mails.iter().filter(|mail| !mail.is_progress());
    (
        (
            invoice.status(),
            invoice.bill().clone(),
            invoice.attention(),
        ),
        (invoice.troubles.clone(), invoice.intents.clone()),
        (payment.refunds().clone(), invoice.accounts()),
        letters.cloned().collect::<Vec<_>>(),
    )
}

/// Changes that begin with a report, in two orders, the second with each twice.
fn orders() -> impl Strategy<Value = (Vec<InvoiceChange>, Vec<InvoiceChange>)> {
    let begin = report(InvoiceState::Draft, 0);
    let changes = prop::collection::vec(change(), 0..8);
    changes.prop_flat_map(move |mut changes| {
        changes.push(InvoiceChange::Seen(begin.clone()));
        let twice: Vec<_> = changes.iter().chain(&changes).cloned().collect();
        (Just(changes), Just(twice).prop_shuffle())
    })
}

proptest! {
    #[test]
    fn an_invoice_is_the_same_in_whichever_order_and_however_often_it_is_reported(
        (changes, shuffled) in orders()
    ) {
        prop_assert_eq!(told(&after(&changes)), told(&after(&shuffled)));
    }

    #[test]
    fn a_report_seen_before_is_not_news((changes, _) in orders()) {
        let mut invoice = after(&changes);
        let before = invoice.clone();
        for change in changes {
            prop_assert_eq!(invoice.record(change, false), None);
        }
        prop_assert_eq!(invoice, before);
    }

    #[test]
    fn each_mail_is_ordered_once_and_only_progress_is_ever_taken_back((_, changes) in orders()) {
        let mut invoice = begun(&report(InvoiceState::Draft, 0));
        let (mut ordered, mut taken_back) = (BTreeSet::new(), BTreeSet::new());
        for change in changes {
            let letters = invoice.record(change, false).unwrap_or_default();
            for mail in letters.due {
                prop_assert!(ordered.insert(mail));
            }
            for mail in letters.superseded {
                prop_assert!(mail.is_progress());
                prop_assert!(taken_back.insert(mail));
            }
        }
        for mail in ordered {
            prop_assert_eq!(Mail::try_from(mail.to_string()), Ok(mail));
        }
    }

    #[test]
    fn an_invoice_rebuilt_from_its_facts_is_the_same_invoice((changes, _) in orders()) {
        let invoice = after(&changes);
        let (of, id) = (invoice.subscription().clone(), invoice.id().clone());
        prop_assert_eq!(Snapshot::of(&invoice).restore(of, id), invoice);
    }

    #[test]
    fn an_invoice_both_paid_and_void_stands_as_paid_and_is_in_doubt((changes, _) in orders()) {
        let invoice = after(&changes);
        let both = invoice.is_contradictory();
        prop_assert_eq!(invoice.attention().contains(&Attention::PaidAndVoid), both);
        prop_assert!(!both || invoice.state() == InvoiceState::Paid);
        prop_assert!(!both || invoice.payment().doubts() > 0);
        prop_assert_eq!(invoice.next_check(7) == Some(7), invoice.payment().doubts() > 0);
    }
}

#[test]
fn a_renewal_that_fails_is_told_and_taken_back_once_it_is_paid() {
    let mut invoice = seen(report(InvoiceState::Open, 0));
    let failed = InvoiceChange::Seen(troubled(1, Trouble::Failed));
    let told = invoice.record(failed, false).unwrap();
    assert_eq!(told.due, [Mail::PaymentFailed(1)].into());
    // The same attempt: it failed because the buyer has to act.
    let action = InvoiceChange::Seen(troubled(1, Trouble::ActionRequired));
    let told = invoice.record(action, false).unwrap();
    assert_eq!(told.due, [Mail::ActionRequired(1)].into());
    assert_eq!(told.superseded, [Mail::PaymentFailed(1)].into());
    let paid = InvoiceChange::Seen(report(InvoiceState::Paid, 2));
    let told = invoice.record(paid, false).unwrap();
    assert_eq!(told.due, [Mail::Paid].into());
    assert_eq!(told.superseded, [Mail::ActionRequired(1)].into());
    // Heard of too late.
    let late = InvoiceChange::Seen(troubled(2, Trouble::Failed));
    let told = invoice.record(late, false);
    assert!(told.is_some_and(|told| told.due.is_empty()));
}

#[test]
fn once_the_subscription_is_over_nobody_is_asked_to_pay_for_it_any_more() {
    for trouble in [Trouble::Failed, Trouble::ActionRequired] {
        let failed = |attempts| InvoiceChange::Seen(troubled(attempts, trouble));
        let mut late = seen(report(InvoiceState::Open, 0));
        assert!(late.record(failed(1), true).unwrap().due.is_empty());
        let mut early = seen(report(InvoiceState::Open, 0));
        let asked = early.record(failed(1), false).unwrap().due;
        assert_eq!(asked.len(), 1);
        let taken_back = early.record(failed(2), true).unwrap();
        assert!(taken_back.due.is_empty());
        assert_eq!(taken_back.superseded, asked);
    }
    // What was paid has a receipt all the same.
    let mut paid = seen(report(InvoiceState::Open, 1));
    let change = InvoiceChange::Seen(report(InvoiceState::Paid, 2));
    assert_eq!(paid.record(change, true).unwrap().due, [Mail::Paid].into());
}

#[test]
fn the_first_invoice_sends_no_receipt_because_the_welcome_is_one() {
    let mut first = report(InvoiceState::Paid, 1);
    first.bill.reason = Reason::First;
    assert!(seen(first).mails.is_empty());
    // Nor does one of nothing, as in a trial.
    assert!(
        seen(InvoiceReport {
            bill: bill(0),
            ..report(InvoiceState::Paid, 0)
        })
        .mails
        .is_empty()
    );
}

#[test]
fn a_refund_of_an_invoice_shows_in_its_status_and_is_told() {
    let mut invoice = seen(report(InvoiceState::Paid, 1));
    let refunded = refund(RefundState::Succeeded, 400);
    let told = invoice.record(refunded, false).unwrap();
    assert_eq!(told.due, [Mail::Refund("re_1".to_owned().into())].into());
    assert_eq!(invoice.status(), InvoiceStatus::PartiallyRefunded);
    assert!(invoice.stands());
    invoice.record(refund(RefundState::Succeeded, 900), false);
    assert_eq!(invoice.status(), InvoiceStatus::Refunded);
    assert!(!invoice.stands());
    assert_eq!(invoice.accounts().net, usd(0));
}
