use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::json;

use crate::bench::{Bench, CARD, Form, by_bank, id, ids, one_mug};

const SESSIONS: &str = "/v1/checkout/sessions";

async fn list(bench: &Bench, path: &str) -> Vec<String> {
    ids(&bench.get(path).await.expect(200).json())
}

#[tokio::test]
async fn sessions_are_found_by_what_became_of_them() {
    let bench = Bench::start().await;
    let (open, paid, over) = (
        bench.session().await,
        bench.session().await,
        bench.session().await,
    );
    bench.pay(&paid, CARD).await.expect(303);
    bench
        .post(&format!("{SESSIONS}/{over}/expire"), &vec![])
        .await
        .expect(200);
    let found = async |query: &str| list(&bench, &format!("{SESSIONS}?{query}")).await;
    assert_eq!(found("").await, [over.clone(), paid.clone(), open.clone()]);
    assert_eq!(found("status=open").await, [open.as_str()]);
    assert_eq!(found("status=complete").await, [paid.as_str()]);
    assert_eq!(found("status=expired").await, [over.as_str()]);
    assert_eq!(
        found("customer_details[email]=buyer@mail.example").await,
        [paid.as_str()]
    );
    let intent = bench.retrieve(&paid).await["payment_intent"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        found(&format!("payment_intent={intent}")).await,
        [paid.as_str()]
    );
    let created = bench.retrieve(&open).await["created"].as_i64().unwrap();
    assert_eq!(
        found(&format!("created[gte]={}", created + 1_000)).await,
        [""; 0]
    );
    assert_eq!(
        found(&format!(
            "created[gte]={created}&created[lt]={}",
            created + 1_000
        ))
        .await
        .len(),
        3
    );
    assert_eq!(found("status=open&limit=1").await, [open.as_str()]);
    assert_eq!(
        found(&format!("ending_before={open}&limit=1")).await,
        [paid.as_str()]
    );
    bench
        .get(&format!("{SESSIONS}?status=paid"))
        .await
        .expect(400);
}

#[tokio::test]
async fn what_is_in_a_listed_session_can_be_expanded() {
    let bench = Bench::start().await;
    let paid = bench.session().await;
    bench.pay(&paid, CARD).await.expect(303);
    let expanded = bench
        .get(&format!(
            "{SESSIONS}?status=complete&expand[]=data.line_items&expand[]=data.payment_intent.latest_charge.refunds"
        ))
        .await
        .expect(200)
        .json();
    let session = &expanded["data"][0];
    assert_eq!(session["line_items"]["data"][0]["amount_total"], 1500);
    assert_eq!(
        session["payment_intent"]["latest_charge"]["refunds"]["data"],
        json!([])
    );
    bench
        .get(&format!("{SESSIONS}?expand[]=line_items"))
        .await
        .expect(400);
}

