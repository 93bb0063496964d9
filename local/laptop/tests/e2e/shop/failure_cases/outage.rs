//! A webhook endpoint that is down for longer than Stripe goes on trying.

use testing::{CARD, Checkout, TestApp};

use super::DAY;

/// What happened while the webhook endpoint was down.
struct Missed {
    paid: Checkout,
    free: Checkout,
    by_bank: Checkout,
    failing: Checkout,
    refunded: Checkout,
    refund: String,
    disputed: Checkout,
    dispute: String,
}

/// The endpoint is down for four days, until Stripe has given every event up.
async fn missed_for_four_days(shop: &TestApp) -> Missed {
    shop.control("faults", &[("fault", "endpoint_down"), ("times", "0")])
        .await;
    let paid = shop.open().await;
    shop.pay(&paid, CARD).await.expect(303);
    let free = shop.open().await;
    shop.pay_nothing(&free).await.expect(303);
    let by_bank = shop.open().await;
    shop.pay_by_bank(&by_bank).await.expect(303);
    let failing = shop.open().await;
    shop.pay_by_bank(&failing).await.expect(303);
    let refunded = shop.open().await;
    shop.pay(&refunded, CARD).await.expect(303);
    let refund = shop.refund(&refunded, None).await;
    let disputed = shop.open().await;
    shop.pay(&disputed, CARD).await.expect(303);
    let dispute = shop.dispute(&disputed, &[]).await;
    for (checkout, end) in [(&by_bank, "succeed"), (&failing, "fail")] {
        shop.control(&format!("sessions/{}/{end}", checkout.session()), &[])
            .await;
    }
    shop.control("clock", &[("advance", &(4 * DAY).to_string())])
        .await;
    shop.drained().await;
    let deliveries = shop.deliveries().await;
    assert!(deliveries.len() >= 10, "{deliveries:#?}");
    for delivery in deliveries {
        assert_eq!(delivery["state"], "failed", "{delivery}");
    }
    shop.stripe_is_well().await;
    Missed {
        paid,
        free,
        by_bank,
        failing,
        refunded,
        refund,
        disputed,
        dispute,
    }
}

/// Everybody concerned was told of everything, once.
async fn all_are_told(shop: &TestApp, missed: &Missed) {
    shop.drained().await;
    for (checkout, status, mails) in [
        (&missed.paid, "paid", &["Your receipt"][..]),
        (&missed.free, "paid", &["Your receipt"]),
        (&missed.by_bank, "paid", &["Your receipt"]),
        (&missed.failing, "failed", &["did not arrive"]),
        (
            &missed.refunded,
            "refunded",
            &["Your receipt", "Your refund"],
        ),
        (
            &missed.disputed,
            "disputed",
            &["Your receipt", "Dispute over"],
        ),
    ] {
        assert_eq!(shop.status(&checkout.purchase).await, status);
        let subjects = shop.subjects_about(&checkout.purchase).await;
        for mail in mails {
            let told = subjects.iter().filter(|subject| subject.contains(mail));
            assert_eq!(told.count(), 1, "{status}: {mail} in {subjects:?}");
        }
        // That a payment is on its way is told only if it was still true when its turn came.
        let on_its_way = subjects
            .iter()
            .filter(|it| it.contains("on its way"))
            .count();
        let outbox = shop.outbox(&checkout.purchase).await;
        let was_true = outbox.get("pending").is_some_and(|state| state == "sent");
        assert_eq!(on_its_way, usize::from(was_true), "{outbox:?}");
        assert_eq!(subjects.len(), mails.len() + on_its_way, "{subjects:?}");
    }
}

/// 12. The endpoint is down for four days, longer than Stripe goes on trying.
#[tokio::test]
async fn after_four_days_without_webhooks_reconcile_fulfils_each_purchase_once() {
    let shop = TestApp::start().await;
    let missed = missed_for_four_days(&shop).await;
    let Missed {
        paid,
        free,
        by_bank,
        failing,
        refunded,
        disputed,
        ..
    } = &missed;
    for checkout in [paid, free, by_bank, failing, refunded, disputed] {
        // Whoever looked at the purchase would have Stripe asked.
        assert!(shop.recorded(&checkout.purchase).await.is_empty());
    }
    shop.mails(0).await;

    let findings = shop.reconcile().await;
    assert!(findings.found >= 6, "{findings:?}");
    assert_eq!((findings.parked, findings.failed), (0, 0));
    all_are_told(&shop, &missed).await;
    for (checkout, settled) in [
        (refunded, format!("refund#{}", missed.refund)),
        (disputed, format!("dispute_opened#{}", missed.dispute)),
    ] {
        assert!(shop.effects(&checkout.purchase).await.contains(&settled));
    }

    // A second run, and Stripe delivering after all, do nothing again.
    let findings = shop.reconcile().await;
    assert_eq!((findings.found, findings.parked), (0, 0), "{findings:?}");
    for checkout in [paid, by_bank, refunded, disputed] {
        for event in shop.events_of(checkout.session()).await {
            assert_eq!(shop.receipt(&event).await, "seen before");
        }
    }
    all_are_told(&shop, &missed).await;
}
