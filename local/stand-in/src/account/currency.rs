//! Money as Stripe counts it. Written from Stripe's page "Supported currencies", not shared with the
//! shop's own table, so that a mistake in either shows when they meet.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::account::amount::Amount;

/// The currencies Stripe charges in.
pub(super) const SUPPORTED: &[&str] = &[
    "usd", "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd",
    "bdt", "bgn", "bhd", "bif", "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad",
    "cdf", "chf", "clp", "cny", "cop", "crc", "cve", "czk", "djf", "dkk", "dop", "dzd", "egp",
    "etb", "eur", "fjd", "fkp", "gbp", "gel", "gip", "gmd", "gnf", "gtq", "gyd", "hkd", "hnl",
    "htg", "huf", "idr", "ils", "inr", "isk", "jmd", "jod", "jpy", "kes", "kgs", "khr", "kmf",
    "krw", "kwd", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mga", "mkd",
    "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio", "nok",
    "npr", "nzd", "omr", "pab", "pen", "pgk", "php", "pkr", "pln", "pyg", "qar", "ron", "rsd",
    "rub", "rwf", "sar", "sbd", "scr", "sek", "sgd", "shp", "sle", "sos", "srd", "std", "szl",
    "thb", "tjs", "tnd", "top", "try", "ttd", "twd", "tzs", "uah", "ugx", "uyu", "uzs", "vnd",
    "vuv", "wst", "xaf", "xcd", "xof", "xpf", "yer", "zar", "zmw",
];

const ZERO_DECIMAL: &[&str] = &[
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf",
    "xof", "xpf",
];

const THREE_DECIMAL: &[&str] = &["bhd", "jod", "kwd", "omr", "tnd"];

/// The least that can be charged, where Stripe names it. Elsewhere it depends on the day's exchange
/// rate, which the stand-in does not know.
const MINIMUM: &[(&str, i64)] = &[
    ("usd", 50),
    ("aed", 200),
    ("aud", 50),
    ("bgn", 100),
    ("brl", 50),
    ("cad", 50),
    ("chf", 50),
    ("czk", 1500),
    ("dkk", 250),
    ("eur", 50),
    ("gbp", 30),
    ("hkd", 400),
    ("huf", 17500),
    ("inr", 50),
    ("jpy", 50),
    ("mxn", 1000),
    ("myr", 200),
    ("nok", 300),
    ("nzd", 50),
    ("pln", 200),
    ("ron", 200),
    ("sek", 300),
    ("sgd", 50),
    ("thb", 1000),
];

/// Cents for a million minor units, at rates that are made up but never change. Whatever is not here
/// counts like a dollar.
const EXCHANGE_RATES: &[(&str, u32)] = &[
    ("aud", 660_000),
    ("cad", 730_000),
    ("chf", 1_150_000),
    ("eur", 1_100_000),
    ("gbp", 1_300_000),
    ("jpy", 670_000),
    ("kwd", 325_000),
];

const MILLION: u32 = 1_000_000;

/// A currency that Stripe charges in, by its code in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Currency(&'static str);

/// A text is not the code of a currency that Stripe charges in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a currency that Stripe charges in")]
pub(crate) struct NotSupported;

impl Currency {
    /// What the account's own money is in.
    pub(crate) const SETTLEMENT: Self = Self("usd");

