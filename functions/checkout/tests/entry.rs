//! Checkout as deployed, behind the Runtime API.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use runtime_api::{Function, changed};
use serde_json::{Value, json};

const OK: &str = include_str!("../../../events/checkout-ok.json");

#[test]
fn any_payload_gets_an_answer() {
    let samples = [
        include_str!("../../../events/checkout-ok.json"),
        include_str!("../../../events/checkout-idempotent.json"),
        include_str!("../../../events/checkout-no-token.json"),
        include_str!("../../../events/checkout-odd-host.json"),
    ];
    runtime_api::any_payload_gets_an_answer(env!("CARGO_BIN_EXE_checkout"), &samples);
}

#[test]
fn nothing_a_caller_sends_gets_into_the_log() {
    let function = Function::start(env!("CARGO_BIN_EXE_checkout"), &[]);
    let strange = "pii.person@example.com";
    let thrown = format!("{strange}\u{1b}[2J\u{202e}");
    for (member, value, status) in [
        ("/body", json!({ &thrown: 1 }).to_string(), 400),
        (
            "/body",
            json!({ "items": [{ &thrown: 1 }] }).to_string(),
            400,
        ),
        (
            "/body",
            json!({ "items": [{ "product_id": &thrown }] }).to_string(),
            400,
        ),
        (
            "/body",
            "{\"items\":[{\"product_id\":\"pii.person\",\"quantity\":1}]}".into(),
            404,
        ),
        ("/headers/idempotency-key", "pii.person".repeat(30), 400),
        ("/headers/accept-language", thrown.clone(), 404),
    ] {
        let payload = changed(OK, &BTreeMap::from([(member, Value::from(value))]));
        let answer = function.invoke(&payload).unwrap();
        assert_eq!(answer["statusCode"], status, "{answer}");
    }
    let log = function.end();
    assert!(log.contains("checkout refused"), "{log}");
    assert!(!log.contains("pii.person"), "{log}");
    assert!(
        log.chars().all(|c| c == '\n' || shared::plain::is_plain(c)),
        "{log:?}"
    );
}

#[test]
fn an_issuer_without_email_verified_is_vouched_for_by_a_parameter() {
    let silent = "/requestContext/authorizer/jwt/claims";
    let claims = json!({ "sub": "ada", "email": "ada@example.com" });
    let payload = changed(OK, &BTreeMap::from([(silent, claims)]));
    for (parameter, status) in [("", 403), ("claim", 403), ("always", 404)] {
        let binary = env!("CARGO_BIN_EXE_checkout");
        let function = Function::start(binary, &[("EMAIL_VERIFIED", parameter)]);
        let answer = function.invoke(&payload).unwrap();
        assert_eq!(answer["statusCode"], status, "{answer}");
        let names_it = answer["body"].as_str().unwrap().contains("email_verified");
        assert_eq!(names_it, status == 403, "{answer}");
    }
}
