//! A card as somebody types it, and what is wrong with it.
//!
//! The mistakes are those of the page
//! [Testing](https://docs.stripe.com/testing#trigger-an-error-with-invalid-data).

use time::OffsetDateTime;

use crate::engine::time::Timestamp;
use crate::payment::testing::card::{Expiry, TestCard};
use crate::payment::testing::cards::by_number;
use crate::payment::testing::decline::{self, Decline};

/// A card that nobody has looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TypedCard<'t> {
    /// With or without spaces and dashes.
    pub(crate) number: &'t str,
    pub(crate) exp_month: i64,
    /// In full, or its last two digits.
    pub(crate) exp_year: i64,
    /// Stripe checks none if none is given.
    pub(crate) cvc: Option<&'t str>,
}

impl TypedCard<'_> {
    /// The test card that this is, or the first thing that is wrong with it.
    pub(crate) fn read(&self, now: Timestamp) -> Result<(&'static TestCard, Expiry), Decline> {
        let digits: String = self
            .number
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .collect();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(decline::INVALID_NUMBER);
        }
        if !(12..=19).contains(&digits.len()) || !passes_luhn(&digits) {
            return Err(decline::INCORRECT_NUMBER);
        }
        let expiry = expiry(self.exp_month, self.exp_year, now)?;
        let card = by_number(&digits).ok_or(decline::TEST_MODE_LIVE_CARD)?;
        match self.cvc.map(str::trim) {
            Some(cvc) if !is_cvc(cvc, card) => Err(decline::INVALID_CVC),
            _ => Ok((card, expiry)),
        }
    }
}

/// A card is good through its last month, and no card is good for longer than fifty years.
fn expiry(month: i64, year: i64, now: Timestamp) -> Result<Expiry, Decline> {
    let today = OffsetDateTime::from_unix_timestamp(now)
        .map_err(|_| decline::INVALID_EXPIRY_YEAR)?
        .date();
    let month = u8::try_from(month)
        .ok()
        .filter(|month| (1..=12).contains(month))
        .ok_or(decline::INVALID_EXPIRY_MONTH)?;
    let year = i32::try_from(year).map_err(|_| decline::INVALID_EXPIRY_YEAR)?;
    let year = in_full(year, today.year());
    let latest = today.year().saturating_add(LONGEST);
    if !(today.year()..=latest).contains(&year) {
        return Err(decline::INVALID_EXPIRY_YEAR);
    }
    if year == today.year() && month < u8::from(today.month()) {
        return Err(decline::INVALID_EXPIRY_MONTH);
    }
    Ok(Expiry { month, year })
}

/// For how many years a card may be good.
const LONGEST: i32 = 50;

/// `34` is 2034, and `95` was 1995: two digits mean the nearest such year.
fn in_full(year: i32, this_year: i32) -> i32 {
    if !(0..=99).contains(&year) {
        return year;
    }
    let century = this_year.saturating_sub(this_year.rem_euclid(100));
    let year = century.saturating_add(year);
    match year.saturating_sub(this_year) {
        ahead if ahead > LONGEST => year.saturating_sub(100),
        behind if behind < LONGEST.saturating_neg() => year.saturating_add(100),
        _ => year,
    }
}

