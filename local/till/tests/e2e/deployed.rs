//! Commands on a deployed stack: what CloudFormation says leads to the shop's tables. CloudFormation
//! is played here; the tables are a shop's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use testing::MUG;
use tokio::process::Command;

use crate::doctor::found;
use crate::operator::{Operator, Said, run};

/// What AWS knows in this test.
#[derive(Clone)]
struct Account {
    /// Where DynamoDB is.
    dynamodb: String,
    /// CloudFormation's description of the stack `till-eu`.
    stack: String,
    /// Parameter Store.
    parameters: Arc<Mutex<BTreeMap<String, Parameter>>>,
}

/// One of its parameters.
#[derive(Clone, Debug, Default)]
struct Parameter {
    value: String,
    /// Its `till_stack`.
    tag: Option<String>,
}

impl Account {
    fn new(operator: &Operator, parameters: &[(&str, &str)], outputs: &[(&str, String)]) -> Self {
        let [.., aws] = operator.shop.ports();
        let member = |kind: &str, name: &str, value: &str| {
            format!(
                "<member><{kind}Key>{name}</{kind}Key><{kind}Value>{value}</{kind}Value></member>"
            )
        };
        let parameters = parameters.iter().map(|(n, v)| member("Parameter", n, v));
        let outputs = outputs.iter().map(|(n, v)| member("Output", n, v));
        let stack = format!(
            "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
             <DescribeStacksResult><Stacks><member><StackName>till-eu</StackName>\
             <StackId>arn:aws:cloudformation:eu-central-1:123456789012:stack/till-eu/1</StackId>\
             <StackStatus>UPDATE_COMPLETE</StackStatus>\
             <CreationTime>2026-01-01T00:00:00Z</CreationTime>\
             <Parameters>{}</Parameters><Outputs>{}</Outputs>\
             </member></Stacks></DescribeStacksResult></DescribeStacksResponse>",
            parameters.collect::<String>(),
            outputs.collect::<String>(),
        );
        Self {
            dynamodb: format!("http://127.0.0.1:{aws}"),
            stack,
            parameters: Arc::default(),
        }
    }

    /// What Parameter Store answers.
    fn parameter_store(&self, operation: &str, body: &[u8]) -> (StatusCode, String) {
        let input: Value = serde_json::from_slice(body).unwrap();
        let name = input.get("Name").or_else(|| input.get("ResourceId"));
        let name = name.unwrap().as_str().unwrap();
        let mut parameters = self.parameters.lock().unwrap();
        let known = parameters.get(name);
        let unknown = |code: &str| (StatusCode::BAD_REQUEST, json!({ "__type": code }));
        let (status, answer) = match (operation, known) {
            ("GetParameter", None) => unknown("ParameterNotFound"),
            ("GetParameter", Some(Parameter { value, .. })) => {
                let parameter = json!({ "Value": value, "Type": "SecureString" });
                (StatusCode::OK, json!({ "Parameter": parameter }))
            }
            ("PutParameter", _) => {
                let value = input["Value"].as_str().unwrap().to_owned();
                parameters.entry(name.to_owned()).or_default().value = value;
                (StatusCode::OK, json!({ "Version": 1 }))
            }
            (_, None) => unknown("InvalidResourceId"),
            ("ListTagsForResource", Some(Parameter { tag, .. })) => {
                let tags = tag.iter();
                let tags = tags.map(|tag| json!({ "Key": "till_stack", "Value": tag }));
                (
                    StatusCode::OK,
                    json!({ "TagList": tags.collect::<Vec<_>>() }),
                )
            }
            ("AddTagsToResource", Some(_)) => {
                let tag = input["Tags"][0]["Value"].as_str().unwrap().to_owned();
                parameters.get_mut(name).unwrap().tag = Some(tag);
                (StatusCode::OK, json!({}))
            }
            other => panic!("{other:?}"),
        };
        (status, answer.to_string())
    }

    async fn listen(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(self);
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }
}

async fn answer(State(account): State<Account>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").map(|it| it.to_str().unwrap());
    if let Some(operation) = target.and_then(|target| target.strip_prefix("AmazonSSM.")) {
        return account.parameter_store(operation, &body).into_response();
    }
    if target.is_some() {
        let call = reqwest::Client::new().post(&account.dynamodb).body(body);
        let call = ["x-amz-target", "content-type", "x-amz-date"]
            .iter()
            .fold(call, |call, name| call.header(*name, &headers[*name]))
            // The shop's tables are in a region and an account of its own.
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 \
                 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=00",
            );
        let answer = call.send().await.unwrap();
        let status = StatusCode::from_u16(answer.status().as_u16()).unwrap();
        return (status, answer.bytes().await.unwrap()).into_response();
    }
    let body = String::from_utf8(body.to_vec()).unwrap();
    if !body.contains("Action=DescribeStacks") {
        // Whoever operates a shop may not look at everything in the account.
        return StatusCode::FORBIDDEN.into_response();
    }
    let xml = [(header::CONTENT_TYPE, "text/xml")];
    if body.contains("StackName=till-eu") {
        return (xml, account.stack).into_response();
    }
    let unknown = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
                   <Message>Stack with id nothing does not exist</Message></Error></ErrorResponse>";
    (StatusCode::BAD_REQUEST, xml, unknown).into_response()
}

fn outputs(operator: &Operator) -> Vec<(&'static str, String)> {
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

fn parameters(mode: &'static str) -> [(&'static str, &'static str); 1] {
    [("Mode", mode)]
}

async fn till(operator: &Operator, aws: &str, command: &[&str]) -> Said {
    run(with_credentials(operator, aws, command), "").await
}

fn with_credentials(operator: &Operator, aws: &str, command: &[&str]) -> Command {
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
    said.complains("say --yes");
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
    run(till, "").await.expect(1).complains("say --region");
    let mut till = with_credentials(&operator, &aws, &list("till-eu"));
    till.env_remove("AWS_ACCESS_KEY_ID")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let said = run(till, "").await.expect(1);
    said.complains("AWS knows no credentials of yours");

    let mixed = ["products", "list", "--stack", "till-eu", "--aws-port", "1"];
    let mut till = operator.bare();
    till.args(mixed);
    run(till, "").await.expect(2);
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

/// What `till doctor` says of signing in with such a provider: verdict, words and remedy.
async fn sign_in(
    operator: &Operator,
    email_verified: &str,
    claims_supported: Value,
) -> (String, String, String) {
    let issuer = issuer(claims_supported).await;
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
    found(&run(till, "").await.expect(3), "sign-in")
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

/// `till setup` with the shop's Stripe, and its key on stdin.
async fn setup(operator: &Operator, aws: &str, options: &[&str]) -> Said {
    let [_, _, _, stripe, ..] = operator.shop.ports();
    let mut till = with_credentials(operator, aws, &["setup", "--stack", "till-eu"]);
    till.args(options)
        .env("STRIPE_API_BASE", format!("http://127.0.0.1:{stripe}"));
    run(till, "sk_test_local\n").await
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
