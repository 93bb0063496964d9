//! Early fraud warnings and reviews.

use serde_json::{Value, json};

use crate::bench::{Bench, id};

/// Pays, and the network warns of fraud soon after.
const WARNED: &str = "4000000000005423";
/// Pays, and somebody is to look at it.
const ELEVATED: &str = "4000000000009235";

async fn first(bench: &Bench, list: &str) -> Value {
    bench.get(list).await.expect(200).json()["data"][0].clone()
}

#[tokio::test]
async fn a_warning_can_be_acted_on_until_the_money_is_back() {
    let bench = Bench::start().await;
    let charge = bench.charge(WARNED).await;
    assert_eq!(
        bench.event_types().await.last().unwrap(),
        "radar.early_fraud_warning.created"
    );
    let list = format!("/v1/radar/early_fraud_warnings?charge={}", id(&charge));
    let warning = first(&bench, &list).await;
    assert_eq!(warning["actionable"], true);
    assert_eq!(warning["payment_intent"], charge["payment_intent"]);
    let form = vec![("charge", charge["id"].as_str().unwrap())];
    bench.post("/v1/refunds", &form).await.expect(200);
    let path = format!("/v1/radar/early_fraud_warnings/{}", id(&warning));
    let now = bench.get(&path).await.expect(200).json();
    assert_eq!(now["actionable"], false);
    bench.latest("radar.early_fraud_warning.updated").await;
}

#[tokio::test]
async fn a_payment_of_elevated_risk_is_reviewed_until_somebody_approves_it() {
    let bench = Bench::start().await;
    let charge = bench.charge(ELEVATED).await;
    assert_eq!(charge["outcome"]["risk_level"], "elevated");
    assert_eq!(charge["outcome"]["type"], "manual_review");
    assert_eq!(bench.event_types().await.last().unwrap(), "review.opened");
    let review = first(&bench, "/v1/reviews").await;
    assert_eq!(charge["review"], review["id"]);
    assert_eq!(
        (&review["open"], &review["reason"]),
        (&json!(true), &json!("rule"))
    );

    let path = format!("/v1/reviews/{}/approve", id(&review));
    let approved = bench.post(&path, &vec![]).await.expect(200).json();
    assert_eq!(
        (
            &approved["open"],
            &approved["reason"],
            &approved["closed_reason"]
        ),
        (&json!(false), &json!("approved"), &json!("approved"))
    );
    assert_eq!(bench.event_types().await.last().unwrap(), "review.closed");
    bench.post(&path, &vec![]).await.expect(400);
    assert_eq!(
        bench.fetch("charges", &id(&charge)).await["review"],
        json!(null)
    );
}

#[tokio::test]
async fn a_refund_closes_a_review() {
    let bench = Bench::start().await;
    let charge = bench.charge(ELEVATED).await;
    let form = vec![
        ("charge", charge["id"].as_str().unwrap()),
        ("reason", "fraudulent"),
    ];
    bench.post("/v1/refunds", &form).await.expect(200);
    let review = first(&bench, "/v1/reviews").await;
    assert_eq!(review["closed_reason"], "refunded_as_fraud");
}

#[tokio::test]
async fn a_receipt_shows_what_was_paid_and_only_that() {
    let bench = Bench::start().await;
    let charge = bench.charge("4242424242424242").await;
    let url = charge["receipt_url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(&bench.url).unwrap();
    let receipt = bench.send(bench.request("GET", path)).await.expect(200);
    for expected in ["$15.00", "Visa •••• 4242", "Mugs on this machine"] {
        assert!(receipt.text.contains(expected), "{expected}");
    }
    bench
        .send(bench.request("GET", "/receipts/ch_none"))
        .await
        .expect(404);
}
