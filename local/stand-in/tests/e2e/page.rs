use serde_json::json;

use crate::bench::{Bench, CARD, DECLINED, Form, by_bank, by_card, id, one_mug};

async fn page(bench: &Bench, session: &str) -> crate::bench::Answer {
    bench
        .send(bench.request("GET", &format!("/pay/{session}")))
        .await
}

#[tokio::test]
async fn a_paid_session_leads_back_to_the_shop() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    let answer = bench.pay(&session, CARD).await.expect(303);
    let back = format!("http://shop.example/success?session={session}");
    assert_eq!(answer.header("location"), Some(back.as_str()));

    let paid = bench.retrieve(&session).await;
    assert_eq!(
        (&paid["status"], &paid["payment_status"]),
        (&json!("complete"), &json!("paid"))
    );
    assert_eq!(paid["customer_details"]["email"], "buyer@mail.example");
    assert_eq!(paid["url"], json!(null));
    assert_eq!(
        bench.event_types().await,
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed",
            "charge.updated"
        ]
    );
    let done = page(&bench, &session).await.expect(200).text;
    assert!(done.contains("This purchase is complete") && done.contains("session=cs_test_"));
    assert!(!done.contains("<input"));
}

#[tokio::test]
async fn a_declined_card_leaves_the_session_open() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    let answer = bench.pay(&session, DECLINED).await.expect(402);
    let told = answer.text.matches("Your card was declined.").count();
    assert_eq!(told, 1, "{}", answer.text);
    assert!(
        answer.text.contains("buyer@mail.example"),
        "what was typed is kept"
    );
    let answer = bench.pay(&session, "4000 0000 0000 9995").await.expect(402);
    assert!(answer.text.contains("Your card has insufficient funds."));

    let open = bench
        .get(&format!(
            "/v1/checkout/sessions/{session}?expand[]=payment_intent.latest_charge"
        ))
        .await
        .json();
    assert_eq!(
        (&open["status"], &open["payment_status"]),
        (&json!("open"), &json!("unpaid"))
    );
    let intent = &open["payment_intent"];
    assert_eq!(intent["status"], "requires_payment_method");
    assert_eq!(intent["last_payment_error"]["code"], "card_declined");
    assert_eq!(
        intent["last_payment_error"]["decline_code"],
        "insufficient_funds"
    );
    assert_eq!(intent["latest_charge"]["status"], "failed");
    let tries = ["charge.failed", "payment_intent.payment_failed"];
    let declined = [&["payment_intent.created"][..], &tries, &tries].concat();
    assert_eq!(bench.event_types().await, declined);

    bench.pay(&session, CARD).await.expect(303);
    let paid = bench
        .get(&format!(
            "/v1/checkout/sessions/{session}?expand[]=payment_intent"
        ))
        .await
        .json();
    assert_eq!(
        paid["payment_intent"]["id"], intent["id"],
        "every try is for the same intent"
    );
    assert_eq!(paid["payment_intent"]["last_payment_error"], json!(null));
}

#[tokio::test]
async fn what_is_mistyped_changes_nothing() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    let cases: [(&str, &str, &str); 7] = [
        ("email", "buyer", "Your email address is incomplete."),
        ("email", "", "Enter an email address."),
        (
            "card_number",
            "4242424242424241",
            "Your card number is invalid.",
        ),
        ("card_number", "", "Enter a card number."),
        ("exp", "01 / 20", "expiration date is in the past."),
        ("cvc", "1", "security code is incomplete."),
        (
            "method",
            "barter",
            "This payment method is not available here.",
        ),
    ];
    for (field, value, message) in cases {
        let mut form = by_card(CARD);
        form.retain(|(name, _)| *name != field);
        form.push((field, value));
        let answer = bench.submit(&session, &form).await.expect(422);
        assert!(answer.text.contains(message), "{field}={value}");
        assert!(answer.text.contains("aria-invalid") || field == "method");
    }
    bench.submit(&session, &vec![]).await.expect(422);
    assert_eq!(
        bench.retrieve(&session).await["payment_intent"],
        json!(null)
    );
    assert_eq!(bench.event_types().await, [""; 0]);
}

