//! Checkout sessions with what Stripe can be asked for.

use serde_json::{Value, json};

use crate::bench::{Bench, CARD, Form, by_card, id};

/// A stored price of 20 dollars.
async fn price(bench: &Bench) -> String {
    let product = bench.post("/v1/products", &vec![("name", "Mug")]).await;
    let product = id(&product.expect(200).json());
    let form = vec![
        ("product", product.as_str()),
        ("currency", "usd"),
        ("unit_amount", "2000"),
    ];
    id(&bench.post("/v1/prices", &form).await.expect(200).json())
}

/// The least that a session of a stored price needs.
fn of_price(price: &str) -> Form<'_> {
    vec![
        ("mode", "payment"),
        (
            "success_url",
            "http://shop.example/done/{CHECKOUT_SESSION_ID}",
        ),
        ("line_items[0][price]", price),
        ("line_items[0][quantity]", "2"),
    ]
}

async fn create(bench: &Bench, form: Form<'_>) -> Value {
    let answer = bench.post("/v1/checkout/sessions", &form).await;
    answer.expect(200).json()
}

async fn refused(bench: &Bench, form: Form<'_>) -> Value {
    let answer = bench.post("/v1/checkout/sessions", &form).await;
    answer.expect(400).error()
}

#[tokio::test]
async fn a_stored_price_is_sold_in_the_quantity_that_the_buyer_chooses() {
    let bench = Bench::start().await;
    let price = price(&bench).await;
    let mut form = of_price(&price);
    form.extend([
        ("line_items[0][adjustable_quantity][enabled]", "true"),
        ("line_items[0][adjustable_quantity][maximum]", "5"),
    ]);
    let session = create(&bench, form).await;
    assert_eq!(session["amount_total"], 4_000);
    let session = id(&session);
    let lines = format!("/v1/checkout/sessions/{session}/line_items");
    let line = bench.get(&lines).await.expect(200).json()["data"][0].clone();
    assert_eq!(line["price"]["id"], *price);
    assert_eq!(
        line["adjustable_quantity"],
        json!({ "enabled": true, "maximum": 5, "minimum": 0 })
    );
    let field = format!("quantity[{}]", id(&line));
    let mut pays = by_card(CARD);
    pays.push((&field, "6"));
    let answer = bench.submit(&session, &pays).await.expect(422);
    assert!(answer.text.contains("Enter a quantity from 0 to 5."));
    pays.pop();
    pays.push((&field, "3"));
    bench.submit(&session, &pays).await.expect(303);
    let paid = bench.retrieve(&session).await;
    assert_eq!(paid["amount_total"], 6_000);
    assert_eq!(bench.charge_of(&session).await["amount"], 6_000);
}

/// All that a session may ask its buyer for.
const ASKED: [(&str, &str); 16] = [
    ("shipping_address_collection[allowed_countries][0]", "US"),
    (
        "shipping_options[0][shipping_rate_data][display_name]",
        "Post",
    ),
    (
        "shipping_options[0][shipping_rate_data][type]",
        "fixed_amount",
    ),
    (
        "shipping_options[0][shipping_rate_data][fixed_amount][amount]",
        "500",
    ),
    (
        "shipping_options[0][shipping_rate_data][fixed_amount][currency]",
        "usd",
    ),
    (
        "shipping_options[1][shipping_rate_data][display_name]",
        "Courier",
    ),
    (
        "shipping_options[1][shipping_rate_data][type]",
        "fixed_amount",
    ),
    (
        "shipping_options[1][shipping_rate_data][fixed_amount][amount]",
        "1500",
    ),
    (
        "shipping_options[1][shipping_rate_data][fixed_amount][currency]",
        "usd",
    ),
    ("phone_number_collection[enabled]", "true"),
    ("custom_fields[0][key]", "engraving"),
    ("custom_fields[0][type]", "text"),
    ("custom_fields[0][label][type]", "custom"),
    ("custom_fields[0][label][custom]", "Engraving"),
    ("consent_collection[terms_of_service]", "required"),
    ("consent_collection[promotions]", "auto"),
];

