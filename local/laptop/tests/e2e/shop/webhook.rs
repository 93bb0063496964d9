use futures::future::join_all;
use serde_json::{Value, json};
use shared::stripe::signature::{TOLERANCE_SECONDS, WebhookSecret, sign};
use testing::{TestApp, altered, now, text};

fn secret(text: &str) -> WebhookSecret {
    WebhookSecret::new(text).unwrap()
}

#[tokio::test]
async fn an_event_that_comes_five_times_counts_once() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        shop.deliver(&event).await.expect(200);
        seen.push(shop.purchase(&checkout.purchase).await);
    }
    assert_eq!(seen[0]["status"], "paid");
    assert!(seen.iter().all(|purchase| *purchase == seen[0]));
    shop.mails(1).await;
}

#[tokio::test]
async fn an_event_that_comes_twenty_times_at_once_counts_once() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    let answers = join_all((0..20).map(|_| shop.deliver(&event))).await;
    let mut receipts = Vec::new();
    for answer in answers {
        // A delivery that lost every race says so, and Stripe sends it again.
        let answer = match answer.is(500) {
            true => shop.deliver(&event).await,
            false => answer,
        };
        receipts.push(text(&answer.expect(200).json(), "result"));
    }
    receipts.sort();
    assert_eq!(receipts[0], "recorded");
    assert_eq!(receipts[1..], ["seen before"; 19]);
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);
    shop.mails(1).await;
}

#[tokio::test]
async fn events_that_come_in_reverse_leave_the_purchase_paid() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    let checkout = shop.open().await;
    shop.pay_by_bank(&checkout).await.expect(303);
    shop.control(&format!("sessions/{}/succeed", checkout.session()), &[])
        .await;
    let events = shop.events_of(checkout.session()).await;
    assert_eq!(events.len(), 2);
    for event in events.iter().rev() {
        shop.deliver(event).await.expect(200);
        assert_eq!(shop.status(&checkout.purchase).await, "paid");
    }
    shop.mails(1).await;
    assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);
}

#[tokio::test]
async fn different_events_that_come_at_once_all_count() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    let checkout = shop.open().await;
    shop.pay_by_bank(&checkout).await.expect(303);
    shop.control(&format!("sessions/{}/succeed", checkout.session()), &[])
        .await;
    let events = shop.events_of(checkout.session()).await;
    let twice = events.iter().chain(events.iter());
    for answer in join_all(twice.map(|event| shop.deliver(event))).await {
        answer.expect(200);
    }
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    shop.drained().await;
    let subjects = shop.subjects_about(&checkout.purchase).await;
    let told = |words: &str| subjects.iter().filter(|it| it.contains(words)).count();
    assert_eq!(told("Your receipt"), 1, "{subjects:?}");
    let outbox = shop.outbox(&checkout.purchase).await;
    assert_eq!(outbox["paid"], "sent");
    // That the money is on its way is an effect if it was heard first, and is told if that was still
    // true when its turn came.
    let on_its_way = match outbox.get("pending").map(String::as_str) {
        None | Some("superseded") => 0,
        Some("sent") => 1,
        Some(state) => panic!("the mail that it is pending is {state}"),
    };
    assert_eq!(told("on its way"), on_its_way, "{subjects:?}");
    assert_eq!(subjects.len(), 1 + on_its_way, "{subjects:?}");
}

#[tokio::test]
async fn what_stripe_did_not_sign_is_400_and_leaves_no_trace() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    let body = event.as_bytes();
    let ours = secret("whsec_local");
    let signed_at = now();
    let good = sign(body, &ours, signed_at);
    let (time, v1) = good.split_once(",v1=").unwrap();
    let tampered = event.replace("1500", "1501");
    assert_ne!(tampered, event);
    let stale = sign(body, &ours, now() - TOLERANCE_SECONDS - 5);
    let early = sign(body, &ours, now() + TOLERANCE_SECONDS + 60);
    let before = shop.dump().await;
    for (what, signature, body) in [
        ("no signature", None, &event),
        ("an empty one", Some(String::new()), &event),
        ("nonsense", Some("nonsense".to_owned()), &event),
        ("no time", Some(format!("v1={v1}")), &event),
        ("no v1", Some(time.to_owned()), &event),
        ("only v0", Some(good.replace("v1=", "v0=")), &event),
        ("half a v1", Some(good[..good.len() - 2].to_owned()), &event),
        (
            "other time",
            Some(format!("t={},v1={v1}", signed_at - 1)),
            &event,
        ),
        (
            "other secret",
            Some(sign(body, &secret("whsec_other"), now())),
            &event,
        ),
        ("stale", Some(stale), &event),
        ("from the future", Some(early), &event),
        ("other body", Some(good.clone()), &tampered),
        ("a space more", Some(good.clone()), &format!("{event} ")),
        ("no body", Some(good.clone()), &String::new()),
    ] {
        let answer = shop.post_webhook(signature.as_deref(), body).await;
        assert!(answer.is(400), "{what}: {} {}", answer.status, answer.text);
    }
    assert_eq!(shop.dump().await, before);
    assert_eq!(shop.status(&checkout.purchase).await, "open");
    shop.mails(0).await;
}

