//! Objects that are what their description says: made, changed, listed, searched and deleted.

use serde_json::json;

use crate::bench::{Bench, id, ids};

const CUSTOMERS: &str = "/v1/customers";
const PRICES: &str = "/v1/prices";
const PRODUCTS: &str = "/v1/products";

#[tokio::test]
async fn a_customer_is_made_changed_and_deleted() {
    let bench = Bench::start().await;
    let form = vec![
        ("email", "ann@mail.example"),
        ("address[city]", "Berlin"),
        ("metadata[order]", "6735"),
        ("metadata[gone]", "soon"),
        ("preferred_locales[]", "de"),
    ];
    let made = bench.post(CUSTOMERS, &form).await.expect(200).json();
    assert_eq!(made["email"], "ann@mail.example");
    assert_eq!(made["address"]["city"], "Berlin");
    assert_eq!(made["address"]["line1"], json!(null));
    assert_eq!(made["balance"], 0);
    assert_eq!(made["default_source"], json!(null));
    assert_eq!(made["preferred_locales"], json!(["de"]));
    let path = format!("{CUSTOMERS}/{}", id(&made));
    assert_eq!(bench.get(&path).await.expect(200).json(), made);

    let form = vec![
        ("address[line1]", "Torstr. 1"),
        ("metadata[gone]", ""),
        ("balance", "-500"),
    ];
    let changed = bench.post(&path, &form).await.expect(200).json();
    assert_eq!(changed["address"]["city"], "Berlin");
    assert_eq!(changed["address"]["line1"], "Torstr. 1");
    assert_eq!(changed["balance"], -500);
    assert_eq!(changed["metadata"], json!({ "order": "6735" }));
    let event = bench.latest("customer.updated").await;
    let before = &event["data"]["previous_attributes"];
    assert_eq!(before["balance"], 0);
    assert_eq!(before["email"], json!(null), "it has not changed");

    let delete = bench
        .request("DELETE", &path)
        .bearer_auth(crate::bench::KEY);
    let gone = bench.send(delete).await.expect(200).json();
    assert_eq!(gone["deleted"], true);
    assert_eq!(bench.get(&path).await.expect(200).json(), gone);
    assert_eq!(bench.get(CUSTOMERS).await.json()["data"], json!([]));
    bench.post(&path, &form).await.expect(404);
    assert_eq!(
        bench.event_types().await,
        ["customer.created", "customer.updated", "customer.deleted"]
    );
}

#[tokio::test]
async fn a_price_is_of_a_product_and_knows_its_amount_twice() {
    let bench = Bench::start().await;
    let form = vec![
        ("currency", "usd"),
        ("unit_amount", "1500"),
        ("product_data[name]", "Mug"),
        ("lookup_key", "mug"),
    ];
    let price = bench.post(PRICES, &form).await.expect(200).json();
    assert_eq!(price["unit_amount_decimal"], "1500");
    assert_eq!(price["type"], "one_time");
    assert_eq!(price["active"], true);
    let expanded = bench
        .get(&format!("{PRICES}/{}?expand[]=product", id(&price)))
        .await
        .expect(200)
        .json();
    assert_eq!(expanded["product"]["name"], "Mug");

    let monthly = vec![
        ("currency", "usd"),
        ("unit_amount", "900"),
        ("product", price["product"].as_str().unwrap()),
        ("recurring[interval]", "month"),
    ];
    let monthly = bench.post(PRICES, &monthly).await.expect(200).json();
    assert_eq!(monthly["type"], "recurring");
    assert_eq!(monthly["recurring"]["interval_count"], 1);
    let listed = bench.get(&format!("{PRICES}?type=recurring")).await.json();
    assert_eq!(ids(&listed), [id(&monthly)]);
    let listed = bench
        .get(&format!("{PRICES}?recurring[interval]=month"))
        .await
        .json();
    assert_eq!(ids(&listed), [id(&monthly)]);

    // A lookup key belongs to one price until it is transferred.
    let error = bench.post(PRICES, &form).await.expect(400).error();
    assert_eq!(error["param"], "lookup_key");
    let transfer = [form.clone(), vec![("transfer_lookup_key", "true")]].concat();
    let other = bench.post(PRICES, &transfer).await.expect(200).json();
    assert_eq!(other["lookup_key"], "mug");
    let former = bench.get(&format!("{PRICES}/{}", id(&price))).await.json();
    assert_eq!(former["lookup_key"], json!(null));

    for (field, value, param) in [
        ("product", "prod_none", "product"),
        ("currency", "xxx", "currency"),
        ("unit_amount", "15.00", "unit_amount"),
        ("colour", "red", "colour"),
    ] {
        let mut form = vec![("currency", "usd"), ("unit_amount", "1500")];
        form.retain(|(name, _)| *name != field);
        form.push((field, value));
        let error = bench.post(PRICES, &form).await.expect(400).error();
        assert_eq!(error["param"], param, "{error}");
    }
}

