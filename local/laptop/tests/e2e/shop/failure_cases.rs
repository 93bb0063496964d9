//! Twelve ways in which a purchase's life goes wrong, as shops on Stripe have met them.

use futures::future::join_all;
use serde_json::{Value, json};
use shared::stripe::signature::{WebhookSecret, sign};
use testing::{
    ADA, BOB, CARD, Checkout, MUG, TestApp, altered, cart, eventually, kind_of, now, of_type,
    permutations, text,
};
use webhook::Webhook;

const DAY: i64 = 24 * 3600;

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

/// 4. A delayed payment succeeds before the session's completion is heard of; another fails days
///    after it.
#[tokio::test]
async fn a_delayed_payment_ends_as_the_bank_says_however_early_or_late_that_is_heard() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    let early = shop.open().await;
    shop.pay_by_bank(&early).await.expect(303);
    shop.control(&format!("sessions/{}/succeed", early.session()), &[])
        .await;
    let events = shop.events_of(early.session()).await;
    let succeeded = of_type(&events, "checkout.session.async_payment_succeeded");
    assert_eq!(shop.receipt(succeeded).await, "recorded");
    let completed = of_type(&events, "checkout.session.completed");
    assert_eq!(shop.receipt(completed).await, "nothing new");
    assert_eq!(shop.status(&early.purchase).await, "paid");
    assert_eq!(shop.effects(&early.purchase).await, ["paid"]);

    let late = shop.open().await;
    shop.pay_by_bank(&late).await.expect(303);
    let completed = shop.events_of(late.session()).await.remove(0);
    assert_eq!(shop.receipt(&completed).await, "recorded");
    assert_eq!(shop.status(&late.purchase).await, "pending");
    shop.mails(2).await;
    shop.control("clock", &[("advance", &(5 * DAY).to_string())])
        .await;
    shop.control(&format!("sessions/{}/fail", late.session()), &[])
        .await;
    let failed = shop.events_of(late.session()).await;
    let failed = of_type(&failed, "checkout.session.async_payment_failed");
    assert_eq!(shop.receipt(failed).await, "recorded");
    assert_eq!(shop.receipt(&completed).await, "seen before");
    assert_eq!(shop.status(&late.purchase).await, "failed");
    assert_eq!(shop.effects(&late.purchase).await, ["failed", "pending"]);
    shop.mails(3).await;
}

/// 5. There is nothing to pay, so no payment intent; and a cart so long that an event shows but a part
///    of it.
#[tokio::test]
async fn a_free_purchase_and_one_of_ninety_lines_are_fulfilled_whole() {
    let shop = TestApp::start().await;
    let free = shop.open().await;
    shop.pay_nothing(&free).await.expect(303);
    shop.until_status(&free.purchase, "paid").await;
    let session = shop.session(free.session()).await;
    assert_eq!(session["payment_intent"], Value::Null);
    assert_eq!(session["payment_status"], "no_payment_required");
    let purchase = shop.purchase(&free.purchase).await;
    assert_eq!(purchase["total"]["amount"], 1500);
    assert_eq!(shop.money(&free.purchase).await, [0, 0, 0, 0]);
    assert!(purchase.get("attention").is_none(), "{purchase}");
    let receipt = text(&shop.mails(1).await[0], "text");
    assert!(receipt.contains("nothing to pay"), "{receipt}");

    let ids: Vec<_> = (0..90).map(|number| format!("mug-{number:02}")).collect();
    for id in &ids {
        shop.sell_mug_for(id, 100).await;
    }
    let items: Vec<_> = ids.iter().map(|id| (id.as_str(), 2)).collect();
    let long = Checkout::of(&shop.checkout(&cart(&items)).await);
    shop.pay(&long, CARD).await.expect(303);
    shop.until_status(&long.purchase, "paid").await;
    let path = format!("checkout/sessions/{}/line_items?limit=100", long.session());
    let lines = shop.at_stripe(&path).await;
    assert_eq!(lines["data"].as_array().unwrap().len(), 90);
    let purchase = shop.purchase(&long.purchase).await;
    let bought: Vec<_> = purchase["lines"].as_array().unwrap().iter().collect();
    assert_eq!(bought.len(), 90);
    assert_eq!(shop.money(&long.purchase).await, [18_000, 0, 0, 18_000]);
    let receipt = text(&shop.mails(2).await[0], "text");
    assert_eq!(receipt.matches("Stoneware mug").count(), 90);
}

