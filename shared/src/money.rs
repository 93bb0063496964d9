//! Amounts in minor units, and Stripe's currency rules.
//!
//! Source of every rule here: Stripe's page "Supported currencies" (zero-decimal, three-decimal and
//! special-case currencies; minimum and maximum charge amounts).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An ISO 4217 code, in lower case as Stripe writes it.
///
/// Any three letters are a currency: an authentic event in a currency that Stripe added yesterday
/// must still be recorded. [`Currency::is_chargeable`] says which can be *sold* in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Not a currency code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a currency: use a three-letter ISO 4217 code such as usd")]
pub struct NotACurrency(String);

impl Currency {
    /// Digits after the decimal point in the amounts of Stripe's API. ISK and UGX have none in real
    /// life, but Stripe still counts them in hundredths.
    pub fn decimals(self) -> u8 {
        match self.as_str() {
            "bif" | "clp" | "djf" | "gnf" | "jpy" | "kmf" | "krw" | "mga" | "pyg" | "rwf"
            | "vnd" | "vuv" | "xaf" | "xof" | "xpf" => 0,
            "bhd" | "jod" | "kwd" | "omr" | "tnd" => 3,
            _ => 2,
        }
    }

    /// Every charged amount must be a multiple of this: in three-decimal currencies the last digit
    /// must be 0, in ISK and UGX the hundredths.
    pub fn step(self) -> i64 {
        match self.as_str() {
            "isk" | "ugx" => 100,
            _ if self.decimals() == 3 => 10,
            _ => 1,
        }
    }

    /// Whether Stripe can charge in this currency.
    pub fn is_chargeable(self) -> bool {
        CHARGEABLE.contains(&self.as_str())
    }

    /// The least that Stripe charges, in minor units. For currencies that its table does not list,
    /// the minimum depends on the day's exchange rate, so Stripe itself has to refuse.
    pub fn minimum_charge(self) -> i64 {
        match self.as_str() {
            "gbp" => 30,
            "aud" | "brl" | "cad" | "chf" | "eur" | "inr" | "jpy" | "nzd" | "sgd" | "usd" => 50,
            "bgn" => 100,
            "aed" | "myr" | "pln" | "ron" => 200,
            "dkk" => 250,
            "nok" | "sek" => 300,
            "hkd" => 400,
            "mxn" | "thb" => 1_000,
            "czk" => 1_500,
            "huf" => 17_500,
            _ => self.step(),
        }
    }

    /// The most that Stripe charges at once, in minor units: eight digits, or twelve for rupiah.
    pub fn maximum_charge(self) -> i64 {
        match self.as_str() {
            "idr" => 999_999_999_999,
            _ => 99_999_999,
        }
    }

    /// The three lower-case letters.
    pub fn as_str(&self) -> &str {
        // Only ASCII letters are ever stored.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_alphabetic) => {
                Ok(Self(code.map(|letter| letter.to_ascii_lowercase())))
            }
            _ => Err(NotACurrency(text.chars().take(16).collect())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = NotACurrency;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An exact amount: an integer count of minor units (cents, yen, fils) of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money {
    /// In minor units, such as cents.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

/// What is wrong with an amount.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two currencies cannot be added.
    #[error("{0} and {1} cannot be added")]
    MixedCurrencies(Currency, Currency),
    /// It does not fit into 64 bits.
    #[error("the amount is too large to count")]
    Overflow,
    /// Stripe cannot charge in it.
    #[error("{0} is not a currency that Stripe charges in")]
    NotChargeable(Currency),
    /// It is below zero.
    #[error("{0} is negative")]
    Negative(Money),
    /// The last digits must be 0.
    #[error("{0} must be a multiple of {step} minor units", step = .0.currency.step())]
    WrongStep(Money),
    /// Under Stripe's minimum.
    #[error("{0} is under Stripe's minimum of {minimum}", minimum = .0.minimum())]
    TooSmall(Money),
    /// Over Stripe's maximum.
    #[error("{0} is over Stripe's maximum of {maximum}", maximum = .0.maximum())]
    TooLarge(Money),
    /// Not written as an amount of this currency.
    #[error("{0:?} is not an amount in {code}: write it like {example}",
        code = .1.as_str().to_uppercase(), example = Money::new(500, *.1).major_units())]
    NotAnAmount(String, Currency),
}

