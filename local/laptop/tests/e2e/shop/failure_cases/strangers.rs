//! Events of an unknown shape, with strange signatures, or of somebody else's; and a webhook
//! without a secret.

use serde_json::{Value, json};
use shared::clock::Clock;
use shared::stripe::signature::{WebhookSecret, sign};
use testing::{ADA, BOB, CARD, MUG, TestApp, altered, kind_of, now, of_type};
use webhook::Webhook;

/// 9. Stripe changes the shape of its events: a field goes, a value nobody knew comes, a new type.
#[tokio::test]
async fn events_of_an_unknown_shape_are_parked_and_unknown_types_are_none_of_our_business() {
    let shop = TestApp::start().await;
    let (checkout, payment) = shop.paid_unheard().await;
    shop.refund(&checkout, Some(500)).await;
    shop.dispute(&checkout, &[("amount", "1000")]).await;
    let events = shop.events_of_payment(&checkout).await;
    let refund = of_type(&events, "refund.created");
    let dispute = of_type(&events, "charge.dispute.created");
    let charge = of_type(&events, "charge.refunded");

    let before = shop.dump().await;
    for (number, event) in [&payment, refund, dispute].into_iter().enumerate() {
        let unknown = altered(event, |event| {
            event["id"] = json!(format!("evt_unknown_{number}"));
            event["type"] = json!(format!("{}_by_post", kind_of(&event.to_string())));
        });
        assert_eq!(shop.receipt(&unknown).await, "unhandled");
    }
    assert_eq!(shop.dump().await, before);

    let cases: &[(&str, &str, Option<Value>)] = &[
        (&payment, "payment_status", None),
        (&payment, "payment_status", Some(json!("settled_by_barter"))),
        (&payment, "amount_total", Some(json!({ "value": 1500 }))),
        (&payment, "metadata", None),
        (refund, "amount", None),
        (refund, "status", Some(json!("returned"))),
        (refund, "payment_intent", None),
        (dispute, "balance_transactions", None),
        (dispute, "status", Some(json!("in_arbitration"))),
        (dispute, "reason", Some(json!(7))),
        (charge, "amount_refunded", Some(json!("500"))),
    ];
    for (number, (event, field, value)) in cases.iter().enumerate() {
        let drifted = altered(event, |event| {
            event["id"] = json!(format!("evt_drifted_{number}"));
            let object = event["data"]["object"].as_object_mut().unwrap();
            match value.clone() {
                Some(value) => object.insert((*field).to_owned(), value),
                None => object.remove(*field),
            };
        });
        let what = format!("{field} {value:?} of {}", kind_of(event));
        // Twice: a retry is no second event.
        for _ in 0..2 {
            assert_eq!(shop.receipt(&drifted).await, "parked", "{what}");
            assert_eq!(shop.parked().await, number + 1, "{what}");
        }
        assert_eq!(shop.status(&checkout.purchase).await, "open", "{what}");
    }
    shop.mails(0).await;
    // None of it stands in the way of the same event in its usual shape.
    for event in [&payment, refund, dispute, charge] {
        shop.deliver(event).await.expect(200);
    }
    assert_eq!(shop.status(&checkout.purchase).await, "disputed");
    assert_eq!(shop.money(&checkout.purchase).await, [1500, 500, 1000, 0]);
}

