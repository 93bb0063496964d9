//! Test cards: which numbers there are, what becomes of each, and what is wrong with what was typed.
//!
//! The numbers are those of Stripe's page "Test card numbers".

use time::OffsetDateTime;

use crate::dispute::object::DisputeKind;
use crate::engine::time::Timestamp;
use crate::payment::card::{Card, Decline, Refunds};

/// What an issuer answers: the money, and perhaps a dispute about it soon after, or a refusal.
pub(crate) type Verdict = Result<Option<Claim>, Decline>;

/// What a buyer contests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) kind: DisputeKind,
    pub(crate) reason: &'static str,
}

/// What was typed that no card could be, and in which field.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistyped {
    pub(crate) field: &'static str,
    pub(crate) message: &'static str,
}

/// Reads a typed card. `Ok` holds the issuer's answer too, which only a charge may reveal.
pub(crate) fn read(
    number: &str,
    expiry: &str,
    cvc: &str,
    now: Timestamp,
) -> Result<(Card, Verdict), Mistyped> {
    let wrong = |field, message| Err(Mistyped { field, message });
    let number: String = number
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .collect();
    if number.is_empty() {
        return wrong("card_number", "Enter a card number.");
    }
    if !(12..=19).contains(&number.len()) || !passes_luhn(&number) {
        return wrong("card_number", "Your card number is invalid.");
    }
    let Some((exp_month, exp_year)) = read_expiry(expiry) else {
        return wrong(
            "exp",
            "Your card's expiration date is incomplete: write it as MM / YY.",
        );
    };
    if has_passed(exp_month, exp_year, now) {
        return wrong("exp", "Your card's expiration date is in the past.");
    }
    let Some((brand, refunds, verdict)) = issuer(&number) else {
        return wrong(
            "card_number",
            "That is not a test card. Nothing is ever charged here, so use one of those below.",
        );
    };
    let digits = if brand == "amex" { 4 } else { 3 };
    let cvc = cvc.trim();
    if cvc.len() != digits || !cvc.bytes().all(|byte| byte.is_ascii_digit()) {
        return wrong("cvc", "Your card's security code is incomplete.");
    }
    let last4 = number
        .get(number.len().saturating_sub(4)..)
        .unwrap_or_default()
        .to_owned();
    Ok((
        Card {
            brand: brand.to_owned(),
            last4,
            exp_month,
            exp_year,
            refunds,
        },
        verdict,
    ))
}

/// Stripe's test cards: brand, what becomes of refunds, and what their issuer says.
fn issuer(number: &str) -> Option<(&'static str, Refunds, Verdict)> {
    let pays = |brand| Some((brand, Refunds::Succeed, Ok(None)));
    let refunds = |refunds| Some(("visa", refunds, Ok(None)));
    let disputes = |kind, reason| {
        let claim = Claim { kind, reason };
        Some(("visa", Refunds::Succeed, Ok(Some(claim))))
    };
    let declined = |code, decline_code, message| {
        let decline = Decline::new(code, decline_code, message);
        Some(("visa", Refunds::Succeed, Err(decline)))
    };
    match number {
        "4242424242424242" | "4000056655665556" => pays("visa"),
        "5555555555554444" | "2223003122003222" => pays("mastercard"),
        "378282246310005" => pays("amex"),
        "6011111111111117" => pays("discover"),
        "4000000000007726" => refunds(Refunds::SucceedLater),
        "4000000000005126" => refunds(Refunds::FailLater),
        "4000000000000259" => disputes(DisputeKind::Chargeback, "fraudulent"),
        "4000000000002685" => disputes(DisputeKind::Chargeback, "product_not_received"),
        "4000000000001976" => disputes(DisputeKind::Inquiry, "fraudulent"),
        "4000000000000002" => declined(
            "card_declined",
            Some("generic_decline"),
            "Your card was declined.",
        ),
        "4000000000009995" => declined(
            "card_declined",
            Some("insufficient_funds"),
            "Your card has insufficient funds.",
        ),
        "4000000000009987" => declined(
            "card_declined",
            Some("lost_card"),
            "Your card was declined.",
        ),
        "4000000000000069" => declined("expired_card", None, "Your card has expired."),
        "4000000000000127" => declined(
            "incorrect_cvc",
            None,
            "Your card's security code is incorrect.",
        ),
        "4000000000000119" => declined(
            "processing_error",
            None,
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        _ => None,
    }
}

/// Cards worth showing to whoever tests, by what becomes of the payment.
pub(crate) const HINTS: &[Group] = &[
    Group {
        name: "Pays",
        cards: &[
            ("4242 4242 4242 4242", "Visa"),
            ("5555 5555 5555 4444", "Mastercard"),
        ],
    },
    Group {
        name: "Is declined",
        cards: &[
            ("4000 0000 0000 0002", "without a reason"),
            ("4000 0000 0000 9995", "for lack of funds"),
        ],
    },
    Group {
        name: "Pays, and is disputed",
        cards: &[
            ("4000 0000 0000 0259", "as fraudulent"),
            ("4000 0000 0000 2685", "as not received"),
            ("4000 0000 0000 1976", "by an inquiry"),
        ],
    },
    Group {
        name: "Pays, and its refunds",
        cards: &[
            ("4000 0000 0000 7726", "wait at first"),
            ("4000 0000 0000 5126", "fail after a while"),
        ],
    },
];

/// Cards with which payments go alike.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// Number, and how this one differs.
    pub(crate) cards: &'static [(&'static str, &'static str)],
}

