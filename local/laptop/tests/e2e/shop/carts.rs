//! Carts that cannot be ordered: refused with the field's name, leaving nothing behind.

use serde_json::{Value, json};
use testing::{CARD, Checkout, MUG, TestApp, cart};

/// A cart, the status of its refusal, and what the refusal names.
struct Case {
    what: &'static str,
    body: String,
    statuses: &'static [u16],
    names: &'static str,
}

fn case(what: &'static str, body: &Value, statuses: &'static [u16], names: &'static str) -> Case {
    Case {
        what,
        body: body.to_string(),
        statuses,
        names,
    }
}

fn one(quantity: Value) -> Value {
    json!({ "items": [{ "product_id": MUG, "quantity": quantity }] })
}

fn bad_carts() -> Vec<Case> {
    const MALFORMED: &[u16] = &[400, 422];
    const UNSALEABLE: &[u16] = &[409, 422];
    const BEYOND: &[u16] = &[422];
    let too_many: Vec<_> = (0..91)
        .map(|number| json!({ "product_id": format!("product-{number}"), "quantity": 1 }))
        .collect();
    let text = |what, body: &str, names| Case {
        what,
        body: body.to_owned(),
        statuses: MALFORMED,
        names,
    };
    vec![
        case("quantity 0", &one(json!(0)), MALFORMED, "quantity"),
        case("quantity -1", &one(json!(-1)), MALFORMED, "quantity"),
        case("quantity 1000", &one(json!(1000)), MALFORMED, "quantity"),
        case("quantity 1.5", &one(json!(1.5)), MALFORMED, "quantity"),
        case("quantity as text", &one(json!("2")), MALFORMED, "quantity"),
        case("no quantity", &one(Value::Null), MALFORMED, "quantity"),
        case("huge", &one(json!(u64::MAX)), MALFORMED, "quantity"),
        text(
            "a quantity beyond every integer",
            r#"{"items":[{"product_id":"sample-mug","quantity":99999999999999999999999999}]}"#,
            "quantity",
        ),
        case(
            "equal lines that are too many together",
            &cart(&[(MUG, 600), (MUG, 400)]),
            BEYOND,
            "quantity",
        ),
        case(
            "a product that is a number",
            &json!({ "items": [{ "product_id": 7, "quantity": 1 }] }),
            MALFORMED,
            "product_id",
        ),
        case(
            "a product without a name",
            &cart(&[("", 1)]),
            &[400, 404, 422],
            "product",
        ),
        case(
            "an unknown product",
            &cart(&[("no-such", 1)]),
            &[404],
            "no-such",
        ),
        case(
            "an unknown product among others",
            &cart(&[(MUG, 1), ("no-such", 1)]),
            &[404],
            "no-such",
        ),
        case(
            "an inactive product",
            &cart(&[("sample-stickers", 1)]),
            UNSALEABLE,
            "sample-stickers",
        ),
        case(
            "two currencies",
            &cart(&[(MUG, 1), ("sample-notebook-eur", 1)]),
            BEYOND,
            "sample-notebook-eur",
        ),
        case(
            "too little to pay",
            &cart(&[("cheap-mug", 1)]),
            BEYOND,
            "total",
        ),
        case(
            "too much to pay",
            &cart(&[("gold-mug", 999)]),
            BEYOND,
            "total",
        ),
        case("an empty cart", &json!({ "items": [] }), MALFORMED, "items"),
        case("no cart", &json!({}), MALFORMED, "items"),
        case(
            "a cart that is not a list",
            &json!({ "items": MUG }),
            MALFORMED,
            "items",
        ),
        case(
            "91 products",
            &json!({ "items": too_many }),
            BEYOND,
            "items",
        ),
        text("no JSON", "two mugs, please", "JSON"),
        text(
            "half a JSON",
            r#"{"items":[{"product_id":"sample-mug","#,
            "JSON",
        ),
        text("nothing", "", "JSON"),
        text(
            "a quantity twice",
            r#"{"items":[{"product_id":"sample-mug","quantity":1,"quantity":2}]}"#,
            "\"quantity\" is there twice",
        ),
        text(
            "two carts in one",
            r#"{"items":[],"items":[{"product_id":"sample-mug","quantity":1}]}"#,
            "\"items\" is there twice",
        ),
        text(
            "a member that would clear a terminal",
            "{\"items\":[],\"\\u001b[2J\\u202e\":1}",
            "\u{fffd}[2J\u{fffd}: not expected here",
        ),
        Case {
            what: "a body too large",
            body: cart(&[(&"m".repeat(2 << 20), 1)]).to_string(),
            statuses: &[413],
            names: "",
        },
    ]
}

