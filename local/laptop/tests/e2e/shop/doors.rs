//! The doors of the shop, and who gets in.

use reqwest::Method;
use serde_json::json;
use testing::TestApp;

/// Every door, with a request that programs on this machine may send there.
fn knocks(shop: &TestApp) -> [(Method, String); 8] {
    let [_, port, _, stripe, _, aws] = shop.ports();
    let at = |port: &str, path: &str| format!("http://127.0.0.1:{port}{path}");
    [
        (Method::POST, at(&port, "/_local/token")),
        (Method::GET, at(&port, "/_local/purchases.json")),
        (Method::GET, at(&port, "/_local/mailbox.json")),
        (Method::POST, at(&port, "/_local/identity/token")),
        (Method::POST, at(&stripe, "/_stripe/faults")),
        (Method::POST, at(&aws, "/")),
        (Method::POST, at(&aws, "/_aws/faults")),
        (Method::POST, at(&aws, "/_aws/past-faults/")),
    ]
}

#[tokio::test]
async fn web_pages_from_elsewhere_are_refused_at_every_door() {
    let shop = TestApp::start().await;
    let client = reqwest::Client::new();
    for (method, url) in knocks(&shop) {
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
            let knock = client
                .request(method.clone(), &url)
                .header("origin", origin);
            let answer = knock.send().await.unwrap();
            assert_eq!(answer.status(), 403, "{origin} at {url}");
            let words = answer
                .headers()
                .keys()
                .map(reqwest::header::HeaderName::as_str);
            assert_eq!(
                words
                    .filter(|name| name.starts_with("access-control"))
                    .count(),
                0,
                "{url}"
            );
        }
        // A name made to point here (DNS rebinding): then the page's origin is the door's own.
        let rebound = client
            .request(method.clone(), &url)
            .header("host", "evil.example")
            .header("origin", "http://evil.example");
        let status = rebound.send().await.unwrap().status();
        assert_eq!(status, 421, "{url}");
    }
}

#[tokio::test]
async fn reading_past_the_faults_does_not_use_them_up() {
    let shop = TestApp::start().await;
    let [.., aws] = shop.ports();
    let aws = format!("http://127.0.0.1:{aws}");
    let client = reqwest::Client::new();
    let fault = json!({ "operation": "ListTables", "fault": "down", "times": 1 });
    let armed = client.post(format!("{aws}/_aws/faults")).json(&fault);
    assert_eq!(armed.send().await.unwrap().status(), 201);
    let list = async |path: &str| {
        let call = client
            .post(format!("{aws}{path}"))
            .header("x-amz-target", "DynamoDB_20120810.ListTables")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=00",
            );
        call.body("{}").send().await.unwrap().status()
    };
    assert_eq!(list("/_aws/past-faults/").await, 200);
    assert_eq!(list("/").await, 503);
    assert_eq!(list("/").await, 200);
}
