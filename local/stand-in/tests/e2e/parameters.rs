//! Parameters that are not as they should be.

use serde_json::json;

use crate::bench::{Bench, Form, KEY, id, one_mug};

const SESSIONS: &str = "/v1/checkout/sessions";

/// A change to a good request (a value, or none to leave the field out), the code of the refusal, and the
/// parameter that it names.
const WRONG: [(&str, Option<&str>, &str, &str); 28] = [
    ("mode", None, "parameter_missing", "mode"),
    ("mode", Some(""), "parameter_invalid_empty", "mode"),
    ("mode", Some("barter"), "", "mode"),
    ("success_url", None, "parameter_missing", "success_url"),
    (
        "success_url",
        Some("shop.example"),
        "url_invalid",
        "success_url",
    ),
    (
        "cancel_url",
        Some("javascript:alert(1)"),
        "url_invalid",
        "cancel_url",
    ),
    ("locale", Some("xx"), "", "locale"),
    (
        "customer_email",
        Some("buyer"),
        "email_invalid",
        "customer_email",
    ),
    ("colour", Some("red"), "parameter_unknown", "colour"),
    (
        "line_items[0][colour]",
        Some("red"),
        "parameter_unknown",
        "line_items[0][colour]",
    ),
    (
        "line_items[0][quantity]",
        None,
        "parameter_missing",
        "line_items[0][quantity]",
    ),
    (
        "line_items[0][quantity]",
        Some("two"),
        "parameter_invalid_integer",
        "line_items[0][quantity]",
    ),
    (
        "line_items[0][quantity]",
        Some("0"),
        "parameter_invalid_integer",
        "line_items[0][quantity]",
    ),
    (
        "line_items[0][price_data][currency]",
        None,
        "parameter_missing",
        "line_items[0][price_data][currency]",
    ),
    (
        "line_items[0][price_data][currency]",
        Some("xxx"),
        "",
        "line_items[0][price_data][currency]",
    ),
    (
        "line_items[0][price_data][unit_amount]",
        Some("15.00"),
        "parameter_invalid_integer",
        "line_items[0][price_data][unit_amount]",
    ),
    (
        "line_items[0][price_data][unit_amount]",
        Some("-1"),
        "parameter_invalid_integer",
        "line_items[0][price_data][unit_amount]",
    ),
    (
        "line_items[0][price_data][unit_amount]",
        Some("99999999999999999999"),
        "parameter_invalid_integer",
        "line_items[0][price_data][unit_amount]",
    ),
    (
        "line_items[0][price_data][product_data][name]",
        None,
        "parameter_missing",
        "line_items[0][price_data][product_data]",
    ),
    (
        "line_items[0][price_data][unit_amount]",
        Some("49"),
        "amount_too_small",
        "line_items",
    ),
    (
        "line_items[0][quantity]",
        Some("66667"),
        "amount_too_large",
        "line_items",
    ),
    (
        "expires_at",
        Some("soon"),
        "parameter_invalid_integer",
        "expires_at",
    ),
    (
        "adaptive_pricing[enabled]",
        Some("yes"),
        "",
        "adaptive_pricing[enabled]",
    ),
    ("metadata", Some("x"), "", "metadata"),
    ("metadata[a][b]", Some("x"), "", "metadata[a]"),
    ("expand[]", Some("status"), "", "expand"),
    ("expand[]", Some("payment_intent.colour"), "", "expand"),
    ("expand[]", Some("line_items.data"), "", "expand"),
];

