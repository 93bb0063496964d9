//! Sources, as old integrations keep cards and bank accounts.

use serde_json::{Value, json};

use crate::bench::{Bench, id};

async fn customer(bench: &Bench) -> String {
    let made = bench.post("/v1/customers", &vec![]).await.expect(200);
    id(&made.json())
}

/// A token of a bank account, as a form sends it.
async fn token(bench: &Bench) -> Value {
    let form = vec![
        ("bank_account[country]", "US"),
        ("bank_account[currency]", "usd"),
        ("bank_account[account_holder_name]", "Ann & Sons"),
        ("bank_account[account_holder_type]", "company"),
        ("bank_account[routing_number]", "110000000"),
        ("bank_account[account_number]", "000123456789"),
    ];
    bench.post("/v1/tokens", &form).await.expect(200).json()
}

#[tokio::test]
async fn a_bank_account_is_verified_by_the_two_amounts_that_came_to_it() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let token = token(&bench).await;
    assert_eq!(token["type"], "bank_account");
    let so_far = bench.event_types().await.len();
    let sources = format!("/v1/customers/{ann}/sources");
    let form = vec![("source", token["id"].as_str().unwrap())];
    let account = bench.post(&sources, &form).await.expect(200).json();
    for (field, value) in [
        ("object", json!("bank_account")),
        ("status", json!("new")),
        ("last4", json!("6789")),
        ("account_holder_name", json!("Ann & Sons")),
        ("account_holder_type", json!("company")),
        ("customer", json!(ann)),
    ] {
        assert_eq!(account[field], value, "{field}");
    }
    bench.post(&sources, &form).await.expect(400);

    let verify = format!("{sources}/{}/verify", id(&account));
    let amounts = |one, other| vec![("amounts[]", one), ("amounts[]", other)];
    let wrong = bench.post(&verify, &amounts("1", "2")).await.expect(400);
    assert_eq!(wrong.error()["code"], "bank_account_verification_failed");
    let verified = bench.post(&verify, &amounts("45", "32")).await;
    let verified = verified.expect(200).json();
    assert_eq!(verified["status"], "verified");
    bench.post(&verify, &amounts("32", "45")).await.expect(400);
    assert_eq!(
        bench.event_types_after(so_far).await,
        [
            "customer.source.created",
            "customer.updated",
            "customer.source.updated"
        ]
    );
    let listed = bench.get(&format!("{sources}?object=bank_account")).await;
    assert_eq!(listed.expect(200).json()["data"], json!([verified]));

    let path = format!("{sources}/{}", id(&account));
    let form = vec![("account_holder_type", "individual")];
    let changed = bench.post(&path, &form).await.expect(200).json();
    assert_eq!(changed["account_holder_type"], "individual");
    let gone = bench.delete(&path).await.expect(200).json();
    assert_eq!(gone["object"], "bank_account");
}

#[tokio::test]
async fn an_account_with_a_name_is_verified_already() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let sources = format!("/v1/customers/{ann}/sources");
    for (token, status) in [("btok_us_verified", "verified"), ("btok_us", "new")] {
        let kept = bench.post(&sources, &vec![("source", token)]).await;
        assert_eq!(kept.expect(200).json()["status"], status, "{token}");
    }
    let card = bench.post(&sources, &vec![("source", "tok_visa")]).await;
    let verify = format!("{sources}/{}/verify", id(&card.expect(200).json()));
    bench
        .post(&verify, &vec![("amounts[]", "32"), ("amounts[]", "45")])
        .await
        .expect(400);
}

#[tokio::test]
async fn a_source_is_charged_for_its_own_customer_only() {
    let bench = Bench::start().await;
    let (ann, bob) = (customer(&bench).await, customer(&bench).await);
    let sources = format!("/v1/customers/{ann}/sources");
    let card = bench.post(&sources, &vec![("source", "tok_visa")]).await;
    let card = id(&card.expect(200).json());
    for (customer, status) in [(ann.as_str(), 200), (bob.as_str(), 400), ("", 400)] {
        let mut form = vec![
            ("amount", "1500"),
            ("currency", "usd"),
            ("source", card.as_str()),
            ("customer", customer),
        ];
        form.retain(|(_, value)| !value.is_empty());
        bench.post("/v1/charges", &form).await.expect(status);
    }
    // Nor can another customer take it away.
    let theirs = format!("/v1/customers/{bob}/sources");
    let taken = vec![("source", card.as_str())];
    bench.post(&theirs, &taken).await.expect(400);
}

#[tokio::test]
async fn what_is_not_a_card_is_not_charged_without_an_intent() {
    let bench = Bench::start().await;
    let form = vec![
        ("amount", "1500"),
        ("currency", "usd"),
        ("source", "btok_us_verified"),
    ];
    let error = bench.post("/v1/charges", &form).await.expect(400).error();
    assert_eq!(error["param"], "source");
}
