//! What time alone brings about.

use serde_json::Value;

use crate::bench::{Bench, id};

/// Its refunds are pending until the bank has decided.
const REFUNDS_SLOWLY: &str = "4000000000007726";

#[tokio::test]
async fn whatever_falls_due_while_nobody_looks_happens_at_its_moment_and_in_its_order() {
    let bench = Bench::start().await;
    let open = bench.create(vec![]).await;
    let charge = id(&bench.charge(REFUNDS_SLOWLY).await);
    let form = vec![("charge", charge.as_str())];
    let refund = bench.post("/v1/refunds", &form).await.expect(200).json();
    assert_eq!(refund["status"], "pending");
    let so_far = bench.event_types().await.len();

    bench.advance(2 * 24 * 3600).await;
    let happened = bench.event_types_after(so_far).await;
    let order = ["refund.updated", "checkout.session.expired"];
    assert_eq!(
        happened
            .iter()
            .filter(|event| order.contains(&event.as_str()))
            .collect::<Vec<_>>(),
        order
    );
    let at = async |event_type| bench.latest(event_type).await["created"].clone();
    let seconds = |time: &Value| time.as_i64().unwrap();
    assert_eq!(
        seconds(&at("refund.updated").await),
        seconds(&refund["created"]) + 30
    );
    assert_eq!(at("checkout.session.expired").await, open["expires_at"]);
}
