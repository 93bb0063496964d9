//! Payments that are late, free, long or made twice.

use serde_json::Value;
use testing::{BOB, CARD, Checkout, TestApp, cart, eventually, of_type, text};

use super::DAY;

/// 4. A delayed payment succeeds before the session's completion is heard of; another fails days
///    after it.
#[tokio::test]
async fn a_delayed_payment_ends_as_the_bank_says_however_early_or_late_that_is_heard() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    let early = shop.open().await;
    shop.pay_by_bank(&early).await.expect(303);
    shop.control(&format!("sessions/{}/succeed", early.session()), &[])
        .await;
    let events = shop.events_of(early.session()).await;
    let succeeded = of_type(&events, "checkout.session.async_payment_succeeded");
    assert_eq!(shop.receipt(succeeded).await, "recorded");
    let completed = of_type(&events, "checkout.session.completed");
    assert_eq!(shop.receipt(completed).await, "nothing new");
    assert_eq!(shop.status(&early.purchase).await, "paid");
    assert_eq!(shop.effects(&early.purchase).await, ["paid"]);

    let late = shop.open().await;
    shop.pay_by_bank(&late).await.expect(303);
    let completed = shop.events_of(late.session()).await.remove(0);
    assert_eq!(shop.receipt(&completed).await, "recorded");
    assert_eq!(shop.status(&late.purchase).await, "pending");
    shop.mails(2).await;
    shop.control("clock", &[("advance", &(5 * DAY).to_string())])
        .await;
    shop.control(&format!("sessions/{}/fail", late.session()), &[])
        .await;
    let failed = shop.events_of(late.session()).await;
    let failed = of_type(&failed, "checkout.session.async_payment_failed");
    assert_eq!(shop.receipt(failed).await, "recorded");
    assert_eq!(shop.receipt(&completed).await, "seen before");
    assert_eq!(shop.status(&late.purchase).await, "failed");
    assert_eq!(shop.effects(&late.purchase).await, ["failed", "pending"]);
    shop.mails(3).await;
}

/// 5. There is nothing to pay, so no payment intent; and a cart so long that an event shows only
///    part of it.
#[tokio::test]
async fn a_free_purchase_and_one_of_ninety_lines_are_fulfilled_whole() {
    let shop = TestApp::start().await;
    let free = shop.open().await;
    shop.pay_nothing(&free).await.expect(303);
    shop.until_status(&free.purchase, "paid").await;
    let session = shop.session(free.session()).await;
    assert_eq!(session["payment_intent"], Value::Null);
    assert_eq!(session["payment_status"], "no_payment_required");
    let purchase = shop.purchase(&free.purchase).await;
    assert_eq!(purchase["total"]["amount"], 1500);
    assert_eq!(shop.money(&free.purchase).await, [0, 0, 0, 0]);
    assert!(purchase.get("attention").is_none(), "{purchase}");
    let receipt = text(&shop.mails(1).await[0], "text");
    assert!(receipt.contains("nothing to pay"), "{receipt}");

    let ids: Vec<_> = (0..90).map(|number| format!("mug-{number:02}")).collect();
    for id in &ids {
        shop.sell_mug_for(id, 100).await;
    }
    let items: Vec<_> = ids.iter().map(|id| (id.as_str(), 2)).collect();
    let long = Checkout::of(&shop.checkout(&cart(&items)).await);
    shop.pay(&long, CARD).await.expect(303);
    shop.until_status(&long.purchase, "paid").await;
    let path = format!("checkout/sessions/{}/line_items?limit=100", long.session());
    let lines = shop.at_stripe(&path).await;
    assert_eq!(lines["data"].as_array().unwrap().len(), 90);
    let purchase = shop.purchase(&long.purchase).await;
    let bought: Vec<_> = purchase["lines"].as_array().unwrap().iter().collect();
    assert_eq!(bought.len(), 90);
    assert_eq!(shop.money(&long.purchase).await, [18_000, 0, 0, 18_000]);
    let receipt = text(&shop.mails(2).await[0], "text");
    assert_eq!(receipt.matches("Stoneware mug").count(), 90);
}

/// A purchase with two sessions that can be paid: of the first the shop never heard, and when the
/// request was repeated it was too late to repeat the call.
async fn two_sessions(shop: &TestApp, key: &str, product: &str) -> (Checkout, Checkout) {
    let cart = cart(&[(product, 1)]);
    // However often it is asked: the same key, the same session, and no answer.
    shop.stripe_fails(&[("fault", "hang_up"), ("times", "0")])
        .await;
    shop.checkout_as(key, &cart).await.expect(504);
    shop.stripe_is_well().await;
    let unknown = shop.at_stripe("checkout/sessions?limit=1").await;
    let unknown = &unknown["data"][0];
    let first = Checkout {
        purchase: text(unknown, "client_reference_id"),
        url: text(unknown, "url"),
    };
    shop.age(&first.purchase, 5 * 60).await;
    let second = Checkout::of(&shop.checkout_as(key, &cart).await);
    assert_eq!(first.purchase, second.purchase);
    assert_ne!(first.session(), second.session());
    (first, second)
}

/// 6. A purchase of the last unit has two sessions, both of which can be paid.
#[tokio::test]
async fn two_payable_sessions_take_the_last_unit_once_and_a_payment_too_late_is_flagged() {
    let shop = TestApp::start().await;
    shop.sell_limited("one-left", 1).await;
    shop.sell_limited("another-left", 1).await;
    let bob = shop.token(BOB).await;
    let bobs_try = async |product: &str| {
        let body = cart(&[(product, 1)]).to_string();
        shop.post_checkout(Some(&bob), None, body).await
    };

    // Both are paid: one thing was sold, twice.
    let (first, second) = two_sessions(&shop, "one", "one-left").await;
    assert_eq!(shop.stock("one-left").await, Some(0));
    bobs_try("one-left").await.expect(409);
    for session in [&first, &second] {
        shop.pay(session, CARD).await.expect(303);
        shop.until_status(&first.purchase, "paid").await;
    }
    let twice = async || Some(shop.attention(&first.purchase).await).filter(|it| !it.is_empty());
    assert_eq!(eventually(twice).await, ["paid_twice"]);
    assert_eq!(shop.stock("one-left").await, Some(0));
    assert_eq!(shop.effects(&first.purchase).await, ["paid"]);
    assert_eq!(shop.money(&first.purchase).await, [3000, 0, 0, 3000]);

    // The one that is known ends, so the unit is sold to Bob; then the other one is paid.
    let (first, second) = two_sessions(&shop, "two", "another-left").await;
    shop.expire(&second).await;
    shop.until_status(&second.purchase, "expired").await;
    assert_eq!(shop.stock("another-left").await, Some(1));
    bobs_try("another-left").await.expect(201);
    shop.pay(&first, CARD).await.expect(303);
    shop.until_status(&first.purchase, "paid").await;
    assert_eq!(
        shop.attention(&first.purchase).await,
        ["paid_after_stock_returned"]
    );
    assert_eq!(shop.stock("another-left").await, Some(0), "never below");
    shop.mails(2).await;
}
