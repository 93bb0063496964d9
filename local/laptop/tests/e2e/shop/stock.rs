//! Products with limited stock.

use futures::future::join_all;
use reconcile::Limits;
use serde_json::json;
use testing::{CARD, Checkout, MUG, TestApp, altered, cart, now, of_type, permutations};

/// The product with limited stock.
const LAMP: &str = "one-lamp";

/// How long a session for limited stock lasts at least and at most, in seconds.
const RESERVED_FOR: std::ops::RangeInclusive<i64> = 34 * 60..=35 * 60;

/// From opening until a purchase whose session nobody knows is given up: its session's 35 minutes,
/// and 10 more.
const GIVEN_UP_AFTER: i64 = 45 * 60;

async fn with_lamps(stock: u32) -> TestApp {
    let shop = TestApp::start().await;
    shop.sell_limited(LAMP, stock).await;
    shop
}

#[tokio::test]
async fn what_is_in_a_checkout_is_reserved_for_35_minutes_and_gone_when_it_is_paid() {
    let shop = with_lamps(5).await;
    let checkout = Checkout::of(&shop.checkout(&cart(&[(LAMP, 2), (MUG, 1)])).await);
    assert_eq!(shop.stock(LAMP).await, Some(3));
    let shown = shop.products(&format!("/{LAMP}")).await.expect(200).json();
    assert_eq!(shown["stock"], 3);
    let session = shop.session(checkout.session()).await;
    let lives = session["expires_at"].as_i64().unwrap() - now();
    assert!(RESERVED_FOR.contains(&lives), "{lives}");
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    // Even a full refund does not return the stock: nobody knows whether the goods were sent.
    shop.refund(&checkout, None).await;
    shop.until_status(&checkout.purchase, "refunded").await;
    assert_eq!(shop.stock(LAMP).await, Some(3));
}

#[tokio::test]
async fn what_is_sold_out_is_409_by_name_and_nothing_is_made() {
    let shop = with_lamps(2).await;
    shop.sell_limited("plenty", 100).await;
    let before = shop.dump().await;
    let wish = cart(&[("plenty", 1), (LAMP, 3), (MUG, 1)]);
    let refused = shop.checkout_as("one", &wish).await.expect(409).problem();
    assert!(
        refused["type"].as_str().unwrap().ends_with("sold-out"),
        "{refused}"
    );
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.contains(LAMP) && !detail.contains("plenty"),
        "{detail}"
    );
    assert_eq!(shop.dump().await, before);
    assert_eq!(shop.sessions().await, 0);
    // The key is free for what there is.
    let wish = cart(&[("plenty", 1), (LAMP, 2)]);
    shop.checkout_as("one", &wish).await.expect(201);
    assert_eq!(shop.stock(LAMP).await, Some(0));
    assert_eq!(shop.stock("plenty").await, Some(99));
}

#[tokio::test]
async fn twenty_buyers_at_once_get_the_last_three() {
    let shop = with_lamps(3).await;
    let mut buyers = Vec::new();
    for number in 0..20 {
        buyers.push(shop.token(&format!("{number}@buyers.example")).await);
    }
    let body = cart(&[(LAMP, 1)]).to_string();
    let all = buyers
        .iter()
        .map(|token| shop.post_checkout(Some(token), None, body.clone()));
    let mut got = 0;
    for answer in join_all(all).await {
        if answer.is(201) {
            got += 1;
        } else {
            let refused = answer.expect(409).problem();
            assert!(
                refused["detail"].as_str().unwrap().contains(LAMP),
                "{refused}"
            );
        }
    }
    assert_eq!(got, 3);
    assert_eq!(shop.stock(LAMP).await, Some(0));
    assert_eq!(shop.stored_purchases().await.len(), 3);
}

#[tokio::test]
async fn a_request_that_is_repeated_reserves_once() {
    let shop = with_lamps(1).await;
    let wish = cart(&[(LAMP, 1)]);
    shop.stripe_fails(&[("status", "500")]).await;
    shop.checkout_as("one", &wish).await.expect(502);
    let first = Checkout::of(&shop.checkout_as("one", &wish).await);
    let again = Checkout::of(&shop.checkout_as("one", &wish).await);
    assert_eq!(first, again);
    assert_eq!(shop.stock(LAMP).await, Some(0));
}

