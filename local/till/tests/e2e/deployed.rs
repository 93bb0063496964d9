//! Commands on a deployed stack: what CloudFormation says leads to the shop's tables.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};
use testing::MUG;
use tokio::process::Command;

use crate::aws::{Account, Parameter};
use crate::doctor::found;
use crate::operator::{Operator, Said, run};

pub(crate) fn outputs(operator: &Operator) -> Vec<(&'static str, String)> {
    let tables = ["ProductsTable", "PurchasesTable", "OutboxTable"];
    let tables = tables.map(|table| (table, operator.shop.table(table)));
    let named = [
        ("StackTag", "till-eu-1"),
        ("WebhookUrl", "https://x.lambda-url.eu-central-1.on.aws/"),
        (
            "StripeSecretKeyParameter",
            "/till/till-eu/stripe-secret-key",
        ),
        (
            "StripeWebhookSecretsParameter",
            "/till/till-eu/stripe-webhook-secrets",
        ),
    ];
    let named = named.map(|(output, value)| (output, value.to_owned()));
    tables.into_iter().chain(named).collect()
}

pub(crate) fn parameters(mode: &'static str) -> [(&'static str, &'static str); 1] {
    [("Mode", mode)]
}

pub(crate) async fn till(operator: &Operator, aws: &str, command: &[&str]) -> Said {
    run(with_credentials(operator, aws, command), "").await
}

pub(crate) fn with_credentials(operator: &Operator, aws: &str, command: &[&str]) -> Command {
    let mut till = operator.bare();
    till.args(command)
        .env("AWS_ENDPOINT_URL", aws)
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "mine")
        .env("AWS_SECRET_ACCESS_KEY", "mine")
        .env("AWS_SESSION_TOKEN", "for an hour");
    till
}

#[tokio::test]
async fn a_stacks_outputs_lead_to_its_tables() {
    let operator = Operator::new().await;
    let account = Account::new(&operator, &parameters("test"), &outputs(&operator));
    let aws = account.listen().await;
    let list = ["products", "list", "--json", "--stack", "till-eu"];
    let listed = till(&operator, &aws, &list).await.expect(0).json();
    let api = operator.shop.products("").await.json();
    assert_eq!(listed["products"], api["products"]);

    let set = ["products", "set", MUG, "price=1600", "--stack", "till-eu"];
    let said = till(&operator, &aws, &set).await.expect(0);
    said.complains("Writing to stack till-eu (test mode, account 123456789012, eu-central-1).");
    let mug = operator.shop.products(&format!("/{MUG}")).await.json();
    assert_eq!(mug["price"]["amount"], 1600);
}

#[tokio::test]
async fn a_live_shop_is_named_and_changes_only_after_a_yes() {
    let operator = Operator::new().await;
    let account = Account::new(&operator, &parameters("live"), &outputs(&operator));
    let aws = account.listen().await;
    let set = ["products", "set", MUG, "price=1600", "--stack", "till-eu"];
    let before = operator.shop.dump().await;
    let said = till(&operator, &aws, &set).await.expect(1);
    said.complains("Writing to stack till-eu (LIVE mode, account 123456789012, eu-central-1).");
    said.complains("pass --yes");
    assert_eq!(operator.shop.dump().await, before);
    let yes = [&set[..], &["--yes"]].concat();
    till(&operator, &aws, &yes).await.expect(0);
    assert_ne!(operator.shop.dump().await, before);
}

#[tokio::test]
async fn stacks_that_are_not_there_or_no_till_are_named_with_the_way_out() {
    let operator = Operator::new().await;
    let account = Account::new(&operator, &parameters("test"), &[]);
    let aws = account.listen().await;
    let list = |stack| ["products", "list", "--stack", stack];
    let said = till(&operator, &aws, &list("nothing")).await.expect(4);
    said.complains("there is no stack nothing in eu-central-1");
    let said = till(&operator, &aws, &list("till-eu")).await.expect(1);
    said.complains("the stack till-eu (UPDATE_COMPLETE) has no output StackTag");

    let mut till = with_credentials(&operator, &aws, &list("till-eu"));
    till.env_remove("AWS_REGION");
    run(till, "").await.expect(1).complains("pass --region");
    let mut till = with_credentials(&operator, &aws, &list("till-eu"));
    till.env_remove("AWS_ACCESS_KEY_ID")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let said = run(till, "").await.expect(1);
    said.complains("no AWS credentials were found");

    for mixed in [["--stack", "till-eu"], ["--region", "eu-central-1"]] {
        let mut till = operator.bare();
        till.args(["products", "list", "--aws-port", "1"])
            .args(mixed);
        run(till, "").await.expect(2);
    }
}

