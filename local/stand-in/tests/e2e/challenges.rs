//! 3D Secure: cards that want their buyer, the page that asks them, and what comes of it.

use serde_json::{Value, json};

use crate::bench::{Bench, by_card, id};

/// Wants a proof at every payment.
const REQUIRED: &str = "4000000000003220";
/// Wants a proof, and has no money then.
const REQUIRED_AND_POOR: &str = "4000008260003178";

/// An intent over 20 dollars, confirmed with this payment method.
async fn confirmed(bench: &Bench, method: &str, more: &[(&str, &str)]) -> Value {
    let form = [
        &[
            ("amount", "2000"),
            ("currency", "usd"),
            ("payment_method", method),
            ("payment_method_types[]", "card"),
            ("confirm", "true"),
        ],
        more,
    ]
    .concat();
    bench
        .post("/v1/payment_intents", &form)
        .await
        .expect(200)
        .json()
}

/// What the buyer does on their bank's page; returns where they go.
async fn answer(bench: &Bench, intent: &Value, outcome: &str) -> Option<String> {
    let path = format!("/3ds/{}", id(intent));
    let form = vec![("outcome", outcome)];
    let answer = bench.send(bench.request("POST", &path).form(&form)).await;
    answer.header("location").map(str::to_owned)
}

#[tokio::test]
async fn a_buyer_is_sent_to_their_bank_and_comes_back_having_paid() {
    let bench = Bench::start().await;
    let back = [("return_url", "https://shop.example/done?order=7")];
    let intent = confirmed(&bench, "pm_card_threeDSecure2Required", &back).await;
    assert_eq!(intent["status"], "requires_action");
    let action = &intent["next_action"];
    assert_eq!(action["type"], "redirect_to_url");
    let page = action["redirect_to_url"]["url"].as_str().unwrap();
    let shown = bench
        .send(bench.request("GET", page.strip_prefix(&bench.url).unwrap()))
        .await
        .expect(200);
    for expected in ["$20.00", "Mugs on this machine", "•••• 3220"] {
        assert!(shown.text.contains(expected), "{expected}");
    }

    let url = answer(&bench, &intent, "complete").await.unwrap();
    let secret = intent["client_secret"].as_str().unwrap();
    assert_eq!(
        url,
        format!(
            "https://shop.example/done?order=7&payment_intent={}&payment_intent_client_secret={secret}\
             &redirect_status=succeeded",
            id(&intent)
        )
    );
    let paid = bench.fetch("payment_intents", &id(&intent)).await;
    assert_eq!(paid["status"], "succeeded");
    let charge = bench
        .fetch("charges", paid["latest_charge"].as_str().unwrap())
        .await;
    let proof = &charge["payment_method_details"]["card"]["three_d_secure"];
    assert_eq!(
        (&proof["authentication_flow"], &proof["result"]),
        (&json!("challenge"), &json!("authenticated"))
    );
    assert_eq!(
        bench.event_types().await,
        [
            "payment_intent.created",
            "payment_intent.requires_action",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated"
        ]
    );
    assert_eq!(answer(&bench, &intent, "complete").await, None, "only once");
}

#[tokio::test]
async fn a_buyer_who_fails_or_walks_away_has_not_paid() {
    for outcome in ["fail", "cancel"] {
        let bench = Bench::start().await;
        let back = [("return_url", "https://shop.example/done")];
        let intent = confirmed(&bench, "pm_card_authenticationRequired", &back).await;
        let url = answer(&bench, &intent, outcome).await.unwrap();
        assert!(url.ends_with("&redirect_status=failed"), "{url}");
        let failed = bench.fetch("payment_intents", &id(&intent)).await;
        assert_eq!(failed["status"], "requires_payment_method");
        assert_eq!(failed["latest_charge"], json!(null));
        assert_eq!(
            failed["last_payment_error"]["code"],
            "payment_intent_authentication_failure"
        );
        assert_eq!(
            bench.event_types().await.last().unwrap(),
            "payment_intent.payment_failed"
        );
    }
}

#[tokio::test]
async fn an_issuer_may_still_say_no_to_a_buyer_who_has_proved_who_they_are() {
    let bench = Bench::start().await;
    let method = typed(&bench, REQUIRED_AND_POOR).await;
    let intent = confirmed(&bench, &method, &[]).await;
    assert_eq!(intent["next_action"]["type"], "use_stripe_sdk");
    let path = format!("payment_intents/{}/authenticate", id(&intent));
    let form = vec![("outcome", "succeed")];
    bench.control(&path, &form).await.expect(200);
    let declined = bench.fetch("payment_intents", &id(&intent)).await;
    assert_eq!(declined["status"], "requires_payment_method");
    assert_eq!(
        declined["last_payment_error"]["decline_code"],
        "insufficient_funds"
    );
    bench.control(&path, &form).await.expect(400);
}

/// A payment method for a card that somebody types.
async fn typed(bench: &Bench, number: &str) -> String {
    let form = vec![
        ("type", "card"),
        ("card[number]", number),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "2040"),
        ("card[cvc]", "123"),
    ];
    let method = bench.post("/v1/payment_methods", &form).await;
    id(&method.expect(200).json())
}

