//! What the tables hold, item by item.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::preparation::TABLES;

impl TestApp {
    pub(crate) async fn dynamodb(&self, operation: &str, input: Value) -> Value {
        let request = self
            .http
            .post(&self.addresses.aws)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 \
                 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=00",
            );
        let answer = self.send(request.body(input.to_string())).await;
        answer.expect(200).json()
    }

    /// Every item of a table.
    pub(crate) async fn items(&self, logical_id: &str) -> Vec<Value> {
        let input = json!({ "TableName": self.tables.name(logical_id), "ConsistentRead": true });
        let scanned = self.dynamodb("Scan", input).await;
        assert!(scanned["LastEvaluatedKey"].is_null(), "more than a page");
        scanned["Items"].as_array().unwrap().clone()
    }

    /// Every item of every table, for comparing before with after.
    pub async fn dump(&self) -> Vec<String> {
        let mut items = Vec::new();
        for table in TABLES {
            let of_table = self.items(table).await;
            items.extend(of_table.iter().map(|item| format!("{table} {item}")));
        }
        items.sort();
        items
    }

    /// Every item with its table, for [`becomes`](Self::becomes).
    pub async fn everything(&self) -> Vec<(String, Value)> {
        let mut everything = Vec::new();
        for table in TABLES {
            let items = self.items(table).await.into_iter();
            everything.extend(items.map(|item| (table.to_owned(), item)));
        }
        everything
    }

    /// Makes the tables hold what they held then, and nothing else.
    pub async fn becomes(&self, everything: &[(String, Value)]) {
        for (table, item) in self.everything().await {
            if everything.contains(&(table.clone(), item.clone())) {
                continue;
            }
            let key = match table.as_str() {
                "PurchasesTable" => json!({ "pk": item["pk"], "sk": item["sk"] }),
                _ => json!({ "id": item["id"] }),
            };
            let table = self.tables.name(&table);
            self.dynamodb("DeleteItem", json!({ "TableName": table, "Key": key }))
                .await;
        }
        for (table, item) in everything {
            self.put_item(table, item).await;
        }
    }

    /// The ids of all purchases, whoever made them and whatever became of them.
    pub async fn stored_purchases(&self) -> Vec<String> {
        let items = self.items("PurchasesTable").await;
        let rows = items.iter().filter(|item| item["sk"]["S"] == "purchase");
        rows.map(|item| item["pk"]["S"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Whether a purchase expires.
    pub async fn is_forgettable(&self, id: &str) -> bool {
        let items = self.items("PurchasesTable").await;
        let row = |item: &&Value| item["pk"]["S"] == *id && item["sk"]["S"] == "purchase";
        items.iter().find(row).unwrap().get("ttl").is_some()
    }

    /// The items of a subscription and its invoices, by sort key.
    pub async fn subscription_items(&self, id: &str) -> BTreeMap<String, Value> {
        let items = self.items("PurchasesTable").await.into_iter();
        let items = items.filter(|item| item["pk"]["S"] == *id);
        let items = items.map(|item| (item["sk"]["S"].as_str().unwrap().to_owned(), item));
        items.filter(|(sk, _)| !sk.starts_with("event#")).collect()
    }

    /// A purchase's item.
    pub async fn purchase_item(&self, id: &str) -> Value {
        let items = self.items("PurchasesTable").await.into_iter();
        let mut items =
            items.filter(|item| item["pk"]["S"] == *id && item["sk"]["S"] == "purchase");
        items.next().unwrap()
    }

    /// The row that says which customer at Stripe is the only buyer's who subscribed.
    pub async fn customer_item(&self) -> Value {
        let items = self.items("PurchasesTable").await.into_iter();
        let mut rows = items.filter(|item| item["sk"]["S"] == "customer#test");
        rows.next().unwrap()
    }

    /// That row gets lost.
    pub async fn lose_customer(&self) {
        let row = self.customer_item().await;
        let key = json!({ "pk": row["pk"], "sk": row["sk"] });
        let table = self.tables.name("PurchasesTable");
        self.dynamodb("DeleteItem", json!({ "TableName": table, "Key": key }))
            .await;
    }

    /// Writes an item as it is.
    pub async fn put_item(&self, logical_id: &str, item: &Value) {
        let table = self.tables.name(logical_id);
        self.dynamodb("PutItem", json!({ "TableName": table, "Item": item }))
            .await;
    }

    /// Makes a purchase this many seconds older; reconcile is due to look at it earlier by as much.
    pub async fn age(&self, purchase: &str, seconds: i64) {
        let mut item = self.purchase_item(purchase).await;
        let earlier = |number: &mut Value| {
            let then: i64 = number["N"].as_str().unwrap().parse().unwrap();
            number["N"] = (then - seconds).to_string().into();
        };
        for time in ["started_at", "expires_at"] {
            earlier(&mut item["attempt"]["M"][time]);
        }
        if item.get("work_due").is_some() {
            earlier(&mut item["work_due"]);
        }
        self.put_item("PurchasesTable", &item).await;
    }

    /// As if this many seconds had passed since somebody looked at a purchase.
    pub async fn age_look(&self, purchase: &str, seconds: i64) {
        let items = self.items("PurchasesTable").await;
        let look = |item: &&Value| item["pk"]["S"] == *purchase && item["sk"]["S"] == "look";
        let mut look = items.iter().find(look).unwrap().clone();
        let then: i64 = look["looked_at"]["N"].as_str().unwrap().parse().unwrap();
        look["looked_at"]["N"] = (then - seconds).to_string().into();
        self.put_item("PurchasesTable", &look).await;
    }

    /// Lets everything that the only buyer holds run out this many seconds earlier.
    pub async fn age_holds(&self, seconds: i64) {
        let items = self.items("PurchasesTable").await;
        let mut rows = items.into_iter().filter(|item| item["sk"]["S"] == "open");
        let mut row = rows.next().unwrap();
        assert!(rows.next().is_none(), "more than one buyer");
        for hold in row.as_object_mut().unwrap().values_mut() {
            if let Some(until) = hold.pointer_mut("/M/until/N") {
                let then: i64 = until.as_str().unwrap().parse().unwrap();
                *until = (then - seconds).to_string().into();
            }
        }
        self.put_item("PurchasesTable", &row).await;
    }

    /// As if all that is kept under this key had been written before rows had layouts.
    pub async fn forget_layouts(&self, pk: &str) {
        for mut item in self.items("PurchasesTable").await {
            let row = item.as_object_mut().unwrap();
            row.remove("earliest");
            if row.remove("layout").is_some() && item["pk"]["S"] == *pk {
                self.put_item("PurchasesTable", &item).await;
            }
        }
    }

    /// What was recorded about a purchase: which event or object, and whether it changed anything.
    pub async fn recorded(&self, purchase: &str) -> BTreeMap<String, bool> {
        let items = self.items("PurchasesTable").await.into_iter();
        let claims = items.filter(|item| item["pk"]["S"] == *purchase);
        let claims = claims.filter_map(|item| {
            let id = item["sk"]["S"].as_str()?.strip_prefix("event#")?.to_owned();
            Some((id, item["changed"]["BOOL"].as_bool()?))
        });
        claims.collect()
    }

    /// How many events are parked.
    pub async fn parked(&self) -> usize {
        let items = self.items("PurchasesTable").await;
        let partition = |item: &Value| item["pk"]["S"].as_str().unwrap().to_owned();
        items
            .iter()
            .filter(|item| partition(item).starts_with("parked#"))
            .count()
    }

    /// Replaces the only parked event's body, as if the reason why it could not be read were fixed.
    pub async fn mend_parked(&self, body: &str) {
        let items = self.items("PurchasesTable").await;
        let parked = |item: &&Value| item["pk"]["S"].as_str().unwrap().starts_with("parked#");
        let mut item = items.iter().find(parked).unwrap().clone();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        std::io::Write::write_all(&mut gzip, body.as_bytes()).unwrap();
        let gzip = base64::engine::general_purpose::STANDARD.encode(gzip.finish().unwrap());
        item["body_gzip"] = json!({ "B": gzip });
        self.put_item("PurchasesTable", &item).await;
    }

    /// Which mails of a purchase are in the outbox, by effect: `paid`, `pending`, …; all but `sold`,
    /// which comes with every receipt.
    pub async fn effects(&self, purchase: &str) -> Vec<String> {
        let items = self.items("OutboxTable").await;
        let ids = items.iter().map(|item| item["id"]["S"].as_str().unwrap());
        let mut effects: Vec<_> = ids
            .filter_map(|id| id.strip_prefix(purchase)?.strip_prefix('#'))
            .filter(|effect| *effect != "sold")
            .map(str::to_owned)
            .collect();
        effects.sort();
        effects
    }

    /// What became of a purchase's mails: the state of each row, by effect.
    pub async fn outbox(&self, purchase: &str) -> BTreeMap<String, String> {
        let mut states = BTreeMap::new();
        for effect in self.effects(purchase).await {
            let row = self.outbox_row(purchase, &effect).await;
            states.insert(effect, row["state"]["S"].as_str().unwrap().to_owned());
        }
        states
    }

    /// The outbox's row of one of them.
    pub async fn outbox_row(&self, purchase: &str, effect: &str) -> Value {
        let row = self.outbox_row_if_any(purchase, effect).await;
        row.unwrap()
    }

    /// The same, if there is one.
    pub async fn outbox_row_if_any(&self, purchase: &str, effect: &str) -> Option<Value> {
        let id = format!("{purchase}#{effect}");
        let mut items = self.items("OutboxTable").await.into_iter();
        items.find(|item| item["id"]["S"] == *id)
    }

    /// Deletes one of them.
    pub async fn delete_outbox_row(&self, purchase: &str, effect: &str) {
        let table = self.tables.name("OutboxTable");
        let key = json!({ "id": { "S": format!("{purchase}#{effect}") } });
        self.dynamodb("DeleteItem", json!({ "TableName": table, "Key": key }))
            .await;
    }

    /// Makes the next attempt at sending a mail due, and runs the mailer.
    pub async fn mail_again(&self, purchase: &str, effect: &str) {
        let mut row = self.outbox_row(purchase, effect).await;
        row["next_attempt"] = json!({ "N": "1" });
        self.put_item("OutboxTable", &row).await;
        self.mailer().await;
    }

    /// Deletes an item from the purchases table.
    pub async fn delete_item(&self, pk: &str, sk: &str) {
        let table = self.tables.name("PurchasesTable");
        let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        self.dynamodb("DeleteItem", json!({ "TableName": table, "Key": key }))
            .await;
    }

    /// How far reconcile has read Stripe's events about payments.
    pub async fn cursor(&self) -> Option<Value> {
        let items = self.items("PurchasesTable").await.into_iter();
        let mut items = items.filter(|item| item["pk"]["S"] == "reconcile");
        items.find(|item| item["sk"]["S"] == "cursor")
    }

    /// As if the purchase had never been stored.
    pub async fn lose_purchase(&self, id: &str) {
        self.delete_item(id, "purchase").await;
        assert!(self.stored_purchases().await.is_empty());
    }
}
