//! Numbers of minor units with decimal places, as `unit_amount_decimal` has them.

use crate::account::amount::Amount;

/// The most decimal places that Stripe takes.
pub(crate) const PLACES: usize = 12;

/// Whether a text is such a number.
pub(crate) fn is_decimal(text: &str) -> bool {
    scaled(text).is_some()
}

/// The number without its point, which is twelve places from the end.
fn scaled(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1_i128, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > PLACES || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let number: i128 = format!("{whole}{fraction:0<PLACES$}").parse().ok()?;
    number.checked_mul(sign)
}

/// So many of what costs so much, rounded half up to the minor unit.
pub(crate) fn times(unit: &str, quantity: i64) -> Option<Amount> {
    let whole = 10_i128.checked_pow(PLACES.try_into().ok()?)?;
    let exact = scaled(unit)?.checked_mul(quantity.into())?;
    let rounded = exact
        .checked_abs()?
        .checked_add(whole.checked_div(2)?)?
        .checked_div(whole)?;
    let rounded = i64::try_from(rounded.checked_mul(exact.signum())?).ok()?;
    Some(Amount::new(rounded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_of_a_minor_unit_are_rounded_once_all_is_multiplied() {
        let times = |unit, quantity| times(unit, quantity).map(Amount::minor_units);
        assert_eq!(times("1500", 3), Some(4_500));
        assert_eq!(times("0.5", 3), Some(2));
        assert_eq!(times("0.05", 9), Some(0));
        assert_eq!(times("0.000000000001", 999_999), Some(0));
        assert_eq!(times("-0.5", 3), Some(-2));
        assert_eq!(times("12.345", 100), Some(1_235));
        assert_eq!(times("1e3", 1), None);
        assert_eq!(times("0.0000000000001", 1), None);
    }
}