    /// The code of three letters.
    pub(crate) fn code(self) -> &'static str {
        self.0
    }

    /// The amount in the account's own currency, and the rate if it is another.
    pub(crate) fn settled(self, amount: Amount) -> (Amount, Option<f64>) {
        if self == Self::SETTLEMENT {
            return (amount, None);
        }
        let rate = EXCHANGE_RATES
            .iter()
            .find(|(code, _)| *code == self.0)
            .map_or(MILLION, |(_, rate)| *rate);
        (
            amount.share_rounded_down(rate.into(), MILLION.into()),
            Some(f64::from(rate) / f64::from(MILLION)),
        )
    }

    /// The most that can be charged: eight digits, of rupiah twelve.
    pub(crate) fn maximum(self) -> Amount {
        Amount::new(match self.0 {
            "idr" => 999_999_999_999,
            _ => 99_999_999,
        })
    }

    /// The least that can be charged.
    pub(crate) fn minimum(self) -> Amount {
        let named = MINIMUM.iter().find(|(code, _)| *code == self.0);
        Amount::new(named.map_or(1, |(_, minimum)| *minimum))
    }

    /// What an amount must be a multiple of: three-decimal currencies end in 0; krónur and Ugandan
    /// shillings have no minor unit but are written as if they had two digits of it.
    pub(crate) fn step(self) -> i64 {
        match self.0 {
            "isk" | "ugx" => 100,
            _ if THREE_DECIMAL.contains(&self.0) => 10,
            _ => 1,
        }
    }

    /// The amount as people read it: `$15.00`, `¥500`, `15.000 KWD`.
    pub(crate) fn display(self, amount: Amount) -> String {
        // The sign stands before the currency's.
        if amount < Amount::ZERO {
            return format!("−{}", self.display(amount.negated()));
        }
        let digits = match self.0 {
            code if ZERO_DECIMAL.contains(&code) => 0,
            code if THREE_DECIMAL.contains(&code) => 3,
            _ => 2,
        };
        let (amount, unit) = (amount.minor_units(), 10_i64.pow(digits));
        let whole = grouped(amount.checked_div(unit).unwrap_or_default());
        let number = match digits {
            0 => whole,
            _ => {
                let fraction = amount.checked_rem(unit).unwrap_or_default();
                let width = usize::try_from(digits).unwrap_or_default();
                format!("{whole}.{fraction:0width$}")
            }
        };
        match self.0 {
            "usd" => format!("${number}"),
            "eur" => format!("€{number}"),
            "gbp" => format!("£{number}"),
            "jpy" => format!("¥{number}"),
            code => format!("{number} {}", code.to_uppercase()),
        }
    }
}

impl FromStr for Currency {
    type Err = NotSupported;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        let known = SUPPORTED.iter().find(|known| **known == code);
        known.map(|known| Self(known)).ok_or(NotSupported)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(code: D) -> Result<Self, D::Error> {
        let code = String::deserialize(code)?;
        code.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// `1,234,567`.
fn grouped(whole: i64) -> String {
    let digits = whole.to_string();
    let groups: Vec<_> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(String::from_utf8_lossy)
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> Currency {
        code.parse().unwrap()
    }

    fn display(code: &str, minor_units: i64) -> String {
        of(code).display(Amount::new(minor_units))
    }

    fn settled(code: &str, minor_units: i64) -> (i64, Option<f64>) {
        let (amount, rate) = of(code).settled(Amount::new(minor_units));
        (amount.minor_units(), rate)
    }

    #[test]
    fn an_amount_is_written_with_its_currencys_decimals() {
        assert_eq!(display("usd", 1500), "$15.00");
        assert_eq!(display("usd", 123_400), "$1,234.00");
        assert_eq!(display("usd", -1500), "−$15.00");
        assert_eq!(display("eur", 5), "€0.05");
        assert_eq!(display("jpy", 500), "¥500");
        assert_eq!(display("kwd", 5120), "5.120 KWD");
        assert_eq!(display("chf", 99_999_999), "999,999.99 CHF");
    }

    #[test]
    fn other_currencies_settle_in_the_accounts_own() {
        assert_eq!(settled("usd", 1500), (1500, None));
        assert_eq!(settled("eur", 1000), (1100, Some(1.1)));
        assert_eq!(settled("eur", -1000), (-1100, Some(1.1)));
        assert_eq!(settled("jpy", 500), (335, Some(0.67)));
        assert_eq!(settled("idr", 999_999_999_999).0, 999_999_999_999);
    }

    #[test]
    fn every_special_currency_is_a_supported_one() {
        let special = ZERO_DECIMAL.iter().chain(THREE_DECIMAL);
        assert!(
            special
                .chain(MINIMUM.iter().map(|(code, _)| code))
                .all(|code| code.parse::<Currency>().is_ok())
        );
        assert_eq!((of("isk").step(), of("ugx").step()), (100, 100));
    }
}
