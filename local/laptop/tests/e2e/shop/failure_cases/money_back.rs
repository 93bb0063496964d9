//! Refunds and disputes, one on top of another.

use serde_json::json;
use testing::{CARD, TestApp, eventually, of_type, text};

/// 7. Two refunds of the same amount, each delivered again; then one fails after it had succeeded.
#[tokio::test]
async fn two_equal_refunds_are_two_and_one_of_them_fails_later() {
    let shop = TestApp::start().await;
    let checkout = shop.paid().await;
    let id = &checkout.purchase;
    let kept = shop.refund(&checkout, Some(500)).await;
    let lost = shop.refund(&checkout, Some(500)).await;
    let sum_is = async |hoped: [i64; 4]| {
        eventually(async || (shop.money(id).await == hoped).then_some(())).await;
    };
    sum_is([1500, 1000, 0, 500]).await;
    assert_eq!(shop.status(id).await, "partially_refunded");
    for event in shop.events_of_payment(&checkout).await {
        assert_eq!(shop.receipt(&event).await, "seen before");
    }
    assert_eq!(shop.money(id).await, [1500, 1000, 0, 500]);
    shop.mails(3).await;

    shop.refund_goes(&lost, "fail").await;
    sum_is([1500, 500, 0, 1000]).await;
    // Whatever comes again, in reverse and under other names.
    for event in shop.events_of_payment(&checkout).await.iter().rev() {
        let again = event.replacen("evt_", "evt_again", 1);
        shop.deliver(&again).await.expect(200);
    }
    assert_eq!(shop.money(id).await, [1500, 500, 0, 1000]);
    let purchase = shop.purchase(id).await;
    assert_eq!(purchase["status"], "partially_refunded");
    let mut refunds = [(&kept, "succeeded"), (&lost, "failed")].map(|(refund, status)| {
        json!({ "id": refund, "status": status, "amount": { "amount": 500, "currency": "usd" } })
    });
    refunds.sort_by_key(|refund| text(refund, "id"));
    assert_eq!(purchase["refunds"], json!(refunds));
    let mut mails = vec![
        "paid".to_owned(),
        format!("refund#{kept}"),
        format!("refund#{lost}"),
        format!("refund_failed#{lost}"),
    ];
    mails.sort();
    assert_eq!(shop.effects(id).await, mails);
    shop.mails(4).await;
}

/// 8. A dispute after a refund; one before the payment's own event; an inquiry that comes to nothing;
///    a dispute that is lost and then won.
#[tokio::test]
async fn disputes_count_whatever_came_before_them_and_whatever_follows() {
    let shop = TestApp::start().await;
    let refunded = shop.paid().await;
    shop.refund(&refunded, Some(500)).await;
    shop.until_status(&refunded.purchase, "partially_refunded")
        .await;
    shop.dispute(&refunded, &[("amount", "1000")]).await;
    shop.until_status(&refunded.purchase, "disputed").await;
    assert_eq!(shop.money(&refunded.purchase).await, [1500, 500, 1000, 0]);

    let asked = shop.paid().await;
    let inquiry = shop.dispute(&asked, &[("kind", "inquiry")]).await;
    let opened = format!("inquiry_opened#{inquiry}");
    let mails = async |id: &str, hoped: &[&str]| {
        eventually(async || (shop.effects(id).await == hoped).then_some(())).await;
    };
    mails(&asked.purchase, &[&opened, "paid"]).await;
    assert_eq!(shop.status(&asked.purchase).await, "paid");
    shop.dispute_goes(&inquiry, "warning_closed").await;
    let closed = format!("dispute_closed#{inquiry}#warning_closed");
    mails(&asked.purchase, &[&closed, &opened, "paid"]).await;
    assert_eq!(shop.status(&asked.purchase).await, "paid");
    assert_eq!(shop.money(&asked.purchase).await, [1500, 0, 0, 1500]);

    let fought = shop.paid().await;
    let dispute = shop.dispute(&fought, &[]).await;
    shop.dispute_goes(&dispute, "lost").await;
    shop.until_status(&fought.purchase, "charged_back").await;
    assert_eq!(shop.money(&fought.purchase).await, [1500, 0, 1500, 0]);
    shop.dispute_goes(&dispute, "won").await;
    let (lost, won) = (
        format!("dispute_closed#{dispute}#lost"),
        format!("dispute_closed#{dispute}#won"),
    );
    let opened = format!("dispute_opened#{dispute}");
    mails(&fought.purchase, &[&lost, &won, &opened, "paid"]).await;
    assert_eq!(shop.status(&fought.purchase).await, "paid");
    assert_eq!(shop.money(&fought.purchase).await, [1500, 0, 0, 1500]);
    assert_eq!(
        shop.attention(&fought.purchase).await,
        ["dispute_decided_twice"]
    );

    shop.hold_deliveries().await;
    let early = shop.open().await;
    shop.pay(&early, CARD).await.expect(303);
    shop.dispute(&early, &[]).await;
    let events = shop.events_of_payment(&early).await;
    let dispute = of_type(&events, "charge.dispute.created");
    assert_eq!(shop.receipt(dispute).await, "recorded");
    assert_eq!(shop.status(&early.purchase).await, "disputed");
    let payment = of_type(&events, "checkout.session.completed");
    assert_eq!(shop.receipt(payment).await, "recorded");
    assert_eq!(shop.status(&early.purchase).await, "disputed");
    assert_eq!(shop.money(&early.purchase).await, [1500, 0, 1500, 0]);
}