#[tokio::test]
async fn stock_comes_back_once_whatever_ends_the_purchase_and_in_whichever_order_it_is_told() {
    let shop = with_lamps(7).await;
    shop.hold_deliveries().await;
    let wish = cart(&[(LAMP, 3), (MUG, 1)]);

    // Stripe refuses.
    shop.stripe_fails(&[("status", "400")]).await;
    shop.checkout_as("refused", &wish).await.expect(502);
    assert_eq!(shop.stock(LAMP).await, Some(7));

    // The session expires: told twice, and by a twin at the same time.
    let expiring = Checkout::of(&shop.checkout(&wish).await);
    assert_eq!(shop.stock(LAMP).await, Some(4));
    shop.expire(&expiring).await;
    let expired = shop.events_of(expiring.session()).await.remove(0);
    let twin = altered(&expired, |event| event["id"] = json!("evt_twin"));
    join_all([&expired, &twin, &expired].map(|event| shop.deliver(event))).await;
    for event in [&expired, &twin] {
        shop.deliver(event).await.expect(200);
    }
    assert_eq!(shop.status(&expiring.purchase).await, "expired");
    assert_eq!(shop.stock(LAMP).await, Some(7));

    // The bank refuses, and to top it all the session is said to have expired, in every order.
    for order in permutations(3) {
        let failing = Checkout::of(&shop.checkout(&wish).await);
        shop.pay_by_bank(&failing).await.expect(303);
        shop.control(&format!("sessions/{}/fail", failing.session()), &[])
            .await;
        let mut events = shop.events_of(failing.session()).await;
        assert_eq!(events.len(), 2);
        events.push(altered(&events[0], |event| {
            event["id"] = json!(format!("evt_{}", failing.session()));
            event["type"] = json!("checkout.session.expired");
        }));
        for number in &order {
            shop.deliver(&events[*number]).await.expect(200);
        }
        assert_eq!(shop.status(&failing.purchase).await, "failed");
        assert_eq!(shop.stock(LAMP).await, Some(7), "{order:?}");
    }

    // It is paid after all: sold although its stock was returned, so somebody has to see to it.
    let paid = Checkout::of(&shop.checkout(&wish).await);
    shop.pay(&paid, CARD).await.expect(303);
    let payment = shop.events_of(paid.session()).await.remove(0);
    let expired = altered(&payment, |event| {
        event["id"] = json!("evt_expired");
        event["type"] = json!("checkout.session.expired");
    });
    shop.deliver(&expired).await.expect(200);
    shop.deliver(&payment).await.expect(200);
    assert_eq!(shop.status(&paid.purchase).await, "paid");
    assert_eq!(
        shop.attention(&paid.purchase).await,
        ["paid_after_stock_returned"]
    );
    assert_eq!(shop.stock(LAMP).await, Some(7));
}

/// The event that a purchase of two lamps has expired, which the shop has not heard of yet.
async fn expired_unheard(shop: &TestApp) -> (Checkout, String) {
    shop.hold_deliveries().await;
    let checkout = Checkout::of(&shop.checkout(&cart(&[(LAMP, 2), ("other", 1)])).await);
    shop.expire(&checkout).await;
    let events = shop.events_of(checkout.session()).await;
    let expired = of_type(&events, "checkout.session.expired").to_owned();
    (checkout, expired)
}

