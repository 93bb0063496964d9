//! Stripe fails, refuses or does not answer. Buyers are told so in our own words, and a retry of the
//! same request carries on where the first one stopped.

use futures::future::join_all;
use testing::{Answer, CARD, Checkout, MUG, TestApp, cart};

/// The answer is a problem in our own words.
#[track_caller]
fn in_our_words(answer: &Answer) {
    answer.problem();
    for inner in [
        "stand-in",
        "fault switch",
        "req_",
        "cs_test",
        "sk_test",
        "rate_limit",
        "lock_timeout",
        "api_error",
        "idempotency key",
        "127.0.0.1",
    ] {
        assert!(!answer.text.contains(inner), "{inner} in {}", answer.text);
    }
}

/// Nobody's history holds a purchase that cannot be paid, and a retry makes it one that can.
async fn goes_on(shop: &TestApp) {
    assert!(shop.history().await.is_empty());
    shop.mails(0).await;
    let checkout = Checkout::of(&shop.checkout_as("one", &cart(&[(MUG, 1)])).await);
    assert_eq!(shop.stored_purchases().await, [checkout.purchase.as_str()]);
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    shop.mails(1).await;
}

#[tokio::test]
async fn after_a_5xx_a_retry_opens_the_same_purchase() {
    for status in ["500", "502", "503"] {
        let shop = TestApp::start().await;
        shop.stripe_fails(&[("status", status)]).await;
        let answer = shop.checkout_as("one", &cart(&[(MUG, 1)])).await;
        in_our_words(&answer.expect(502));
        goes_on(&shop).await;
        assert_eq!(shop.sessions().await, 1);
    }
}

#[tokio::test]
async fn a_busy_stripe_is_asked_again_at_once() {
    for status in ["429", "409"] {
        let shop = TestApp::start().await;
        shop.stripe_fails(&[("status", status)]).await;
        let mug = cart(&[(MUG, 1)]);
        Checkout::of(&shop.checkout_as("one", &mug).await);
        assert_eq!(shop.sessions().await, 1);
    }
}

#[tokio::test]
async fn a_stripe_that_stays_busy_is_503_with_retry_after() {
    for status in ["429", "409"] {
        let shop = TestApp::start().await;
        // No more than a function's deadline leaves time for.
        let fault = [("status", status), ("times", "100")];
        shop.stripe_fails(&fault).await;
        let answer = shop.checkout_as("one", &cart(&[(MUG, 1)])).await;
        let answer = answer.expect(503);
        let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!(seconds >= 1);
        in_our_words(&answer);
        assert!(shop.history().await.is_empty());
        shop.stripe_recovers().await;
        assert_eq!(shop.sessions().await, 0);
        goes_on(&shop).await;
    }
}

#[tokio::test]
async fn a_stripe_that_does_not_answer_is_504_and_a_retry_gets_the_session_it_had_made() {
    let shop = TestApp::start().await;
    shop.stripe_fails(&[("delay_ms", "60000"), ("times", "8")])
        .await;
    let answer = shop.checkout_as("one", &cart(&[(MUG, 1)])).await;
    let answer = answer.expect(504);
    in_our_words(&answer);
    shop.stripe_recovers().await;
    let sessions = shop.sessions().await;
    assert_eq!(sessions, 1, "Stripe did its work, though nobody heard");
    goes_on(&shop).await;
    assert_eq!(shop.sessions().await, sessions);
}

#[tokio::test]
async fn a_final_refusal_abandons_the_purchase_and_leaves_it_out_of_the_history() {
    for status in ["400", "402"] {
        let shop = TestApp::start().await;
        shop.stripe_fails(&[("status", status)]).await;
        let answer = shop.checkout_as("one", &cart(&[(MUG, 1)])).await;
        in_our_words(&answer.expect(502));
        assert!(shop.history().await.is_empty());
        for purchase in shop.stored_purchases().await {
            assert_eq!(shop.status(&purchase).await, "abandoned", "after {status}");
        }
        // Whoever tries again gets a new purchase, under the same key or another.
        let same = Checkout::of(&shop.checkout_as("one", &cart(&[(MUG, 1)])).await);
        let other = Checkout::of(&shop.checkout_as("two", &cart(&[(MUG, 1)])).await);
        assert_ne!(same.purchase, other.purchase);
        shop.pay(&same, CARD).await.expect(303);
        shop.until_status(&same.purchase, "paid").await;
        assert_eq!(shop.history().await, [same.purchase.as_str()]);
        let again = Checkout::of(&shop.checkout_as("one", &cart(&[(MUG, 1)])).await);
        assert_eq!(again, same);
    }
}

/// Stripe refuses a key before it looks at idempotency keys, so an earlier call whose answer got
/// lost may have opened a session all the same.
#[tokio::test]
async fn a_refused_key_of_ours_ends_no_purchase() {
    for status in ["401", "403"] {
        let shop = TestApp::start().await;
        shop.stripe_fails(&[("status", status)]).await;
        let answer = shop.checkout_as("one", &cart(&[(MUG, 1)])).await;
        in_our_words(&answer.expect(502));
        let purchases = shop.stored_purchases().await;
        let again = Checkout::of(&shop.checkout_as("one", &cart(&[(MUG, 1)])).await);
        assert_eq!(purchases, [again.purchase.as_str()], "after {status}");
        shop.pay(&again, CARD).await.expect(303);
        shop.until_status(&again.purchase, "paid").await;
    }
}

#[tokio::test]
async fn twenty_at_once_with_one_key_are_one_purchase_though_stripe_fails_at_first() {
    let shop = TestApp::start().await;
    shop.ada().await;
    shop.stripe_fails(&[("status", "500")]).await;
    let mug = cart(&[(MUG, 1)]);
    let answers = join_all((0..20).map(|_| shop.checkout_as("one", &mug))).await;
    let again = Checkout::of(&shop.checkout_as("one", &mug).await);
    for answer in &answers {
        match answer.status.as_u16() {
            201 => assert_eq!(Checkout::of(answer), again),
            502 | 503 => in_our_words(answer),
            _ => panic!("{answer:?}"),
        }
    }
    assert_eq!(shop.stored_purchases().await, [again.purchase]);
    assert_eq!(shop.sessions().await, 1);
}

/// Two requests with one key: Stripe refuses the first and, as the second has to wait for it, opens
/// the second's session.
#[tokio::test]
async fn a_refusal_does_not_part_the_key_from_the_purchase_that_its_twin_has_opened() {
    let shop = TestApp::start().await;
    shop.ada().await;
    shop.stripe_fails(&[("status", "400"), ("delay_ms", "600")])
        .await;
    let mug = cart(&[(MUG, 1)]);
    let second = async {
        shop.stripe_struck().await;
        shop.checkout_as("one", &mug).await
    };
    let (first, second) = tokio::join!(shop.checkout_as("one", &mug), second);
    in_our_words(&first.expect(502));
    let second = Checkout::of(&second);
    assert_eq!(shop.status(&second.purchase).await, "open");
    let again = Checkout::of(&shop.checkout_as("one", &mug).await);
    assert_eq!(again, second);
    assert_eq!(shop.sessions().await, 1);
}
