//! Objects that are what their description says: made, changed, listed, searched and deleted.

use serde_json::json;

use crate::bench::{Answer, Bench, KEY, id, ids};

const CUSTOMERS: &str = "/v1/customers";
const PRICES: &str = "/v1/prices";
const PRODUCTS: &str = "/v1/products";

async fn delete(bench: &Bench, path: &str) -> Answer {
    let request = bench.request("DELETE", path);
    bench.send(request.bearer_auth(crate::bench::KEY)).await
}

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
    // What has a price is archived, not deleted.
    delete(&bench, &format!("{PRODUCTS}/mug")).await.expect(400);
    let bare = vec![("id", "cup"), ("name", "Cup")];
    bench.post(PRODUCTS, &bare).await.expect(200);
    delete(&bench, &format!("{PRODUCTS}/cup")).await.expect(200);
    bench.get(&format!("{PRODUCTS}/cup")).await.expect(404);
    let listed = bench.get(&format!("{PRODUCTS}?ids[]=mug&ids[]=cup")).await;
    assert_eq!(ids(&listed.expect(200).json()), ["mug"]);
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
    // Who says no version may use the former parameter, and each version shows the coupon in its place.
    let made = bench.send(post(None, "/v1/promotion_codes", &code)).await;
    let made = made.expect(200).json();
    assert_eq!(made["promotion"]["coupon"], "C");
    let old = bench
        .request("GET", &format!("/v1/promotion_codes/{}", id(&made)))
        .header("Stripe-Version", "2024-06-20");
    let old = bench.send(old.bearer_auth(crate::bench::KEY)).await;
    let old = old.expect(200).json();
    assert_eq!(old["coupon"]["percent_off"], 20.0);
    assert_eq!(old["promotion"], json!(null));
}

#[tokio::test]
async fn a_customer_has_one_discount_at_a_time() {
    let bench = Bench::start().await;
    let coupon = vec![("id", "C"), ("percent_off", "20")];
    bench.post("/v1/coupons", &coupon).await.expect(200);
    let short = vec![
        ("id", "M"),
        ("percent_off", "30"),
        ("duration", "repeating"),
        ("duration_in_months", "3"),
        ("max_redemptions", "1"),
    ];
    bench.post("/v1/coupons", &short).await.expect(200);
    let customer = bench
        .post(CUSTOMERS, &vec![("coupon", "C")])
        .await
        .expect(200)
        .json();
    assert_eq!(customer["discount"]["source"]["coupon"], "C");
    assert_eq!(customer["discount"]["end"], json!(null));
    let path = format!("{CUSTOMERS}/{}", id(&customer));
    let form = vec![("coupon", "M")];
    let customer = bench.post(&path, &form).await.expect(200).json();
    let discount = &customer["discount"];
    let days = (discount["end"].as_i64().unwrap() - discount["start"].as_i64().unwrap()) / 86_400;
    assert!((89..=92).contains(&days), "{days} days");
    let error = bench.post(&path, &form).await.expect(400).error();
    assert_eq!(error["code"], "coupon_expired");
    let error = bench.post(&path, &vec![("coupon", "NONE")]).await;
    assert_eq!(error.expect(400).error()["param"], "coupon");

    let gone = delete(&bench, &format!("{path}/discount")).await;
    let gone = gone.expect(200).json();
    assert_eq!(
        (&gone["object"], &gone["deleted"]),
        (&json!("discount"), &json!(true))
    );
    delete(&bench, &format!("{path}/discount"))
        .await
        .expect(404);
    let customer = bench.get(&path).await.json();
    assert_eq!(customer["discount"], json!(null));
    let mut events = bench.event_types().await;
    events.retain(|event| event.starts_with("customer.discount."));
    assert_eq!(
        events,
        [
            "customer.discount.created",
            "customer.discount.updated",
            "customer.discount.deleted"
        ]
    );
}

#[tokio::test]
async fn a_coupon_can_be_deleted_and_its_codes_no_longer_do() {
    let bench = Bench::start().await;
    let coupon = vec![("id", "C"), ("percent_off", "20")];
    bench.post("/v1/coupons", &coupon).await.expect(200);
    let gone = delete(&bench, "/v1/coupons/C").await.expect(200).json();
    assert_eq!(
        gone,
        json!({ "id": "C", "object": "coupon", "deleted": true })
    );
    bench.get("/v1/coupons/C").await.expect(404);
    delete(&bench, "/v1/coupons/C").await.expect(404);
    assert_eq!(
        bench.event_types().await,
        ["coupon.created", "coupon.deleted"]
    );
}

