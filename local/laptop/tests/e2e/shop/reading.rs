use serde_json::Value;
use testing::{BOB, CARD, Checkout, MUG, TestApp, cart, text};

#[tokio::test]
async fn a_product_that_is_known_already_is_not_sent_again() {
    let shop = TestApp::start().await;
    for path in ["", "/sample-mug"] {
        let answer = shop.products(path).await.expect(200);
        let etag = answer.header("etag").unwrap().to_owned();
        assert!(answer.header("cache-control").unwrap().contains("max-age"));
        let known = shop.products_unless(path, &etag).await.expect(304);
        assert_eq!(known.text, "");
        assert_eq!(known.header("etag"), Some(etag.as_str()));
        let others = shop.products_unless(path, "\"other\"").await;
        assert_eq!(others.expect(200).text, answer.text);
    }
}

#[tokio::test]
async fn a_product_at_a_new_price_has_a_new_etag() {
    let shop = TestApp::start().await;
    shop.sell_mug_for("promo-mug", 1000).await;
    let before = shop.products("/promo-mug").await.expect(200);
    shop.sell_mug_for("promo-mug", 900).await;
    let etag = before.header("etag").unwrap();
    let after = shop.products_unless("/promo-mug", etag).await.expect(200);
    assert_eq!(after.json()["price"]["amount"], 900);
}

#[tokio::test]
async fn what_is_not_there_is_a_404() {
    let shop = TestApp::start().await;
    shop.products("/no-such").await.expect(404).problem();
    let token = shop.ada().await;
    for id in ["/01a1f866-0d00-7d3a-9b1e-2f4c8a6d1e57", "/no-such"] {
        shop.purchases_of(token, id).await.expect(404).problem();
    }
}

#[tokio::test]
async fn inner_rows_of_the_table_are_not_purchases() {
    let shop = TestApp::start().await;
    let checkout = Checkout::of(&shop.checkout_as("one", &cart(&[(MUG, 1)])).await);
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let session = shop.session(checkout.session()).await;
    let intent = text(&session, "payment_intent");
    let token = shop.ada().await;
    for id in [format!("intent%23{intent}"), "reconcile".to_owned()] {
        let answer = shop.purchases_of(token, &format!("/{id}")).await;
        answer.expect(404).problem();
    }
}

#[tokio::test]
async fn products_come_in_pages() {
    let shop = TestApp::start().await;
    let all = shop.products("").await.expect(200).json();
    let ids = |page: &Value| -> Vec<String> {
        let products = page["products"].as_array().unwrap();
        products.iter().map(|product| text(product, "id")).collect()
    };
    assert_eq!(all["next"], Value::Null);
    let mut seen = Vec::new();
    let mut query = "?limit=1".to_owned();
    loop {
        let page = shop.products(&query).await.expect(200).json();
        assert!(ids(&page).len() <= 1, "{page}");
        seen.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => query = format!("?limit=1&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids(&all));
    assert!(seen.contains(&MUG.to_owned()));
}

#[tokio::test]
async fn a_page_is_asked_for_in_digits_and_once() {
    let shop = TestApp::start().await;
    for query in [
        "limit=%2B5",
        "limit=+5",
        "limit=05x",
        "limit=",
        "limit=0",
        "limit=101",
        "limit=99999999999",
        "limit=2&limit=3",
        "cursor=61&cursor=62",
        "cursor=zz",
    ] {
        let answer = shop.products(&format!("?{query}")).await;
        let name = query.split('=').next().unwrap();
        let detail = answer.expect(400).problem()["detail"].clone();
        assert!(
            detail.as_str().unwrap().starts_with(name),
            "{query}: {detail}"
        );
    }
    // A parameter that nobody reads does no harm, even if it does not belong in a URI.
    shop.products("?limit=5&q=a+b&q=%22%3C%0D")
        .await
        .expect(200);
    shop.products("/a%20b%0D%22").await.expect(404);
}

#[tokio::test]
async fn a_page_that_makes_no_sense_is_refused_even_where_there_is_only_one() {
    let shop = TestApp::start().await;
    let ada = shop.ada().await;
    for query in ["limit=0", "limit=false", "cursor=zz"] {
        let answer = shop
            .purchases_of(ada, &format!("?status=open&{query}"))
            .await;
        let detail = answer.expect(400).problem()["detail"].clone();
        let name = query.split('=').next().unwrap();
        assert!(
            detail.as_str().unwrap().starts_with(name),
            "{query}: {detail}"
        );
    }
    shop.purchases_of(ada, "?status=open&limit=1")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_buyer_sees_their_own_purchases_only() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let bob = shop.token(BOB).await;
    let bobs = shop.purchases_of(&bob, "").await.expect(200).json();
    assert_eq!(bobs["purchases"], serde_json::json!([]));
    let path = format!("/{}", checkout.purchase);
    let hidden = shop.purchases_of(&bob, &path).await.expect(404).problem();
    let absent = "/01a1f866-0d00-7d3a-9b1e-2f4c8a6d1e57";
    let absent = shop.purchases_of(&bob, absent).await.expect(404).problem();
    for member in ["type", "title"] {
        assert_eq!(
            hidden[member], absent[member],
            "a buyer can tell another's purchase from none"
        );
    }
    assert_eq!(shop.history().await, [checkout.purchase]);
}

#[tokio::test]
async fn the_history_comes_newest_first_in_pages() {
    let shop = TestApp::start().await;
    let mut bought = Vec::new();
    for _ in 0..3 {
        let checkout = shop.open().await;
        shop.pay(&checkout, CARD).await.expect(303);
        shop.until_status(&checkout.purchase, "paid").await;
        bought.push(checkout.purchase);
    }
    bought.reverse();
    assert_eq!(shop.history().await, bought);

    let token = shop.ada().await;
    let mut seen = Vec::new();
    let mut query = "?limit=1".to_owned();
    loop {
        let answer = shop.purchases_of(token, &query).await.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let page = answer.json();
        let purchases = page["purchases"].as_array().unwrap().clone();
        assert!(purchases.len() <= 1, "{page}");
        seen.extend(purchases.iter().map(|purchase| text(purchase, "id")));
        match page["next"].as_str() {
            Some(next) => query = format!("?limit=1&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, bought);
}

#[tokio::test]
async fn a_bad_cursor_or_limit_is_named() {
    let shop = TestApp::start().await;
    let token = shop.ada().await;
    for (query, named) in [
        ("?cursor=nonsense", "cursor"),
        ("?cursor=e30", "cursor"),
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?limit=-1", "limit"),
        ("?limit=ten", "limit"),
    ] {
        for answer in [
            shop.purchases_of(token, query).await,
            shop.products(query).await,
        ] {
            let problem = answer.expect(400).problem();
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(named), "{query}: {detail}");
        }
    }
}

#[tokio::test]
async fn another_buyers_cursor_shows_nothing_of_theirs() {
    let shop = TestApp::start().await;
    for _ in 0..2 {
        let checkout = shop.open().await;
        shop.pay(&checkout, CARD).await.expect(303);
        shop.until_status(&checkout.purchase, "paid").await;
    }
    let page = shop.purchases_of(shop.ada().await, "?limit=1").await;
    let cursor = text(&page.expect(200).json(), "next");
    let bob = shop.token(BOB).await;
    let answer = shop.purchases_of(&bob, &format!("?cursor={cursor}")).await;
    assert_eq!(
        answer.expect(200).json()["purchases"],
        serde_json::json!([])
    );
}