#[tokio::test]
async fn the_page_asks_for_what_the_session_asks_for() {
    let bench = Bench::start().await;
    let price = price(&bench).await;
    let mut form = of_price(&price);
    form.extend(ASKED);
    let opened = create(&bench, form).await;
    assert_eq!(opened["total_details"]["amount_shipping"], 500);
    assert_eq!(opened["custom_fields"][0]["text"]["value"], json!(null));
    let session = id(&opened);

    let answer = bench.submit(&session, &by_card(CARD)).await.expect(422);
    for field in [
        "phone",
        "shipping_name",
        "shipping_line1",
        "custom_fields[engraving]",
        "terms_of_service",
    ] {
        let told = format!("id=\"{field}_problem\"");
        assert!(answer.text.contains(&told), "{field}");
    }
    let courier = opened["shipping_options"][1]["shipping_rate"]
        .as_str()
        .unwrap();
    let mut told = by_card(CARD);
    told.extend([
        ("phone", "+1 415 555 0100"),
        ("shipping_name", "Jenny Rosen"),
        ("shipping_line1", "510 Townsend St"),
        ("shipping_city", "San Francisco"),
        ("shipping_postal_code", "94103"),
        ("shipping_state", "CA"),
        ("shipping_country", "FR"),
        ("shipping_rate", courier),
        ("custom_fields[engraving]", "To Jenny"),
        ("terms_of_service", "yes"),
    ]);
    let answer = bench.submit(&session, &told).await.expect(422);
    assert!(
        answer
            .text
            .contains("This shop does not ship to this country.")
    );
    told.push(("shipping_country", "US"));
    bench.submit(&session, &told).await.expect(303);

    let paid = bench.retrieve(&session).await;
    assert_eq!(paid["amount_total"], 5_500);
    assert_eq!(paid["shipping_cost"]["amount_total"], 1_500);
    assert_eq!(paid["shipping_cost"]["shipping_rate"], courier);
    assert_eq!(paid["customer_details"]["phone"], "+1 415 555 0100");
    let ship_to = &paid["collected_information"]["shipping_details"];
    assert_eq!(ship_to["name"], "Jenny Rosen");
    assert_eq!(ship_to["address"]["country"], "US");
    assert_eq!(paid["custom_fields"][0]["text"]["value"], "To Jenny");
    assert_eq!(
        paid["consent"],
        json!({ "promotions": "opt_out", "terms_of_service": "accepted" })
    );
    let charge = bench.charge_of(&session).await;
    assert_eq!(charge["shipping"]["name"], "Jenny Rosen");
    assert_eq!(
        charge["billing_details"]["address"]["city"],
        "San Francisco"
    );
}

#[tokio::test]
async fn automatic_tax_follows_the_buyers_country() {
    let bench = Bench::start().await;
    let price = price(&bench).await;
    let mut form = of_price(&price);
    form.push(("automatic_tax[enabled]", "true"));
    let opened = create(&bench, form).await;
    assert_eq!(
        opened["automatic_tax"]["status"],
        "requires_location_inputs"
    );
    let session = id(&opened);
    bench.submit(&session, &by_card(CARD)).await.expect(422);
    let mut pays = by_card(CARD);
    pays.extend([
        ("billing_country", "DE"),
        ("billing_line1", "Unter den Linden 1"),
        ("billing_city", "Berlin"),
        ("billing_postal_code", "10117"),
    ]);
    bench.submit(&session, &pays).await.expect(303);
    let path = format!("/v1/checkout/sessions/{session}?expand[]=total_details.breakdown");
    let paid = bench.get(&path).await.expect(200).json();
    assert_eq!(paid["automatic_tax"]["status"], "complete");
    assert_eq!(paid["amount_total"], 4_760);
    assert_eq!(paid["total_details"]["amount_tax"], 760);
    let tax = &paid["total_details"]["breakdown"]["taxes"][0];
    assert_eq!(
        (&tax["amount"], &tax["rate"]["country"]),
        (&json!(760), &json!("DE"))
    );
}

