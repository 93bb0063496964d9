//! What a line or an item costs, as a request says it.

use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::checkout::line::{NewProduct, object};
use crate::engine::ids;
use crate::engine::transaction::Transaction;
use crate::invoice::line::Pricing;
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The decimal places of a unit amount.
const PLACES: usize = 12;

/// What a line or an item costs.
#[derive(Debug)]
pub(super) enum Cost {
    /// All of it.
    Amount(Amount),
    /// One of it, in minor units with decimal places.
    Unit(String),
    Price(String),
    Data(PriceData),
}

#[derive(Debug)]
pub(super) struct PriceData {
    currency: Currency,
    product: Product,
    unit_amount_decimal: String,
    tax_behavior: Option<String>,
}

#[derive(Debug)]
enum Product {
    Stored(String),
    New(NewProduct),
}

/// What a request calls a field of what it calls `at`.
pub(super) fn param(at: &str, field: &str) -> String {
    match at.strip_suffix("[]") {
        Some(line) => format!("{line}[{field}]"),
        None => field.to_owned(),
    }
}

impl Cost {
    pub(super) fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
        let mut pricing = params.object("pricing")?;
        let price = pricing.text("price")?;
        pricing.finish()?;
        // Where versions before basil have it.
        let price = price.or(params.text("price")?);
        let unit = params.integer("unit_amount")?.map(|it| it.to_string());
        let given = [
            (
                "amount",
                params
                    .integer("amount")?
                    .map(|it| Self::Amount(Amount::new(it))),
            ),
            ("pricing", price.map(Self::Price)),
            (
                "price_data",
                match params.optional_object("price_data")? {
                    Some(data) => Some(Self::Data(PriceData::read(data)?)),
                    None => None,
                },
            ),
            (
                "unit_amount_decimal",
                decimal(params, "unit_amount_decimal")?
                    .or(unit)
                    .map(Self::Unit),
            ),
        ];
        let mut given = given
            .into_iter()
            .filter_map(|(field, cost)| cost.map(|cost| (field, cost)));
        let first = given.next();
        match (&first, given.next()) {
            (Some((first, _)), Some((second, _))) => Err(ApiError::invalid(format!(
                "You may only specify one of these parameters: {first}, {second}."
            ))
            .param(params.name(first))),
            _ => Ok(first.map(|(_, cost)| cost)),
        }
    }

    /// What one of it costs, and in what currency. What has no price yet gets one of its own.
    pub(super) fn price(
        &self,
        transaction: &Transaction<'_>,
        currency: Option<Currency>,
        at: &str,
        description: Option<&str>,
    ) -> Result<(Pricing, Currency), ApiError> {
        let named = || currency.ok_or_else(|| ApiError::missing(&param(at, "currency")));
        let (currency, unit, product, behavior) = match self {
            Self::Price(id) => return stored(transaction, id, &param(at, "pricing[price]")),
            Self::Amount(amount) => (named()?, amount.to_string(), None, None),
            Self::Unit(unit) => (named()?, unit.clone(), None, None),
            Self::Data(data) => (
                data.currency,
                data.unit_amount_decimal.clone(),
                Some(data.product(transaction, at)?),
                data.tax_behavior.as_deref(),
            ),
        };
        let product = match product {
            Some(product) => product,
            None => {
                let name = description.filter(|it| !it.is_empty());
                NewProduct::named(name.unwrap_or("Invoice item")).make(transaction)?
            }
        };
        let price = price(transaction, currency, &product, &unit, behavior)?;
        Ok((Pricing::of(&price), currency))
    }

    /// What so many of it cost.
    pub(super) fn amount(
        &self,
        pricing: &Pricing,
        quantity: i64,
        currency: Currency,
        at: &str,
    ) -> Result<Amount, ApiError> {
        let amount = match self {
            Self::Amount(amount) => Some(*amount),
            _ => times(
                pricing.unit_amount_decimal.as_deref().unwrap_or_default(),
                quantity,
            ),
        };
        let most = currency.maximum();
        let amount = amount.filter(|it| *it <= most && *it >= most.negated());
        amount.ok_or_else(|| ApiError::amount_too_large(&param(at, "amount"), currency))
    }
}

/// A price that is for this alone.
fn price(
    transaction: &Transaction<'_>,
    currency: Currency,
    product: &str,
    unit: &str,
    behavior: Option<&str>,
) -> anyhow::Result<Map<String, Value>> {
    let id = ids::price();
    let price = object(
        "price",
        [
            ("id", json!(id)),
            ("active", json!(false)),
            ("billing_scheme", json!("per_unit")),
            ("created", json!(transaction.now)),
            ("currency", json!(currency)),
            ("product", json!(product)),
            ("tax_behavior", json!(behavior.unwrap_or("unspecified"))),
            ("type", json!("one_time")),
            ("unit_amount", json!(unit.parse::<i64>().ok())),
            ("unit_amount_decimal", json!(unit)),
        ],
    );
    transaction.put_plain("price", &id, &Value::Object(price.clone()), None)?;
    Ok(price)
}

