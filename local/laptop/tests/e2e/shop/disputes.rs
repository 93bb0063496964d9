//! Buyers who go to their bank.

use serde_json::json;
use testing::{
    ADA, CARD, Checkout, NOTEBOOK, TestApp, altered, eventually, kind_of, of_type, text,
};

/// Waits until a dispute of a purchase has this status.
async fn until_dispute(shop: &TestApp, checkout: &Checkout, dispute: &str, status: &str) {
    let stands = async || {
        let purchase = shop.purchase(&checkout.purchase).await;
        let disputes = purchase["disputes"].as_array()?;
        disputes
            .iter()
            .find(|it| it["id"] == *dispute && it["status"] == *status)
            .map(|_| ())
    };
    eventually(stands).await;
}

#[tokio::test]
async fn a_dispute_keeps_the_money_until_it_is_won_and_the_seller_is_told_by_when_to_answer() {
    let shop = TestApp::start().await;
    let checkout = shop.paid().await;
    let id = &checkout.purchase;
    let dispute = shop
        .dispute(&checkout, &[("reason", "product_not_received")])
        .await;
    shop.until_status(id, "disputed").await;
    assert_eq!(shop.money(id).await, [1500, 0, 1500, 0]);
    let opened = shop.mails(2).await.remove(0);
    let due = shop.at_stripe(&format!("disputes/{dispute}")).await;
    let due = due["evidence_details"]["due_by"].as_i64().unwrap();
    let due = time::OffsetDateTime::from_unix_timestamp(due).unwrap();
    let due = format!(
        "{} {} {}, {:02}:{:02} UTC",
        due.day(),
        due.month(),
        due.year(),
        due.hour(),
        due.minute()
    );
    let subject = text(&opened, "subject");
    assert!(
        subject.contains("15.00 USD") && subject.contains(&due),
        "{subject}"
    );
    let body = text(&opened, "text");
    for told in ["product not received", &due, &dispute, id] {
        assert!(body.contains(told), "{told} is not in {body}");
    }
    assert!(!body.contains(ADA), "{body}");

    let answer = [
        ("evidence[uncategorized_text]", "We sent it"),
        ("submit", "true"),
    ];
    shop.stripe_post(&format!("disputes/{dispute}"), &answer)
        .await;
    until_dispute(&shop, &checkout, &dispute, "under_review").await;
    assert_eq!(shop.status(id).await, "disputed");
    shop.mails(2).await;

    shop.dispute_goes(&dispute, "won").await;
    shop.until_status(id, "paid").await;
    assert_eq!(shop.money(id).await, [1500, 0, 0, 1500]);
    let won = text(&shop.mails(3).await[0], "subject");
    assert!(won.contains("won"), "{won}");
    assert!(shop.attention(id).await.is_empty());
    // All that Stripe has to say of one, each once.
    let mut told: Vec<_> = shop
        .events_of(&dispute)
        .await
        .iter()
        .map(|event| kind_of(event))
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "charge.dispute.closed",
            "charge.dispute.created",
            "charge.dispute.funds_reinstated",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.updated",
        ]
    );
}

#[tokio::test]
async fn a_lost_dispute_ends_the_purchase() {
    let shop = TestApp::start().await;
    let checkout = shop.paid().await;
    let dispute = shop.dispute(&checkout, &[]).await;
    shop.until_status(&checkout.purchase, "disputed").await;
    let words = [("evidence[uncategorized_text]", "losing_evidence")];
    shop.stripe_post(&format!("disputes/{dispute}"), &words)
        .await;
    shop.until_status(&checkout.purchase, "charged_back").await;
    assert_eq!(shop.money(&checkout.purchase).await, [1500, 0, 1500, 0]);
    let lost = text(&shop.mails(3).await[0], "subject");
    assert!(lost.contains("lost"), "{lost}");
}

#[tokio::test]
async fn an_inquiry_moves_no_money_until_it_becomes_a_dispute() {
    let shop = TestApp::start().await;
    let checkout = shop.paid().await;
    let id = &checkout.purchase;
    let dispute = shop.dispute(&checkout, &[("kind", "inquiry")]).await;
    until_dispute(&shop, &checkout, &dispute, "warning_needs_response").await;
    assert_eq!(shop.status(id).await, "paid");
    assert_eq!(shop.money(id).await, [1500, 0, 0, 1500]);
    let asked = text(&shop.mails(2).await[0], "text");
    assert!(asked.contains("No money has been taken yet"), "{asked}");
    shop.dispute_goes(&dispute, "warning_under_review").await;
    until_dispute(&shop, &checkout, &dispute, "warning_under_review").await;
    shop.mails(2).await;
    shop.dispute_goes(&dispute, "needs_response").await;
    shop.until_status(id, "disputed").await;
    assert_eq!(shop.money(id).await, [1500, 0, 1500, 0]);
    let mails = ["dispute_opened", "inquiry_opened"].map(|mail| format!("{mail}#{dispute}"));
    assert_eq!(shop.effects(id).await[..2], mails);
    shop.mails(3).await;
}

#[tokio::test]
async fn a_prevented_dispute_changes_nothing() {
    let shop = TestApp::start().await;
    let checkout = shop.paid().await;
    let dispute = shop.dispute(&checkout, &[("kind", "prevented")]).await;
    until_dispute(&shop, &checkout, &dispute, "prevented").await;
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    assert_eq!(shop.money(&checkout.purchase).await, [1500, 0, 0, 1500]);
    assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);
    shop.mails(1).await;
}