fn passes_luhn(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number.chars().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits else { return false };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(
            |(place, digit)| match (place % 2, digit.saturating_mul(2)) {
                (0, _) => *digit,
                (_, doubled) if doubled > 9 => doubled.saturating_sub(9),
                (_, doubled) => doubled,
            },
        )
        .sum();
    sum.is_multiple_of(10)
}

/// `12/34`, `12 / 2034` or `1234`: month and full year.
fn read_expiry(typed: &str) -> Option<(u8, i32)> {
    let digits: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '/')
        .collect();
    let (month, year) = match digits.len() {
        4 | 6 => digits.split_at_checked(2)?,
        _ => return None,
    };
    let month: u8 = month
        .parse()
        .ok()
        .filter(|month| (1..=12).contains(month))?;
    let century = if year.len() == 2 { 2000 } else { 0 };
    let year = year.parse::<i32>().ok()?.checked_add(century)?;
    Some((month, year))
}

/// A card is good until its month is over.
fn has_passed(month: u8, year: i32, now: Timestamp) -> bool {
    let Ok(now) = OffsetDateTime::from_unix_timestamp(now) else {
        return true;
    };
    (year, month) < (now.year(), u8::from(now.month()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-11-24.
    const NOW: Timestamp = 1_764_000_000;

    fn field(number: &str, expiry: &str, cvc: &str) -> &'static str {
        read(number, expiry, cvc, NOW).unwrap_err().field
    }

    #[test]
    fn a_test_card_is_read_however_it_is_spaced() {
        let (card, verdict) = read("4242 4242-4242 4242", " 12 / 34", " 123 ", NOW).unwrap();
        assert_eq!(
            (card.last4.as_str(), card.exp_month, card.exp_year),
            ("4242", 12, 2034)
        );
        assert_eq!(verdict, Ok(None));
        let (amex, _) = read("378282246310005", "012031", "1234", NOW).unwrap();
        assert_eq!((amex.exp_month, amex.exp_year), (1, 2031));
    }

    #[test]
    fn each_declined_card_says_why() {
        let why = |number| read(number, "12/34", "123", NOW).unwrap().1.unwrap_err();
        assert_eq!(
            why("4000000000000002").decline_code.as_deref(),
            Some("generic_decline")
        );
        assert_eq!(
            why("4000000000009995").decline_code.as_deref(),
            Some("insufficient_funds")
        );
        assert_eq!(why("4000000000000069").code, "expired_card");
    }

    #[test]
    fn every_card_shown_is_one() {
        for (number, _) in HINTS.iter().flat_map(|group| group.cards) {
            assert!(read(number, "12/34", "123", NOW).is_ok(), "{number}");
        }
    }

    #[test]
    fn what_no_card_could_be_is_named_by_its_field() {
        for number in [
            "",
            "4242424242424241",
            "4242",
            "4242 4242 4242 424x",
            "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        ] {
            assert_eq!(field(number, "12/34", "123"), "card_number", "{number}");
        }
        for expiry in [
            "", "13/34", "00/34", "12", "1/34", "10/25", "12/2024", "ab/cd", "é1/3",
        ] {
            assert_eq!(field("4242424242424242", expiry, "123"), "exp", "{expiry}");
        }
        for cvc in ["", "12", "1234", "abc"] {
            assert_eq!(field("4242424242424242", "12/34", cvc), "cvc", "{cvc}");
        }
        assert_eq!(field("378282246310005", "12/34", "123"), "cvc");
    }

    #[test]
    fn a_card_is_good_through_its_last_month() {
        assert!(read("4242424242424242", "11/25", "123", NOW).is_ok());
        assert_eq!(field("4242424242424242", "10/25", "123"), "exp");
    }

    #[test]
    fn a_number_that_is_no_test_card_is_not_charged() {
        assert_eq!(field("4111111111111111", "12/34", "123"), "card_number");
    }
}
