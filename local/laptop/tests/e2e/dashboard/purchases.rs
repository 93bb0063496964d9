//! The purchases on the dashboard: what is told of them, and what can be done to them from there.

use reqwest::Method;
use serde_json::{Value, json};
use testing::{ADA, CARD, TestApp, text};

use super::page::Page;

/// A mug that is paid for: its purchase and its payment intent.
async fn sold(app: &TestApp) -> (String, String) {
    let checkout = app.open().await;
    app.pay(&checkout, CARD).await.expect(303);
    app.until_status(&checkout.purchase, "paid").await;
    let session = app.session(checkout.session()).await;
    (checkout.purchase, text(&session, "payment_intent"))
}

#[tokio::test]
async fn a_purchases_story_has_its_money_its_events_and_its_mails() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let [_, shop, ..] = app.ports();
    let html = reqwest::get(format!("http://127.0.0.1:{shop}/_local")).await;
    let html = html.unwrap().text().await.unwrap();
    assert!(html.contains("id=\"purchases\""), "{html}");
    assert_eq!(page.get("/purchases.json").await["found"], 0);

    let (older, _) = sold(&app).await;
    let (newer, intent) = sold(&app).await;
    let listed = page.get("/purchases.json").await;
    assert_eq!(listed["found"], 2);
    let ids: Vec<_> = [0, 1]
        .map(|place| text(&listed["purchases"][place], "id"))
        .into();
    assert_eq!(ids, [newer.clone(), older], "newest first");
    let purchase = &listed["purchases"][0];
    assert_eq!(
        (&purchase["status"], &purchase["buyer"]["email"]),
        (&json!("paid"), &json!(ADA))
    );

    let story = page.story(&newer).await;
    let total = json!({ "amount": 1500, "currency": "usd", "text": "15.00 USD" });
    assert_eq!(story["purchase"]["net"], total);
    let session = &story["purchase"]["sessions"][0];
    assert_eq!(
        (&session["state"], &session["payment_intent"]),
        (&json!("settled"), &json!(intent))
    );
    let event = &story["events"][0];
    assert_eq!(event["type"], "checkout.session.completed");
    assert_eq!(
        (&event["changed"], &event["status"]),
        (&json!(true), &json!("paid"))
    );
    app.drained().await;
    let mail = &page.story(&newer).await["mails"][0];
    assert_eq!(
        (&mail["mail"], &mail["state"]),
        (&json!("paid"), &json!("sent"))
    );
}

#[tokio::test]
async fn a_part_can_be_refunded_and_the_refund_fail_after_all() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (purchase, intent) = sold(&app).await;
    let part = [("amount", "5.00"), ("currency", "usd")];
    let refund = page.refund(&intent, &part).await;
    app.until_status(&purchase, "partially_refunded").await;
    let refund = text(&refund, "refund");
    page.does(&format!("/stripe/refunds/{refund}/fail"), &[])
        .await;
    app.until_status(&purchase, "paid").await;
    let told = page.story(&purchase).await["purchase"]["refunds"][0].clone();
    assert_eq!(
        (&told["id"], &told["status"]),
        (&json!(refund), &json!("failed"))
    );

    page.refund(&intent, &[("currency", "usd")]).await;
    app.until_status(&purchase, "refunded").await;
}

#[tokio::test]
async fn a_refund_of_more_than_is_left_or_of_no_amount_is_refused_in_words() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (purchase, intent) = sold(&app).await;
    let path = format!("/payments/{intent}/refund");
    for (amount, why) in [
        ("5,00", "is not an amount in USD: write it like 5.00"),
        ("5.001", "is not an amount in USD: write it like 5.00"),
        (
            "15.01",
            "15.01 USD is more than is left of this payment, which is 15.00 USD of 15.00 USD",
        ),
    ] {
        let form = [("amount", amount), ("currency", "usd")];
        let (status, answer) = page.press(&path, &form).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let said = text(&answer["error"], "message");
        assert!(status == 400 && said.contains(why), "{amount}: {said}");
    }
    assert_eq!(app.status(&purchase).await, "paid");
}

