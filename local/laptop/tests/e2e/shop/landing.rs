//! The buyer comes back and looks at their purchase: Stripe is asked if no event has come.

use std::time::{Duration, Instant};

use futures::future::join_all;
use testing::{CARD, Checkout, TestApp, cart, of_type};

/// Stripe is not asked earlier than this, nor again within this time.
const APART: i64 = 10;
/// A little more than the hour after which reconcile looks at an open purchase.
const AN_HOUR: i64 = 3700;

/// Ada's purchase, paid a while ago, of which Stripe never made an event.
async fn paid_in_silence(shop: &TestApp) -> Checkout {
    shop.control("faults", &[("fault", "no_event"), ("times", "0")])
        .await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.age(&checkout.purchase, 2 * APART).await;
    checkout
}

#[tokio::test]
async fn a_buyer_who_comes_back_sees_the_payment_though_stripe_made_no_event() {
    let shop = TestApp::start().await;
    let checkout = paid_in_silence(&shop).await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["status"], "paid");
    assert!(purchase.get("payment").is_none(), "{purchase}");
    assert_eq!(shop.history().await, [checkout.purchase.as_str()]);
    assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);
    shop.mails(1).await;
}

#[tokio::test]
async fn an_event_that_comes_after_the_buyer_does_is_nothing_new() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    shop.age(&checkout.purchase, 2 * APART).await;
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    assert_eq!(shop.receipt(&event).await, "nothing new");
    assert_eq!(shop.receipt(&event).await, "seen before");
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    shop.mails(1).await;
}

#[tokio::test]
async fn the_event_and_two_buyers_pages_at_once_are_one_payment() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    shop.age(&checkout.purchase, 2 * APART).await;
    let looks = join_all((0..2).map(|_| shop.purchase(&checkout.purchase)));
    let (_, delivered) = tokio::join!(looks, shop.deliver(&event));
    delivered.expect(200);
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);
    shop.mails(1).await;
}

#[tokio::test]
async fn an_expired_session_is_noticed_too_and_its_stock_is_returned() {
    let shop = TestApp::start().await;
    shop.sell_limited("one-lamp", 1).await;
    shop.hold_deliveries().await;
    let checkout = Checkout::of(&shop.checkout(&cart(&[("one-lamp", 1)])).await);
    shop.expire(&checkout).await;
    shop.age(&checkout.purchase, 2 * APART).await;
    assert_eq!(shop.status(&checkout.purchase).await, "expired");
    assert_eq!(shop.stock("one-lamp").await, Some(1));
    let events = shop.events_of(checkout.session()).await;
    let expired = of_type(&events, "checkout.session.expired");
    assert_eq!(shop.receipt(expired).await, "nothing new");
    assert_eq!(shop.stock("one-lamp").await, Some(1));
}

#[tokio::test]
async fn however_many_look_stripe_is_asked_once_in_ten_seconds() {
    let (shop, calls) = TestApp::counting("PurchasesFunction").await;
    let asked = || {
        let calls = calls.take().into_iter();
        let asked = calls.filter(|(call, _)| call.starts_with("Stripe"));
        asked.map(|(_, times)| times).sum::<usize>()
    };
    let checkout = shop.open().await;
    assert_eq!(shop.status(&checkout.purchase).await, "open");
    assert_eq!(asked(), 0, "nobody pays within seconds");
    shop.age(&checkout.purchase, 2 * APART).await;
    let looks = join_all((0..20).map(|_| shop.status(&checkout.purchase))).await;
    assert!(looks.iter().all(|status| status == "open"), "{looks:?}");
    assert_eq!(asked(), 1);
    shop.age_look(&checkout.purchase, APART).await;
    shop.status(&checkout.purchase).await;
    assert_eq!(asked(), 1);
    // Stripe is no longer asked about what is decided, and lists never ask.
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    asked();
    shop.age_look(&checkout.purchase, APART).await;
    shop.status(&checkout.purchase).await;
    shop.history().await;
    shop.open_purchases().await;
    assert_eq!(asked(), 0);
}

#[tokio::test]
async fn while_stripe_is_down_the_buyer_sees_what_is_known() {
    let shop = TestApp::start().await;
    let checkout = paid_in_silence(&shop).await;
    let path = format!("/v1/checkout/sessions/{}", checkout.session());
    for fault in ["error", "rate_limit", "hang_up"] {
        let fault = [("fault", fault), ("path", &path), ("times", "0")];
        shop.control("faults", &fault).await;
        assert_eq!(shop.status(&checkout.purchase).await, "open");
        shop.stripe_is_well().await;
        // They look again, a little later.
        shop.age_look(&checkout.purchase, APART).await;
    }
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    shop.mails(1).await;
}

#[tokio::test]
async fn a_slow_stripe_keeps_the_buyer_waiting_for_seconds_at_most() {
    let shop = TestApp::start().await;
    let checkout = paid_in_silence(&shop).await;
    let path = format!("/v1/checkout/sessions/{}", checkout.session());
    let slow = [("fault", "slow"), ("delay_ms", "15000"), ("path", &path)];
    shop.control("faults", &slow).await;
    let begun = Instant::now();
    assert_eq!(shop.status(&checkout.purchase).await, "open");
    assert!(
        begun.elapsed() < Duration::from_secs(12),
        "{:?}",
        begun.elapsed()
    );
    shop.age_look(&checkout.purchase, APART).await;
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
}

#[tokio::test]
async fn reconcile_looks_at_an_open_purchase_after_an_hour_if_its_buyer_does_not_come_back() {
    let shop = TestApp::start().await;
    let checkout = paid_in_silence(&shop).await;
    let unpaid = shop.open().await;
    assert_eq!(shop.reconcile().await.purchases, 0);
    for checkout in [&checkout, &unpaid] {
        shop.age(&checkout.purchase, AN_HOUR).await;
    }
    let findings = shop.reconcile().await;
    assert_eq!((findings.purchases, findings.found), (2, 1), "{findings:?}");
    assert_eq!(shop.history().await, [checkout.purchase.as_str()]);
    shop.mails(1).await;
    // The other is looked at once more, at its end.
    assert_eq!(shop.reconcile().await.purchases, 0);
    shop.age(&unpaid.purchase, 24 * 3600).await;
    assert_eq!(shop.reconcile().await.purchases, 1);
}
