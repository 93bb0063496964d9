use serde_json::{Value, json};

use crate::bench::{Answer, Bench, CARD, DECLINED, Form, KEY, by_card, id, ids, one_mug};

const CODES: &str = "/v1/promotion_codes";
const COUPONS: &str = "/v1/coupons";

/// A session whose shop takes codes.
async fn session(bench: &Bench) -> String {
    id(&bench.create(vec![("allow_promotion_codes", "true")]).await)
}

async fn apply(bench: &Bench, session: &str, code: &str) -> Answer {
    let form = vec![("promotion_code", code)];
    let path = format!("/pay/{session}/code");
    bench.send(bench.request("POST", &path).form(&form)).await
}

async fn page(bench: &Bench, session: &str) -> String {
    bench
        .send(bench.request("GET", &format!("/pay/{session}")))
        .await
        .expect(200)
        .text
}

async fn coupon(bench: &Bench, form: &[(&str, &str)]) -> Value {
    bench.post(COUPONS, &form.to_vec()).await.expect(200).json()
}

async fn code(bench: &Bench, coupon: &str, code: &str, more: &[(&str, &str)]) -> Value {
    let form = [
        &[
            ("promotion[type]", "coupon"),
            ("promotion[coupon]", coupon),
            ("code", code),
        ],
        more,
    ]
    .concat();
    bench.post(CODES, &form).await.expect(200).json()
}

#[tokio::test]
async fn a_code_makes_the_order_cheaper() {
    let bench = Bench::start().await;
    let session = session(&bench).await;
    assert!(
        page(&bench, &session).await.contains("WELCOME10"),
        "the ready codes are shown"
    );
    let answer = apply(&bench, &session, " welcome10 ").await.expect(200);
    assert!(answer.text.contains("Pay $13.50") && answer.text.contains("−$1.50"));
    let shown = bench
        .get(&format!(
            "/v1/checkout/sessions/{session}?expand[]=line_items&expand[]=total_details.breakdown&expand[]=discounts.promotion_code.promotion.coupon"
        ))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&shown["amount_subtotal"], &shown["amount_total"]),
        (&json!(1500), &json!(1350))
    );
    assert_eq!(shown["total_details"]["amount_discount"], 150);
    let used = &shown["discounts"][0]["promotion_code"];
    assert_eq!(used["code"], "WELCOME10");
    assert_eq!(used["promotion"]["coupon"]["percent_off"], 10.0);
    let line = &shown["line_items"]["data"][0];
    assert_eq!(
        (&line["amount_discount"], &line["amount_total"]),
        (&json!(150), &json!(1350))
    );
    let part = &shown["total_details"]["breakdown"]["discounts"][0];
    assert_eq!(
        (&part["amount"], &part["discount"]["promotion_code"]),
        (&json!(150), &used["id"])
    );

    bench.pay(&session, CARD).await.expect(303);
    let paid = bench.retrieve(&session).await;
    assert_eq!(
        (&paid["payment_status"], &paid["amount_total"]),
        (&json!("paid"), &json!(1350))
    );
    assert_eq!(
        paid["discounts"],
        json!([{ "coupon": null, "promotion_code": used["id"] }])
    );
    let charge = bench.charge_of(&session).await;
    assert_eq!(charge["amount"], 1350);
    assert_eq!(
        bench.latest("checkout.session.completed").await["data"]["object"],
        paid
    );
    let used = bench
        .fetch("promotion_codes", used["id"].as_str().unwrap())
        .await;
    assert_eq!(used["times_redeemed"], 1);
    assert_eq!(
        bench.fetch("coupons", "WELCOME10").await["times_redeemed"],
        1
    );
}

#[tokio::test]
async fn an_order_that_a_code_makes_free_needs_no_card() {
    let bench = Bench::start().await;
    let session = session(&bench).await;
    let text = apply(&bench, &session, "FREE").await.expect(200).text;
    assert!(text.contains("Complete purchase") && !text.contains("name=\"card_number\""));
    let open = bench.retrieve(&session).await;
    assert_eq!(
        (&open["payment_status"], &open["status"]),
        (&json!("no_payment_required"), &json!("open"))
    );
    let so_far = bench.event_types().await.len();
    bench
        .submit(&session, &vec![("email", "buyer@mail.example")])
        .await
        .expect(303);
    let done = bench.retrieve(&session).await;
    assert_eq!(
        (&done["status"], &done["payment_status"]),
        (&json!("complete"), &json!("no_payment_required"))
    );
    assert_eq!(
        (&done["payment_intent"], &done["amount_total"]),
        (&json!(null), &json!(0))
    );
    assert_eq!(
        bench.event_types_after(so_far).await,
        ["checkout.session.completed"]
    );
}

