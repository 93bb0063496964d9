//! Buying what recurs: which products go together, and whose customer at Stripe the buyer is.

use serde_json::json;
use testing::{BOB, CARD, COFFEE, Checkout, MAGAZINE, MUG, TestApp, cart, eventually, text};

#[tokio::test]
async fn products_that_are_paid_for_at_different_times_are_refused_together_and_both_named() {
    let shop = TestApp::start().await;
    let before = shop.dump().await;
    let refused = shop
        .checkout(&cart(&[(COFFEE, 1), (MAGAZINE, 1), (MUG, 1)]))
        .await;
    let problem = refused.expect(422).problem();
    assert_eq!(text(&problem, "type"), "urn:till:problem:mixed-terms");
    assert_eq!(
        text(&problem, "detail"),
        "items: sample-magazine is paid for every 3 months, 14 days free, sample-coffee every \
         month; subscribe to them in separate purchases"
    );
    assert_eq!(shop.dump().await, before);
    let customers = shop.at_stripe("customers").await;
    assert_eq!(customers["data"], json!([]));
}

#[tokio::test]
async fn the_catalog_says_how_often_a_product_is_paid_for() {
    let shop = TestApp::start().await;
    let coffee = shop
        .products(&format!("/{COFFEE}"))
        .await
        .expect(200)
        .json();
    let monthly = json!({ "interval": "month", "interval_count": 1 });
    assert_eq!(coffee["recurring"], monthly);
    let magazine = shop
        .products(&format!("/{MAGAZINE}"))
        .await
        .expect(200)
        .json();
    let tried = json!({ "interval": "month", "interval_count": 3, "trial_days": 14 });
    assert_eq!(magazine["recurring"], tried);
    let mug = shop.products(&format!("/{MUG}")).await.expect(200).json();
    assert!(mug.get("recurring").is_none());
}