impl Money {
    /// `amount` minor units of `currency`.
    pub fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// The amount that `text` gives in major units: `5`, `5.0` or `5.00` dollars. It may have only
    /// digits and a point, and no more decimals than the currency.
    pub fn from_major_units(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let wrong = || MoneyError::NotAnAmount(text.chars().take(32).collect(), currency);
        let decimals = usize::from(currency.decimals());
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if (1..=decimals).contains(&fraction.len()) => {
                (whole, fraction)
            }
            Some(_) => return Err(wrong()),
            None => (text, ""),
        };
        let digits = format!("{whole}{fraction:0<decimals$}");
        if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let amount = digits.parse().map_err(|_| MoneyError::Overflow)?;
        Ok(Self::new(amount, currency))
    }

    /// Zero, in `currency`.
    pub fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The sum; fails if the currencies differ or it does not fit.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies(self.currency, other.currency));
        }
        let amount = self
            .amount
            .checked_add(other.amount)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The amount times a number.
    pub fn checked_mul(self, times: u32) -> Result<Self, MoneyError> {
        let amount = self
            .amount
            .checked_mul(times.into())
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// Checks that a product can have this price: a currency that Stripe charges in, not negative,
    /// the right last digits, not over the maximum. A price may be below the minimum charge: ten
    /// stickers at 0.10 USD are a fine purchase.
    pub fn check_price(self) -> Result<(), MoneyError> {
        if !self.currency.is_chargeable() {
            return Err(MoneyError::NotChargeable(self.currency));
        }
        if self.amount < 0 {
            return Err(MoneyError::Negative(self));
        }
        if self.amount.checked_rem(self.currency.step()) != Some(0) {
            return Err(MoneyError::WrongStep(self));
        }
        if self.amount > self.currency.maximum_charge() {
            return Err(MoneyError::TooLarge(self));
        }
        Ok(())
    }

    /// Checks that Stripe would charge this total. Zero is fine: Checkout completes such a session
    /// without a payment.
    pub fn check_total(self) -> Result<(), MoneyError> {
        self.check_price()?;
        if self.amount != 0 && self.amount < self.currency.minimum_charge() {
            return Err(MoneyError::TooSmall(self));
        }
        Ok(())
    }

    /// The amount in major units, exactly and without grouping: `15.00`, `1800`, `3.500`.
    pub fn major_units(self) -> String {
        let decimals = usize::from(self.currency.decimals());
        let digits = format!(
            "{:0>width$}",
            self.amount.unsigned_abs(),
            width = decimals.saturating_add(1)
        );
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
        let sign = if self.amount < 0 { "-" } else { "" };
        let point = if decimals == 0 { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }

    fn minimum(self) -> Self {
        Self {
            amount: self.currency.minimum_charge(),
            ..self
        }
    }

    fn maximum(self) -> Self {
        Self {
            amount: self.currency.maximum_charge(),
            ..self
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}",
            self.major_units(),
            self.currency.as_str().to_uppercase()
        )
    }
}

/// Stripe's presentment currencies.
const CHARGEABLE: [&str; 139] = [
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt",
    "bgn", "bhd", "bif", "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf",
    "chf", "clp", "cny", "cop", "crc", "cve", "czk", "djf", "dkk", "dop", "dzd", "egp", "etb",
    "eur", "fjd", "fkp", "gbp", "gel", "gip", "gmd", "gnf", "gtq", "gyd", "hkd", "hnl", "htg",
    "huf", "idr", "ils", "inr", "isk", "jmd", "jod", "jpy", "kes", "kgs", "khr", "kmf", "krw",
    "kwd", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mga", "mkd", "mmk",
    "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio", "nok", "npr",
    "nzd", "omr", "pab", "pen", "pgk", "php", "pkr", "pln", "pyg", "qar", "ron", "rsd", "rub",
    "rwf", "sar", "sbd", "scr", "sek", "sgd", "shp", "sle", "sos", "srd", "std", "szl", "thb",
    "tjs", "tnd", "top", "try", "ttd", "twd", "tzs", "uah", "ugx", "usd", "uyu", "uzs", "vnd",
    "vuv", "wst", "xaf", "xcd", "xof", "xpf", "yer", "zar", "zmw",
];

#[cfg(test)]
mod tests;
