//! What is for sale, and how much of it.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::cast::MUG;

impl TestApp {
    /// A product like the mug, with this many left.
    pub async fn sell_limited(&self, id: &str, stock: u32) {
        self.sell_mug_for(id, 1500).await;
        self.limit(id, Some(stock)).await;
    }

    /// Sets how many of a product are left; `None` for no limit.
    pub async fn limit(&self, id: &str, stock: Option<u32>) {
        let mut update = json!({
            "TableName": self.tables.name("ProductsTable"),
            "Key": { "id": { "S": id } },
            "UpdateExpression": "REMOVE stock",
        });
        if let Some(stock) = stock {
            update["UpdateExpression"] = json!("SET stock = :stock");
            update["ExpressionAttributeValues"] = json!({ ":stock": { "N": stock.to_string() } });
        }
        self.dynamodb("UpdateItem", update).await;
    }

    /// From now on a product is sent by post.
    pub async fn ship(&self, id: &str) {
        let update = json!({
            "TableName": self.tables.name("ProductsTable"),
            "Key": { "id": { "S": id } },
            "UpdateExpression": "SET shipped = :yes",
            "ExpressionAttributeValues": { ":yes": { "BOOL": true } },
        });
        self.dynamodb("UpdateItem", update).await;
    }

    /// From now on a product's price has its tax in it (`inclusive`), or not (`exclusive`).
    pub async fn tax(&self, id: &str, behavior: &str) {
        let update = json!({
            "TableName": self.tables.name("ProductsTable"),
            "Key": { "id": { "S": id } },
            "UpdateExpression": "SET tax_behavior = :behavior, tax_code = :code",
            "ExpressionAttributeValues": {
                ":behavior": { "S": behavior }, ":code": { "S": "txcd_99999999" },
            },
        });
        self.dynamodb("UpdateItem", update).await;
    }

    /// How many are left of a product; `None` if there is no limit, or no such product.
    pub async fn stock(&self, id: &str) -> Option<i64> {
        let items = self.items("ProductsTable").await;
        let product = items.iter().find(|item| item["id"]["S"] == *id)?;
        Some(product.get("stock")?["N"].as_str()?.parse().unwrap())
    }

    /// The seller takes a product out of the shop for good.
    pub async fn delete_product(&self, id: &str) {
        let table = self.tables.name("ProductsTable");
        let key = json!({ "id": { "S": id } });
        self.dynamodb("DeleteItem", json!({ "TableName": table, "Key": key }))
            .await;
    }

    /// Another product like the mug, at another price.
    pub async fn sell_mug_for(&self, id: &str, amount: u64) {
        let table = self.tables.name("ProductsTable");
        let key = json!({ "id": { "S": MUG } });
        let mug = self
            .dynamodb("GetItem", json!({ "TableName": table, "Key": key }))
            .await;
        let mug = mug["Item"].to_string();
        assert!(mug.contains(r#""1500""#), "no price in {mug}");
        let item = mug
            .replace(r#""1500""#, &format!(r#""{amount}""#))
            .replace(MUG, id);
        let item: Value = serde_json::from_str(&item).unwrap();
        self.dynamodb("PutItem", json!({ "TableName": table, "Item": item }))
            .await;
    }
}
