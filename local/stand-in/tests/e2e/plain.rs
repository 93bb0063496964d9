//! The smaller kinds that hold what they are given.

use serde_json::json;

use crate::bench::{Bench, id, ids};

const CUSTOMERS: &str = "/v1/customers";
const PRICES: &str = "/v1/prices";

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
