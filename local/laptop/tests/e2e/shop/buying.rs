use serde_json::json;
use testing::{ADA, CARD, Checkout, DECLINED, DEVELOPER, MUG, TestApp, cart, text};

/// Longer than any session lives.
const A_DAY: &str = "90000";

#[tokio::test]
async fn a_signed_in_buyer_pays_and_finds_the_purchase_paid_and_one_mail_sent() {
    let shop = TestApp::start().await;
    let products = shop.products("").await.expect(200).json();
    let products = products["products"].as_array().unwrap().clone();
    let mug = products.iter().find(|product| product["id"] == MUG);
    assert_eq!(
        mug.unwrap()["price"],
        json!({ "amount": 1500, "currency": "usd" })
    );

    let checkout = shop.open().await;
    assert_eq!(shop.status(&checkout.purchase).await, "open");
    assert!(shop.history().await.is_empty(), "nothing is bought yet");
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;

    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["id"], checkout.purchase);
    assert_eq!(
        purchase["total"],
        json!({ "amount": 1500, "currency": "usd" })
    );
    let line = json!({
        "product_id": MUG, "name": mug.unwrap()["name"], "quantity": 1, "unit_amount": 1500,
    });
    assert_eq!(purchase["lines"], json!([line]));
    assert!(purchase.get("attention").is_none(), "{purchase}");
    assert_eq!(shop.history().await, [checkout.purchase.as_str()]);

    let mail = shop.mails(1).await.remove(0);
    assert_eq!(mail["to"], json!([DEVELOPER]));
    for body in ["text", "html"] {
        let body = text(&mail, body);
        assert!(
            body.contains("15.00") && body.contains("Stoneware mug"),
            "{body}"
        );
    }
    assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);
}

#[tokio::test]
async fn stripe_is_told_the_catalogs_prices_and_whose_purchase_it_is() {
    let shop = TestApp::start().await;
    let checkout = Checkout::of(
        &shop
            .checkout(&cart(&[(MUG, 2), ("sample-poster", 1)]))
            .await,
    );
    let session = shop.session(checkout.session()).await;
    assert_eq!(session["amount_total"], 5400);
    assert_eq!(session["currency"], "usd");
    assert_eq!(session["client_reference_id"], checkout.purchase);
    assert_eq!(session["metadata"]["purchase_id"], checkout.purchase);
    assert!(session["metadata"]["till_stack"].is_string());
    assert!(
        !session["metadata"].to_string().contains('@'),
        "no email in metadata: {session}"
    );
    assert_eq!(session["adaptive_pricing"]["enabled"], false);
    for url in ["success_url", "cancel_url"] {
        let url = text(&session, url);
        assert!(
            url.ends_with(&format!(".html?purchase_id={}", checkout.purchase)),
            "{url}"
        );
    }
    let lines = session["line_items"]["data"].as_array().unwrap();
    let quantities: Vec<_> = lines.iter().map(|line| &line["quantity"]).collect();
    assert_eq!(quantities, [2, 1]);
}

#[tokio::test]
async fn prices_and_addresses_that_the_caller_sends_are_refused() {
    let shop = TestApp::start().await;
    let body = json!({
        "items": [{
            "product_id": MUG, "quantity": 1, "price": 1, "unit_amount": 1, "name": "Free mug",
        }],
        "success_url": "http://evil.example/", "email": "eve@evil.example", "total": 1,
    });
    let answer = shop.checkout(&body).await;
    answer.expect(400).problem();
    assert!(shop.stored_purchases().await.is_empty());
    assert_eq!(shop.sessions().await, 0);
}

