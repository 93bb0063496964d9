//! What other systems were told, held to `functions/events.schema.json`.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::answer::text;
use crate::app::TestApp;
use crate::contract::schema_deviations;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../functions/events.schema.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
});

/// Fails unless the schema allows this event.
pub fn check_event(event: &Value) {
    let detail = &event["detail"];
    let kinds = [
        ("purchase", "AboutPurchase"),
        ("invoice", "AboutInvoice"),
        ("subscription", "AboutSubscription"),
    ];
    let mut about = kinds
        .iter()
        .filter(|(member, _)| detail.get(member).is_some());
    let (_, schema) = about
        .next()
        .unwrap_or_else(|| panic!("about nothing: {event}"));
    let wrong = schema_deviations(&SCHEMA, &SCHEMA["$defs"][schema], detail);
    let wrong = wrong.join("\n");
    assert!(
        wrong.is_empty(),
        "{event} is not as events.schema.json says:\n{wrong}"
    );
}

impl TestApp {
    /// Every event on the bus that follows from what was done so far, oldest first.
    pub async fn published(&self) -> Vec<Value> {
        self.drained().await;
        let answer = self.send(self.request("GET", "/_local/bus.json")).await;
        let mut events = answer.expect(200).json().as_array().unwrap().clone();
        events.reverse();
        events.iter().for_each(check_event);
        events
    }

    /// Their types.
    pub async fn published_types(&self) -> Vec<String> {
        let events = self.published().await;
        events
            .iter()
            .map(|event| text(event, "detail-type"))
            .collect()
    }

    /// The outbox's row of one of them: `<subject>#<news>`.
    pub async fn event_row(&self, id: &str) -> Value {
        let id = format!("event#{id}");
        let mut items = self.items("OutboxTable").await.into_iter();
        items.find(|item| item["id"]["S"] == *id).unwrap()
    }

    /// As if it had never been ordered.
    pub async fn delete_event(&self, id: &str) {
        let table = self.tables.name("OutboxTable");
        let key = json!({ "id": { "S": format!("event#{id}") } });
        self.dynamodb("DeleteItem", json!({ "TableName": table, "Key": key }))
            .await;
    }

    /// Makes the next attempt at publishing it due, and runs the mailer.
    pub async fn publish_now(&self, id: &str) {
        let mut row = self.event_row(id).await;
        row["next_attempt"] = json!({ "N": "1" });
        self.put_item("OutboxTable", &row).await;
        self.mailer().await;
    }
}