#[tokio::test]
async fn a_form_that_comes_twice_pays_once() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    let answers = futures::future::join_all((0..10).map(|_| bench.pay(&session, CARD))).await;
    for answer in answers {
        assert!(
            answer
                .expect(303)
                .header("location")
                .unwrap()
                .contains(&session)
        );
    }
    let charges = bench.get("/v1/charges").await.expect(200).json();
    assert_eq!(charges["data"].as_array().unwrap().len(), 1);
    assert_eq!(bench.event_types().await.len(), 5);
}

/// How a delayed payment ends.
struct Ending {
    /// What the bank says.
    verdict: &'static str,
    /// What then becomes of the session, its intent and its charge.
    session: &'static str,
    intent: &'static str,
    charge: &'static str,
    events: &'static [&'static str],
    /// What the page tells.
    told: &'static str,
}

const ENDINGS: [Ending; 2] = [
    Ending {
        verdict: "succeed",
        session: "paid",
        intent: "succeeded",
        charge: "succeeded",
        events: &[
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.async_payment_succeeded",
            "charge.updated",
        ],
        told: "This purchase is complete",
    },
    Ending {
        verdict: "fail",
        session: "unpaid",
        intent: "requires_payment_method",
        charge: "failed",
        events: &[
            "charge.failed",
            "payment_intent.payment_failed",
            "checkout.session.async_payment_failed",
        ],
        told: "The payment did not arrive",
    },
];

#[tokio::test]
async fn a_delayed_payment_is_settled_by_its_bank() {
    for end in ENDINGS {
        let bench = Bench::start().await;
        let session = bench.session().await;
        let settle = format!("sessions/{session}/{}", end.verdict);
        bench.control(&settle, &vec![]).await.expect(400);
        bench.submit(&session, &by_bank()).await.expect(303);
        let path = format!("/v1/checkout/sessions/{session}?expand[]=payment_intent.latest_charge");
        let placed = bench.get(&path).await.json();
        assert_eq!(
            (&placed["status"], &placed["payment_status"]),
            (&json!("complete"), &json!("unpaid"))
        );
        assert_eq!(placed["payment_intent"]["status"], "processing");
        assert_eq!(
            placed["payment_intent"]["latest_charge"]["status"],
            "pending"
        );
        let so_far = bench.event_types().await;
        assert_eq!(
            so_far,
            [
                "payment_intent.created",
                "charge.pending",
                "payment_intent.processing",
                "checkout.session.completed"
            ]
        );
        assert!(
            page(&bench, &session)
                .await
                .expect(200)
                .text
                .contains("Your payment is processing")
        );

        bench.control(&settle, &vec![]).await.expect(200);
        bench.control(&settle, &vec![]).await.expect(400);
        let settled = bench.get(&path).await.json();
        assert_eq!(
            (&settled["status"], &settled["payment_status"]),
            (&json!("complete"), &json!(end.session))
        );
        assert_eq!(settled["payment_intent"]["status"], end.intent);
        assert_eq!(
            settled["payment_intent"]["latest_charge"]["status"],
            end.charge
        );
        assert_eq!(bench.event_types().await[so_far.len()..], *end.events);
        let text = page(&bench, &session).await.expect(200).text;
        assert!(text.contains(end.told));
    }
}

#[tokio::test]
async fn a_person_who_settles_a_payment_goes_back_to_its_page() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    bench.submit(&session, &by_bank()).await.expect(303);
    let press = bench
        .request("POST", &format!("/_stripe/sessions/{session}/succeed"))
        .header("Accept", "text/html,*/*;q=0.8")
        .header("Origin", &bench.url);
    let answer = bench.send(press).await.expect(303);
    assert_eq!(
        answer.header("location"),
        Some(format!("/pay/{session}").as_str())
    );
    bench
        .control("sessions/cs_test_none/fail", &vec![])
        .await
        .expect(404);
}

#[tokio::test]
async fn bank_debits_are_offered_where_stripe_has_them() {
    let bench = Bench::start().await;
    for (currency, offered) in [("usd", true), ("eur", true), ("gbp", true), ("jpy", false)] {
        let mut form = one_mug();
        form.retain(|(name, _)| !name.ends_with("[currency]"));
        form.push(("line_items[0][price_data][currency]", currency));
        let session = id(&bench
            .post("/v1/checkout/sessions", &form)
            .await
            .expect(200)
            .json());
        assert_eq!(
            page(&bench, &session)
                .await
                .text
                .contains("value=\"bank_debit\""),
            offered
        );
        let status = if offered { 303 } else { 422 };
        bench.submit(&session, &by_bank()).await.expect(status);
    }
}

