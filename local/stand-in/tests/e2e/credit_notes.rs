//! Credit notes: <https://docs.stripe.com/invoicing/integration/programmatic-credit-notes>.

use serde_json::{Value, json};

use crate::bench::{Bench, Form, id};

const NOTES: &str = "/v1/credit_notes";

async fn post(bench: &Bench, path: &str, form: &Form<'_>) -> Value {
    bench.post(path, form).await.expect(200).json()
}

/// An invoice of 20.00 that is open, or paid.
async fn invoice(bench: &Bench, verb: &str) -> Value {
    let customer = post(
        bench,
        "/v1/customers",
        &vec![
            ("payment_method", "pm_card_visa"),
            ("invoice_settings[default_payment_method]", "pm_card_visa"),
        ],
    )
    .await;
    let customer = id(&customer);
    let item = vec![
        ("customer", customer.as_str()),
        ("unit_amount_decimal", "500"),
        ("quantity", "4"),
        ("currency", "usd"),
    ];
    post(bench, "/v1/invoiceitems", &item).await;
    let form = vec![
        ("customer", customer.as_str()),
        ("pending_invoice_items_behavior", "include"),
    ];
    let draft = post(bench, "/v1/invoices", &form).await;
    post(
        bench,
        &format!("/v1/invoices/{}/{verb}", id(&draft)),
        &vec![],
    )
    .await
}

async fn credit(bench: &Bench, invoice: &Value, more: &[(&str, &str)]) -> Value {
    let invoice = id(invoice);
    let form = [&[("invoice", invoice.as_str())], more].concat();
    post(bench, NOTES, &form).await
}

async fn refused(bench: &Bench, invoice: &Value, more: &[(&str, &str)]) -> Value {
    let invoice = id(invoice);
    let form = [&[("invoice", invoice.as_str())], more].concat();
    bench.post(NOTES, &form).await.expect(400).error()
}

#[tokio::test]
async fn a_note_before_payment_leaves_less_to_pay_and_can_be_void() {
    let bench = Bench::start().await;
    let open = invoice(&bench, "finalize").await;
    let note = credit(
        &bench,
        &open,
        &[
            ("lines[0][type]", "custom_line_item"),
            ("lines[0][unit_amount]", "1000"),
            ("lines[0][quantity]", "1"),
            ("lines[0][description]", "Sorry"),
        ],
    )
    .await;
    assert_eq!(
        (&note["type"], &note["status"]),
        (&json!("pre_payment"), &json!("issued"))
    );
    assert_eq!(
        (&note["amount"], &note["pre_payment_amount"]),
        (&json!(1000), &json!(1000))
    );
    assert!(note["number"].as_str().unwrap().ends_with("-0001-CN-01"));
    let now = bench.fetch("invoices", &id(&open)).await;
    assert_eq!(
        (
            &now["amount_remaining"],
            &now["pre_payment_credit_notes_amount"],
            &now["total"]
        ),
        (&json!(1000), &json!(1000), &json!(2000))
    );
    let error = refused(&bench, &open, &[("amount", "1001")]).await;
    assert_eq!(error["param"], "amount");
    refused(
        &bench,
        &open,
        &[("amount", "500"), ("refund_amount", "500")],
    )
    .await;

    let void = post(&bench, &format!("{NOTES}/{}/void", id(&note)), &vec![]).await;
    assert_eq!(void["status"], "void");
    bench.latest("credit_note.voided").await;
    let now = bench.fetch("invoices", &id(&open)).await;
    assert_eq!(now["amount_remaining"], 2000);
    let path = format!("{NOTES}/{}/void", id(&note));
    bench.post(&path, &vec![]).await.expect(400);

    let so_far = bench.event_types().await.len();
    credit(&bench, &open, &[("amount", "2000")]).await;
    let now = bench.fetch("invoices", &id(&open)).await;
    assert_eq!(
        (&now["status"], &now["amount_paid"]),
        (&json!("paid"), &json!(0))
    );
    let events = bench.event_types_after(so_far).await;
    assert_eq!(events.first().unwrap(), "credit_note.created");
    assert!(events.contains(&"invoice.paid".to_owned()));
}