#[tokio::test]
async fn a_customer_owes_what_the_transactions_of_its_balance_say() {
    let bench = Bench::start().await;
    let customer = bench.post(CUSTOMERS, &vec![]).await.expect(200).json();
    let path = format!("{CUSTOMERS}/{}", id(&customer));
    let transactions = format!("{path}/balance_transactions");
    let add = async |amount, currency| {
        let form = vec![("amount", amount), ("currency", currency)];
        bench.post(&transactions, &form).await
    };
    let first = add("-500", "usd").await.expect(200).json();
    assert_eq!(first["ending_balance"], -500);
    assert_eq!(first["type"], "adjustment");
    let second = add("200", "usd").await.expect(200).json();
    assert_eq!(second["ending_balance"], -300);
    assert_eq!(
        add("1", "eur").await.expect(400).error()["param"],
        "currency"
    );
    let customer = bench.get(&path).await.json();
    assert_eq!(customer["balance"], -300);
    assert_eq!(customer["currency"], "usd");
    let listed = bench.get(&transactions).await.expect(200).json();
    assert_eq!(ids(&listed), [id(&second), id(&first)]);
    let one = format!("{transactions}/{}", id(&first));
    assert_eq!(bench.get(&one).await.expect(200).json(), first);
    let form = vec![("amount", "1"), ("currency", "usd")];
    let none = format!("{CUSTOMERS}/cus_none/balance_transactions");
    bench.post(&none, &form).await.expect(404);
}

#[tokio::test]
async fn a_customer_may_have_tax_ids() {
    let bench = Bench::start().await;
    let form = vec![
        ("tax_id_data[0][type]", "eu_vat"),
        ("tax_id_data[0][value]", "DE123456789"),
    ];
    let customer = bench.post(CUSTOMERS, &form).await.expect(200).json();
    let path = format!("{CUSTOMERS}/{}/tax_ids", id(&customer));
    let form = vec![("type", "us_ein"), ("value", "12-3456789")];
    let other = bench.post(&path, &form).await.expect(200).json();
    assert_eq!(other["country"], "US");
    assert_eq!(other["owner"]["customer"], customer["id"]);
    assert_eq!(other["verification"]["status"], "pending");
    let listed = bench.get(&path).await.expect(200).json();
    assert_eq!(listed["data"][1]["country"], "DE");
    delete(&bench, &format!("{path}/{}", id(&other)))
        .await
        .expect(200);
    let listed = bench.get(&path).await.expect(200).json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    let events = bench.event_types().await;
    assert!(events.contains(&"customer.tax_id.created".to_owned()));
    assert!(events.contains(&"customer.tax_id.deleted".to_owned()));
}

#[tokio::test]
async fn a_payment_link_sells_prices() {
    let bench = Bench::start().await;
    let form = vec![
        ("currency", "usd"),
        ("unit_amount", "1500"),
        ("product_data[name]", "Mug"),
    ];
    let price = id(&bench.post(PRICES, &form).await.expect(200).json());
    let links = "/v1/payment_links";
    let form = vec![
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "2"),
        ("line_items[1][price_data][currency]", "usd"),
        ("line_items[1][price_data][unit_amount]", "300"),
        ("line_items[1][price_data][product_data][name]", "Wrapping"),
        ("line_items[1][quantity]", "1"),
    ];
    let link = bench.post(links, &form).await.expect(200).json();
    assert_eq!(link["currency"], "usd");
    assert_eq!(link["line_items"], json!(null), "only on request");
    let path = format!("{links}/{}", id(&link));
    let items = bench.get(&format!("{path}/line_items")).await;
    let items = items.expect(200).json();
    assert_eq!(items["data"][0]["amount_total"], 3_000);
    assert_eq!(items["data"][0]["description"], "Mug");
    assert_eq!(items["data"][1]["price"]["active"], false);
    let expanded = bench.get(&format!("{path}?expand[]=line_items")).await;
    assert_eq!(expanded.expect(200).json()["line_items"], items);

    let first = id(&items["data"][0]);
    let change = vec![
        ("active", "false"),
        ("line_items[0][id]", first.as_str()),
        ("line_items[0][quantity]", "3"),
    ];
    let changed = bench.post(&path, &change).await.expect(200).json();
    assert_eq!(changed["active"], false);
    let items = bench.get(&format!("{path}/line_items")).await.json();
    assert_eq!(items["data"][0]["amount_subtotal"], 4_500);
    let listed = bench.get(&format!("{links}?active=true")).await.json();
    assert_eq!(listed["data"], json!([]));

    for (name, value, param) in [
        ("line_items[0][price]", "price_none", "line_items[0][price]"),
        ("line_items[0][quantity]", "0", "line_items[0][quantity]"),
        ("line_items[1][price_data][currency]", "eur", "line_items"),
    ] {
        let mut form = form.clone();
        form.retain(|(field, _)| *field != name);
        form.push((name, value));
        let error = bench.post(links, &form).await.expect(400).error();
        assert_eq!(error["param"], param, "{error}");
    }
    let types = bench.event_types().await;
    assert!(types.contains(&"payment_link.created".to_owned()));
    assert!(types.contains(&"payment_link.updated".to_owned()));
}

