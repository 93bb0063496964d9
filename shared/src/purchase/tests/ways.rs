//! What is done here to open or end a purchase, and when that is refused.

use super::*;

#[test]
fn another_attempt_begins_only_in_place_of_the_latest_and_only_while_nobody_can_pay() {
    let mut waiting = purchase();
    assert_eq!(waiting.next_attempt(2, 60), None, "it is at its first");
    assert!(waiting.next_attempt(1, 60).is_some());
    assert_eq!(
        (waiting.attempt.number, waiting.attempt.started_at),
        (2, 60)
    );
    assert_eq!(waiting.next_attempt(1, 90), None, "somebody was faster");
    assert_eq!(
        (waiting.attempt.number, waiting.attempt.started_at),
        (2, 60)
    );

    let mut open = purchase();
    open.attach("cs_1".to_owned().into(), "https://pay.example/cs_1");
    assert_eq!(open.next_attempt(1, 60), None);
    let mut ended = purchase();
    assert!(ended.abandon(1).is_some());
    assert_eq!(ended.next_attempt(1, 60), None);
}

#[test]
fn a_purchase_is_abandoned_once_and_not_if_it_has_a_session_or_another_attempt() {
    let mut open = purchase();
    open.record(session("cs_1", SessionState::Open));
    assert_eq!(open.abandon(1), None);
    let mut retried = purchase();
    retried.next_attempt(1, 60);
    assert_eq!(retried.abandon(1), None);
    assert!(!open.is_abandoned() && !retried.is_abandoned());
    assert!(retried.abandon(2).is_some() && retried.is_abandoned());
    assert_eq!(retried.abandon(2), None);
}

#[test]
fn what_was_fetched_completes_an_order_without_lines_and_changes_no_other() {
    let line = limited_purchase().order.lines.pop().unwrap();
    let other = Line {
        quantity: 2,
        ..line.clone()
    };
    let mut rebuilt = rebuilt();
    assert_eq!(rebuilt.payment.doubts(), 1);
    rebuilt.checked(1, std::slice::from_ref(&line));
    rebuilt.checked(0, &[other]);
    assert_eq!(rebuilt.order.lines, [line]);
    assert_eq!(rebuilt.payment.doubts(), 0);
}

#[test]
fn only_a_rebuilt_purchase_is_confirmed_and_only_once() {
    assert_eq!(purchase().confirm(), None);
    let mut rebuilt = rebuilt();
    assert_eq!(rebuilt.confirm(), Some(Effects::default()));
    assert_eq!(rebuilt.confirm(), None);
}

#[test]
fn only_the_unknown_of_a_rebuilt_purchases_buyer_is_learnt() {
    let buyer = |subject: &str, email: &str| Buyer {
        subject: Some(subject.to_owned()),
        email: Some(email.to_owned()),
        language: None,
    };
    let mut rebuilt = rebuilt();
    rebuilt.order.buyer.subject = Some("ada".to_owned());
    rebuilt.learn_buyer(&buyer("bob", "bob@example.com"));
    assert!(rebuilt.order.buyer == buyer("ada", "bob@example.com"));
    let mut whole = purchase();
    whole.learn_buyer(&buyer("bob", "bob@example.com"));
    assert!(whole.order.buyer == purchase().order.buyer);
}

/// One of which nothing is known but its id and what it came to.
fn rebuilt() -> Purchase {
    let whole = purchase();
    Purchase::rebuilt(whole.id, whole.order.buyer, usd(1500))
}
