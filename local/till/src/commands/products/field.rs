//! The fields of a product, as people and spreadsheets write them.

use serde::Deserialize;
use shared::money::Currency;
use shared::product::{FileName, Interval, Options, ProductFile, Recurring, TaxBehavior, TaxCode};
use shared::store::operator::StockChange;

/// A price; without a currency, in the one that the product has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    pub(super) amount: i64,
    pub(super) currency: Option<Currency>,
}

/// How often a product is paid for, as a file says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Renewal {
    interval: Interval,
    interval_count: Option<u32>,
    trial_days: Option<u32>,
}

impl From<Renewal> for Recurring {
    fn from(renewal: Renewal) -> Self {
        Self {
            interval: renewal.interval,
            interval_count: renewal.interval_count.unwrap_or(1),
            trial_days: renewal.trial_days.unwrap_or(0),
        }
    }
}

/// What a product's buyers download, as a file says it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Downloadable {
    name: FileName,
    size: Option<u64>,
}

impl From<Downloadable> for ProductFile {
    fn from(file: Downloadable) -> Self {
        Self {
            name: file.name,
            size: file.size,
        }
    }
}

/// `month`, `3 months`; nothing, or `none`, for what is paid for once.
pub(super) fn recurring(text: &str) -> Result<Option<Recurring>, String> {
    let text = text.trim();
    if matches!(text, "" | "none") {
        return Ok(None);
    }
    let (count, unit) = text.split_once(' ').unwrap_or(("1", text));
    let wrong = || {
        format!(
            "{text:?} is not a time between two payments: use month, 3 months, 2 weeks, year, or none"
        )
    };
    let unit = unit.trim();
    Ok(Some(Recurring {
        interval: interval(unit.strip_suffix('s').unwrap_or(unit)).ok_or_else(wrong)?,
        interval_count: count.parse().map_err(|_| wrong())?,
        trial_days: 0,
    }))
}

/// One of Stripe's intervals.
pub(super) fn interval(text: &str) -> Option<Interval> {
    let all = [
        Interval::Day,
        Interval::Week,
        Interval::Month,
        Interval::Year,
    ];
    all.into_iter().find(|interval| interval.as_str() == text)
}

/// A number of intervals or of days.
pub(super) fn number(text: &str) -> Result<u32, String> {
    let text = text.trim();
    text.parse()
        .map_err(|_| format!("{text:?} is not a whole number"))
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

/// `txcd_99999999`; nothing, or `none`, for what the account at Stripe says of all its products.
pub(super) fn tax_code(text: &str) -> Result<Option<TaxCode>, String> {
    let code = text.trim();
    match code {
        "" | "none" => Ok(None),
        code => match code.parse() {
            Ok(code) => Ok(Some(code)),
            Err(why) => Err(format!("{code:?} is not a tax code: {why}")),
        },
    }
}

/// `inclusive` or `exclusive`; nothing, or `none`, for what the account at Stripe says of all its
/// prices.
pub(super) fn tax_behavior(text: &str) -> Result<Option<TaxBehavior>, String> {
    let said = text.trim();
    match said {
        "" | "none" => Ok(None),
        said => match said.parse() {
            Ok(behavior) => Ok(Some(behavior)),
            Err(why) => Err(format!("{said:?} is not a tax behavior: {why}")),
        },
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

/// At how many left the seller is told; nothing, or `none`, for when none is left.
pub(super) fn low_stock(text: &str) -> Result<Option<u32>, String> {
    match text.trim() {
        "" | "none" => Ok(None),
        // A step up or down is for the stock itself.
        pieces => match pieces.parse() {
            Ok(limit) if !pieces.starts_with('+') => Ok(Some(limit)),
            _ => Err(format!(
                "{pieces:?} is not a low stock: use a whole number, or none"
            )),
        },
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

/// A name; nothing, or `none`, for what has none.
pub(super) fn name(text: &str) -> Option<String> {
    let text = text.trim();
    (!matches!(text, "" | "none")).then(|| text.to_owned())
}

/// `size=M; color=red`; nothing, or `none`, for what is no variant.
pub(super) fn options(text: &str) -> Result<Options, String> {
    let mut options = Options::new();
    let Some(text) = name(text) else {
        return Ok(options);
    };
    for option in text.split(';').filter(|option| !option.trim().is_empty()) {
        let Some((name, value)) = option.split_once('=') else {
            return Err(format!(
                "{:?} is not an option: use NAME=VALUE, such as size=M; color=red",
                option.trim()
            ));
        };
        let name = name.trim().to_owned();
        if options.contains_key(&name) {
            return Err(format!("{name:?} is there twice"));
        }
        options.insert(name, value.trim().to_owned());
    }
    Ok(options)
}

/// As [`options`] reads them.
pub(super) fn in_line(options: &Options) -> String {
    let options = options
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    options.collect::<Vec<_>>().join("; ")
}

/// Addresses contain no spaces, so spaces separate them.
pub(super) fn addresses(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
