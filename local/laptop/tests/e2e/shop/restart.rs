use testing::{CARD, TestApp};

#[tokio::test]
async fn a_shop_that_stops_between_payment_and_webhook_finds_it_paid_when_it_is_back() {
    let shop = TestApp::on_disk().await;
    shop.hold_deliveries().await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    assert_eq!(shop.status(&checkout.purchase).await, "open");

    let shop = shop.restart().await;
    assert_eq!(shop.status(&checkout.purchase).await, "open");
    shop.control("deliveries/release", &[]).await;
    shop.until_status(&checkout.purchase, "paid").await;
    assert_eq!(shop.history().await, [checkout.purchase.as_str()]);
    shop.mails(1).await;

    // What has been seen and sent is not forgotten either.
    let shop = shop.restart().await;
    for event in shop.events_of(checkout.session()).await {
        shop.deliver(&event).await.expect(200);
    }
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    shop.mails(1).await;
}
