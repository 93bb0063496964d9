//! Cards and accounts as somebody types them.

use time::OffsetDateTime;

use crate::engine::time::Timestamp;
use crate::payment::bank::{BankDebit, Ending, Scheme, Settlement};
use crate::payment::card::{Card, TestNumber};
use crate::payment::decline::Decline;
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// A card that nobody has looked at.
#[derive(Debug)]
pub(crate) struct TypedCard {
    pub(crate) number: String,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
    pub(crate) cvc: Option<String>,
}

impl TypedCard {
    /// Reads `number`, `exp_month`, `exp_year` and `cvc`.
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let number = params.text("number").required(params, "number")?;
        let exp_year = params.integer("exp_year").required(params, "exp_year")?;
        let mut networks = params.object("networks")?;
        networks.text("preferred")?;
        networks.finish()?;
        Ok(Self {
            number: number.chars().filter(|c| !" -".contains(*c)).collect(),
            exp_month: params.integer("exp_month").required(params, "exp_month")?,
            // `34` is 2034.
            exp_year: match exp_year {
                0..=99 => exp_year.saturating_add(2_000),
                year => year,
            },
            cvc: params.text("cvc")?,
        })
    }

    /// The test card that it is, or what is wrong with it, and in which field.
    pub(crate) fn check(self, now: Timestamp) -> Result<Card, (&'static str, Decline)> {
        let wrong = |field, code, message| Err((field, Decline::new(code, None, message)));
        if !passes_luhn(&self.number) || !(12..=19).contains(&self.number.len()) {
            return wrong(
                "number",
                "incorrect_number",
                "Your card number is incorrect.",
            );
        }
        let month = u8::try_from(self.exp_month).unwrap_or_default();
        if !(1..=12).contains(&month) {
            return wrong(
                "exp_month",
                "invalid_expiry_month",
                "Your card's expiration month is invalid.",
            );
        }
        let year = i32::try_from(self.exp_year).unwrap_or_default();
        if has_passed(month, year, now) || year > 2_100 {
            return wrong(
                "exp_year",
                "invalid_expiry_year",
                "Your card's expiration year is invalid.",
            );
        }
        let number = TestNumber::try_from(self.number).map_err(|_| ("number", no_test_card()))?;
        let card = Card {
            number,
            exp_month: month,
            exp_year: year,
            cvc: self.cvc.is_some(),
        };
        match self.cvc {
            Some(cvc) if !fits(&cvc, card.brand()) => wrong(
                "cvc",
                "invalid_cvc",
                "Your card's security code is invalid.",
            ),
            _ => Ok(card),
        }
    }
}

/// A card that may be somebody's own.
fn no_test_card() -> Decline {
    Decline::new(
        "card_declined",
        Some("test_mode_live_card"),
        "Your card was declined. Your request was in test mode, but used a non test (live) card. For \
         a list of valid test cards, visit: https://stripe.com/docs/testing.",
    )
}

/// Whether a security code is as long as those of its brand.
pub(crate) fn fits(cvc: &str, brand: &str) -> bool {
    let digits = if brand == "amex" { 4 } else { 3 };
    cvc.len() == digits && cvc.bytes().all(|byte| byte.is_ascii_digit())
}

impl Card {
    /// One that a name stands for: complete, and good for years.
    pub(crate) fn named(number: &str, now: Timestamp) -> Option<Self> {
        let date = OffsetDateTime::from_unix_timestamp(now).ok()?;
        Some(Self {
            number: TestNumber::try_from(number.to_owned()).ok()?,
            exp_month: u8::from(date.month()),
            exp_year: date.year().saturating_add(1),
            cvc: true,
        })
    }
}

/// A card is good through its last month.
pub(crate) fn has_passed(month: u8, year: i32, now: Timestamp) -> bool {
    let today = OffsetDateTime::from_unix_timestamp(now);
    today.is_ok_and(|today| (year, month) < (today.year(), u8::from(today.month())))
}

pub(crate) fn passes_luhn(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number.chars().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits else { return false };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place.checked_rem(2) {
            Some(1) if *digit > 4 => digit.saturating_mul(2).saturating_sub(9),
            Some(1) => digit.saturating_mul(2),
            _ => *digit,
        })
        .sum();
    !digits.is_empty() && sum.checked_rem(10) == Some(0)
}

/// The account of an IBAN.
pub(crate) fn iban(typed: &str) -> Result<BankDebit, ApiError> {
    let iban: String = typed.chars().filter(|c| *c != ' ').collect();
    let sound = (15..=34).contains(&iban.len())
        && iban
            .chars()
            .all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    let (Some(country), Some(rest), true) = (iban.get(..2), iban.get(4..), sound) else {
        return Err(ApiError::invalid("The IBAN you provided is invalid.")
            .code("invalid_bank_account_iban")
            .param("sepa_debit[iban]"));
    };
    Ok(BankDebit {
        scheme: Scheme::Sepa,
        bank: rest
            .chars()
            .take(if country == "DE" { 8 } else { 5 })
            .collect(),
        country: country.to_owned(),
        settlement: ending_of(&iban),
        number: iban,
    })
}

/// An account by its number and its bank's.
pub(crate) fn account(scheme: Scheme, bank: &str, number: &str) -> Result<BankDebit, ApiError> {
    let bank: String = bank.chars().filter(|c| *c != '-').collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (wanted, length, field) = match scheme {
        Scheme::Ach => ("110000000", 9, "routing_number"),
        _ => ("108800", 6, "sort_code"),
    };
    if !digits(&bank) || bank.len() != length {
        return Err(ApiError::invalid(format!(
            "The {} must have {length} digits, such as {wanted}.",
            field.replace('_', " ")
        ))
        .param(format!("{}[{field}]", scheme.method())));
    }
    if !digits(number) {
        return Err(
            ApiError::invalid("The account number must consist of digits.")
                .code("account_number_invalid")
                .param(format!("{}[account_number]", scheme.method())),
        );
    }
    let country = if scheme == Scheme::Ach { "US" } else { "GB" };
    Ok(BankDebit {
        scheme,
        bank,
        country: country.to_owned(),
        settlement: ending_of(number),
        number: number.to_owned(),
    })
}

/// What becomes of an account's debits.
fn ending_of(number: &str) -> Settlement {
    let ending = match number.get(number.len().saturating_sub(4)..) {
        Some("3202" | "3204" | "3456" | "1116") => Ending::Fails(Decline::by_bank()),
        Some("3203") => Ending::SucceedsDisputed,
        _ => Ending::Succeeds,
    };
    let seconds = match number.get(number.len().saturating_sub(4)..) {
        Some("3204" | "3205") => 180,
        _ => 0,
    };
    Settlement::After(seconds, ending)
}
