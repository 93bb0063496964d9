//! Amounts as the buyer's language writes them.

use fixed_decimal::Decimal;
use icu_decimal::DecimalFormatter;
use icu_locale_core::{Locale, locale};

use crate::money::Money;

/// Keeps an amount and its currency on one line.
const NO_BREAK_SPACE: char = '\u{a0}';

/// Writes amounts in one language.
pub(super) struct Amounts(DecimalFormatter);

impl Amounts {
    /// In the language of a BCP 47 tag; in English if there is none, or it is unknown.
    pub(super) fn in_language(tag: Option<&str>) -> Result<Self, askama::Error> {
        let language = tag
            .and_then(|tag| tag.parse::<Locale>().ok())
            .unwrap_or(locale!("en"));
        // A language without data falls back to the root locale, whose numbers look like English
        // ones.
        DecimalFormatter::try_new(language.into(), Default::default())
            .map(Self)
            .map_err(askama::Error::custom)
    }

    /// `1,500.00 EUR`, `1.500,00 EUR`, `1 500,00 EUR`: exact, since no float is involved.
    pub(super) fn write(&self, money: Money) -> String {
        let mut number = Decimal::from(money.amount);
        number.multiply_pow10(i16::from(money.currency.decimals()).saturating_neg());
        // Only Stripe counts these in hundredths, which must be 00; people do not.
        if money.currency.decimals() == 2 && money.currency.step() == 100 {
            number.absolute.trim_end_if_integer();
        }
        let code = money.currency.as_str().to_uppercase();
        format!("{}{NO_BREAK_SPACE}{code}", self.0.format(&number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(language: &str, amount: i64, currency: &str) -> String {
        Amounts::in_language(Some(language))
            .unwrap()
            .write(Money::new(amount, currency.parse().unwrap()))
    }

    #[test]
    fn an_amount_is_written_as_in_the_buyers_language() {
        for (language, amount, currency, text) in [
            ("en", 150_000, "usd", "1,500.00\u{a0}USD"),
            ("en", 5, "usd", "0.05\u{a0}USD"),
            ("en", 0, "usd", "0.00\u{a0}USD"),
            ("en", -300, "usd", "-3.00\u{a0}USD"),
            ("de", 150_000, "usd", "1.500,00\u{a0}USD"),
            ("de-CH", 150_000, "chf", "1'500.00\u{a0}CHF"),
            ("fr", 150_000, "usd", "1\u{202f}500,00\u{a0}USD"),
            ("fr-FR", 99_999_999, "eur", "999\u{202f}999,99\u{a0}EUR"),
            ("es", 150_000, "eur", "1500,00\u{a0}EUR"),
            ("es", 1_500_000, "eur", "15.000,00\u{a0}EUR"),
            ("hi-IN", 12_345_678, "inr", "1,23,456.78\u{a0}INR"),
            ("ar-EG", 150_000, "egp", "١٬٥٠٠٫٠٠\u{a0}EGP"),
            ("en", 1_800, "jpy", "1,800\u{a0}JPY"),
            ("ja-JP", 0, "jpy", "0\u{a0}JPY"),
            ("en", 3_500, "kwd", "3.500\u{a0}KWD"),
            ("de", 1_234_560, "kwd", "1.234,560\u{a0}KWD"),
            ("en", 50_000, "isk", "500\u{a0}ISK"),
            ("is", 5_000_000, "isk", "50.000\u{a0}ISK"),
            ("en", 0, "ugx", "0\u{a0}UGX"),
            // Stripe never sends this; if it does, nothing is hidden.
            ("en", 50_050, "isk", "500.50\u{a0}ISK"),
            ("en", i64::MIN, "jpy", "-9,223,372,036,854,775,808\u{a0}JPY"),
        ] {
            assert_eq!(written(language, amount, currency), text, "{language}");
        }
    }

    #[test]
    fn an_unknown_language_is_written_as_english() {
        let amount = Money::new(150_000, "usd".parse().unwrap());
        for tag in [
            None,
            Some(""),
            Some("xx"),
            Some("qqq-ZZ"),
            Some("not a tag\r\n"),
            Some("*"),
        ] {
            let amounts = Amounts::in_language(tag).unwrap();
            assert_eq!(amounts.write(amount), "1,500.00\u{a0}USD", "{tag:?}");
        }
    }

    proptest! {
        #[test]
        fn writing_an_amount_loses_nothing(amount: i64, currency in "usd|jpy|kwd") {
            let text = written("en", amount, &currency);
            let digits: String =
                text.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
            prop_assert_eq!(digits.parse::<i64>().unwrap(), amount);
        }
    }
}