#[tokio::test]
async fn a_customer_is_made_and_finds_their_card_again() {
    let bench = Bench::start().await;
    let price = price(&bench).await;
    let before = bench.event_types().await.len();
    let mut form = of_price(&price);
    form.extend([
        ("customer_creation", "always"),
        (
            "saved_payment_method_options[payment_method_save]",
            "enabled",
        ),
    ]);
    let session = id(&create(&bench, form).await);
    let mut pays = by_card(CARD);
    pays.extend([("save", "yes"), ("name", "Jenny Rosen")]);
    bench.submit(&session, &pays).await.expect(303);
    let types = bench.event_types_after(before).await;
    assert_eq!(types.first().map(String::as_str), Some("customer.created"));
    assert!(types.contains(&"payment_method.attached".to_owned()));
    let customer = bench.retrieve(&session).await["customer"].clone();
    let customer = customer.as_str().unwrap();
    let made = bench.fetch("customers", customer).await;
    assert_eq!(
        (&made["email"], &made["name"]),
        (&json!("buyer@mail.example"), &json!("Jenny Rosen"))
    );

    let mut form = of_price(&price);
    form.push(("customer", customer));
    let again = id(&create(&bench, form).await);
    let page = bench
        .send(bench.request("GET", &format!("/pay/{again}")))
        .await;
    assert!(page.text.contains("Visa •••• 4242"));
    let saved = bench
        .get(&format!("/v1/customers/{customer}/payment_methods"))
        .await
        .json();
    let saved = id(&saved["data"][0]);
    bench
        .submit(&again, &vec![("method", &saved)])
        .await
        .expect(303);
    let paid = bench.retrieve(&again).await;
    assert_eq!(paid["payment_status"], "paid");
    assert_eq!(paid["customer_details"]["email"], "buyer@mail.example");
    assert_eq!(bench.charge_of(&again).await["payment_method"], *saved);
}

#[tokio::test]
async fn a_session_in_setup_mode_keeps_a_card_and_charges_nothing() {
    let bench = Bench::start().await;
    let customer = bench
        .post("/v1/customers", &vec![("email", "jenny@mail.example")])
        .await;
    let customer = id(&customer.json());
    let form = vec![
        ("mode", "setup"),
        ("success_url", "http://shop.example/done"),
        ("customer", customer.as_str()),
        ("currency", "usd"),
    ];
    let opened = create(&bench, form.clone()).await;
    assert_eq!(
        (
            &opened["payment_status"],
            &opened["amount_total"],
            &opened["payment_intent"]
        ),
        (&json!("no_payment_required"), &json!(null), &json!(null))
    );
    let session = id(&opened);
    bench.pay(&session, CARD).await.expect(303);
    let path = format!("/v1/checkout/sessions/{session}?expand[]=setup_intent");
    let done = bench.get(&path).await.expect(200).json();
    assert_eq!(
        (&done["status"], &done["setup_intent"]["status"]),
        (&json!("complete"), &json!("succeeded"))
    );
    let kept = format!("/v1/customers/{customer}/payment_methods");
    let kept = bench.get(&kept).await.expect(200).json();
    assert_eq!(kept["data"].as_array().unwrap().len(), 1);
    let mut wrong = form;
    wrong.push(("line_items[0][price]", "price_1"));
    wrong.push(("line_items[0][quantity]", "1"));
    assert_eq!(refused(&bench, wrong).await["param"], "line_items");
}

