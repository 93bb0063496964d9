//! What one buyer holds without having paid: they can pay or cancel it, and it is bounded.

use futures::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use testing::{ADA, Answer, BOB, CARD, Checkout, MUG, TestApp, cart, eventually, of_type, text};

const LAMP: &str = "one-lamp";

/// `MaxOpenPurchases` and `MaxReservedPieces`, unless said otherwise.
const MOST_OPEN: usize = 10;
const MOST_PIECES: u64 = 20;

async fn with_lamps(stock: u32) -> TestApp {
    let shop = TestApp::start().await;
    shop.sell_limited(LAMP, stock).await;
    shop
}

/// Ada checks out this many lamps.
async fn lamps(shop: &TestApp, pieces: u64) -> Answer {
    shop.checkout(&cart(&[(LAMP, pieces)])).await
}

/// The problem's kind.
#[track_caller]
fn refused(answer: &Answer, status: u16, kind: &str) -> Value {
    let problem = answer.clone().expect(status).problem();
    assert_eq!(problem["type"], format!("urn:till:problem:{kind}"));
    problem
}

#[track_caller]
fn named(problem: &Value) -> Vec<String> {
    let open = problem["open_purchases"].as_array().cloned();
    let open = open.unwrap_or_default();
    open.iter().map(|one| text(one, "purchase_id")).collect()
}

async fn session_status(shop: &TestApp, checkout: &Checkout) -> String {
    text(&shop.session(checkout.session()).await, "status")
}

#[tokio::test]
async fn a_buyer_who_took_the_last_and_went_back_may_pay_or_cancel() {
    let shop = with_lamps(3).await;
    let checkout = Checkout::of(&lamps(&shop, 3).await);

    // They press Back, and Buy again.
    let problem = refused(&lamps(&shop, 3).await, 409, "sold-out");
    let open = &problem["open_purchases"];
    assert_eq!(open.as_array().unwrap().len(), 1, "{problem}");
    assert_eq!(open[0]["purchase_id"], checkout.purchase);
    assert_eq!(open[0]["url"], checkout.url);
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["payment"]["url"], checkout.url);
    assert_eq!(open[0]["expires_at"], purchase["payment"]["expires_at"]);
    let waiting = shop.open_purchases().await;
    assert_eq!(waiting, [purchase]);
    // To somebody else it is sold out, and no more is said.
    let bob = shop.token(BOB).await;
    let body = cart(&[(LAMP, 1)]).to_string();
    let bobs = shop.post_checkout(Some(&bob), None, body.clone()).await;
    let problem = refused(&bobs, 409, "sold-out");
    assert!(problem.get("open_purchases").is_none(), "{problem}");
    let bobs = shop.purchases_of(&bob, "?status=open").await.expect(200);
    assert_eq!(bobs.json(), json!({ "purchases": [], "next": null }));

    // Cancelled, it is everybody's at once.
    shop.hold_deliveries().await;
    let cancelled = shop.cancel(&checkout.purchase).await.expect(200).json();
    assert_eq!(cancelled["status"], "expired");
    assert!(cancelled.get("payment").is_none(), "{cancelled}");
    assert_eq!(session_status(&shop, &checkout).await, "expired");
    assert_eq!(shop.stock(LAMP).await, Some(3));
    assert!(shop.open_purchases().await.is_empty());
    let again = shop.cancel(&checkout.purchase).await.expect(200).json();
    assert_eq!(again, cancelled);
    let bobs = shop.post_checkout(Some(&bob), None, body).await;
    Checkout::of(&bobs);
    assert_eq!(shop.stock(LAMP).await, Some(2));
    // Stripe's own word of it gives nothing back a second time.
    let events = shop.events_of(checkout.session()).await;
    let expired = of_type(&events, "checkout.session.expired");
    assert_eq!(shop.receipt(expired).await, "nothing new");
    assert_eq!(shop.stock(LAMP).await, Some(2));
    shop.mails(0).await;
}

