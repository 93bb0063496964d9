//! The parameters that say what a line or an item is about.

use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::checkout::line::{NewProduct, object};
use crate::engine::ids;
use crate::engine::resource::Metadata;
use crate::engine::transaction::Transaction;
use crate::invoice::discount::{Place, Wanted};
use crate::invoice::line::{Content, Period, Pricing};
use crate::invoice::terms::{rates, stored_rates};
use crate::wire::errors::ApiError;
use crate::wire::params::{MetadataUpdate, Params, Required as _};

/// The most of anything.
const MOST_PIECES: i64 = 999_999;

/// The decimal places of a unit amount.
const PLACES: usize = 12;

/// What a line or an item is to be about; a new one states what nobody has stated.
#[derive(Debug)]
pub(crate) struct NewContent {
    /// What the request calls the line; nothing for an item.
    at: String,
    currency: Option<Currency>,
    cost: Option<Cost>,
    quantity: Option<i64>,
    description: Option<String>,
    period: Option<Period>,
    discountable: Option<bool>,
    discounts: Option<Wanted>,
    rates: Option<Vec<String>>,
    includes_tax: Option<bool>,
    metadata: MetadataUpdate,
}

/// What it costs.
#[derive(Debug)]
enum Cost {
    /// All of it.
    Amount(Amount),
    /// One of it, in minor units with decimal places.
    Unit(String),
    Price(String),
    Data(PriceData),
}

#[derive(Debug)]
struct PriceData {
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

impl NewContent {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let period = match params.optional_object("period")? {
            Some(mut period) => {
                let start = period.integer("start").required(&period, "start")?;
                let end = period.integer("end").required(&period, "end")?;
                period.finish()?;
                Some(Period { start, end })
            }
            None => None,
        };
        params.text("tax_code")?;
        let behavior = params.choice("tax_behavior", &["exclusive", "inclusive", "unspecified"])?;
        Ok(Self {
            at: params.name(""),
            currency: params.currency("currency")?,
            cost: Cost::read(params)?,
            quantity: quantity(params)?,
            description: params.maybe_empty_text("description", 5_000)?,
            period,
            discountable: params.boolean("discountable")?,
            discounts: Wanted::read(params)?,
            rates: rates(params, "tax_rates")?,
            includes_tax: behavior.map(|it| it == "inclusive"),
            metadata: params.metadata_update("metadata")?,
        })
    }

    /// The content of something new, and its currency: its own, or `otherwise`.
    pub(crate) fn make(
        self,
        transaction: &Transaction<'_>,
        otherwise: Option<Currency>,
        place: Place<'_>,
    ) -> Result<(Content, Currency), ApiError> {
        let quantity = self.quantity.unwrap_or(1);
        let cost = self.cost.as_ref();
        let cost = cost.ok_or_else(|| ApiError::missing(&param(&self.at, "amount")))?;
        let named = self.currency.or(otherwise);
        let (pricing, currency) = cost.price(transaction, named, &self)?;
        let amount = cost.amount(&pricing, quantity, currency, &self.at)?;
        if self.currency.is_some_and(|it| it != currency) {
            return Err(ApiError::invalid(format!(
                "The price specified is in {currency}, which is not the currency asked for."
            ))
            .param(param(&self.at, "currency")));
        }
        let mut content = Content {
            amount,
            description: None,
            quantity,
            pricing,
            period: Period::at(transaction.now),
            discountable: amount >= Amount::ZERO,
            discounts: Vec::new(),
            rates: Vec::new(),
            metadata: Metadata::new(),
        };
        let name = transaction.shown_of("product", &content.pricing.product)?;
        let name = name.as_ref().and_then(|it| it.get("name")?.as_str());
        content.description = name.map(str::to_owned);
        self.say(transaction, &mut content, place)?;
        Ok((content, currency))
    }

    /// Changes what is said of something that is there.
    pub(crate) fn apply(
        self,
        transaction: &Transaction<'_>,
        content: &mut Content,
        currency: Currency,
        place: Place<'_>,
    ) -> Result<(), ApiError> {
        let quantity = self.quantity.unwrap_or(content.quantity);
        if let Some(cost) = &self.cost {
            let (pricing, of) = cost.price(transaction, Some(currency), &self)?;
            if of != currency {
                return Err(ApiError::invalid(format!(
                    "The price specified is in {of}, and what it is for in {currency}."
                ))
                .param(param(&self.at, "pricing")));
            }
            content.amount = cost.amount(&pricing, quantity, currency, &self.at)?;
            content.pricing = pricing;
        } else if quantity != content.quantity {
            let unit = content.pricing.unit_amount_decimal.as_deref();
            content.amount = times(unit.unwrap_or_default(), quantity)
                .ok_or_else(|| ApiError::amount_too_large("quantity", currency))?;
        }
        content.quantity = quantity;
        self.say(transaction, content, place)
    }

    fn say(
        self,
        transaction: &Transaction<'_>,
        content: &mut Content,
        place: Place<'_>,
    ) -> Result<(), ApiError> {
        if let Some(description) = self.description {
            content.description = Some(description).filter(|it| !it.is_empty());
        }
        content.period = self.period.unwrap_or(content.period);
        content.discountable = self.discountable.unwrap_or(content.discountable);
        if let Some(wanted) = self.discounts {
            content.discounts = wanted.make(transaction, place)?;
        }
        if let Some(ids) = self.rates {
            content.rates = stored_rates(transaction, &ids, &param(&self.at, "tax_rates"))?;
        }
        if let Some(includes_tax) = self.includes_tax {
            content.pricing.includes_tax = includes_tax;
        }
        self.metadata.apply(&mut content.metadata)
    }
}

/// What a request calls a field of what it calls `at`.
fn param(at: &str, field: &str) -> String {
    match at.strip_suffix("[]") {
        Some(line) => format!("{line}[{field}]"),
        None => field.to_owned(),
    }
}

/// How many; decimal places are refused by name, as long as they say anything.
fn quantity(params: &mut Params) -> Result<Option<i64>, ApiError> {
    let whole = params.integer_within("quantity", 0, MOST_PIECES)?;
    let Some(decimal) = params.text("quantity_decimal")? else {
        return Ok(whole);
    };
    let digits = decimal
        .split_once('.')
        .map_or(decimal.as_str(), |(digits, rest)| {
            match rest.bytes().all(|byte| byte == b'0') {
                true => digits,
                false => "",
            }
        });
    match digits.parse() {
        Ok(number @ 0..=MOST_PIECES) => Ok(Some(number)),
        _ => Err(ApiError::invalid(
            "The stand-in bills whole quantities only: quantity_decimal cannot have decimal places.",
        )
        .param(params.name("quantity_decimal"))),
    }
}

impl Cost {
    fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
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
    fn price(
        &self,
        transaction: &Transaction<'_>,
        currency: Option<Currency>,
        content: &NewContent,
    ) -> Result<(Pricing, Currency), ApiError> {
        let at = &content.at;
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
                let name = content.description.clone().filter(|it| !it.is_empty());
                NewProduct::named(name.as_deref().unwrap_or("Invoice item")).make(transaction)?
            }
        };
        let price = price(transaction, currency, &product, &unit, behavior)?;
        Ok((Pricing::of(&price), currency))
    }

    fn amount(
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
