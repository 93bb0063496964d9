//! Signing in, as the site's pages and scripts do it.

use std::collections::HashMap;

use crate::small_shop::TestShop;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123456789";

/// The parameters of an authorization request that is right in every point.
fn request(shop: &TestShop) -> HashMap<&'static str, String> {
    HashMap::from([
        ("client_id", "till-local".to_owned()),
        ("redirect_uri", shop.url("/callback.html")),
        ("response_type", "code".to_owned()),
        ("scope", "openid email".to_owned()),
        ("state", "st&te".to_owned()),
        ("nonce", "n-1".to_owned()),
        (
            "code_challenge",
            URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER)),
        ),
        ("code_challenge_method", "S256".to_owned()),
    ])
}

async fn submit(shop: &TestShop, form: &HashMap<&'static str, String>) -> reqwest::Response {
    let address = format!("{}/authorize", shop.issuer());
    shop.http.post(address).form(form).send().await.unwrap()
}

fn query(answer: &reqwest::Response) -> (Url, HashMap<String, String>) {
    let location = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let query = location.query_pairs().into_owned().collect();
    (location, query)
}

/// The code that signing in as `email` yields.
async fn code(shop: &TestShop, email: &str) -> String {
    let mut form = request(shop);
    form.insert("email", email.to_owned());
    let answer = submit(shop, &form).await;
    assert_eq!(answer.status(), 303);
    let (location, query) = query(&answer);
    assert!(location.as_str().starts_with(&shop.url("/callback.html?")));
    assert_eq!(query["state"], "st&te");
    query["code"].clone()
}

