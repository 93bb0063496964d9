//! DynamoDB and SES on this machine, driven by the SDKs that the functions use.

use std::time::Duration;

use shared::network::Network;

use crate::small_shop::TestShop;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_sdk_ses::types::{Body, Content, Destination, Message, MessageTag};
use serde_json::{Value, json};

fn dynamodb(shop: &TestShop) -> aws_sdk_dynamodb::Client {
    use aws_sdk_dynamodb::config::{
        BehaviorVersion, Config, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig,
    };
    let timeout = TimeoutConfig::builder()
        .operation_timeout(Duration::from_secs(1))
        .build();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(shop.shop.aws_url())
        .http_client(Network::default().client().unwrap())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeout)
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

fn ses(shop: &TestShop) -> aws_sdk_ses::Client {
    use aws_sdk_ses::config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig};
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(shop.shop.aws_url())
        .http_client(Network::default().client().unwrap())
        .retry_config(RetryConfig::disabled())
        .build();
    aws_sdk_ses::Client::from_conf(config)
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn put(id: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name("ProductsTable")
        .item("id", text(id))
        .build()
        .unwrap();
    TransactWriteItem::builder().put(put).build()
}

async fn exists(client: &aws_sdk_dynamodb::Client, id: &str) -> bool {
    let got = client
        .get_item()
        .table_name("ProductsTable")
        .key("id", text(id))
        .send()
        .await;
    got.unwrap().item.is_some()
}

#[tokio::test]
async fn the_templates_tables_and_indexes_are_there() {
    let shop = TestShop::start().await;
    let client = dynamodb(&shop);
    let tables = client
        .list_tables()
        .send()
        .await
        .unwrap()
        .table_names
        .unwrap();
    assert_eq!(tables, ["OutboxTable", "ProductsTable"]);
    for id in ["b", "a"] {
        let put = client
            .put_item()
            .table_name("ProductsTable")
            .item("id", text(id));
        put.item("catalog", text("catalog")).send().await.unwrap();
    }
    let listed = client
        .query()
        .table_name("ProductsTable")
        .index_name("catalog");
    let listed = listed
        .key_condition_expression("#c = :c")
        .expression_attribute_names("#c", "catalog")
        .expression_attribute_values(":c", text("catalog"));
    let items = listed.send().await.unwrap().items.unwrap();
    let ids: Vec<_> = items
        .iter()
        .map(|item| item["id"].as_s().unwrap().as_str())
        .collect();
    assert_eq!(ids, ["a", "b"]);
    let ttl = client
        .describe_time_to_live()
        .table_name("OutboxTable")
        .send()
        .await
        .unwrap();
    let ttl = ttl.time_to_live_description.unwrap();
    assert_eq!(ttl.attribute_name.as_deref(), Some("ttl"));
}

#[tokio::test]
async fn a_throttled_or_failing_table_answers_as_dynamodb_does_and_recovers() {
    let shop = TestShop::start().await;
    let client = dynamodb(&shop);
    for (fault, code) in [
        ("throttle", "ProvisionedThroughputExceededException"),
        ("conflict", "TransactionConflictException"),
        ("error", "InternalServerError"),
        ("down", "ServiceUnavailableException"),
    ] {
        shop.arm(json!({ "operation": "PutItem", "fault": fault, "times": 1 }))
            .await;
        let put = || {
            client
                .put_item()
                .table_name("ProductsTable")
                .item("id", text(fault))
                .send()
        };
        let error = put().await.unwrap_err();
        assert_eq!(error.code(), Some(code), "{error:?}");
        assert!(!exists(&client, fault).await);
        put().await.unwrap();
    }
}

#[tokio::test]
async fn a_conflicting_transaction_is_cancelled_with_a_reason_for_each_item() {
    let shop = TestShop::start().await;
    let client = dynamodb(&shop);
    shop.arm(json!({ "operation": "TransactWriteItems", "fault": "conflict", "times": 1 }))
        .await;
    let write = || {
        client
            .transact_write_items()
            .transact_items(put("a"))
            .transact_items(put("b"))
            .send()
    };
    let error = write().await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        panic!("{error:?}")
    };
    let codes: Vec<_> = cancelled
        .cancellation_reasons()
        .iter()
        .map(|reason| reason.code().unwrap())
        .collect();
    assert_eq!(codes, ["TransactionConflict", "None"]);
    write().await.unwrap();
    assert!(exists(&client, "b").await);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_has_happened() {
    let shop = TestShop::start().await;
    let client = dynamodb(&shop);
    shop.arm(json!({ "operation": "TransactWriteItems", "fault": "timeout_after", "times": 1 }))
        .await;
    let lost = client
        .transact_write_items()
        .transact_items(put("a"))
        .send()
        .await;
    assert!(matches!(
        lost.unwrap_err(),
        aws_sdk_dynamodb::error::SdkError::TimeoutError(_)
    ));
    assert!(exists(&client, "a").await);
    let stopped = tokio::time::timeout(Duration::from_secs(5), shop.shop.shutdown()).await;
    assert!(
        stopped.is_ok(),
        "an answer that is held back must not hold up the end"
    );
}

