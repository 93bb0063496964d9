//! Ids that shops choose.

use serde_json::json;

use crate::bench::{Bench, KEY, id};

#[tokio::test]
async fn things_of_different_kinds_may_have_the_same_id() {
    let bench = Bench::start().await;
    let coupon = vec![("id", "mug"), ("percent_off", "20")];
    bench.post("/v1/coupons", &coupon).await.expect(200);
    let product = vec![("id", "mug"), ("name", "Mug")];
    bench.post("/v1/products", &product).await.expect(200);
    for (path, form) in [("/v1/coupons", &coupon), ("/v1/products", &product)] {
        let refused = bench.post(path, form).await.expect(400);
        assert_eq!(refused.error()["code"], "resource_already_exists", "{path}");
    }

    let price = vec![
        ("product", "mug"),
        ("unit_amount", "100"),
        ("currency", "usd"),
    ];
    let path = "/v1/prices?expand[]=data.product";
    bench.post("/v1/prices", &price).await.expect(200);
    let prices = bench.get(path).await.expect(200).json();
    assert_eq!(prices["data"][0]["product"]["name"], "Mug");
    let code = vec![
        ("promotion[type]", "coupon"),
        ("promotion[coupon]", "mug"),
        ("expand[]", "promotion.coupon"),
    ];
    let code = bench.post("/v1/promotion_codes", &code).await;
    let code = code.expect(200).json();
    assert_eq!(code["promotion"]["coupon"]["percent_off"], 20.0);

    let delete = bench.request("DELETE", "/v1/coupons/mug").bearer_auth(KEY);
    bench.send(delete).await.expect(200);
    bench.get("/v1/coupons/mug").await.expect(404);
    assert_eq!(bench.fetch("products", "mug").await["name"], "Mug");
}

#[tokio::test]
async fn an_id_leads_to_nothing_of_another_kind() {
    let bench = Bench::start().await;
    let form = vec![("amount", "2000"), ("currency", "usd")];
    let intent = bench.post("/v1/payment_intents", &form).await;
    let intent = id(&intent.expect(200).json());
    for list in ["charges", "customers", "setup_intents", "products", "files"] {
        bench.get(&format!("/v1/{list}/{intent}")).await.expect(404);
    }
    let product = vec![("id", intent.as_str()), ("name", "Mug")];
    bench.post("/v1/products", &product).await.expect(200);
    let form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("customer", &intent),
    ];
    let refused = bench.post("/v1/payment_intents", &form).await.expect(400);
    assert_eq!(refused.error()["code"], "resource_missing");
    let seen = bench.fetch("payment_intents", &intent).await;
    assert_eq!(seen["object"], json!("payment_intent"));
}

#[tokio::test]
async fn the_window_shows_each_thing_with_the_same_id() {
    let bench = Bench::start().await;
    let coupon = vec![("id", "mug"), ("percent_off", "20")];
    bench.post("/v1/coupons", &coupon).await.expect(200);
    let product = vec![("id", "mug"), ("name", "Blue mug")];
    bench.post("/v1/products", &product).await.expect(200);
    let account = id(&bench.get("/v1/account").await.json());
    let look = async |query: &str| {
        let path = format!("/_stripe/window/{account}/objects/mug{query}");
        bench
            .send(bench.request("GET", &path))
            .await
            .expect(200)
            .text
    };
    let newest = look("").await;
    assert!(newest.contains("Blue mug") && newest.contains("?kind=coupon"));
    let other = look("?kind=coupon").await;
    assert!(other.contains("percent_off") && other.contains("?kind=product"));
}
