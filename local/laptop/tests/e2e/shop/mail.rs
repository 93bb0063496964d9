//! Mail: who it is from, whom it tells what, and what becomes of it when SES will not send.

use mailer::Mailer;
use serde_json::json;
use testing::{ADA, CARD, DEVELOPER, TestApp, text};

#[tokio::test]
async fn mail_comes_from_the_shop_and_is_answered_to_the_seller() {
    let shop = TestApp::start().await;
    shop.paid().await;
    let receipt = shop.mails(1).await.remove(0);
    assert_eq!(receipt["from"], "\"Till\" <shop@example.com>");
    assert_eq!(receipt["reply_to"], json!(["seller@example.com"]));
}

#[tokio::test]
async fn a_shop_may_be_called_anything_and_its_answers_go_where_it_says() {
    let shop = TestApp::start().await;
    shop.aws_fails("SendEmail", "down", None).await;
    let paid = shop.paid().await;
    shop.drained().await;
    let mut row = shop.outbox_row(&paid.purchase, "paid").await;
    assert_eq!(row["attempts"]["N"], "1");
    assert!(row.get("reason").is_some(), "{row}");
    shop.aws_recovers().await;
    for (name, from) in [
        ("Mugs, & Co.", "\"Mugs, & Co.\" <shop@example.com>"),
        ("Café", "=?UTF-8?B?Q2Fmw6k=?= <shop@example.com>"),
        (
            "A\" <eve@example.com>\r\nBcc: eve@example.com",
            "=?UTF-8?B?QSIgPGV2ZUBleGFtcGxlLmNvbT4gQmNjOiBldmVAZXhhbXBsZS5jb20=?= \
             <shop@example.com>",
        ),
    ] {
        row["next_attempt"] = json!({ "N": "1" });
        shop.put_item("OutboxTable", &row).await;
        let mut environment = shop.variables("MailerFunction");
        environment.insert("SHOP_NAME".to_owned(), name.to_owned());
        let answers = "hello@example.com".to_owned();
        environment.insert("MAIL_REPLY_TO".to_owned(), answers);
        let mailer = Mailer::new(&environment.into()).await.unwrap();
        mailer.handle(json!({})).await.unwrap();
        let mail = shop.mailbox().await.remove(0);
        assert_eq!(mail["from"], from);
        assert_eq!(mail["reply_to"], json!(["hello@example.com"]));
        assert_eq!(mail["to"], json!([DEVELOPER]));
        assert!(mail.get("bcc").is_none());
        assert!(!text(&mail, "subject").contains(char::is_control));
    }
    let wrong = shop.environment_with("MailerFunction", "MAIL_REPLY_TO", "nobody");
    let error = Mailer::new(&wrong).await.err().unwrap().to_string();
    assert!(error.contains("MAIL_REPLY_TO"), "{error}");
}

#[tokio::test]
async fn a_subject_tells_purchases_apart_and_in_test_mode_whom_it_is_meant_for() {
    let shop = TestApp::start().await;
    let (first, second) = (shop.paid().await, shop.paid().await);
    shop.mails(2).await;
    for order in [&first, &second] {
        let number = &order.purchase[order.purchase.len() - 8..];
        let subjects = shop.subjects_about(&order.purchase).await;
        let subject = format!("[test, for {ADA}] Your receipt from Till (purchase {number})");
        assert_eq!(subjects, [subject]);
        let mail = shop.mail_about(&order.purchase).await;
        assert!(text(&mail, "text").contains(&format!("\nPurchase {number}\n")));
    }
}

#[tokio::test]
async fn mail_held_up_for_days_by_an_unverified_sender_arrives_once_when_that_is_fixed() {
    for fault in ["unverified", "paused", "denied"] {
        let shop = TestApp::start().await;
        shop.aws_fails("SendEmail", fault, None).await;
        let orders = [shop.paid().await, shop.paid().await];
        for attempt in 1..=20 {
            for order in &orders {
                shop.drained().await;
                let row = shop.outbox_row(&order.purchase, "paid").await;
                assert_eq!(row["attempts"]["N"], attempt.to_string());
                assert_eq!(row["state"]["S"], "due", "{fault}");
                let reason = row["reason"]["S"].as_str().unwrap();
                assert!(reason.contains("until this is fixed"), "{reason}");
                assert!(!reason.contains('@'), "{reason}");
                shop.mail_again(&order.purchase, "paid").await;
            }
        }
        shop.mails(0).await;
        shop.aws_recovers().await;
        for order in &orders {
            shop.mail_again(&order.purchase, "paid").await;
            assert_eq!(shop.subjects_about(&order.purchase).await.len(), 1);
            let row = shop.outbox_row(&order.purchase, "paid").await;
            assert_eq!(row["state"]["S"], "sent");
            assert!(row.get("reason").is_none(), "it was sent after all");
        }
        shop.mailer().await;
        shop.mails(2).await;
    }
}

#[tokio::test]
async fn a_receipt_for_a_free_order_speaks_of_no_payment() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    shop.pay_nothing(&checkout).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let receipt = text(&shop.mails(1).await[0], "text");
    assert!(receipt.contains("There was nothing to pay."), "{receipt}");
    assert!(!receipt.contains("not paid"), "{receipt}");
    // A card is not asked for.
    shop.pay(&checkout, CARD).await.expect(303);
}
