//! Files that buyers download.

use bytes::Bytes;
use reqwest::{Request, Response, Url};
use serde_json::{Value, json};
use shared::files::Files;

use crate::app::TestApp;

impl TestApp {
    /// From now on whoever buys a product can download this file.
    pub async fn sell_file(&self, product: &str, name: &str, content: &str) {
        self.put_file(product, name, content).await;
        self.name_file(product, name, content.len()).await;
    }

    /// Uploads a file of a product, as an operator does.
    pub async fn put_file(&self, product: &str, name: &str, content: &str) {
        let environment = self.environment("PurchasesFunction");
        let files = Files::of(&environment).unwrap();
        let (product, name) = (product.parse().unwrap(), name.parse().unwrap());
        let (bucket, address) = files.place(&product, &name);
        let put = http::Request::put(address);
        let put = put.body(Bytes::from(content.to_owned())).unwrap();
        let put = bucket.signed(put, environment.clock().now()).unwrap();
        let put = Request::try_from(put).unwrap();
        let put = self.http.execute(put).await.unwrap();
        assert_eq!(put.status(), 200, "{}", put.text().await.unwrap());
    }

    /// Says of a product that it has a file, whether that is there or not.
    pub async fn name_file(&self, product: &str, name: &str, size: usize) {
        let file = json!({ "name": { "S": name }, "size": { "N": size.to_string() } });
        let update = json!({
            "TableName": self.table("ProductsTable"),
            "Key": { "id": { "S": product } },
            "UpdateExpression": "SET #file = :file",
            "ExpressionAttributeNames": { "#file": "file" },
            "ExpressionAttributeValues": { ":file": { "M": file } },
        });
        self.dynamodb("UpdateItem", update).await;
    }

    /// The links to what Ada may download of a purchase.
    pub async fn downloads(&self, purchase: &str) -> Vec<Value> {
        let purchase = self.purchase(purchase).await;
        let downloads = purchase.get("downloads").and_then(Value::as_array);
        downloads.cloned().unwrap_or_default()
    }

    /// `GET`, or another method, of a link that somebody was given.
    pub async fn follow(&self, method: &str, url: &str, range: Option<&str>) -> Response {
        let url: Url = url.parse().unwrap();
        let mut request = self.http.request(method.parse().unwrap(), url);
        if let Some(range) = range {
            request = request.header("range", range);
        }
        request.send().await.unwrap()
    }
}