#[tokio::test]
async fn nobody_who_is_away_is_asked() {
    let bench = Bench::start().await;
    let form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_authenticationRequired"),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
        ("off_session", "true"),
    ];
    let refused = bench.post("/v1/payment_intents", &form).await.expect(402);
    assert_eq!(refused.error()["code"], "authentication_required");
    assert_eq!(
        refused.error()["payment_intent"]["status"],
        "requires_payment_method"
    );
}

#[tokio::test]
async fn a_shop_that_confirms_by_hand_does_so_again_after_the_proof() {
    let bench = Bench::start().await;
    let manual = [("confirmation_method", "manual")];
    let intent = confirmed(&bench, "pm_card_authenticationRequired", &manual).await;
    answer(&bench, &intent, "complete").await;
    let proved = bench.fetch("payment_intents", &id(&intent)).await;
    assert_eq!(proved["status"], "requires_confirmation");
    let path = format!("/v1/payment_intents/{}/confirm", id(&intent));
    let paid = bench.post(&path, &vec![]).await.expect(200).json();
    assert_eq!(paid["status"], "succeeded");
}

#[tokio::test]
async fn a_card_that_was_set_up_with_a_proof_pays_without_its_buyer() {
    let bench = Bench::start().await;
    let customer = bench
        .post("/v1/customers", &vec![])
        .await
        .expect(200)
        .json();
    let customer = id(&customer);
    let form = vec![
        ("customer", customer.as_str()),
        ("payment_method", "pm_card_authenticationRequiredOnSetup"),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
        ("return_url", "https://shop.example/saved"),
    ];
    let setup = bench
        .post("/v1/setup_intents", &form)
        .await
        .expect(200)
        .json();
    assert_eq!(setup["status"], "requires_action");
    let url = answer(&bench, &setup, "complete").await.unwrap();
    assert!(url.contains("setup_intent_client_secret=") && url.ends_with("=succeeded"));
    let done = bench.fetch("setup_intents", &id(&setup)).await;
    assert_eq!(done["status"], "succeeded");
    let method = done["payment_method"].as_str().unwrap();
    let paid = confirmed(
        &bench,
        method,
        &[("customer", &customer), ("off_session", "true")],
    )
    .await;
    assert_eq!(paid["status"], "succeeded");
}

#[tokio::test]
async fn the_payment_page_leads_to_the_bank_and_back() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    let sent = bench.submit(&session, &by_card(REQUIRED)).await.expect(303);
    let bank = sent.header("location").unwrap().to_owned();
    assert!(
        bank.starts_with(&format!("{}/3ds/pi_", bench.url)),
        "{bank}"
    );
    let open = bench.retrieve(&session).await;
    assert_eq!(open["status"], "open");

    let intent = json!({ "id": open["payment_intent"] });
    let back = answer(&bench, &intent, "fail").await.unwrap();
    assert_eq!(back, open["url"]);
    let page = bench
        .send(bench.request("GET", &format!("/pay/{session}")))
        .await;
    assert!(page.text.contains("unable to authenticate"));

    bench.submit(&session, &by_card(REQUIRED)).await.expect(303);
    let shop = answer(&bench, &intent, "complete").await.unwrap();
    assert_eq!(
        shop,
        format!("http://shop.example/success?session={session}")
    );
    let paid = bench.retrieve(&session).await;
    assert_eq!(
        (&paid["status"], &paid["payment_status"]),
        (&json!("complete"), &json!("paid"))
    );
    assert_eq!(paid["customer_details"]["email"], "buyer@mail.example");
    assert_eq!(
        bench.event_types_after(3).await,
        [
            "payment_intent.requires_action",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed",
            "charge.updated"
        ]
    );
}

#[tokio::test]
async fn a_bank_page_that_is_opened_again_says_what_became_of_the_payment() {
    let bench = Bench::start().await;
    let back = [("return_url", "https://shop.example/done")];
    let again = async |intent: &Value| {
        let page = bench.request("GET", &format!("/3ds/{}", id(intent)));
        bench.send(page).await.expect(200).text
    };
    let paid = confirmed(&bench, "pm_card_threeDSecure2Required", &back).await;
    answer(&bench, &paid, "complete").await.unwrap();
    assert!(again(&paid).await.contains("This payment has succeeded"));
    // Whoever presses the button of a page that was still open is told the same.
    let path = format!("/3ds/{}", id(&paid));
    let late = bench.request("POST", &path).form(&[("outcome", "fail")]);
    let late = bench.send(late).await.expect(200).text;
    assert!(late.contains("This payment has succeeded"));

    let failed = confirmed(&bench, "pm_card_threeDSecure2Required", &back).await;
    answer(&bench, &failed, "fail").await.unwrap();
    let now = bench.fetch("payment_intents", &id(&failed)).await;
    let why = now["last_payment_error"]["message"].as_str().unwrap();
    let seen = again(&failed).await;
    assert!(seen.contains("This payment did not go through"), "{seen}");
    assert!(seen.contains(why), "{why} in {seen}");

    let gone = confirmed(&bench, "pm_card_threeDSecure2Required", &back).await;
    let cancel = format!("/v1/payment_intents/{}/cancel", id(&gone));
    bench.post(&cancel, &vec![]).await.expect(200);
    assert!(again(&gone).await.contains("This payment was canceled"));
    bench
        .send(bench.request("GET", "/3ds/pi_nope"))
        .await
        .expect(404);
}
