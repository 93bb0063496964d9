//! What becomes of vouchers, which the buyer's address decides, and at a konbini their number, too.
//!
//! The pages are those about accepting [OXXO](https://docs.stripe.com/payments/oxxo/accept-a-payment),
//! [Boleto](https://docs.stripe.com/payments/boleto/accept-a-payment),
//! [Konbini](https://docs.stripe.com/payments/konbini/accept-a-payment) and
//! [Multibanco](https://docs.stripe.com/payments/multibanco/accept-a-payment) payments, each under its
//! heading "Test your integration". Pix, which is not a voucher, has the same addresses.

use crate::payment::testing::outcome::{self, Failure, Outcome, When};

/// What becomes of a voucher for this buyer. What stands before the pattern does not matter:
/// `jenny.succeed_immediately@example.com` pays at once, and `jenny@example.com` after three minutes.
pub(crate) fn by_email(email: &str) -> Outcome {
    let local = email.split_once('@').map_or(email, |(local, _)| local);
    let row = PATTERNS.iter().find(|(end, _)| local.ends_with(end));
    row.map_or(PAYS_LATER, |(_, outcome)| *outcome)
}

/// What becomes of a konbini payment. The number outweighs the address, and some numbers are refused.
pub(crate) fn konbini(email: &str, confirmation_number: Option<&str>) -> Result<Outcome, Failure> {
    let Some(number) = confirmation_number else {
        return Ok(by_email(email));
    };
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !(10..=11).contains(&number.len()) || number.bytes().all(|byte| byte == b'0') {
        return Err(outcome::INVALID_CONFIRMATION_NUMBER);
    }
    if number == "01234567890" {
        return Err(outcome::REJECTED_CONFIRMATION_NUMBER);
    }
    let row = NUMBERS.iter().find(|(known, _)| *known == number);
    Ok(row.map_or_else(|| by_email(email), |(_, outcome)| *outcome))
}

const PAYS_LATER: Outcome = Outcome::Succeeds(When::AfterThreeMinutes);
const PAYS_AT_ONCE: Outcome = Outcome::Succeeds(When::AtOnce);
/// The voucher's own `expires_at` is now, whatever the seller asked for.
const EXPIRES_AT_ONCE: Outcome = Outcome::Fails(When::AtOnce, outcome::ATTEMPT_EXPIRED);
/// The voucher's own `expires_at` is in three minutes, whatever the seller asked for.
const EXPIRES_LATER: Outcome = Outcome::Fails(When::AfterThreeMinutes, outcome::ATTEMPT_EXPIRED);

/// How the part of an address before the `@` ends.
static PATTERNS: &[(&str, Outcome)] = &[
    ("succeed_immediately", PAYS_AT_ONCE),
    ("expire_immediately", EXPIRES_AT_ONCE),
    ("expire_with_delay", EXPIRES_LATER),
    ("fill_never", Outcome::ExpiresWhenDue),
];

/// Confirmation numbers of konbini payments.
static NUMBERS: &[(&str, Outcome)] = &[
    ("11111111110", PAYS_LATER),
    ("22222222220", PAYS_AT_ONCE),
    ("33333333330", EXPIRES_AT_ONCE),
    ("44444444440", EXPIRES_LATER),
    ("55555555550", Outcome::ExpiresWhenDue),
];

/// A CPF and a CNPJ that pass for a buyer's `tax_id` of a Boleto without being anybody's.
pub(crate) const BOLETO_TAX_IDS: [&str; 2] = ["000.000.000-00", "00.000.000/0000-00"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_buyers_address_decides_whatever_stands_before_it() {
        for prefix in ["", "jenny.", "a+b_"] {
            let by = |pattern: &str| by_email(&format!("{prefix}{pattern}@example.com"));
            assert_eq!(by("succeed_immediately"), PAYS_AT_ONCE);
            assert_eq!(by("expire_immediately"), EXPIRES_AT_ONCE);
            assert_eq!(by("expire_with_delay"), EXPIRES_LATER);
            assert_eq!(by("fill_never"), Outcome::ExpiresWhenDue);
        }
    }

    #[test]
    fn any_other_buyer_pays_after_three_minutes() {
        for email in [
            "jenny@example.com",
            "succeed_immediately.jenny@example.com",
            "jenny@succeed_immediately",
            "",
        ] {
            assert_eq!(by_email(email), PAYS_LATER, "{email}");
        }
        let Outcome::Succeeds(when) = PAYS_LATER else {
            panic!()
        };
        assert_eq!(when.seconds(), 180);
    }

    #[test]
    fn at_a_konbini_the_number_outweighs_the_address() {
        let email = "expire_immediately@example.com";
        assert_eq!(konbini(email, Some("22222222220")), Ok(PAYS_AT_ONCE));
        assert_eq!(konbini(email, Some("0312345678")), Ok(EXPIRES_AT_ONCE));
        assert_eq!(konbini(email, None), Ok(EXPIRES_AT_ONCE));
    }

    #[test]
    fn a_konbini_refuses_a_number_that_is_taken_or_is_none() {
        let code = |number| konbini("jenny@example.com", Some(number)).unwrap_err().code;
        assert_eq!(
            code("01234567890"),
            "payment_intent_konbini_rejected_confirmation_number"
        );
        for number in ["00000000000", "123", "123456789012", "1234567890x", ""] {
            assert_eq!(code(number), "payment_method_invalid_parameter", "{number}");
        }
    }
}