#[tokio::test]
async fn two_disputes_of_one_payment_are_two() {
    let shop = TestApp::start().await;
    let checkout = shop.paid().await;
    let id = &checkout.purchase;
    let first = shop.dispute(&checkout, &[("amount", "500")]).await;
    let second = shop.dispute(&checkout, &[("amount", "700")]).await;
    until_dispute(&shop, &checkout, &first, "needs_response").await;
    until_dispute(&shop, &checkout, &second, "needs_response").await;
    assert_eq!(shop.money(id).await, [1500, 0, 1200, 300]);
    shop.dispute_goes(&first, "won").await;
    until_dispute(&shop, &checkout, &first, "won").await;
    assert_eq!(shop.status(id).await, "disputed");
    assert_eq!(shop.money(id).await, [1500, 0, 700, 800]);
    shop.dispute_goes(&second, "lost").await;
    shop.until_status(id, "charged_back").await;
    assert_eq!(shop.money(id).await, [1500, 0, 700, 800]);
    // The receipt, and of each its beginning and its end.
    shop.mails(5).await;
}

#[tokio::test]
async fn what_a_bank_took_is_shown_in_the_sellers_currency_and_never_subtracted_from_the_price() {
    let shop = TestApp::start().await;
    let checkout = shop.open_one(NOTEBOOK).await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let dispute = shop.dispute(&checkout, &[]).await;
    shop.until_status(&checkout.purchase, "disputed").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(
        [&purchase["disputed"], &purchase["net"]],
        [
            &json!({ "amount": 1250, "currency": "eur" }),
            &json!({ "amount": 0, "currency": "eur" })
        ]
    );
    assert!(purchase.get("attention").is_none(), "{purchase}");
    let moved = shop.at_stripe(&format!("disputes/{dispute}")).await;
    let moved = &moved["balance_transactions"][0];
    assert_eq!(moved["currency"], "usd", "{moved}");
    let taken = moved["amount"].as_i64().unwrap();
    assert_ne!(taken, -1250);
    let told = text(&shop.mails(2).await[0], "text");
    let dollars = format!("{}.{:02} USD", -taken / 100, -taken % 100);
    for sum in ["12.50 EUR", &dollars, "15.00 USD"] {
        assert!(told.contains(sum), "{sum} is not in {told}");
    }
    // What the seller's bank charges is not the buyer's affair.
    assert!(!purchase.to_string().contains("usd"), "{purchase}");
}

#[tokio::test]
async fn a_disputes_events_end_the_same_from_whichever_they_begin_and_backwards() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    for turn in 0..5 {
        for backwards in [false, true] {
            let checkout = shop.open().await;
            shop.pay(&checkout, CARD).await.expect(303);
            let dispute = shop.dispute(&checkout, &[("kind", "inquiry")]).await;
            shop.dispute_goes(&dispute, "needs_response").await;
            shop.dispute_goes(&dispute, "lost").await;
            let mut events = shop.events_of_payment(&checkout).await;
            assert_eq!(events.len(), 5, "{events:#?}");
            events.rotate_left(turn);
            if backwards {
                events.reverse();
            }
            for event in &events {
                shop.deliver(event).await.expect(200);
            }
            let id = &checkout.purchase;
            assert_eq!(shop.status(id).await, "charged_back");
            assert_eq!(shop.money(id).await, [1500, 0, 1500, 0]);
            assert_eq!(
                shop.effects(id).await,
                [
                    format!("dispute_closed#{dispute}#lost"),
                    format!("dispute_opened#{dispute}"),
                    format!("inquiry_opened#{dispute}"),
                    "paid".to_owned(),
                ]
            );
        }
    }
}

#[tokio::test]
async fn a_dispute_of_a_purchase_that_was_lost_rebuilds_it_for_someone_to_look_at() {
    let shop = TestApp::start().await;
    let (checkout, _) = shop.paid_unheard().await;
    shop.dispute(&checkout, &[]).await;
    shop.lose_purchase(&checkout.purchase).await;
    let events = shop.events_of_payment(&checkout).await;
    let dispute = of_type(&events, "charge.dispute.created");
    assert_eq!(shop.receipt(dispute).await, "recorded");
    let again = altered(dispute, |event| event["id"] = json!("evt_again"));
    assert_eq!(shop.receipt(&again).await, "nothing new");
    assert_eq!(shop.status(&checkout.purchase).await, "disputed");
    assert_eq!(shop.attention(&checkout.purchase).await, ["rebuilt"]);
    shop.mails(0).await;
}

#[tokio::test]
async fn a_purchase_that_a_dispute_rebuilt_gets_its_payment_and_its_lines_from_its_session() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    let silent = [
        ("fault", "no_event"),
        ("type", "checkout.session.completed"),
        ("times", "0"),
    ];
    shop.control("faults", &silent).await;
    let checkout = shop.open().await;
    let lines = shop.purchase(&checkout.purchase).await["lines"].clone();
    shop.pay(&checkout, CARD).await.expect(303);
    shop.dispute(&checkout, &[]).await;
    shop.lose_purchase(&checkout.purchase).await;
    let events = shop.events_of_payment(&checkout).await;
    let dispute = of_type(&events, "charge.dispute.created");
    assert_eq!(shop.receipt(dispute).await, "recorded");
    shop.reconcile().await;
    assert_eq!(shop.money(&checkout.purchase).await, [1500, 0, 1500, 0]);
    shop.reconcile().await;
    assert_eq!(shop.purchase(&checkout.purchase).await["lines"], lines);
    assert_eq!(shop.status(&checkout.purchase).await, "disputed");
    assert_eq!(shop.reconcile().await.purchases, 0);
}
