//! The plain kinds, and what each does besides holding what it is given.

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::draft::{Draft, Kind, keep, tell};
use crate::account::currency::Currency;
use crate::description::blank;
use crate::engine::ids;
use crate::engine::resource::Metadata;
use crate::payment;
use crate::wire::errors::ApiError;
use crate::wire::values::value;

const fn plain(name: &'static str, prefix: &'static str) -> Kind {
    Kind {
        name,
        prefix,
        extra: &[],
        on_request: &[],
        defaults: Vec::new,
        finish: |_| Ok(()),
    }
}

const KINDS: &[Kind] = &[
    Kind {
        extra: &["default_price_data"],
        defaults: || vec![("type", json!("service"))],
        finish: product,
        ..plain("product", "prod_")
    },
    Kind {
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
        ..plain("price", "price_1")
    },
    Kind {
        defaults: || {
            vec![
                ("delinquent", json!(false)),
                ("tax_exempt", json!("none")),
                ("next_invoice_sequence", json!(1)),
            ]
        },
        extra: &["payment_method", "source"],
        finish: customer,
        ..plain("customer", "cus_")
    },
    plain("tax_rate", "txr_1"),
    Kind {
        defaults: || {
            vec![
                ("type", json!("fixed_amount")),
                ("tax_behavior", json!("unspecified")),
            ]
        },
        finish: shipping_rate,
        ..plain("shipping_rate", "shr_1")
    },
    Kind {
        defaults: || {
            vec![
                ("billing_address_collection", json!("auto")),
                ("customer_creation", json!("if_required")),
                ("payment_method_collection", json!("if_required")),
                ("submit_type", json!("auto")),
                (
                    "after_completion",
                    json!({ "type": "hosted_confirmation",
                            "hosted_confirmation": { "custom_message": null } }),
                ),
            ]
        },
        finish: payment_link,
        extra: &["line_items"],
        ..plain("payment_link", "plink_1")
    },
    plain("file_link", "link_1"),
    plain("tax_id", "txi_1"),
    plain("radar.value_list", "rsl_1"),
    plain("radar.value_list_item", "rsli_1"),
    plain("payment_method_configuration", "pmc_1"),
    plain("payment_method_domain", "pmd_1"),
    plain("apple_pay_domain", "apwc_1"),
    plain("entitlements.feature", "feat_"),
    plain("product_feature", "prodft_"),
    plain("billing_portal.configuration", "bpc_1"),
    plain("billing.meter", "mtr_test_"),
    plain("terminal.location", "tml_"),
    plain("terminal.configuration", "tmc_"),
];

/// The plain kind of this name.
pub(super) fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

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

/// Makes a price from data that came with its product. Returns its id.
fn new_price(
    draft: &Draft<'_>,
    mut data: Map<String, Value>,
    product: Value,
) -> Result<Value, ApiError> {
    data.insert("product".to_owned(), product);
    make(draft, "price", &data)
}

/// Makes another plain object on the way. Returns its id.
fn make(draft: &Draft<'_>, name: &str, data: &Map<String, Value>) -> Result<Value, ApiError> {
    let kind = find(name).with_context(|| format!("{name} is not plain"))?;
    let fields = kind.fields()?;
    let mut object = blank(fields);
    let id = ids::plain(kind.prefix);
    object.insert("id".to_owned(), json!(id));
    object.insert("created".to_owned(), json!(draft.transaction.now));
    object.insert("active".to_owned(), json!(true));
    object.extend(
        (kind.defaults)()
            .into_iter()
            .map(|(field, value)| (field.to_owned(), value)),
    );
    for (field, given) in data {
        if let Some(known) = fields.get(field) {
            let set = value(&known.shape, given, object.get(field));
            object.insert(field.clone(), set);
        }
    }
    let mut inner = Draft {
        transaction: draft.transaction,
        object,
        extra: Map::new(),
        before: None,
        public_url: draft.public_url,
    };
    (kind.finish)(&mut inner)?;
    let shown = keep(draft.transaction, kind, &id, inner.object)?;
    tell(draft.transaction, kind.name, "created", shown, None)?;
    Ok(json!(id))
}

fn price(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    if let Some(Value::Object(data)) = draft.extra.remove("product_data") {
        let product = make(draft, "product", &data)?;
        draft.object.insert("product".to_owned(), product);
    }
    if !draft.is_new() {
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
        let usage = recurring.entry("usage_type").or_insert(Value::Null);
        if usage.is_null() {
            *usage = json!("licensed");
        }
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
    amounts(draft)?;
    move_lookup_key(draft)
}

/// A price has its amount twice: whole, and to the twelfth decimal place.
fn amounts(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let whole = draft.object.get("unit_amount").and_then(Value::as_i64);
    let decimal = draft.object.get("unit_amount_decimal").cloned();
    let decimal = decimal.as_ref().and_then(Value::as_str);
    match (whole, decimal) {
        (Some(whole), _) if whole < 0 => Err(ApiError::out_of_range(
            "unit_amount",
            "This value must be greater than or equal to 0.",
        )),
        (Some(whole), _) => {
            let decimal = json!(whole.to_string());
            draft
                .object
                .insert("unit_amount_decimal".to_owned(), decimal);
            Ok(())
        }
        (None, Some(decimal)) => {
            let whole = decimal.parse::<i64>().ok();
            draft.object.insert("unit_amount".to_owned(), json!(whole));
            Ok(())
        }
        (None, None)
            if draft
                .object
                .get("custom_unit_amount")
                .is_some_and(Value::is_object)
                || draft.object.get("tiers").is_some_and(Value::is_array) =>
        {
            Ok(())
        }
        (None, None) => Err(ApiError::missing_one_of(
            "unit_amount, unit_amount_decimal, or custom_unit_amount",
        )),
    }
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
        let kind = find("price").context("prices are plain")?;
        let id = holder
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let before = draft.transaction.shown_of("price", &id)?;
        holder.insert("lookup_key".to_owned(), Value::Null);
        let shown = keep(draft.transaction, kind, &id, holder)?;
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

fn customer(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    if draft.is_new()
        && draft
            .object
            .get("invoice_prefix")
            .is_none_or(Value::is_null)
    {
        draft
            .object
            .insert("invoice_prefix".to_owned(), json!(ids::code()));
    }
    let id = draft.object.get("id").and_then(Value::as_str);
    let id = id.unwrap_or_default().to_owned();
    let given = |name| draft.extra.get(name).and_then(Value::as_str);
    if let Some(method) = given("payment_method") {
        payment::given::attach(draft.transaction, method, &id)?;
    }
    if let Some(token) = given("source") {
        let metadata = Metadata::new();
        let source = payment::sources::keep(draft.transaction, token, &id, metadata)?;
        draft
            .object
            .insert("default_source".to_owned(), json!(source.id));
    }
    Ok(())
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

fn payment_link(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    if draft.is_new() {
        let id = draft
            .object
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let base = draft.public_url.trim_end_matches('/');
        let url = format!("{base}/link/{id}");
        draft.object.insert("url".to_owned(), json!(url));
        if let Some(items) = draft.extra.remove("line_items") {
            draft.object.insert("line_items".to_owned(), items);
        }
    }
    Ok(())
}
