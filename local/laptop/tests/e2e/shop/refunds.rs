//! Money that goes back.

use serde_json::json;
use testing::{CARD, Checkout, REFUNDS_SLOWLY, TestApp, altered, eventually, of_type, text};

/// Waits until a refund of a purchase has this status.
async fn until_refund(shop: &TestApp, checkout: &Checkout, refund: &str, status: &str) {
    let stands = async || {
        let purchase = shop.purchase(&checkout.purchase).await;
        let refunds = purchase["refunds"].as_array()?;
        refunds
            .iter()
            .find(|it| it["id"] == *refund && it["status"] == *status)
            .map(|_| ())
    };
    eventually(stands).await;
}

#[tokio::test]
async fn a_full_refund_gives_everything_back_and_the_buyer_is_told_how_much() {
    let shop = TestApp::start().await;
    let checkout = shop.paid().await;
    let refund = shop.refund(&checkout, None).await;
    shop.until_status(&checkout.purchase, "refunded").await;
    assert_eq!(shop.money(&checkout.purchase).await, [1500, 1500, 0, 0]);
    let purchase = shop.purchase(&checkout.purchase).await;
    let amount = json!({ "amount": 1500, "currency": "usd" });
    assert_eq!(
        purchase["refunds"],
        json!([{ "id": refund, "status": "succeeded", "amount": amount }])
    );
    assert!(purchase.get("attention").is_none(), "{purchase}");
    assert_eq!(shop.history().await, [checkout.purchase.as_str()]);
    let mails = shop.mails(2).await;
    let (subject, body) = (text(&mails[0], "subject"), text(&mails[0], "text"));
    assert!(subject.contains("refund"), "{subject}");
    assert!(body.contains("We are sending 15.00 USD back"), "{body}");
}

#[tokio::test]
async fn refunds_in_parts_add_up_exactly() {
    let shop = TestApp::start().await;
    let checkout = shop.paid().await;
    let id = &checkout.purchase;
    for (part, status, money) in [
        (1, "partially_refunded", [1500, 1, 0, 1499]),
        (498, "partially_refunded", [1500, 499, 0, 1001]),
        (1000, "partially_refunded", [1500, 1499, 0, 1]),
        (1, "refunded", [1500, 1500, 0, 0]),
    ] {
        let refund = shop.refund(&checkout, Some(part)).await;
        until_refund(&shop, &checkout, &refund, "succeeded").await;
        assert_eq!(shop.status(id).await, status);
        assert_eq!(shop.money(id).await, money);
    }
    // The receipt, and one for each.
    shop.mails(5).await;
}

#[tokio::test]
async fn a_refund_on_its_way_counts_only_once_it_has_arrived() {
    let shop = TestApp::start().await;
    let checkout = shop.paid_with(REFUNDS_SLOWLY).await;
    let id = &checkout.purchase;
    let refund = shop.refund(&checkout, Some(600)).await;
    until_refund(&shop, &checkout, &refund, "pending").await;
    assert_eq!(shop.status(id).await, "paid");
    assert_eq!(shop.money(id).await, [1500, 0, 0, 1500]);
    shop.mails(2).await;
    shop.refund_goes(&refund, "succeed").await;
    shop.until_status(id, "partially_refunded").await;
    assert_eq!(shop.money(id).await, [1500, 600, 0, 900]);
    shop.mails(2).await;
}

