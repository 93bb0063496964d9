//! Two versions of the code, at work on the same tables.

use reconcile::{Limits, Reconcile};
use serde_json::{Value, json};
use testing::{CARD, COFFEE, TEAPOT, TestApp};

/// A layout that no version has yet.
const LATER: &str = "99";

#[tokio::test]
async fn what_a_later_version_wrote_is_read_and_still_there_when_this_one_has_written_it() {
    let shop = TestApp::start().await;
    let paid = shop.paid().await;
    shop.drained().await;
    let mut item = shop.purchase_item(&paid.purchase).await;
    let session = &mut item["facts"]["M"]["sessions"]["M"][paid.session()]["M"];
    session["wrapping"] = json!({ "M": { "paper": { "S": "red" } } });
    item["facts"]["M"]["thanks"] = json!({ "M": { "card": { "S": "Thank you" } } });
    item["order"]["M"]["lines"]["L"][0]["M"]["engraving"] = json!({ "S": "Ada" });
    let mails = item["mails"]["L"].as_array_mut().unwrap();
    mails.push(json!({ "S": "thanked" }));
    let announced = item["announced"]["M"].as_object_mut().unwrap();
    let before = announced["paid"].clone();
    announced.insert("wrapped".to_owned(), before);
    item["mascot"] = json!({ "S": "otter" });
    item["layout"] = json!({ "N": LATER });
    shop.put_item("PurchasesTable", &item).await;

    assert_eq!(shop.status(&paid.purchase).await, "paid");
    assert_eq!(shop.history().await, [paid.purchase.as_str()]);
    let refund = shop.refund(&paid, Some(500)).await;
    shop.until_status(&paid.purchase, "partially_refunded")
        .await;
    let refunded = shop.purchase_item(&paid.purchase).await;
    for place in ["order", "layout", "mascot"] {
        assert_eq!(refunded[place], item[place], "{place}");
    }
    for place in ["sessions", "thanks"] {
        let [now, then] = [&refunded, &item].map(|item| &item["facts"]["M"][place]);
        assert_eq!(now, then, "{place}");
    }
    let mut mails: Vec<_> = refunded["mails"]["L"].as_array().unwrap().iter().collect();
    mails.sort_by_key(|mail| mail.to_string());
    let refund = format!("refund#{refund}");
    let expected = ["paid", &refund, "sold", "thanked"].map(|mail| json!({ "S": mail }));
    assert_eq!(mails, expected.iter().collect::<Vec<_>>());
    assert_eq!(
        refunded["announced"]["M"]["wrapped"],
        item["announced"]["M"]["wrapped"]
    );
    shop.mails(2).await;
}

/// A teapot that was paid and is to be delivered.
async fn delivered(shop: &TestApp) -> (String, Value) {
    let checkout = shop.open_one(TEAPOT).await;
    shop.pay_shipped(&checkout, "Standard").await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    shop.drained().await;
    let item = shop.purchase_item(&checkout.purchase).await;
    (checkout.purchase, item)
}

/// Its purchase as a version would have written it that knows nothing of deliveries.
fn without_delivery(item: &Value) -> Value {
    let mut item = item.clone();
    let sessions = &mut item["facts"]["M"]["sessions"]["M"];
    for session in sessions.as_object_mut().unwrap().values_mut() {
        let session = session["M"].as_object_mut().unwrap();
        session.remove("delivery").unwrap();
        session.remove("sums").unwrap();
    }
    item
}