#[tokio::test]
async fn a_bad_cart_is_refused_by_its_fields_name_and_nothing_is_made() {
    let shop = TestApp::start().await;
    shop.sell_mug_for("cheap-mug", 49).await;
    shop.sell_mug_for("gold-mug", 200_000).await;
    let before = shop.dump().await;
    let mut wrong = Vec::new();
    for case in bad_carts() {
        let token = shop.ada().await;
        // With a key, as the site sends it: a bad cart must not use it up either.
        let answer = shop
            .post_checkout(Some(token), Some(case.what), case.body)
            .await;
        let status = answer.status.as_u16();
        if !case.statuses.contains(&status) {
            wrong.push(format!("{}: {status} {}", case.what, answer.text));
            continue;
        }
        let detail = answer.problem()["detail"].as_str().unwrap().to_owned();
        if !detail.contains(case.names) {
            wrong.push(format!("{}: {:?} not in {detail:?}", case.what, case.names));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(shop.dump().await, before, "something was written");
    assert_eq!(shop.sessions().await, 0);
}

#[tokio::test]
async fn buying_requires_signing_in() {
    let shop = TestApp::start().await;
    let body = cart(&[(MUG, 1)]).to_string();
    let good = shop.ada().await.to_owned();
    let (head, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for token in [None, Some(""), Some("nonsense"), Some(&forged)] {
        let answer = shop.post_checkout(token, None, body.clone()).await;
        let answer = answer.expect(401);
        assert!(answer.header("www-authenticate").is_some(), "{answer:?}");
    }
    assert!(shop.stored_purchases().await.is_empty());
    assert_eq!(shop.sessions().await, 0);
}

#[tokio::test]
async fn buying_requires_a_verified_email() {
    let shop = TestApp::start().await;
    let form = [("email", "new@buyers.example"), ("email_verified", "false")];
    let token = shop.token_with(&form).await;
    let body = cart(&[(MUG, 1)]).to_string();
    let answer = shop.post_checkout(Some(&token), None, body).await;
    let problem = answer.expect(403).problem();
    let title = problem["title"].as_str().unwrap();
    assert!(title.contains("email"), "{problem}");
    assert!(shop.stored_purchases().await.is_empty());
    assert_eq!(shop.sessions().await, 0);
}

#[tokio::test]
async fn equal_lines_are_one_line() {
    let shop = TestApp::start().await;
    let cart = cart(&[(MUG, 1), ("sample-poster", 1), (MUG, 998)]);
    let checkout = Checkout::of(&shop.checkout(&cart).await);
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["lines"].as_array().unwrap().len(), 2);
    assert_eq!(purchase["lines"][0]["quantity"], 999);
    assert_eq!(purchase["total"]["amount"], 999 * 1500 + 2400);
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
}

#[tokio::test]
async fn a_bad_idempotency_key_is_named() {
    let shop = TestApp::start().await;
    for key in ["k".repeat(256), "a\tb".to_owned(), String::new()] {
        let answer = shop.checkout_as(&key, &cart(&[(MUG, 1)])).await;
        let problem = answer.expect(400).problem();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("Idempotency-Key"), "{key:?}: {detail}");
    }
    assert!(shop.stored_purchases().await.is_empty());
}