#[tokio::test]
async fn the_site_of_a_stack_leads_to_it_and_says_where_it_is() {
    let operator = Operator::new().await;
    let api = "https://abc.execute-api.eu-central-1.amazonaws.com";
    let told = json!({ "api": api, "issuer": "https://id.example", "client_id": "shop", "contact": "us@example.com" });
    let mut outputs = outputs(&operator);
    outputs.extend([
        ("SiteConfig", told.to_string().replace('"', "&quot;")),
        ("SiteAddress", "https://shop.example.com".to_owned()),
    ]);
    let account = Account::new(&operator, &parameters("test"), &outputs);
    let aws = account.listen().await;
    let (out, source) = (operator.file("built"), testing::repository().site);
    let (folder, source) = (out.to_str().unwrap(), source.to_str().unwrap());
    let build = ["site", "build", "--out", folder, "--site", source];
    let build = [&build[..], &["--stack", "till-eu"]].concat();
    till(&operator, &aws, &build).await.expect(0);

    let read = |path: &str| std::fs::read_to_string(out.join(path)).unwrap();
    let config: Value = serde_json::from_str(&read("config.json")).unwrap();
    for name in ["api", "issuer", "client_id", "contact"] {
        assert_eq!(config[name], told[name], "{name}");
    }
    assert_eq!(config["name"], "Till", "the seller's own words are kept");
    let page = read(&format!("p/{MUG}.html"));
    let canonical = format!("href=\"https://shop.example.com/p/{MUG}.html\"");
    assert!(page.contains(&canonical), "{page}");
}