#[tokio::test]
async fn of_three_hundred_checkouts_in_a_rush_ten_are_open_and_other_buyers_do_not_notice() {
    let shop = with_lamps(1000).await;
    let (ada, bob) = (shop.ada().await, shop.token(BOB).await);
    let body = cart(&[(LAMP, 1)]).to_string();
    // As many at once as a laptop's engine answers in time.
    let adas = stream::iter((0..300).map(|_| shop.post_checkout(Some(ada), None, body.clone())));
    let adas = adas.buffer_unordered(8).collect::<Vec<_>>();
    let bobs = shop.post_checkout(Some(&bob), None, body.clone());
    let (adas, bobs) = tokio::join!(adas, bobs);
    Checkout::of(&bobs);
    let mut opened = 0;
    for answer in adas {
        match answer.status.as_u16() {
            201 => opened += 1,
            // This many at once are too much for a laptop's engine.
            503 => _ = answer.problem(),
            // Or in the way of their buyer's other requests.
            _ if answer.problem()["type"] == "urn:till:problem:too-many-requests" => {
                assert_eq!(answer.header("retry-after"), Some("1"));
            }
            _ => _ = refused(&answer, 429, "too-many-open-purchases"),
        }
    }
    assert!((1..=MOST_OPEN).contains(&opened), "{opened}");
    assert_eq!(shop.open_purchases().await.len(), opened);
    assert_eq!(shop.stock(LAMP).await, Some(1000 - opened as i64 - 1));
    // And no more than ten, however long they go on.
    while opened < MOST_OPEN {
        Checkout::of(&lamps(&shop, 1).await);
        opened += 1;
    }
    let problem = refused(&lamps(&shop, 1).await, 429, "too-many-open-purchases");
    assert_eq!(named(&problem).len(), MOST_OPEN);
    assert_eq!(shop.stored_purchases().await.len(), MOST_OPEN + 1);
}

#[tokio::test]
async fn a_repeated_request_counts_once_and_what_is_paid_or_cancelled_stops_counting() {
    let shop = TestApp::start().await;
    let mug = cart(&[(MUG, 1)]);
    let mut opened = Vec::new();
    for number in 0..MOST_OPEN {
        let key = format!("key {number}");
        opened.push(Checkout::of(&shop.checkout_as(&key, &mug).await));
    }
    for (number, checkout) in opened.iter().enumerate() {
        let again = shop.checkout_as(&format!("key {number}"), &mug).await;
        assert_eq!(Checkout::of(&again), *checkout);
    }
    let problem = refused(
        &shop.checkout_as("more", &mug).await,
        429,
        "too-many-open-purchases",
    );
    let newest_first: Vec<_> = opened.iter().rev().map(|it| it.purchase.clone()).collect();
    assert_eq!(named(&problem), newest_first);
    let detail = text(&problem, "detail");
    assert!(
        detail.contains("10") && detail.contains("cancel"),
        "{detail}"
    );

    shop.pay(&opened[0], CARD).await.expect(303);
    shop.until_status(&opened[0].purchase, "paid").await;
    Checkout::of(&shop.checkout_as("more", &mug).await);
    refused(
        &shop.checkout_as("yet more", &mug).await,
        429,
        "too-many-open-purchases",
    );
    shop.cancel(&opened[1].purchase).await.expect(200);
    Checkout::of(&shop.checkout_as("yet more", &mug).await);
    // A cancelled purchase's key is good for another one.
    shop.cancel(&opened[2].purchase).await.expect(200);
    let another = Checkout::of(&shop.checkout_as("key 2", &mug).await);
    assert_ne!(another.purchase, opened[2].purchase);
}

#[tokio::test]
async fn no_buyer_reserves_more_than_twenty_pieces() {
    let shop = with_lamps(100).await;
    let (twelve, eight) = (lamps(&shop, 12).await, lamps(&shop, 8).await);
    let (twelve, eight) = (Checkout::of(&twelve), Checkout::of(&eight));
    let problem = refused(&lamps(&shop, 1).await, 409, "too-much-reserved");
    assert_eq!(named(&problem), [&*eight.purchase, &*twelve.purchase]);
    // Products without a limit do not count.
    let mug = shop.open().await;
    // One cart cannot have more either.
    let bob = shop.token(BOB).await;
    let body = cart(&[(LAMP, MOST_PIECES + 1)]).to_string();
    let bobs = shop.post_checkout(Some(&bob), None, body).await;
    let problem = refused(&bobs, 409, "too-much-reserved");
    assert!(problem.get("open_purchases").is_none(), "{problem}");
    assert_eq!(shop.stock(LAMP).await, Some(80));

    // A payment on its way keeps its pieces, and cannot be cancelled.
    shop.pay_by_bank(&twelve).await.expect(303);
    shop.until_status(&twelve.purchase, "pending").await;
    let problem = refused(&lamps(&shop, 1).await, 409, "too-much-reserved");
    assert_eq!(named(&problem), [&*eight.purchase]);
    let waiting = shop.open_purchases().await;
    let waiting: Vec<_> = waiting.iter().map(|one| text(one, "id")).collect();
    assert_eq!(waiting, [&*mug.purchase, &*eight.purchase]);
    let answer = shop.cancel(&twelve.purchase).await;
    refused(&answer, 409, "not-open");
    let path = format!("sessions/{}/succeed", twelve.session());
    shop.control(&path, &[]).await;
    shop.until_status(&twelve.purchase, "paid").await;
    Checkout::of(&lamps(&shop, 12).await);
}