#[tokio::test]
async fn what_the_seller_has_deleted_or_made_unlimited_meanwhile_holds_up_nothing() {
    for deleted in [true, false] {
        let shop = with_lamps(5).await;
        shop.sell_limited("other", 5).await;
        let (checkout, expired) = expired_unheard(&shop).await;
        match deleted {
            true => shop.delete_product(LAMP).await,
            false => shop.limit(LAMP, None).await,
        }
        assert_eq!(shop.receipt(&expired).await, "recorded");
        assert_eq!(shop.status(&checkout.purchase).await, "expired");
        assert_eq!(shop.stock("other").await, Some(5));
        assert_eq!(shop.stock(LAMP).await, None);
        let found = shop.products(&format!("/{LAMP}")).await;
        assert!(found.is(if deleted { 404 } else { 200 }), "{}", found.text);
        // Limited again, it has what the seller says.
        if !deleted {
            shop.limit(LAMP, Some(9)).await;
        }
        assert_eq!(shop.receipt(&expired).await, "seen before");
        assert_eq!(shop.stock(LAMP).await, (!deleted).then_some(9));
    }
}

#[tokio::test]
async fn a_failing_table_never_looks_like_sold_out_nor_reserves_or_returns_twice() {
    let shop = with_lamps(10).await;
    shop.sell_limited("other", 10).await;
    let wish = cart(&[(LAMP, 2)]);
    let mut left = 10;
    for fault in ["throttle", "conflict", "error"] {
        // For good:
        shop.aws_fails("TransactWriteItems", fault, None).await;
        let answer = shop.checkout(&wish).await;
        assert!(answer.status.is_server_error(), "{fault}: {}", answer.text);
        shop.aws_recovers().await;
        assert_eq!(shop.stock(LAMP).await, Some(left), "{fault}");
        // For a moment:
        shop.aws_fails("TransactWriteItems", fault, Some(1)).await;
        shop.checkout(&wish).await.expect(201);
        shop.aws_recovers().await;
        left -= 2;
        assert_eq!(shop.stock(LAMP).await, Some(left), "{fault}");
    }
    // Written, and nobody hears of it in time: the call that is repeated is the same call.
    shop.aws_fails("TransactWriteItems", "timeout_after", Some(1))
        .await;
    shop.checkout(&wish).await.expect(201);
    left -= 2;
    assert_eq!(shop.stock(LAMP).await, Some(left));

    let (checkout, expired) = expired_unheard(&shop).await;
    for fault in ["throttle", "conflict", "error", "timeout_after"] {
        let none = fault == "timeout_after";
        shop.aws_fails("TransactWriteItems", fault, None).await;
        shop.deliver(&expired).await.expect(500);
        shop.aws_recovers().await;
        let back = if none { left } else { left - 2 };
        assert_eq!(shop.stock(LAMP).await, Some(back), "{fault}");
    }
    assert_eq!(shop.receipt(&expired).await, "seen before");
    assert_eq!(shop.status(&checkout.purchase).await, "expired");
    assert_eq!(shop.stock(LAMP).await, Some(left));
    assert_eq!(shop.stock("other").await, Some(10));
}

#[tokio::test]
async fn buyers_in_each_others_way_are_told_to_try_again_and_the_stock_adds_up() {
    const BUYERS: usize = 24;
    let shop = with_lamps(BUYERS as u32).await;
    let mut buyers = Vec::new();
    for number in 0..BUYERS {
        buyers.push(shop.token(&format!("{number}@buyers.example")).await);
    }
    let body = cart(&[(LAMP, 1)]).to_string();
    let all_at_once = || {
        let all = buyers
            .iter()
            .map(|token| shop.post_checkout(Some(token), Some("lamp"), body.clone()));
        join_all(all)
    };
    // As many conflicts as all of them together may meet, less a few.
    let conflicts = BUYERS as u32 * 6 - 12;
    shop.aws_fails("TransactWriteItems", "conflict", Some(conflicts))
        .await;
    let mut told_to_try_again = 0;
    for answer in all_at_once().await {
        if !answer.is(201) {
            let retry_after = answer.headers.get("retry-after").cloned();
            let busy = answer.expect(503).problem();
            assert_eq!(busy["type"], "urn:till:problem:busy");
            assert_eq!(retry_after.unwrap(), "1");
            told_to_try_again += 1;
        }
    }
    assert!(told_to_try_again > 0);
    shop.aws_recovers().await;
    // What is reserved is what is in purchases, whoever was told what.
    let stored = shop.stored_purchases().await.len();
    let left = usize::try_from(shop.stock(LAMP).await.unwrap()).unwrap();
    assert_eq!(stored + left, BUYERS);
    // They try again, with the same keys: each gets one lamp, and none is missing.
    for answer in all_at_once().await {
        answer.expect(201);
    }
    assert_eq!(shop.stock(LAMP).await, Some(0));
    assert_eq!(shop.stored_purchases().await.len(), BUYERS);
}