#[tokio::test]
async fn a_code_after_a_declined_card_changes_what_the_next_one_pays() {
    let bench = Bench::start().await;
    let cheaper = session(&bench).await;
    bench.pay(&cheaper, DECLINED).await.expect(402);
    apply(&bench, &cheaper, "WELCOME10").await.expect(200);
    bench.pay(&cheaper, CARD).await.expect(303);
    assert_eq!(bench.charge_of(&cheaper).await["amount"], 1350);

    let free = session(&bench).await;
    bench.pay(&free, DECLINED).await.expect(402);
    let intent = bench.retrieve(&free).await["payment_intent"]
        .as_str()
        .unwrap()
        .to_owned();
    apply(&bench, &free, "FREE").await.expect(200);
    bench
        .submit(&free, &vec![("email", "buyer@mail.example")])
        .await
        .expect(303);
    assert_eq!(bench.retrieve(&free).await["payment_intent"], json!(null));
    assert_eq!(
        bench.fetch("payment_intents", &intent).await["status"],
        "canceled"
    );
}

#[tokio::test]
async fn a_code_can_be_taken_back_and_what_was_typed_stays() {
    let bench = Bench::start().await;
    let session = session(&bench).await;
    let typed: Form<'_> = [by_card(CARD), vec![("promotion_code", "FREE")]].concat();
    let path = format!("/pay/{session}/code");
    bench
        .send(bench.request("POST", &path).form(&typed))
        .await
        .expect(200);
    let removal: Form<'_> = [by_card(CARD), vec![("remove_code", "yes")]].concat();
    let answer = bench
        .send(bench.request("POST", &path).form(&removal))
        .await
        .expect(200);
    assert!(answer.text.contains("Pay $15.00"));
    assert!(answer.text.contains("buyer@mail.example") && answer.text.contains(CARD));
    let shown = bench.retrieve(&session).await;
    assert_eq!(
        (&shown["amount_total"], &shown["payment_status"]),
        (&json!(1500), &json!("unpaid"))
    );
    assert_eq!(shown["discounts"], json!([]));
}

#[tokio::test]
async fn a_script_pays_with_a_code_in_one_request() {
    let bench = Bench::start().await;
    let session = session(&bench).await;
    let form = [by_card(CARD), vec![("promotion_code", "WELCOME10")]].concat();
    bench.submit(&session, &form).await.expect(303);
    assert_eq!(bench.retrieve(&session).await["amount_total"], 1350);
}

#[tokio::test]
async fn a_code_that_does_not_do_says_why_and_changes_nothing() {
    let bench = Bench::start().await;
    let off = id(&coupon(&bench, &[("amount_off", "1480"), ("currency", "usd")]).await);
    code(&bench, &off, "NEARLY", &[]).await;
    code(
        &bench,
        &off,
        "BIG",
        &[
            ("restrictions[minimum_amount]", "5000"),
            ("restrictions[minimum_amount_currency]", "usd"),
        ],
    )
    .await;
    let euros = id(&coupon(&bench, &[("amount_off", "100"), ("currency", "eur")]).await);
    code(&bench, &euros, "EUROS", &[]).await;
    let sleeping = code(&bench, &off, "SLEEPING", &[("active", "false")]).await;
    let session = session(&bench).await;
    for (code, message) in [
        ("NOPE", "This code is invalid."),
        ("SLEEPING", "This code is invalid."),
        (
            "NEARLY",
            "less than the smallest amount that can be charged",
        ),
        ("BIG", "for purchases of $50.00 or more"),
        ("EUROS", "for another currency"),
    ] {
        let answer = apply(&bench, &session, code).await.expect(422);
        assert!(answer.text.contains(message), "{code}: {}", answer.text);
        let form = [by_card(CARD), vec![("promotion_code", code)]].concat();
        bench.submit(&session, &form).await.expect(422);
    }
    assert_eq!(bench.retrieve(&session).await["amount_total"], 1500);
    let path = format!("{CODES}/{}", id(&sleeping));
    let awake = bench
        .post(&path, &vec![("active", "true")])
        .await
        .expect(200)
        .json();
    assert_eq!(awake["active"], true);

    let closed = bench.session().await;
    assert!(
        !page(&bench, &closed)
            .await
            .contains("name=\"promotion_code\"")
    );
    apply(&bench, &closed, "FREE").await.expect(422);
    bench.pay(&closed, CARD).await.expect(303);
    apply(&bench, &closed, "FREE").await.expect(303);
    assert_eq!(bench.retrieve(&closed).await["amount_total"], 1500);
    apply(&bench, "cs_test_none", "FREE").await.expect(404);
}

