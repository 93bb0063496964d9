//! Purchases that were lost, and rebuilt from what Stripe says of them.

use reconcile::Limits;
use testing::{ADA, TestApp, eventually, now, of_type, text};

use crate::operator::TILL;

/// `till purchases confirm`
async fn confirm(shop: &TestApp, ids: &[&str]) {
    let mut till = shop.till(TILL);
    till.args(["purchases", "confirm", "--yes"])
        .args(ids)
        .args(shop.ports());
    assert!(till.status().await.unwrap().success());
}

#[tokio::test]
async fn a_table_that_was_lost_comes_back_at_a_persons_word_and_mails_nobody_before_another() {
    let lost = TestApp::start().await;
    let checkout = lost.paid().await;
    let lines = lost.purchase(&checkout.purchase).await["lines"].clone();
    lost.mails(1).await;
    let (tag, then) = (lost.tag(), now());
    eventually(async || (now() > then).then_some(())).await;

    // In its place, but with nothing of it.
    let shop = TestApp::beside(&lost, &[("TILL_STACK", &tag)]).await;
    assert_eq!(shop.tag(), tag);
    assert_eq!(shop.reconcile().await.found, 0, "it is no older than that");
    assert!(shop.stored_purchases().await.is_empty());

    let limits = Limits {
        since: Some(then - 24 * 3600),
        ..Limits::default()
    };
    let run = shop.reconciler().await.run(limits, |_| {}).await.unwrap();
    assert_eq!(run.found, 1, "{run:?}");
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["status"], "paid");
    assert_eq!(purchase["lines"], lines);
    assert_eq!(shop.attention(&checkout.purchase).await, ["rebuilt"]);
    shop.mailer().await;
    shop.mails(0).await;

    let ids = [checkout.purchase.as_str()];
    confirm(&shop, &ids).await;
    shop.mailer().await;
    shop.mails(1).await;
    assert!(shop.attention(&checkout.purchase).await.is_empty());
    // From now on it is a purchase like any other.
    shop.refund(&checkout, Some(500)).await;
    shop.reconcile().await;
    shop.mails(2).await;
    confirm(&shop, &ids).await;
    shop.mailer().await;
    shop.mails(2).await;
}

#[tokio::test]
async fn a_held_mail_tells_what_was_learnt_of_the_purchase_after_it_was_written() {
    let shop = TestApp::start().await;
    let (checkout, _) = shop.paid_unheard().await;
    let name = shop.purchase(&checkout.purchase).await["lines"][0]["name"].clone();
    shop.refund(&checkout, Some(500)).await;
    let events = shop.events_of_payment(&checkout).await;
    shop.lose_purchase(&checkout.purchase).await;
    // A refund's event says neither who bought nor what; reconcile asks for the session.
    let refund = of_type(&events, "refund.created");
    assert_eq!(shop.receipt(refund).await, "recorded");
    shop.reconcile().await;
    shop.mailer().await;
    assert!(
        shop.published().await.is_empty(),
        "it may be another shop's"
    );
    confirm(&shop, &[&checkout.purchase]).await;
    shop.mailer().await;
    let events = shop.published().await;
    let mut types: Vec<_> = events.iter().map(|it| text(it, "detail-type")).collect();
    types.sort();
    assert_eq!(types, ["purchase.paid", "purchase.refunded"]);
    for event in &events {
        let told = &event["detail"]["purchase"];
        assert_eq!(told["lines"][0]["name"], name, "{event}");
        assert!(told["buyer"]["subject"].is_string(), "{event}");
    }
    let mails = shop.mails(2).await;
    let mail = mails
        .iter()
        .find(|mail| text(mail, "subject").contains("refund"));
    let mail = mail.unwrap_or_else(|| panic!("{mails:?}"));
    let subject = format!("[test, for {ADA}] Your refund");
    assert!(text(mail, "subject").starts_with(&subject), "{mail}");
    assert!(text(mail, "text").contains(name.as_str().unwrap()));
}
