//! Subscriptions on the dashboard: what is told of them, and where links lead.

use reqwest::Method;
use serde_json::{Value, json};
use testing::{ADA, CARD, COFFEE, TestApp, text};

use super::page::Page;

/// Somebody subscribes to a box of coffee: the purchase and the subscription.
async fn subscribed(app: &TestApp) -> (String, String) {
    let checkout = app.open_one(COFFEE).await;
    app.pay(&checkout, CARD).await.expect(303);
    app.drained().await;
    let subscriptions = app.at_stripe("subscriptions").await;
    (checkout.purchase, text(&subscriptions["data"][0], "id"))
}

/// From now on, every payment is declined.
async fn runs_out_of_money(app: &TestApp, id: &str) {
    let subscription = app.at_stripe(&format!("subscriptions/{id}")).await;
    let customer = text(&subscription, "customer");
    let attach = "payment_methods/pm_card_chargeCustomerFail/attach";
    let method = app.stripe_post(attach, &[("customer", &customer)]).await;
    let default = [("default_payment_method", &*text(&method, "id"))];
    app.stripe_post(&format!("subscriptions/{id}"), &default)
        .await;
}

/// Lets time pass as the page does, and what follows from that.
async fn waits(page: &Page<'_>, span: &str) -> Vec<Value> {
    let moved = page.does("/stripe/clock", &[("advance", span)]).await;
    assert_eq!(page.does("/settle", &[]).await, json!({ "settled": true }));
    moved["happened"].as_array().unwrap().clone()
}

fn types(events: &Value) -> Vec<String> {
    let events = events.as_array().unwrap().iter();
    events.map(|event| text(event, "type")).collect()
}

#[tokio::test]
async fn a_subscriptions_story_has_its_invoices_with_their_payments_their_events_and_their_mails() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    assert_eq!(page.get("/subscriptions.json").await["found"], 0);
    let (purchase, id) = subscribed(&app).await;
    let listed = page.get("/subscriptions.json").await;
    assert_eq!(listed["found"], 1);
    let subscription = &listed["subscriptions"][0];
    for (member, expected) in [
        ("id", json!(id)),
        ("purchase_id", json!(purchase)),
        ("status", json!("active")),
    ] {
        assert_eq!(subscription[member], expected, "{member}");
    }
    assert_eq!(subscription["buyer"]["email"], ADA);
    assert_eq!(subscription["next"]["amount"]["text"], "19.00 USD");

    // A renewal is made, and charged an hour later.
    waits(&page, "3h").await;
    waits(&page, "1mo").await;
    let story = page.get(&format!("/subscriptions/{id}")).await;
    let invoices = story["subscription"]["invoices"].as_array().unwrap();
    let [renewal, first] = invoices.as_slice() else {
        panic!("not two invoices: {invoices:?}");
    };
    assert_eq!(
        (&renewal["reason"], &first["reason"]),
        (&json!("renewal"), &json!("first"))
    );
    for invoice in invoices {
        assert_eq!(invoice["status"], "paid");
        assert_eq!(invoice["net"]["text"], "19.00 USD");
    }
    let told = &story["of_invoices"][text(renewal, "id")];
    assert_eq!(told["mails"][0]["mail"], "paid");
    assert_eq!(told["mails"][0]["state"], "sent");
    let events = types(&told["events"]);
    assert!(events.contains(&"invoice.paid".to_owned()), "{events:?}");
    let own = types(&story["events"]);
    assert!(
        own.contains(&"customer.subscription.created".to_owned()),
        "{own:?}"
    );
    assert!(!own.contains(&"invoice.paid".to_owned()), "{own:?}");
}

#[tokio::test]
async fn a_renewal_is_refunded_from_the_story_of_its_subscription() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (_, id) = subscribed(&app).await;
    let story = format!("/subscriptions/{id}");
    let first = page.get(&story).await["subscription"]["invoices"][0].clone();
    let form = [("amount", "5.00"), ("currency", "usd")];
    // Nothing of what was paid leads to the subscription but Stripe itself.
    let paid = app.at_stripe("payment_intents").await;
    let intent = text(&paid["data"][0], "id");
    let charge = text(&paid["data"][0], "latest_charge");
    for wanted in [
        &intent,
        &charge,
        &text(&first, "id"),
        &text(&first, "number"),
    ] {
        let found = page.get(&format!("/search.json?q={wanted}")).await;
        let hit = &found["found"][0];
        assert_eq!(
            (&hit["id"], &hit["invoice"]),
            (&json!(id), &first["id"]),
            "{wanted}: {found}"
        );
    }
    page.refund(&text(&first, "id"), &form).await;
    app.drained().await;
    let told = page.get(&story).await;
    let first = &told["subscription"]["invoices"][0];
    assert_eq!(first["status"], "partially_refunded");
    assert_eq!(first["refunds"][0]["amount"]["text"], "5.00 USD");
    let intents = first["payment_intents"].as_array().unwrap();
    assert_eq!(intents.len(), 1, "the refund named it");
    let mails = told["of_invoices"][text(first, "id")]["mails"]
        .as_array()
        .unwrap();
    assert!(
        mails
            .iter()
            .any(|it| text(it, "mail").starts_with("refund#")),
        "{mails:?}"
    );
}