#[tokio::test]
async fn ninety_line_items_come_in_pages() {
    let bench = Bench::start().await;
    let names: Vec<[String; 4]> = (0..90)
        .map(|line| {
            let line = format!("line_items[{line}]");
            [
                format!("{line}[price_data][currency]"),
                format!("{line}[price_data][unit_amount]"),
                format!("{line}[price_data][product_data][name]"),
                format!("{line}[quantity]"),
            ]
        })
        .collect();
    let mut form: Form<'_> = vec![("mode", "payment"), ("success_url", "http://shop.example/")];
    for [currency, amount, name, quantity] in &names {
        form.extend([
            (currency.as_str(), "usd"),
            (amount, "100"),
            (name, "Mug"),
            (quantity, "2"),
        ]);
    }
    let session = bench.post(SESSIONS, &form).await.expect(200).json();
    assert_eq!(session["amount_total"], 90 * 200);
    let lines = format!("{SESSIONS}/{}/line_items", id(&session));
    assert_eq!(list(&bench, &lines).await.len(), 10);
    let all = list(&bench, &format!("{lines}?limit=100")).await;
    assert_eq!(all.len(), 90);
    let mut walked: Vec<String> = Vec::new();
    loop {
        let after = walked
            .last()
            .map(|last| format!("&starting_after={last}"))
            .unwrap_or_default();
        let page = bench
            .get(&format!("{lines}?limit=40{after}"))
            .await
            .expect(200)
            .json();
        walked.extend(ids(&page));
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(walked, all);
    let expanded = bench
        .get(&format!("{SESSIONS}/{}?expand[]=line_items", id(&session)))
        .await
        .json();
    assert_eq!(expanded["line_items"]["has_more"], true);
}

#[tokio::test]
async fn thousands_of_events_are_paged_through_quickly() {
    let bench = Bench::start().await;
    let (count, width) = (2_000, 50);
    for _ in 0..count / width {
        let form: Form<'_> = vec![("amount", "500"), ("currency", "usd")];
        let posts = (0..width).map(|_| bench.post("/v1/payment_intents", &form));
        for answer in futures::future::join_all(posts).await {
            answer.expect(200);
        }
    }
    // The only ones of their types, and the oldest but two thousand.
    let rare = bench.session().await;
    bench.submit(&rare, &by_bank()).await.expect(303);
    bench.webhook.hears(1).await;

    let begun = Instant::now();
    let mut seen = BTreeSet::new();
    let mut last: Option<String> = None;
    loop {
        let after = last
            .map(|last| format!("&starting_after={last}"))
            .unwrap_or_default();
        let page = bench
            .get(&format!(
                "/v1/events?limit=100&type=payment_intent.created{after}"
            ))
            .await
            .expect(200)
            .json();
        let page_ids = ids(&page);
        seen.extend(page_ids.clone());
        if page["has_more"] == false {
            break;
        }
        last = page_ids.last().cloned();
    }
    assert_eq!(seen.len(), count + 1);
    for query in [
        "delivery_success=false",
        "types[]=charge.failed&types[]=charge.refunded",
        "created[lt]=1000",
    ] {
        assert_eq!(
            list(&bench, &format!("/v1/events?{query}")).await,
            [""; 0],
            "{query}"
        );
    }
    let took = begun.elapsed();
    assert!(took.as_secs() < 10, "{took:?}");
}

#[tokio::test]
async fn an_event_that_is_not_taken_is_not_a_success() {
    let bench = Bench::start().await;
    bench.webhook.refuse(1_000);
    let session = bench.session().await;
    bench.pay(&session, CARD).await.expect(303);
    bench.webhook.hears(1).await;
    let failed = bench.get("/v1/events?delivery_success=false").await.json();
    assert_eq!(failed["data"][0]["type"], "checkout.session.completed");
    // Given up, it still is none.
    for _ in 0..100 {
        bench.advance(3_600).await;
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    bench.until(|delivery| delivery["state"] == "failed").await;
    assert_eq!(
        list(&bench, "/v1/events?delivery_success=false")
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn intents_and_charges_carry_the_shops_metadata() {
    let bench = Bench::start().await;
    let session = bench
        .create(vec![("payment_intent_data[metadata][purchase_id]", "p1")])
        .await;
    bench.pay(&id(&session), CARD).await.expect(303);
    let charge = bench.charge_of(&id(&session)).await;
    let shown = bench
        .fetch(
            "charges",
            &format!("{}?expand[]=payment_intent", id(&charge)),
        )
        .await;
    assert_eq!(shown["metadata"], json!({ "purchase_id": "p1" }));
    assert_eq!(
        shown["payment_intent"]["metadata"],
        json!({ "purchase_id": "p1" })
    );
    let intent = shown["payment_intent"]["id"].as_str().unwrap();
    assert_eq!(
        list(&bench, &format!("/v1/charges?payment_intent={intent}")).await,
        [id(&charge)]
    );
    let mut other = one_mug();
    other.push(("payment_intent_data[metadata][purchase_id]", "p2"));
    bench.post(SESSIONS, &other).await.expect(200);
    assert_eq!(
        list(&bench, "/v1/payment_intents").await,
        [intent.to_owned()]
    );
}

#[tokio::test]
async fn lists_run_newest_first_in_both_directions() {
    let bench = Bench::start().await;
    let mut created = Vec::new();
    for _ in 0..5 {
        created.insert(0, bench.session().await);
    }
    let page = async |query: String| {
        bench
            .get(&format!("{SESSIONS}?{query}"))
            .await
            .expect(200)
            .json()
    };

    let first = page("limit=2".into()).await;
    assert_eq!(first["object"], "list");
    assert_eq!(first["url"], SESSIONS);
    assert_eq!(
        (ids(&first), &first["has_more"]),
        (created[..2].to_vec(), &json!(true))
    );
    let second = page(format!("limit=2&starting_after={}", created[1])).await;
    assert_eq!(
        (ids(&second), &second["has_more"]),
        (created[2..4].to_vec(), &json!(true))
    );
    let last = page(format!("limit=2&starting_after={}", created[3])).await;
    assert_eq!(
        (ids(&last), &last["has_more"]),
        (created[4..].to_vec(), &json!(false))
    );
    let back = page(format!("limit=2&ending_before={}", created[4])).await;
    assert_eq!(
        (ids(&back), &back["has_more"]),
        (created[2..4].to_vec(), &json!(true))
    );
    let front = page(format!("limit=3&ending_before={}", created[2])).await;
    assert_eq!(
        (ids(&front), &front["has_more"]),
        (created[..2].to_vec(), &json!(false))
    );

    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "starting_after=cs_none",
        "colour=red",
        "status=lost",
    ] {
        let answer = bench.get(&format!("{SESSIONS}?{query}")).await;
        assert!(answer.status.is_client_error(), "{query}");
    }
    let both = format!(
        "{SESSIONS}?starting_after={0}&ending_before={0}",
        created[0]
    );
    bench.get(&both).await.expect(400);
}

#[tokio::test]
async fn events_are_found_by_type_and_by_whether_they_arrived() {
    let bench = Bench::start().await;
    let found = async |query: &str| {
        let page = bench
            .get(&format!("/v1/events?{query}"))
            .await
            .expect(200)
            .json();
        let types = page["data"].as_array().unwrap().iter();
        types
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    bench.webhook.refuse(1);
    let session = bench.session().await;
    bench.pay(&session, CARD).await.expect(303);
    bench.webhook.hears(1).await;
    assert_eq!(found("type=charge.succeeded").await, ["charge.succeeded"]);
    assert_eq!(
        found("type=payment_intent.*").await,
        ["payment_intent.succeeded", "payment_intent.created"]
    );
    let types = "types[]=checkout.session.completed&types[]=charge.succeeded";
    assert_eq!(
        found(types).await,
        ["checkout.session.completed", "charge.succeeded"]
    );
    assert_eq!(
        found("delivery_success=false").await,
        ["checkout.session.completed"]
    );
    bench.advance(1).await;
    bench
        .until(|delivery| delivery["state"] == "delivered")
        .await;
    assert_eq!(found("delivery_success=false").await, [""; 0]);
    assert_eq!(found("delivery_success=true").await.len(), 5);
    assert_eq!(
        found("limit=1&type=checkout.*").await,
        ["checkout.session.completed"]
    );
}

#[tokio::test]
async fn what_belongs_to_something_that_is_not_there_cannot_be_listed() {
    let bench = Bench::start().await;
    for (list, param, kind) in [
        ("charges", "customer", "customer"),
        ("charges", "payment_intent", "payment_intent"),
        ("payment_intents", "customer", "customer"),
        ("setup_intents", "payment_method", "payment_method"),
        ("setup_attempts", "setup_intent", "setup_intent"),
        ("refunds", "charge", "charge"),
        ("disputes", "payment_intent", "payment_intent"),
        ("radar/early_fraud_warnings", "charge", "charge"),
        ("balance_transactions", "payout", "payout"),
        ("checkout/sessions", "payment_intent", "payment_intent"),
        ("checkout/sessions", "subscription", "subscription"),
        ("customers", "test_clock", "test_helpers.test_clock"),
        ("invoices", "customer", "customer"),
        ("invoices", "subscription", "subscription"),
        ("invoiceitems", "invoice", "invoice"),
        ("credit_notes", "invoice", "invoice"),
        ("quotes", "customer", "customer"),
        ("subscriptions", "customer", "customer"),
        ("subscriptions", "price", "price"),
        ("subscription_items", "subscription", "subscription"),
        ("subscription_schedules", "customer", "customer"),
        ("prices", "product", "product"),
        ("promotion_codes", "coupon", "coupon"),
        ("file_links", "file", "file"),
    ] {
        let path = format!("/v1/{list}?{param}=none_1");
        let error = bench.get(&path).await.expect(400).error();
        assert_eq!(error["code"], "resource_missing", "{path}");
        assert_eq!(error["param"], param, "{path}");
        assert_eq!(error["message"], format!("No such {kind}: 'none_1'"));
    }
    // Names that are not an object's find nothing.
    for path in [
        "/v1/balance_transactions?source=ch_none",
        "/v1/prices?lookup_keys[]=none",
        "/v1/customers?email=nobody@mail.example",
    ] {
        assert_eq!(list(&bench, path).await, [""; 0], "{path}");
    }
}

#[tokio::test]
async fn a_deleted_customers_past_can_still_be_listed() {
    let bench = Bench::start().await;
    let ada = id(&bench.post("/v1/customers", &vec![]).await.json());
    let form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("customer", ada.as_str()),
    ];
    let intent = id(&bench.post("/v1/payment_intents", &form).await.json());
    let path = format!("/v1/customers/{ada}");
    bench.delete(&path).await.expect(200);
    let path = format!("/v1/payment_intents?customer={ada}");
    assert_eq!(list(&bench, &path).await, [intent]);
}