#[tokio::test]
async fn a_refund_is_previewed_and_under_the_previews_key_made_once() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (purchase, intent) = sold(&app).await;
    let path = format!("/payments/{intent}/refund");
    let preview = page.get(&format!("{path}?amount=5.00&currency=usd")).await;
    for (member, said) in [
        ("paid", "15.00 USD"),
        ("amount", "5.00 USD"),
        ("leaves", "10.00 USD"),
    ] {
        assert_eq!(preview[member]["text"], said, "{member}");
    }
    assert_eq!(
        app.status(&purchase).await,
        "paid",
        "looking refunds nothing"
    );
    let key = text(&preview, "key");
    let form = [("amount", "5.00"), ("currency", "usd"), ("key", &*key)];
    let made = page.does(&path, &form).await;
    assert!(text(&made, "refund").starts_with("re_"), "{made}");
    // Somebody presses the same again, or has not looked at all.
    for form in [&form[..], &form[..2]] {
        let (status, why) = page.press(&path, form).await;
        assert!(
            status == 400 && why.contains("since this preview"),
            "{status} {why}"
        );
    }
    app.until_status(&purchase, "partially_refunded").await;
    let story = page.story(&purchase).await;
    assert_eq!(story["purchase"]["refunds"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refund_that_stripe_failed_to_make_is_tried_again_under_another_key() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (purchase, intent) = sold(&app).await;
    let fault = [
        ("path", "/v1/refunds"),
        ("method", "post"),
        ("status", "500"),
        ("times", "0"),
    ];
    app.control("faults", &fault).await;
    let path = format!("/payments/{intent}/refund");
    let preview = page.get(&format!("{path}?currency=usd")).await;
    let key = text(&preview, "key");
    let form = [("currency", "usd"), ("key", &*key)];
    let (status, said) = page.press(&path, &form).await;
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (status, &said["error"]["code"]),
        (502, &json!("stripe_failed")),
        "{said}"
    );
    app.stripe_is_well().await;
    let again = [("currency", "usd"), ("failed_before", "1")];
    page.refund(&intent, &again).await;
    app.until_status(&purchase, "refunded").await;
    let story = page.story(&purchase).await;
    assert_eq!(story["purchase"]["refunds"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_time_line_joins_request_events_mails_and_publications_in_order() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (purchase, intent) = sold(&app).await;
    let form = [("amount", "5.00"), ("currency", "usd")];
    page.refund(&intent, &form).await;
    app.until_status(&purchase, "partially_refunded").await;
    app.drained().await;
    let story = page.story(&purchase).await;
    let line = story["timeline"].as_array().unwrap();
    let kinds: Vec<_> = line.iter().map(|moment| text(moment, "kind")).collect();
    assert_eq!(&kinds[..2], ["request", "attempt"], "{kinds:?}");
    for kind in ["event", "refund", "publication", "mail"] {
        assert!(kinds.contains(&kind.to_owned()), "no {kind}: {kinds:?}");
    }
    let times: Vec<_> = line.iter().map(|moment| text(moment, "at")).collect();
    assert!(times.is_sorted(), "{times:?}");
    let paid = line
        .iter()
        .find(|moment| moment["type"] == "checkout.session.completed");
    assert_eq!(paid.unwrap()["status"], "paid");
    let sent = |moment: &&Value| moment["mail"] == "paid" && moment["state"] == "sent";
    assert_eq!(line.iter().filter(sent).count(), 1, "{story}");
}

#[tokio::test]
async fn a_purchase_is_found_by_its_number_its_buyer_and_whatever_stripe_calls_it() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (purchase, intent) = sold(&app).await;
    let story = page.story(&purchase).await;
    let session = text(&story["purchase"]["sessions"][0], "id");
    let event = text(&story["events"][0], "id");
    let number = &purchase[purchase.len() - 8..];
    for wanted in [&purchase, &intent, &session, &event, number, ADA] {
        let hits = page.get(&format!("/search.json?q={wanted}")).await;
        let hits = hits["found"].as_array().unwrap().clone();
        assert_eq!(hits.len(), 1, "{wanted}: {hits:?}");
        assert_eq!(text(&hits[0], "id"), purchase, "{wanted}");
    }
    let hits = page.get(&format!("/search.json?q=%23{number}")).await;
    assert_eq!(hits["found"][0]["id"], *purchase);
    let none = page.get("/search.json?q=evt_none").await;
    assert_eq!(none["found"], json!([]));
    assert!(
        text(&none, "says").contains("has no event evt_none"),
        "{none}"
    );
}

#[tokio::test]
async fn a_purchase_that_was_lost_here_is_said_to_be_known_at_stripe() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (purchase, intent) = sold(&app).await;
    app.lose_purchase(&purchase).await;
    let found = page.get(&format!("/search.json?q={intent}")).await;
    assert_eq!(found["found"], json!([]));
    let says = text(&found, "says");
    assert!(
        says.contains(&purchase) && says.contains("till reconcile"),
        "{says}"
    );
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_and_hides_no_other() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (purchase, _) = sold(&app).await;
    let broken = "01a1f866-0d00-7d3a-9b1e-2f4c8a6d1e57";
    let item = json!({ "pk": { "S": broken }, "sk": { "S": "purchase" }, "order": { "S": "?" } });
    app.put_item("PurchasesTable", &item).await;
    let listed = page.get("/purchases.json").await;
    assert_eq!(listed["found"], 1);
    assert_eq!(listed["purchases"][0]["id"], *purchase);
    assert_eq!(listed["unreadable"], json!([format!("{broken}/purchase")]));
    assert_eq!(
        page.get("/sales.json").await["sales"]["together"][0]["paid"],
        1
    );
}

