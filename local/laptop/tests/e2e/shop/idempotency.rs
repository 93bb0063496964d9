use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;
use testing::{Answer, BOB, CARD, Checkout, MUG, TestApp, cart};

#[tokio::test]
async fn the_same_key_and_cart_get_the_same_answer() {
    let shop = TestApp::start().await;
    let mug = cart(&[(MUG, 1)]);
    let first = Checkout::of(&shop.checkout_as("one", &mug).await);
    let second = Checkout::of(&shop.checkout_as("one", &mug).await);
    assert_eq!(first, second);
    assert_eq!(shop.stored_purchases().await, [first.purchase]);
    assert_eq!(shop.sessions().await, 1);
}

#[tokio::test]
async fn the_same_key_still_gets_its_answer_when_the_purchase_is_paid() {
    let shop = TestApp::start().await;
    let mug = cart(&[(MUG, 1)]);
    let first = Checkout::of(&shop.checkout_as("one", &mug).await);
    shop.pay(&first, CARD).await.expect(303);
    shop.until_status(&first.purchase, "paid").await;
    let second = Checkout::of(&shop.checkout_as("one", &mug).await);
    assert_eq!(first, second);
    assert_eq!(shop.sessions().await, 1);
}

#[tokio::test]
async fn without_a_key_every_request_is_a_purchase() {
    let shop = TestApp::start().await;
    let (first, second) = (shop.open().await, shop.open().await);
    assert_ne!(first.purchase, second.purchase);
    assert_ne!(first.url, second.url);
}

/// Twenty at once may find the first still at work: then they are told when to come again.
#[tokio::test]
async fn twenty_at_once_with_one_key_are_one_purchase() {
    let shop = TestApp::start().await;
    shop.ada().await;
    let mug = cart(&[(MUG, 1)]);
    let answers = join_all((0..20).map(|_| shop.checkout_as("one", &mug))).await;
    let (opened, waiting): (Vec<Answer>, Vec<Answer>) =
        answers.into_iter().partition(|answer| answer.is(201));
    for answer in waiting {
        let answer = answer.expect(409);
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    let purchases: BTreeSet<_> = opened
        .iter()
        .map(|answer| Checkout::of(answer).purchase)
        .collect();
    assert_eq!(purchases.len(), 1, "{opened:#?}");
    let urls: BTreeSet<_> = opened
        .iter()
        .map(|answer| Checkout::of(answer).url)
        .collect();
    assert_eq!(urls.len(), 1, "{opened:#?}");
    assert_eq!(shop.stored_purchases().await.len(), 1);
    assert_eq!(shop.sessions().await, 1);
    let again = Checkout::of(&shop.checkout_as("one", &mug).await);
    assert!(purchases.contains(&again.purchase) && urls.contains(&again.url));
}

#[tokio::test]
async fn the_same_key_with_another_cart_is_refused() {
    let shop = TestApp::start().await;
    let first = Checkout::of(&shop.checkout_as("one", &cart(&[(MUG, 1)])).await);
    let answer = shop.checkout_as("one", &cart(&[(MUG, 2)])).await;
    let problem = answer.expect(409).problem();
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("Idempotency-Key"),
        "{problem}"
    );
    assert_eq!(shop.stored_purchases().await, [first.purchase]);
    assert_eq!(shop.sessions().await, 1);
}

#[tokio::test]
async fn another_buyers_same_key_is_another_purchase() {
    let shop = TestApp::start().await;
    let bob = shop.token(BOB).await;
    let mug = cart(&[(MUG, 1)]);
    let adas = Checkout::of(&shop.checkout_as("one", &mug).await);
    let bobs = shop
        .post_checkout(Some(&bob), Some("one"), mug.to_string())
        .await;
    let bobs = Checkout::of(&bobs);
    assert_ne!(adas.purchase, bobs.purchase);
    assert_ne!(adas.url, bobs.url);
    shop.purchases_of(&bob, &format!("/{}", adas.purchase))
        .await
        .expect(404);
}

