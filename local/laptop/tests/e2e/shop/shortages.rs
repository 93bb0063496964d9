//! What the seller hears of a stock that runs out.

use serde_json::{Value, json};
use shared::product::{Product, ProductId};
use shared::store::operator::{Assortment, StockChange};
use shared::store::{Tables, products::Shelf};
use testing::{CARD, Checkout, TestApp, cart, text};

const LAMP: &str = "one-lamp";

/// A shop with lamps of which few are few.
async fn with_lamps(stock: u32, low_stock: Option<u32>) -> TestApp {
    let shop = TestApp::start().await;
    shop.sell_limited(LAMP, stock).await;
    seller_changes(&shop, StockChange::Keep, |lamp| lamp.low_stock = low_stock).await;
    shop
}

/// The seller changes the lamp, as `till products set` does.
async fn seller_changes(shop: &TestApp, stock: StockChange, change: impl FnOnce(&mut Product)) {
    let environment = shop.environment("CatalogFunction");
    let tables = Tables::of(&environment).unwrap();
    let id: ProductId = LAMP.parse().unwrap();
    let before = Shelf::of(&tables).unwrap().get(&id).await.unwrap().unwrap();
    let mut after = before.clone();
    change(&mut after);
    let assortment = Assortment::of(&tables).unwrap();
    assert!(assortment.change(&before, &after, stock).await.unwrap());
}

/// So many lamps are put into a checkout.
async fn take(shop: &TestApp, pieces: u64) -> Checkout {
    Checkout::of(&shop.checkout(&cart(&[(LAMP, pieces)])).await)
}

/// The subjects of the mails about the stock, oldest first, after another look at it.
async fn told(shop: &TestApp) -> Vec<String> {
    shop.control("clock", &[("advance", "1")]).await;
    shop.reconcile().await;
    shop.drained().await;
    let mails = shop.mailbox().await.into_iter().rev();
    let subjects = mails.map(|mail| text(&mail, "subject"));
    let told = subjects.filter_map(|subject| {
        let said = subject.strip_prefix("[test, for seller@example.com] ")?;
        Some(said.to_owned())
    });
    told.collect()
}

#[tokio::test]
async fn a_stock_that_falls_is_told_when_it_is_low_and_when_nothing_is_left_and_once_each() {
    let shop = with_lamps(6, Some(3)).await;
    assert!(told(&shop).await.is_empty());
    take(&shop, 2).await;
    assert!(told(&shop).await.is_empty(), "4 are left");
    let basket = take(&shop, 2).await;
    let low = "Almost sold out: Stoneware mug";
    assert_eq!(told(&shop).await, [low]);
    let mail = shop.mailbox().await.remove(0);
    let words = text(&mail, "text");
    assert!(words.contains("2 left"), "{words}");
    assert!(
        words.contains(LAMP) && words.contains("stock=+20"),
        "{words}"
    );
    assert_eq!(told(&shop).await, [low]);
    // It comes back, and goes again.
    shop.cancel(&basket.purchase).await.expect(200);
    assert_eq!(shop.stock(LAMP).await, Some(4));
    assert_eq!(told(&shop).await, [low]);
    take(&shop, 2).await;
    assert_eq!(told(&shop).await, [low]);

    let out = "Sold out: Stoneware mug";
    let last = take(&shop, 2).await;
    assert_eq!(told(&shop).await, [low, out]);
    shop.cancel(&last.purchase).await.expect(200);
    assert_eq!(told(&shop).await, [low, out]);
    let last = take(&shop, 2).await;
    shop.pay(&last, CARD).await.expect(303);
    shop.until_status(&last.purchase, "paid").await;
    assert_eq!(told(&shop).await, [low, out]);
}

#[tokio::test]
async fn a_stock_is_told_again_once_the_seller_has_restocked_it_above_what_is_few() {
    let shop = with_lamps(2, Some(3)).await;
    let low = "Almost sold out: Stoneware mug";
    assert_eq!(told(&shop).await, [low]);
    seller_changes(&shop, StockChange::Add(1), |_| {}).await;
    assert_eq!(told(&shop).await, [low], "3 are still few");
    seller_changes(&shop, StockChange::Add(5), |_| {}).await;
    assert_eq!(told(&shop).await, [low]);
    take(&shop, 6).await;
    assert_eq!(told(&shop).await, [low, low]);
    // Fewer are few from now on.
    seller_changes(&shop, StockChange::Keep, |lamp| lamp.low_stock = Some(1)).await;
    assert_eq!(told(&shop).await, [low, low]);
    take(&shop, 1).await;
    assert_eq!(told(&shop).await, [low, low, low]);
}

#[tokio::test]
async fn without_a_limit_of_its_own_only_a_stock_of_which_nothing_is_left_is_told() {
    let shop = with_lamps(2, None).await;
    take(&shop, 1).await;
    assert!(told(&shop).await.is_empty());
    let last = take(&shop, 1).await;
    let out = "Sold out: Stoneware mug";
    assert_eq!(told(&shop).await, [out]);
    // What expires comes back, and that nobody restocked.
    shop.expire(&last).await;
    shop.until_status(&last.purchase, "expired").await;
    assert_eq!(shop.stock(LAMP).await, Some(1));
    take(&shop, 1).await;
    assert_eq!(told(&shop).await, [out]);
    seller_changes(&shop, StockChange::Set(Some(1)), |_| {}).await;
    take(&shop, 1).await;
    assert_eq!(told(&shop).await, [out, out]);
}

#[tokio::test]
async fn several_products_are_told_in_one_mail_and_two_that_look_at_once_tell_once() {
    let shop = with_lamps(0, None).await;
    shop.sell_limited("another-lamp", 0).await;
    shop.sell_limited("hidden-lamp", 0).await;
    let runs = (0..4).map(|_| shop.reconcile());
    futures::future::join_all(runs).await;
    assert_eq!(told(&shop).await, ["3 products are sold out"]);
    let dry = reconcile::Reconcile::dry_run(&shop.environment("ReconcileFunction")).await;
    seller_changes(&shop, StockChange::Set(Some(5)), |_| {}).await;
    take(&shop, 5).await;
    let before = shop.dump().await;
    dry.unwrap()
        .run(reconcile::Limits::default(), |_| {})
        .await
        .unwrap();
    assert_eq!(shop.dump().await, before, "a dry run tells nobody");
}

#[tokio::test]
async fn buyers_do_not_see_how_few_are_few() {
    let shop = with_lamps(5, Some(3)).await;
    let one = shop.products(&format!("/{LAMP}")).await.expect(200).json();
    assert_eq!((&one["stock"], one.get("low_stock")), (&json!(5), None));
    let all = shop.products("").await.expect(200).json();
    let lamps = |product: &&Value| product["id"] == LAMP;
    let listed = all["products"]
        .as_array()
        .unwrap()
        .iter()
        .find(lamps)
        .unwrap();
    assert_eq!(listed.get("low_stock"), None);
}
