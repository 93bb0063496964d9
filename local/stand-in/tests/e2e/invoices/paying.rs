//! How invoices are paid: by the shop, on their page, with the shop's own intents.

use serde_json::json;

use super::{INVOICES, act, act_refused, customer, draft, item, post, refused, sums};
use crate::bench::{Bench, id};

#[tokio::test]
async fn an_invoice_is_finalized_and_paid_with_the_customers_default() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let so_far = bench.event_types().await.len();
    let open = act(&bench, &invoice, "finalize", &vec![]).await;
    assert_eq!(open["status"], "open");
    assert_eq!(open["number"], "ADA-0001");
    assert_eq!(open["attempted"], false);
    assert_eq!(open["ending_balance"], 0);
    assert!(open["hosted_invoice_url"].is_string());
    assert_eq!(
        bench.event_types_after(so_far).await,
        ["payment_intent.created", "invoice.finalized"]
    );
    let so_far = bench.event_types().await.len();
    let paid = act(&bench, &invoice, "pay", &vec![("expand[]", "payments")]).await;
    assert_eq!(paid["status"], "paid");
    assert_eq!(sums(&paid), [2000, 2000, 2000, 2000, 0]);
    assert_eq!(
        (&paid["attempt_count"], &paid["attempted"]),
        (&json!(1), &json!(true))
    );
    assert!(paid["status_transitions"]["paid_at"].is_i64());
    let payment = &paid["payments"]["data"][0];
    assert_eq!(payment["object"], "invoice_payment");
    assert_eq!(payment["status"], "paid");
    assert_eq!(payment["amount_paid"], 2000);
    assert_eq!(payment["is_default"], true);
    let events = bench.event_types_after(so_far).await;
    let told: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_eq!(
        told.iter()
            .filter(|it| it.starts_with("invoice"))
            .collect::<Vec<_>>(),
        [
            &"invoice.updated",
            &"invoice.paid",
            &"invoice.payment_succeeded",
            &"invoice_payment.paid"
        ]
    );
    assert!(told.contains(&"charge.succeeded") && told.contains(&"payment_intent.succeeded"));

    let intent = payment["payment"]["payment_intent"].as_str().unwrap();
    let intent = bench.fetch("payment_intents", intent).await;
    assert_eq!(intent["payment_details"]["order_reference"], invoice["id"]);
    assert_eq!(intent["customer"], json!(ada));
    let listed = bench
        .get(&format!("/v1/invoice_payments?invoice={}", id(&invoice)))
        .await
        .json();
    assert_eq!(listed["data"], json!([payment]));
    let error = act_refused(&bench, &invoice, "pay", &vec![]).await;
    assert_eq!(error["message"], "Invoice is already paid");
}

#[tokio::test]
async fn paying_a_draft_finalizes_it_first() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let error = act_refused(&bench, &invoice, "pay", &vec![]).await;
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("default_payment_method")
    );
    let after = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(after["status"], "draft", "a refused call changes nothing");
    let error = act_refused(
        &bench,
        &invoice,
        "pay",
        &vec![("payment_method", "pm_card_visa")],
    )
    .await;
    assert_eq!(error["param"], "payment_method", "it is not the customer's");
    let card = post(
        &bench,
        "/v1/payment_methods/pm_card_visa/attach",
        &vec![("customer", ada.as_str())],
    )
    .await;
    let paid = act(
        &bench,
        &invoice,
        "pay",
        &vec![("payment_method", &id(&card))],
    )
    .await;
    assert_eq!(
        (&paid["status"], &paid["number"]),
        (&json!("paid"), &json!("ADA-0001"))
    );
}

#[tokio::test]
async fn a_declined_card_leaves_the_invoice_open() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_chargeCustomerFail").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let so_far = bench.event_types().await.len();
    let path = format!("{INVOICES}/{}/pay", id(&invoice));
    let error = bench.post(&path, &vec![]).await.expect(402).error();
    assert_eq!(
        (&error["type"], &error["code"]),
        (&json!("card_error"), &json!("card_declined"))
    );
    assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
    let open = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(
        (&open["status"], &open["attempt_count"], &open["attempted"]),
        (&json!("open"), &json!(1), &json!(true))
    );
    assert_eq!(open["next_payment_attempt"], json!(null));
    assert_eq!(
        bench.event_types_after(so_far).await,
        [
            "payment_intent.created",
            "invoice.finalized",
            "charge.failed",
            "payment_intent.payment_failed",
            "invoice.payment_failed",
            "invoice.updated",
        ]
    );
    let card = post(
        &bench,
        "/v1/payment_methods/pm_card_visa/attach",
        &vec![("customer", ada.as_str())],
    )
    .await;
    let paid = act(
        &bench,
        &invoice,
        "pay",
        &vec![("payment_method", &id(&card))],
    )
    .await;
    assert_eq!(
        (&paid["status"], &paid["attempt_count"]),
        (&json!("paid"), &json!(1)),
        "only the first try of the shop's counts"
    );
}

#[tokio::test]
async fn a_challenge_is_told_and_its_answer_pays_the_invoice() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_threeDSecure2Required").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let path = format!("{INVOICES}/{}/pay", id(&invoice));
    let error = bench.post(&path, &vec![]).await.expect(402).error();
    assert_eq!(error["code"], "invoice_payment_intent_requires_action");
    let intent = error["payment_intent"].clone();
    assert_eq!(intent["status"], "requires_action");
    let told = bench.latest("invoice.payment_action_required").await;
    assert_eq!(told["data"]["object"]["id"], invoice["id"]);

    let path = format!("payment_intents/{}/authenticate", id(&intent));
    bench
        .control(&path, &vec![("outcome", "succeed")])
        .await
        .expect(200);
    let paid = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(
        (&paid["status"], &paid["amount_paid"]),
        (&json!("paid"), &json!(2000))
    );
}

