//! A shop whose process is killed.

use std::time::Duration;

use testing::{CARD, TestApp};

use crate::operator::TILL;

#[tokio::test]
async fn a_shop_that_is_killed_between_payment_and_webhook_finds_it_paid_when_it_is_back() {
    let shop = TestApp::as_process(TILL).await;
    shop.hold_deliveries().await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    let shop = shop.restart().await;
    assert_eq!(shop.status(&checkout.purchase).await, "open");
    shop.control("deliveries/release", &[]).await;
    shop.until_status(&checkout.purchase, "paid").await;
    shop.mails(1).await;
}

#[tokio::test]
async fn a_shop_that_is_killed_at_any_moment_after_a_payment_finds_it_paid_when_it_is_back() {
    let mut shop = TestApp::as_process(TILL).await;
    for milliseconds in [0, 5, 15, 40, 100] {
        let checkout = shop.open().await;
        shop.pay(&checkout, CARD).await.expect(303);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        shop = shop.restart().await;
        shop.until_status(&checkout.purchase, "paid").await;
        // One row; its mail may be sent again if the shop was killed while it was sent.
        assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);
    }
    assert_eq!(shop.history().await.len(), 5);
}
