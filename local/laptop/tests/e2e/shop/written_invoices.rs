//! The invoice that Stripe writes of what is bought once, if the shop wants one.

use serde_json::Value;
use testing::{CARD, COFFEE, Checkout, MUG, TestApp, cart, of_type, text};

/// A shop that has invoices written.
async fn writing() -> TestApp {
    let shop = TestApp::start().await;
    shop.restart_with(&[("INVOICE_CREATION", "true")]).await
}

/// The invoice of a purchase, at Stripe.
async fn at_stripe(shop: &TestApp, checkout: &Checkout) -> Value {
    let session = shop.session(checkout.session()).await;
    let id = text(&session, "invoice");
    shop.at_stripe(&format!("invoices/{id}")).await
}

#[tokio::test]
async fn an_invoice_is_written_and_the_receipt_and_the_history_lead_to_it() {
    let shop = writing().await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    shop.drained().await;
    let invoice = at_stripe(&shop, &checkout).await;
    assert_eq!(invoice["status"], "paid");
    assert_eq!(invoice["metadata"]["purchase_id"], *checkout.purchase);

    let purchase = shop.purchase(&checkout.purchase).await;
    let shown = &purchase["invoice"];
    assert_eq!(shown["number"], invoice["number"]);
    assert_eq!(shown["url"], invoice["hosted_invoice_url"]);
    assert_eq!(shown["pdf"], invoice["invoice_pdf"]);
    assert!(purchase.get("subscription_id").is_none(), "{purchase}");
    assert!(purchase.get("attention").is_none(), "{purchase}");
    assert_eq!(shop.money(&checkout.purchase).await, [1500, 0, 0, 1500]);

    let mail = shop.mails(1).await.remove(0);
    let lead = format!(
        "Invoice {}\n{}\n",
        text(shown, "number"),
        text(shown, "url")
    );
    assert!(text(&mail, "text").contains(&lead), "{mail}");
    assert!(
        text(&mail, "html").contains(&text(shown, "number")),
        "{mail}"
    );
}

#[tokio::test]
async fn an_invoice_is_known_whichever_event_comes_first() {
    for invoice_first in [true, false] {
        let shop = writing().await;
        shop.hold_deliveries().await;
        let checkout = shop.open().await;
        shop.pay(&checkout, CARD).await.expect(303);
        let invoice = at_stripe(&shop, &checkout).await;
        let of_session = shop.events_of(checkout.session()).await;
        let completed = of_type(&of_session, "checkout.session.completed");
        let of_invoice = shop.events_of(&text(&invoice, "id")).await;
        let paid = of_type(&of_invoice, "invoice.paid");
        let mut events = [completed, paid];
        if invoice_first {
            events.reverse();
        }
        for event in events.iter().chain(&events) {
            shop.deliver(event).await.expect(200);
        }
        let purchase = shop.purchase(&checkout.purchase).await;
        assert_eq!(purchase["status"], "paid");
        assert_eq!(purchase["invoice"]["number"], invoice["number"]);
        shop.mails(1).await;
    }
}

#[tokio::test]
async fn a_receipt_does_not_wait_for_an_invoice_that_cannot_be_asked_for() {
    let shop = writing().await;
    shop.hold_deliveries().await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    let events = shop.events_of(checkout.session()).await;
    let completed = of_type(&events, "checkout.session.completed");
    let invoice = at_stripe(&shop, &checkout).await;
    let down = [
        ("fault", "error"),
        ("path", "/v1/invoices/*"),
        ("status", "500"),
        ("times", "0"),
    ];
    shop.control("faults", &down).await;
    shop.deliver(completed).await.expect(200);
    shop.stripe_is_well().await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["status"], "paid");
    assert!(purchase.get("invoice").is_none(), "{purchase}");
    let mail = shop.mails(1).await.remove(0);
    assert!(!text(&mail, "text").contains("\nInvoice"), "{mail}");

    shop.reconcile().await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["invoice"]["number"], invoice["number"]);
    shop.mails(1).await;
}

#[tokio::test]
async fn what_is_refunded_or_subscribed_to_is_the_same_with_invoices() {
    let shop = writing().await;
    let checkout = shop.open_one(MUG).await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    shop.refund(&checkout, None).await;
    shop.until_status(&checkout.purchase, "refunded").await;
    assert_eq!(shop.money(&checkout.purchase).await, [1500, 1500, 0, 0]);
    let checkout = Checkout::of(&shop.checkout(&cart(&[(COFFEE, 1)])).await);
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert!(purchase["subscription_id"].is_string(), "{purchase}");
    assert!(purchase.get("invoice").is_none(), "{purchase}");
}

#[tokio::test]
async fn a_shop_that_wants_no_invoices_has_none() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let session = shop.session(checkout.session()).await;
    assert!(session["invoice"].is_null(), "{session}");
    let purchase = shop.purchase(&checkout.purchase).await;
    assert!(purchase.get("invoice").is_none(), "{purchase}");
}