#[tokio::test]
async fn the_payment_intent_of_an_invoice_can_be_confirmed_by_the_shop() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let open = act(
        &bench,
        &invoice,
        "finalize",
        &vec![
            ("expand[]", "confirmation_secret"),
            ("expand[]", "payments"),
        ],
    )
    .await;
    let secret = open["confirmation_secret"]["client_secret"]
        .as_str()
        .unwrap();
    let intent = open["payments"]["data"][0]["payment"]["payment_intent"]
        .as_str()
        .unwrap();
    assert!(secret.starts_with(intent));
    let path = format!("/v1/payment_intents/{intent}");
    refused(&bench, &format!("{path}/cancel"), &vec![]).await;
    refused(&bench, &path, &vec![("amount", "100")]).await;
    let form = vec![("payment_method", "pm_card_visa")];
    post(&bench, &format!("{path}/confirm"), &form).await;
    let paid = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(
        (&paid["status"], &paid["attempt_count"]),
        (&json!("paid"), &json!(1))
    );
}

#[tokio::test]
async fn payments_that_the_shop_attaches_add_up() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    act(&bench, &invoice, "finalize", &vec![]).await;
    for (amount, status, remains) in [("1500", "open", 500), ("500", "paid", 0)] {
        let intent = post(
            &bench,
            "/v1/payment_intents",
            &vec![
                ("amount", amount),
                ("currency", "usd"),
                ("customer", &ada),
                ("payment_method", "pm_card_visa"),
                ("confirm", "true"),
                ("return_url", "http://127.0.0.1:3000/"),
            ],
        )
        .await;
        let form = vec![("payment_intent", intent["id"].as_str().unwrap())];
        let now = act(&bench, &invoice, "attach_payment", &form).await;
        assert_eq!(
            (&now["status"], &now["amount_remaining"]),
            (&json!(status), &json!(remains))
        );
    }
}

#[tokio::test]
async fn a_customer_pays_an_invoice_on_its_page() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let page = format!("/invoices/{}", id(&invoice));
    bench.get(&page).await.expect(404);
    let open = act(&bench, &invoice, "finalize", &vec![]).await;
    assert!(
        open["hosted_invoice_url"]
            .as_str()
            .unwrap()
            .ends_with(&page)
    );
    let shown = bench.get(&page).await.expect(200).text;
    assert!(
        shown.contains("$20.00") && shown.contains("ADA-0001"),
        "{shown}"
    );
    let card = |number| {
        vec![
            ("method", "card"),
            ("card_number", number),
            ("exp", "12 / 40"),
            ("cvc", "123"),
        ]
    };
    let pay = async |number| {
        bench
            .send(bench.request("POST", &page).form(&card(number)))
            .await
    };
    let refused = pay("4000000000000002").await.expect(422).text;
    assert!(refused.contains("Your card was declined."), "{refused}");
    let challenged = pay("4000000000003220").await.expect(303);
    let place = challenged.header("location").unwrap().to_owned();
    assert!(place.contains("/3ds/"), "{place}");
    pay("4242424242424242").await.expect(303);
    let paid = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(paid["status"], "paid");
    let shown = bench.get(&page).await.expect(200).text;
    assert!(
        shown.contains("Paid") && !shown.contains("name=\"card_number\""),
        "{shown}"
    );
    let print = bench.get(&format!("{page}/pdf")).await.expect(200).text;
    assert!(
        print.contains("ADA-0001") && print.contains("Work"),
        "{print}"
    );
}

#[tokio::test]
async fn a_session_can_bring_an_invoice_that_is_paid() {
    let bench = Bench::start().await;
    let session = bench
        .create(vec![
            ("invoice_creation[enabled]", "true"),
            ("invoice_creation[invoice_data][footer]", "Thank you"),
        ])
        .await;
    assert_eq!(session["invoice"], json!(null));
    bench
        .pay(&id(&session), crate::bench::CARD)
        .await
        .expect(303);
    let session = bench.retrieve(&id(&session)).await;
    let told = bench.latest("checkout.session.completed").await;
    assert_eq!(told["data"]["object"]["invoice"], session["invoice"]);
    let invoice = session["invoice"].as_str().unwrap();
    let invoice = bench
        .get(&format!("{INVOICES}/{invoice}?expand[]=payments"))
        .await
        .json();
    assert_eq!(
        (&invoice["status"], &invoice["footer"]),
        (&json!("paid"), &json!("Thank you"))
    );
    assert_eq!(invoice["total"], session["amount_total"]);
    assert_eq!(invoice["amount_paid"], session["amount_total"]);
    assert_eq!(invoice["customer"], session["customer"]);
    let payment = &invoice["payments"]["data"][0]["payment"];
    assert_eq!(payment["payment_intent"], session["payment_intent"]);
}

#[tokio::test]
async fn a_bank_debit_pays_an_invoice_when_the_bank_says_so() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_usBankAccount_processing").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let open = act(&bench, &invoice, "pay", &vec![("expand[]", "payments")]).await;
    assert_eq!(
        (&open["status"], &open["attempted"]),
        (&json!("open"), &json!(true))
    );
    let intent = open["payments"]["data"][0]["payment"]["payment_intent"]
        .as_str()
        .unwrap();
    let again = act(&bench, &invoice, "pay", &vec![]).await;
    assert_eq!(
        again["attempt_count"], 1,
        "what is under way is not asked for twice"
    );
    let path = format!("payment_intents/{intent}/succeed");
    bench.control(&path, &vec![]).await.expect(200);
    let paid = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(
        (&paid["status"], &paid["amount_paid"]),
        (&json!("paid"), &json!(2000))
    );
}