#[tokio::test]
async fn the_clock_tells_what_a_month_brought_and_mails_are_dated_by_it() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (_, id) = subscribed(&app).await;
    waits(&page, "3h").await;
    runs_out_of_money(&app, &id).await;
    let happened = waits(&page, "1mo").await;
    let of_type = |kind: &str| happened.iter().find(|it| it["type"] == kind).unwrap();
    let failed = of_type("invoice.payment_failed");
    assert_eq!(
        (&failed["amount"], &failed["subscription"]),
        (&json!("$19.00"), &json!(id))
    );
    let fell_behind = happened.iter().find(|it| it["became"] == "past_due");
    assert_eq!(fell_behind.unwrap()["subscription"], json!(id));
    let renewed = of_type("invoice.created");
    assert!(renewed.get("became").is_none(), "{renewed}");

    let newest = &app.mailbox().await[0];
    let (sent, now) = (text(newest, "sent_at"), app.clock().moment());
    assert!(text(newest, "subject").contains("payment"), "{newest}");
    assert_eq!(
        sent.get(..10),
        Some(now.date().to_string().as_str()),
        "{sent}"
    );
}

#[tokio::test]
async fn the_link_in_the_mail_about_a_lost_subscription_leads_to_its_story() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (_, id) = subscribed(&app).await;
    waits(&page, "3h").await;
    runs_out_of_money(&app, &id).await;
    waits(&page, "2mo").await;
    let lost = app.mailbox().await.into_iter();
    let mut lost = lost.map(|mail| text(&mail, "text"));
    let lost = lost
        .find(|text| text.contains("A subscription is lost"))
        .unwrap();
    let link = lost
        .split_whitespace()
        .find(|word| word.contains(&id))
        .unwrap();
    let shown = page.http.get(link).send().await.unwrap();
    assert_eq!(shown.status(), 200, "{link}");
    let query = format!("subscription={id}");
    assert_eq!(shown.url().query(), Some(query.as_str()));
    let story = page.get(&format!("/subscriptions/{id}")).await;
    assert_eq!(story["subscription"]["status"], "canceled");
    let mails = story["mails"].as_array().unwrap().iter();
    let mut mails: Vec<_> = mails.map(|mail| text(mail, "mail")).collect();
    mails.retain(|mail| mail.starts_with("lost#") || mail.starts_with("ended#"));
    assert_eq!(mails.len(), 2, "{story}");
}

#[tokio::test]
async fn the_link_in_the_mail_about_a_disputed_renewal_leads_to_its_subscription() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (_, id) = subscribed(&app).await;
    let story = page.get(&format!("/subscriptions/{id}")).await;
    let invoice = text(&story["subscription"]["invoices"][0], "id");
    let path = format!("/payments/{invoice}/dispute");
    let dispute = page.does(&path, &[("kind", "chargeback")]).await;
    app.drained().await;
    let link = format!("/test/disputes/{}", text(&dispute, "dispute"));
    let shown = page.request(Method::GET, &link).send().await.unwrap();
    let query = format!("subscription={id}");
    assert_eq!(shown.url().query(), Some(query.as_str()));
}

#[tokio::test]
async fn the_buyers_portal_opens_from_the_story_and_leads_back_to_it() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    let (_, id) = subscribed(&app).await;
    let opened = page.does(&format!("/subscriptions/{id}/portal"), &[]).await;
    let portal = page.http.get(text(&opened, "url")).send().await.unwrap();
    assert_eq!(portal.status(), 200);
    let portal = portal.text().await.unwrap();
    assert!(
        portal.contains(&format!("/_local?subscription={id}#subscriptions")),
        "{portal}"
    );
}

#[tokio::test]
async fn an_unknown_subscription_is_refused() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    for (method, path) in [
        (Method::GET, "/subscriptions/sub_none"),
        (Method::GET, "/subscriptions/nonsense"),
        (Method::POST, "/subscriptions/sub_none/portal"),
    ] {
        let answer = page.request(method, path).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(
            answer["error"]["message"],
            "there is no subscription with this id"
        );
    }
}
