//! Automatic tax: in prices and on top of them, of lines and of shipping.

use serde_json::{Value, json};

use crate::bench::{Bench, CARD, Form, by_card, id};

/// A mug of 20 dollars with tax on top, a book of 11.90 with tax in it, and 5 dollars for the post.
const SOLD: [(&str, &str); 17] = [
    ("mode", "payment"),
    ("success_url", "http://shop.example/done"),
    ("automatic_tax[enabled]", "true"),
    ("line_items[0][quantity]", "1"),
    ("line_items[0][price_data][currency]", "usd"),
    ("line_items[0][price_data][unit_amount]", "2000"),
    ("line_items[0][price_data][tax_behavior]", "exclusive"),
    ("line_items[0][price_data][product_data][name]", "Mug"),
    (
        "line_items[0][price_data][product_data][tax_code]",
        "txcd_99999999",
    ),
    ("line_items[1][quantity]", "1"),
    ("line_items[1][price_data][currency]", "usd"),
    ("line_items[1][price_data][unit_amount]", "1190"),
    ("line_items[1][price_data][tax_behavior]", "inclusive"),
    ("line_items[1][price_data][product_data][name]", "Book"),
    ("shipping_address_collection[allowed_countries][0]", "DE"),
    (
        "shipping_options[0][shipping_rate_data][display_name]",
        "Post",
    ),
    (
        "shipping_options[0][shipping_rate_data][type]",
        "fixed_amount",
    ),
];

const POST: [(&str, &str); 2] = [
    (
        "shipping_options[0][shipping_rate_data][fixed_amount][amount]",
        "500",
    ),
    (
        "shipping_options[0][shipping_rate_data][fixed_amount][currency]",
        "usd",
    ),
];

fn sold(more: &[(&'static str, &'static str)]) -> Form<'static> {
    [SOLD.as_slice(), POST.as_slice(), more].concat()
}

fn to_berlin() -> Form<'static> {
    let mut form = by_card(CARD);
    form.extend([
        ("shipping_name", "Jenny Rosen"),
        ("shipping_line1", "Weg 1"),
        ("shipping_city", "Berlin"),
        ("shipping_postal_code", "10115"),
        ("shipping_country", "DE"),
    ]);
    form
}

async fn open(bench: &Bench, form: Form<'_>) -> String {
    let answer = bench.post("/v1/checkout/sessions", &form).await;
    id(&answer.expect(200).json())
}

/// What a session of these comes to once it is paid.
async fn paid(bench: &Bench, form: Form<'_>) -> Value {
    let session = open(bench, form).await;
    bench.submit(&session, &to_berlin()).await.expect(303);
    let more = "expand[]=line_items&expand[]=total_details.breakdown&expand[]=invoice";
    let path = format!("/v1/checkout/sessions/{session}?{more}");
    bench.get(&path).await.expect(200).json()
}

#[tokio::test]
async fn lines_and_shipping_are_taxed_in_their_prices_or_on_top_of_them() {
    let bench = Bench::start().await;
    let rate = "shipping_options[0][shipping_rate_data][tax_behavior]";
    for (more, shipping_tax, on_top) in [
        (vec![], 95, 380 + 95),
        (vec![(rate, "exclusive")], 95, 380 + 95),
        (vec![(rate, "inclusive")], 80, 380),
    ] {
        let session = paid(&bench, sold(&more)).await;
        assert_eq!(session["automatic_tax"]["status"], "complete");
        assert_eq!(session["amount_subtotal"], 3_190);
        assert_eq!(session["amount_total"], 3_690 + on_top);
        let details = &session["total_details"];
        assert_eq!(details["amount_shipping"], 500);
        assert_eq!(details["amount_tax"], 380 + 190 + shipping_tax);
        let taxes = |line: &Value| (line["amount_tax"].clone(), line["amount_total"].clone());
        let lines = &session["line_items"]["data"];
        assert_eq!(taxes(&lines[0]), (json!(380), json!(2_380)));
        assert_eq!(taxes(&lines[1]), (json!(190), json!(1_190)));
        let cost = &session["shipping_cost"];
        assert_eq!(cost["amount_subtotal"], 500);
        assert_eq!(cost["amount_tax"], shipping_tax);
        let by_rate = details["breakdown"]["taxes"].as_array().unwrap();
        let sum: i64 = by_rate.iter().filter_map(|it| it["amount"].as_i64()).sum();
        assert_eq!(sum, 380 + 190 + shipping_tax);
        let inclusive = by_rate.iter().map(|it| &it["rate"]["inclusive"]);
        assert_eq!(inclusive.collect::<Vec<_>>(), [false, true], "{by_rate:?}");
    }
}

