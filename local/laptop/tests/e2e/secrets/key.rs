//! Stripe's key, while it is rolled.

use std::sync::Arc;

use laptop::shop::{LocalShop, Options};
use laptop::wiring;
use reqwest::Client;
use serde_json::{Value, json};

use super::store::Store;
use super::{STORES, STRIPE_KEY, a_minute_later};
use crate::log::Log;

/// The whole shop, whose checkout reads its Stripe key from the store.
async fn shop(store: &Store) -> (LocalShop, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let project = testing::repository();
    let variables = store.variables(STRIPE_KEY);
    let deployed = wiring::deployed();
    let wiring: laptop::functions::Wiring = Arc::new(move |mut environments, clock| {
        let checkout = environments.get_mut("CheckoutFunction").unwrap();
        checkout.extend(variables.clone());
        deployed(environments, clock)
    });
    let shop = LocalShop::start(Options::in_memory(project, wiring)).await;
    (shop.unwrap(), folder)
}

/// The status that answers somebody who wants a mug.
async fn buy(shop: &LocalShop) -> u16 {
    let http = Client::builder().no_proxy().build().unwrap();
    let token = http
        .post(format!("{}/_local/token", shop.url()))
        .form(&[("email", "ada@buyers.example")]);
    let token: Value = serde_json::from_str(&text(token).await.1).unwrap();
    let checkout = http
        .post(format!("{}/checkout", shop.url()))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .body(json!({"items": [{"product_id": "sample-mug", "quantity": 1}]}).to_string());
    text(checkout).await.0
}

async fn text(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// … and not what the key is.
#[track_caller]
fn says_that_the_mode_differs(log: &Log) {
    let said = log.text();
    assert!(
        said.contains("the key's mode differs from TILL_MODE"),
        "{said}"
    );
    assert!(!said.contains("by_mistake"), "{said}");
}

#[tokio::test]
async fn a_key_that_stripe_no_longer_knows_is_replaced_and_the_call_repeated() {
    for kind in STORES {
        let store = Store::any(kind).await;
        store.put(STRIPE_KEY, "rk_test_rolled").await;
        let (shop, _folder) = shop(&store).await;
        assert_eq!(buy(&shop).await, 502, "{kind}");
        store.put(STRIPE_KEY, "sk_test_local").await;
        a_minute_later().await;
        assert_eq!(buy(&shop).await, 201, "{kind}");
        shop.shutdown().await;
    }
}

#[tokio::test]
async fn a_key_that_stays_wrong_is_looked_up_once_a_minute() {
    let store = Store::here("ssm").await;
    store.put(STRIPE_KEY, "rk_test_revoked").await;
    let (shop, _folder) = shop(&store).await;
    for _ in 0..3 {
        assert_eq!(buy(&shop).await, 502);
    }
    assert_eq!(store.readings(), 2);
    shop.shutdown().await;
}

#[tokio::test]
async fn a_live_key_in_a_test_deployment_is_refused_when_read_again() {
    let store = Store::here("ssm").await;
    store.put(STRIPE_KEY, "rk_test_rolled").await;
    let (shop, _folder) = shop(&store).await;
    assert_eq!(buy(&shop).await, 502);
    assert_eq!(store.readings(), 2);
    let log = Log::start();
    store.put(STRIPE_KEY, "rk_live_by_mistake").await;
    a_minute_later().await;
    assert_eq!(buy(&shop).await, 502);
    assert_eq!(store.readings(), 3);
    says_that_the_mode_differs(&log);

    store.put(STRIPE_KEY, "sk_test_local").await;
    a_minute_later().await;
    assert_eq!(buy(&shop).await, 201);
    shop.shutdown().await;
}

#[tokio::test]
async fn a_checkout_without_a_usable_key_fails_until_there_is_one() {
    let store = Store::here("ssm").await;
    let (shop, _folder) = shop(&store).await;
    assert_eq!(buy(&shop).await, 500);
    store.put(STRIPE_KEY, "rk_live_by_mistake").await;
    let log = Log::start();
    assert_eq!(buy(&shop).await, 500);
    says_that_the_mode_differs(&log);
    store.put(STRIPE_KEY, "sk_test_local").await;
    assert_eq!(buy(&shop).await, 201);
    shop.shutdown().await;
}
