//! What no request starts: the outbox's stream wakes the mailer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use laptop::functions::Functions;
use laptop::shop::LocalShop;

use crate::small_shop::{TestShop, dynamodb, echoing, options, project};
use anyhow::bail;
use serde_json::{Value, json};

type Seen = Arc<Mutex<Vec<Value>>>;

/// The shop's functions with a mailer that keeps every record it gets and answers what `answer`
/// makes of the ids in a batch.
fn mailer(
    seen: &Seen,
    answer: impl Fn(&[String]) -> anyhow::Result<Value> + Send + Sync + Clone + 'static,
) -> Functions {
    let seen = Arc::clone(seen);
    echoing().event("MailerFunction", move |event| {
        let records = event["Records"].as_array().cloned().unwrap_or_default();
        let ids: Vec<_> = records.iter().map(|record| id(record).to_owned()).collect();
        seen.lock().unwrap().extend(records);
        let answer = answer(&ids);
        async move { answer }
    })
}

fn id(record: &Value) -> &str {
    record["dynamodb"]["Keys"]["id"]["S"].as_str().unwrap()
}

fn ids(seen: &Seen) -> Vec<String> {
    seen.lock()
        .unwrap()
        .iter()
        .map(|record| id(record).to_owned())
        .collect()
}

async fn put(aws: &str, id: &str) {
    let item = json!({ "id": { "S": id }, "state": { "S": "due" } });
    dynamodb(
        aws,
        "PutItem",
        json!({ "TableName": "OutboxTable", "Item": item }),
    )
    .await;
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to be that {what}");
}

#[tokio::test]
async fn a_new_row_reaches_the_mailer_as_lambda_would_hand_it_over() {
    let seen = Seen::default();
    let shop = TestShop::with(mailer(&seen, |_| Ok(Value::Null))).await;
    put(shop.shop.aws_url(), "p1#paid").await;
    until("the mailer was woken", || !seen.lock().unwrap().is_empty()).await;
    let record = seen.lock().unwrap()[0].clone();
    assert_eq!(record["eventName"], "INSERT");
    assert_eq!(record["eventSource"], "aws:dynamodb");
    assert_eq!(record["eventVersion"], "1.1");
    assert_eq!(record["awsRegion"], "us-east-1");
    assert!(record["eventID"].is_string());
    assert!(
        record["eventSourceARN"]
            .as_str()
            .unwrap()
            .contains(":table/OutboxTable/stream/")
    );
    let change = &record["dynamodb"];
    assert_eq!(change["Keys"], json!({ "id": { "S": "p1#paid" } }));
    assert_eq!(change["NewImage"]["state"], json!({ "S": "due" }));
    assert_eq!(change["StreamViewType"], "NEW_IMAGE");
    assert!(change["SequenceNumber"].is_string() && change["SizeBytes"].is_number());
    assert!(change["ApproximateCreationDateTime"].is_number());
    let typed: lambda_http::aws_lambda_events::dynamodb::Event =
        serde_json::from_value(json!({ "Records": [record] })).unwrap();
    assert_eq!(typed.records.len(), 1);
}

#[tokio::test]
async fn changes_and_deletions_are_filtered_out() {
    let seen = Seen::default();
    let shop = TestShop::with(mailer(&seen, |_| Ok(Value::Null))).await;
    let aws = shop.shop.aws_url();
    put(aws, "a").await;
    let key = json!({ "id": { "S": "a" } });
    let change = json!({
        "TableName": "OutboxTable",
        "Key": key,
        "UpdateExpression": "SET #s = :s",
        "ExpressionAttributeNames": { "#s": "state" },
        "ExpressionAttributeValues": { ":s": { "S": "sent" } },
    });
    dynamodb(aws, "UpdateItem", change).await;
    dynamodb(
        aws,
        "DeleteItem",
        json!({ "TableName": "OutboxTable", "Key": key }),
    )
    .await;
    put(aws, "b").await;
    until("the second row arrived", || {
        ids(&seen).contains(&"b".to_owned())
    })
    .await;
    assert_eq!(ids(&seen), ["a", "b"]);
}

