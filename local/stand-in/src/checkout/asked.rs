//! What a session shows as its shop has asked for it.

use serde_json::{Map, Value, json};

use crate::checkout::object::Session;
use crate::description::Description;
use crate::engine::resource::Object as _;
use crate::wire::errors::ApiError;
use crate::wire::params::Params;
use crate::wire::values;

/// Parameters that the session shows as they were given. What they do is done where it is due: on the
/// page, or when the session is paid.
const SHOWN: &[&str] = &[
    "adaptive_pricing",
    "allow_promotion_codes",
    "after_expiration",
    "automatic_tax",
    "billing_address_collection",
    "branding_settings",
    "cancel_url",
    "client_reference_id",
    "consent_collection",
    "currency",
    "custom_fields",
    "custom_text",
    "customer_creation",
    "customer_email",
    "integration_identifier",
    "invoice_creation",
    "locale",
    "managed_payments",
    "metadata",
    "name_collection",
    "origin_context",
    "payment_method_collection",
    "payment_method_options",
    "phone_number_collection",
    "saved_payment_method_options",
    "shipping_address_collection",
    "submit_type",
    "success_url",
    "tax_id_collection",
    "wallet_options",
];

/// What the session shows as it was given, and the options of payment methods as they were given.
pub(super) fn asked(params: &mut Params) -> Result<(Map<String, Value>, Option<Value>), ApiError> {
    let described = Description::newest().object(Session::KIND);
    let mut asked = Map::new();
    let mut options = None;
    for name in SHOWN {
        let Some(given) = params.take(name)? else {
            continue;
        };
        let field = described.and_then(|fields| fields.get(name));
        let shown = match field {
            Some(field) => values::value(&field.shape, &given, None),
            None => given.clone(),
        };
        if *name == "payment_method_options" {
            options = Some(given);
        }
        asked.insert((*name).to_owned(), shown);
    }
    if let Some(fields) = asked.get_mut("custom_fields").and_then(Value::as_array_mut) {
        fields.iter_mut().for_each(complete_field);
    }
    Ok((asked, options))
}

/// A field of the shop's own shows its bounds and its value even when they are not set.
fn complete_field(field: &mut Value) {
    let Some(kind) = field.get("type").and_then(Value::as_str) else {
        return;
    };
    if matches!(kind, "text" | "numeric") && field.get(kind).is_none() {
        let kind = kind.to_owned();
        field[kind] = json!({
            "default_value": null, "maximum_length": null, "minimum_length": null, "value": null,
        });
    }
}
