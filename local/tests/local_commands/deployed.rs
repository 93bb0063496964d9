//! Commands on a deployed stack: what CloudFormation says leads to the shop's tables. CloudFormation
//! is played here; the tables are a shop's.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::process::Command;

use crate::operator::{Operator, Said, run};
use crate::support::MUG;

/// What AWS knows in this test.
#[derive(Clone)]
struct Account {
    /// Where DynamoDB is.
    dynamodb: String,
    /// CloudFormation's description of the stack `till-eu`.
    stack: String,
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
        }
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
    if headers.contains_key("x-amz-target") {
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
    assert!(body.contains("Action=DescribeStacks"), "{body}");
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
    let mut till = operator.shop.till();
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
    let mut till = operator.shop.till();
    till.args(mixed);
    run(till, "").await.expect(2);
}
