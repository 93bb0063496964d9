//! Test cards on the payment page: what is wrong with what was typed, and which are worth trying.

use std::borrow::Cow;

use crate::engine::time::Timestamp;
use crate::payment::card::Card;
use crate::payment::typed::TypedCard;

/// What was typed that no card could be, and in which field.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistyped {
    pub(crate) field: &'static str,
    pub(crate) message: Cow<'static, str>,
}

/// Reads a typed card.
pub(crate) fn read(
    number: &str,
    expiry: &str,
    cvc: &str,
    now: Timestamp,
) -> Result<Card, Mistyped> {
    let wrong = |field, message: &'static str| {
        let message = Cow::Borrowed(message);
        Err(Mistyped { field, message })
    };
    if number.trim().is_empty() {
        return wrong("card_number", "Enter a card number.");
    }
    // A number is looked at first, whatever else is missing.
    let (exp_month, exp_year) = read_expiry(expiry).unwrap_or((0, 0));
    let typed = TypedCard {
        number: number.to_owned(),
        exp_month: exp_month.into(),
        exp_year: exp_year.into(),
        cvc: Some(cvc.trim().to_owned()),
    };
    typed.check(now).or_else(|decline| match decline.code {
        "invalid_number" | "incorrect_number" => {
            wrong("card_number", "Your card number is invalid.")
        }
        _ if exp_month == 0 => wrong(
            "exp",
            "Your card's expiration date is incomplete: write it as MM / YY.",
        ),
        "invalid_expiry_month" | "invalid_expiry_year" => {
            wrong("exp", "Your card's expiration date is in the past.")
        }
        "invalid_cvc" => wrong("cvc", "Your card's security code is incomplete."),
        _ => wrong(
            "card_number",
            "That is not a test card. Nothing is ever charged here, so use one of those below.",
        ),
    })
}

/// Cards worth showing to whoever tests, by what becomes of the payment.
const HINTS: &[Group] = &[
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
        name: "Asks for 3D Secure",
        cards: &[
            ("4000 0000 0000 3220", "always"),
            ("4000 0082 6000 3178", "then declined: insufficient funds"),
        ],
    },
    Group {
        name: "Radar",
        cards: &[
            ("4100 0000 0000 0019", "is blocked"),
            ("4000 0000 0000 9235", "pays, and is reviewed"),
            ("4000 0000 0000 5423", "pays, then an early fraud warning"),
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
        name: "Pays; refunds",
        cards: &[
            ("4000 0000 0000 7726", "stay pending at first"),
            ("4000 0000 0000 5126", "fail after a while"),
        ],
    },
];

/// The card worth showing where one is kept for later payments, as in a trial.
const KEPT: &[Group] = &[Group {
    name: "Is kept",
    cards: &[("4000 0000 0000 0341", "but payments with it are declined")],
}];

/// Cards worth showing, where a card is kept for later payments or where it is not.
pub(crate) fn hints(keeps: bool) -> impl Iterator<Item = &'static Group> {
    let kept = if keeps { KEPT } else { &[] };
    HINTS.iter().chain(kept)
}

/// Cards with which payments go alike.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// Number, and how this one differs.
    pub(crate) cards: &'static [(&'static str, &'static str)],
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
        let card = read("4242 4242-4242 4242", " 12 / 34", " 123 ", NOW).unwrap();
        assert_eq!(
            (card.test.last4(), card.exp_month, card.exp_year),
            ("4242", 12, 2034)
        );
        let amex = read("378282246310005", "012031", "1234", NOW).unwrap();
        assert_eq!((amex.exp_month, amex.exp_year), (1, 2031));
    }

    #[test]
    fn every_card_shown_is_one() {
        for (number, _) in hints(true).flat_map(|group| group.cards) {
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
