//! Invoices where older versions show them otherwise: before `basil`, an invoice named its subscription,
//! its one payment and its taxes itself, a line had its price whole, and a charge knew its invoice.

use serde_json::{Map, Value, json};

use crate::description::Description;
use crate::engine::transaction::Transaction;

/// Gives an object of this kind what it had in this version, as far as that is not only elsewhere now.
pub(crate) fn restore(
    transaction: &Transaction<'_>,
    description: &'static Description,
    kind: &str,
    object: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    // What an object was before a change is not the whole of it.
    if !object.contains_key("id") {
        return Ok(());
    }
    let former = match kind {
        "invoice" => invoice(transaction, object)?,
        "line_item" => line(transaction, object)?,
        "invoiceitem" => item(object),
        "credit_note" | "credit_note_line_item" => credit_note(object),
        _ => return Ok(()),
    };
    let had = description.object(kind);
    for (field, value) in former {
        // What is expanded is there already.
        if had.is_some_and(|fields| fields.get(field).is_some()) {
            object.entry(field).or_insert(value);
        }
    }
    Ok(())
}

/// A field that an object of this kind has only when it is asked for, or had before.
pub(crate) fn left_out(
    transaction: &Transaction<'_>,
    kind: &str,
    id: &str,
    field: &str,
) -> anyhow::Result<Option<Value>> {
    let shown = match kind {
        "invoice" | "payment_intent" | "charge" => transaction.shown(id)?,
        _ => None,
    };
    let Some(Value::Object(object)) = shown else {
        return Ok(None);
    };
    Ok(match (kind, field) {
        ("invoice", "payment_intent" | "charge" | "subscription" | "quote" | "discount") => {
            Some(of_invoice(transaction, &object, field)?)
        }
        ("payment_intent" | "charge", "invoice") => Some(invoice_of(transaction, &object)?),
        _ => None,
    })
}

type Former = Vec<(&'static str, Value)>;

fn at<'o>(object: &'o Map<String, Value>, field: &str, path: &str) -> Option<&'o Value> {
    object.get(field)?.pointer(path)
}

fn cloned(value: Option<&Value>) -> Value {
    value.cloned().unwrap_or_default()
}

fn invoice(transaction: &Transaction<'_>, object: &Map<String, Value>) -> anyhow::Result<Former> {
    let off_stripe = object.get("amount_paid_off_stripe").and_then(Value::as_i64);
    let mut former = vec![
        ("paid_out_of_band", json!(off_stripe.unwrap_or(0) != 0)),
        ("total_tax_amounts", tax_amounts(object.get("total_taxes"))),
    ];
    for field in ["charge", "discount"] {
        former.push((field, of_invoice(transaction, object, field)?));
    }
    Ok(former)
}

/// What an invoice named in this field.
fn of_invoice(
    transaction: &Transaction<'_>,
    object: &Map<String, Value>,
    field: &str,
) -> anyhow::Result<Value> {
    Ok(match field {
        "subscription" => cloned(at(object, "parent", "/subscription_details/subscription")),
        "quote" => cloned(at(object, "parent", "/quote_details/quote")),
        "discount" => match at(object, "discounts", "/0") {
            Some(Value::String(id)) => transaction.shown(id)?.unwrap_or_default(),
            whole => cloned(whole),
        },
        _ => {
            let id = object.get("id").and_then(Value::as_str);
            let payments =
                transaction.shown_having("invoice_payment", "invoice", id.unwrap_or_default())?;
            let first = payments.first();
            let intent = cloned(first.and_then(|it| it.pointer("/payment/payment_intent")));
            match (field, intent.as_str()) {
                ("payment_intent", _) => intent,
                (_, Some(id)) => {
                    let intent = transaction.shown(id)?;
                    cloned(intent.as_ref().and_then(|it| it.get("latest_charge")))
                }
                (_, None) => Value::Null,
            }
        }
    })
}

/// The invoice that an intent or a charge pays.
fn invoice_of(transaction: &Transaction<'_>, object: &Map<String, Value>) -> anyhow::Result<Value> {
    let place = "/order_reference";
    let own = at(object, "payment_details", place);
    let intent = match object.get("payment_intent").and_then(Value::as_str) {
        Some(id) if own.is_none() => transaction.shown(id)?,
        _ => None,
    };
    let of_intent = intent
        .as_ref()
        .and_then(|it| it.get("payment_details")?.pointer(place));
    Ok(cloned(own.or(of_intent)))
}

fn tax_amounts(taxes: Option<&Value>) -> Value {
    let taxes = taxes.and_then(Value::as_array).into_iter().flatten();
    let shown = taxes.map(|tax| {
        json!({
            "amount": tax.get("amount"),
            "inclusive": tax.get("tax_behavior").is_some_and(|it| it == "inclusive"),
            "tax_rate": tax.pointer("/tax_rate_details/tax_rate"),
            "taxability_reason": tax.get("taxability_reason"),
            "taxable_amount": tax.get("taxable_amount"),
        })
    });
    shown.collect()
}

fn line(transaction: &Transaction<'_>, object: &Map<String, Value>) -> anyhow::Result<Former> {
    let all = object.get("taxes").and_then(Value::as_array);
    let taxes = || all.into_iter().flatten();
    let included = taxes()
        .filter(|tax| tax.get("tax_behavior").is_some_and(|it| it == "inclusive"))
        .filter_map(|tax| tax.get("amount")?.as_i64())
        .fold(0, i64::saturating_add);
    let amount = object.get("amount").and_then(Value::as_i64).unwrap_or(0);
    let mut rates = Vec::new();
    for tax in taxes() {
        let id = tax.pointer("/tax_rate_details/tax_rate");
        if let Some(id) = id.and_then(Value::as_str) {
            rates.extend(transaction.shown_of("tax_rate", id)?);
        }
    }
    Ok(vec![
        (
            "amount_excluding_tax",
            json!(amount.saturating_sub(included)),
        ),
        ("tax_amounts", tax_amounts(object.get("taxes"))),
        ("tax_rates", json!(rates)),
        (
            "unit_amount_excluding_tax",
            cloned(at(object, "pricing", "/unit_amount_decimal")),
        ),
    ])
}

fn item(object: &Map<String, Value>) -> Former {
    let unit = at(object, "pricing", "/unit_amount_decimal").and_then(Value::as_str);
    let whole = unit.and_then(|it| it.parse::<i64>().ok());
    vec![("unit_amount", json!(whole))]
}

/// Both a note and its lines had their taxes in other words; a note had one refund.
fn credit_note(object: &Map<String, Value>) -> Former {
    let taxes = object.get("total_taxes").or(object.get("taxes"));
    vec![
        ("refund", cloned(at(object, "refunds", "/0/refund"))),
        ("tax_amounts", tax_amounts(taxes)),
    ]
}
