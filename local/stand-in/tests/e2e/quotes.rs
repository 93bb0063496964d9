//! Quotes: <https://docs.stripe.com/quotes/overview>.

use serde_json::{Value, json};

use crate::bench::{Bench, Form, id};

const QUOTES: &str = "/v1/quotes";
const DAY: u32 = 86_400;

async fn post(bench: &Bench, path: &str, form: &Form<'_>) -> Value {
    bench.post(path, form).await.expect(200).json()
}

async fn price(bench: &Bench, amount: &str, more: &[(&str, &str)]) -> String {
    let form = [
        &[
            ("currency", "usd"),
            ("unit_amount", amount),
            ("product_data[name]", "Mug"),
        ],
        more,
    ]
    .concat();
    id(&post(bench, "/v1/prices", &form).await)
}

async fn customer(bench: &Bench) -> String {
    id(&post(bench, "/v1/customers", &vec![("email", "ada@mail.example")]).await)
}

/// A draft of two mugs, for nobody yet.
async fn two_mugs(bench: &Bench) -> Value {
    let mug = price(bench, "1500", &[]).await;
    let form = vec![
        ("line_items[0][price]", mug.as_str()),
        ("line_items[0][quantity]", "2"),
        ("header", "Mugs"),
    ];
    post(bench, QUOTES, &form).await
}

/// The draft of two mugs is for somebody from now on, who has a tenth off.
async fn offer(bench: &Bench, path: &str) -> Value {
    let ada = customer(bench).await;
    let coupon = vec![("percent_off", "10"), ("duration", "once")];
    let coupon = id(&post(bench, "/v1/coupons", &coupon).await);
    let form = vec![
        ("customer", ada.as_str()),
        ("discounts[0][coupon]", coupon.as_str()),
    ];
    post(bench, path, &form).await
}

#[tokio::test]
async fn a_quote_can_be_changed_until_it_is_finalized_for_somebody() {
    let bench = Bench::start().await;
    let quote = two_mugs(&bench).await;
    assert_eq!(
        (&quote["status"], &quote["amount_total"]),
        (&json!("draft"), &json!(3000))
    );
    assert_eq!(quote["computed"]["recurring"], json!(null));
    let path = format!("{QUOTES}/{}", id(&quote));
    let (finalize, accept) = (format!("{path}/finalize"), format!("{path}/accept"));
    bench.post(&finalize, &vec![]).await.expect(400);
    let changed = offer(&bench, &path).await;
    assert_eq!(
        (&changed["amount_subtotal"], &changed["amount_total"]),
        (&json!(3000), &json!(2700))
    );
    bench.post(&accept, &vec![]).await.expect(400);
    let open = post(&bench, &finalize, &vec![]).await;
    assert_eq!(open["status"], "open");
    assert!(open["number"].as_str().unwrap().starts_with("QT-"));
    let form = vec![("header", "Cups")];
    bench.post(&path, &form).await.expect(400);
    let lines = bench.get(&format!("{path}/line_items")).await;
    let line = lines.expect(200).json()["data"][0].clone();
    assert_eq!(
        (&line["amount_discount"], &line["amount_total"]),
        (&json!(300), &json!(2700))
    );
}

#[tokio::test]
async fn a_quote_that_is_accepted_becomes_an_invoice() {
    let bench = Bench::start().await;
    let quote = two_mugs(&bench).await;
    let path = format!("{QUOTES}/{}", id(&quote));
    offer(&bench, &path).await;
    post(&bench, &format!("{path}/finalize"), &vec![]).await;
    let so_far = bench.event_types().await.len();
    let accepted = post(&bench, &format!("{path}/accept"), &vec![]).await;
    assert_eq!(accepted["status"], "accepted");
    assert_eq!(
        bench.event_types_after(so_far).await,
        ["invoice.created", "quote.accepted"]
    );
    let invoice = accepted["invoice"].as_str().unwrap();
    let invoice = bench.fetch("invoices", invoice).await;
    assert_eq!(
        (&invoice["total"], &invoice["status"]),
        (&json!(2700), &json!("draft"))
    );
    assert_eq!(invoice["parent"]["quote_details"]["quote"], quote["id"]);
    assert_eq!(invoice["billing_reason"], "quote_accept");
    let cancel = format!("{path}/cancel");
    bench.post(&cancel, &vec![]).await.expect(400);
}