#[tokio::test]
async fn a_price_may_have_tiers() {
    let bench = Bench::start().await;
    let form = vec![
        ("currency", "usd"),
        ("billing_scheme", "tiered"),
        ("tiers_mode", "graduated"),
        ("recurring[interval]", "month"),
        ("product_data[name]", "Seats"),
        ("tiers[0][up_to]", "5"),
        ("tiers[0][unit_amount]", "1000"),
        ("tiers[1][up_to]", "inf"),
        ("tiers[1][unit_amount_decimal]", "800"),
    ];
    let price = bench.post(PRICES, &form).await.expect(200).json();
    assert_eq!(price["tiers"], json!(null), "only on request");
    let price = bench
        .get(&format!("{PRICES}/{}?expand[]=tiers", id(&price)))
        .await
        .expect(200)
        .json();
    assert_eq!(price["tiers"][0]["unit_amount_decimal"], "1000");
    assert_eq!(price["tiers"][1]["up_to"], json!(null));
    assert_eq!(price["tiers"][1]["unit_amount"], 800);
    for (without, with, param) in [
        ("tiers_mode", None, "tiers_mode"),
        ("billing_scheme", None, "tiers"),
        (
            "tiers[1][up_to]",
            Some(("tiers[1][up_to]", "9")),
            "tiers[1][up_to]",
        ),
        ("", Some(("unit_amount", "1")), "unit_amount"),
    ] {
        let mut form = form.clone();
        form.retain(|(field, _)| *field != without);
        form.extend(with);
        let error = bench.post(PRICES, &form).await.expect(400).error();
        assert_eq!(error["param"], param, "{error}");
    }
}

#[tokio::test]
async fn prices_are_found_by_their_lookup_keys() {
    let bench = Bench::start().await;
    let price = async |key| {
        let form = vec![
            ("currency", "usd"),
            ("unit_amount", "1500"),
            ("product_data[name]", "Mug"),
            ("lookup_key", key),
        ];
        id(&bench.post(PRICES, &form).await.expect(200).json())
    };
    let (a, _, c) = (price("a").await, price("b").await, price("c").await);
    let path = format!("{PRICES}?lookup_keys[]=a&lookup_keys[]=c");
    assert_eq!(ids(&bench.get(&path).await.expect(200).json()), [c, a]);
}

#[tokio::test]
async fn a_tax_rate_is_a_percentage() {
    let bench = Bench::start().await;
    let rate = async |percentage| {
        let form = vec![
            ("display_name", "VAT"),
            ("inclusive", "true"),
            ("percentage", percentage),
        ];
        bench.post("/v1/tax_rates", &form).await
    };
    let made = rate("19.5").await.expect(200).json();
    assert_eq!(made["percentage"], 19.5);
    assert_eq!(made["active"], true);
    for wrong in ["101", "-1", "1.23456"] {
        let error = rate(wrong).await.expect(400).error();
        assert_eq!(error["param"], "percentage");
    }
}

#[tokio::test]
async fn the_first_portal_configuration_is_the_default() {
    let bench = Bench::start().await;
    let path = "/v1/billing_portal/configurations";
    let form = vec![("features[subscription_cancel][enabled]", "true")];
    let first = bench.post(path, &form).await.expect(200).json();
    let second = bench.post(path, &form).await.expect(200).json();
    assert_eq!(first["is_default"], true);
    assert_eq!(second["is_default"], false);
    let cancel = &first["features"]["subscription_cancel"];
    assert_eq!(cancel["enabled"], true);
    assert_eq!(cancel["mode"], "at_period_end");
}

#[tokio::test]
async fn tax_codes_are_stripes() {
    let bench = Bench::start().await;
    let listed = bench.get("/v1/tax_codes?limit=2").await.expect(200).json();
    assert_eq!(listed["has_more"], true);
    let goods = bench.get("/v1/tax_codes/txcd_99999999").await.expect(200);
    assert_eq!(goods.json()["name"], "General - Tangible Goods");
    bench.get("/v1/tax_codes/txcd_none").await.expect(404);
}

#[test]
fn the_page_about_the_api_says_what_works() {
    let page = include_str!("../../API.md");
    assert!(
        stand_in::coverage().unwrap() == page,
        "run `cargo run -p stand-in -- api > local/stand-in/API.md`"
    );
}

