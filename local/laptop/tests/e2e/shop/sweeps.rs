//! How reconcile reads Stripe's events again, and looks at what waits.

use std::time::Duration;

use reconcile::Limits;
use testing::{MUG, TestApp, cart};
use tokio::time::Instant;

#[tokio::test]
async fn an_event_that_stripe_lists_late_is_found_as_long_as_its_delivery_is_tried() {
    let shop = TestApp::start().await;
    shop.paid().await;
    shop.reconcile().await;
    // As if later events had been read already.
    let mut place = shop.cursor().await.unwrap();
    let mark = place["high_water"]["N"].as_str().unwrap();
    let mark: i64 = mark.parse().unwrap();
    place["high_water"]["N"] = (mark + 3 * 3600).to_string().into();
    shop.put_item("PurchasesTable", &place).await;
    let (checkout, event) = shop.paid_unheard().await;
    let findings = shop.reconcile().await;
    assert_eq!(findings.found, 1, "{findings:?}");
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    assert_eq!(shop.receipt(&event).await, "seen before");
}

#[tokio::test]
async fn a_run_ends_at_once_if_stripe_refuses_to_list_events_and_the_next_finds_what_it_missed() {
    let shop = TestApp::start().await;
    let (checkout, _) = shop.paid_unheard().await;
    let refused = [("path", "/v1/events"), ("status", "403"), ("times", "0")];
    shop.control("faults", &refused).await;
    let limits = Limits {
        until: Instant::now().checked_add(Duration::from_secs(20)),
        ..Limits::default()
    };
    let reconcile = shop.reconciler().await;
    reconcile.run(limits, |_| {}).await.unwrap_err();
    shop.stripe_is_well().await;
    assert_eq!(shop.reconcile().await.found, 1);
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
}

#[tokio::test]
async fn what_was_read_is_not_read_again_but_for_the_hour_in_which_events_may_come_late() {
    let shop = TestApp::start().await;
    shop.paid().await;
    let first = shop.reconcile().await.events;
    assert!(first > 0);
    assert_eq!(shop.reconcile().await.events, first);
    shop.control("clock", &[("advance", "7200")]).await;
    let later = shop.paid().await;
    shop.reconcile().await;
    let again = shop.reconcile().await.events;
    assert_eq!(again, shop.events_of_payment(&later).await.len() as u64);
}

#[tokio::test]
async fn a_purchase_that_may_still_get_a_session_stays_open_and_is_looked_at_again_at_its_end() {
    let shop = TestApp::start().await;
    shop.stripe_fails(&[("status", "500")]).await;
    shop.checkout(&cart(&[(MUG, 1)])).await.expect(502);
    shop.stripe_is_well().await;
    let [waiting] = shop.stored_purchases().await.try_into().unwrap();
    shop.age(&waiting, 2 * 3600).await;
    let findings = shop.reconcile().await;
    assert_eq!((findings.purchases, findings.found), (1, 0), "{findings:?}");
    assert_eq!(shop.status(&waiting).await, "open");
    assert_eq!(shop.reconcile().await.purchases, 0);
    shop.age(&waiting, 24 * 3600).await;
    assert_eq!(shop.reconcile().await.found, 1);
    assert_eq!(shop.status(&waiting).await, "abandoned");
}