fn is_cvc(cvc: &str, card: &TestCard) -> bool {
    cvc.len() == card.brand.cvc_digits() && cvc.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the last digit of a number fits the others. Anything but digits never does.
pub(crate) fn passes_luhn(number: &str) -> bool {
    let mut sum: u32 = 0;
    for (place, character) in number.chars().rev().enumerate() {
        let Some(digit) = character.to_digit(10) else {
            return false;
        };
        let counted = match (place.is_multiple_of(2), digit) {
            (true, digit) => digit,
            (false, 0..=4) => digit.saturating_mul(2),
            (false, _) => digit.saturating_mul(2).saturating_sub(9),
        };
        sum = sum.saturating_add(counted);
    }
    !number.is_empty() && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::payment::testing::card::{Afterwards, Issuer};
    use crate::payment::testing::cards::{self, all};
    use crate::payment::testing::decline::tests::is_known;

    /// 2025-11-24.
    const NOW: Timestamp = 1_764_000_000;

    fn read(
        number: &str,
        exp_month: i64,
        exp_year: i64,
        cvc: Option<&str>,
    ) -> Result<(&'static TestCard, Expiry), Decline> {
        let typed = TypedCard {
            number,
            exp_month,
            exp_year,
            cvc,
        };
        typed.read(NOW)
    }

    fn wrong(number: &str, month: i64, year: i64, cvc: Option<&str>) -> &'static str {
        read(number, month, year, cvc).unwrap_err().code
    }

    const VISA: &str = "4242424242424242";
    const AMEX: &str = "378282246310005";

    #[test]
    fn every_card_can_be_typed_and_no_number_is_there_twice() {
        let mut seen = BTreeSet::new();
        for card in all() {
            assert!(passes_luhn(card.number), "{}", card.number);
            assert!(seen.insert(card.number), "{}", card.number);
            let cvc = "1234".get(..card.brand.cvc_digits());
            let (found, _) = read(card.number, 12, 34, cvc).unwrap();
            assert_eq!(found, card);
        }
        assert_eq!(seen.len(), 156);
    }

    #[test]
    fn every_refusal_of_a_card_has_codes_of_stripe() {
        let mut refusals = 0;
        for card in all() {
            match card.issuer {
                Issuer::Approves(_) => {}
                Issuer::Declines(decline)
                | Issuer::DeclinesPayments(decline)
                | Issuer::DeclinesCustomers(decline) => {
                    assert!(is_known(&decline), "{decline:?}");
                    refusals += 1;
                }
            }
        }
        assert_eq!(refusals, 14);
    }

    #[test]
    fn a_card_is_in_a_country_and_a_disputed_one_is_disputed_for_a_reason() {
        for card in all() {
            assert_eq!(card.country.len(), 2, "{}", card.number);
            if let Issuer::Approves(Afterwards::Disputed(claims)) = card.issuer {
                assert!(!claims.is_empty(), "{}", card.number);
            }
        }
    }

    #[test]
    fn a_number_that_is_none_is_told_apart_from_one_with_a_slip() {
        assert_eq!(wrong("", 12, 34, None), "invalid_number");
        assert_eq!(wrong("4242 4242 4242 424x", 12, 34, None), "invalid_number");
        assert_eq!(wrong("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", 12, 34, None), "invalid_number");
        assert_eq!(wrong("4242424242424241", 12, 34, None), "incorrect_number");
        assert_eq!(wrong("4242", 12, 34, None), "incorrect_number");
    }

    #[test]
    fn a_card_that_may_be_somebodys_own_is_declined_as_stripe_declines_it() {
        let decline = read("4111111111111111", 12, 34, Some("123")).unwrap_err();
        assert_eq!(decline.code, "card_declined");
        assert_eq!(decline.decline_code, Some("test_mode_live_card"));
        assert!(
            decline
                .message
                .ends_with("https://stripe.com/docs/testing.")
        );
    }

    #[test]
    fn a_card_is_good_through_its_last_month() {
        assert!(read(VISA, 11, 2025, None).is_ok());
        assert_eq!(wrong(VISA, 10, 2025, None), "invalid_expiry_month");
        assert_eq!(wrong(VISA, 12, 2024, None), "invalid_expiry_year");
        assert_eq!(wrong(VISA, 12, 95, None), "invalid_expiry_year");
        assert_eq!(wrong(VISA, 12, 2076, None), "invalid_expiry_year");
        for month in [0, 13, -1, 256 + 12] {
            assert_eq!(wrong(VISA, month, 34, None), "invalid_expiry_month");
        }
    }

    #[test]
    fn two_digits_of_a_year_mean_the_nearest_such_year() {
        assert_eq!(in_full(34, 2025), 2034);
        assert_eq!(in_full(95, 2025), 1995);
        assert_eq!(in_full(5, 2099), 2105);
        assert_eq!(in_full(2034, 2025), 2034);
        let (_, expiry) = read(VISA, 12, 34, None).unwrap();
        assert_eq!((expiry.month, expiry.year), (12, 2034));
    }

    #[test]
    fn a_security_code_is_as_long_as_those_of_its_brand_if_it_is_given() {
        assert!(read(VISA, 12, 34, Some(" 123 ")).is_ok());
        assert!(read(AMEX, 12, 34, Some("1234")).is_ok());
        assert!(read(AMEX, 12, 34, None).is_ok());
        assert_eq!(wrong(AMEX, 12, 34, Some("123")), "invalid_cvc");
        for cvc in ["", "99", "1234", "12x", "١٢٣"] {
            assert_eq!(wrong(VISA, 12, 34, Some(cvc)), "invalid_cvc", "{cvc}");
        }
    }

    proptest! {
        #[test]
        fn spaces_and_dashes_never_change_which_card_it_is(
            place in 0..156_usize,
            gaps in prop::collection::vec("[ \u{a0}\t-]{0,3}", 20),
        ) {
            let card = all().nth(place).unwrap();
            let digits = card.number.chars();
            let spaced: String = gaps.iter().cloned().zip(digits.map(String::from))
                .flat_map(|(gap, digit)| [gap, digit])
                .collect();
            prop_assert_eq!(cards::by_number(&spaced), Some(card));
            prop_assert_eq!(read(&spaced, 12, 34, None).map(|(found, _)| found), Ok(card));
        }

        #[test]
        fn one_wrong_digit_is_always_noticed(
            place in 0..156_usize,
            at in any::<prop::sample::Index>(),
            by in 1..10_u32,
        ) {
            let card = all().nth(place).unwrap();
            let at = at.index(card.number.len());
            let slipped: String = card.number.chars().enumerate()
                .map(|(index, c)| {
                    let digit = c.to_digit(10).unwrap();
                    let slip = digit.wrapping_add(by).rem_euclid(10);
                    char::from_digit(if index == at { slip } else { digit }, 10).unwrap()
                })
                .collect();
            prop_assert!(!passes_luhn(&slipped));
        }
    }
}
