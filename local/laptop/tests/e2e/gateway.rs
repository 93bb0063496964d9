//! The shop's own port as callers see it.

use crate::small_shop::{TestShop, echoing};
use lambda_http::{Body, Response};
use serde_json::{Value, json};

#[tokio::test]
async fn a_public_route_hands_the_function_its_path_and_query() {
    let shop = TestShop::start().await;
    let answer = shop.get("/products/a%20mug?limit=5").await;
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["content-type"], "application/json");
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["id"], "a mug");
    assert_eq!(seen["limit"], "5");
    assert_eq!(seen["claims"], Value::Null);
}

#[tokio::test]
async fn a_signed_in_route_hands_the_function_the_claims_as_text() {
    let shop = TestShop::start().await;
    let token = shop
        .token(&[("email", "ada@example.com"), ("email_verified", "false")])
        .await;
    let request = shop.http.post(shop.url("/checkout")).bearer_auth(token);
    let answer = request.json(&json!({ "items": [] })).send().await.unwrap();
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["claims"]["email"], "ada@example.com");
    assert_eq!(seen["claims"]["email_verified"], "false");
    assert_eq!(seen["claims"]["aud"], "till-local");
    assert_eq!(seen["claims"]["token_use"], "id");
    assert_eq!(
        (&seen["body"], &seen["binary"]),
        (&json!("{\"items\":[]}"), &json!(false))
    );
}

#[tokio::test]
async fn without_a_valid_token_nobody_reaches_the_function() {
    let shop = TestShop::start().await;
    let answer = shop.get("/purchases").await;
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    assert_eq!(
        answer.json::<Value>().await.unwrap(),
        json!({ "message": "Unauthorized" })
    );

    let mut token = shop.token(&[("email", "ada@example.com")]).await;
    token.truncate(token.len() - 8);
    let answer = shop
        .http
        .get(shop.url("/purchases"))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.starts_with("Bearer scope=\"\" error=\"invalid_token\""),
        "{challenge}"
    );
}

#[tokio::test]
async fn another_shops_token_is_refused() {
    let (shop, other) = (TestShop::start().await, TestShop::start().await);
    let token = other.token(&[("email", "ada@example.com")]).await;
    let answer = shop
        .http
        .get(shop.url("/purchases"))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn a_path_without_a_route_is_not_found() {
    let shop = TestShop::start().await;
    for (method, path) in [
        ("GET", "/nothing"),
        ("PUT", "/checkout"),
        ("POST", "/index.html"),
    ] {
        let request = shop.http.request(method.parse().unwrap(), shop.url(path));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 404, "{method} {path}");
        assert_eq!(
            answer.json::<Value>().await.unwrap(),
            json!({ "message": "Not Found" })
        );
    }
}

#[tokio::test]
async fn a_body_over_ten_megabytes_is_refused() {
    let shop = TestShop::start().await;
    let token = shop.token(&[("email", "ada@example.com")]).await;
    let post = |length: usize| {
        let body = "x".repeat(length);
        let request = shop.http.post(shop.url("/checkout")).bearer_auth(&token);
        request
            .header("content-type", "text/plain")
            .body(body)
            .send()
    };
    assert_eq!(post(10 * 1024 * 1024).await.unwrap().status(), 201);
    assert_eq!(post(10 * 1024 * 1024 + 1).await.unwrap().status(), 413);
}

#[tokio::test]
async fn the_webhook_gets_exactly_the_bytes_that_were_posted() {
    let shop = TestShop::start().await;
    let body = "{ \"id\" :\t\"evt_1\", \"name\": \"é\" }\n";
    for (content_type, binary) in [
        ("application/json; charset=utf-8", false),
        ("application/octet-stream", true),
    ] {
        let request = shop
            .http
            .post(shop.url("/webhook"))
            .header("content-type", content_type);
        let seen: Value = request
            .body(body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(seen["body"], body);
        assert_eq!(seen["binary"], binary);
    }
}

#[tokio::test]
async fn a_function_that_panics_or_hangs_is_a_500_and_the_shop_lives_on() {
    let shop = TestShop::with(
        echoing()
            .http("CatalogFunction", |_| async { panic!("a bug") })
            .http("PurchasesFunction", |_| async {
                tokio::time::sleep(std::time::Duration::from_secs(60)).await;
                Response::new(Body::Empty)
            })
            .http("WebhookFunction", |_| async { panic!("another bug") }),
    )
    .await;
    let answer = shop.get("/products/mug").await;
    assert_eq!(answer.status(), 500);
    assert_eq!(
        answer.json::<Value>().await.unwrap(),
        json!({ "message": "Internal Server Error" })
    );
    let token = shop.token(&[("email", "ada@example.com")]).await;
    let request = shop.http.get(shop.url("/purchases")).bearer_auth(token);
    assert_eq!(request.send().await.unwrap().status(), 500);
    assert_eq!(
        shop.http
            .post(shop.url("/webhook"))
            .send()
            .await
            .unwrap()
            .status(),
        502
    );
    assert_eq!(shop.get("/").await.status(), 200);
}

#[tokio::test]
async fn only_the_sites_own_pages_may_call_the_api() {
    let shop = TestShop::start().await;
    let preflight = |origin: &str| {
        let request = shop
            .http
            .request(reqwest::Method::OPTIONS, shop.url("/checkout"));
        let request = request.header("access-control-request-method", "POST");
        request.header("origin", origin).send()
    };
    let allowed = preflight(shop.shop.url()).await.unwrap();
    assert_eq!(allowed.status(), 204);
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        shop.shop.url()
    );
    assert_eq!(
        allowed.headers()["access-control-allow-methods"],
        "GET,POST"
    );
    assert_eq!(allowed.headers()["access-control-max-age"], "3600");
    let refused = preflight("https://elsewhere.example").await.unwrap();
    assert!(
        !refused
            .headers()
            .keys()
            .any(|name| name.as_str().starts_with("access-control"))
    );
}

