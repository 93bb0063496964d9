//! Ways to ship that a session offers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::description::{Description, filled};
use crate::engine::ids;
use crate::engine::transaction::Transaction;
use crate::wire::errors::ApiError;
use crate::wire::params::Params;
use crate::wire::values::value;

/// Stripe's limit.
const MOST_OPTIONS: usize = 5;

/// A way to ship.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ShippingOption {
    pub(crate) rate: String,
    pub(crate) name: String,
    pub(crate) amount: Amount,
    /// Such as `3–5 business days`.
    pub(crate) takes: Option<String>,
    /// Whether the rate says that tax is in it.
    #[serde(default)]
    pub(crate) includes_tax: bool,
}

/// The options as asked for.
#[derive(Debug)]
pub(crate) struct Options(Vec<Wanted>);

#[derive(Debug)]
struct Wanted {
    param: String,
    rate: Rate,
}

#[derive(Debug)]
enum Rate {
    Stored(String),
    New(Map<String, Value>),
}

impl Options {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        if params.is_empty_text("shipping_options") {
            params.maybe_empty_text("shipping_options", 0)?;
        }
        let given = params.objects("shipping_options")?;
        if given.len() > MOST_OPTIONS {
            return Err(ApiError::invalid(format!(
                "Array shipping_options exceeded maximum {MOST_OPTIONS} allowed elements."
            ))
            .param("shipping_options"));
        }
        let options = given.into_iter().map(|mut option| {
            let stored = option.text("shipping_rate")?;
            let data = option.take("shipping_rate_data")?;
            let wanted = Wanted {
                param: option.name("shipping_rate"),
                rate: match (stored, data) {
                    (Some(id), None) => Rate::Stored(id),
                    (None, Some(Value::Object(data))) => Rate::New(data),
                    (Some(_), Some(_)) => {
                        return Err(ApiError::invalid(
                            "You may only specify one of these parameters: shipping_rate, \
                             shipping_rate_data.",
                        )
                        .param(option.name("shipping_rate")));
                    }
                    _ => return Err(ApiError::missing(&option.name("shipping_rate"))),
                },
            };
            option.finish()?;
            Ok(wanted)
        });
        Ok(Self(options.collect::<Result<_, _>>()?))
    }

    /// The options in a currency. Makes the rates that came with them.
    pub(crate) fn offer(
        self,
        transaction: &Transaction<'_>,
        currency: Currency,
    ) -> Result<Vec<ShippingOption>, ApiError> {
        let offered = self.0.into_iter().map(|wanted| {
            let rate = match wanted.rate {
                Rate::Stored(id) => match transaction.shown_of("shipping_rate", &id)? {
                    Some(Value::Object(rate)) => rate,
                    _ => return Err(ApiError::no_such_param("shipping rate", &id, &wanted.param)),
                },
                Rate::New(data) => make(transaction, &data)?,
            };
            ShippingOption::of(&rate, currency, &wanted.param)
        });
        offered.collect()
    }
}

/// Keeps a shipping rate that came with a session.
fn make(
    transaction: &Transaction<'_>,
    data: &Map<String, Value>,
) -> Result<Map<String, Value>, ApiError> {
    let id = ids::plain("shr_1");
    let mut rate = filled(
        "shipping_rate",
        [
            ("id", json!(id)),
            ("active", json!(true)),
            ("created", json!(transaction.now)),
            ("type", json!("fixed_amount")),
            ("tax_behavior", json!("unspecified")),
        ],
    );
    let described = Description::newest().object("shipping_rate");
    for (name, given) in data {
        if let Some(field) = described.and_then(|fields| fields.get(name)) {
            let set = value(&field.shape, given, None);
            rate.insert(name.clone(), set);
        }
    }
    transaction.put_plain("shipping_rate", &id, &Value::Object(rate.clone()), None)?;
    Ok(rate)
}

impl ShippingOption {
    fn of(rate: &Map<String, Value>, currency: Currency, param: &str) -> Result<Self, ApiError> {
        let text = |field: &str| rate.get(field).and_then(Value::as_str);
        let fixed = rate.get("fixed_amount");
        let theirs = fixed.and_then(|it| it.get("currency")?.as_str());
        if theirs != Some(currency.code()) {
            return Err(ApiError::invalid(format!(
                "The shipping rate is in {}, but the Checkout Session is in {currency}.",
                theirs.unwrap_or("no currency")
            ))
            .param(param));
        }
        let amount = fixed.and_then(|it| it.get("amount")?.as_i64());
        Ok(Self {
            rate: text("id").unwrap_or_default().to_owned(),
            name: text("display_name").unwrap_or("Shipping").to_owned(),
            amount: Amount::new(amount.unwrap_or_default()),
            takes: rate.get("delivery_estimate").and_then(estimate),
            includes_tax: text("tax_behavior") == Some("inclusive"),
        })
    }
}

/// How long it takes, for the buyer to read.
fn estimate(estimate: &Value) -> Option<String> {
    let bound = |end: &str| {
        let bound = estimate.get(end)?;
        let unit = bound.get("unit")?.as_str()?.replace('_', " ");
        Some((bound.get("value")?.as_i64()?, unit))
    };
    Some(match (bound("minimum"), bound("maximum")) {
        (Some((least, _)), Some((most, unit))) => format!("{least}–{most} {unit}s"),
        (Some((least, unit)), None) => format!("at least {least} {unit}s"),
        (None, Some((most, unit))) => format!("up to {most} {unit}s"),
        (None, None) => return None,
    })
}