#[tokio::test]
async fn what_is_none_of_our_business_is_200_and_leaves_no_trace() {
    let shop = TestApp::start().await;
    let (_, event) = shop.paid_unheard().await;
    let before = shop.dump().await;
    let unknown_type = altered(&event, |event| event["type"] = json!("customer.created"));
    let foreign = altered(&event, |event| {
        let session = &mut event["data"]["object"];
        session["metadata"] = json!({});
        session["client_reference_id"] = Value::Null;
    });
    let foreign_reference = altered(&event, |event| {
        let session = &mut event["data"]["object"];
        session["metadata"] = json!({});
        session["client_reference_id"] = json!("their-order-7");
    });
    let other_stack = altered(&event, |event| {
        event["data"]["object"]["metadata"]["till_stack"] = json!("another-till");
    });
    let no_metadata = altered(&event, |event| {
        event["data"]["object"]["metadata"] = Value::Null;
    });
    for (what, event) in [
        ("unknown type", unknown_type),
        ("foreign", foreign),
        ("foreign with a reference", foreign_reference),
        ("another stack's", other_stack),
        ("without metadata", no_metadata),
    ] {
        let answer = shop.deliver(&event).await;
        assert!(answer.is(200), "{what}: {} {}", answer.status, answer.text);
        assert_eq!(shop.dump().await, before, "{what}");
    }
    shop.mails(0).await;
}

#[tokio::test]
async fn what_cannot_even_be_read_as_an_event_is_parked() {
    let shop = TestApp::start().await;
    for (before, body) in ["[]", r#"{"object":"event"}"#, "null"].iter().enumerate() {
        assert_eq!(shop.receipt(body).await, "parked", "{body}");
        assert_eq!(shop.parked().await, before + 1, "{body}");
    }
}

#[tokio::test]
async fn a_parked_events_real_twin_still_counts() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    let drifted = altered(&event, |event| {
        event["data"]["object"]["amount_total"] = json!("1500 dollars");
    });
    shop.deliver(&drifted).await.expect(200);
    assert_eq!(shop.parked().await, 1);
    // Parking claims nothing: after a fix the same event is recorded.
    shop.deliver(&event).await.expect(200);
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    shop.mails(1).await;
}

#[tokio::test]
async fn a_payment_for_a_purchase_that_was_lost_rebuilds_it_for_someone_to_look_at() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    shop.lose_purchase(&checkout.purchase).await;
    for _ in 0..2 {
        shop.deliver(&event).await.expect(200);
    }
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["status"], "paid");
    assert_eq!(
        purchase["total"],
        json!({ "amount": 1500, "currency": "usd" })
    );
    let attention = purchase["attention"].as_array();
    assert!(
        attention.is_some_and(|reasons| !reasons.is_empty()),
        "{purchase}"
    );
    let row = shop.outbox_row(&checkout.purchase, "paid").await;
    assert_eq!(row["state"]["S"], "held");
    shop.mailer().await;
    shop.mails(0).await;
    assert_eq!(shop.history().await, [checkout.purchase]);
}

#[tokio::test]
async fn a_purchase_lost_after_its_receipt_went_is_rebuilt_without_a_second_receipt() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    shop.deliver(&event).await.expect(200);
    shop.mails(1).await;
    shop.lose_purchase(&checkout.purchase).await;
    let again = event.replacen("evt_", "evt_again", 1);
    shop.deliver(&again).await.expect(200);
    assert_eq!(shop.purchase(&checkout.purchase).await["status"], "paid");
    shop.mails(1).await;
}

#[tokio::test]
async fn an_expired_session_of_a_purchase_that_was_lost_leaves_no_trace() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    let checkout = shop.open().await;
    shop.control("clock", &[("advance", "90000")]).await;
    let event = shop.events_of(checkout.session()).await.remove(0);
    assert!(event.contains("checkout.session.expired"));
    shop.lose_purchase(&checkout.purchase).await;
    let before = shop.dump().await;
    shop.deliver(&event).await.expect(200);
    assert_eq!(shop.dump().await, before);
}

