//! DynamoDB has a bad day at one of a request's steps. The faults are struck by the shop's own AWS
//! endpoint, so these tests run on a borrowed engine, too.

use testing::{Answer, CARD, Checkout, MUG, TestApp, cart};

/// What DynamoDB may answer instead of doing its work.
const REFUSALS: [&str; 4] = ["throttle", "conflict", "error", "down"];

#[track_caller]
fn our_fault(answer: &Answer) {
    assert!(answer.status.is_server_error(), "{}", answer.text);
    answer.problem();
    for inner in [
        "Dynamo",
        "Throughput",
        "Transaction",
        "PurchasesTable",
        "ProductsTable",
    ] {
        assert!(!answer.text.contains(inner), "{inner} in {}", answer.text);
    }
    if answer.is(503) {
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
}

/// One purchase, one session, which a retry opens and its buyer can pay.
async fn goes_on(shop: &TestApp) {
    shop.aws_recovers().await;
    assert!(shop.history().await.is_empty());
    let mug = cart(&[(MUG, 1)]);
    let checkout = Checkout::of(&shop.checkout_as("one", &mug).await);
    let again = Checkout::of(&shop.checkout_as("one", &mug).await);
    assert_eq!(checkout, again);
    assert_eq!(shop.stored_purchases().await, [checkout.purchase.as_str()]);
    assert_eq!(shop.sessions().await, 1);
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    shop.mails(1).await;
}

#[tokio::test]
async fn a_checkout_whose_tables_fail_from_the_start_makes_nothing() {
    for fault in REFUSALS {
        let shop = TestApp::start().await;
        shop.ada().await;
        shop.aws_fails("*", fault, None).await;
        our_fault(&shop.checkout_as("one", &cart(&[(MUG, 1)])).await);
        shop.aws_recovers().await;
        assert!(shop.stored_purchases().await.is_empty(), "{fault}");
        assert_eq!(shop.sessions().await, 0, "{fault}");
        goes_on(&shop).await;
    }
}

#[tokio::test]
async fn a_checkout_whose_purchase_cannot_be_stored_asks_stripe_for_nothing() {
    for fault in REFUSALS {
        let shop = TestApp::start().await;
        shop.aws_fails("TransactWriteItems", fault, None).await;
        our_fault(&shop.checkout_as("one", &cart(&[(MUG, 1)])).await);
        shop.aws_recovers().await;
        assert!(shop.stored_purchases().await.is_empty(), "{fault}");
        assert_eq!(shop.sessions().await, 0, "{fault}");
        goes_on(&shop).await;
    }
}

/// Stripe is slow, and while it works the tables go away: whichever operation stores the session,
/// it fails.
async fn fails_after_stripe(shop: &TestApp, fault: &str) -> Answer {
    shop.ada().await;
    shop.stripe_fails(&[("delay_ms", "1500")]).await;
    let mug = cart(&[(MUG, 1)]);
    let strike = async {
        shop.stripe_struck().await;
        shop.aws_fails("*", fault, None).await;
    };
    let (answer, ()) = tokio::join!(shop.checkout_as("one", &mug), strike);
    answer
}

#[tokio::test]
async fn a_session_that_could_not_be_stored_is_found_again_by_a_retry() {
    for fault in REFUSALS {
        let shop = TestApp::start().await;
        let answer = fails_after_stripe(&shop, fault).await;
        our_fault(&answer);
        shop.aws_recovers().await;
        let stored = shop.stored_purchases().await;
        assert_eq!(stored.len(), 1, "{fault}");
        assert!(shop.history().await.is_empty(), "{fault}");
        goes_on(&shop).await;
        assert_eq!(shop.stored_purchases().await, stored, "{fault}");
    }
}

#[tokio::test]
async fn a_purchase_whose_storing_was_not_heard_of_is_found_again_by_a_retry() {
    let shop = TestApp::start().await;
    shop.aws_fails("TransactWriteItems", "timeout_after", None)
        .await;
    our_fault(&shop.checkout_as("one", &cart(&[(MUG, 1)])).await);
    assert_eq!(shop.stored_purchases().await.len(), 1);
    goes_on(&shop).await;
}

#[tokio::test]
async fn a_purchase_whose_storing_is_heard_of_when_asked_again_is_the_same_purchase() {
    let shop = TestApp::start().await;
    shop.aws_fails("TransactWriteItems", "timeout_after", Some(1))
        .await;
    Checkout::of(&shop.checkout_as("one", &cart(&[(MUG, 1)])).await);
    assert_eq!(shop.aws_recovers().await, serde_json::json!([]));
    assert_eq!(shop.stored_purchases().await.len(), 1);
    assert_eq!(shop.sessions().await, 1);
}

#[tokio::test]
async fn a_passing_conflict_or_throttle_is_not_the_buyers_concern() {
    const READS: [&str; 3] = ["GetItem", "BatchGetItem", "Query"];
    const WRITES: [&str; 3] = ["TransactWriteItems", "PutItem", "UpdateItem"];
    let mut wrong = Vec::new();
    for fault in ["throttle", "error"] {
        for operation in READS.into_iter().chain(WRITES) {
            let shop = TestApp::start().await;
            shop.aws_fails(operation, fault, Some(1)).await;
            let answer = shop.checkout_as("one", &cart(&[(MUG, 1)])).await;
            shop.aws_recovers().await;
            if !answer.is(201) {
                wrong.push(format!("{fault} at {operation}: {}", answer.text));
            }
            assert_eq!(shop.stored_purchases().await.len(), 1);
            assert_eq!(shop.sessions().await, 1);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_passing_conflict_at_an_event_that_tells_nothing_new_is_not_stripes_concern() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    let event = shop.events_of(checkout.session()).await.remove(0);
    shop.deliver(&event).await.expect(200);
    let mut twin: serde_json::Value = serde_json::from_str(&event).unwrap();
    twin["id"] = "evt_twin".into();
    shop.aws_fails("TransactWriteItems", "conflict", Some(1))
        .await;
    shop.deliver(&twin.to_string()).await.expect(200);
    shop.mails(1).await;
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_is_refused_and_recorded_once_when_it_comes_again() {
    for fault in REFUSALS {
        let shop = TestApp::start().await;
        shop.hold_deliveries().await;
        let checkout = shop.open().await;
        shop.pay(&checkout, CARD).await.expect(303);
        let event = shop.events_of(checkout.session()).await.remove(0);
        let before = shop.dump().await;
        for operation in ["TransactWriteItems", "*"] {
            shop.aws_fails(operation, fault, None).await;
            let answer = shop.deliver(&event).await;
            assert!(answer.status.is_server_error(), "{fault}: {}", answer.text);
            shop.aws_recovers().await;
            assert_eq!(shop.dump().await, before, "{fault}");
        }
        for _ in 0..2 {
            shop.deliver(&event).await.expect(200);
        }
        assert_eq!(shop.status(&checkout.purchase).await, "paid");
        shop.mails(1).await;
    }
}

#[tokio::test]
async fn an_event_is_recorded_through_passing_conflicts() {
    for fault in ["throttle", "conflict", "error"] {
        let shop = TestApp::start().await;
        shop.hold_deliveries().await;
        let checkout = shop.open().await;
        shop.pay(&checkout, CARD).await.expect(303);
        let event = shop.events_of(checkout.session()).await.remove(0);
        shop.aws_fails("TransactWriteItems", fault, Some(2)).await;
        shop.deliver(&event).await.expect(200);
        assert_eq!(shop.aws_recovers().await, serde_json::json!([]));
        assert_eq!(shop.status(&checkout.purchase).await, "paid");
        shop.mails(1).await;
    }
}
