//! Products and their prices: each may bring the other.

use serde_json::{Map, Value, json};

use super::draft::{Draft, Kind, keep, make, tell};
use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::calendar::Unit;
use crate::engine::transaction::Transaction;
use crate::wire::errors::ApiError;
use crate::wire::params::check_step;

/// What is sold.
pub(super) static PRODUCT: Kind = Kind {
    extra: &["default_price_data"],
    defaults: || vec![("type", json!("service"))],
    finish: product,
    may_delete: without_prices,
    ..Kind::plain("product", "prod_")
};

/// What it costs.
pub(super) static PRICE: Kind = Kind {
    extra: &["product_data", "transfer_lookup_key"],
    on_request: &["tiers", "currency_options"],
    defaults: || {
        vec![
            ("billing_scheme", json!("per_unit")),
            ("tax_behavior", json!("unspecified")),
            ("type", json!("one_time")),
        ]
    },
    finish: price,
    ..Kind::plain("price", "price_1")
};

fn product(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let now = draft.transaction.now;
    draft.object.insert("updated".to_owned(), json!(now));
    if let Some(Value::Object(data)) = draft.extra.remove("default_price_data") {
        let product = draft.object.get("id").cloned().unwrap_or_default();
        let price = new_price(draft, data, product)?;
        draft.object.insert("default_price".to_owned(), price);
    }
    Ok(())
}

fn without_prices(transaction: &Transaction<'_>, product: &str) -> Result<(), ApiError> {
    match transaction
        .plain_having("price", "product", product)?
        .is_empty()
    {
        true => Ok(()),
        false => Err(ApiError::invalid(
            "This product cannot be deleted because it has one or more user-created prices. Archive \
             it instead: active=false.",
        )),
    }
}

/// Makes a price from data that came with its product. Returns its id.
fn new_price(
    draft: &Draft<'_>,
    mut data: Map<String, Value>,
    product: Value,
) -> Result<Value, ApiError> {
    data.insert("product".to_owned(), product);
    make(draft, &PRICE, &data)
}

fn price(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    if let Some(Value::Object(data)) = draft.extra.remove("product_data") {
        let product = make(draft, &PRODUCT, &data)?;
        draft.object.insert("product".to_owned(), product);
    }
    if !draft.is_new {
        return move_lookup_key(draft);
    }
    let currency = draft.object.get("currency").and_then(Value::as_str);
    let currency: Currency = currency
        .unwrap_or_default()
        .to_lowercase()
        .parse()
        .map_err(|_| {
            ApiError::invalid(format!(
                "Invalid currency: {}",
                currency.unwrap_or_default()
            ))
            .param("currency")
        })?;
    draft.object.insert("currency".to_owned(), json!(currency));
    billing_scheme(draft)?;
    let recurring = draft
        .object
        .get_mut("recurring")
        .and_then(Value::as_object_mut);
    let kind = if recurring.is_some() {
        "recurring"
    } else {
        "one_time"
    };
    if let Some(recurring) = recurring {
        if recurring.get("interval_count") == Some(&json!(0)) {
            recurring.insert("interval_count".to_owned(), json!(1));
        }
        let unit = recurring.get("interval").and_then(Value::as_str);
        let most = unit.and_then(Unit::named).map(Unit::most);
        let count = recurring.get("interval_count").and_then(Value::as_i64);
        if most.zip(count).is_some_and(|(most, count)| count > most) {
            let message = "The interval of a price can be at most three years.";
            return Err(ApiError::invalid(message).param("recurring[interval_count]"));
        }
        refuse_usage(recurring)?;
        recurring.insert("usage_type".to_owned(), json!("licensed"));
    }
    draft.object.insert("type".to_owned(), json!(kind));
    if draft
        .object
        .get("product")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        return Err(ApiError::missing("product"));
    }
    match draft.object.get("tiers").is_some_and(Value::is_array) {
        true => tiers(draft, currency)?,
        false => amounts(draft, currency)?,
    }
    move_lookup_key(draft)
}

/// A meter only holds what it is given: nobody could say how much of such a price was used.
fn refuse_usage(recurring: &Map<String, Value>) -> Result<(), ApiError> {
    let has_meter = recurring.get("meter").is_some_and(Value::is_string);
    match recurring.get("usage_type") == Some(&json!("metered")) || has_meter {
        true => Err(ApiError::invalid(
            "The stand-in does not bill by usage: its meters count nothing, and no price has \
             usage_type=metered. Leave recurring[usage_type] and recurring[meter] out to bill by \
             quantity.",
        )
        .code("parameter_unsupported")
        .param(match has_meter {
            true => "recurring[meter]",
            false => "recurring[usage_type]",
        })),
        false => Ok(()),
    }
}

/// Tiers, and how they are counted, belong to one scheme.
fn billing_scheme(draft: &Draft<'_>) -> Result<(), ApiError> {
    let is_tiered = draft.object.get("billing_scheme") == Some(&json!("tiered"));
    let has_tiers = draft.object.get("tiers").is_some_and(Value::is_array);
    let has_mode = draft.object.get("tiers_mode").is_some_and(Value::is_string);
    let has_amount = ["unit_amount", "unit_amount_decimal", "custom_unit_amount"]
        .iter()
        .any(|field| draft.object.get(*field).is_some_and(|it| !it.is_null()));
    match (is_tiered, has_tiers, has_mode) {
        (true, false, _) => Err(ApiError::missing("tiers")),
        (true, true, false) => Err(ApiError::missing("tiers_mode")),
        (true, true, true) if has_amount => Err(ApiError::invalid(
            "A price with billing_scheme=tiered has its amounts in its tiers, not in \
             unit_amount.",
        )
        .param("unit_amount")),
        (false, true, _) => Err(ApiError::invalid(
            "tiers need billing_scheme=tiered, which this price does not have.",
        )
        .param("tiers")),
        (false, _, true) => Err(ApiError::invalid(
            "tiers_mode needs billing_scheme=tiered, which this price does not have.",
        )
        .param("tiers_mode")),
        _ => Ok(()),
    }
}

