//! What did not go as it should: mail that was given up, and events that were put aside.

use serde_json::{Value, json};
use testing::{CARD, TestApp, eventually, text};

use super::page::Page;

#[tokio::test]
async fn mail_that_was_given_up_is_listed_and_sent_again_from_the_page() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    assert_eq!(page.get("/mails.json").await, json!({ "mails": [] }));
    app.aws_fails("SendEmail", "rejected", None).await;
    let checkout = app.paid().await;
    let given_up = eventually(async || {
        let listed = page.get("/mails.json").await;
        let mail = listed["mails"][0].clone();
        (mail["state"] == "failed").then_some(mail)
    });
    let mail = given_up.await;
    assert_eq!(mail["id"], format!("{}#paid", checkout.purchase));
    assert!(text(&mail, "reason").contains("MessageRejected"), "{mail}");

    app.aws_recovers().await;
    let id = text(&mail, "id");
    let resent = page.does("/mails/resend", &[("id", &id)]).await;
    assert_eq!(resent, json!({ "id": id, "resent": true }));
    app.mailer().await;
    app.mails(1).await;
    assert_eq!(page.get("/mails.json").await, json!({ "mails": [] }));
    // What was sent, or was never ordered, is not sent.
    for id in [&*id, "nobody#paid"] {
        let (status, said) = page.press("/mails/resend", &[("id", id)]).await;
        let resent = serde_json::from_str::<Value>(&said).unwrap_or_default();
        assert!(status == 200 && resent["resent"] == false, "{id}: {said}");
    }
    app.mailer().await;
    assert_eq!(app.mailbox().await.len(), 1);
}

#[tokio::test]
async fn a_parked_event_is_shown_and_replayed_from_the_page_whatever_the_shops_clock_says() {
    let app = TestApp::start().await;
    let page = Page::of(&app);
    assert_eq!(page.get("/parked.json").await, json!({ "events": [] }));
    app.control("clock", &[("advance", "3mo")]).await;
    app.hold_deliveries().await;
    let checkout = app.open().await;
    app.pay(&checkout, CARD).await.expect(303);
    let event = app.events_of(checkout.session()).await.remove(0);
    let mut drifted: Value = serde_json::from_str(&event).unwrap();
    drifted["data"]["object"]["amount_total"] = json!("15 dollars");
    app.deliver(&drifted.to_string()).await.expect(200);

    let parked = page.get("/parked.json").await["events"][0].clone();
    assert_eq!(parked["id"], drifted["id"]);
    assert!(text(&parked, "why").contains("15 dollars"), "{parked}");
    assert_eq!(parked["body"], drifted);

    let form = [("id", &*text(&parked, "id"))];
    let still = page.does("/parked/replay", &form).await;
    assert_eq!(still["events"][0]["outcome"], "parked");
    app.mend_parked(&event).await;
    let replayed = page.does("/parked/replay", &form).await;
    assert_eq!(replayed["events"][0]["outcome"], "recorded");
    assert_eq!(replayed["events"][0]["status"], "paid");
    assert_eq!(app.status(&checkout.purchase).await, "paid");
    assert_eq!(page.get("/parked.json").await, json!({ "events": [] }));
    let unknown = page.press("/parked/replay", &[("id", "evt_none")]).await;
    assert!(
        unknown.0 == 404 && unknown.1.contains("there is no event evt_none"),
        "{unknown:?}"
    );
}
