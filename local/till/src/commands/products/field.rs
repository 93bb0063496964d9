//! The fields of a product, as people and spreadsheets write them.

use serde::Deserialize;
use shared::money::Currency;
use shared::store::operator::StockChange;

/// A price; without a currency, in the one that the product has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    pub(super) amount: i64,
    pub(super) currency: Option<Currency>,
}

/// An amount in minor units and, perhaps, a currency: `1600`, `1600 eur`.
pub(super) fn price(text: &str) -> Result<Price, String> {
    let (number, currency) = match text.find(|c: char| c.is_ascii_alphabetic()) {
        Some(place) => text.split_at(place),
        None => (text, ""),
    };
    let currency = match currency.trim() {
        "" => None,
        code => Some(code.parse().map_err(|error| format!("{error}"))?),
    };
    Ok(Price {
        amount: amount(number)?,
        currency,
    })
}

/// An amount in minor units.
pub(super) fn amount(text: &str) -> Result<i64, String> {
    let text = text.trim();
    text.parse().map_err(|_| {
        format!(
            "{text:?} is not a whole number: amounts are in minor units, such as 1500 for 15.00 USD"
        )
    })
}

/// `true` or `false`, as spreadsheets and people write them.
pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" => Ok(true),
        "false" | "no" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

/// How many are left; nothing, or `none`, for what never runs out.
pub(super) fn stock(text: &str) -> Result<Option<u32>, String> {
    match text.trim() {
        "" | "none" => Ok(None),
        pieces => pieces.parse().map(Some).map_err(|_| {
            format!("{pieces:?} is not a stock: use a whole number, or none for unlimited")
        }),
    }
}

/// `20`, `+5`, `-5` or `none`.
pub(super) fn stock_change(text: &str) -> Result<StockChange, String> {
    let pieces = |digits: &str| match digits.parse() {
        Ok(pieces) if digits.starts_with(|c: char| c.is_ascii_digit()) => Ok(pieces),
        _ => Err(format!(
            "{text:?} is not a stock: use a number such as 20, +5 or -5, or none for unlimited"
        )),
    };
    Ok(match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(more), _) => StockChange::Add(pieces(more)?),
        (_, Some(fewer)) => StockChange::Take(pieces(fewer)?),
        _ if text.is_empty() => {
            return Err("the stock is empty: use a whole number, or none for unlimited".to_owned());
        }
        _ => StockChange::Set(stock(text)?),
    })
}

/// Addresses contain no spaces, so spaces separate them.
pub(super) fn addresses(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