#[tokio::test]
async fn an_id_of_ones_own_may_have_any_signs() {
    let bench = Bench::start().await;
    for (id, in_a_path) in [
        ("mug:red", "mug%3Ared"),
        ("SUMMER 20", "SUMMER%2020"),
        ("é", "%C3%A9"),
        ("x+y", "x+y"),
        ("a/b", "a%2Fb"),
        ("50%", "50%25"),
    ] {
        for (list, more) in [
            ("/v1/products", ("name", "Mug")),
            ("/v1/coupons", ("percent_off", "20")),
        ] {
            let of_its_own = format!("{id}{}", more.0);
            let path = format!("{list}/{in_a_path}{}", more.0);
            let form = vec![("id", of_its_own.as_str()), more];
            bench.post(list, &form).await.expect(200);
            assert_eq!(bench.get(&path).await.expect(200).json()["id"], of_its_own);
            let changed = vec![("metadata[seen]", "yes")];
            bench.post(&path, &changed).await.expect(200);
            let gone = delete(&bench, &path).await.expect(200).json();
            assert_eq!(gone["id"], of_its_own);
        }
    }
    for (list, more) in [
        ("/v1/products", ("name", "Mug")),
        ("/v1/coupons", ("percent_off", "20")),
    ] {
        let error = bench.post(list, &vec![("id", ""), more]).await.expect(400);
        assert_eq!(error.error()["param"], "id");
    }
}

#[tokio::test]
async fn a_price_is_never_below_nothing_and_is_said_once() {
    let bench = Bench::start().await;
    let product = [("currency", "usd"), ("product_data[name]", "Mug")];
    let tiered = [
        ("billing_scheme", "tiered"),
        ("tiers_mode", "graduated"),
        ("recurring[interval]", "month"),
        ("tiers[0][up_to]", "inf"),
    ];
    let refused: [(&[_], &str); 7] = [
        (&[("unit_amount", "-5")], "unit_amount"),
        (&[("unit_amount_decimal", "-5")], "unit_amount_decimal"),
        (&[("unit_amount_decimal", "-0.5")], "unit_amount_decimal"),
        (
            &[("unit_amount", "1"), ("unit_amount_decimal", "2")],
            "unit_amount_decimal",
        ),
        (
            &[tiered.as_slice(), &[("tiers[0][unit_amount]", "-5")]].concat(),
            "tiers[0][unit_amount]",
        ),
        (
            &[
                tiered.as_slice(),
                &[("tiers[0][flat_amount_decimal]", "-5")],
            ]
            .concat(),
            "tiers[0][flat_amount_decimal]",
        ),
        (
            &[
                tiered.as_slice(),
                &[
                    ("tiers[0][unit_amount]", "1"),
                    ("tiers[0][unit_amount_decimal]", "2"),
                ],
            ]
            .concat(),
            "tiers[0][unit_amount_decimal]",
        ),
    ];
    for (amount, param) in refused {
        let form = [product.as_slice(), amount].concat();
        let error = bench.post(PRICES, &form).await.expect(400).error();
        assert_eq!(error["param"], param, "{error}");
    }
    assert_eq!(ids(&bench.get(PRICES).await.json()), [""; 0]);
}

#[tokio::test]
async fn a_search_that_cannot_be_made_is_refused() {
    let bench = Bench::start().await;
    let too_many = vec!["email:\"a@b.example\""; 1_200].join(" AND ");
    for (list, query) in [
        ("products", "created>null"),
        ("payment_intents", "amount<=null"),
        ("customers", "email~null"),
        ("customers", "metadata[\"a\0b\"]:\"1\""),
        ("customers", "email:\"a\0b\""),
        ("charges", "payment_method_details..card:\"visa\""),
        ("charges", "payment_method_details.card.:\"visa\""),
        ("customers", too_many.as_str()),
    ] {
        let request = bench.request("GET", &format!("/v1/{list}/search"));
        let request = request.bearer_auth(KEY).query(&[("query", query)]);
        bench.send(request).await.expect(400);
    }
    let hundred = vec!["email:\"a@b.example\""; 100].join(" OR ");
    let request = bench.request("GET", "/v1/customers/search");
    let request = request.bearer_auth(KEY).query(&[("query", hundred)]);
    bench.send(request).await.expect(200);
}

#[tokio::test]
async fn what_belongs_to_nobody_is_not_listed() {
    let bench = Bench::start().await;
    for path in [
        "/v1/customers/cus_nope/payment_methods",
        "/v1/customers/cus_nope/tax_ids",
        "/v1/customers/cus_nope/balance_transactions",
        "/v1/charges/ch_nope/refunds",
    ] {
        let error = bench.get(path).await.expect(404).error();
        assert_eq!(error["code"], "resource_missing");
    }
    let customer = bench.post(CUSTOMERS, &vec![]).await.expect(200).json();
    let path = format!("{CUSTOMERS}/{}/payment_methods", id(&customer));
    assert_eq!(ids(&bench.get(&path).await.expect(200).json()), [""; 0]);
}