#[tokio::test]
async fn the_days_sales_are_counted_and_added_up() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    sold(&app).await;
    sold(&app).await;
    let sales = page.get("/sales.json").await["sales"].clone();
    let days = sales["days"].as_array().unwrap();
    assert_eq!(days.len(), 30);
    let together = &sales["together"][0];
    assert_eq!(
        (&together["paid"], &together["net"]["text"]),
        (&json!(2), &json!("30.00 USD"))
    );
    let sold: u64 = days
        .iter()
        .map(|day| day["sums"][0]["paid"].as_u64().unwrap_or(0))
        .sum();
    assert_eq!(sold, 2);
}

#[tokio::test]
async fn a_dispute_can_be_opened_and_decided_and_the_story_keeps_the_order_of_things() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (purchase, intent) = sold(&app).await;
    let path = format!("/payments/{intent}/dispute");
    let dispute = page.does(&path, &[("kind", "chargeback")]).await;
    let dispute = text(&dispute, "dispute");
    app.until_status(&purchase, "disputed").await;
    app.drained().await;
    let mails = app.mailbox().await;
    let mut texts = mails.iter().map(|mail| text(mail, "text"));
    let told = texts.find(|text| text.contains(&dispute)).unwrap();
    let link = told.split_whitespace().find(|word| word.contains(&dispute));
    let shown = page.http.get(link.unwrap()).send().await.unwrap();
    assert_eq!(shown.status(), 200, "the mail's link leads somewhere");
    let query = format!("purchase={purchase}");
    assert_eq!(shown.url().query(), Some(query.as_str()));
    let step = async |status: &str| {
        page.press(&format!("/stripe/disputes/{dispute}/{status}"), &[])
            .await
    };
    assert_eq!(step("lost").await.0, 200);
    app.until_status(&purchase, "charged_back").await;
    let (status, why) = step("under_review").await;
    assert!(
        status == 400 && why.contains("it can no longer become under_review"),
        "{status} {why}"
    );
    assert_eq!(step("won").await.0, 200);
    app.until_status(&purchase, "paid").await;

    let story = page.story(&purchase).await;
    let balance = story["purchase"]["disputes"][0]["balance"].as_array();
    let spelt = |movement: &Value| {
        (
            text(&movement["amount"], "text"),
            text(movement, "fee_text"),
        )
    };
    let mut moved: Vec<_> = balance.unwrap().iter().map(spelt).collect();
    moved.sort();
    let taken = ("-15.00 USD".to_owned(), "15.00 USD".to_owned());
    assert_eq!((moved.len(), &moved[0]), (2, &taken));
    let events = story["events"].as_array().unwrap();
    let mut statuses: Vec<_> = events.iter().map(|event| text(event, "status")).collect();
    statuses.dedup();
    assert_eq!(statuses, ["paid", "disputed", "charged_back", "paid"]);
}

#[tokio::test]
async fn reconciling_from_the_page_records_what_no_webhook_told() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let fault = [("fault", "drop"), ("type", "checkout.session.*")];
    assert_eq!(page.press("/stripe/faults", &fault).await.0, 200);
    let listed = page.get("/stripe/faults").await;
    assert_eq!(listed[0]["fault"], "drop");

    let checkout = app.open().await;
    app.pay(&checkout, CARD).await.expect(303);
    app.drained().await;
    assert_eq!(page.get("/stripe/faults").await, json!([]));
    assert_eq!(app.status(&checkout.purchase).await, "open");
    let findings = page.does("/reconcile", &[]).await;
    assert_eq!(
        (&findings["found"], &findings["complete"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(app.status(&checkout.purchase).await, "paid");
    assert_eq!(page.does("/reconcile", &[]).await["found"], 0);
}

#[tokio::test]
async fn looking_does_not_use_up_faults_meant_for_the_shop() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (purchase, _) = sold(&app).await;
    for operation in ["Scan", "Query"] {
        app.aws_fails(operation, "error", Some(1)).await;
    }
    page.get("/purchases.json").await;
    page.story(&purchase).await;
    assert_eq!(page.get("/faults").await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_unknown_purchase_or_payment_is_refused() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    for id in ["01a1f866-0d00-7d3a-9b1e-2f4c8a6d1e57", "nonsense"] {
        let answer = page
            .request(Method::GET, &format!("/purchases/{id}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 404);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(
            answer["error"]["message"],
            "there is no purchase with this id"
        );
    }
    let form = [("currency", "usd")];
    assert_eq!(page.press("/payments/pi_none/refund", &form).await.0, 404);
    assert_eq!(page.press("/payments/pi_none/dispute", &[]).await.0, 404);
}
