//! What an invoice charges for shipping, and its taxes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::checkout::tax::{Rate, Tax};

/// What it costs to send what is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shipping {
    pub(crate) rate: Option<String>,
    pub(crate) amount: Amount,
    /// Whether automatic tax is in it.
    #[serde(default)]
    pub(crate) includes_tax: bool,
    /// The rates that apply to it besides.
    #[serde(default)]
    pub(crate) taxes: Vec<Rate>,
}

impl Shipping {
    pub(super) fn shown(&self, taxes: &[Tax]) -> Value {
        let on_top = taxes.iter().map(Tax::on_top).sum();
        json!({
            "amount_subtotal": self.amount,
            "amount_tax": taxes.iter().map(|tax| tax.amount).sum::<Amount>(),
            "amount_total": self.amount.plus(on_top),
            "shipping_rate": self.rate,
        })
    }
}
