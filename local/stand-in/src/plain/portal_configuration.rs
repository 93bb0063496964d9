//! Configurations of the billing portal: what customers may do there.

use serde_json::{Value, json};

use super::draft::{Draft, Kind};
use crate::engine::filter::{Cursor, Filter};
use crate::engine::transaction::Transaction;
use crate::wire::errors::ApiError;

/// What a portal lets its customers do.
pub(super) static PORTAL_CONFIGURATION: Kind = Kind {
    defaults: || vec![("features", features())],
    finish,
    ..Kind::plain("billing_portal.configuration", "bpc_1")
};

/// What can be switched on at Stripe, and not here.
const UNSUPPORTED: [(&str, &str); 3] = [
    ("/login_page/enabled", "login_page[enabled]"),
    (
        "/features/subscription_pause/enabled",
        "features[subscription_pause][enabled]",
    ),
    (
        "/features/subscription_update/schedule_at_period_end/conditions/0",
        "features[subscription_update][schedule_at_period_end][conditions]",
    ),
];

/// Everything is off unless it is asked for.
fn features() -> Value {
    json!({
        "customer_update": { "allowed_updates": [], "enabled": false },
        "invoice_history": { "enabled": false },
        "payment_method_update": { "enabled": false, "payment_method_configuration": null },
        "subscription_cancel": {
            "cancellation_reason": { "enabled": false, "feedback_options": null, "options": [] },
            "enabled": false,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_pause": {
            "duration": { "interval_options": [], "type": "indefinite" },
            "enabled": false,
        },
        "subscription_update": {
            "billing_cycle_anchor": null,
            "default_allowed_updates": [],
            "enabled": false,
            "products": [],
            "proration_behavior": "none",
            "schedule_at_period_end": { "conditions": [] },
            "trial_update_behavior": "end_trial",
        },
    })
}

/// The first configuration is the default, as the one is that a shop saves in the Dashboard.
fn finish(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let transaction = draft.transaction;
    let object = Value::Object(draft.object.clone());
    let is = |pointer: &str| {
        let set = object.pointer(pointer);
        set.is_some_and(|it| !it.is_null() && *it != false)
    };
    if let Some((_, param)) = UNSUPPORTED.iter().find(|(pointer, _)| is(pointer)) {
        return Err(ApiError::unsupported(param));
    }
    if is("/features/subscription_update/enabled") {
        check_update(transaction, &object)?;
    }
    let updates = object.pointer("/features/customer_update/allowed_updates");
    if is("/features/customer_update/enabled") && updates == Some(&json!([])) {
        return Err(ApiError::missing(
            "features[customer_update][allowed_updates]",
        ));
    }
    if is("/is_default") && object.get("active") == Some(&json!(false)) {
        return Err(
            ApiError::invalid("You cannot deactivate the default portal configuration.")
                .param("active"),
        );
    }
    if draft.is_new {
        let kind = PORTAL_CONFIGURATION.name;
        let others = transaction.some_shown(kind, Cursor::NewerThan(0), 1, &Filter::default())?;
        let is_default = json!(others.is_empty());
        draft.object.insert("is_default".to_owned(), is_default);
    }
    let now = json!(transaction.now);
    draft.object.insert("updated".to_owned(), now);
    Ok(())
}

/// Refuses a choice of plans that nobody could make.
fn check_update(transaction: &Transaction<'_>, object: &Value) -> Result<(), ApiError> {
    const UPDATE: &str = "features[subscription_update]";
    let listed = |field: &str| {
        let list = object.pointer(&format!("/features/subscription_update/{field}"));
        list.and_then(Value::as_array).cloned().unwrap_or_default()
    };
    for field in ["default_allowed_updates", "products"] {
        if listed(field).is_empty() {
            return Err(ApiError::missing(&format!("{UPDATE}[{field}]")));
        }
    }
    for (at, product) in listed("products").iter().enumerate() {
        let param = format!("{UPDATE}[products][{at}]");
        let text = |field: &str| {
            product
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let id = text("product");
        if product.pointer("/adjustable_quantity/enabled") == Some(&json!(true)) {
            return Err(ApiError::unsupported(&format!(
                "{param}[adjustable_quantity]"
            )));
        }
        if transaction.shown_of("product", id)?.is_none() {
            return Err(ApiError::no_such_param(
                "product",
                id,
                &format!("{param}[product]"),
            ));
        }
        let prices = product.get("prices").and_then(Value::as_array);
        for (place, price) in prices.into_iter().flatten().enumerate() {
            let param = format!("{param}[prices][{place}]");
            let price_id = price.as_str().unwrap_or_default();
            let price = transaction.shown_of("price", price_id)?;
            let price = price.ok_or_else(|| ApiError::no_such_param("price", price_id, &param))?;
            if price.get("product").and_then(Value::as_str) != Some(id) {
                return Err(ApiError::invalid(format!(
                    "The price {price_id} does not belong to the product {id}."
                ))
                .param(param));
            }
            if price.get("recurring").is_none_or(Value::is_null) {
                return Err(ApiError::invalid(format!(
                    "The price {price_id} is not recurring: only recurring prices can be offered in the \
                     portal."
                ))
                .param(param));
            }
        }
    }
    Ok(())
}
