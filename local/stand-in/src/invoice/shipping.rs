//! `shipping_cost`: what it costs to send what an invoice bills.

use serde_json::Value;

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::transaction::Transaction;
use crate::invoice::shipment::Shipping;
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// What a request says of it.
#[derive(Debug)]
pub(super) enum Wanted {
    /// No longer any.
    None,
    /// That of this shipping rate.
    Rate(String),
}

impl Wanted {
    /// Reads `shipping_cost`.
    pub(super) fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
        if params.is_empty_text("shipping_cost") {
            params.maybe_empty_text("shipping_cost", 0)?;
            return Ok(Some(Self::None));
        }
        let Some(mut cost) = params.optional_object("shipping_cost")? else {
            return Ok(None);
        };
        let rate = cost.text("shipping_rate")?;
        let missing = ApiError::missing(&cost.name("shipping_rate"));
        cost.finish()?;
        rate.map(|rate| Some(Self::Rate(rate))).ok_or(missing)
    }

    /// What an invoice in this currency has of it.
    pub(super) fn make(
        self,
        transaction: &Transaction<'_>,
        currency: Currency,
    ) -> Result<Option<Shipping>, ApiError> {
        let Self::Rate(id) = self else {
            return Ok(None);
        };
        let param = "shipping_cost[shipping_rate]";
        let rate = transaction.shown_of("shipping_rate", &id)?;
        let rate = rate.ok_or_else(|| ApiError::no_such_param("shipping rate", &id, param))?;
        let fixed = |field: &str| rate.pointer(&format!("/fixed_amount/{field}"));
        if fixed("currency").and_then(Value::as_str) != Some(currency.code()) {
            return Err(ApiError::invalid(format!(
                "The shipping rate {id} is not in the currency of the invoice ({currency})."
            ))
            .param(param));
        }
        let amount = fixed("amount").and_then(Value::as_i64).unwrap_or(0);
        Ok(Some(Shipping {
            rate: Some(id),
            amount: Amount::new(amount),
            includes_tax: rate.get("tax_behavior").and_then(Value::as_str) == Some("inclusive"),
            taxes: Vec::new(),
        }))
    }
}