/// A session about one mug in this currency.
async fn session_in(bench: &Bench, currency: &str) -> String {
    let mut form = one_mug();
    form.retain(|(name, _)| !name.ends_with("[currency]"));
    form.push(("line_items[0][price_data][currency]", currency));
    let made = bench.post("/v1/checkout/sessions", &form).await;
    id(&made.expect(200).json())
}

/// What becomes of a session whose voucher ends like this, and of its intent; and the events of that.
fn end_of_voucher(ends: &str) -> (&'static str, &'static str, &'static [&'static str]) {
    match ends {
        "succeed" => (
            "paid",
            "succeeded",
            &[
                "charge.succeeded",
                "payment_intent.succeeded",
                "checkout.session.async_payment_succeeded",
                "charge.updated",
            ],
        ),
        _ => (
            "unpaid",
            "requires_payment_method",
            &[
                "payment_intent.payment_failed",
                "checkout.session.async_payment_failed",
            ],
        ),
    }
}

#[tokio::test]
async fn a_voucher_is_offered_where_stripe_has_one_and_paid_or_not_afterwards() {
    let voucher = vec![("email", "buyer@mail.example"), ("method", "voucher")];
    for (currency, method, ends) in [
        ("mxn", Some("oxxo"), "succeed"),
        ("brl", Some("boleto"), "fail"),
        ("jpy", Some("konbini"), "succeed"),
        ("eur", Some("multibanco"), "fail"),
        ("usd", None, ""),
    ] {
        let bench = Bench::start().await;
        let session = session_in(&bench, currency).await;
        let offered = page(&bench, &session).await.text;
        assert_eq!(offered.contains("value=\"voucher\""), method.is_some());
        let Some(method) = method else {
            bench.submit(&session, &voucher).await.expect(422);
            continue;
        };
        bench.submit(&session, &voucher).await.expect(303);
        let expanded = format!("/v1/checkout/sessions/{session}?expand[]=payment_intent");
        let taken = bench.get(&expanded).await.expect(200).json();
        assert_eq!(
            (&taken["status"], &taken["payment_status"]),
            (&json!("complete"), &json!("unpaid"))
        );
        let intent = &taken["payment_intent"];
        assert_eq!(intent["status"], "requires_action");
        assert_eq!(intent["latest_charge"], json!(null));
        let kind = format!("{method}_display_details");
        assert_eq!(intent["next_action"]["type"], *kind);
        let shown = &intent["next_action"][&kind]["hosted_voucher_url"];
        assert!(
            shown
                .as_str()
                .unwrap()
                .ends_with(&format!("/pay/{session}"))
        );
        let so_far = bench.event_types().await;
        let expected = [
            "payment_intent.created",
            "payment_intent.requires_action",
            "checkout.session.completed",
        ];
        assert_eq!(so_far, expected);
        assert!(page(&bench, &session).await.text.contains("They do not"));

        bench
            .control(&format!("sessions/{session}/{ends}"), &vec![])
            .await
            .expect(200);
        let ended = bench.get(&expanded).await.expect(200).json();
        let (paid, status, events) = end_of_voucher(ends);
        assert_eq!(ended["payment_status"], paid);
        assert_eq!(ended["payment_intent"]["status"], status);
        assert_eq!(ended["payment_intent"]["next_action"], json!(null));
        assert_eq!(bench.event_types().await[so_far.len()..], *events);
        bench
            .control(&format!("sessions/{session}/{ends}"), &vec![])
            .await
            .expect(400);
    }
}

#[tokio::test]
async fn an_order_for_nothing_needs_no_payment() {
    let bench = Bench::start().await;
    let mut form = one_mug();
    form.retain(|(name, _)| !name.ends_with("[unit_amount]"));
    form.push(("line_items[0][price_data][unit_amount]", "0"));
    let session = id(&bench
        .post("/v1/checkout/sessions", &form)
        .await
        .expect(200)
        .json());
    assert!(
        !page(&bench, &session)
            .await
            .text
            .contains("name=\"card_number\"")
    );
    bench
        .submit(&session, &vec![("email", "buyer@mail.example")])
        .await
        .expect(303);
    let done = bench.retrieve(&session).await;
    assert_eq!(
        (&done["status"], &done["payment_status"]),
        (&json!("complete"), &json!("no_payment_required"))
    );
    assert_eq!(done["payment_intent"], json!(null));
    assert_eq!(bench.event_types().await, ["checkout.session.completed"]);
}