#[tokio::test]
async fn each_wrong_parameter_is_named() {
    let bench = Bench::start().await;
    let name = "line_items[0][price_data][product_data][name]";
    let long = "x".repeat(251);
    let too_long = [(name, Some(long.as_str()), "", name)];
    for (field, value, code, param) in WRONG.into_iter().chain(too_long) {
        let mut form = one_mug();
        form.retain(|(name, _)| *name != field);
        form.extend(value.map(|value| (field, value)));
        let error = bench.post(SESSIONS, &form).await.expect(400).error();
        assert_eq!(error["type"], "invalid_request_error", "{field}={value:?}");
        assert_eq!(
            error["code"].as_str().unwrap_or_default(),
            code,
            "{field}={value:?}"
        );
        assert_eq!(error["param"], param, "{field}={value:?}");
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    assert_eq!(bench.get(SESSIONS).await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let bench = Bench::start().await;
    let post = || bench.request("POST", SESSIONS).bearer_auth(KEY);
    bench
        .send(post().json(&json!({ "mode": "payment" })))
        .await
        .expect(400);
    let error = bench.send(post()).await.expect(400).error();
    assert_eq!(error["code"], "parameter_missing");
    // A media type is the same in any case.
    for media_type in [
        "APPLICATION/X-WWW-FORM-URLENCODED",
        "Application/x-www-form-urlencoded ; charset=utf-8",
    ] {
        let customer = bench.request("POST", "/v1/customers").bearer_auth(KEY);
        let customer = customer.header("content-type", media_type).body("name=Ada");
        let customer = bench.send(customer).await.expect(200).json();
        assert_eq!(customer["name"], "Ada");
    }
    let broken: Form<'_> = vec![("line_items[0", "x")];
    bench.post(SESSIONS, &broken).await.expect(400);
}

#[tokio::test]
async fn currencies_keep_to_their_own_minor_units() {
    let bench = Bench::start().await;
    let with = |currency: &'static str, amount: &'static str| {
        let mut form = one_mug();
        for (name, value) in &mut form {
            match *name {
                "line_items[0][price_data][currency]" => *value = currency,
                "line_items[0][price_data][unit_amount]" => *value = amount,
                _ => {}
            }
        }
        form
    };
    for (currency, amount) in [
        ("jpy", "50"),
        ("kwd", "5120"),
        ("isk", "500"),
        ("huf", "17500"),
    ] {
        bench
            .post(SESSIONS, &with(currency, amount))
            .await
            .expect(200);
    }
    for (currency, amount) in [
        ("jpy", "49"),
        ("kwd", "5121"),
        ("isk", "550"),
        ("huf", "17499"),
    ] {
        bench
            .post(SESSIONS, &with(currency, amount))
            .await
            .expect(400);
    }
    let mixed = [
        one_mug(),
        vec![
            ("line_items[1][price_data][currency]", "eur"),
            ("line_items[1][price_data][unit_amount]", "100"),
            ("line_items[1][price_data][product_data][name]", "Tea"),
            ("line_items[1][quantity]", "1"),
        ],
    ];
    bench.post(SESSIONS, &mixed.concat()).await.expect(400);
}

#[tokio::test]
async fn a_long_form_is_read_in_little_time_and_a_longer_one_is_refused() {
    let bench = Bench::start().await;
    let long = vec![("line_items[][quantity]", "1"); 10_000];
    let begun = std::time::Instant::now();
    bench.post(SESSIONS, &long).await.expect(400);
    let seconds = begun.elapsed().as_secs();
    assert!(seconds < 4, "{seconds} s");

    let longer = [long, vec![("mode", "payment")]].concat();
    let error = bench.post(SESSIONS, &longer).await.expect(400).error();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("at most 10000 parameters"), "{message}");
}

#[tokio::test]
async fn what_a_parameter_names_and_is_missing_makes_the_request_wrong() {
    let bench = Bench::start().await;
    let intent = vec![("amount", "1500"), ("currency", "usd")];
    let intents = "/v1/payment_intents";
    let made = id(&bench.post(intents, &intent).await.expect(200).json());
    let made = format!("{intents}/{made}");
    let of_nobody = [intent.clone(), vec![("customer", "cus_nope")]].concat();
    let by_nothing = [intent, vec![("payment_method", "pm_nope")]].concat();
    for (path, form) in [
        (intents, of_nobody),
        (intents, by_nothing),
        (&made, vec![("customer", "cus_nope")]),
        ("/v1/refunds", vec![("charge", "ch_nope")]),
        ("/v1/refunds", vec![("payment_intent", "pi_nope")]),
        (
            "/v1/promotion_codes",
            vec![("promotion[type]", "coupon"), ("promotion[coupon]", "NOPE")],
        ),
        (
            "/v1/charges",
            vec![
                ("amount", "1500"),
                ("currency", "usd"),
                ("source", "tok_nope"),
            ],
        ),
    ] {
        let error = bench.post(path, &form).await.expect(400).error();
        assert_eq!(error["code"], "resource_missing", "{path} {form:?}");
    }
    for path in ["/v1/payment_intents/pi_nope", "/v1/customers/cus_nope"] {
        bench.get(path).await.expect(404);
        let form = vec![("metadata[a]", "1")];
        bench.post(path, &form).await.expect(404);
    }
}