#[tokio::test]
async fn faults_can_be_listed_and_cleared_and_nonsense_is_explained() {
    let shop = TestShop::start().await;
    shop.arm(json!({ "operation": "*", "fault": "down", "times": 0 }))
        .await;
    let client = dynamodb(&shop);
    assert!(client.list_tables().send().await.is_err());
    let list = shop
        .http
        .get(shop.aws("/_aws/faults"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        list.json::<Value>().await.unwrap(),
        json!([{ "operation": "*", "fault": "down", "times": 0 }])
    );
    shop.http
        .delete(shop.aws("/_aws/faults"))
        .send()
        .await
        .unwrap();
    client.list_tables().send().await.unwrap();
    for nonsense in [
        json!({}),
        json!({ "operation": "PutItem", "fault": "rain" }),
        json!(1),
    ] {
        let answer = shop
            .http
            .post(shop.aws("/_aws/faults"))
            .json(&nonsense)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400);
        assert!(
            answer
                .text()
                .await
                .unwrap()
                .starts_with("this is not a fault")
        );
    }
}

#[tokio::test]
async fn a_request_that_dynamodb_cannot_read_is_refused_with_its_exception() {
    let shop = TestShop::start().await;
    let signature = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                     SignedHeaders=host, Signature=00";
    let put = "DynamoDB_20120810.PutItem";
    for (target, signed, body, exception) in [
        (put, false, "{}", "MissingAuthenticationTokenException"),
        (
            "DynamoDB_20120810.Drop",
            true,
            "{}",
            "UnknownOperationException",
        ),
        (put, true, "", "SerializationException"),
        (put, true, "{", "SerializationException"),
        (put, true, r#"{"TableName":1}"#, "SerializationException"),
        (
            put,
            true,
            r#"{"TableName":"ProductsTable"}"#,
            "ValidationException",
        ),
        (
            put,
            true,
            r#"{"TableName":"ProductsTable","Item":{"id":{"S":"a","N":"1"}}}"#,
            "ValidationException",
        ),
        (
            put,
            true,
            r#"{"TableName":"Nothing","Item":{"id":{"S":"a"}}}"#,
            "ResourceNotFoundException",
        ),
    ] {
        let mut request = shop
            .http
            .post(shop.aws("/"))
            .header("x-amz-target", target)
            .header("x-amz-date", "20260101T000000Z")
            .header("content-type", "application/x-amz-json-1.0")
            .body(body);
        if signed {
            request = request.header("authorization", signature);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{target} {body}");
        let answer: Value = answer.json().await.unwrap();
        let kind = answer["__type"].as_str().unwrap();
        assert!(kind.ends_with(exception), "{target} {body}: {answer}");
    }
}

#[tokio::test]
async fn web_pages_cannot_reach_the_tables_or_send_mail() {
    let shop = TestShop::start().await;
    let request = shop
        .http
        .post(shop.aws("/"))
        .header("origin", "https://evil.example");
    let answer = request
        .form(&[("Action", "SendEmail")])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
    let request = shop.http.post(shop.aws("/")).header("host", "evil.example");
    assert_eq!(request.send().await.unwrap().status(), 421);
}

fn content(text: &str) -> Content {
    Content::builder()
        .data(text)
        .charset("UTF-8")
        .build()
        .unwrap()
}

fn message(subject: &str) -> Message {
    let body = Body::builder()
        .text(content("Thank you, Zoë <3"))
        .html(content("<p>Thank you</p>"));
    Message::builder()
        .subject(content(subject))
        .body(body.build())
        .build()
}

async fn send(
    client: &aws_sdk_ses::Client,
    from: &str,
    to: &str,
    subject: &str,
) -> Result<String, (String, String)> {
    let sent = client
        .send_email()
        .source(from)
        .destination(Destination::builder().to_addresses(to).build())
        .message(message(subject))
        .reply_to_addresses("help@example.com")
        .tags(
            MessageTag::builder()
                .name("purchase")
                .value("0190-a")
                .build()
                .unwrap(),
        )
        .configuration_set_name("till")
        .send()
        .await;
    sent.map(|sent| sent.message_id).map_err(|error| {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (text(error.code()), text(error.message()))
    })
}

#[tokio::test]
async fn mail_sent_with_the_sdk_is_in_the_mailbox_newest_first() {
    let shop = TestShop::start().await;
    let client = ses(&shop);
    let id = send(
        &client,
        "Till <shop@example.com>",
        "zoe@example.com",
        "Grüße",
    )
    .await
    .unwrap();
    send(&client, "shop@example.com", "zoe@example.com", "Second")
        .await
        .unwrap();
    let mails: Value = shop.get("/_local/mailbox.json").await.json().await.unwrap();
    assert_eq!(mails[0]["subject"], "Second");
    let mail = &mails[1];
    assert_eq!(mail["id"], id.as_str());
    assert_eq!(mail["to"], json!(["zoe@example.com"]));
    assert_eq!(mail["subject"], "Grüße");
    assert_eq!(mail["text"], "Thank you, Zoë <3");
    assert_eq!(mail["html"], "<p>Thank you</p>");
    assert_eq!(mail["reply_to"], json!(["help@example.com"]));
    assert_eq!(mail["tags"], json!({ "purchase": "0190-a" }));
    let format = &time::format_description::well_known::Rfc3339;
    let sent_at = time::OffsetDateTime::parse(mail["sent_at"].as_str().unwrap(), format).unwrap();
    assert!(
        (time::OffsetDateTime::now_utc() - sent_at)
            .whole_seconds()
            .abs()
            < 60
    );
}

#[tokio::test]
async fn what_ses_would_not_send_is_refused_and_not_in_the_mailbox() {
    let shop = TestShop::start().await;
    let client = ses(&shop);
    for (from, to, subject, code) in [
        ("shop@example.com", "zoe", "Hi", "InvalidParameterValue"),
        (
            "shop@example.com",
            "a@b.example, c@d.example",
            "Hi",
            "InvalidParameterValue",
        ),
        (
            "shop@example.com",
            "zoe@example.com\r\nBcc: eve@example.com",
            "Hi",
            "InvalidParameterValue",
        ),
        ("shop", "zoe@example.com", "Hi", "InvalidParameterValue"),
        (
            "shop@example.com",
            "zoe@example.com",
            "Hi\r\nBcc: eve@example.com",
            "InvalidParameterValue",
        ),
        ("shop@example.com", "zoe@example.com", "", "ValidationError"),
    ] {
        let refused = send(&client, from, to, subject).await.unwrap_err();
        assert_eq!(refused.0, code, "{from} {to} {subject} {refused:?}");
    }
    let nobody = client
        .send_email()
        .source("shop@example.com")
        .destination(Destination::builder().build())
        .message(message("Hi"))
        .send()
        .await;
    assert_eq!(nobody.unwrap_err().code(), Some("InvalidParameterValue"));
    assert_eq!(
        shop.get("/_local/mailbox.json").await.text().await.unwrap(),
        "[]"
    );
}

#[tokio::test]
async fn ses_has_bad_days_on_demand() {
    let shop = TestShop::start().await;
    let client = ses(&shop);
    for (fault, code) in [
        ("throttle", "Throttling"),
        ("rejected", "MessageRejected"),
        ("unverified", "MessageRejected"),
        ("paused", "AccountSendingPausedException"),
        ("denied", "AccessDenied"),
        ("error", "InternalFailure"),
        ("down", "ServiceUnavailable"),
    ] {
        shop.arm(json!({ "operation": "SendEmail", "fault": fault, "times": 1 }))
            .await;
        let refused = send(&client, "shop@example.com", "zoe@example.com", fault)
            .await
            .unwrap_err();
        assert_eq!(refused.0, code);
    }
    assert_eq!(
        shop.get("/_local/mailbox.json").await.text().await.unwrap(),
        "[]"
    );
    send(&client, "shop@example.com", "zoe@example.com", "At last")
        .await
        .unwrap();
}

#[tokio::test]
async fn other_actions_of_ses_are_refused_by_name() {
    let shop = TestShop::start().await;
    let request = shop
        .http
        .post(shop.aws("/"))
        .form(&[("Action", "DeleteIdentity")]);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let answer = answer.text().await.unwrap();
    assert!(answer.contains("<Code>InvalidAction</Code>") && answer.contains("DeleteIdentity"));
}