#[tokio::test]
async fn a_payment_on_its_way_for_a_purchase_that_was_lost_waits_for_the_money() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    let checkout = shop.open().await;
    shop.pay_by_bank(&checkout).await.expect(303);
    shop.control(&format!("sessions/{}/succeed", checkout.session()), &[])
        .await;
    let events = shop.events_of(checkout.session()).await;
    shop.lose_purchase(&checkout.purchase).await;
    let before = shop.dump().await;
    shop.deliver(&events[0]).await.expect(200);
    assert_eq!(shop.dump().await, before);
    shop.deliver(&events[1]).await.expect(200);
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    shop.mails(0).await;
}

#[tokio::test]
async fn a_purchase_that_is_paid_twice_is_paid_and_looked_at_and_its_buyer_told_once() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    let twin = altered(&event, |event| {
        event["id"] = json!("evt_twin");
        event["data"]["object"]["id"] = json!("cs_test_twin");
        event["data"]["object"]["payment_intent"] = json!("pi_twin");
    });
    for event in [&event, &twin, &twin, &event] {
        shop.deliver(event).await.expect(200);
    }
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["status"], "paid");
    assert_eq!(purchase["attention"].as_array().unwrap().len(), 1);
    shop.mails(1).await;
}

#[tokio::test]
async fn more_money_than_ordered_or_other_money_is_paid_and_looked_at() {
    for (what, field, value) in [
        ("a larger amount", "amount_total", json!(1501)),
        ("another currency", "currency", json!("eur")),
    ] {
        let shop = TestApp::start().await;
        let (checkout, event) = shop.paid_unheard().await;
        let other = altered(&event, |event| event["data"]["object"][field] = value);
        shop.deliver(&other).await.expect(200);
        let purchase = shop.purchase(&checkout.purchase).await;
        assert_eq!(purchase["status"], "paid", "{what}");
        assert!(purchase["attention"].is_array(), "{what}: {purchase}");
        shop.mails(1).await;
    }
}

#[tokio::test]
async fn a_body_over_512_kib_is_413_however_well_signed() {
    let shop = TestApp::start().await;
    let (_, event) = shop.paid_unheard().await;
    let before = shop.dump().await;
    let padded = |bytes: usize| {
        altered(&event, |event| {
            event["data"]["object"]["custom_text"] = json!("x".repeat(bytes));
        })
    };
    shop.deliver(&padded(512 << 10)).await.expect(413);
    assert_eq!(shop.dump().await, before);
    // Just below the limit, it is read.
    let event = padded((512 << 10) - event.len() - 64);
    assert!(event.len() > 510 << 10 && event.len() <= 512 << 10);
    shop.deliver(&event).await.expect(200);
}

#[tokio::test]
async fn events_of_other_shapes_are_taken_and_forgotten() {
    let shop = TestApp::start().await;
    let before = shop.dump().await;
    for event in [
        json!({
            "id": "evt_test_1", "object": "v2.core.event", "type": "v2.core.event_destination.ping",
            "created": "2026-11-20T10:01:35.000Z", "livemode": false, "related_object": null,
        }),
        json!({
            "id": "evt_2", "object": "v2.core.event", "type": "v1.checkout.session.completed",
            "created": "2026-11-20T10:01:35.000Z", "related_object": { "id": "cs_test_1" },
        }),
        json!({ "id": "evt_3", "object": "event", "type": "account.application.deauthorized" }),
        json!({ "type": "ping" }),
    ] {
        assert_eq!(
            shop.receipt(&event.to_string()).await,
            "unhandled",
            "{event}"
        );
    }
    assert_eq!(shop.parked().await, 0);
    assert_eq!(shop.dump().await, before);
    // An event like that of a type that is handled cannot be read.
    let event =
        json!({ "id": "evt_4", "object": "event", "type": "refund.created", "livemode": false });
    assert_eq!(shop.receipt(&event.to_string()).await, "parked");
}

#[tokio::test]
async fn the_webhook_is_found_with_a_slash_and_its_signature_with_blanks() {
    let shop = TestApp::start().await;
    let body = json!({ "id": "evt_1", "object": "event", "type": "plan.created" }).to_string();
    let signature = sign(body.as_bytes(), &secret(testing::WEBHOOK_SECRET), now());
    let spaced = signature.replace(',', ", ");
    for path in ["/webhook", "/webhook/", "/webhook/?q=a+b"] {
        for signature in [&signature, &spaced] {
            let answer = shop.post_webhook_at(path, signature, &body).await;
            assert_eq!(answer.expect(200).json()["result"], "unhandled", "{path}");
        }
    }
    let answer = shop.get("/webhook").await.expect(405);
    assert_eq!(answer.header("allow"), Some("POST"));
}