#[tokio::test]
async fn a_code_ends_when_its_time_or_its_number_is_up() {
    let bench = Bench::start().await;
    let now = bench.stand_in.default_account().clock().await.unwrap().now;
    let until = (now + 100).to_string();
    let half = id(&coupon(&bench, &[("percent_off", "50"), ("redeem_by", &until)]).await);
    let once = id(&code(&bench, &half, "ONCE", &[("max_redemptions", "1")]).await);
    let brief = id(&code(&bench, &half, "BRIEF", &[("expires_at", &until)]).await);
    let first = session(&bench).await;
    apply(&bench, &first, "ONCE").await.expect(200);
    bench.pay(&first, CARD).await.expect(303);
    assert_eq!(bench.fetch("promotion_codes", &once).await["active"], false);
    let second = session(&bench).await;
    apply(&bench, &second, "ONCE").await.expect(422);
    bench
        .post(&format!("{CODES}/{once}"), &vec![("active", "true")])
        .await
        .expect(400);
    bench.advance(120).await;
    assert_eq!(
        bench.fetch("promotion_codes", &brief).await["active"],
        false
    );
    assert_eq!(bench.fetch("coupons", &half).await["valid"], false);
    apply(&bench, &second, "BRIEF").await.expect(422);
}

#[tokio::test]
async fn a_coupon_is_made_found_and_changed() {
    let bench = Bench::start().await;
    let made = coupon(
        &bench,
        &[
            ("id", "SPRING"),
            ("percent_off", "25.5"),
            ("name", "Spring"),
            ("metadata[a]", "1"),
        ],
    )
    .await;
    assert_eq!(made["object"], "coupon");
    assert_eq!(
        (&made["percent_off"], &made["amount_off"]),
        (&json!(25.5), &json!(null))
    );
    assert_eq!(
        (&made["duration"], &made["valid"]),
        (&json!("once"), &json!(true))
    );
    assert_eq!(bench.latest("coupon.created").await["data"]["object"], made);
    let list = bench.get(COUPONS).await.expect(200).json();
    assert_eq!(ids(&list), ["SPRING", "FREE", "WELCOME10"]);
    let renamed = bench
        .post(&format!("{COUPONS}/SPRING"), &vec![("name", "May")])
        .await
        .expect(200)
        .json();
    assert_eq!(renamed["name"], "May");
}

/// A quarter off.
async fn spring(bench: &Bench) {
    let form = [
        ("id", "SPRING"),
        ("percent_off", "25.5"),
        ("name", "Spring"),
    ];
    coupon(bench, &form).await;
}

#[tokio::test]
async fn a_promotion_code_is_made_and_found() {
    let bench = Bench::start().await;
    spring(&bench).await;
    let may = code(&bench, "SPRING", "MAY-25", &[]).await;
    assert!(id(&may).starts_with("promo_"));
    assert_eq!(
        may["promotion"],
        json!({ "coupon": "SPRING", "type": "coupon" })
    );
    assert_eq!(may["active"], true);
    assert!(may.get("coupon").is_none());
    let found = async |query: &str| {
        ids(&bench
            .get(&format!("{CODES}?{query}"))
            .await
            .expect(200)
            .json())
    };
    assert_eq!(found("code=may-25").await, [id(&may)]);
    assert_eq!(found("coupon=SPRING").await, [id(&may)]);
    assert_eq!(found("active=true").await.len(), 3);
    assert_eq!(found("active=false").await, [""; 0]);
    let named = bench
        .post(
            CODES,
            &vec![
                ("promotion[type]", "coupon"),
                ("promotion[coupon]", "SPRING"),
                ("expand[]", "promotion.coupon"),
            ],
        )
        .await
        .expect(200)
        .json();
    assert!(
        !named["code"].as_str().unwrap().is_empty(),
        "Stripe thinks of a code"
    );
    assert_eq!(named["promotion"]["coupon"]["name"], "Spring");
}

