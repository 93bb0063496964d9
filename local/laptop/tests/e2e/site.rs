//! Whose pages buyers see: the site on the shop's own port, or a front end at another origin.

use std::collections::HashMap;

use crate::small_shop::TestShop;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const FRONT_END: &str = "http://localhost:5173";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123456789";

async fn with_front_end() -> TestShop {
    TestShop::opened(|options| options.site = Some(FRONT_END.parse().unwrap())).await
}

fn preflight(shop: &TestShop, path: &str, origin: &str) -> RequestBuilder {
    shop.http
        .request(Method::OPTIONS, shop.url(path))
        .header("access-control-request-method", "POST")
        .header("origin", origin)
}

#[tokio::test]
async fn a_front_end_may_call_the_api_and_read_its_answers() {
    let shop = with_front_end().await;
    for origin in [FRONT_END, shop.shop.url()] {
        let asked = preflight(&shop, "/checkout", origin).send().await.unwrap();
        assert_eq!(asked.headers()["access-control-allow-origin"], origin);
        let request = shop.http.get(shop.url("/products/mug"));
        let answer = request.header("origin", origin).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.headers()["access-control-allow-origin"], origin);
    }
    // To a browser these are other origins.
    for origin in ["http://127.0.0.1:5173", "http://localhost:5174", "null"] {
        let asked = preflight(&shop, "/checkout", origin).send().await.unwrap();
        let allowed = asked.headers().get("access-control-allow-origin");
        assert_eq!(allowed, None, "{origin}");
    }
}

#[tokio::test]
async fn a_front_end_signs_people_in() {
    let shop = with_front_end().await;
    let callback = format!("{FRONT_END}/callback.html");
    let discovery = shop.issuer() + "/.well-known/openid-configuration";
    let discovery = shop.http.get(discovery).header("origin", FRONT_END);
    let discovery = discovery.send().await.unwrap();
    assert_eq!(
        discovery.headers()["access-control-allow-origin"],
        FRONT_END
    );
    let discovery: Value = discovery.json().await.unwrap();

    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let form = HashMap::from([
        ("client_id", "till-local"),
        ("redirect_uri", &callback),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("email", "ada@example.com"),
    ]);
    let authorize = discovery["authorization_endpoint"].as_str().unwrap();
    let signed_in = shop.http.post(authorize).form(&form).send().await.unwrap();
    assert_eq!(signed_in.status(), 303);
    let back = signed_in.headers()["location"].to_str().unwrap();
    let code = back.strip_prefix(&format!("{callback}?code=")).unwrap();

    let token = discovery["token_endpoint"].as_str().unwrap();
    let asked = preflight(&shop, "/_local/identity/token", FRONT_END);
    assert_eq!(asked.send().await.unwrap().status(), 204);
    let form = HashMap::from([
        ("grant_type", "authorization_code"),
        ("client_id", "till-local"),
        ("redirect_uri", &callback),
        ("code", code),
        ("code_verifier", VERIFIER),
    ]);
    let exchange = shop
        .http
        .post(token)
        .header("origin", FRONT_END)
        .form(&form);
    let exchanged = exchange.send().await.unwrap();
    assert_eq!(
        exchanged.headers()["access-control-allow-origin"],
        FRONT_END
    );
    let tokens: Value = exchanged.json().await.unwrap();
    let id_token = tokens["id_token"].as_str().unwrap();
    let mine = shop.http.get(shop.url("/purchases")).bearer_auth(id_token);
    let mine = mine.header("origin", FRONT_END).send().await.unwrap();
    assert_eq!(mine.status(), 201);

    let logout = format!("{}/logout", shop.issuer());
    let to = [("logout_uri", format!("{FRONT_END}/index.html"))];
    let signed_out = shop.http.get(&logout).query(&to).send().await.unwrap();
    assert_eq!(
        signed_out.headers()["location"],
        format!("{FRONT_END}/index.html")
    );
    let elsewhere = [("logout_uri", "http://localhost:5174/")];
    let refused = shop.http.get(&logout).query(&elsewhere).send().await;
    assert_eq!(refused.unwrap().status(), 400);
}

#[tokio::test]
async fn a_front_end_gets_no_further_than_the_api_and_the_sign_in() {
    let shop = with_front_end().await;
    for (method, url) in [
        (Method::POST, shop.url("/_local/token")),
        (Method::GET, shop.url("/_local/mailbox.json")),
        (Method::POST, shop.aws("/_aws/faults")),
        (Method::POST, shop.aws("/")),
    ] {
        let request = shop.http.request(method, &url).header("origin", FRONT_END);
        assert_eq!(request.send().await.unwrap().status(), 403, "{url}");
    }
}

#[tokio::test]
async fn the_sellers_words_and_this_shops_addresses_are_in_one_file() {
    let shop = TestShop::start().await;
    let config = shop.project().join("site/config.json");
    std::fs::write(
        &config,
        r#"{"name":"Mugs","api":"https://elsewhere.example"}"#,
    )
    .unwrap();
    let told: Value = shop.get("/config.json").await.json().await.unwrap();
    assert_eq!(told["name"], "Mugs");
    assert_eq!(told["api"], shop.shop.url());
    assert_eq!(told["issuer"], shop.issuer());
    assert_eq!(told["contact"], "shop@example.com");

    std::fs::write(&config, r#"{"contact":"me@example.com"}"#).unwrap();
    let told: Value = shop.get("/config.json").await.json().await.unwrap();
    assert_eq!(told["contact"], "me@example.com");

    // What is wrong with it, the site says, here as on any host.
    std::fs::write(&config, "{").unwrap();
    let wrong = shop.get("/config.json").await;
    assert_eq!(wrong.text().await.unwrap(), "{");

    std::fs::remove_file(&config).unwrap();
    let told: Value = shop.get("/config.json").await.json().await.unwrap();
    assert_eq!(told["client_id"], "till-local");
}

#[tokio::test]
async fn functions_and_the_dashboard_lead_to_the_front_end() {
    let shop = with_front_end().await;
    let dashboard = shop.get("/_local").await.text().await.unwrap();
    let link = format!("<a href=\"{FRONT_END}/\">Open the shop</a>");
    assert!(dashboard.contains(&link), "{dashboard}");
    assert_eq!(shop.environment("CheckoutFunction")["SITE_URL"], FRONT_END);
    let own = TestShop::start().await;
    assert_eq!(
        own.environment("CheckoutFunction")["SITE_URL"],
        own.shop.url()
    );
}

#[tokio::test]
async fn a_page_that_is_not_there_is_told_of_by_the_sites_own() {
    let shop = TestShop::start().await;
    let page = "<!doctype html><title>No such page</title>";
    std::fs::write(shop.project().join("site/404.html"), page).unwrap();
    for path in ["/nothing", "/nothing.html", "/a/b/c", "/.secret", "/js"] {
        let answer = shop.get(path).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(answer.text().await.unwrap(), page, "{path}");
    }
    let head = shop.http.head(shop.url("/nothing")).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::NOT_FOUND);
    assert_eq!(shop.get("/404.html").await.status(), StatusCode::OK);

    // Programs get what API Gateway would say.
    for (method, path) in [
        (Method::GET, "/products/mug/more"),
        (Method::PUT, "/checkout"),
        (Method::GET, "/purchases/p1/lines"),
        (Method::GET, "/_local/nothing/here"),
        (Method::POST, "/nothing"),
    ] {
        let request = shop.http.request(method, shop.url(path));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer, json!({ "message": "Not Found" }), "{path}");
    }
}