#[tokio::test]
async fn a_failed_record_comes_again_and_holds_back_only_what_follows_it() {
    let (seen, failures) = (Seen::default(), Arc::new(Mutex::new(2)));
    let numbers = Arc::clone(&seen);
    let functions = mailer(&seen, move |ids| {
        let mut left = failures.lock().unwrap();
        let bad = ids.iter().any(|id| id == "bad");
        if !bad || *left == 0 {
            return Ok(json!({ "batchItemFailures": [] }));
        }
        *left -= 1;
        let seen = numbers.lock().unwrap();
        let record = seen
            .iter()
            .rev()
            .find(|record| id(record) == "bad")
            .unwrap();
        let number = &record["dynamodb"]["SequenceNumber"];
        Ok(json!({ "batchItemFailures": [{ "itemIdentifier": number }] }))
    });
    let shop = TestShop::with(functions).await;
    for id in ["good", "bad"] {
        put(shop.shop.aws_url(), id).await;
    }
    let count = |wanted: &str| ids(&seen).iter().filter(|id| *id == wanted).count();
    until("the bad one was tried three times", || count("bad") == 3).await;
    put(shop.shop.aws_url(), "later").await;
    until("the next one arrived", || count("later") == 1).await;
    assert_eq!((count("good"), count("bad")), (1, 3));
}

#[tokio::test]
async fn a_drained_shop_has_handled_all_that_was_written_before() {
    let (seen, failures) = (Seen::default(), Arc::new(Mutex::new(2)));
    let handled = Arc::new(Mutex::new(Vec::new()));
    let done = Arc::clone(&handled);
    let functions = mailer(&seen, move |ids| {
        let mut left = failures.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            bail!("away");
        }
        done.lock().unwrap().extend(ids.to_vec());
        Ok(Value::Null)
    });
    let shop = TestShop::with(functions).await;
    let mut rows = Vec::new();
    for number in 0..25 {
        rows.push(format!("row-{number}"));
        put(shop.shop.aws_url(), &rows[number]).await;
    }
    shop.shop.drained().await.unwrap();
    assert_eq!(*handled.lock().unwrap(), rows);
    // Nothing is left, and nothing comes twice.
    shop.shop.drained().await.unwrap();
    assert_eq!(*handled.lock().unwrap(), rows);
}

#[tokio::test]
async fn a_record_that_never_succeeds_is_given_up_after_the_templates_retries() {
    let (seen, handled) = (Seen::default(), Arc::new(Mutex::new(Vec::new())));
    let done = Arc::clone(&handled);
    let functions = mailer(&seen, move |ids| {
        if ids.iter().any(|id| id == "poison") {
            bail!("cannot");
        }
        done.lock().unwrap().extend(ids.to_vec());
        Ok(Value::Null)
    });
    let shop = TestShop::with(functions).await;
    put(shop.shop.aws_url(), "poison").await;
    until("it was tried", || ids(&seen).len() == 1).await;
    put(shop.shop.aws_url(), "after").await;
    until("the next one was handled", || {
        *handled.lock().unwrap() == ["after"]
    })
    .await;
    let attempts = ids(&seen).iter().filter(|id| *id == "poison").count();
    assert_eq!(attempts, 4, "once and three retries");
}

#[tokio::test]
async fn rows_written_while_nobody_listened_are_delivered_after_a_restart_and_none_twice() {
    let folder = project();
    let start = |functions: Functions| {
        let mut options = options(folder.path(), functions);
        options.data = Some(folder.path().join("data"));
        LocalShop::start(options)
    };
    let seen = Seen::default();
    let shop = start(mailer(&seen, |_| Ok(Value::Null))).await.unwrap();
    put(shop.aws_url(), "first").await;
    until("the first was handled", || ids(&seen).len() == 1).await;
    shop.shutdown().await;

    // This mailer fails for as long as the shop runs.
    let failing = Seen::default();
    let shop = start(mailer(&failing, |_| bail!("away"))).await.unwrap();
    put(shop.aws_url(), "second").await;
    until("the second was tried", || {
        !failing.lock().unwrap().is_empty()
    })
    .await;
    shop.shutdown().await;
    assert!(ids(&failing).iter().all(|id| id == "second"));

    let again = Seen::default();
    let shop = start(mailer(&again, |_| Ok(Value::Null))).await.unwrap();
    until("the second was handled", || {
        !again.lock().unwrap().is_empty()
    })
    .await;
    put(shop.aws_url(), "third").await;
    until("the third was handled", || ids(&again).len() == 2).await;
    assert_eq!(ids(&again), ["second", "third"]);
    shop.shutdown().await;
}