async fn exchange(shop: &TestShop, changes: &[(&'static str, &str)], code: &str) -> (u16, Value) {
    let mut form = HashMap::from([
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", "till-local".to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", shop.url("/callback.html")),
        ("code_verifier", VERIFIER.to_owned()),
    ]);
    form.extend(
        changes
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    let address = format!("{}/token", shop.issuer());
    let answer = shop.http.post(address).form(&form).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn discovery_leads_to_everything_else() {
    let shop = TestShop::start().await;
    let discovery: Value = shop
        .get("/_local/identity/.well-known/openid-configuration")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(discovery["issuer"], shop.issuer());
    for endpoint in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "end_session_endpoint",
    ] {
        let address = discovery[endpoint].as_str().unwrap();
        assert!(address.starts_with(&shop.issuer()), "{endpoint}: {address}");
        assert_ne!(
            shop.http.get(address).send().await.unwrap().status(),
            404,
            "{endpoint}"
        );
    }
}

#[tokio::test]
async fn signing_in_yields_an_id_token_that_the_published_key_verifies() {
    let shop = TestShop::start().await;
    let code = code(&shop, "Ada@Example.com").await;
    let (status, answer) = exchange(&shop, &[], &code).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );

    let jwks: jsonwebtoken::jwk::JwkSet = shop
        .get("/_local/identity/jwks.json")
        .await
        .json()
        .await
        .unwrap();
    let token = answer["id_token"].as_str().unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = jwks.find(&header.kid.unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&["till-local"]);
    validation.set_issuer(&[shop.issuer()]);
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!(claims["email"], "ada@example.com");
    assert_eq!(claims["email_verified"], true);
    assert_eq!(claims["nonce"], "n-1");
    assert_eq!(claims["token_use"], "id");

    let answer = shop
        .http
        .get(shop.url("/purchases"))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn a_code_works_once_and_only_for_whoever_requested_it() {
    let shop = TestShop::start().await;
    for (changes, error) in [
        (
            [("code_verifier", "another verifier")].as_slice(),
            "invalid_grant",
        ),
        (
            &[("redirect_uri", "http://127.0.0.1:1/callback.html")],
            "invalid_grant",
        ),
        (&[("client_id", "other")], "invalid_client"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (&[("code", "guessed")], "invalid_grant"),
    ] {
        let code = code(&shop, "ada@example.com").await;
        let (status, answer) = exchange(&shop, changes, &code).await;
        assert_eq!(
            (status, &answer["error"]),
            (400, &json!(error)),
            "{changes:?}"
        );
    }
    let code = code(&shop, "ada@example.com").await;
    assert_eq!(exchange(&shop, &[], &code).await.0, 200);
    assert_eq!(exchange(&shop, &[], &code).await.0, 400);
}

#[tokio::test]
async fn nobody_is_sent_to_a_page_that_is_not_the_shops() {
    let shop = TestShop::start().await;
    for redirect_uri in [
        "https://evil.example/callback.html",
        "//evil.example",
        "javascript:alert(1)",
        "http://127.0.0.1:1/callback.html",
        &shop.url("/callback.html#fragment"),
        &shop.shop.url().replace("http://", "http://user@"),
        &shop
            .shop
            .url()
            .replace("127.0.0.1", "127.0.0.1.evil.example"),
        "",
    ] {
        let mut form = request(&shop);
        form.insert("redirect_uri", redirect_uri.to_owned());
        form.insert("email", "ada@example.com".to_owned());
        let answer = submit(&shop, &form).await;
        assert_eq!(answer.status(), 400, "{redirect_uri}");
        assert!(!answer.headers().contains_key("location"));
        let address = format!("{}/logout", shop.issuer());
        let logout = shop
            .http
            .get(address)
            .query(&[("logout_uri", redirect_uri)])
            .send()
            .await;
        assert_eq!(logout.unwrap().status(), 400, "{redirect_uri}");
    }
    let mut form = request(&shop);
    form.insert("client_id", "other".to_owned());
    assert_eq!(submit(&shop, &form).await.status(), 400);
}

#[tokio::test]
async fn other_errors_in_a_request_are_reported_to_the_site() {
    let shop = TestShop::start().await;
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "email", "invalid_scope"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("prompt", "none", "login_required"),
    ] {
        let mut parameters = request(&shop);
        parameters.insert(name, value.to_owned());
        let address = format!("{}/authorize", shop.issuer());
        let answer = shop
            .http
            .get(address)
            .query(&parameters)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 303, "{name}");
        let (_, query) = query(&answer);
        assert_eq!(
            (query["error"].as_str(), query["state"].as_str()),
            (error, "st&te")
        );
    }
}

#[tokio::test]
async fn the_page_asks_again_if_the_email_is_not_an_address_and_says_so() {
    let shop = TestShop::start().await;
    let address = format!("{}/authorize", shop.issuer());
    let page = shop
        .http
        .get(address)
        .query(&request(&shop))
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(
        page.contains("stands in for your identity provider"),
        "{page}"
    );
    assert!(page.contains(r#"name="state" value="st&#38;te""#), "{page}");

    let mut form = request(&shop);
    form.insert("email", "<script>".to_owned());
    let again = submit(&shop, &form).await;
    assert_eq!(again.status(), 400);
    let again = again.text().await.unwrap();
    assert!(
        again.contains("complete email address") && !again.contains("<script>"),
        "{again}"
    );
}

#[tokio::test]
async fn signing_out_leads_back_to_the_shop() {
    let shop = TestShop::start().await;
    let address = format!("{}/logout", shop.issuer());
    for name in ["post_logout_redirect_uri", "logout_uri"] {
        let back = shop.url("/index.html");
        let request = shop
            .http
            .get(&address)
            .query(&[(name, back.as_str()), ("state", "s")]);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["location"], format!("{back}?state=s"));
    }
    let answer = shop.http.get(&address).send().await.unwrap();
    assert_eq!(answer.headers()["location"], shop.url("/"));
}

#[tokio::test]
async fn scripts_get_a_token_without_a_page() {
    let shop = TestShop::start().await;
    let request = shop.http.post(shop.url("/_local/token"));
    let answer = request
        .form(&[("email", "ada@example.com")])
        .send()
        .await
        .unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    let first = claims(answer["access_token"].as_str().unwrap());
    let second = claims(&shop.token(&[("email", "ada@example.com")]).await);
    assert_eq!(first["sub"], second["sub"]);
    assert_eq!(first["aud"], "till-local");
    let unverified = claims(
        &shop
            .token(&[("email", "a@example.com"), ("email_verified", "false")])
            .await,
    );
    assert_eq!(unverified["email_verified"], false);
    let request = shop.http.post(shop.url("/_local/token"));
    assert_eq!(
        request
            .form(&[("email", "nonsense")])
            .send()
            .await
            .unwrap()
            .status(),
        400
    );
}