/// A purchase with two sessions that can be paid: of the first the shop never heard, and when the
/// request was repeated it was too late to repeat the call.
async fn two_sessions(shop: &TestApp, key: &str, product: &str) -> (Checkout, Checkout) {
    let cart = cart(&[(product, 1)]);
    // However often it is asked: the same key, the same session, and no answer.
    shop.stripe_fails(&[("fault", "hang_up"), ("times", "0")])
        .await;
    shop.checkout_as(key, &cart).await.expect(504);
    shop.stripe_is_well().await;
    let unknown = shop.at_stripe("checkout/sessions?limit=1").await;
    let unknown = &unknown["data"][0];
    let first = Checkout {
        purchase: text(unknown, "client_reference_id"),
        url: text(unknown, "url"),
    };
    shop.age(&first.purchase, 5 * 60).await;
    let second = Checkout::of(&shop.checkout_as(key, &cart).await);
    assert_eq!(first.purchase, second.purchase);
    assert_ne!(first.session(), second.session());
    (first, second)
}

/// 6. A purchase of the last unit has two sessions, both of which can be paid.
#[tokio::test]
async fn two_payable_sessions_take_the_last_unit_once_and_a_payment_too_late_is_flagged() {
    let shop = TestApp::start().await;
    shop.sell_limited("one-left", 1).await;
    shop.sell_limited("another-left", 1).await;
    let bob = shop.token(BOB).await;
    let bobs_try = async |product: &str| {
        let body = cart(&[(product, 1)]).to_string();
        shop.post_checkout(Some(&bob), None, body).await
    };

    // Both are paid: one thing was sold, twice.
    let (first, second) = two_sessions(&shop, "one", "one-left").await;
    assert_eq!(shop.stock("one-left").await, Some(0));
    bobs_try("one-left").await.expect(409);
    for session in [&first, &second] {
        shop.pay(session, CARD).await.expect(303);
        shop.until_status(&first.purchase, "paid").await;
    }
    let twice = async || Some(shop.attention(&first.purchase).await).filter(|it| !it.is_empty());
    assert_eq!(eventually(twice).await, ["paid_twice"]);
    assert_eq!(shop.stock("one-left").await, Some(0));
    assert_eq!(shop.effects(&first.purchase).await, ["paid"]);
    assert_eq!(shop.money(&first.purchase).await, [3000, 0, 0, 3000]);

    // The one that is known ends, so the unit is sold to Bob; then the other one is paid.
    let (first, second) = two_sessions(&shop, "two", "another-left").await;
    shop.expire(&second).await;
    shop.until_status(&second.purchase, "expired").await;
    assert_eq!(shop.stock("another-left").await, Some(1));
    bobs_try("another-left").await.expect(201);
    shop.pay(&first, CARD).await.expect(303);
    shop.until_status(&first.purchase, "paid").await;
    assert_eq!(
        shop.attention(&first.purchase).await,
        ["paid_after_stock_returned"]
    );
    assert_eq!(shop.stock("another-left").await, Some(0), "never below");
    shop.mails(2).await;
}

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
    // Nothing of it stands in the way of the same told well.
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

    // The media type decides how API Gateway hands it on; a character of many bytes is among it.
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
        let refused = Webhook::new(&environment).await.err();
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
        assert_eq!(shop.status(&checkout.purchase).await, "open");
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