#[tokio::test]
async fn what_an_earlier_version_did_not_know_of_an_event_is_recorded_by_the_next_run_of_reconcile()
{
    let settings = [
        ("SHIPPING_COUNTRIES", "DE"),
        ("SHIPPING_RATES", "Standard: 5.00 USD"),
    ];
    let shop = TestApp::start().await.restart_with(&settings).await;
    let (id, known) = delivered(&shop).await;
    let delivery = shop.purchase(&id).await["delivery"].clone();
    assert!(delivery.is_object());
    shop.put_item("PurchasesTable", &without_delivery(&known))
        .await;
    let before = shop.reconcile().await;
    assert_eq!(before.found, 0, "this version has recorded it: {before:?}");

    shop.forget_layouts(&id).await;
    let dry = Reconcile::dry_run(&shop.environment("ReconcileFunction")).await;
    let foreseen = dry.unwrap().run(Limits::default(), |_| {}).await.unwrap();
    assert_eq!(foreseen.found, 1, "{foreseen:?}");
    let findings = shop.reconcile().await;
    assert_eq!(findings.found, 1, "{findings:?}");
    let purchase = shop.purchase(&id).await;
    assert_eq!(purchase["delivery"], delivery);
    assert_eq!(purchase["sums"]["shipping"]["amount"], 500);
    let again = shop.reconcile().await;
    assert_eq!((again.found, again.failed), (0, 0), "{again:?}");
    shop.mails(1).await;
    assert_eq!(shop.published_types().await, ["purchase.paid"]);
}

#[tokio::test]
async fn reconcile_reads_the_events_of_the_days_again_in_which_an_earlier_version_was_at_work() {
    let settings = [
        ("SHIPPING_COUNTRIES", "DE"),
        ("SHIPPING_RATES", "Standard: 5.00 USD"),
    ];
    let shop = TestApp::start().await.restart_with(&settings).await;
    let (id, known) = delivered(&shop).await;
    let two_days = (48 * 3600).to_string();
    shop.control("clock", &[("advance", &two_days)]).await;
    shop.paid().await;
    shop.drained().await;
    shop.reconcile().await;
    shop.put_item("PurchasesTable", &without_delivery(&known))
        .await;
    shop.forget_layouts(&id).await;
    assert_eq!(shop.reconcile().await.found, 0, "it reads what is new");
    shop.forget_layouts("reconcile").await;
    assert_eq!(shop.reconcile().await.found, 1);
    assert!(shop.purchase(&id).await["delivery"].is_object());
}

#[tokio::test]
async fn a_subscription_that_an_earlier_version_read_is_read_again() {
    let shop = TestApp::start().await;
    let checkout = shop.open_one(COFFEE).await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    shop.drained().await;
    let id = shop.at_stripe("subscriptions").await["data"][0]["id"].clone();
    let id = id.as_str().unwrap();
    let items = shop.subscription_items(id).await;
    let mut item = items["subscription"].clone();
    let known = item["reading"]["M"]["items"].clone();
    item["reading"]["M"]["items"] = json!({ "L": [] });
    shop.put_item("PurchasesTable", &item).await;
    shop.reconcile().await;
    let stored = async || shop.subscription_items(id).await["subscription"].clone();
    assert_eq!(stored().await["reading"], item["reading"]);
    shop.forget_layouts(id).await;
    shop.reconcile().await;
    assert_eq!(stored().await["reading"]["M"]["items"], known);
}

#[tokio::test]
async fn a_mail_that_only_a_later_version_can_write_waits_for_its_mailer() {
    let shop = TestApp::start().await;
    let paid = shop.paid().await;
    shop.mails(1).await;
    let mut row = shop.outbox_row(&paid.purchase, "paid").await;
    let due = |row: &mut Value, mail: &str| {
        row["mail"] = json!({ "S": mail });
        row["state"] = json!({ "S": "due" });
        row["due_shard"] = json!({ "S": "due" });
        row["next_attempt"] = json!({ "N": "1" });
        row["attempts"] = json!({ "N": "0" });
    };
    due(&mut row, "thanked");
    row["layout"] = json!({ "N": LATER });
    shop.put_item("OutboxTable", &row).await;
    shop.mailer().await;
    let waits = shop.outbox_row(&paid.purchase, "paid").await;
    assert_ne!(waits["next_attempt"], row["next_attempt"]);
    assert_eq!(waits["state"]["S"], "due");
    assert_eq!(waits["attempts"]["N"], "0", "that was no attempt");
    // A version that knows it is at work again.
    due(&mut row, "paid");
    shop.put_item("OutboxTable", &row).await;
    shop.mailer().await;
    shop.mails(2).await;
}