/// A price that the shop has made.
fn stored(
    transaction: &Transaction<'_>,
    id: &str,
    param: &str,
) -> Result<(Pricing, Currency), ApiError> {
    let Some(Value::Object(price)) = transaction.shown_of("price", id)? else {
        return Err(ApiError::no_such_param("price", id, param));
    };
    let refuse = |message: String| Err(ApiError::invalid(message).param(param));
    if price.get("active") != Some(&Value::Bool(true)) {
        return refuse(format!(
            "The price specified is inactive. This field only accepts active prices: {id}."
        ));
    }
    if price.get("type").is_some_and(|it| it == "recurring") {
        return refuse(
            "The price specified is set to `type=recurring` but this field only accepts prices with \
             `type=one_time`."
                .to_owned(),
        );
    }
    if price.get("unit_amount_decimal").is_none_or(Value::is_null) {
        return refuse(
            "The stand-in bills only prices with a unit_amount or unit_amount_decimal, not tiers or \
             amounts that the buyer chooses."
                .to_owned(),
        );
    }
    let currency = price.get("currency").and_then(Value::as_str);
    let currency = currency.unwrap_or_default().parse();
    let currency = currency.map_err(|_| anyhow::anyhow!("the price {id} has no currency"))?;
    Ok((Pricing::of(&price), currency))
}

impl PriceData {
    fn read(mut data: Params) -> Result<Self, ApiError> {
        let currency = data.currency("currency").required(&data, "currency")?;
        let stored = data.text("product")?;
        let made = data.optional_object("product_data")?;
        let product = match (stored, made) {
            (Some(id), None) => Product::Stored(id),
            (None, Some(new)) => Product::New(NewProduct::read(new)?),
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "You may only specify one of these parameters: product, product_data.",
                )
                .param(data.name("product")));
            }
            (None, None) => return Err(ApiError::missing(&data.name("product"))),
        };
        let unit = data.integer("unit_amount")?.map(|it| it.to_string());
        let unit = unit.or(decimal(&mut data, "unit_amount_decimal")?);
        let read = Self {
            currency,
            product,
            unit_amount_decimal: Ok(unit).required(&data, "unit_amount")?,
            tax_behavior: data.text("tax_behavior")?,
        };
        data.finish()?;
        Ok(read)
    }

    fn product(&self, transaction: &Transaction<'_>, at: &str) -> Result<String, ApiError> {
        match &self.product {
            Product::New(new) => Ok(new.clone().make(transaction)?),
            Product::Stored(id) => match transaction.shown_of("product", id)? {
                Some(product) if product.get("deleted").is_none() => Ok(id.clone()),
                _ => {
                    let param = param(at, "price_data[product]");
                    Err(ApiError::no_such_param("product", id, &param))
                }
            },
        }
    }
}

/// A number with at most twelve decimal places.
pub(crate) fn decimal(params: &mut Params, field: &str) -> Result<Option<String>, ApiError> {
    let Some(text) = params.text(field)? else {
        return Ok(None);
    };
    match scaled(&text) {
        Some(_) => Ok(Some(text)),
        None => Err(ApiError::invalid(format!(
            "Invalid decimal: {text}; must be a number with at most {PLACES} decimal places."
        ))
        .param(params.name(field))),
    }
}

/// The number without its point, which is twelve places from the end.
fn scaled(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1_i128, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > PLACES || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let number: i128 = format!("{whole}{fraction:0<PLACES$}").parse().ok()?;
    number.checked_mul(sign)
}

/// So many of what costs so much, rounded half up to the minor unit.
pub(crate) fn times(unit: &str, quantity: i64) -> Option<Amount> {
    let whole = 10_i128.checked_pow(PLACES.try_into().ok()?)?;
    let exact = scaled(unit)?.checked_mul(quantity.into())?;
    let rounded = exact
        .checked_abs()?
        .checked_add(whole.checked_div(2)?)?
        .checked_div(whole)?;
    let rounded = i64::try_from(rounded.checked_mul(exact.signum())?).ok()?;
    Some(Amount::new(rounded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_of_a_minor_unit_are_rounded_once_all_is_multiplied() {
        let times = |unit, quantity| times(unit, quantity).map(Amount::minor_units);
        assert_eq!(times("1500", 3), Some(4_500));
        assert_eq!(times("0.5", 3), Some(2));
        assert_eq!(times("0.05", 9), Some(0));
        assert_eq!(times("0.000000000001", 999_999), Some(0));
        assert_eq!(times("-0.5", 3), Some(-2));
        assert_eq!(times("12.345", 100), Some(1_235));
        assert_eq!(times("1e3", 1), None);
        assert_eq!(times("0.0000000000001", 1), None);
    }
}
