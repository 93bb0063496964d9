//! Checkout sessions over the API.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::bench::{Bench, CARD, Form, id, ids, one_mug};

const SESSIONS: &str = "/v1/checkout/sessions";

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .try_into()
        .unwrap()
}

/// A session about a mug and three packs of tea, with most of what a shop may say of it.
async fn mug_and_tea(bench: &Bench) -> Value {
    bench
        .create(vec![
            ("line_items[1][price_data][currency]", "USD"),
            ("line_items[1][price_data][unit_amount]", "250"),
            (
                "line_items[1][price_data][product_data][name]",
                "Tea & biscuits",
            ),
            (
                "line_items[1][price_data][product_data][description]",
                "Two of each",
            ),
            (
                "line_items[1][price_data][product_data][images][]",
                "https://shop.example/tea.png",
            ),
            (
                "line_items[1][price_data][product_data][metadata][product_id]",
                "tea",
            ),
            ("line_items[1][quantity]", "3"),
            ("metadata[purchase_id]", "p1"),
            ("payment_intent_data[metadata][purchase_id]", "p1"),
            ("payment_intent_data[description]", "Order p1"),
            ("client_reference_id", "p1"),
            ("customer_email", "buyer@mail.example"),
            ("cancel_url", "http://shop.example/cancel"),
            ("locale", "de"),
            ("adaptive_pricing[enabled]", "false"),
            ("allow_promotion_codes", "true"),
        ])
        .await
}

#[tokio::test]
async fn a_session_is_what_was_asked_for() {
    let bench = Bench::start().await;
    let session = mug_and_tea(&bench).await;
    let id = id(&session);
    assert!(id.starts_with("cs_test_") && id.len() > 60, "{id}");
    assert_eq!(session["object"], "checkout.session");
    assert_eq!(session["status"], "open");
    assert_eq!(session["payment_status"], "unpaid");
    assert_eq!(session["amount_total"], 1500 + 3 * 250);
    assert_eq!(session["currency"], "usd");
    assert_eq!(session["url"], format!("{}/pay/{id}", bench.url));
    assert_eq!(session["metadata"], json!({ "purchase_id": "p1" }));
    assert_eq!(session["client_reference_id"], "p1");
    assert_eq!(session["customer_email"], "buyer@mail.example");
    assert_eq!(session["cancel_url"], "http://shop.example/cancel");
    assert_eq!(session["locale"], "de");
    assert_eq!(session["adaptive_pricing"], json!({ "enabled": false }));
    assert_eq!(session["allow_promotion_codes"], true);
    assert_eq!(session["payment_intent"], json!(null));
    assert_eq!(session["livemode"], false);
    assert!(session.get("line_items").is_none());
    let day = session["expires_at"].as_i64().unwrap() - session["created"].as_i64().unwrap();
    assert_eq!(day, 86_400);
    assert_eq!(bench.retrieve(&id).await, session);
}

#[tokio::test]
async fn what_a_session_was_asked_for_is_in_its_payment() {
    let bench = Bench::start().await;
    let id = id(&mug_and_tea(&bench).await);
    bench.pay(&id, CARD).await.expect(303);
    let path = format!(
        "{SESSIONS}/{id}?expand[]=payment_intent.latest_charge&expand[]=line_items.data.price.product"
    );
    let paid = bench.get(&path).await.expect(200).json();
    let intent = &paid["payment_intent"];
    assert_eq!(intent["metadata"], json!({ "purchase_id": "p1" }));
    assert_eq!(intent["description"], "Order p1");
    assert_eq!(
        intent["latest_charge"]["metadata"],
        json!({ "purchase_id": "p1" })
    );
    assert_eq!(
        intent["latest_charge"]["payment_method_details"]["card"]["last4"],
        "4242"
    );
    let tea = &paid["line_items"]["data"][1];
    assert_eq!(
        (&tea["amount_total"], &tea["quantity"]),
        (&json!(750), &json!(3))
    );
    assert_eq!(tea["price"]["product"]["name"], "Tea & biscuits");
    assert_eq!(
        tea["price"]["product"]["images"],
        json!(["https://shop.example/tea.png"])
    );
    assert_eq!(
        tea["price"]["product"]["metadata"],
        json!({ "product_id": "tea" })
    );
}

#[tokio::test]
async fn a_session_may_last_from_half_an_hour_to_a_day() {
    let bench = Bench::start().await;
    for (seconds, status) in [
        (1_700, 400),
        (1_860, 200),
        (86_300, 200),
        (86_460, 400),
        (-1, 400),
    ] {
        let expires_at = (now() + seconds).to_string();
        let form = [one_mug(), vec![("expires_at", expires_at.as_str())]].concat();
        let answer = bench.post(SESSIONS, &form).await.expect(status);
        if status == 200 {
            assert_eq!(answer.json()["expires_at"].to_string(), expires_at);
        }
    }
}