#[tokio::test]
async fn the_payment_intent_is_as_the_session_says() {
    let bench = Bench::start().await;
    let price = price(&bench).await;
    let mut form = of_price(&price);
    form.extend([
        ("payment_intent_data[capture_method]", "manual"),
        (
            "payment_intent_data[receipt_email]",
            "receipts@shop.example",
        ),
        ("payment_intent_data[statement_descriptor_suffix]", "MUGS"),
        (
            "payment_method_options[card][request_three_d_secure]",
            "automatic",
        ),
        ("payment_method_types[0]", "card"),
    ]);
    let opened = create(&bench, form).await;
    assert_eq!(opened["payment_method_types"], json!(["card"]));
    let session = id(&opened);
    bench.pay(&session, CARD).await.expect(303);
    let path = format!("/v1/checkout/sessions/{session}?expand[]=payment_intent");
    let done = bench.get(&path).await.expect(200).json();
    assert_eq!(
        (&done["status"], &done["payment_status"]),
        (&json!("complete"), &json!("unpaid"))
    );
    let intent = &done["payment_intent"];
    assert_eq!(intent["status"], "requires_capture");
    assert_eq!(intent["receipt_email"], "receipts@shop.example");
    assert_eq!(intent["statement_descriptor_suffix"], "MUGS");
}

#[tokio::test]
async fn a_shop_gives_a_discount_or_lets_its_buyers_type_one() {
    let bench = Bench::start().await;
    let price = price(&bench).await;
    let mut form = of_price(&price);
    form.push(("discounts[0][coupon]", "WELCOME10"));
    let opened = create(&bench, form.clone()).await;
    assert_eq!(opened["amount_total"], 3_600);
    assert_eq!(
        opened["discounts"],
        json!([{ "coupon": "WELCOME10", "promotion_code": null }])
    );
    bench.pay(&id(&opened), CARD).await.expect(303);
    let coupon = bench.fetch("coupons", "WELCOME10").await;
    assert_eq!(coupon["times_redeemed"], 1);
    form.push(("allow_promotion_codes", "true"));
    let error = refused(&bench, form).await;
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("only specify one of these")
    );
    let mut form = of_price(&price);
    form.push(("discounts[0][coupon]", "NONE"));
    assert_eq!(refused(&bench, form).await["code"], "resource_missing");
}

#[tokio::test]
async fn an_expired_session_can_be_begun_again_if_the_shop_wants_that() {
    let bench = Bench::start().await;
    let price = price(&bench).await;
    let mut form = of_price(&price);
    form.push(("after_expiration[recovery][enabled]", "true"));
    let session = id(&create(&bench, form).await);
    let expire = format!("/v1/checkout/sessions/{session}/expire");
    let expired = bench.post(&expire, &vec![]).await.expect(200).json();
    let recovery = &expired["after_expiration"]["recovery"];
    let url = recovery["url"].as_str().unwrap();
    let path = url.strip_prefix(&bench.url).unwrap_or(url);
    let again = bench.send(bench.request("GET", path)).await.expect(303);
    let again = again
        .header("location")
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(bench.retrieve(&again).await["recovered_from"], *session);
    bench.pay(&again, CARD).await.expect(303);
}

#[tokio::test]
async fn a_session_is_changed_while_it_is_open() {
    let bench = Bench::start().await;
    let price = price(&bench).await;
    let session = id(&create(&bench, of_price(&price)).await);
    let path = format!("/v1/checkout/sessions/{session}");
    let form = vec![
        ("metadata[order]", "7"),
        ("line_items[0][price]", &price),
        ("line_items[0][quantity]", "1"),
    ];
    let changed = bench.post(&path, &form).await.expect(200).json();
    assert_eq!(changed["amount_total"], 2_000);
    assert_eq!(changed["metadata"], json!({ "order": "7" }));
    bench.pay(&session, CARD).await.expect(303);
    bench.post(&path, &form).await.expect(400);
    let form = vec![("metadata[order]", "8")];
    let changed = bench.post(&path, &form).await.expect(200).json();
    assert_eq!(changed["metadata"]["order"], "8");
}

#[tokio::test]
async fn the_cli_pays_a_session_without_its_page() {
    let bench = Bench::start().await;
    let price = price(&bench).await;
    let session = id(&create(&bench, of_price(&price)).await);
    bench
        .get(&format!("/v1/payment_pages/{session}"))
        .await
        .expect(200);
    let confirm = format!("/v1/payment_pages/{session}/confirm");
    let form = vec![
        ("payment_method", "pm_card_visa"),
        ("expected_amount", "3000"),
    ];
    bench.post(&confirm, &form).await.expect(400);
    let form = vec![
        ("payment_method", "pm_card_visa"),
        ("expected_amount", "4000"),
    ];
    bench.post(&confirm, &form).await.expect(200);
    assert_eq!(bench.retrieve(&session).await["payment_status"], "paid");
}

