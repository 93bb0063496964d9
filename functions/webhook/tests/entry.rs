//! The webhook as deployed, behind the Runtime API.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use runtime_api::{Function, changed};
use serde_json::json;

#[test]
fn any_payload_gets_an_answer() {
    let samples = [
        include_str!("../../../events/webhook-completed-paid.json"),
        include_str!("../../../events/webhook-base64.json"),
        include_str!("../../../events/webhook-decoded-query.json"),
    ];
    runtime_api::any_payload_gets_an_answer(env!("CARGO_BIN_EXE_webhook"), &samples);
}

#[test]
fn a_flood_of_bad_signatures_is_one_line_of_the_log_and_a_400_each() {
    let function = Function::start(env!("CARGO_BIN_EXE_webhook"), &[]);
    let bad = include_str!("../../../events/webhook-bad-signature.json");
    let bad = serde_json::from_str(bad).unwrap();
    for _ in 0..300 {
        assert_eq!(function.invoke(&bad).unwrap()["statusCode"], 400);
    }
    assert_eq!(function.end().matches("bad signatures").count(), 1);
}

#[test]
fn a_visitor_to_the_address_is_told_that_deliveries_are_posted() {
    let function = Function::start(env!("CARGO_BIN_EXE_webhook"), &[]);
    let method = BTreeMap::from([("/requestContext/http/method", json!("GET"))]);
    let bad = include_str!("../../../events/webhook-bad-signature.json");
    let answer = function.invoke(&changed(bad, &method)).unwrap();
    assert_eq!(answer["statusCode"], 405);
    assert_eq!(answer["headers"]["allow"], "POST");
    assert!(!function.end().contains("bad signatures"));
}

#[test]
fn a_body_is_too_large_by_its_length_in_base64() {
    let function = Function::start(env!("CARGO_BIN_EXE_webhook"), &[]);
    let sample = include_str!("../../../events/webhook-base64.json");
    for (body, status) in [
        ("*".repeat(512 * 1024 + 1), 413),
        ("*".repeat(512 * 1024), 400),
    ] {
        let body = BTreeMap::from([("/body", json!(body))]);
        let answer = function.invoke(&changed(sample, &body)).unwrap();
        assert_eq!(answer["statusCode"], status);
    }
}
