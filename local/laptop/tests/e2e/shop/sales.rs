//! What the seller hears of a sale.

use serde_json::{Value, json};
use testing::{ADA, CARD, COFFEE, Checkout, DEVELOPER, MUG, TEAPOT, TestApp, cart, of_type, text};

/// A shop that tells its seller of sales like this.
async fn telling(sale_mails: &str) -> TestApp {
    let shop = TestApp::start().await;
    shop.restart_with(&[("SALE_MAILS", sale_mails)]).await
}

/// The mails about sales so far, newest first.
async fn told(shop: &TestApp) -> Vec<Value> {
    shop.drained().await;
    let mails = shop.mailbox().await.into_iter();
    let is_told = |mail: &Value| text(mail, "subject").contains("for seller@example.com]");
    mails.filter(is_told).collect()
}

#[tokio::test]
async fn the_seller_is_told_once_what_was_sold_for_how_much_and_where_to_send_it() {
    let shop = telling("each").await;
    let mut wanted = cart(&[(TEAPOT, 1), (MUG, 2)]);
    wanted["country"] = json!("DE");
    let checkout = Checkout::of(&shop.checkout(&wanted).await);
    assert!(told(&shop).await.is_empty(), "nothing is sold yet");
    shop.pay_shipped(&checkout, "").await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let sold = told(&shop).await.remove(0);
    let number = &checkout.purchase[checkout.purchase.len() - 8..];
    let subject = text(&sold, "subject").replace('\u{a0}', " ");
    assert_eq!(
        subject,
        format!("[test, for seller@example.com] Sold for 80.00 USD (purchase {number})")
    );
    assert_eq!(sold["to"], json!([DEVELOPER]));
    assert_eq!(
        sold["reply_to"],
        json!([ADA]),
        "an answer goes to the buyer"
    );
    let words = text(&sold, "text").replace('\u{a0}', " ");
    for part in [
        "\n  2 × 15.00 USD                      30.00 USD\n  sample-mug\n",
        "Ada Byron\nWeg 1\n10115 Berlin\nDE\n+49301234567\n",
        "Please send what is to be shipped to the address below.",
        ADA,
    ] {
        assert!(words.contains(part), "{words}");
    }
    // Its link leads to the payment.
    let intent = shop.payment_intent(&checkout).await;
    let link = format!("/_local/test/payments/{intent}");
    assert!(words.contains(&link), "{words}");
    let led = shop.get(&link).await.expect(303);
    let to = led.headers["location"].to_str().unwrap().to_owned();
    assert!(to.contains(&checkout.purchase), "{to}");
    shop.get("/_local/test/payments/pi_unknown")
        .await
        .expect(404);

    // The same events again, and whatever follows.
    for event in shop.events_of_payment(&checkout).await {
        shop.deliver(&event).await.expect(200);
    }
    shop.refund(&checkout, None).await;
    shop.until_status(&checkout.purchase, "refunded").await;
    shop.reconcile().await;
    shop.mailer().await;
    assert_eq!(told(&shop).await.len(), 1);
}

#[tokio::test]
async fn a_sale_is_told_when_it_is_first_known_to_be_paid_however_that_is() {
    let shop = telling("each").await;
    let free = shop.open().await;
    shop.pay_nothing(&free).await.expect(303);
    shop.until_status(&free.purchase, "paid").await;
    let words = text(&told(&shop).await[0], "text");
    assert!(words.contains("There was nothing to pay."), "{words}");

    let delayed = shop.open().await;
    shop.pay_by_bank(&delayed).await.expect(303);
    shop.until_status(&delayed.purchase, "pending").await;
    assert_eq!(told(&shop).await.len(), 1, "the money is on its way");
    let succeed = format!("sessions/{}/succeed", delayed.session());
    shop.control(&succeed, &[]).await;
    shop.until_status(&delayed.purchase, "paid").await;
    assert_eq!(told(&shop).await.len(), 2);

    let subscribed = shop.open_one(COFFEE).await;
    shop.pay(&subscribed, CARD).await.expect(303);
    shop.until_status(&subscribed.purchase, "paid").await;
    let sold = told(&shop).await;
    assert_eq!(sold.len(), 3);
    let subject = text(&sold[0], "subject");
    assert!(subject.contains("A subscription was sold"), "{subject}");
    for renewal in ["31d", "31d"] {
        shop.control("clock", &[("advance", renewal)]).await;
    }
    assert_eq!(told(&shop).await.len(), 3, "a renewal is no sale");
}

