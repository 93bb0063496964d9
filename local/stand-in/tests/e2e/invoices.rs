//! Invoices: <https://docs.stripe.com/invoicing/overview>, and their items, lines and payments.

mod drafts;
mod paying;
mod previews;
mod time;

use serde_json::Value;

use crate::bench::{Bench, Form, id};

const INVOICES: &str = "/v1/invoices";
const ITEMS: &str = "/v1/invoiceitems";
const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

async fn post(bench: &Bench, path: &str, form: &Form<'_>) -> Value {
    bench.post(path, form).await.expect(200).json()
}

async fn refused(bench: &Bench, path: &str, form: &Form<'_>) -> Value {
    bench.post(path, form).await.expect(400).error()
}

/// A customer who pays with this card by default.
async fn customer(bench: &Bench, card: &str) -> String {
    let mut form = vec![("email", "ada@mail.example"), ("invoice_prefix", "ADA")];
    if !card.is_empty() {
        form.push(("payment_method", card));
        form.push(("invoice_settings[default_payment_method]", card));
    }
    id(&post(bench, "/v1/customers", &form).await)
}

async fn item(bench: &Bench, customer: &str, amount: &str) -> Value {
    let form = vec![
        ("customer", customer),
        ("amount", amount),
        ("currency", "usd"),
        ("description", "Work"),
    ];
    post(bench, ITEMS, &form).await
}

/// A draft of what is pending.
async fn draft(bench: &Bench, customer: &str, more: &[(&str, &str)]) -> Value {
    let form = [
        &[
            ("customer", customer),
            ("pending_invoice_items_behavior", "include"),
        ],
        more,
    ]
    .concat();
    post(bench, INVOICES, &form).await
}

async fn act(bench: &Bench, invoice: &Value, verb: &str, form: &Form<'_>) -> Value {
    let path = format!("{INVOICES}/{}/{verb}", id(invoice));
    post(bench, &path, form).await
}

async fn act_refused(bench: &Bench, invoice: &Value, verb: &str, form: &Form<'_>) -> Value {
    let path = format!("{INVOICES}/{}/{verb}", id(invoice));
    refused(bench, &path, form).await
}

/// What an invoice comes to: subtotal, total, due, paid, remaining.
fn sums(invoice: &Value) -> [i64; 5] {
    [
        "subtotal",
        "total",
        "amount_due",
        "amount_paid",
        "amount_remaining",
    ]
    .map(|field| invoice[field].as_i64().unwrap())
}