#[tokio::test]
async fn the_invoice_of_a_payment_has_its_sums_and_its_tags() {
    let bench = Bench::start().await;
    let before = bench.event_types().await.len();
    let more = [
        ("invoice_creation[enabled]", "true"),
        ("invoice_creation[invoice_data][metadata][order]", "7"),
    ];
    let session = paid(&bench, sold(&more)).await;
    let invoice = &session["invoice"];
    assert_eq!(invoice["status"], "paid");
    assert_eq!(invoice["metadata"], json!({ "order": "7" }));
    assert_eq!(invoice["subtotal"], session["amount_subtotal"]);
    assert_eq!(invoice["total"], session["amount_total"]);
    assert_eq!(invoice["shipping_cost"]["amount_tax"], 95);
    let taxes = invoice["total_taxes"].as_array().unwrap();
    let sum: i64 = taxes.iter().filter_map(|it| it["amount"].as_i64()).sum();
    assert_eq!(sum, session["total_details"]["amount_tax"]);
    for link in ["hosted_invoice_url", "invoice_pdf"] {
        assert!(invoice[link].is_string(), "{link} in {invoice}");
    }
    assert!(invoice["parent"].is_null(), "{invoice}");
    let types = bench.event_types_after(before).await;
    let told = ["checkout.session.completed", "invoice.paid"];
    let told = told.map(|kind| types.iter().position(|it| it == kind).unwrap());
    assert!(told[0] < told[1], "{types:?}");
}

#[tokio::test]
async fn a_customer_is_taxed_at_an_address_that_is_kept() {
    let bench = Bench::start().await;
    let buyer = vec![("email", "a@b.example")];
    let customer = bench.post("/v1/customers", &buyer).await;
    let customer = id(&customer.expect(200).json());
    let mut form = vec![
        ("mode", "subscription"),
        ("success_url", "http://shop.example/done"),
        ("automatic_tax[enabled]", "true"),
        ("customer", customer.as_str()),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "2000"),
        ("line_items[0][price_data][tax_behavior]", "exclusive"),
        ("line_items[0][price_data][recurring][interval]", "month"),
        ("line_items[0][price_data][product_data][name]", "Beans"),
    ];
    let refused = bench.post("/v1/checkout/sessions", &form).await.expect(400);
    let error = refused.error();
    assert_eq!(error["code"], "customer_tax_location_invalid");
    form.push(("customer_update[address]", "auto"));
    let session = open(&bench, form).await;
    let mut pays = by_card(CARD);
    pays.extend([
        ("billing_country", "AT"),
        ("billing_line1", "Ring 1"),
        ("billing_city", "Wien"),
        ("billing_postal_code", "1010"),
    ]);
    bench.submit(&session, &pays).await.expect(303);
    let customer = bench.fetch("customers", &customer).await;
    assert_eq!(customer["address"]["country"], "AT");
    let session = bench.retrieve(&session).await;
    assert_eq!(session["amount_total"], 2_400);
    let subscription = session["subscription"].as_str().unwrap();
    let subscription = bench.fetch("subscriptions", subscription).await;
    assert_eq!(subscription["automatic_tax"]["enabled"], true);
    let invoice = session["invoice"].as_str().unwrap();
    let invoice = bench.fetch("invoices", invoice).await;
    assert_eq!(invoice["total"], 2_400);
    assert_eq!(invoice["total_taxes"][0]["amount"], 400);
    assert_eq!(invoice["total_taxes"][0]["tax_behavior"], "exclusive");
}

#[tokio::test]
async fn an_account_says_where_it_pays_taxes_from() {
    let bench = Bench::start().await;
    let path = "/v1/tax/settings";
    let settings = bench.get(path).await.expect(200).json();
    assert_eq!(settings["object"], "tax.settings");
    assert_eq!(settings["status"], "active");
    let form = vec![
        ("defaults[tax_behavior]", "inclusive"),
        ("head_office[address][country]", "DE"),
        ("head_office[address][city]", "Berlin"),
    ];
    let settings = bench.post(path, &form).await.expect(200).json();
    assert_eq!(settings["defaults"]["tax_behavior"], "inclusive");
    assert_eq!(settings["head_office"]["address"]["city"], "Berlin");
    assert_eq!(settings["head_office"]["address"]["state"], Value::Null);
    assert_eq!(bench.get(path).await.expect(200).json(), settings);
    assert_eq!(bench.event_types().await, ["tax.settings.updated"]);
    for wrong in [
        ("defaults[tax_behavior]", "none"),
        ("head_office[address][city]", "Berlin"),
        ("status", "pending"),
    ] {
        bench.post(path, &vec![wrong]).await.expect(400);
    }
    assert_eq!(bench.get(path).await.expect(200).json(), settings);
}