/// Each tier ends above the one before it, and only the last has no end. Amounts are there twice.
fn tiers(draft: &mut Draft<'_>, currency: Currency) -> Result<(), ApiError> {
    let Some(tiers) = draft.object.get_mut("tiers").and_then(Value::as_array_mut) else {
        return Ok(());
    };
    let last = tiers.len().saturating_sub(1);
    let mut before = 0;
    for (position, tier) in tiers.iter_mut().enumerate() {
        let param = format!("tiers[{position}][up_to]");
        let up_to = tier["up_to"].clone();
        match (up_to.as_i64(), position == last) {
            (Some(end), false) if end > before => before = end,
            (None, true) if up_to == "inf" => tier["up_to"] = Value::Null,
            (_, true) => {
                return Err(ApiError::invalid("The last tier must be up_to=inf.").param(param));
            }
            (_, false) => {
                return Err(ApiError::invalid(
                    "up_to must be a number greater than that of the tier before.",
                )
                .param(param));
            }
        }
        for (whole, decimal) in [
            ("unit_amount", "unit_amount_decimal"),
            ("flat_amount", "flat_amount_decimal"),
        ] {
            let (amount, exact) = (tier[whole].as_i64(), tier[decimal].as_str());
            let named = |field| format!("tiers[{position}][{field}]");
            if amount.is_some() && exact.is_some() {
                return Err(only_one(&named(whole), &named(decimal)));
            }
            let negative = match exact {
                Some(exact) if is_negative(exact) => Some(decimal),
                _ => amount.filter(|amount| *amount < 0).map(|_| whole),
            };
            if let Some(field) = negative {
                return Err(ApiError::out_of_range(
                    &named(field),
                    "This value must be greater than or equal to 0.",
                ));
            }
            if let Some(amount) = tier[whole].as_i64() {
                check_step(Amount::new(amount), currency, &named(whole))?;
                tier[decimal] = json!(amount.to_string());
            } else if let Some(amount) = tier[decimal].as_str() {
                tier[whole] = json!(amount.parse::<i64>().ok());
            }
        }
    }
    Ok(())
}

/// A price has its amount twice: whole, and to the twelfth decimal place.
fn amounts(draft: &mut Draft<'_>, currency: Currency) -> Result<(), ApiError> {
    let whole = draft.object.get("unit_amount").and_then(Value::as_i64);
    let decimal = draft.object.get("unit_amount_decimal").cloned();
    let decimal = decimal.as_ref().and_then(Value::as_str);
    let refuse_negative = |field| {
        Err(ApiError::out_of_range(
            field,
            "This value must be greater than or equal to 0.",
        ))
    };
    match (whole, decimal) {
        (Some(_), Some(_)) => Err(only_one("unit_amount", "unit_amount_decimal")),
        (Some(whole), _) if whole < 0 => refuse_negative("unit_amount"),
        (_, Some(decimal)) if is_negative(decimal) => refuse_negative("unit_amount_decimal"),
        (Some(whole), _) => {
            check_step(Amount::new(whole), currency, "unit_amount")?;
            let decimal = json!(whole.to_string());
            draft
                .object
                .insert("unit_amount_decimal".to_owned(), decimal);
            Ok(())
        }
        (None, Some(decimal)) => {
            let whole = decimal.parse::<i64>().ok();
            if let Some(whole) = whole {
                check_step(Amount::new(whole), currency, "unit_amount_decimal")?;
            }
            draft.object.insert("unit_amount".to_owned(), json!(whole));
            Ok(())
        }
        (None, None)
            if draft
                .object
                .get("custom_unit_amount")
                .is_some_and(Value::is_object) =>
        {
            Ok(())
        }
        (None, None) => Err(ApiError::missing_one_of(
            "unit_amount, unit_amount_decimal, or custom_unit_amount",
        )),
    }
}

fn is_negative(decimal: &str) -> bool {
    decimal.starts_with('-')
}

fn only_one(whole: &str, decimal: &str) -> ApiError {
    ApiError::invalid(format!(
        "You may only specify one of these parameters: {whole}, {decimal}."
    ))
    .param(decimal)
}

/// A lookup key belongs to one active price; it moves only if that is asked for.
fn move_lookup_key(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let transfer = draft.extra.remove("transfer_lookup_key");
    let Some(key) = draft.object.get("lookup_key").and_then(Value::as_str) else {
        return Ok(());
    };
    let holders = draft.transaction.plain_having("price", "lookup_key", key)?;
    for mut holder in holders {
        if holder.get("id") == draft.object.get("id") {
            continue;
        }
        if transfer.as_ref().and_then(Value::as_str) != Some("true") {
            let id = holder.get("id").and_then(Value::as_str).unwrap_or_default();
            return Err(ApiError::invalid(format!(
                "A price (`{id}`) already uses that lookup key."
            ))
            .param("lookup_key"));
        }
        let id = holder
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let before = draft.transaction.shown_of("price", &id)?;
        holder.insert("lookup_key".to_owned(), Value::Null);
        let shown = keep(draft.transaction, &PRICE, &id, holder)?;
        tell(
            draft.transaction,
            "price",
            "updated",
            shown,
            before.as_ref(),
        )?;
    }
    Ok(())
}
