//! Taxes: the rates that a shop has set on its lines, and those of automatic tax.
//!
//! Automatic tax has one rate for each country, the standard rate of its value added or goods and
//! services tax. That is enough to see taxes come and go; it is nobody's tax advice.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::description::{Description, blank};
use crate::engine::time::Timestamp;

/// Country, what buyers there call the tax, and its standard rate in hundredths of a percent.
const STANDARD_RATES: &[(&str, &str, i64)] = &[
    ("AT", "VAT", 2_000),
    ("AU", "GST", 1_000),
    ("BE", "VAT", 2_100),
    ("BG", "VAT", 2_000),
    ("CA", "GST", 500),
    ("CH", "VAT", 810),
    ("CY", "VAT", 1_900),
    ("CZ", "VAT", 2_100),
    ("DE", "VAT", 1_900),
    ("DK", "VAT", 2_500),
    ("EE", "VAT", 2_400),
    ("ES", "VAT", 2_100),
    ("FI", "VAT", 2_550),
    ("FR", "VAT", 2_000),
    ("GB", "VAT", 2_000),
    ("GR", "VAT", 2_400),
    ("HR", "VAT", 2_500),
    ("HU", "VAT", 2_700),
    ("IE", "VAT", 2_300),
    ("IT", "VAT", 2_200),
    ("JP", "JCT", 1_000),
    ("LT", "VAT", 2_100),
    ("LU", "VAT", 1_700),
    ("LV", "VAT", 2_100),
    ("MT", "VAT", 1_800),
    ("NL", "VAT", 2_100),
    ("NO", "VAT", 2_500),
    ("NZ", "GST", 1_500),
    ("PL", "VAT", 2_300),
    ("PT", "VAT", 2_300),
    ("RO", "VAT", 2_100),
    ("SE", "VAT", 2_500),
    ("SG", "GST", 900),
    ("SI", "VAT", 2_200),
    ("SK", "VAT", 2_300),
];

/// 100 %, in ten-thousandths of a percent.
const WHOLE: i64 = 1_000_000;

/// A rate that applies to a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rate {
    /// The whole tax rate as the API shows it.
    pub(crate) shown: Map<String, Value>,
    /// In ten-thousandths of a percent.
    share: i64,
    pub(crate) inclusive: bool,
}

/// A rate on an amount.
#[derive(Debug, Clone)]
pub(crate) struct Tax {
    pub(crate) rate: Rate,
    pub(crate) amount: Amount,
    pub(crate) taxable: Amount,
}

impl Rate {
    /// A stored tax rate.
    pub(crate) fn stored(shown: Map<String, Value>) -> Self {
        let percentage = shown.get("percentage").map(Value::to_string);
        Self {
            share: ten_thousandths(percentage.as_deref().unwrap_or_default()),
            inclusive: shown.get("inclusive") == Some(&Value::Bool(true)),
            shown,
        }
    }

    /// The rate of automatic tax in a country, if there is tax.
    pub(crate) fn automatic(country: &str, inclusive: bool, now: Timestamp) -> Option<Self> {
        let (_, name, hundredths) = STANDARD_RATES.iter().find(|(its, ..)| *its == country)?;
        let mut shown = Description::newest()
            .object("tax_rate")
            .map(blank)
            .unwrap_or_default();
        let tax_type = name.to_lowercase();
        let whole = hundredths.checked_div(100).unwrap_or_default();
        let rest = hundredths.checked_rem(100).unwrap_or_default();
        let percentage: Value =
            serde_json::from_str(&format!("{whole}.{rest:02}")).unwrap_or_default();
        let known = [
            (
                "id",
                json!(match inclusive {
                    true => format!("txr_automatic_{country}_inclusive"),
                    false => format!("txr_automatic_{country}"),
                }),
            ),
            ("active", json!(true)),
            ("country", json!(country)),
            ("created", json!(now)),
            ("display_name", json!(name)),
            ("effective_percentage", percentage.clone()),
            ("inclusive", json!(inclusive)),
            ("jurisdiction", json!(country)),
            ("jurisdiction_level", json!("country")),
            ("percentage", percentage),
            ("rate_type", json!("percentage")),
            ("tax_type", json!(tax_type)),
        ];
        shown.extend(known.map(|(field, value)| (field.to_owned(), value)));
        Some(Self {
            shown,
            share: hundredths.saturating_mul(100),
            inclusive,
        })
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        let id = self.shown.get("id").and_then(Value::as_str);
        id.unwrap_or_default()
    }
}

impl Tax {
    /// What it adds to the total.
    pub(crate) fn on_top(&self) -> Amount {
        match self.rate.inclusive {
            true => Amount::ZERO,
            false => self.amount,
        }
    }

    /// What of it is in the price.
    pub(crate) fn included(&self) -> Amount {
        self.amount.minus(self.on_top())
    }

    pub(crate) fn shown(&self) -> Value {
        json!({
            "amount": self.amount,
            "rate": self.rate.shown,
            "taxability_reason": "standard_rated",
            "taxable_amount": self.taxable,
        })
    }
}

/// The taxes of several rates on one amount, each rounded half up: what is in it is taken out together,
/// and what comes on top is on what is left.
pub(crate) fn taxes_on(rates: &[Rate], amount: Amount) -> Vec<Tax> {
    let included = rates.iter().filter(|rate| rate.inclusive);
    let included = included.fold(0_i64, |sum, rate| sum.saturating_add(rate.share));
    let whole = WHOLE.saturating_add(included);
    let tax_in = |rate: &Rate| amount.share(rate.share, whole);
    let inclusive = rates.iter().filter(|rate| rate.inclusive);
    let net = inclusive.fold(amount, |net, rate| net.minus(tax_in(rate)));
    let taxes = rates.iter().map(|rate| Tax {
        rate: rate.clone(),
        amount: match rate.inclusive {
            true => tax_in(rate),
            false => net.share(rate.share, WHOLE),
        },
        taxable: net,
    });
    taxes.collect()
}

/// `8.875` is 88,750 ten-thousandths.
fn ten_thousandths(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: String = fraction.chars().chain("0000".chars()).take(4).collect();
    format!("{whole}{fraction}").parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_is_added_to_a_price_or_is_in_it() {
        let rate = |inclusive| Rate::automatic("DE", inclusive, 0).unwrap();
        let on = |inclusive, amount| {
            let taxes = taxes_on(&[rate(inclusive)], Amount::new(amount));
            taxes.into_iter().next().unwrap()
        };
        assert_eq!(on(false, 1_000).amount, Amount::new(190));
        assert_eq!(on(false, 1_000).on_top(), Amount::new(190));
        assert_eq!(on(true, 1_190).amount, Amount::new(190));
        assert_eq!(on(true, 1_190).taxable, Amount::new(1_000));
        assert_eq!(on(true, 1_190).on_top(), Amount::ZERO);
        assert!(Rate::automatic("US", false, 0).is_none());
    }

    #[test]
    fn a_rate_may_have_four_decimal_places() {
        assert_eq!(ten_thousandths("8.875"), 88_750);
        assert_eq!(ten_thousandths("19"), 190_000);
        assert_eq!(ten_thousandths("0.0001"), 1);
    }
}