#[tokio::test]
async fn what_is_not_here_is_refused_by_name() {
    let bench = Bench::start().await;
    let price = price(&bench).await;
    for (param, value, named) in [
        ("ui_mode", "embedded_page", "ui_mode"),
        ("ui_mode", "elements", "ui_mode"),
        (
            "tax_id_collection[enabled]",
            "true",
            "tax_id_collection[enabled]",
        ),
        (
            "payment_intent_data[application_fee_amount]",
            "1",
            "payment_intent_data[application_fee_amount]",
        ),
        (
            "payment_method_configuration",
            "pmc_1",
            "payment_method_configuration",
        ),
        ("return_url", "http://shop.example", "return_url"),
        ("customer_update[name]", "auto", "customer_update"),
        ("payment_method_types[0]", "klarna", "payment_method_types"),
    ] {
        let mut form = of_price(&price);
        form.retain(|(name, _)| *name != param);
        form.push((param, value));
        assert_eq!(
            refused(&bench, form).await["param"],
            named,
            "{param}={value}"
        );
    }
    for taken in [
        ("invoice_creation[enabled]", "false"),
        ("ui_mode", "hosted"),
        ("submit_type", "donate"),
    ] {
        let mut form = of_price(&price);
        form.push(taken);
        create(&bench, form).await;
    }
}

#[tokio::test]
async fn what_a_session_is_paid_with_is_not_changed_behind_its_back() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    let challenged = bench.pay(&session, "4000000000003220").await.expect(303);
    assert!(challenged.header("location").unwrap().contains("/3ds/pi_"));
    let intent = bench.retrieve(&session).await["payment_intent"].clone();
    let intent = format!("/v1/payment_intents/{}", intent.as_str().unwrap());
    for (field, value) in [
        ("amount", "50"),
        ("currency", "eur"),
        ("payment_method", "pm_card_visa"),
        ("capture_method", "manual"),
        ("setup_future_usage", "off_session"),
    ] {
        let refused = bench.post(&intent, &vec![(field, value)]).await.expect(400);
        assert_eq!(refused.error()["param"], field);
        assert_eq!(refused.error()["code"], "payment_intent_unexpected_state");
    }
    let noted = vec![("metadata[order]", "7"), ("description", "A mug")];
    let noted = bench.post(&intent, &noted).await.expect(200).json();
    assert_eq!(
        (&noted["amount"], &noted["description"]),
        (&json!(1500), &json!("A mug"))
    );
}

#[tokio::test]
async fn what_a_session_sets_up_is_left_to_its_page() {
    let bench = Bench::start().await;
    let form = vec![
        ("mode", "setup"),
        ("success_url", "http://shop.example/done"),
        ("currency", "usd"),
    ];
    let opened = create(&bench, form).await;
    let setup = opened["setup_intent"].as_str().unwrap();
    let path = format!("/v1/setup_intents/{setup}");
    let visa = vec![("payment_method", "pm_card_visa")];
    for (what, form) in [
        ("", visa.clone()),
        ("/confirm", visa.clone()),
        ("/cancel", vec![]),
    ] {
        let refused = bench
            .post(&format!("{path}{what}"), &form)
            .await
            .expect(400);
        assert_eq!(refused.error()["code"], "setup_intent_unexpected_state");
    }
    bench
        .post(&path, &vec![("metadata[a]", "b")])
        .await
        .expect(200);
    bench.pay(&id(&opened), CARD).await.expect(303);
    let done = bench.fetch("setup_intents", setup).await;
    assert_eq!(done["status"], "succeeded");
    let told = bench.event_types().await;
    let succeeded = told.iter().filter(|it| *it == "setup_intent.succeeded");
    assert_eq!(succeeded.count(), 1);
}
