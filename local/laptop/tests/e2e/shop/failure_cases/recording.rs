//! Events that are cut off, doubled, or in any order.

use futures::future::join_all;
use serde_json::json;
use testing::{CARD, TestApp, altered, of_type, permutations};

/// 1. The claim is written, the function dies before the effects, and Stripe delivers again. Here
///    claim and effects are one transaction, so it can be cut off before or after, never between.
#[tokio::test]
async fn an_event_whose_recording_is_cut_off_counts_once_when_it_comes_again() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;

    let before = shop.dump().await;
    shop.aws_fails("TransactWriteItems", "error", None).await;
    shop.deliver(&event).await.expect(500);
    shop.aws_recovers().await;
    assert_eq!(shop.dump().await, before, "cut off before it was written");

    shop.aws_fails("TransactWriteItems", "timeout_after", None)
        .await;
    shop.deliver(&event).await.expect(500);
    shop.aws_recovers().await;
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);

    assert_eq!(shop.receipt(&event).await, "seen before");
    assert_eq!(shop.recorded(&checkout.purchase).await.len(), 1);
    shop.mails(1).await;
}

/// 2. One payment is told of by two events with different ids, both at once.
#[tokio::test]
async fn two_events_of_one_payment_at_once_make_one_purchase_paid_and_one_mail() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    let twin = altered(&event, |event| event["id"] = json!("evt_twin"));
    let mut receipts = join_all([shop.receipt(&event), shop.receipt(&twin)]).await;
    receipts.sort();
    assert_eq!(receipts, ["nothing new", "recorded"]);
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);
    let recorded = shop.recorded(&checkout.purchase).await;
    assert_eq!(recorded.len(), 2, "both are in its story: {recorded:?}");
    assert_eq!(recorded.values().filter(|news| **news).count(), 1);
    shop.mails(1).await;
}

/// 3. A payment, a refund of part of it and the end of a dispute come in any order, made in the same
///    second.
#[tokio::test]
async fn every_order_of_payment_refund_and_dispute_in_one_second_ends_alike() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    for (verdict, status, money) in [
        ("lost", "charged_back", [1500, 500, 1000, 0]),
        ("won", "partially_refunded", [1500, 500, 0, 1000]),
    ] {
        for order in permutations(3) {
            let checkout = shop.open().await;
            shop.pay(&checkout, CARD).await.expect(303);
            let refund = shop.refund(&checkout, Some(500)).await;
            let dispute = shop.dispute(&checkout, &[("amount", "1000")]).await;
            shop.dispute_goes(&dispute, verdict).await;
            let all = shop.events_of_payment(&checkout).await;
            let events = [
                "checkout.session.completed",
                "refund.created",
                "charge.dispute.closed",
            ];
            let events = events.map(|kind| {
                altered(of_type(&all, kind), |event| {
                    event["created"] = json!(1_800_000_000);
                })
            });
            for number in &order {
                assert_eq!(
                    shop.receipt(&events[*number]).await,
                    "recorded",
                    "{order:?}"
                );
            }
            // All once more, with what was not told of yet.
            for event in events.iter().chain(&all) {
                shop.deliver(event).await.expect(200);
            }
            let id = &checkout.purchase;
            assert_eq!(shop.status(id).await, status, "{order:?}");
            assert_eq!(shop.money(id).await, money, "{order:?}");
            assert!(shop.attention(id).await.is_empty(), "{order:?}");
            let mails = [
                format!("dispute_closed#{dispute}#{verdict}"),
                format!("dispute_opened#{dispute}"),
                "paid".to_owned(),
                format!("refund#{refund}"),
            ];
            assert_eq!(shop.effects(id).await, mails, "{order:?}");
        }
    }
}