#[tokio::test]
async fn a_buyer_has_one_customer_however_often_they_subscribe_at_once() {
    let shop = TestApp::start().await;
    let cart = cart(&[(COFFEE, 1)]);
    let tries = (0..4).map(|_| shop.checkout(&cart));
    futures::future::join_all(tries).await;
    shop.checkout(&cart).await;
    let customers = shop.at_stripe("customers").await;
    let [customer] = customers["data"].as_array().unwrap().as_slice() else {
        panic!("not one customer: {customers}");
    };
    assert_eq!(customer["email"], testing::ADA);
    let tags = customer["metadata"].as_object().unwrap();
    assert!(
        tags.contains_key("buyer") && tags.contains_key("till_stack"),
        "{tags:?}"
    );

    let bob = shop.token(BOB).await;
    shop.post_checkout(Some(&bob), None, cart.to_string()).await;
    let customers = shop.at_stripe("customers").await;
    assert_eq!(customers["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_customer_whose_row_is_lost_is_found_again_by_its_tags() {
    let shop = TestApp::start().await;
    shop.checkout(&cart(&[(COFFEE, 1)])).await;
    let first = shop.customer_item().await;
    shop.lose_customer().await;
    // Long after Stripe has forgotten the idempotency key.
    shop.control("clock", &[("advance", "172800")]).await;
    shop.checkout(&cart(&[(COFFEE, 1)])).await;
    assert_eq!(shop.customer_item().await["customer"], first["customer"]);
    let customers = shop.at_stripe("customers").await;
    assert_eq!(customers["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_customer_deleted_at_stripe_is_replaced() {
    let shop = TestApp::start().await;
    shop.checkout(&cart(&[(COFFEE, 1)])).await;
    let first = shop.customer_item().await["customer"]["S"]
        .as_str()
        .unwrap()
        .to_owned();
    shop.stripe_delete(&format!("customers/{first}")).await;
    shop.checkout(&cart(&[(COFFEE, 1)])).await;
    let second = shop.customer_item().await["customer"]["S"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(first, second);
    let customers = shop.at_stripe("customers").await;
    assert_eq!(text(&customers["data"][0], "id"), second);
}

#[tokio::test]
async fn a_buyer_who_is_billed_in_another_currency_is_told_why_they_cannot_subscribe() {
    let shop = TestApp::start().await;
    shop.checkout(&cart(&[(COFFEE, 1)])).await.expect(201);
    let customer = text(&shop.customer_item().await["customer"], "S");
    let form = [
        ("customer", &*customer),
        ("amount", "700"),
        ("currency", "eur"),
    ];
    shop.stripe_post("invoiceitems", &form).await;
    let refused = shop.checkout(&cart(&[(COFFEE, 1)])).await;
    let problem = refused.expect(409).problem();
    assert_eq!(
        text(&problem, "type"),
        "urn:till:problem:subscribed-in-other-currency"
    );
}

#[tokio::test]
async fn whoever_never_subscribed_has_no_billing_portal_and_nobody_signed_out_has_one() {
    let shop = TestApp::start().await;
    let ada = shop.ada().await;
    let problem = shop.portal(Some(ada)).await.expect(404).problem();
    assert_eq!(text(&problem, "type"), "urn:till:problem:not-found");
    shop.portal(None).await.expect(401);
}

#[tokio::test]
async fn whoever_subscribes_pays_sees_it_and_may_use_it() {
    let shop = TestApp::start().await;
    let checkout = Checkout::of(&shop.checkout(&cart(&[(COFFEE, 2), (MUG, 1)])).await);
    let session = shop.session(checkout.session()).await;
    assert_eq!(session["mode"], "subscription");
    assert_eq!(session["amount_total"], 5300);
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    let id = text(&purchase, "subscription_id");

    let ada = shop.ada().await;
    let subscription = eventually(async || {
        let found = shop
            .get_as(Some(ada), &format!("/subscriptions/{id}"))
            .await;
        let found = found.expect(200).json();
        (found["status"] == "active" && found["invoices"][0]["status"] == "paid").then_some(found)
    });
    let subscription = subscription.await;
    assert_eq!(subscription["items"][0]["product_id"], COFFEE);
    assert_eq!(subscription["next"]["amount"]["amount"], 3800);
    assert_eq!(subscription["invoices"][0]["paid"]["amount"], 5300);
    let entitled = shop
        .get_as(Some(ada), "/entitlements")
        .await
        .expect(200)
        .json();
    assert_eq!(entitled["entitlements"][0]["active"], true);
}

#[tokio::test]
async fn a_trial_costs_nothing_at_first_and_entitles_at_once() {
    let shop = TestApp::start().await;
    let checkout = shop.open_one(MAGAZINE).await;
    let session = shop.session(checkout.session()).await;
    assert_eq!(session["amount_total"], 0);
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let ada = shop.ada().await;
    eventually(async || {
        let found = shop
            .get_as(Some(ada), "/entitlements")
            .await
            .expect(200)
            .json();
        (found["entitlements"][0]["active"] == true).then_some(())
    })
    .await;
    let listed = shop
        .get_as(Some(ada), "/subscriptions")
        .await
        .expect(200)
        .json();
    assert_eq!(listed["subscriptions"][0]["status"], "trialing");
    assert_eq!(listed["subscriptions"][0]["next"]["amount"]["amount"], 900);
}

#[tokio::test]
async fn the_letter_that_begins_a_trial_says_what_is_charged_and_when() {
    let shop = TestApp::start().await;
    let checkout = shop.open_one(MAGAZINE).await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let welcome = text(&shop.mail_about(&checkout.purchase).await, "text");
    let welcome = welcome.split_whitespace().collect::<Vec<_>>().join(" ");
    let terms = "Your subscription is free for 14 days. Then 9.00 USD is due every 3 months";
    assert!(welcome.contains(terms), "{welcome}");
}

#[tokio::test]
async fn whoever_had_a_trial_of_a_product_pays_at_once_the_next_time_and_others_still_try_it() {
    let shop = TestApp::start().await;
    let first = shop.open_one(MAGAZINE).await;
    shop.pay(&first, CARD).await.expect(303);
    shop.until_status(&first.purchase, "paid").await;
    let subscription = text(&shop.purchase(&first.purchase).await, "subscription_id");
    shop.stripe_delete(&format!("subscriptions/{subscription}"))
        .await;
    shop.drained().await;

    let again = shop.open_one(MAGAZINE).await;
    let session = shop.session(again.session()).await;
    assert_eq!(session["amount_total"], 900);
    shop.pay(&again, CARD).await.expect(303);
    shop.until_status(&again.purchase, "paid").await;
    let purchase = shop.purchase(&again.purchase).await;
    assert_eq!(purchase["paid"]["amount"], 900);
    assert!(purchase["lines"][0]["recurring"]["trial_days"].is_null());

    let bob = shop.token(BOB).await;
    let wish = cart(&[(MAGAZINE, 1)]).to_string();
    let bobs = Checkout::of(&shop.post_checkout(Some(&bob), None, wish).await);
    assert_eq!(shop.session(bobs.session()).await["amount_total"], 0);
}

#[tokio::test]
async fn a_trial_that_nobody_began_is_not_used_up() {
    let shop = TestApp::start().await;
    let left = shop.open_one(MAGAZINE).await;
    shop.cancel(&left.purchase).await.expect(200);
    let again = shop.open_one(MAGAZINE).await;
    assert_eq!(shop.session(again.session()).await["amount_total"], 0);
}

#[tokio::test]
async fn what_becomes_of_the_first_payment_shows_in_the_purchase_too_and_adds_up() {
    let shop = TestApp::start().await;
    let checkout = shop.open_one(COFFEE).await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    shop.drained().await;
    let id = text(&shop.purchase(&checkout.purchase).await, "subscription_id");
    let path = format!("/subscriptions/{id}");
    let ada = shop.ada().await;
    let invoice = async || {
        let found = shop.get_as(Some(ada), &path).await.expect(200).json();
        found["invoices"][0].clone()
    };
    let payments = format!("invoice_payments?invoice={}", text(&invoice().await, "id"));
    let payments = shop.at_stripe(&payments).await;
    let intent = text(&payments["data"][0]["payment"], "payment_intent");
    for (amount, status, money) in [
        ("400", "partially_refunded", [1900, 400, 0, 1500]),
        ("1500", "refunded", [1900, 1900, 0, 0]),
    ] {
        let form = [("payment_intent", intent.as_str()), ("amount", amount)];
        shop.stripe_post("refunds", &form).await;
        shop.drained().await;
        assert_eq!(shop.money(&checkout.purchase).await, money);
        assert_eq!(shop.status(&checkout.purchase).await, status);
        assert_eq!(invoice().await["status"], status);
        let listed = shop.purchases_of(ada, "").await.expect(200).json();
        assert_eq!(listed["purchases"][0]["status"], status);
    }
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["refunds"].as_array().unwrap().len(), 2);
    assert_eq!(invoice().await["reason"], "first");
}