#[tokio::test]
async fn a_product_may_bring_its_price() {
    let bench = Bench::start().await;
    let form = vec![
        ("id", "mug"),
        ("name", "Mug"),
        ("default_price_data[currency]", "eur"),
        ("default_price_data[unit_amount]", "1200"),
        ("images[]", "https://shop.example/mug.png"),
    ];
    bench.post(PRODUCTS, &form).await.expect(200);
    let product = bench
        .get(&format!("{PRODUCTS}/mug?expand[]=default_price"))
        .await
        .expect(200)
        .json();
    assert_eq!(product["default_price"]["unit_amount"], 1200);
    assert_eq!(product["default_price"]["product"], "mug");
    let error = bench.post(PRODUCTS, &form).await.expect(400).error();
    assert_eq!(error["code"], "resource_already_exists");
    let delete = bench.request("DELETE", &format!("{PRODUCTS}/mug"));
    bench
        .send(delete.bearer_auth(crate::bench::KEY))
        .await
        .expect(200);
    bench.get(&format!("{PRODUCTS}/mug")).await.expect(404);
}

#[tokio::test]
async fn a_search_finds_by_fields_and_metadata() {
    let bench = Bench::start().await;
    let customer = async |email, order| {
        let form = vec![("email", email), ("metadata[order]", order)];
        id(&bench.post(CUSTOMERS, &form).await.expect(200).json())
    };
    let ann = customer("ann@mail.example", "1").await;
    let bob = customer("bob@mail.example", "2").await;
    let found = async |query: &str| {
        let request = bench
            .request("GET", &format!("{CUSTOMERS}/search"))
            .query(&[("query", query)]);
        let answer = bench.send(request.bearer_auth(crate::bench::KEY)).await;
        ids(&answer.expect(200).json())
    };
    assert_eq!(found(r#"email:"ANN@mail.example""#).await, [ann.as_str()]);
    assert_eq!(found(r#"metadata["order"]:"2""#).await, [bob.as_str()]);
    assert_eq!(
        found(r#"email~"mail" AND -metadata["order"]:"2""#).await,
        [ann.as_str()]
    );
    assert_eq!(
        found(r#"email:"ann@mail.example" OR metadata["order"]:"2""#).await,
        [bob.as_str(), ann.as_str()]
    );
    assert_eq!(found("created>0 AND name:null").await.len(), 2);
    assert_eq!(found(r#"metadata["x' OR 1=1 --"]:"2""#).await, [""; 0]);

    let page = |query: &str| {
        bench.request(
            "GET",
            &format!("{CUSTOMERS}/search?limit=1&query=created>0{query}"),
        )
    };
    let send = async |request: reqwest::RequestBuilder| {
        bench.send(request.bearer_auth(crate::bench::KEY)).await
    };
    let first = send(page("")).await.expect(200).json();
    assert_eq!((ids(&first), &first["has_more"]), (vec![bob], &json!(true)));
    let next = first["next_page"].as_str().unwrap();
    let second = send(page(&format!("&page={next}")))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (ids(&second), &second["next_page"]),
        (vec![ann], &json!(null))
    );
}

#[tokio::test]
async fn what_stripe_has_and_the_stand_in_has_not_is_said_so() {
    let bench = Bench::start().await;
    let error = bench.get("/v1/issuing/cards").await.expect(501).error();
    assert_eq!(error["type"], "invalid_request_error");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("GET /v1/issuing/cards")
    );
    bench.get("/v1/issuing/dogs").await.expect(404);
    // Wrong parameters are wrong all the same.
    let error = bench
        .get("/v1/issuing/cards?limit=x")
        .await
        .expect(400)
        .error();
    assert_eq!(error["code"], "parameter_invalid_integer");
}

#[tokio::test]
async fn a_version_reads_and_shows_what_it_has() {
    let bench = Bench::start().await;
    let post = |version: Option<&str>, path: &str, form: &[(&str, &str)]| {
        let request = bench
            .request("POST", path)
            .bearer_auth(crate::bench::KEY)
            .form(form);
        match version {
            Some(version) => request.header("Stripe-Version", version),
            None => request,
        }
    };
    let coupon = [("percent_off", "20"), ("id", "C")];
    bench
        .send(post(None, "/v1/coupons", &coupon))
        .await
        .expect(200);
    // Before clover, a promotion code had its coupon for itself.
    let code = [("coupon", "C"), ("code", "OLD")];
    let newest = Some("2026-10-28.endive");
    let refused = bench.send(post(newest, "/v1/promotion_codes", &code)).await;
    assert_eq!(refused.expect(400).error()["code"], "parameter_unknown");
    let refused = bench
        .send(post(Some("2099-01-01.zebra"), "/v1/coupons", &coupon))
        .await;
    assert!(
        refused.expect(400).error()["message"]
            .as_str()
            .unwrap()
            .contains("zebra")
    );
    let old = bench
        .send(post(
            Some("2024-06-20"),
            "/v1/customers",
            &[("name", "Ann")],
        ))
        .await;
    assert_eq!(old.header("stripe-version"), Some("2024-06-20"));
    assert_eq!(old.expect(200).json()["name"], "Ann");
}
