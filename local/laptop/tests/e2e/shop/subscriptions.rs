//! What a buyer subscribes to, as they and nobody else see it.

use serde_json::json;
use testing::{BOB, COFFEE, TestApp, now};

const DAY: i64 = 24 * 3600;

#[tokio::test]
async fn a_buyer_sees_their_own_subscriptions_with_what_they_paid_and_nobody_else_does() {
    let shop = TestApp::start().await;
    let end = now() + 10 * DAY;
    shop.subscribed("sub_1", "active", end).await;
    let ada = shop.ada().await;
    let listed = shop
        .get_as(Some(ada), "/subscriptions")
        .await
        .expect(200)
        .json();
    assert_eq!(listed["subscriptions"][0]["id"], "sub_1");
    assert_eq!(listed["subscriptions"][0]["status"], "active");
    assert!(listed["subscriptions"][0].get("invoices").is_none());
    let one = shop
        .get_as(Some(ada), "/subscriptions/sub_1")
        .await
        .expect(200)
        .json();
    assert_eq!(one["invoices"][0]["number"], "A1-0001");
    assert_eq!(one["invoices"][0]["paid"]["amount"], 1900);
    assert_eq!(one["next"]["amount"]["amount"], 1900);

    let bob = shop.token(BOB).await;
    let theirs = shop
        .get_as(Some(&bob), "/subscriptions")
        .await
        .expect(200)
        .json();
    assert_eq!(theirs["subscriptions"], json!([]));
    let unknown = shop.get_as(Some(&bob), "/subscriptions/sub_2").await;
    let hidden = shop
        .get_as(Some(&bob), "/subscriptions/sub_1")
        .await
        .expect(404);
    assert_eq!(
        hidden.problem()["detail"],
        unknown.expect(404).problem()["detail"]
    );
    shop.get_as(Some(&bob), "/subscriptions/..%2fpurchases")
        .await
        .expect(404);
}

#[tokio::test]
async fn a_purchase_history_has_purchases_only_however_many_subscriptions_there_are() {
    let shop = TestApp::start().await;
    for number in 0..30 {
        shop.subscribed(&format!("sub_{number}"), "active", now() + DAY)
            .await;
    }
    let paid = shop.paid().await;
    assert_eq!(shop.history().await, [paid.purchase]);
    let listed = shop.get_as(Some(shop.ada().await), "/subscriptions").await;
    let listed = listed.expect(200).json();
    assert_eq!(listed["subscriptions"].as_array().unwrap().len(), 30);
}

#[tokio::test]
async fn entitlements_say_which_products_may_be_used_and_until_when() {
    let shop = TestApp::start().await;
    let ada = shop.ada().await;
    let none = shop
        .get_as(Some(ada), "/entitlements")
        .await
        .expect(200)
        .json();
    assert_eq!(none, json!({ "entitlements": [] }));
    // Its renewal failed two days ago.
    shop.subscribed("sub_1", "past_due", now() - 2 * DAY).await;
    for (query, active) in [("", false), ("?grace=0", false), ("?grace=259200", true)] {
        let path = format!("/entitlements{query}");
        let found = shop.get_as(Some(ada), &path).await.expect(200).json();
        assert_eq!(found["entitlements"][0]["product_id"], COFFEE, "{found}");
        assert_eq!(found["entitlements"][0]["active"], active, "{query}");
    }
    for wrong in ["-1", "1.5", "+1", "2592001", "soon"] {
        let refused = shop
            .get_as(Some(ada), &format!("/entitlements?grace={wrong}"))
            .await;
        let detail = refused.expect(400).problem()["detail"].to_string();
        assert!(detail.contains("grace"), "{wrong}: {detail}");
    }
}

#[tokio::test]
async fn nobody_signed_out_sees_subscriptions() {
    let shop = TestApp::start().await;
    for path in ["/subscriptions", "/subscriptions/sub_1", "/entitlements"] {
        shop.get_as(None, path).await.expect(401);
    }
}
