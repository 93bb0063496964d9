//! Products and prices.

use serde_json::json;

use crate::bench::{Bench, id, ids};

const PRICES: &str = "/v1/prices";
const PRODUCTS: &str = "/v1/products";

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
    bench.delete(&format!("{PRODUCTS}/mug")).await.expect(400);
    let bare = vec![("id", "cup"), ("name", "Cup")];
    bench.post(PRODUCTS, &bare).await.expect(200);
    bench.delete(&format!("{PRODUCTS}/cup")).await.expect(200);
    bench.get(&format!("{PRODUCTS}/cup")).await.expect(404);
    let listed = bench.get(&format!("{PRODUCTS}?ids[]=mug&ids[]=cup")).await;
    assert_eq!(ids(&listed.expect(200).json()), ["mug"]);
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
            let gone = bench.delete(&path).await.expect(200).json();
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
async fn a_price_has_no_digits_that_its_currency_lacks() {
    let bench = Bench::start().await;
    for (currency, wrong, right) in [("kwd", "1005", "1010"), ("isk", "150", "200")] {
        let form = |field, amount| {
            vec![
                ("currency", currency),
                ("product_data[name]", "Mug"),
                (field, amount),
            ]
        };
        for field in ["unit_amount", "unit_amount_decimal"] {
            let refused = bench.post(PRICES, &form(field, wrong)).await;
            assert_eq!(refused.expect(400).error()["param"], field, "{currency}");
            bench.post(PRICES, &form(field, right)).await.expect(200);
        }
        let tiers = vec![
            ("currency", currency),
            ("product_data[name]", "Mug"),
            ("recurring[interval]", "month"),
            ("billing_scheme", "tiered"),
            ("tiers_mode", "graduated"),
            ("tiers[0][up_to]", "inf"),
            ("tiers[0][flat_amount]", wrong),
        ];
        let error = bench.post(PRICES, &tiers).await.expect(400).error();
        assert_eq!(error["param"], "tiers[0][flat_amount]");
    }
}

#[tokio::test]
async fn what_is_billed_by_usage_is_refused_by_name() {
    let bench = Bench::start().await;
    for (param, value) in [
        ("recurring[usage_type]", "metered"),
        ("recurring[meter]", "mtr_123"),
    ] {
        let form = vec![
            ("currency", "usd"),
            ("unit_amount", "5"),
            ("product_data[name]", "Calls"),
            ("recurring[interval]", "month"),
            (param, value),
        ];
        let error = bench.post(PRICES, &form).await.expect(400).error();
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!("parameter_unsupported"), &json!(param))
        );
    }
    let plan = vec![
        ("currency", "usd"),
        ("amount", "5"),
        ("interval", "month"),
        ("product[name]", "Calls"),
        ("usage_type", "metered"),
    ];
    bench.post("/v1/plans", &plan).await.expect(400);
    let event = vec![
        ("event_name", "call"),
        ("payload[stripe_customer_id]", "cus_123"),
        ("payload[value]", "7"),
    ];
    let events = "/v1/billing/meter_events";
    bench.post(events, &event).await.expect(501);
}