#[tokio::test]
async fn currencies_without_and_with_three_decimals_are_charged_exactly() {
    let shop = TestApp::start().await;
    for (product, currency, total, shown) in [
        ("sample-furoshiki-jpy", "jpy", 3600, "3,600"),
        ("sample-dates-kwd", "kwd", 7000, "7.000"),
    ] {
        let checkout = Checkout::of(&shop.checkout(&cart(&[(product, 2)])).await);
        let session = shop.session(checkout.session()).await;
        assert_eq!(session["amount_total"], total);
        assert_eq!(session["currency"], currency);
        shop.pay(&checkout, CARD).await.expect(303);
        shop.until_status(&checkout.purchase, "paid").await;
        let purchase = shop.purchase(&checkout.purchase).await;
        let expected = json!({ "amount": total, "currency": currency });
        assert_eq!(purchase["total"], expected);
        let effects = shop.effects(&checkout.purchase).await;
        assert_eq!(effects, ["paid"]);
        let mail = text(&shop.mail_about(&checkout.purchase).await, "text");
        assert!(mail.contains(shown), "{mail}");
    }
    shop.mails(2).await;
}

#[tokio::test]
async fn a_declined_card_leaves_the_purchase_open_and_another_card_pays_it() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    shop.pay(&checkout, DECLINED).await.expect(402);
    assert_eq!(shop.status(&checkout.purchase).await, "open");
    assert!(shop.history().await.is_empty());
    shop.mails(0).await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    shop.mails(1).await;
}

#[tokio::test]
async fn a_delayed_payment_is_pending_until_the_bank_has_paid() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    shop.pay_by_bank(&checkout).await.expect(303);
    shop.until_status(&checkout.purchase, "pending").await;
    assert_eq!(shop.history().await, [checkout.purchase.as_str()]);
    let pending = shop.mails(1).await.remove(0);

    shop.control(&format!("sessions/{}/succeed", checkout.session()), &[])
        .await;
    shop.until_status(&checkout.purchase, "paid").await;
    let paid = shop.mails(2).await.remove(0);
    assert_ne!(paid["subject"], pending["subject"]);
    assert_eq!(shop.effects(&checkout.purchase).await, ["paid", "pending"]);
}

#[tokio::test]
async fn a_delayed_payment_that_the_bank_refuses_has_failed() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    shop.pay_by_bank(&checkout).await.expect(303);
    shop.until_status(&checkout.purchase, "pending").await;
    let pending = shop.mails(1).await.remove(0);

    shop.control(&format!("sessions/{}/fail", checkout.session()), &[])
        .await;
    shop.until_status(&checkout.purchase, "failed").await;
    let failed = shop.mails(2).await.remove(0);
    assert_ne!(failed["subject"], pending["subject"]);
    assert_eq!(
        shop.effects(&checkout.purchase).await,
        ["failed", "pending"]
    );
    assert_eq!(shop.history().await, [checkout.purchase]);
}

#[tokio::test]
async fn a_session_that_nobody_pays_expires_without_a_word() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    shop.control("clock", &[("advance", A_DAY)]).await;
    shop.until_status(&checkout.purchase, "expired").await;
    assert!(shop.history().await.is_empty());
    assert!(shop.effects(&checkout.purchase).await.is_empty());
    assert!(shop.is_forgettable(&checkout.purchase).await);
    shop.mails(0).await;
}

#[tokio::test]
async fn no_mail_says_who_bought_to_anybody_but_the_developer() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    let mail = shop.mails(1).await.remove(0);
    for copies in ["cc", "bcc"] {
        assert!(mail.get(copies).is_none(), "{mail}");
    }
    assert!(!mail["to"].to_string().contains(ADA), "{mail}");
}

#[tokio::test]
async fn a_purchase_is_paid_whatever_becomes_of_its_mail() {
    for (fault, state) in [("down", "due"), ("throttle", "due"), ("rejected", "failed")] {
        let shop = TestApp::start().await;
        shop.aws_fails("SendEmail", fault, None).await;
        let checkout = shop.open().await;
        shop.pay(&checkout, CARD).await.expect(303);
        shop.until_status(&checkout.purchase, "paid").await;
        assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);
        shop.drained().await;
        let row = shop.outbox_row(&checkout.purchase, "paid").await;
        assert_eq!(
            (&row["state"]["S"], &row["attempts"]["N"]),
            (&json!(state), &json!("1"))
        );
        // One mail that fails holds up no other.
        shop.aws_recovers().await;
        let next = shop.open().await;
        shop.pay(&next, CARD).await.expect(303);
        shop.mail_about(&next.purchase).await;
    }
}