/// The address of an identity provider that lists these claims.
async fn issuer(claims_supported: Value) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let mut document = json!({ "issuer": address });
    if !claims_supported.is_null() {
        document["claims_supported"] = claims_supported;
    }
    let router = Router::new().route(
        "/.well-known/openid-configuration",
        axum::routing::get(async || axum::Json(document)),
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// `till doctor` on a stack whose site signs in with this issuer, and of which nothing else answers.
async fn doctor(operator: &Operator, email_verified: &str, issuer: &str) -> Said {
    let config = json!({ "issuer": issuer, "client_id": "shop" }).to_string();
    let nowhere = "http://127.0.0.1:1".to_owned();
    let mut outputs = outputs(operator);
    outputs.extend([
        ("SiteConfig", config.replace('"', "&quot;")),
        ("SiteAddress", nowhere.clone()),
        ("ApiUrl", nowhere.clone()),
    ]);
    let parameters = [("Mode", "test"), ("EmailVerified", email_verified)];
    let aws = Account::new(operator, &parameters, &outputs).listen().await;
    let doctor = ["doctor", "--json", "--stack", "till-eu"];
    let mut till = with_credentials(operator, &aws, &doctor);
    till.env("STRIPE_API_BASE", nowhere);
    run(till, "").await.expect(3)
}

/// What it says of signing in with a provider that lists these claims: verdict, words and remedy.
async fn sign_in(
    operator: &Operator,
    email_verified: &str,
    claims_supported: Value,
) -> (String, String, String) {
    let issuer = issuer(claims_supported).await;
    found(&doctor(operator, email_verified, &issuer).await, "sign-in")
}

#[tokio::test]
async fn functions_that_may_not_be_listed_are_not_checked_and_not_called_missing() {
    let operator = Operator::new().await;
    let said = doctor(&operator, "claim", "http://127.0.0.1:1").await;
    for check in ["functions", "mail stream", "function URL"] {
        let (verdict, says, remedy) = found(&said, check);
        assert_eq!(verdict, "not_checked", "{check}: {says}");
        assert!(says.contains("CloudFormation does not"), "{says}");
        assert!(says.contains("AccessDenied"), "{says}");
        assert!(remedy.is_empty(), "{remedy}");
    }
    // What needs no function's name is checked all the same.
    assert_eq!(found(&said, "stripe key").0, "fail");
}

#[tokio::test]
async fn an_issuer_with_whose_tokens_nobody_can_buy_is_named_with_the_claims_it_lacks() {
    let operator = Operator::new().await;
    let all = json!(["sub", "email", "email_verified", "name"]);
    let (verdict, says, _) = sign_in(&operator, "claim", all).await;
    assert_eq!(verdict, "ok", "{says}");
    assert!(says.contains("sub, email, email_verified"), "{says}");

    let unverified = json!(["sub", "email", "name"]);
    let (verdict, says, remedy) = sign_in(&operator, "claim", unverified.clone()).await;
    assert_eq!(verdict, "warn", "{says}");
    assert!(says.contains("the claim email_verified"), "{says}");
    assert!(remedy.contains("EmailVerified=always"), "{remedy}");
    // The seller has said so.
    let (verdict, says, _) = sign_in(&operator, "always", unverified).await;
    assert_eq!(verdict, "ok", "{says}");
    assert!(!says.contains("email_verified"), "{says}");

    let nameless = json!(["sub", "name"]);
    for (email_verified, missing) in [("claim", "email, email_verified,"), ("always", "email,")] {
        let (verdict, says, remedy) = sign_in(&operator, email_verified, nameless.clone()).await;
        assert_eq!(verdict, "warn", "{says}");
        assert!(says.contains(&format!("claims {missing}")), "{says}");
        assert!(remedy.contains("the scopes openid and email"), "{remedy}");
    }

    // A provider need not list them.
    let (verdict, says, _) = sign_in(&operator, "claim", Value::Null).await;
    assert_eq!(verdict, "ok", "{says}");
}

const KEY: &str = "/till/till-eu/stripe-secret-key";
const SECRETS: &str = "/till/till-eu/stripe-webhook-secrets";

/// Where the shop's Stripe is.
fn stripe(operator: &Operator) -> String {
    let [_, _, _, stripe, ..] = operator.shop.ports();
    format!("http://127.0.0.1:{stripe}")
}

/// `till setup` with the shop's Stripe, and its key on stdin.
async fn setup(operator: &Operator, aws: &str, options: &[&str]) -> Said {
    let mut till = with_credentials(operator, aws, &["setup", "--stack", "till-eu"]);
    till.args(options).env("STRIPE_API_BASE", stripe(operator));
    run(till, "sk_test_local\n").await
}

/// The shop's Stripe, where restricted keys have what the functions need, and nothing of webhook
/// endpoints.
async fn stripe_with_permissions(operator: &Operator) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stripe = stripe(operator);
    let answer = async move |request: axum::extract::Request| {
        let (mut parts, body) = request.into_parts();
        // It was this server's name.
        parts.headers.remove("host");
        let key = parts.headers["authorization"].to_str().unwrap();
        if key.contains("rk_test_") && parts.uri.path() == "/v1/webhook_endpoints" {
            let message = "The provided key 'rk_test_*ocal' does not have the required permissions \
                           for this endpoint on account 'acct_1'. Having the 'rak_webhook_read' \
                           permission would allow this request to continue.";
            let error = json!({ "error": { "message": message } });
            return (StatusCode::FORBIDDEN, error.to_string());
        }
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let asked = reqwest::Client::new()
            .request(parts.method, format!("{stripe}{}", parts.uri))
            .headers(parts.headers)
            .body(body);
        let answered = asked.send().await.unwrap();
        let status = StatusCode::from_u16(answered.status().as_u16()).unwrap();
        (status, answered.text().await.unwrap())
    };
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn stripe_is_asked_with_the_operators_own_key_where_there_is_one() {
    let operator = Operator::new().await;
    let bought = operator.sell(testing::CARD).await.purchase;
    let account = Account::new(&operator, &parameters("test"), &outputs(&operator));
    let functions = Parameter {
        value: "rk_test_functions".to_owned(),
        tag: Some("till-eu-1".to_owned()),
    };
    let stored = Arc::clone(&account.parameters);
    stored.lock().unwrap().insert(KEY.to_owned(), functions);
    let aws = account.listen().await;
    let refund = async |key: Option<&str>| {
        let command = ["refund", &bought, "--yes", "--stack", "till-eu"];
        let mut till = with_credentials(&operator, &aws, &command);
        till.env("STRIPE_API_BASE", stripe(&operator));
        till.envs(key.map(|key| ("STRIPE_SECRET_KEY", key)));
        run(till, "").await
    };
    // The shop's Stripe knows its own key only.
    refund(None).await.expect(1);
    let live = refund(Some("sk_live_1")).await.expect(1);
    live.complains("the shop is deployed in test mode");
    assert_eq!(operator.shop.status(&bought).await, "paid");
    refund(Some("sk_test_local")).await.expect(0);
    operator.shop.until_status(&bought, "refunded").await;
}

#[tokio::test]
async fn setup_stores_a_key_that_may_do_what_the_functions_do_and_no_more() {
    let operator = Operator::new().await;
    let account = Account::new(&operator, &parameters("test"), &outputs(&operator));
    let store = Arc::clone(&account.parameters);
    let aws = account.listen().await;
    let stripe = stripe_with_permissions(&operator).await;
    let setup = async |key: Option<&str>, options: &[&str]| {
        let mut till = with_credentials(&operator, &aws, &["setup", "--stack", "till-eu"]);
        till.args(options).env("STRIPE_API_BASE", &stripe);
        till.envs(key.map(|key| ("STRIPE_SECRET_KEY", key)));
        run(till, "rk_test_local\n").await
    };
    let lacks = "lacks the permission rak_webhook_read: to read webhook endpoints, run this again with \
                 STRIPE_SECRET_KEY set to a key with Webhook Endpoints: Write; that key is not stored";

    let would = setup(None, &["--dry-run"]).await.expect(1);
    assert!(
        would.out.contains(&format!("as the parameter {KEY}")),
        "{}",
        would.out
    );
    would.complains(lacks);
    assert!(store.lock().unwrap().is_empty());

    setup(None, &["--yes"]).await.expect(1).complains(lacks);
    assert_eq!(store.lock().unwrap()[KEY].value, "rk_test_local");
    assert!(!store.lock().unwrap().contains_key(SECRETS));
    // It is stored already, and still may not read them.
    setup(None, &["--yes"]).await.expect(1).complains(lacks);

    setup(Some("sk_test_local"), &["--yes"]).await.expect(0);
    assert_eq!(store.lock().unwrap()[KEY].value, "rk_test_local");
    assert!(store.lock().unwrap()[SECRETS].value.starts_with("whsec_"));
    let again = setup(Some("sk_test_local"), &[]).await.expect(0);
    assert!(again.out.contains("nothing to do"), "{}", again.out);
}

#[tokio::test]
async fn setup_tags_what_it_makes_as_the_stacks_own() {
    let operator = Operator::new().await;
    let account = Account::new(&operator, &parameters("test"), &outputs(&operator));
    let store = Arc::clone(&account.parameters);
    let aws = account.listen().await;
    setup(&operator, &aws, &["--yes"]).await.expect(0);
    let tags: Vec<_> = [KEY, SECRETS]
        .iter()
        .map(|name| store.lock().unwrap()[*name].tag.clone().unwrap())
        .collect();
    assert_eq!(tags, ["till-eu-1", "till-eu-1"]);
    let endpoints = operator.shop.at_stripe("webhook_endpoints").await;
    let of_stack = |it: &&Value| it["metadata"]["till_stack"] == "till-eu-1";
    let endpoints = endpoints["data"].as_array().unwrap();
    assert_eq!(endpoints.iter().filter(of_stack).count(), 1);
    let again = setup(&operator, &aws, &[]).await.expect(0);
    assert!(again.out.contains("nothing to do"), "{}", again.out);

    // What was stored by hand is the stack's that says so first.
    store.lock().unwrap().get_mut(KEY).unwrap().tag = None;
    let would = setup(&operator, &aws, &["--dry-run"]).await.expect(0);
    let step = format!("tag the parameter {KEY} as this stack's");
    assert!(would.out.contains(&step), "{}", would.out);
    setup(&operator, &aws, &["--yes"]).await.expect(0);
    let tag = store.lock().unwrap()[KEY].tag.clone();
    assert_eq!(tag.as_deref(), Some("till-eu-1"));
}

#[tokio::test]
async fn setup_refuses_another_stacks_secrets_unless_that_stack_was_this_one() {
    let operator = Operator::new().await;
    let account = Account::new(&operator, &parameters("test"), &outputs(&operator));
    let store = Arc::clone(&account.parameters);
    let theirs = Parameter {
        value: "sk_test_local".to_owned(),
        tag: Some("till-us-7".to_owned()),
    };
    store.lock().unwrap().insert(KEY.to_owned(), theirs);
    let aws = account.listen().await;
    let said = setup(&operator, &aws, &["--yes"]).await.expect(1);
    said.complains("/till/till-eu/stripe-secret-key belongs to another stack, till-us-7");
    said.complains("this one is till-eu-1. Leave it out of the stack's parameters,");
    said.complains("deploy with FormerStackTags=till-us-7");
    let endpoints = operator.shop.at_stripe("webhook_endpoints").await;
    assert!(!endpoints.to_string().contains("till-eu-1"), "{endpoints}");
    assert!(!store.lock().unwrap().contains_key(SECRETS));

    let former = [("Mode", "test"), ("FormerStackTags", "till-us-7")];
    let mut account = Account::new(&operator, &former, &outputs(&operator));
    account.parameters = store;
    let aws = account.listen().await;
    setup(&operator, &aws, &["--yes"]).await.expect(0);
}