#[tokio::test]
async fn what_was_sold_before_sellers_were_told_is_not_told_when_it_changes() {
    let shop = telling("each").await;
    let old = shop.paid().await;
    shop.drained().await;
    let dispute = shop.dispute(&old, &[("kind", "inquiry")]).await;
    shop.drained().await;
    // As an earlier build left it.
    let mut item = shop.purchase_item(&old.purchase).await;
    let mails = item["mails"]["L"].as_array_mut().unwrap();
    mails.retain(|mail| mail["S"] != "sold");
    shop.put_item("PurchasesTable", &item).await;
    shop.delete_outbox_row(&old.purchase, "sold").await;
    let sent = told(&shop).await.len();

    shop.refund(&old, Some(500)).await;
    shop.until_status(&old.purchase, "partially_refunded").await;
    shop.dispute_goes(&dispute, "warning_closed").await;
    shop.drained().await;
    shop.reconcile().await;
    shop.purchase(&old.purchase).await;
    let row = shop.outbox_row_if_any(&old.purchase, "sold").await;
    assert_eq!(row, None);
    let closed = told(&shop).await;
    assert_eq!(closed.len(), sent + 1, "only of the inquiry");
}

#[tokio::test]
async fn a_sale_that_was_lost_here_is_told_only_when_a_person_confirms_it() {
    let shop = telling("each").await;
    shop.hold_deliveries().await;
    let (checkout, event) = shop.paid_unheard().await;
    shop.lose_purchase(&checkout.purchase).await;
    shop.deliver(&event).await.expect(200);
    assert!(told(&shop).await.is_empty());
    let row = shop.outbox_row(&checkout.purchase, "sold").await;
    assert_eq!(row["state"]["S"], "held");
    let frozen = &row["content"]["M"]["sale"]["M"];
    assert_eq!(frozen["attention"]["L"][0]["S"], "rebuilt", "{frozen}");
}

#[tokio::test]
async fn a_shop_that_wants_no_mail_of_sales_sends_none_and_other_mail_as_ever() {
    let shop = telling("none").await;
    let sold = shop.paid().await;
    let receipt = shop.mails(1).await.remove(0);
    assert!(text(&receipt, "subject").contains(ADA));
    assert_eq!(receipt["reply_to"], json!(["seller@example.com"]));
    let row = shop.outbox_row(&sold.purchase, "sold").await;
    assert_eq!(row["state"]["S"], "superseded");
    shop.dispute(&sold, &[("kind", "chargeback")]).await;
    shop.drained().await;
    assert_eq!(told(&shop).await.len(), 1, "of the dispute");
    let wrong = shop.environment_with("MailerFunction", "SALE_MAILS", "weekly");
    let error = mailer::Mailer::new(&wrong).await.err().unwrap().to_string();
    assert_eq!(
        error,
        r#"SALE_MAILS: "weekly" is neither each, daily nor none"#
    );
}

#[tokio::test]
async fn the_event_of_a_sale_delivered_by_several_at_once_makes_one_mail() {
    let shop = telling("each").await;
    shop.hold_deliveries().await;
    let (checkout, _) = shop.paid_unheard().await;
    let events = shop.events_of(checkout.session()).await;
    let completed = of_type(&events, "checkout.session.completed");
    let deliveries = (0..8).map(|_| shop.deliver(completed));
    futures::future::join_all(deliveries).await;
    shop.until_status(&checkout.purchase, "paid").await;
    assert_eq!(told(&shop).await.len(), 1);
}