#[tokio::test]
async fn a_retry_keeps_the_price_of_the_first_try() {
    let shop = TestApp::start().await;
    shop.sell_mug_for("promo-mug", 1000).await;
    let promo = cart(&[("promo-mug", 1)]);
    shop.stripe_fails(&[("status", "500")]).await;
    shop.checkout_as("one", &promo).await.expect(502);
    shop.sell_mug_for("promo-mug", 2000).await;
    let checkout = Checkout::of(&shop.checkout_as("one", &promo).await);
    let session = shop.session(checkout.session()).await;
    assert_eq!(session["amount_total"], 1000);
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(
        purchase["total"],
        json!({ "amount": 1000, "currency": "usd" })
    );
}

#[tokio::test]
async fn the_key_of_an_expired_purchase_can_be_used_again() {
    let shop = TestApp::start().await;
    let mug = cart(&[(MUG, 1)]);
    let first = Checkout::of(&shop.checkout_as("one", &mug).await);
    shop.expire(&first).await;
    shop.until_status(&first.purchase, "expired").await;
    let second = Checkout::of(&shop.checkout_as("one", &mug).await);
    assert_ne!(first.purchase, second.purchase);
    let again = Checkout::of(&shop.checkout_as("one", &mug).await);
    assert_eq!(again, second);
    assert_eq!(shop.status(&second.purchase).await, "open");
}

/// A session's 23 hours, and a little more.
const OVER: i64 = 24 * 3600;

#[tokio::test]
async fn the_key_of_a_purchase_whose_time_is_over_can_be_used_again_even_while_events_are_late() {
    let shop = TestApp::start().await;
    shop.sell_limited("one-lamp", 1).await;
    shop.hold_deliveries().await;
    let lamp = cart(&[("one-lamp", 1)]);
    let first = Checkout::of(&shop.checkout_as("one", &lamp).await);
    shop.expire(&first).await;
    // As far as the shop knows, it can be paid.
    assert_eq!(Checkout::of(&shop.checkout_as("one", &lamp).await), first);
    shop.age(&first.purchase, OVER).await;
    // The last lamp is the first purchase's, and goes over to the second.
    let second = Checkout::of(&shop.checkout_as("one", &lamp).await);
    assert_ne!(first.purchase, second.purchase);
    assert_ne!(first.url, second.url);
    assert_eq!(Checkout::of(&shop.checkout_as("one", &lamp).await), second);
    assert_eq!(shop.status(&first.purchase).await, "expired");
    assert_eq!(shop.stock("one-lamp").await, Some(0));
    for event in shop.events_of(first.session()).await {
        assert_eq!(shop.receipt(&event).await, "nothing new");
    }
    assert_eq!(shop.stock("one-lamp").await, Some(0));
}

#[tokio::test]
async fn what_was_paid_in_its_last_second_is_not_sold_again_under_its_key() {
    let shop = TestApp::start().await;
    let mug = cart(&[(MUG, 1)]);
    shop.hold_deliveries().await;
    let first = Checkout::of(&shop.checkout_as("one", &mug).await);
    shop.pay(&first, CARD).await.expect(303);
    shop.age(&first.purchase, OVER).await;
    assert_eq!(Checkout::of(&shop.checkout_as("one", &mug).await), first);
    assert_eq!(shop.sessions().await, 1);
    assert_eq!(shop.stored_purchases().await, [first.purchase.as_str()]);
    assert_eq!(shop.status(&first.purchase).await, "paid");
    // Nor while Stripe does not say what became of it.
    let second = Checkout::of(&shop.checkout_as("two", &mug).await);
    shop.age(&second.purchase, OVER).await;
    let away = [("path", "/v1/*"), ("status", "500"), ("times", "0")];
    shop.control("faults", &away).await;
    shop.checkout_as("two", &mug).await.expect(502).problem();
    shop.stripe_is_well().await;
    assert_eq!(Checkout::of(&shop.checkout_as("two", &mug).await), second);
}
