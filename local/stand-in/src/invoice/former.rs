//! Invoices where older versions show them otherwise: before `basil`, an invoice named its subscription,
//! its one payment and its taxes itself, a line had its price whole, and a charge knew its invoice.

use serde_json::{Map, Value, json};

use crate::description::Description;
use crate::engine::transaction::Transaction;

/// Adds the fields that this version has, within `value`.
pub(crate) fn show(
    transaction: &Transaction<'_>,
    description: &'static Description,
    value: &mut Value,
) -> anyhow::Result<()> {
    let had = description.object("invoice");
    match had.is_some_and(|fields| fields.get("payment_intent").is_some()) {
        true => add(transaction, value),
        false => Ok(()),
    }
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

fn add(transaction: &Transaction<'_>, value: &mut Value) -> anyhow::Result<()> {
    match value {
        Value::Array(elements) => elements
            .iter_mut()
            .try_for_each(|element| add(transaction, element)),
        Value::Object(object) => {
            for within in object.values_mut() {
                add(transaction, within)?;
            }
            let former = match object.get("object").and_then(Value::as_str) {
                Some("invoice") => invoice(transaction, object)?,
                Some("line_item") => line(transaction, object)?,
                Some("invoiceitem") => item(transaction, object)?,
                Some("credit_note" | "credit_note_line_item") => credit_note(object),
                Some("payment_intent" | "charge") => {
                    vec![("invoice", invoice_of(transaction, object)?)]
                }
                _ => return Ok(()),
            };
            for (field, value) in former {
                // What is expanded is there already.
                object.entry(field).or_insert(value);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

type Former = Vec<(&'static str, Value)>;

fn at<'o>(object: &'o Map<String, Value>, field: &str, path: &str) -> Option<&'o Value> {
    object.get(field)?.pointer(path)
}

fn cloned(value: Option<&Value>) -> Value {
    value.cloned().unwrap_or_default()
}

fn invoice(transaction: &Transaction<'_>, object: &Map<String, Value>) -> anyhow::Result<Former> {
    let details = object
        .get("parent")
        .and_then(|it| it.get("subscription_details"));
    let details = details.filter(|it| it.is_object());
    let off_stripe = object.get("amount_paid_off_stripe").and_then(Value::as_i64);
    let mut former = vec![
        (
            "paid",
            json!(object.get("status").is_some_and(|it| it == "paid")),
        ),
        ("paid_out_of_band", json!(off_stripe.unwrap_or(0) != 0)),
        (
            "subscription_details",
            details.map_or(Value::Null, |it| json!({ "metadata": it.get("metadata") })),
        ),
        ("tax", tax(object.get("total_taxes"))),
        ("total_tax_amounts", tax_amounts(object.get("total_taxes"))),
    ];
    for field in [
        "payment_intent",
        "charge",
        "subscription",
        "quote",
        "discount",
    ] {
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
            let first = payments.first().map(|it| &it["payment"]["payment_intent"]);
            let intent = cloned(first);
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

/// The sum of taxes, if there are any.
fn tax(taxes: Option<&Value>) -> Value {
    let taxes = taxes.and_then(Value::as_array).filter(|it| !it.is_empty());
    let amounts = taxes.map(|taxes| {
        let amounts = taxes.iter().filter_map(|tax| tax.get("amount")?.as_i64());
        amounts.fold(0, i64::saturating_add)
    });
    json!(amounts)
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

/// The price of a line or an item, whole.
fn price(transaction: &Transaction<'_>, object: &Map<String, Value>) -> anyhow::Result<Value> {
    match at(object, "pricing", "/price_details/price") {
        Some(Value::String(id)) => Ok(transaction.shown(id)?.unwrap_or_default()),
        whole => Ok(cloned(whole)),
    }
}

fn line(transaction: &Transaction<'_>, object: &Map<String, Value>) -> anyhow::Result<Former> {
    let parent = object.get("parent");
    let of_item = parent.and_then(|it| it.get("invoice_item_details"));
    let of_item = of_item.filter(|it| it.is_object());
    let of_subscription = parent.and_then(|it| it.get("subscription_item_details"));
    let details = of_item.or(of_subscription);
    let detail = |name: &str| details.and_then(|it| it.get(name));
    let taxes = object.get("taxes");
    let included = taxes.and_then(Value::as_array).into_iter().flatten();
    let included = included
        .filter(|tax| tax.get("tax_behavior").is_some_and(|it| it == "inclusive"))
        .filter_map(|tax| tax.get("amount")?.as_i64())
        .fold(0, i64::saturating_add);
    let amount = object.get("amount").and_then(Value::as_i64).unwrap_or(0);
    let mut rates = Vec::new();
    for tax in taxes.and_then(Value::as_array).into_iter().flatten() {
        if let Some(id) = tax
            .pointer("/tax_rate_details/tax_rate")
            .and_then(Value::as_str)
        {
            rates.extend(transaction.shown(id)?);
        }
    }
    let kind = match of_item {
        Some(_) => "invoiceitem",
        None => "subscription",
    };
    let mut former = vec![
        (
            "amount_excluding_tax",
            json!(amount.saturating_sub(included)),
        ),
        ("price", price(transaction, object)?),
        ("proration", cloned(detail("proration"))),
        (
            "proration_details",
            match detail("proration_details") {
                Some(details) if details.is_object() => details.clone(),
                _ => json!({ "credited_items": null }),
            },
        ),
        ("tax_amounts", tax_amounts(taxes)),
        ("tax_rates", json!(rates)),
        ("type", json!(kind)),
        (
            "unit_amount_excluding_tax",
            cloned(at(object, "pricing", "/unit_amount_decimal")),
        ),
    ];
    for field in ["invoice_item", "subscription_item"] {
        former.extend(
            detail(field)
                .filter(|it| it.is_string())
                .map(|it| (field, it.clone())),
        );
    }
    Ok(former)
}

fn item(transaction: &Transaction<'_>, object: &Map<String, Value>) -> anyhow::Result<Former> {
    let unit = at(object, "pricing", "/unit_amount_decimal");
    let whole = unit
        .and_then(Value::as_str)
        .and_then(|it| it.parse::<i64>().ok());
    Ok(vec![
        ("price", price(transaction, object)?),
        (
            "subscription",
            cloned(at(object, "parent", "/subscription_details/subscription")),
        ),
        ("unit_amount", json!(whole)),
        ("unit_amount_decimal", cloned(unit)),
    ])
}

/// Both a note and its lines had their taxes in other words; a note had one refund.
fn credit_note(object: &Map<String, Value>) -> Former {
    let taxes = object.get("total_taxes").or(object.get("taxes"));
    vec![
        ("refund", cloned(at(object, "refunds", "/0/refund"))),
        ("tax_amounts", tax_amounts(taxes)),
    ]
}