#[tokio::test]
async fn a_refund_that_fails_leaves_the_purchase_as_it_was_and_the_buyer_is_told() {
    let shop = TestApp::start().await;
    let mut mails = 0;
    for (card, steps, last) in [
        (REFUNDS_SLOWLY, &["fail"][..], "failed"),
        (REFUNDS_SLOWLY, &["cancel"], "canceled"),
        (REFUNDS_SLOWLY, &["require_action", "cancel"], "canceled"),
        (CARD, &["fail"], "failed"),
    ] {
        let checkout = shop.paid_with(card).await;
        let id = &checkout.purchase;
        let refund = shop.refund(&checkout, None).await;
        if card == CARD {
            shop.until_status(id, "refunded").await;
        } else {
            until_refund(&shop, &checkout, &refund, "pending").await;
        }
        mails += 2;
        shop.mails(mails).await;
        for step in steps {
            shop.refund_goes(&refund, step).await;
        }
        until_refund(&shop, &checkout, &refund, last).await;
        assert_eq!(shop.status(id).await, "paid", "{steps:?}");
        assert_eq!(shop.money(id).await, [1500, 0, 0, 1500], "{steps:?}");
        let effects = [
            "paid".to_owned(),
            format!("refund#{refund}"),
            format!("refund_failed#{refund}"),
        ];
        assert_eq!(shop.effects(id).await, effects, "{steps:?}");
        mails += 1;
        let told = text(&shop.mails(mails).await[0], "text");
        assert!(told.contains("did not reach you"), "{told}");
        // The money is free to be sent once more.
        let second = shop.refund(&checkout, None).await;
        assert_ne!(refund, second);
        until_refund(
            &shop,
            &checkout,
            &second,
            if card == CARD { "succeeded" } else { "pending" },
        )
        .await;
        mails += 1;
        shop.mails(mails).await;
    }
}

#[tokio::test]
async fn a_refund_heard_of_before_its_payment_is_recorded_after_asking_stripe_what_it_belongs_to() {
    let shop = TestApp::start().await;
    let (checkout, payment) = shop.paid_unheard().await;
    shop.refund(&checkout, Some(500)).await;
    let events = shop.events_of_payment(&checkout).await;
    let refund = of_type(&events, "refund.created");
    let before = shop.dump().await;
    for fault in [
        &[("fault", "error"), ("status", "500"), ("times", "0")][..],
        &[("fault", "rate_limit"), ("times", "0")],
        &[("fault", "hang_up"), ("times", "0")],
    ] {
        let place = [("path", "/v1/payment_intents/*")];
        shop.control("faults", &[&place, fault].concat()).await;
        shop.deliver(refund).await.expect(500);
        assert_eq!(shop.dump().await, before, "{fault:?}");
        shop.stripe_is_well().await;
    }
    assert_eq!(shop.receipt(refund).await, "recorded");
    assert_eq!(shop.money(&checkout.purchase).await, [0, 500, 0, -500]);
    assert_eq!(shop.status(&checkout.purchase).await, "open");
    assert!(!shop.is_forgettable(&checkout.purchase).await);
    // From now on it is known whose the payment is, so nobody is asked.
    let place = [
        ("path", "/v1/payment_intents/*"),
        ("status", "500"),
        ("times", "0"),
    ];
    shop.control("faults", &place).await;
    let other = altered(refund, |event| event["id"] = json!("evt_other"));
    assert_eq!(shop.receipt(&other).await, "nothing new");
    assert_eq!(shop.receipt(&payment).await, "recorded");
    assert_eq!(shop.status(&checkout.purchase).await, "partially_refunded");
    assert_eq!(shop.money(&checkout.purchase).await, [1500, 500, 0, 1000]);
}

#[tokio::test]
async fn a_refund_that_names_only_its_charge_is_found_by_asking_stripe() {
    let shop = TestApp::start().await;
    let (checkout, _) = shop.paid_unheard().await;
    shop.refund(&checkout, Some(500)).await;
    let events = shop.events_of_payment(&checkout).await;
    let refund = altered(of_type(&events, "refund.created"), |event| {
        event["data"]["object"]["payment_intent"] = json!(null);
    });
    assert_eq!(shop.receipt(&refund).await, "recorded");
    assert_eq!(shop.money(&checkout.purchase).await, [0, 500, 0, -500]);
}

#[tokio::test]
async fn a_refund_of_a_payment_that_stripe_does_not_know_is_foreign() {
    let shop = TestApp::start().await;
    let (checkout, _) = shop.paid_unheard().await;
    shop.refund(&checkout, Some(500)).await;
    let events = shop.events_of_payment(&checkout).await;
    let refund = of_type(&events, "refund.created");
    let before = shop.dump().await;
    for (intent, charge) in [
        (json!("pi_gone"), json!("ch_gone")),
        (json!(null), json!("ch_gone")),
        (json!(null), json!(null)),
    ] {
        let foreign = altered(refund, |event| {
            event["data"]["object"]["payment_intent"] = intent;
            event["data"]["object"]["charge"] = charge;
        });
        assert_eq!(shop.receipt(&foreign).await, "foreign");
        assert_eq!(shop.dump().await, before);
    }
}

