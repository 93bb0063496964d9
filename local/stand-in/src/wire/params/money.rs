//! Parameters that are about money.

use super::Params;
use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::account::decimal::{PLACES, is_decimal};
use crate::wire::errors::ApiError;

/// Refuses an amount, either way, that Stripe does not take in this currency. Its page "Supported
/// currencies" has the rules.
pub(crate) fn check_amount(
    amount: Amount,
    currency: Currency,
    param: &str,
) -> Result<(), ApiError> {
    let most = currency.maximum();
    match amount > most || amount < most.negated() {
        true => Err(ApiError::amount_too_large(param, currency)),
        false => check_step(amount, currency, param),
    }
}

/// Refuses an amount that has digits where this currency has none.
pub(crate) fn check_step(amount: Amount, currency: Currency, param: &str) -> Result<(), ApiError> {
    let step = currency.step();
    match amount.beyond(step) {
        Amount::ZERO => Ok(()),
        _ => Err(ApiError::out_of_range(
            param,
            format!("Amounts in {currency} must be a multiple of {step}."),
        )),
    }
}

impl Params {
    /// A currency Stripe charges in, in lower case.
    pub(crate) fn currency(&mut self, field: &str) -> Result<Option<Currency>, ApiError> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let known = text.to_lowercase().parse();
        known.map(Some).map_err(|_| {
            ApiError::invalid(format!(
                "Invalid currency: {text}. It must be a three-letter code of a currency that Stripe \
                 charges in, such as usd."
            ))
            .param(self.name(field))
        })
    }

    /// An amount in a currency's minor units.
    pub(crate) fn amount(
        &mut self,
        field: &str,
        currency: Currency,
    ) -> Result<Option<Amount>, ApiError> {
        let amount = self.integer_within(field, 0, i64::MAX)?.map(Amount::new);
        if let Some(amount) = amount {
            check_amount(amount, currency, &self.name(field))?;
        }
        Ok(amount)
    }

    /// A number of minor units with decimal places.
    pub(crate) fn decimal(&mut self, field: &str) -> Result<Option<String>, ApiError> {
        match self.text(field)? {
            Some(text) if !is_decimal(&text) => Err(ApiError::invalid(format!(
                "Invalid decimal: {text}; must be a number with at most {PLACES} decimal places."
            ))
            .param(self.name(field))),
            text => Ok(text),
        }
    }

    /// A share above 0 and up to 100 %, in hundredths of a percent.
    pub(crate) fn percent(&mut self, field: &str) -> Result<Option<u32>, ApiError> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let hundredths = match text.split_once('.') {
            None => format!("{text}00").parse(),
            Some((whole, fraction)) => {
                let fraction: String = fraction.chars().chain("00".chars()).take(2).collect();
                format!("{whole}{fraction}").parse()
            }
        };
        match hundredths {
            Ok(hundredths @ 1..=10_000) => Ok(Some(hundredths)),
            _ => Err(ApiError::invalid(format!(
                "Invalid {field}: {text} is not a number above 0 and up to 100"
            ))
            .param(self.name(field))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_exact_to_its_hundredths() {
        let read = |text: &str| {
            let form = format!("p={text}");
            Params::parse(form.as_bytes()).unwrap().percent("p")
        };
        for (text, hundredths) in [("10", 1_000), ("25.5", 2_550), ("100", 10_000), ("0.05", 5)] {
            assert_eq!(read(text).unwrap(), Some(hundredths), "{text}");
        }
        for text in ["0", "100.01", "101", "-5", "ten", "1e2", "5.x"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
