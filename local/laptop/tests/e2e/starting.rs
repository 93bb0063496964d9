//! Starting and stopping the shop.

use std::sync::Arc;
use std::time::Duration;

use laptop::functions::Functions;
use laptop::shop::{LocalShop, Options};

use crate::small_shop::{client, dynamodb, echoing, options, project};
use serde_json::{Value, json};
use tokio::sync::Notify;

async fn refusal(options: Options) -> String {
    match LocalShop::start(options).await {
        Ok(_) => panic!("the shop started"),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test]
async fn everything_is_there_again_after_a_restart() {
    let folder = project();
    let mut options = options(folder.path(), echoing());
    options.data = Some(folder.path().join("data"));
    let shop = LocalShop::start(options.clone()).await.unwrap();
    options.shop_port = shop.url().rsplit(':').next().unwrap().parse().unwrap();
    let http = client();
    let request = http.post(format!("{}/_local/token", shop.url()));
    let token: Value = request
        .form(&[("email", "a@example.com")])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let mail = [
        ("Action", "SendEmail"),
        ("Source", "shop@example.com"),
        ("Destination.ToAddresses.member.1", "a@example.com"),
        ("Message.Subject.Data", "Kept"),
        ("Message.Body.Text.Data", "Text"),
    ];
    let sent = http.post(shop.aws_url()).form(&mail).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    shop.shutdown().await;

    let shop = LocalShop::start(options).await.unwrap();
    let request = http.get(format!("{}/purchases", shop.url()));
    let request = request.bearer_auth(token["access_token"].as_str().unwrap());
    assert_eq!(
        request.send().await.unwrap().status(),
        201,
        "who was signed in still is"
    );
    let mails = http
        .get(format!("{}/_local/mailbox.json", shop.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(mails.json::<Value>().await.unwrap()[0]["subject"], "Kept");
    shop.shutdown().await;
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_shop_stops() {
    let folder = project();
    let under_way = Arc::new(Notify::new());
    let begun = Arc::clone(&under_way);
    let slow = echoing().http("CatalogFunction", move |_| {
        begun.notify_one();
        async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            http::Response::new("done".into())
        }
    });
    let shop = LocalShop::start(options(folder.path(), slow))
        .await
        .unwrap();
    let address = format!("{}/products/mug", shop.url());
    let request = tokio::spawn(async move { client().get(address).send().await?.text().await });
    under_way.notified().await;
    shop.shutdown().await;
    assert_eq!(request.await.unwrap().unwrap(), "done");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_the_way_out() {
    let folder = project();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut options = options(folder.path(), echoing());
    options.shop_port = port;
    let expected = format!(
        "--port {port} is in use: stop the other program, or choose another port with --port"
    );
    assert_eq!(refusal(options.clone()).await, expected);
    options.shop_port = 0;
    options.aws_port = port;
    assert!(
        refusal(options)
            .await
            .ends_with("choose another port with --aws-port")
    );
}

#[tokio::test]
async fn two_shops_do_not_share_a_data_folder() {
    let folder = project();
    let mut options = options(folder.path(), echoing());
    options.data = Some(folder.path().join("data"));
    let shop = LocalShop::start(options.clone()).await.unwrap();
    let refused = refusal(options.clone()).await;
    assert!(
        refused.starts_with("another till is using the data folder"),
        "{refused}"
    );
    shop.shutdown().await;
    LocalShop::start(options).await.unwrap().shutdown().await;
}

/// Unix permissions, the folder's first.
#[cfg(unix)]
fn permissions(folder: &std::path::Path) -> Vec<(String, u32)> {
    use std::os::unix::fs::PermissionsExt as _;
    let files = std::fs::read_dir(folder).unwrap();
    let mut all: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    all.sort();
    all.insert(0, folder.to_owned());
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    all.iter()
        .map(|path| (path.display().to_string(), mode(path)))
        .collect()
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_kept_is_the_users_alone_also_what_an_earlier_till_left_open() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = project();
    let data = folder.path().join("kept/data");
    let mut options = options(folder.path(), echoing());
    options.data = Some(data.clone());
    let check = |when: &str| {
        let found = permissions(&data);
        assert!(found.iter().any(|(name, _)| name.ends_with(".db-wal")));
        for (number, (name, mode)) in found.iter().enumerate() {
            let expected = if number == 0 { 0o700 } else { 0o600 };
            assert_eq!(*mode, expected, "{when}, {name} has {mode:o}");
        }
    };
    let write = async |shop: &LocalShop| {
        let item = json!({ "TableName": "OutboxTable", "Item": { "id": { "S": "p1#paid" } } });
        dynamodb(shop.aws_url(), "PutItem", item).await;
        // The stream's place is noted when the row has been worked off.
        tokio::time::timeout(Duration::from_secs(10), async {
            while !permissions(&data)
                .iter()
                .any(|(name, _)| name.ends_with(".json"))
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .unwrap();
    };
    let shop = LocalShop::start(options.clone()).await.unwrap();
    write(&shop).await;
    check("new");
    shop.shutdown().await;

    for (name, _) in permissions(&data) {
        let mode = if data == std::path::Path::new(&name) {
            0o755
        } else {
            0o644
        };
        std::fs::set_permissions(name, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let shop = LocalShop::start(options).await.unwrap();
    write(&shop).await;
    check("opened again");
    shop.shutdown().await;
}

#[tokio::test]
async fn a_folder_with_other_things_in_it_is_not_taken_for_data() {
    let folder = project();
    let mut options = options(folder.path(), echoing());
    options.data = Some(folder.path().to_owned());
    let refused = refusal(options).await;
    assert!(refused.contains("has other files in it"), "{refused}");
    assert!(refused.ends_with("choose an empty folder with --data"));
    assert!(!folder.path().join("lock").exists());
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = project();
    let mut options = options(folder.path(), echoing());
    // A folder below a file cannot be made, not even by root.
    options.data = Some(folder.path().join("template.yaml/data"));
    let refused = refusal(options).await;
    assert!(
        refused.starts_with("cannot write to the data folder"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_broken_template_and_missing_code_are_named() {
    let folder = project();
    let missing = refusal(options(folder.path(), Functions::default())).await;
    assert!(
        missing.contains("Function, which the local shop has no code for"),
        "{missing}"
    );
    let template = folder.path().join("template.yaml");
    std::fs::write(
        &template,
        "Resources: {ProductsTable: {Type: AWS::DynamoDB::Table}}",
    )
    .unwrap();
    let broken = refusal(options(folder.path(), echoing())).await;
    assert!(
        broken.ends_with("Resources.ProductsTable.Properties is missing"),
        "{broken}"
    );
}

#[tokio::test]
async fn a_live_key_is_refused() {
    let folder = project();
    let mut options = options(folder.path(), echoing());
    options
        .environment
        .insert("STRIPE_SECRET_KEY".into(), "sk_live_secret".into());
    let refused = refusal(options).await;
    assert!(
        refused.contains("live key") && !refused.contains("sk_live_secret"),
        "{refused}"
    );
}

#[tokio::test]
async fn tables_follow_the_template_when_it_changes() {
    let folder = project();
    let mut options = options(folder.path(), echoing());
    options.data = Some(folder.path().join("data"));
    LocalShop::start(options.clone())
        .await
        .unwrap()
        .shutdown()
        .await;

    let template = folder.path().join("template.yaml");
    let text = std::fs::read_to_string(&template).unwrap();
    let changed = text
        .replace(
            "- {AttributeName: catalog, AttributeType: S}",
            "- {AttributeName: shelf, AttributeType: S}",
        )
        .replace(
            "- {AttributeName: catalog, KeyType: HASH}",
            "- {AttributeName: shelf, KeyType: HASH}",
        )
        .replace("AttributeName: ttl", "AttributeName: expires")
        .replace(
            "StreamViewType: NEW_IMAGE",
            "StreamViewType: NEW_AND_OLD_IMAGES",
        );
    std::fs::write(&template, changed).unwrap();
    let shop = LocalShop::start(options.clone()).await.unwrap();
    let table = |name| {
        dynamodb(
            shop.aws_url(),
            "DescribeTable",
            json!({ "TableName": name }),
        )
    };
    let products = table("ProductsTable").await;
    let indexes = products["Table"]["GlobalSecondaryIndexes"]
        .as_array()
        .unwrap();
    assert_eq!(indexes.len(), 1);
    assert_eq!(indexes[0]["KeySchema"][0]["AttributeName"], "shelf");
    let outbox = table("OutboxTable").await;
    assert_eq!(
        outbox["Table"]["StreamSpecification"]["StreamViewType"],
        "NEW_AND_OLD_IMAGES"
    );
    shop.shutdown().await;

    let other_key = text.replace(
        "AttributeDefinitions: [{AttributeName: id, AttributeType: S}]\n      KeySchema: [{AttributeName: id, KeyType: HASH}]",
        "AttributeDefinitions: [{AttributeName: key, AttributeType: S}]\n      KeySchema: [{AttributeName: key, KeyType: HASH}]",
    );
    assert_ne!(other_key, text);
    std::fs::write(&template, other_key).unwrap();
    let refused = refusal(options).await;
    assert!(
        refused.starts_with("the keys of the table OutboxTable differ"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_shop_can_stand_on_another_ones_engine() {
    let folder = project();
    let first = LocalShop::start(options(folder.path(), echoing()))
        .await
        .unwrap();
    let (woken, mut wake) = tokio::sync::mpsc::unbounded_channel();
    let functions = echoing().event("MailerFunction", move |event| {
        let woken = woken.clone();
        async move {
            woken.send(event)?;
            Ok(Value::Null)
        }
    });
    let mut options = options(folder.path(), functions);
    options
        .environment
        .insert("AWS_ENDPOINT_URL".into(), first.aws_url().into());
    let second = LocalShop::start(options.clone()).await.unwrap();
    let mail = [
        ("Action", "SendEmail"),
        ("Source", "shop@example.com"),
        ("Destination.ToAddresses.member.1", "a@example.com"),
        ("Message.Subject.Data", "Passed on"),
        ("Message.Body.Text.Data", "Text"),
    ];
    let sent = client()
        .post(second.aws_url())
        .form(&mail)
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 200);
    let mails = reqwest::get(format!("{}/_local/mailbox.json", first.url()))
        .await
        .unwrap();
    assert_eq!(
        mails.json::<Value>().await.unwrap()[0]["subject"],
        "Passed on"
    );

    dynamodb(
        first.aws_url(),
        "PutItem",
        json!({ "TableName": "OutboxTable", "Item": { "id": { "S": "p1#paid" } } }),
    )
    .await;
    let event = tokio::time::timeout(Duration::from_secs(10), wake.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        event["Records"][0]["dynamodb"]["Keys"]["id"]["S"],
        "p1#paid"
    );

    options.environment.insert(
        "AWS_ENDPOINT_URL".into(),
        "https://dynamodb.amazonaws.com".into(),
    );
    let refused = refusal(options).await;
    assert!(
        refused.starts_with("AWS_ENDPOINT_URL is https://"),
        "{refused}"
    );
}