#[tokio::test]
async fn sessions_are_found_by_state_time_payment_and_buyer() {
    let bench = Bench::start().await;
    let old = bench.session().await;
    bench.advance(3_600).await;
    let paid = id(&bench
        .create(vec![("customer_email", "known@mail.example")])
        .await);
    bench.pay(&paid, CARD).await.expect(303);
    let intent = bench.retrieve(&paid).await["payment_intent"]
        .as_str()
        .unwrap()
        .to_owned();
    let found = async |query: String| {
        ids(&bench
            .get(&format!("{SESSIONS}?{query}"))
            .await
            .expect(200)
            .json())
    };
    assert_eq!(found("status=open".into()).await, [old.as_str()]);
    assert_eq!(found("status=complete".into()).await, [paid.as_str()]);
    assert_eq!(found("status=expired".into()).await, [""; 0]);
    assert_eq!(
        found(format!("payment_intent={intent}")).await,
        [paid.as_str()]
    );
    assert_eq!(
        found("customer_details[email]=buyer@mail.example".into()).await,
        [paid.as_str()]
    );
    let later = now() + 1_800;
    assert_eq!(
        found(format!("created[gte]={later}")).await,
        [paid.as_str()]
    );
    assert_eq!(found(format!("created[lt]={later}")).await, [old.as_str()]);
    let created = bench.retrieve(&old).await["created"].to_string();
    assert_eq!(found(format!("created={created}")).await, [old.as_str()]);
    assert_eq!(
        found(format!("created[gt]={created}&created[lte]={later}")).await,
        [""; 0]
    );

    let charges = bench
        .get(&format!("/v1/charges?payment_intent={intent}"))
        .await
        .expect(200)
        .json();
    assert_eq!(charges["data"][0]["payment_intent"], intent);
    let charge = bench
        .get(&format!(
            "/v1/charges/{}?expand[]=payment_intent",
            id(&charges["data"][0])
        ))
        .await;
    assert_eq!(charge.expect(200).json()["payment_intent"]["id"], intent);
    let intents = bench
        .get("/v1/payment_intents?expand[]=data.latest_charge")
        .await
        .expect(200)
        .json();
    assert_eq!(
        intents["data"][0]["latest_charge"]["id"],
        charges["data"][0]["id"]
    );
}

#[tokio::test]
async fn line_items_come_in_their_order_a_page_at_a_time() {
    let bench = Bench::start().await;
    let names: Vec<_> = (0..12)
        .flat_map(|n| {
            let field = |of: &str| format!("line_items[{n}]{of}");
            [
                (field("[price_data][currency]"), "usd".to_owned()),
                (field("[price_data][unit_amount]"), (100 + n).to_string()),
                (
                    field("[price_data][product_data][name]"),
                    format!("Item {n}"),
                ),
                (field("[quantity]"), "1".to_owned()),
            ]
        })
        .collect();
    let mut form: Form<'_> = vec![("mode", "payment"), ("success_url", "http://shop.example/")];
    form.extend(
        names
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    form.push(("expand[]", "line_items"));
    let session = bench.post(SESSIONS, &form).await.expect(200).json();
    let expanded = &session["line_items"];
    assert_eq!(
        (ids(expanded).len(), &expanded["has_more"]),
        (10, &json!(true))
    );

    let url = expanded["url"].as_str().unwrap();
    let all = bench
        .get(&format!("{url}?limit=100"))
        .await
        .expect(200)
        .json();
    let descriptions: Vec<_> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["description"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        descriptions,
        (0..12).map(|n| format!("Item {n}")).collect::<Vec<_>>()
    );
    let all = ids(&all);
    let rest = bench
        .get(&format!("{url}?starting_after={}", all[9]))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (ids(&rest), &rest["has_more"]),
        (all[10..].to_vec(), &json!(false))
    );
    let before = bench
        .get(&format!("{url}?limit=2&ending_before={}", all[5]))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (ids(&before), &before["has_more"]),
        (all[3..5].to_vec(), &json!(true))
    );
    bench
        .get(&format!("{url}?starting_after=li_none"))
        .await
        .expect(400);
}

#[tokio::test]
async fn an_open_session_can_be_expired_and_no_other() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    let expire = format!("{SESSIONS}/{session}/expire");
    let expired = bench.post(&expire, &vec![]).await.expect(200).json();
    assert_eq!(
        (&expired["status"], &expired["url"]),
        (&json!("expired"), &json!(null))
    );
    let error = bench.post(&expire, &vec![]).await.expect(400).error();
    assert!(error["message"].as_str().unwrap().contains("expired"));
    assert_eq!(bench.event_types().await, ["checkout.session.expired"]);

    let paid = bench.session().await;
    bench.pay(&paid, CARD).await.expect(303);
    bench
        .post(&format!("{SESSIONS}/{paid}/expire"), &vec![])
        .await
        .expect(400);
    assert_eq!(bench.retrieve(&paid).await["status"], "complete");
}

#[tokio::test]
async fn a_shop_whose_clock_nobody_moved_can_still_sell() {
    let bench = Bench::start().await;
    bench.advance(3 * 86_400).await;
    let in_an_hour = (now() + 3_600).to_string();
    let session = bench
        .create(vec![("expires_at", in_an_hour.as_str())])
        .await;
    let lasts = session["expires_at"].as_i64().unwrap() - session["created"].as_i64().unwrap();
    assert!((3_590..=3_600).contains(&lasts), "{lasts}");
    bench.advance(3_500).await;
    assert_eq!(bench.retrieve(&id(&session)).await["status"], "open");
    bench.advance(200).await;
    assert_eq!(bench.retrieve(&id(&session)).await["status"], "expired");
    let too_soon = (now() + 60).to_string();
    let form = [one_mug(), vec![("expires_at", too_soon.as_str())]].concat();
    bench.post(SESSIONS, &form).await.expect(400);
}