#[tokio::test]
async fn coupons_and_codes_that_make_no_sense_are_refused() {
    let bench = Bench::start().await;
    spring(&bench).await;
    code(&bench, "SPRING", "MAY-25", &[]).await;
    let refused: [(&str, Form<'_>); 9] = [
        (COUPONS, vec![]),
        (COUPONS, vec![("percent_off", "101")]),
        (
            COUPONS,
            vec![
                ("percent_off", "10"),
                ("amount_off", "5"),
                ("currency", "usd"),
            ],
        ),
        (COUPONS, vec![("amount_off", "5")]),
        (COUPONS, vec![("percent_off", "10"), ("id", "SPRING")]),
        (COUPONS, vec![("percent_off", "10"), ("redeem_by", "1000")]),
        (CODES, vec![("promotion[type]", "coupon")]),
        (
            CODES,
            vec![
                ("promotion[type]", "coupon"),
                ("promotion[coupon]", "SPRING"),
                ("code", "may-25"),
            ],
        ),
        (
            CODES,
            vec![
                ("promotion[type]", "coupon"),
                ("promotion[coupon]", "SPRING"),
                ("code", "so so"),
            ],
        ),
    ];
    for (path, form) in refused {
        bench.post(path, &form).await.expect(400);
    }
    bench
        .post(
            CODES,
            &vec![("promotion[type]", "coupon"), ("promotion[coupon]", "NONE")],
        )
        .await
        .expect(400);
}

#[tokio::test]
async fn the_discount_is_shared_out_to_the_last_cent() {
    let bench = Bench::start().await;
    let session = bench
        .create(vec![
            ("allow_promotion_codes", "true"),
            ("line_items[1][price_data][currency]", "usd"),
            ("line_items[1][price_data][unit_amount]", "333"),
            ("line_items[1][price_data][product_data][name]", "Tea"),
            ("line_items[1][quantity]", "1"),
            ("line_items[2][price_data][currency]", "usd"),
            ("line_items[2][price_data][unit_amount]", "1"),
            (
                "line_items[2][price_data][product_data][name]",
                "Lump of sugar",
            ),
            ("line_items[2][quantity]", "7"),
        ])
        .await;
    apply(&bench, &id(&session), "WELCOME10").await.expect(200);
    let path = format!("/v1/checkout/sessions/{}?expand[]=line_items", id(&session));
    let shown = bench.get(&path).await.json();
    let lines = shown["line_items"]["data"].as_array().unwrap();
    let sum = |field: &str| {
        lines
            .iter()
            .map(|line| line[field].as_i64().unwrap())
            .sum::<i64>()
    };
    assert_eq!(sum("amount_discount"), 184);
    assert_eq!(sum("amount_total"), shown["amount_total"].as_i64().unwrap());
    assert_eq!(sum("amount_subtotal"), 1840);
}

#[tokio::test]
async fn an_open_session_keeps_the_discount_of_a_coupon_that_is_deleted() {
    let bench = Bench::start().await;
    coupon(&bench, &[("id", "GONE"), ("percent_off", "10")]).await;
    let leaving = code(&bench, "GONE", "LEAVING", &[]).await;
    let by_shop = id(&bench.create(vec![("discounts[0][coupon]", "GONE")]).await);
    let by_buyer = session(&bench).await;
    apply(&bench, &by_buyer, "LEAVING").await.expect(200);
    let begun_again = id(&bench
        .create(vec![
            ("discounts[0][coupon]", "GONE"),
            ("after_expiration[recovery][enabled]", "true"),
        ])
        .await);
    let expire = format!("/v1/checkout/sessions/{begun_again}/expire");
    bench.post(&expire, &vec![]).await.expect(200);

    let request = bench.request("DELETE", &format!("{COUPONS}/GONE"));
    bench.send(request.bearer_auth(KEY)).await.expect(200);
    let recover = bench.request("GET", &format!("/recover/{begun_again}"));
    let again = bench.send(recover).await.expect(303);
    let again = again.header("location").unwrap().rsplit('/').next();
    for session in [&by_shop, &by_buyer, &again.unwrap().to_owned()] {
        assert!(page(&bench, session).await.contains("Pay $13.50"));
        bench.pay(session, CARD).await.expect(303);
        assert_eq!(bench.retrieve(session).await["amount_total"], 1_350);
    }
    let late = self::session(&bench).await;
    let shown = page(&bench, &late).await;
    assert!(
        !shown.contains("LEAVING"),
        "a code that gives nothing is shown"
    );
    apply(&bench, &late, "LEAVING").await.expect(422);
    let leaving = id(&leaving);
    let form = [
        one_mug(),
        vec![("discounts[0][promotion_code]", leaving.as_str())],
    ];
    let sessions = "/v1/checkout/sessions";
    let error = bench.post(sessions, &form.concat()).await.expect(400);
    assert_eq!(error.error()["param"], "discounts[0][promotion_code]");
}
