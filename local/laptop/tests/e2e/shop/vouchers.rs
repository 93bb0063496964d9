//! Vouchers (OXXO, Boleto, Konbini, Multibanco): the order is placed, and the buyer still has to pay.

use serde_json::{Value, json};
use testing::{Checkout, NOTEBOOK, TestApp, of_type, text};

/// Ada has a voucher for a notebook.
async fn taken(shop: &TestApp) -> Checkout {
    let checkout = shop.open_one(NOTEBOOK).await;
    shop.take_voucher(&checkout).await.expect(303);
    shop.until_status(&checkout.purchase, "pending").await;
    checkout
}

async fn end(shop: &TestApp, checkout: &Checkout, how: &str) {
    let path = format!("sessions/{}/{how}", checkout.session());
    shop.control(&path, &[]).await;
}

async fn waits_for(shop: &TestApp, checkout: &Checkout) -> Value {
    shop.purchase(&checkout.purchase).await["waits_for"].clone()
}

#[tokio::test]
async fn a_buyer_with_a_voucher_is_told_that_they_still_have_to_pay_and_where() {
    let shop = TestApp::start().await;
    let checkout = taken(&shop).await;
    let expected = json!({ "who": "buyer", "voucher_url": checkout.url });
    assert_eq!(waits_for(&shop, &checkout).await, expected);
    let mail = shop.mails(1).await.remove(0);
    assert!(text(&mail, "subject").contains("Please pay for your purchase"));
    let told = text(&mail, "text");
    assert!(told.contains("It is not paid yet."), "{told}");
    assert!(told.contains(&checkout.url), "{told}");
    assert!(!told.contains("nothing for you to do"), "{told}");

    end(&shop, &checkout, "succeed").await;
    shop.until_status(&checkout.purchase, "paid").await;
    assert_eq!(waits_for(&shop, &checkout).await, json!(null));
    let receipt = shop.mails(2).await.remove(0);
    assert!(text(&receipt, "subject").contains("Your receipt"));
    assert_eq!(shop.effects(&checkout.purchase).await, ["paid", "voucher"]);
}

#[tokio::test]
async fn a_voucher_that_nobody_pays_ends_the_purchase_and_gives_its_stock_back() {
    let shop = TestApp::start().await;
    shop.limit(NOTEBOOK, Some(3)).await;
    let checkout = taken(&shop).await;
    shop.control("clock", &[("advance", "172800")]).await;
    assert_eq!(
        shop.stock(NOTEBOOK).await,
        Some(2),
        "held as long as it can be paid"
    );
    end(&shop, &checkout, "fail").await;
    shop.until_status(&checkout.purchase, "failed").await;
    assert_eq!(shop.stock(NOTEBOOK).await, Some(3));
    assert_eq!(
        shop.effects(&checkout.purchase).await,
        ["failed", "voucher"]
    );
}

#[tokio::test]
async fn a_bank_debit_waits_for_the_bank_and_asks_nothing_of_the_buyer() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    shop.pay_by_bank(&checkout).await.expect(303);
    shop.until_status(&checkout.purchase, "pending").await;
    let expected = json!({ "who": "bank" });
    assert_eq!(waits_for(&shop, &checkout).await, expected);
    let mail = shop.mails(1).await.remove(0);
    assert!(text(&mail, "text").contains("There is nothing for you to do."));
}

#[tokio::test]
async fn an_event_is_recorded_though_stripe_cannot_be_asked_and_the_voucher_found_later() {
    for fault in [("status", "500"), ("status", "403")] {
        let shop = TestApp::start().await;
        let (path, always) = (("path", "/v1/payment_intents*"), ("times", "0"));
        shop.control("faults", &[path, fault, always]).await;
        let checkout = taken(&shop).await;
        let expected = json!({ "who": "unknown" });
        assert_eq!(waits_for(&shop, &checkout).await, expected);
        let mail = text(&shop.mails(1).await[0], "text");
        assert!(mail.contains("If you were given a voucher"), "{mail}");

        shop.stripe_is_well().await;
        shop.reconcile().await;
        assert_eq!(
            waits_for(&shop, &checkout).await["voucher_url"],
            checkout.url
        );
        let mail = text(&shop.mails(2).await[0], "text");
        assert!(mail.contains(&checkout.url), "{mail}");
        shop.reconcile().await;
        shop.mails(2).await;
    }
}

#[tokio::test]
async fn a_voucher_that_was_paid_before_its_first_event_came_is_paid() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    let checkout = shop.open_one(NOTEBOOK).await;
    shop.take_voucher(&checkout).await.expect(303);
    end(&shop, &checkout, "succeed").await;
    let events = shop.events_of(checkout.session()).await;
    for kind in [
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
    ] {
        shop.deliver(of_type(&events, kind)).await.expect(200);
        assert_eq!(shop.status(&checkout.purchase).await, "paid", "{kind}");
    }
    shop.mails(1).await;
}