#[tokio::test]
async fn a_hold_that_could_not_be_released_stops_counting_when_its_time_is_over() {
    let shop = with_lamps(100).await;
    Checkout::of(&lamps(&shop, 20).await);
    refused(&lamps(&shop, 1).await, 409, "too-much-reserved");
    // 35 minutes, and ten more.
    shop.age_holds(44 * 60).await;
    refused(&lamps(&shop, 1).await, 409, "too-much-reserved");
    shop.age_holds(2 * 60).await;
    Checkout::of(&lamps(&shop, 20).await);
    assert_eq!(shop.open_purchases().await.len(), 1);
}

#[tokio::test]
async fn an_old_key_does_not_revive_an_expired_hold_beyond_the_limit() {
    // Stripe answers with a failure; or opens a session, and its answer gets lost.
    for fault in [
        [("status", "500"), ("times", "1")],
        [("fault", "hang_up"), ("times", "0")],
    ] {
        let shop = with_lamps(100).await;
        let body = cart(&[(LAMP, MOST_PIECES)]);
        shop.stripe_fails(&fault).await;
        let answer = shop.checkout_as("one", &body).await;
        assert!(answer.status.is_server_error(), "{}", answer.text);
        shop.stripe_is_well().await;
        let first = shop.stored_purchases().await.remove(0);
        // 35 minutes, and eleven more.
        shop.age(&first, 46 * 60).await;
        shop.age_holds(46 * 60).await;
        let second = Checkout::of(&shop.checkout_as("two", &body).await);

        let problem = refused(
            &shop.checkout_as("one", &body).await,
            409,
            "too-much-reserved",
        );
        assert_eq!(named(&problem), [&*second.purchase]);
        assert_eq!(shop.status(&first).await, "abandoned");
        assert_eq!(shop.stock(LAMP).await, Some(80));
        // The key is good for another purchase once there is room for it.
        shop.cancel(&second.purchase).await.expect(200);
        let third = Checkout::of(&shop.checkout_as("one", &body).await);
        assert_ne!(third.purchase, first);
        assert_eq!(shop.stock(LAMP).await, Some(80));
    }
}

#[tokio::test]
async fn what_was_paid_a_moment_before_it_is_cancelled_is_paid() {
    let shop = with_lamps(3).await;
    shop.hold_deliveries().await;
    let checkout = Checkout::of(&lamps(&shop, 3).await);
    shop.pay(&checkout, CARD).await.expect(303);
    let answer = shop.cancel(&checkout.purchase).await;
    let problem = refused(&answer, 409, "not-open");
    assert!(text(&problem, "detail").contains("paid"), "{problem}");
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    assert_eq!(shop.stock(LAMP).await, Some(0));
    let event = shop.events_of(checkout.session()).await.remove(0);
    assert_eq!(shop.receipt(&event).await, "nothing new");
    assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);
    shop.mails(1).await;
}