/// A purchase of two lamps whose call to Stripe ended like this.
async fn opened_without_a_word(shop: &TestApp, fault: &[(&str, &str)]) -> String {
    shop.stripe_fails(&[fault, &[("times", "0")]].concat())
        .await;
    let answer = shop.checkout_as("one", &cart(&[(LAMP, 2)])).await;
    assert!(answer.status.is_server_error(), "{}", answer.text);
    shop.stripe_is_well().await;
    shop.stored_purchases().await.remove(0)
}

#[tokio::test]
async fn a_purchase_without_a_session_is_abandoned_ten_minutes_after_its_time_and_not_before() {
    let shop = with_lamps(2).await;
    let purchase = opened_without_a_word(&shop, &[("status", "500")]).await;
    assert_eq!(shop.stock(LAMP).await, Some(0));
    shop.age(&purchase, GIVEN_UP_AFTER - 60).await;
    assert_eq!(shop.reconcile().await.found, 0);
    assert_eq!(shop.status(&purchase).await, "open");
    assert_eq!(shop.stock(LAMP).await, Some(0));
    shop.age(&purchase, 120).await;
    let findings = shop.reconcile().await;
    assert_eq!(findings.found, 1, "{findings:?}");
    assert_eq!(shop.status(&purchase).await, "abandoned");
    assert_eq!(shop.stock(LAMP).await, Some(2));
    assert!(shop.is_forgettable(&purchase).await);
    let findings = shop.reconcile().await;
    assert_eq!((findings.found, findings.purchases), (0, 0), "{findings:?}");
    assert_eq!(shop.stock(LAMP).await, Some(2));
    // The seller is told that none was left, and the buyer nothing.
    shop.mails(1).await;
}

#[tokio::test]
async fn a_session_that_the_shop_never_heard_of_is_found_by_its_metadata_and_keeps_its_stock() {
    for paid in [true, false] {
        let shop = with_lamps(2).await;
        shop.hold_deliveries().await;
        let purchase = opened_without_a_word(&shop, &[("fault", "hang_up")]).await;
        let session = shop.at_stripe("checkout/sessions?limit=1").await["data"][0].clone();
        let checkout = Checkout {
            purchase: purchase.clone(),
            url: session["url"].as_str().unwrap().to_owned(),
        };
        // Somebody else's session is of no concern.
        shop.foreign_session().await;
        // No event tells of it, so only the session says what became of it.
        shop.control("faults", &[("fault", "no_event"), ("times", "0")])
            .await;
        if paid {
            shop.pay(&checkout, CARD).await.expect(303);
            shop.refund(&checkout, Some(500)).await;
        }
        assert!(shop.deliveries().await.is_empty());
        shop.age(&purchase, GIVEN_UP_AFTER + 60).await;
        let away = [("path", "/v1/*"), ("status", "500"), ("times", "0")];
        shop.control("faults", &away).await;
        let run = shop.reconciler().await;
        run.run(Limits::default(), |_| {}).await.unwrap_err();
        assert_eq!(shop.status(&purchase).await, "open", "Stripe said nothing");
        shop.stripe_is_well().await;
        shop.reconcile().await;
        let status = if paid { "partially_refunded" } else { "open" };
        assert_eq!(shop.status(&purchase).await, status);
        assert_eq!(shop.stock(LAMP).await, Some(0));
        let item = shop.purchase_item(&purchase).await;
        assert!(
            item["facts"].to_string().contains(checkout.session()),
            "{item}"
        );
        if paid {
            assert_eq!(shop.money(&purchase).await, [3000, 500, 0, 2500]);
        }
    }
}
