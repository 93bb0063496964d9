//! The customer of a session: made when it is paid, or changed by what the buyer tells.

use serde_json::{Map, Value, json};

use crate::checkout::invoice;
use crate::checkout::object::Session;
use crate::description::filled;
use crate::engine::filter::{Cursor, Filter};
use crate::engine::ids::{self, CustomerId};
use crate::engine::transaction::Transaction;
use crate::payment::method::PaymentMethod;
use crate::webhook::record::record_shown;

/// More than anybody chooses from.
const MOST_SAVED: usize = 10;

/// Makes the customer that the shop wants, unless there is one.
pub(super) fn make(transaction: &Transaction<'_>, session: &mut Session) -> anyhow::Result<()> {
    let wanted = session.asked_text("customer_creation") == Some("always")
        || session.is_for_subscription()
        || invoice::is_wanted(session);
    if session.customer.is_some() || !wanted {
        return Ok(());
    }
    let id = CustomerId::random();
    let told = &session.collected;
    let mut customer = filled(
        "customer",
        [
            ("id", json!(id)),
            ("created", json!(transaction.now)),
            ("delinquent", json!(false)),
            ("email", json!(session.email())),
            ("invoice_prefix", json!(ids::code())),
            ("name", json!(told.name)),
            ("next_invoice_sequence", json!(1)),
            ("phone", json!(told.phone)),
            ("preferred_locales", json!([])),
            ("tax_exempt", json!("none")),
        ],
    );
    learn(
        &mut customer,
        session,
        &["address".to_owned(), "shipping".to_owned()],
    );
    let customer = Value::Object(customer);
    transaction.put_plain("customer", &id, &customer, None)?;
    session.customer = Some(id);
    record_shown(transaction, "customer.created", customer, None)
}

/// The customer follows what the buyer has told, as far as the shop wants it.
pub(super) fn update(transaction: &Transaction<'_>, session: &Session) -> anyhow::Result<()> {
    let Some(id) = session
        .customer
        .as_ref()
        .filter(|_| !session.customer_update.is_empty())
    else {
        return Ok(());
    };
    let Some(Value::Object(before)) = transaction.shown_of("customer", id)? else {
        return Ok(());
    };
    let mut customer = before.clone();
    learn(&mut customer, session, &session.customer_update);
    if customer == before {
        return Ok(());
    }
    let (before, customer) = (Value::Object(before), Value::Object(customer));
    transaction.put_plain("customer", id, &customer, None)?;
    record_shown(transaction, "customer.updated", customer, Some(&before))
}

fn learn(customer: &mut Map<String, Value>, session: &Session, parts: &[String]) {
    let told = &session.collected;
    let ship_to = told.ship_to.as_ref();
    let shipping = ship_to.map(|it| {
        json!({ "address": it.address, "name": it.name, "phone": told.phone.clone().unwrap_or_default() })
    });
    let known = [
        ("address", told.address.as_ref().map(|it| json!(it))),
        ("name", told.name.as_ref().map(|it| json!(it))),
        ("shipping", shipping),
    ];
    for (part, value) in known {
        if let Some(value) = value.filter(|_| parts.iter().any(|it| it == part)) {
            customer.insert(part.to_owned(), value);
        }
    }
}

/// The saved payment methods that the page shows: those whose customer has agreed to see them again,
/// unless the shop wants others.
pub(crate) fn saved(
    transaction: &Transaction<'_>,
    session: &Session,
) -> anyhow::Result<Vec<PaymentMethod>> {
    let Some(customer) = &session.customer else {
        return Ok(Vec::new());
    };
    let filters = session.asked_at("/saved_payment_method_options/allow_redisplay_filters");
    let filters: Vec<&str> = match filters.and_then(Value::as_array) {
        Some(filters) => filters.iter().filter_map(Value::as_str).collect(),
        None => vec!["always"],
    };
    let theirs = Filter::default().equal("customer", customer.to_string().into());
    let mut saved: Vec<PaymentMethod> =
        transaction.some(Cursor::OlderThan(i64::MAX), MOST_SAVED, &theirs)?;
    saved.retain(|method| {
        filters.contains(&method.allow_redisplay.as_str()) && session.offers(method.means.name())
    });
    Ok(saved)
}