#[tokio::test]
async fn a_note_after_payment_refunds_credits_or_says_that_somebody_else_did() {
    let bench = Bench::start().await;
    let paid = invoice(&bench, "pay").await;
    let error = refused(&bench, &paid, &[("amount", "500")]).await;
    assert!(error["message"].as_str().unwrap().contains("must equal"));
    let note = credit(
        &bench,
        &paid,
        &[
            ("amount", "900"),
            ("refund_amount", "500"),
            ("credit_amount", "300"),
            ("out_of_band_amount", "100"),
            ("reason", "order_change"),
        ],
    )
    .await;
    assert_eq!(
        (&note["type"], &note["post_payment_amount"]),
        (&json!("post_payment"), &json!(900))
    );
    assert_eq!(note["out_of_band_amount"], 100);
    let refund = note["refunds"][0]["refund"].as_str().unwrap();
    let refund = bench.fetch("refunds", refund).await;
    assert_eq!(refund["amount"], 500);
    let customer = paid["customer"].as_str().unwrap();
    let customer = bench.fetch("customers", customer).await;
    assert_eq!(customer["balance"], -300);
    let now = bench.fetch("invoices", &id(&paid)).await;
    assert_eq!(
        (
            &now["status"],
            &now["post_payment_credit_notes_amount"],
            &now["amount_paid"]
        ),
        (&json!("paid"), &json!(900), &json!(2000))
    );
    refused(
        &bench,
        &paid,
        &[("amount", "1101"), ("credit_amount", "1101")],
    )
    .await;
    let path = format!("{NOTES}/{}/void", id(&note));
    bench.post(&path, &vec![]).await.expect(400);
}

#[tokio::test]
async fn a_line_is_credited_once_and_a_preview_keeps_nothing() {
    let bench = Bench::start().await;
    let paid = invoice(&bench, "pay").await;
    let line = id(&paid["lines"]["data"][0]);
    let part: [(&str, &str); 4] = [
        ("lines[0][type]", "invoice_line_item"),
        ("lines[0][invoice_line_item]", &line),
        ("lines[0][quantity]", "3"),
        ("credit_amount", "1500"),
    ];
    let query: Vec<String> = part
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let path = format!("{NOTES}/preview?invoice={}&{}", id(&paid), query.join("&"));
    let preview = bench.get(&path).await.expect(200).json();
    assert_eq!(preview["total"], 1500);
    let none = bench.get(NOTES).await.json();
    assert_eq!(none["data"], json!([]));

    let note = credit(&bench, &paid, &part).await;
    assert_eq!(note["lines"]["data"][0]["invoice_line_item"], json!(line));
    let error = refused(&bench, &paid, &part).await;
    assert_eq!(error["param"], "lines");
    let path = format!("{NOTES}/{}/lines", id(&note));
    let lines = bench.get(&path).await.json();
    assert_eq!(lines["data"], note["lines"]["data"]);
    let path = format!("{NOTES}/{}", id(&note));
    let changed = post(&bench, &path, &vec![("memo", "Three of four")]).await;
    assert_eq!(changed["memo"], "Three of four");
    bench.latest("credit_note.updated").await;
}

#[tokio::test]
async fn a_note_of_every_line_comes_to_the_total_of_its_invoice() {
    let bench = Bench::start().await;
    let rate = vec![
        ("display_name", "VAT"),
        ("percentage", "19"),
        ("inclusive", "false"),
    ];
    let rate = id(&post(&bench, "/v1/tax_rates", &rate).await);
    let coupon = vec![("percent_off", "15"), ("duration", "once")];
    let coupon = id(&post(&bench, "/v1/coupons", &coupon).await);
    let customer = id(&post(&bench, "/v1/customers", &vec![("name", "Ada")]).await);
    for (amount, quantity) in [("333", "3"), ("1001", "1"), ("7", "9")] {
        let item = vec![
            ("customer", customer.as_str()),
            ("unit_amount_decimal", amount),
            ("quantity", quantity),
            ("currency", "usd"),
        ];
        post(&bench, "/v1/invoiceitems", &item).await;
    }
    let form = vec![
        ("customer", customer.as_str()),
        ("pending_invoice_items_behavior", "include"),
        ("discounts[0][coupon]", coupon.as_str()),
        ("default_tax_rates[0]", rate.as_str()),
    ];
    let draft = post(&bench, "/v1/invoices", &form).await;
    let path = format!("/v1/invoices/{}/finalize", id(&draft));
    let open = post(&bench, &path, &vec![]).await;
    let mut all = Vec::new();
    for (at, line) in open["lines"]["data"].as_array().unwrap().iter().enumerate() {
        all.push((format!("lines[{at}][type]"), "invoice_line_item".to_owned()));
        all.push((format!("lines[{at}][invoice_line_item]"), id(line)));
        let quantity = line["quantity"].to_string();
        all.push((format!("lines[{at}][quantity]"), quantity));
    }
    let all: Vec<(&str, &str)> = all
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let note = credit(&bench, &open, &all).await;
    assert_eq!(note["total"], open["total"]);
    assert_eq!(note["total_excluding_tax"], open["total_excluding_tax"]);
    let paid = bench.fetch("invoices", &id(&open)).await;
    assert_eq!(
        (&paid["status"], &paid["amount_remaining"]),
        (&json!("paid"), &json!(0))
    );
}