#[tokio::test]
async fn the_page_shows_the_order_and_only_as_text() {
    let bench = Bench::start().await;
    let mut form: Form<'_> = one_mug();
    form.retain(|(name, _)| !name.ends_with("[name]"));
    form.extend([
        (
            "line_items[0][price_data][product_data][name]",
            "<script>alert('mug')</script>",
        ),
        ("customer_email", "known+\"x\"@mail.example"),
        ("cancel_url", "http://shop.example/cancel?a=1&b=2"),
    ]);
    let session = id(&bench
        .post("/v1/checkout/sessions", &form)
        .await
        .expect(200)
        .json());
    let answer = page(&bench, &session).await.expect(200);
    assert!(answer.text.contains("$15.00"));
    assert!(!answer.text.contains("<script>alert"));
    assert!(!answer.text.contains("known+\"x\""));
    assert!(
        answer.text.contains("@mail.example\""),
        "the email is filled in"
    );
    assert!(
        answer
            .text
            .contains("http://shop.example/cancel?a=1&#38;b=2")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_session_that_is_over_or_unknown_cannot_be_paid() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    bench
        .post(&format!("/v1/checkout/sessions/{session}/expire"), &vec![])
        .await
        .expect(200);
    assert!(
        page(&bench, &session)
            .await
            .expect(200)
            .text
            .contains("This checkout has expired")
    );
    let answer = bench.pay(&session, CARD).await.expect(409);
    assert!(answer.text.contains("This checkout has expired"));
    assert_eq!(bench.retrieve(&session).await["status"], "expired");

    for answer in [
        page(&bench, "cs_test_none").await,
        bench.pay("cs_test_none", CARD).await,
    ] {
        assert!(
            answer
                .expect(404)
                .text
                .contains("There is no such checkout")
        );
    }
}

#[tokio::test]
async fn no_other_site_reaches_the_page_or_the_switches() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    let paths = [
        format!("/pay/{session}"),
        "/_stripe/deliveries".to_owned(),
        "/_stripe/clock".to_owned(),
    ];
    for path in &paths {
        for host in ["rebound.example", "localhost", "127.0.0.1:1"] {
            bench
                .send(bench.request("GET", path).header("Host", host))
                .await
                .expect(403);
        }
        bench.send(bench.request("GET", path)).await.expect(200);
    }
    for origin in ["http://evil.example", "null", "http://127.0.0.1:3000"] {
        let pay = bench
            .request("POST", &paths[0])
            .header("Origin", origin)
            .form(&by_card(CARD));
        bench.send(pay).await.expect(403);
        let form: Form<'_> = vec![("advance", "1")];
        let clock = bench
            .request("POST", "/_stripe/clock")
            .header("Origin", origin)
            .form(&form);
        bench.send(clock).await.expect(403);
    }
    assert_eq!(bench.retrieve(&session).await["status"], "open");
    let own = bench
        .request("POST", &paths[0])
        .header("Origin", &bench.url)
        .form(&by_card(CARD));
    bench.send(own).await.expect(303);
}

#[tokio::test]
async fn countries_are_named_before_any_script_runs() {
    let bench = Bench::start().await;
    let form = [
        one_mug(),
        vec![
            ("shipping_address_collection[allowed_countries][0]", "GB"),
            ("shipping_address_collection[allowed_countries][1]", "DE"),
        ],
    ]
    .concat();
    let session = bench.post("/v1/checkout/sessions", &form).await;
    let session = id(&session.expect(200).json());
    let shown = page(&bench, &session).await.text;
    let place = |option: &str| shown.find(option).unwrap_or_else(|| panic!("{option}"));
    let germany = place("<option value=\"DE\">Germany</option>");
    assert!(
        germany < place("<option value=\"GB\">United Kingdom</option>"),
        "by name"
    );
    assert!(
        place("<option value=\"AF\">Afghanistan</option>") > germany,
        "for billing"
    );
}