/// 10. A signature over a body in base64; two `v1` in either order; two secrets; none at all.
#[tokio::test]
async fn a_good_signature_is_believed_in_every_form_and_without_a_secret_nothing_starts() {
    const OWN: &str = "whsec_of_my_own";
    let shop = TestApp::with_second_secret(OWN).await;
    let (checkout, event) = shop.paid_unheard().await;
    let signed = |secret: &str, event: &str| {
        let secret = WebhookSecret::new(secret).unwrap();
        sign(event.as_bytes(), &secret, now())
    };
    let again = |number: u8| event.replacen("evt_", &format!("evt_{number}"), 1);

    // The media type decides how API Gateway hands it on; the body has a character of several bytes.
    let body = altered(&again(1), |event| {
        event["data"]["object"]["custom_text"] = json!("Tasse, 🍵");
    });
    let signature = signed("whsec_local", &body);
    let base64 = "application/octet-stream";
    shop.post_webhook_as(base64, Some(&signature), &body)
        .await
        .expect(200);
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    let tampered = body.replace("1500", "1501");
    shop.post_webhook_as(base64, Some(&signature), &tampered)
        .await
        .expect(400);

    let body = again(2);
    let good = signed("whsec_local", &body);
    let (time, v1) = good.split_once(",v1=").unwrap();
    let bad = "0".repeat(64);
    for header in [
        format!("{time},v1={bad},v1={v1}"),
        format!("{time},v1={v1},v1={bad}"),
        format!("{time},v1={bad},v0=00,v1={v1}"),
    ] {
        shop.post_webhook(Some(&header), &body).await.expect(200);
    }
    let header = format!("{time},v1={bad},v1={bad}");
    shop.post_webhook(Some(&header), &body).await.expect(400);

    for (number, secret) in [(3, OWN), (4, "whsec_local")] {
        let body = again(number);
        let signature = signed(secret, &body);
        let answer = shop.post_webhook(Some(&signature), &body).await;
        assert_eq!(answer.expect(200).json()["result"], "nothing new");
    }

    for empty in ["", "   ", ","] {
        let environment = shop.environment_with("WebhookFunction", "STRIPE_WEBHOOK_SECRETS", empty);
        let refused = Webhook::new(&environment, Clock::default()).await.err();
        let refused = refused.unwrap_or_else(|| panic!("it starts with {empty:?}"));
        let message = refused.to_string();
        assert!(message.contains("STRIPE_WEBHOOK_SECRETS"), "{message}");
    }
}

/// 11. What is not for this shop, or not as it was offered: somebody else's payment link, a live event
///     on a test stack, a price from the browser, another buyer's purchase.
#[tokio::test]
async fn what_is_foreign_live_tampered_with_or_somebody_elses_changes_nothing() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    let link = shop.foreign_session().await;
    shop.pay(&link, CARD).await.expect(303);
    shop.refund(&link, Some(300)).await;
    shop.dispute(&link, &[("amount", "400")]).await;
    let foreign = shop.events_of_payment(&link).await;
    assert!(foreign.len() >= 5, "{foreign:#?}");
    let before = shop.dump().await;
    for event in foreign {
        assert_eq!(shop.receipt(&event).await, "foreign", "{event}");
        assert_eq!(shop.dump().await, before, "{event}");
    }

    let live = altered(&event, |event| event["livemode"] = json!(true));
    assert_eq!(shop.receipt(&live).await, "parked");
    assert_eq!(shop.parked().await, 1);
    assert_eq!(shop.status(&checkout.purchase).await, "open");

    let sessions = shop.sessions().await;
    for price in ["price", "unit_amount", "amount"] {
        let mut item = json!({ "product_id": MUG, "quantity": 1 });
        item[price] = json!(1);
        let answer = shop.checkout(&json!({ "items": [item] })).await;
        answer.expect(400).problem();
    }
    assert_eq!(shop.sessions().await, sessions);

    let bob = shop.token(BOB).await;
    let path = format!("/{}", checkout.purchase);
    shop.purchases_of(&bob, &path).await.expect(404).problem();
    let nobody = "/01890000-0000-7000-8000-000000000000";
    let nobodys = shop.purchases_of(&bob, nobody).await.expect(404).problem();
    let adas = shop.purchases_of(&bob, &path).await.problem();
    assert_eq!(adas["detail"], nobodys["detail"]);
    let ada = shop.token(ADA).await;
    shop.purchases_of(&ada, &path).await.expect(200);
    shop.mails(0).await;
}
