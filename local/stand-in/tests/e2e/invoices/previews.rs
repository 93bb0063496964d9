//! What a subscription bills next, or would.

use serde_json::{Value, json};

use super::{INVOICES, customer, post};
use crate::bench::{Bench, id, ids};

const PREVIEW: &str = "/v1/invoices/create_preview";

async fn price(bench: &Bench, amount: &str) -> String {
    let form = vec![
        ("currency", "usd"),
        ("unit_amount", amount),
        ("product_data[name]", "Coffee"),
        ("recurring[interval]", "month"),
    ];
    id(&post(bench, "/v1/prices", &form).await)
}

async fn subscribe(bench: &Bench, customer: &str, price: &str) -> Value {
    let form = vec![("customer", customer), ("items[0][price]", price)];
    post(bench, "/v1/subscriptions", &form).await
}

#[tokio::test]
async fn a_subscription_that_is_not_there_yet_shows_its_first_invoice() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let coffee = price(&bench, "1000").await;
    let so_far = bench.event_types().await.len();
    let form = vec![
        ("customer", ada.as_str()),
        ("subscription_details[items][0][price]", coffee.as_str()),
        ("subscription_details[items][0][quantity]", "3"),
    ];
    let preview = post(&bench, PREVIEW, &form).await;
    assert!(id(&preview).starts_with("upcoming_in_"));
    assert_eq!(
        (&preview["total"], &preview["status"]),
        (&json!(3000), &json!("draft"))
    );
    assert_eq!(bench.event_types_after(so_far).await, Vec::<String>::new());
    let none = bench.get("/v1/subscriptions").await.expect(200).json();
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn a_subscription_shows_its_next_invoice_and_what_a_change_would_make_of_it() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let (coffee, tea) = (price(&bench, "1000").await, price(&bench, "2500").await);
    let subscription = subscribe(&bench, &ada, &coffee).await;
    let subscription_id = id(&subscription);
    let form = vec![("subscription", subscription_id.as_str())];
    let next = post(&bench, PREVIEW, &form).await;
    let item = &subscription["items"]["data"][0];
    assert_eq!(next["total"], 1000);
    assert_eq!(
        next["lines"]["data"][0]["period"]["start"],
        item["current_period_end"]
    );

    let item_id = id(item);
    let change = [
        ("subscription", subscription_id.as_str()),
        ("subscription_details[items][0][id]", item_id.as_str()),
        ("subscription_details[items][0][price]", tea.as_str()),
        ("subscription_details[proration_behavior]", "none"),
    ];
    let changed = post(&bench, PREVIEW, &change.to_vec()).await;
    assert_eq!(changed["total"], 2500);
    let still = bench.fetch("subscriptions", &subscription_id).await;
    assert_eq!(still["items"]["data"][0]["price"]["id"], json!(coffee));
    let invoices = bench.get(INVOICES).await.json();
    assert_eq!(ids(&invoices).len(), 1);
}
