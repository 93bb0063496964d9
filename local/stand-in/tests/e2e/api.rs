use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::bench::{Bench, CARD, Form, KEY, id, ids, one_mug};

const SESSIONS: &str = "/v1/checkout/sessions";

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .try_into()
        .unwrap()
}

#[tokio::test]
async fn a_session_is_what_was_asked_for() {
    let bench = Bench::start().await;
    let session = bench
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
        .await;
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
async fn every_answer_names_the_request_and_the_version() {
    let bench = Bench::start().await;
    for path in [SESSIONS, "/v1/events/evt_none", "/v1/nowhere", "/"] {
        let answer = bench.get(path).await;
        assert!(answer.header("request-id").unwrap().starts_with("req_"));
        assert_eq!(answer.header("stripe-version"), Some("2026-09-30.endive"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn only_a_secret_test_key_opens_the_api() {
    let bench = Bench::start().await;
    let get = || bench.request("GET", SESSIONS);
    bench.send(get().bearer_auth(KEY)).await.expect(200);
    bench
        .send(get().basic_auth(KEY, None::<&str>))
        .await
        .expect(200);
    for request in [
        get(),
        get().bearer_auth(""),
        get().bearer_auth("another_key"),
        get().bearer_auth("sk_test_"),
        get().bearer_auth("sk_live_51TillNeverTakesThis"),
        get().bearer_auth("pk_test_local"),
        get().basic_auth("", Some(KEY)),
        get().header("Authorization", KEY),
        get().header("Authorization", "Basic ???"),
        bench.request("POST", SESSIONS).form(&one_mug()),
    ] {
        let answer = bench.send(request).await.expect(401);
        assert_eq!(answer.error()["type"], "invalid_request_error");
        assert!(answer.header("www-authenticate").is_some());
        assert!(
            !answer.text.contains("51TillNeverTakes") && !answer.text.contains("another_key"),
            "a key is never repeated whole"
        );
    }
    assert_eq!(bench.get(SESSIONS).await.json()["data"], json!([]));
}

#[tokio::test]
async fn no_web_page_calls_with_a_secret_key() {
    let bench = Bench::start().await;
    let from = |header: &str, value: &str| {
        bench
            .request("POST", SESSIONS)
            .bearer_auth(KEY)
            .header(header, value)
            .form(&one_mug())
    };
    for (header, value) in [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        bench.send(from(header, value)).await.expect(403);
    }
    // Programs may say how they fetch, too.
    bench.send(from("Sec-Fetch-Mode", "cors")).await.expect(200);
    assert_eq!(ids(&bench.get(SESSIONS).await.json()).len(), 1);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    for path in [
        format!("{SESSIONS}/cs_test_none"),
        format!("{SESSIONS}/cs_test_none/line_items"),
        "/v1/payment_intents/pi_none".to_owned(),
        format!("/v1/payment_intents/{session}"),
        "/v1/charges/ch_none".to_owned(),
        "/v1/events/evt_none".to_owned(),
    ] {
        let error = bench.get(&path).await.expect(404).error();
        assert_eq!(error["code"], "resource_missing", "{path}");
        assert_eq!(error["type"], "invalid_request_error");
        assert!(
            error["doc_url"]
                .as_str()
                .unwrap()
                .ends_with("/resource-missing")
        );
    }
    for path in [
        "/v1/customer",
        "/v1/",
        "/v2/checkout/sessions",
        "/",
        "/v1/checkout/sessions/",
    ] {
        bench.get(path).await.expect(404);
    }
    bench
        .send(bench.request("DELETE", SESSIONS).bearer_auth(KEY))
        .await
        .expect(404);
}

#[tokio::test]
async fn each_wrong_parameter_is_named() {
    let bench = Bench::start().await;
    let price = "line_items[0][price_data]";
    let long = "x".repeat(251);
    // The change to a good request (a value, or none to leave the field out), the code, the param.
    let cases: Vec<(String, Option<&str>, &str, &str)> = vec![
        ("mode".into(), None, "parameter_missing", "mode"),
        ("mode".into(), Some(""), "parameter_invalid_empty", "mode"),
        ("mode".into(), Some("barter"), "", "mode"),
        (
            "success_url".into(),
            None,
            "parameter_missing",
            "success_url",
        ),
        (
            "success_url".into(),
            Some("shop.example"),
            "url_invalid",
            "success_url",
        ),
        (
            "cancel_url".into(),
            Some("javascript:alert(1)"),
            "url_invalid",
            "cancel_url",
        ),
        ("locale".into(), Some("xx"), "", "locale"),
        (
            "customer_email".into(),
            Some("buyer"),
            "email_invalid",
            "customer_email",
        ),
        ("colour".into(), Some("red"), "parameter_unknown", "colour"),
        (
            "line_items[0][colour]".into(),
            Some("red"),
            "parameter_unknown",
            "line_items[0][colour]",
        ),
        (
            "line_items[0][quantity]".into(),
            None,
            "parameter_missing",
            "line_items[0][quantity]",
        ),
        (
            "line_items[0][quantity]".into(),
            Some("two"),
            "parameter_invalid_integer",
            "line_items[0][quantity]",
        ),
        (
            "line_items[0][quantity]".into(),
            Some("0"),
            "parameter_invalid_integer",
            "line_items[0][quantity]",
        ),
        (
            format!("{price}[currency]"),
            None,
            "parameter_missing",
            "line_items[0][price_data][currency]",
        ),
        (
            format!("{price}[currency]"),
            Some("xxx"),
            "",
            "line_items[0][price_data][currency]",
        ),
        (
            format!("{price}[unit_amount]"),
            Some("15.00"),
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        (
            format!("{price}[unit_amount]"),
            Some("-1"),
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        (
            format!("{price}[unit_amount]"),
            Some("99999999999999999999"),
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        (
            format!("{price}[product_data][name]"),
            None,
            "parameter_missing",
            "line_items[0][price_data][product_data]",
        ),
        (
            format!("{price}[product_data][name]"),
            Some(&long),
            "",
            "line_items[0][price_data][product_data][name]",
        ),
        (
            format!("{price}[unit_amount]"),
            Some("49"),
            "amount_too_small",
            "line_items",
        ),
        (
            "line_items[0][quantity]".into(),
            Some("66667"),
            "amount_too_large",
            "line_items",
        ),
        (
            "expires_at".into(),
            Some("soon"),
            "parameter_invalid_integer",
            "expires_at",
        ),
        (
            "adaptive_pricing[enabled]".into(),
            Some("yes"),
            "",
            "adaptive_pricing[enabled]",
        ),
        ("metadata".into(), Some("x"), "", "metadata"),
        ("metadata[a][b]".into(), Some("x"), "", "metadata[a]"),
        ("expand[]".into(), Some("status"), "", "expand"),
        (
            "expand[]".into(),
            Some("payment_intent.colour"),
            "",
            "expand",
        ),
        ("expand[]".into(), Some("line_items.data"), "", "expand"),
    ];
    for (field, value, code, param) in cases {
        let mut form = one_mug();
        form.retain(|(name, _)| *name != field);
        form.extend(value.map(|value| (field.as_str(), value)));
        let error = bench.post(SESSIONS, &form).await.expect(400).error();
        assert_eq!(error["type"], "invalid_request_error", "{field}={value:?}");
        assert_eq!(
            error["code"].as_str().unwrap_or_default(),
            code,
            "{field}={value:?}"
        );
        assert_eq!(error["param"], param, "{field}={value:?}");
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    assert_eq!(bench.get(SESSIONS).await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let bench = Bench::start().await;
    let post = || bench.request("POST", SESSIONS).bearer_auth(KEY);
    bench
        .send(post().json(&json!({ "mode": "payment" })))
        .await
        .expect(400);
    let error = bench.send(post()).await.expect(400).error();
    assert_eq!(error["code"], "parameter_missing");
    // A media type is the same in any case.
    for media_type in [
        "APPLICATION/X-WWW-FORM-URLENCODED",
        "Application/x-www-form-urlencoded ; charset=utf-8",
    ] {
        let customer = bench.request("POST", "/v1/customers").bearer_auth(KEY);
        let customer = customer.header("content-type", media_type).body("name=Ada");
        let customer = bench.send(customer).await.expect(200).json();
        assert_eq!(customer["name"], "Ada");
    }
    let broken: Form<'_> = vec![("line_items[0", "x")];
    bench.post(SESSIONS, &broken).await.expect(400);
}

#[tokio::test]
async fn currencies_keep_to_their_own_minor_units() {
    let bench = Bench::start().await;
    let with = |currency: &'static str, amount: &'static str| {
        let mut form = one_mug();
        for (name, value) in &mut form {
            match *name {
                "line_items[0][price_data][currency]" => *value = currency,
                "line_items[0][price_data][unit_amount]" => *value = amount,
                _ => {}
            }
        }
        form
    };
    for (currency, amount) in [
        ("jpy", "50"),
        ("kwd", "5120"),
        ("isk", "500"),
        ("huf", "17500"),
    ] {
        bench
            .post(SESSIONS, &with(currency, amount))
            .await
            .expect(200);
    }
    for (currency, amount) in [
        ("jpy", "49"),
        ("kwd", "5121"),
        ("isk", "550"),
        ("huf", "17499"),
    ] {
        bench
            .post(SESSIONS, &with(currency, amount))
            .await
            .expect(400);
    }
    let mixed = [
        one_mug(),
        vec![
            ("line_items[1][price_data][currency]", "eur"),
            ("line_items[1][price_data][unit_amount]", "100"),
            ("line_items[1][price_data][product_data][name]", "Tea"),
            ("line_items[1][quantity]", "1"),
        ],
    ];
    bench.post(SESSIONS, &mixed.concat()).await.expect(400);
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
async fn an_intent_made_by_hand_can_be_looked_at() {
    let bench = Bench::start().await;
    let form: Form<'_> = vec![
        ("amount", "2000"),
        ("currency", "eur"),
        ("metadata[a]", "b"),
    ];
    let intent = bench
        .post("/v1/payment_intents", &form)
        .await
        .expect(200)
        .json();
    assert_eq!(intent["status"], "requires_payment_method");
    let path = format!("/v1/payment_intents/{}", id(&intent));
    assert_eq!(bench.get(&path).await.expect(200).json(), intent);
    assert_eq!(bench.event_types().await, ["payment_intent.created"]);
    for (amount, code) in [
        ("49", "amount_too_small"),
        ("100000000", "amount_too_large"),
    ] {
        let form: Form<'_> = vec![("amount", amount), ("currency", "eur")];
        let error = bench
            .post("/v1/payment_intents", &form)
            .await
            .expect(400)
            .error();
        assert_eq!(error["code"], code);
    }
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

#[tokio::test]
async fn a_long_form_is_read_in_little_time_and_a_longer_one_is_refused() {
    let bench = Bench::start().await;
    let long = vec![("line_items[][quantity]", "1"); 10_000];
    let begun = std::time::Instant::now();
    bench.post(SESSIONS, &long).await.expect(400);
    let seconds = begun.elapsed().as_secs();
    assert!(seconds < 4, "{seconds} s");

    let longer = [long, vec![("mode", "payment")]].concat();
    let error = bench.post(SESSIONS, &longer).await.expect(400).error();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("at most 10000 parameters"), "{message}");
}

#[tokio::test]
async fn what_a_parameter_names_and_is_missing_makes_the_request_wrong() {
    let bench = Bench::start().await;
    let intent = vec![("amount", "1500"), ("currency", "usd")];
    let intents = "/v1/payment_intents";
    let made = id(&bench.post(intents, &intent).await.expect(200).json());
    let made = format!("{intents}/{made}");
    let of_nobody = [intent.clone(), vec![("customer", "cus_nope")]].concat();
    let by_nothing = [intent, vec![("payment_method", "pm_nope")]].concat();
    for (path, form) in [
        (intents, of_nobody),
        (intents, by_nothing),
        (&made, vec![("customer", "cus_nope")]),
        ("/v1/refunds", vec![("charge", "ch_nope")]),
        ("/v1/refunds", vec![("payment_intent", "pi_nope")]),
        (
            "/v1/promotion_codes",
            vec![("promotion[type]", "coupon"), ("promotion[coupon]", "NOPE")],
        ),
        (
            "/v1/charges",
            vec![
                ("amount", "1500"),
                ("currency", "usd"),
                ("source", "tok_nope"),
            ],
        ),
    ] {
        let error = bench.post(path, &form).await.expect(400).error();
        assert_eq!(error["code"], "resource_missing", "{path} {form:?}");
    }
    for path in ["/v1/payment_intents/pi_nope", "/v1/customers/cus_nope"] {
        bench.get(path).await.expect(404);
        let form = vec![("metadata[a]", "1")];
        bench.post(path, &form).await.expect(404);
    }
}
