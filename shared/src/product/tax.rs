//! How a product is taxed, in Stripe's words.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What kind of thing is sold, so that Stripe knows which tax is due on it: `txcd_` and eight digits,
/// from Stripe's list of tax codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaxCode(String);

/// Not a tax code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is txcd_ and eight digits, such as txcd_99999999 for general goods")]
pub struct NotATaxCode;

/// Whether a price has its tax in it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaxBehavior {
    /// The price is what is paid, and some of it is tax.
    Inclusive,
    /// Tax comes on top of the price.
    Exclusive,
}

/// Not a tax behavior.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is inclusive or exclusive")]
pub struct NotATaxBehavior;

impl TaxCode {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TaxCode {
    type Err = NotATaxCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("txcd_").unwrap_or_default();
        match digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Ok(Self(text.to_owned())),
            false => Err(NotATaxCode),
        }
    }
}

impl TryFrom<String> for TaxCode {
    type Error = NotATaxCode;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TaxCode> for String {
    fn from(code: TaxCode) -> Self {
        code.0
    }
}

impl fmt::Display for TaxCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TaxBehavior {
    /// As Stripe writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inclusive => "inclusive",
            Self::Exclusive => "exclusive",
        }
    }
}

impl FromStr for TaxBehavior {
    type Err = NotATaxBehavior;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = [Self::Inclusive, Self::Exclusive].into_iter();
        all.find(|it| it.as_str() == text).ok_or(NotATaxBehavior)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tax_code_is_one_of_stripes_form() {
        for code in ["txcd_99999999", "txcd_00000000", "txcd_20030000"] {
            assert_eq!(code.parse::<TaxCode>().unwrap().to_string(), code);
        }
        for wrong in [
            "",
            "txcd_",
            "99999999",
            "txcd_9999999",
            "txcd_999999999",
            "txcd_9999999x",
            "TXCD_99999999",
            " txcd_99999999",
            "txcd_٩٩٩٩",
        ] {
            assert_eq!(wrong.parse::<TaxCode>(), Err(NotATaxCode), "{wrong}");
        }
    }

    #[test]
    fn a_price_has_its_tax_in_it_or_not() {
        for behavior in [TaxBehavior::Inclusive, TaxBehavior::Exclusive] {
            assert_eq!(behavior.as_str().parse(), Ok(behavior));
            let json = serde_json::to_value(behavior).unwrap();
            assert_eq!(json, behavior.as_str());
        }
        for wrong in ["", "unspecified", "Inclusive"] {
            assert_eq!(wrong.parse::<TaxBehavior>(), Err(NotATaxBehavior));
        }
    }
}
