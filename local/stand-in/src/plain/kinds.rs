//! The plain kinds, and what the smaller of them do besides holding what they are given.

use serde_json::{Value, json};

use super::catalog::{PRICE, PRODUCT};
use super::customer::{BALANCE_TRANSACTION, CUSTOMER, TAX_ID};
use super::draft::{Draft, Kind};
use super::payment_link::PAYMENT_LINK;
use super::portal_configuration::PORTAL_CONFIGURATION;
use crate::wire::errors::ApiError;

static KINDS: [&Kind; 19] = [
    &PRODUCT,
    &PRICE,
    &CUSTOMER,
    &BALANCE_TRANSACTION,
    &TAX_ID,
    &PAYMENT_LINK,
    &Kind {
        finish: tax_rate,
        ..Kind::plain("tax_rate", "txr_1")
    },
    &Kind {
        defaults: || {
            vec![
                ("type", json!("fixed_amount")),
                ("tax_behavior", json!("unspecified")),
            ]
        },
        finish: shipping_rate,
        ..Kind::plain("shipping_rate", "shr_1")
    },
    &PORTAL_CONFIGURATION,
    &Kind::plain("radar.value_list", "rsl_1"),
    &Kind::plain("radar.value_list_item", "rsli_1"),
    &Kind::plain("payment_method_configuration", "pmc_1"),
    &Kind::plain("payment_method_domain", "pmd_1"),
    &Kind::plain("apple_pay_domain", "apwc_1"),
    &Kind::plain("entitlements.feature", "feat_"),
    &Kind {
        finish: product_feature,
        ..Kind::plain("product_feature", "prodft_")
    },
    &Kind::plain("billing.meter", "mtr_test_"),
    &Kind::plain("terminal.location", "tml_"),
    &Kind::plain("terminal.configuration", "tmc_"),
];

/// The plain kind of this name.
pub(super) fn find(name: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

/// A percentage has at most four decimal places.
fn tax_rate(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let percentage = draft.object.get("percentage").and_then(Value::as_f64);
    let refuse = |what| Err(ApiError::out_of_range("percentage", what));
    match percentage {
        Some(percentage) if !(0.0..=100.0).contains(&percentage) => {
            refuse("This value must be between 0 and 100.")
        }
        Some(percentage) if (percentage * 1e4 - (percentage * 1e4).round()).abs() > 1e-6 => {
            refuse("This value may have at most 4 decimal places.")
        }
        _ => Ok(()),
    }
}

fn shipping_rate(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let fixed = draft
        .object
        .get("fixed_amount")
        .is_some_and(Value::is_object);
    match fixed {
        true => Ok(()),
        false => Err(ApiError::missing("fixed_amount")),
    }
}

/// The feature is shown whole.
fn product_feature(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let (kind, field) = ("entitlements.feature", "entitlement_feature");
    let id = draft
        .object
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default();
    let feature = draft.transaction.shown_of(kind, id)?;
    let feature = feature.ok_or_else(|| ApiError::no_such_param(kind, id, field))?;
    draft.object.insert(field.to_owned(), feature);
    Ok(())
}
