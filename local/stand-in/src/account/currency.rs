//! Money as Stripe counts it. Written from Stripe's page "Supported currencies", not shared with the
//! shop's own table, so that a mistake in either shows when they meet.

/// The currencies Stripe charges in.
const SUPPORTED: &[&str] = &[
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

/// What the account's own money is in.
pub(crate) const SETTLEMENT: &str = "usd";

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

/// The amount in the account's own currency, and the rate if it is another.
pub(crate) fn settled(amount: i64, currency: &str) -> (i64, Option<f64>) {
    if currency == SETTLEMENT {
        return (amount, None);
    }
    let rate = EXCHANGE_RATES
        .iter()
        .find(|(code, _)| *code == currency)
        .map_or(MILLION, |(_, rate)| *rate);
    let cents = i128::from(amount)
        .saturating_mul(rate.into())
        .checked_div(MILLION.into())
        .and_then(|cents| i64::try_from(cents).ok());
    (
        cents.unwrap_or(i64::MAX),
        Some(f64::from(rate) / f64::from(MILLION)),
    )
}

const MILLION: u32 = 1_000_000;

/// The most that can be charged: eight digits, of rupiah twelve.
pub(crate) fn maximum(currency: &str) -> i64 {
    match currency {
        "idr" => 999_999_999_999,
        _ => 99_999_999,
    }
}

pub(crate) fn is_supported(currency: &str) -> bool {
    SUPPORTED.contains(&currency)
}

pub(crate) fn minimum(currency: &str) -> i64 {
    MINIMUM
        .iter()
        .find(|(code, _)| *code == currency)
        .map_or(1, |(_, minimum)| *minimum)
}

/// What an amount must be a multiple of: three-decimal currencies end in 0; krónur and Ugandan
/// shillings have no minor unit but are written as if they had two digits of it.
pub(crate) fn step(currency: &str) -> i64 {
    match currency {
        "isk" | "ugx" => 100,
        _ if THREE_DECIMAL.contains(&currency) => 10,
        _ => 1,
    }
}

/// The amount as people read it: `$15.00`, `¥500`, `15.000 KWD`.
pub(crate) fn display(amount: i64, currency: &str) -> String {
    let digits = match currency {
        _ if ZERO_DECIMAL.contains(&currency) => 0,
        _ if THREE_DECIMAL.contains(&currency) => 3,
        _ => 2,
    };
    let unit = 10_i64.pow(digits);
    let whole = grouped(amount.checked_div(unit).unwrap_or_default());
    let number = match digits {
        0 => whole,
        _ => {
            let fraction = amount.checked_rem(unit).unwrap_or_default();
            let width = usize::try_from(digits).unwrap_or_default();
            format!("{whole}.{fraction:0width$}")
        }
    };
    match currency {
        "usd" => format!("${number}"),
        "eur" => format!("€{number}"),
        "gbp" => format!("£{number}"),
        "jpy" => format!("¥{number}"),
        _ => format!("{number} {}", currency.to_uppercase()),
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

    #[test]
    fn an_amount_is_written_with_its_currencys_decimals() {
        assert_eq!(display(1500, "usd"), "$15.00");
        assert_eq!(display(123_400, "usd"), "$1,234.00");
        assert_eq!(display(5, "eur"), "€0.05");
        assert_eq!(display(500, "jpy"), "¥500");
        assert_eq!(display(5120, "kwd"), "5.120 KWD");
        assert_eq!(display(99_999_999, "chf"), "999,999.99 CHF");
    }

    #[test]
    fn other_currencies_settle_in_the_accounts_own() {
        assert_eq!(settled(1500, "usd"), (1500, None));
        assert_eq!(settled(1000, "eur"), (1100, Some(1.1)));
        assert_eq!(settled(-1000, "eur"), (-1100, Some(1.1)));
        assert_eq!(settled(500, "jpy"), (335, Some(0.67)));
        assert_eq!(settled(999_999_999_999, "idr").0, 999_999_999_999);
    }

    #[test]
    fn every_special_currency_is_a_supported_one() {
        let special = ZERO_DECIMAL.iter().chain(THREE_DECIMAL);
        assert!(
            special
                .chain(MINIMUM.iter().map(|(code, _)| code))
                .all(|code| is_supported(code))
        );
        assert!(is_supported("isk") && is_supported("ugx"));
    }
}