#[tokio::test]
async fn the_site_is_served_with_nothing_from_outside_its_folder() {
    let shop = TestShop::start().await;
    let index = shop.get("/").await;
    assert_eq!(index.status(), 200);
    assert_eq!(index.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(index.headers()["cache-control"], "no-cache");
    let etag = index.headers()["etag"].clone();
    let again = shop
        .http
        .get(shop.url("/index.html"))
        .header("if-none-match", etag);
    assert_eq!(again.send().await.unwrap().status(), 304);
    let script = shop.get("/js/buy.js").await;
    assert_eq!(
        script.headers()["content-type"],
        "text/javascript; charset=utf-8"
    );

    for path in [
        "/.secret",
        "/..%2foutside.txt",
        "/%2e%2e/outside.txt",
        "/js",
        "//etc/passwd",
        "/js/../.secret",
    ] {
        assert_eq!(raw_get(&shop, path).await, 404, "{path}");
    }
    assert_eq!(raw_get(&shop, "/../outside.txt").await, 404);
    assert_eq!(raw_get(&shop, "/js/buy.js").await, 200);
}

/// The status of a `GET` whose path has not been normalized by a client.
async fn raw_get(shop: &TestShop, path: &str) -> u16 {
    raw(shop, path, shop.shop.url().strip_prefix("http://").unwrap()).await
}

async fn raw(shop: &TestShop, path: &str, host: &str) -> u16 {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = shop.shop.url();
    let mut stream = tokio::net::TcpStream::connect(address.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_name_rebound_to_this_machine_is_refused() {
    let shop = TestShop::start().await;
    let address = shop.shop.url();
    let port = address.rsplit(':').next().unwrap();
    assert_eq!(
        raw(&shop, "/products/mug", &format!("localhost:{port}")).await,
        201
    );
    for host in [
        "evil.example",
        &format!("evil.example:{port}"),
        "127.0.0.1",
        "127.0.0.1:1",
        "",
    ] {
        for path in ["/products/mug", "/", "/_local/mailbox.json"] {
            assert_eq!(raw(&shop, path, host).await, 421, "{host} {path}");
        }
    }
}

#[tokio::test]
async fn pages_opened_as_localhost_move_to_the_sites_one_origin() {
    let shop = TestShop::start().await;
    let address = shop.shop.url().replace("127.0.0.1", "localhost");
    let answer = shop
        .http
        .get(format!("{address}/index.html?a=1"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 307);
    assert_eq!(answer.headers()["location"], shop.url("/index.html?a=1"));
}

#[tokio::test]
async fn the_site_learns_where_the_api_and_the_sign_in_are() {
    let shop = TestShop::start().await;
    let config: Value = shop.get("/config.json").await.json().await.unwrap();
    let expected = json!({
        "api": shop.shop.url(),
        "issuer": shop.issuer(),
        "client_id": "till-local",
        "contact": "shop@example.com",
    });
    assert_eq!(config, expected);
}

#[tokio::test]
async fn pages_of_other_origins_may_not_call_local_addresses() {
    let shop = TestShop::start().await;
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let request = shop
            .http
            .post(shop.url("/_local/token"))
            .header("origin", origin);
        let answer = request
            .form(&[("email", "ada@example.com")])
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 403, "{origin}");
        let request = shop
            .http
            .get(shop.url("/_local/mailbox.json"))
            .header("origin", origin);
        assert_eq!(request.send().await.unwrap().status(), 403, "{origin}");
        let request = shop
            .http
            .post(shop.aws("/_aws/faults"))
            .header("origin", origin);
        assert_eq!(
            request.body("{}").send().await.unwrap().status(),
            403,
            "{origin}"
        );
    }
    let own = shop
        .http
        .post(shop.url("/_local/token"))
        .header("origin", shop.shop.url());
    assert_eq!(
        own.form(&[("email", "ada@example.com")])
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}