#[tokio::test]
async fn a_quote_that_nobody_accepts_ends() {
    let bench = Bench::start().await;
    let mug = price(&bench, "1500", &[]).await;
    let form = vec![("line_items[0][price]", mug.as_str())];
    let quote = post(&bench, QUOTES, &form).await;
    let other = post(&bench, QUOTES, &form).await;
    let path = format!("{QUOTES}/{}/cancel", id(&other));
    let canceled = post(&bench, &path, &vec![]).await;
    assert_eq!(canceled["status"], "canceled");
    bench.advance(30 * DAY).await;
    let over = bench.fetch("quotes", &id(&quote)).await;
    assert_eq!(over["status"], "canceled");
    let told = bench.latest("quote.canceled").await;
    assert_eq!(told["data"]["object"]["id"], quote["id"]);
}

#[tokio::test]
async fn a_recurring_quote_shows_what_is_billed_again_and_again() {
    let bench = Bench::start().await;
    let (once, monthly) = (
        price(&bench, "1500", &[]).await,
        price(&bench, "500", &[("recurring[interval]", "month")]).await,
    );
    let yearly = price(&bench, "5000", &[("recurring[interval]", "year")]).await;
    let quote = post(
        &bench,
        QUOTES,
        &vec![
            ("line_items[0][price]", &once),
            ("line_items[1][price]", &monthly),
            ("line_items[1][quantity]", "3"),
        ],
    )
    .await;
    assert_eq!(quote["computed"]["upfront"]["amount_total"], 3000);
    let recurring = &quote["computed"]["recurring"];
    assert_eq!(
        (&recurring["amount_total"], &recurring["interval"]),
        (&json!(1500), &json!("month"))
    );
    let mixed = vec![
        ("line_items[0][price]", monthly.as_str()),
        ("line_items[1][price]", yearly.as_str()),
    ];
    bench.post(QUOTES, &mixed).await.expect(400);
}

#[tokio::test]
async fn a_recurring_quote_that_is_accepted_becomes_a_subscription() {
    let bench = Bench::start().await;
    let monthly = price(&bench, "500", &[("recurring[interval]", "month")]).await;
    let once = price(&bench, "1500", &[]).await;
    let ada = vec![
        ("payment_method", "pm_card_visa"),
        ("invoice_settings[default_payment_method]", "pm_card_visa"),
    ];
    let ada = id(&post(&bench, "/v1/customers", &ada).await);
    let form = vec![
        ("customer", ada.as_str()),
        ("line_items[0][price]", monthly.as_str()),
        ("line_items[0][quantity]", "2"),
        ("line_items[1][price]", once.as_str()),
        ("subscription_data[metadata][tier]", "gold"),
    ];
    let quote = post(&bench, QUOTES, &form).await;
    let path = format!("{QUOTES}/{}", id(&quote));
    post(&bench, &format!("{path}/finalize"), &vec![]).await;
    let accepted = post(&bench, &format!("{path}/accept"), &vec![]).await;
    let subscription = accepted["subscription"].as_str().unwrap();
    let path = format!("/v1/subscriptions/{subscription}?expand[]=latest_invoice");
    let subscription = bench.get(&path).await.expect(200).json();
    assert_eq!(subscription["status"], "active");
    assert_eq!(subscription["metadata"], json!({ "tier": "gold" }));
    assert_eq!(subscription["items"]["data"][0]["quantity"], 2);
    let invoice = &subscription["latest_invoice"];
    assert_eq!(
        (&invoice["total"], &invoice["status"]),
        (&quote["amount_total"], &json!("paid"))
    );
}
