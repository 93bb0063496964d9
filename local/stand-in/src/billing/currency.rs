//! The currency that a customer is billed in. Invoices and their items may be in any, but what goes on
//! may not be in two at once: <https://docs.stripe.com/invoicing/multi-currency-customers>.

use serde_json::{Value, json};

use crate::account::currency::Currency;
use crate::engine::filter::{Cursor, Filter};
use crate::engine::transaction::Transaction;
use crate::promotion::object::{Coupon, Off};
use crate::webhook::record::record_shown;
use crate::wire::errors::ApiError;

/// What binds a customer to a currency, and as long as what holds of it. A schedule that has begun is
/// bound by its subscription.
const BINDING: [(&str, &str); 5] = [
    (
        "subscription",
        "shown ->> '$.status' NOT IN ('canceled', 'incomplete_expired')",
    ),
    (
        "subscription_schedule",
        "shown ->> '$.status' = 'not_started'",
    ),
    ("quote", "shown ->> '$.status' IN ('draft', 'open')"),
    ("invoiceitem", "shown ->> '$.invoice' IS NULL"),
    (
        "checkout.session",
        "shown ->> '$.mode' = 'subscription' AND shown ->> '$.status' = 'open'",
    ),
];

/// Where an object shows its currency; a schedule does so in its phases.
const CURRENCY: &str = "coalesce(shown ->> '$.currency', shown ->> '$.phases[0].currency')";

/// Refuses to begin something that goes on in this currency if the customer is bound to another one by
/// anything but the object with the id `own`.
pub(crate) fn check(
    transaction: &Transaction<'_>,
    customer: &str,
    currency: Currency,
    own: Option<&str>,
) -> Result<(), ApiError> {
    let Some(bound) = bound_to_another(transaction, customer, currency, own)? else {
        return Ok(());
    };
    Err(ApiError::invalid(format!(
        "You cannot combine currencies on a single customer. This customer has an active subscription, \
         subscription schedule, discount, quote, invoice item or active subscription mode checkout \
         session with currency {bound}."
    )))
}

fn bound_to_another(
    transaction: &Transaction<'_>,
    customer: &str,
    currency: Currency,
    own: Option<&str>,
) -> anyhow::Result<Option<String>> {
    for (kind, holds) in BINDING {
        let code = currency.code().to_owned();
        let filter = Filter::default()
            .equal("customer", customer.to_owned().into())
            .and(holds, [])
            .and(&format!("{CURRENCY} <> ?"), [code.into()])
            .and("id <> ?", [own.unwrap_or_default().to_owned().into()]);
        let found = transaction.some_shown(kind, Cursor::NewerThan(0), 1, &filter)?;
        let shown = |of: &Value| {
            let at = ["/currency", "/phases/0/currency"];
            let code = at.iter().find_map(|at| of.pointer(at)?.as_str());
            code.map(str::to_owned)
        };
        if let Some(bound) = found.first().and_then(shown) {
            return Ok(Some(bound));
        }
    }
    let bound = discount_in(transaction, customer)?;
    Ok(bound.filter(|it| *it != currency).map(|it| it.to_string()))
}

/// The currency of what a customer has off everything, if it is an amount.
fn discount_in(transaction: &Transaction<'_>, customer: &str) -> anyhow::Result<Option<Currency>> {
    let shown = transaction.shown_of("customer", customer)?;
    let coupon = shown
        .as_ref()
        .and_then(|it| it.pointer("/discount/source/coupon")?.as_str());
    let coupon = match coupon {
        Some(id) => transaction.get::<Coupon>(id)?,
        None => None,
    };
    Ok(match coupon.map(|it| it.off) {
        Some(Off::Amount { currency, .. }) => Some(currency),
        _ => None,
    })
}

/// The currency that a customer is billed in, if that is known.
pub(crate) fn of(
    transaction: &Transaction<'_>,
    customer: &str,
) -> anyhow::Result<Option<Currency>> {
    let customer = transaction.shown_of("customer", customer)?;
    Ok(customer.as_ref().and_then(shown))
}

/// The currency of a customer, or of what they are billed for, as the API shows it.
pub(crate) fn shown(object: &Value) -> Option<Currency> {
    object.get("currency")?.as_str()?.parse().ok()
}

/// The customer is billed in this currency from now on: something that goes on has begun.
pub(crate) fn adopt(
    transaction: &Transaction<'_>,
    customer: &str,
    currency: Currency,
) -> anyhow::Result<()> {
    let Some(before) = transaction.shown_of("customer", customer)? else {
        return Ok(());
    };
    if shown(&before) == Some(currency) {
        return Ok(());
    }
    let mut now = before.clone();
    if let Value::Object(fields) = &mut now {
        fields.insert("currency".to_owned(), json!(currency));
    }
    transaction.put_plain("customer", customer, &now, None)?;
    record_shown(transaction, "customer.updated", now, Some(&before))
}

/// The same of one whose currency nobody knows yet: there is something to bill at all.
pub(crate) fn adopt_first(
    transaction: &Transaction<'_>,
    customer: &str,
    currency: Currency,
) -> anyhow::Result<()> {
    match of(transaction, customer)? {
        Some(_) => Ok(()),
        None => adopt(transaction, customer, currency),
    }
}