#[tokio::test]
async fn a_refund_of_a_purchase_that_was_lost_rebuilds_it() {
    let shop = TestApp::start().await;
    let (checkout, payment) = shop.paid_unheard().await;
    shop.refund(&checkout, Some(500)).await;
    shop.lose_purchase(&checkout.purchase).await;
    let events = shop.events_of_payment(&checkout).await;
    // The event says that some of it went back, but names no refund: there is nothing to keep yet.
    let sum = of_type(&events, "charge.refunded");
    assert_eq!(shop.receipt(sum).await, "no such purchase");
    assert_eq!(
        shop.receipt(of_type(&events, "refund.created")).await,
        "recorded"
    );
    assert_eq!(shop.receipt(&payment).await, "recorded");
    assert_eq!(shop.status(&checkout.purchase).await, "partially_refunded");
    assert_eq!(shop.attention(&checkout.purchase).await, ["rebuilt"]);
    assert_eq!(shop.money(&checkout.purchase).await, [1500, 500, 0, 1000]);
}

#[tokio::test]
async fn the_mail_of_a_refund_that_failed_before_it_could_be_sent_never_goes() {
    let shop = TestApp::start().await;
    let checkout = shop.paid().await;
    shop.mails(1).await;
    shop.aws_fails("SendEmail", "throttle", None).await;
    let refund = shop.refund(&checkout, Some(500)).await;
    let (hopeful, failed) = (
        format!("refund#{refund}"),
        format!("refund_failed#{refund}"),
    );
    let row = async |effect: &str, name: &str, value: &str| {
        let row = shop.outbox_row(&checkout.purchase, effect).await;
        let found = row[name]["S"] == *value || row[name]["N"] == *value;
        Some(row).filter(|_| found)
    };
    until_refund(&shop, &checkout, &refund, "succeeded").await;
    shop.drained().await;
    assert!(row(&hopeful, "attempts", "1").await.is_some());
    shop.refund_goes(&refund, "fail").await;
    until_refund(&shop, &checkout, &refund, "failed").await;
    shop.drained().await;
    assert!(row(&failed, "attempts", "1").await.is_some());

    // Their time has come, and SES is well again.
    shop.aws_recovers().await;
    for effect in [&hopeful, &failed] {
        let mut postponed = shop.outbox_row(&checkout.purchase, effect).await;
        postponed["next_attempt"] = json!({ "N": "1" });
        shop.put_item("OutboxTable", &postponed).await;
    }
    shop.mailer().await;
    assert!(row(&hopeful, "state", "superseded").await.is_some());
    assert!(row(&failed, "state", "sent").await.is_some());
    let told = text(&shop.mails(2).await[0], "subject");
    assert!(told.contains("did not go through"), "{told}");
}

#[tokio::test]
async fn if_a_charges_sum_does_not_fit_the_known_refunds_stripe_is_asked_for_all_of_them() {
    let shop = TestApp::start().await;
    // The shop hears nothing of the refunds, only of the charge's sum.
    let checkout = shop.paid().await;
    let unheard = [("fault", "no_event"), ("type", "refund.*"), ("times", "0")];
    shop.control("faults", &unheard).await;
    shop.refund(&checkout, Some(500)).await;
    shop.refund(&checkout, Some(300)).await;
    shop.drained().await;
    let item = shop.purchase_item(&checkout.purchase).await;
    assert!(item.get("doubts").is_some(), "{item}");
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    let findings = shop.reconcile().await;
    assert_eq!((findings.found, findings.purchases), (2, 1), "{findings:?}");
    assert_eq!(shop.money(&checkout.purchase).await, [1500, 800, 0, 700]);
    let item = shop.purchase_item(&checkout.purchase).await;
    assert!(item.get("doubts").is_none(), "{item}");
    assert!(item.get("work_due").is_none(), "{item}");
    let findings = shop.reconcile().await;
    assert_eq!((findings.found, findings.purchases), (0, 0), "{findings:?}");
}
