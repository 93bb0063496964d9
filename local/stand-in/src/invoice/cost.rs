//! What a line or an item costs, as a request says it.

use serde_json::Value;

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::account::decimal::times;
use crate::engine::transaction::Transaction;
use crate::invoice::line::Pricing;
use crate::plain::price_data::{self, NewPrice, NewProduct, PriceData};
use crate::wire::errors::ApiError;
use crate::wire::params::{ObjectName, Params, check_amount};

/// What a line or an item costs.
#[derive(Debug)]
pub(super) enum Cost {
    /// All of it.
    Amount(Amount),
    /// One of it, in minor units with decimal places.
    Unit(String),
    Price(String),
    Data(Box<PriceData>),
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
                    Some(data) => Some(Self::Data(Box::new(PriceData::read(data)?))),
                    None => None,
                },
            ),
            (
                "unit_amount_decimal",
                params
                    .decimal("unit_amount_decimal")?
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
        at: &ObjectName,
        description: Option<&str>,
    ) -> Result<(Pricing, Currency), ApiError> {
        let named = || currency.ok_or_else(|| ApiError::missing(&at.field("currency")));
        let (currency, unit) = match self {
            Self::Price(id) => return stored(transaction, id, &at.field("pricing[price]")),
            Self::Data(data) => {
                return Ok((Pricing::of(&data.make(transaction)?), data.currency));
            }
            Self::Amount(amount) => (named()?, amount.to_string()),
            Self::Unit(unit) => (named()?, unit.clone()),
        };
        let name = description.filter(|it| !it.is_empty());
        let price = NewPrice {
            currency,
            product: &NewProduct::named(name.unwrap_or("Invoice item")).make(transaction)?,
            recurring: None,
            tax_behavior: None,
            unit_amount: &unit,
        };
        Ok((Pricing::of(&price.make(transaction)?), currency))
    }

    /// What so many of it cost.
    pub(super) fn amount(
        &self,
        pricing: &Pricing,
        quantity: i64,
        currency: Currency,
        at: &ObjectName,
    ) -> Result<Amount, ApiError> {
        let amount = match self {
            Self::Amount(amount) => Some(*amount),
            _ => times(
                pricing.unit_amount_decimal.as_deref().unwrap_or_default(),
                quantity,
            ),
        };
        let param = at.field("amount");
        let amount = amount.ok_or_else(|| ApiError::amount_too_large(&param, currency))?;
        check_amount(amount, currency, &param).map(|()| amount)
    }
}

/// A price that the shop has made.
fn stored(
    transaction: &Transaction<'_>,
    id: &str,
    param: &str,
) -> Result<(Pricing, Currency), ApiError> {
    let price = price_data::stored(transaction, id, param)?;
    let refuse = |message: &str| Err(ApiError::invalid(message).param(param));
    if price.get("type").is_some_and(|it| it == "recurring") {
        return refuse(
            "The price specified is set to `type=recurring` but this field only accepts prices with \
             `type=one_time`.",
        );
    }
    if price.get("unit_amount_decimal").is_none_or(Value::is_null) {
        return refuse(
            "The stand-in bills only prices with a unit_amount or unit_amount_decimal, not tiers or \
             amounts that the buyer chooses.",
        );
    }
    let currency = price.get("currency").and_then(Value::as_str);
    let currency = currency.unwrap_or_default().parse();
    let currency = currency.map_err(|_| anyhow::anyhow!("the price {id} has no currency"))?;
    Ok((Pricing::of(&price), currency))
}