#[tokio::test]
async fn a_purchase_cancelled_and_paid_at_the_same_time_is_one_or_the_other() {
    let shop = with_lamps(8).await;
    for _ in 0..4 {
        let checkout = Checkout::of(&lamps(&shop, 2).await);
        let before = shop.stock(LAMP).await.unwrap();
        let (paid, cancelled, twice) = tokio::join!(
            shop.pay(&checkout, CARD),
            shop.cancel(&checkout.purchase),
            shop.cancel(&checkout.purchase),
        );
        let status = eventually(async || {
            let status = shop.status(&checkout.purchase).await;
            (status != "open").then_some(status)
        })
        .await;
        let is_paid = session_status(&shop, &checkout).await == "complete";
        assert_eq!(
            status,
            if is_paid { "paid" } else { "expired" },
            "{}",
            paid.text
        );
        for answer in [cancelled, twice] {
            assert!(
                answer.is(if is_paid { 409 } else { 200 }),
                "{}",
                answer.text
            );
        }
        let back = if is_paid { before } else { before + 2 };
        assert_eq!(shop.stock(LAMP).await, Some(back));
    }
}

#[tokio::test]
async fn while_stripe_is_down_nothing_is_cancelled_and_a_retry_carries_on() {
    let shop = with_lamps(3).await;
    for (fault, status) in [("error", 502), ("rate_limit", 503), ("hang_up", 200)] {
        let checkout = Checkout::of(&lamps(&shop, 3).await);
        let path = format!("/v1/checkout/sessions/{}/expire", checkout.session());
        let times = if fault == "hang_up" { "1" } else { "0" };
        let fault = [("fault", fault), ("path", &path), ("times", times)];
        shop.control("faults", &fault).await;
        let answer = shop.cancel(&checkout.purchase).await.expect(status);
        if status != 200 {
            answer.problem();
            assert_eq!(shop.status(&checkout.purchase).await, "open");
            assert_eq!(shop.stock(LAMP).await, Some(0));
            shop.stripe_is_well().await;
        }
        let cancelled = shop.cancel(&checkout.purchase).await.expect(200).json();
        assert_eq!(cancelled["status"], "expired");
        assert_eq!(shop.stock(LAMP).await, Some(3));
    }
}

#[tokio::test]
async fn a_purchase_whose_session_the_shop_never_heard_of_can_be_cancelled() {
    let shop = with_lamps(3).await;
    // Opened, but nobody heard; failed, so that there is none; refused from now on.
    for (fault, then, status) in [
        ([("fault", "hang_up"), ("times", "0")], None, "expired"),
        ([("status", "500"), ("times", "1")], None, "expired"),
        (
            [("status", "500"), ("times", "1")],
            Some("400"),
            "abandoned",
        ),
    ] {
        shop.stripe_fails(&fault).await;
        let answer = lamps(&shop, 3).await;
        assert!(answer.status.is_server_error(), "{}", answer.text);
        shop.stripe_is_well().await;
        assert_eq!(shop.stock(LAMP).await, Some(0));
        // There is no page to pay on, but cancelling is offered all the same.
        let problem = refused(&lamps(&shop, 3).await, 409, "sold-out");
        let open = named(&problem);
        assert!(
            problem["open_purchases"][0].get("url").is_none(),
            "{problem}"
        );
        assert!(shop.open_purchases().await[0].get("payment").is_none());
        if let Some(then) = then {
            shop.stripe_fails(&[("status", then)]).await;
        }
        let cancelled = shop.cancel(&open[0]).await.expect(200).json();
        assert_eq!(cancelled["status"], status, "{cancelled}");
        assert_eq!(shop.stock(LAMP).await, Some(3));
        let sessions = shop.at_stripe("checkout/sessions?status=open").await;
        assert_eq!(sessions["data"], json!([]));
    }
}

#[tokio::test]
async fn nobody_cancels_what_is_not_theirs() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    let bob = shop.token(BOB).await;
    let answer = shop.cancel_as(&bob, &checkout.purchase).await;
    refused(&answer, 404, "not-found");
    let missing = shop.cancel_as(&bob, "01a1f866-0d00-7d3a-9b1e-2f4c8a6d1e57");
    refused(&missing.await, 404, "not-found");
    shop.cancel_as("nobody", &checkout.purchase)
        .await
        .expect(401);
    let unverified = [("email", ADA), ("email_verified", "false")];
    let unverified = shop.token_with(&unverified).await;
    let answer = shop.cancel_as(&unverified, &checkout.purchase).await;
    refused(&answer, 403, "email-not-verified");
    assert_eq!(shop.status(&checkout.purchase).await, "open");
    let list = shop.purchases_of(&bob, "?status=paid").await;
    refused(&list, 400, "bad-request");
}
