//! Shops that share one account at Stripe: laptops, or a laptop and a deployment.

use testing::{CARD, TestApp};

#[tokio::test]
async fn two_shops_with_one_stripe_account_stay_apart() {
    let ours = TestApp::start().await;
    let theirs = TestApp::beside(&ours, &[]).await;
    assert_ne!(ours.tag(), theirs.tag());

    // Stripe tells both shops of everything; here the test does it for the second.
    let here = ours.paid().await;
    let refund = ours.refund(&here, Some(500)).await;
    ours.until_status(&here.purchase, "partially_refunded")
        .await;
    ours.dispute(&here, &[]).await;
    ours.until_status(&here.purchase, "disputed").await;
    let there = theirs.open().await;
    theirs.pay(&there, CARD).await.expect(303);
    let mut events = ours.events_of(here.session()).await;
    events.extend(ours.events_of_payment(&here).await);
    events.extend(ours.events_of(&refund).await);
    assert!(events.len() > 3, "{events:?}");
    for event in &events {
        assert_eq!(theirs.receipt(event).await, "foreign");
    }
    for event in ours.events_of(there.session()).await {
        assert_eq!(ours.receipt(&event).await, "foreign");
    }

    // When both ask, only the second shop learns of its payment.
    assert_eq!(ours.reconcile().await.found, 0);
    assert_eq!(theirs.reconcile().await.found, 1);
    assert_eq!(theirs.status(&there.purchase).await, "paid");
    assert_eq!(ours.stored_purchases().await, [here.purchase]);
    assert_eq!(theirs.stored_purchases().await, [there.purchase]);
    ours.mails(3).await;
    theirs.mails(1).await;
}

#[tokio::test]
async fn a_fresh_data_folder_adopts_nothing() {
    let shop = TestApp::start().await;
    let checkout = shop.paid().await;
    shop.refund(&checkout, None).await;
    let fresh = TestApp::beside(&shop, &[]).await;
    assert_eq!(fresh.reconcile().await.found, 0);
    assert!(fresh.stored_purchases().await.is_empty());
    fresh.mails(0).await;
}

#[tokio::test]
async fn a_shop_keeps_its_tag_and_another_data_folder_has_another() {
    let shop = TestApp::on_disk().await;
    let tag = shop.tag();
    let shop = shop.restart().await;
    assert_eq!(shop.tag(), tag);
    assert_ne!(TestApp::on_disk().await.tag(), tag);
}

#[tokio::test]
async fn a_shop_with_a_new_tag_recognizes_its_own_objects_by_the_former_one() {
    let shop = TestApp::on_disk().await;
    let (checkout, event) = shop.paid_unheard().await;
    let former = shop.tag();
    let shop = shop.restart_with(&[("TILL_STACK", "renamed")]).await;
    assert_eq!(shop.receipt(&event).await, "foreign");
    let shop = shop
        .restart_with(&[("TILL_FORMER_STACKS", &format!("older,{former}"))])
        .await;
    assert_eq!(shop.receipt(&event).await, "recorded");
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    let renamed = shop.open().await;
    let session = shop.session(renamed.session()).await;
    assert_eq!(session["metadata"]["till_stack"], "renamed");
}
