//! Why a card is refused, in the words of Stripe's API.
//!
//! Codes are those of the pages [Error codes](https://docs.stripe.com/error-codes) and
//! [Decline codes](https://docs.stripe.com/declines/codes); which card gives which is on the page
//! [Testing](https://docs.stripe.com/testing#declined-payments). Of the advice, only that for a generic
//! decline and for insufficient funds is known from charges; the rest follows what the codes mean.

/// A refusal, as a `card_error` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    /// Only where the issuer gives a reason beyond the code.
    pub(crate) decline_code: Option<&'static str>,
    pub(crate) message: &'static str,
    pub(crate) advice: Option<Advice>,
    /// What the network itself said.
    pub(crate) network_decline_code: Option<&'static str>,
    /// Which field of the card is at fault.
    pub(crate) param: Option<&'static str>,
}

/// `advice_code`: whether another try makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advice {
    ConfirmCardData,
    DoNotTryAgain,
    TryAgainLater,
}

impl Advice {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ConfirmCardData => "confirm_card_data",
            Self::DoNotTryAgain => "do_not_try_again",
            Self::TryAgainLater => "try_again_later",
        }
    }
}

impl Decline {
    /// A `card_declined` for this reason. Issuers that do not say more leave it at this message.
    const fn card(decline_code: &'static str, advice: Advice) -> Self {
        Self {
            code: "card_declined",
            decline_code: Some(decline_code),
            message: "Your card was declined.",
            advice: Some(advice),
            network_decline_code: None,
            param: None,
        }
    }

    const fn error(code: &'static str, message: &'static str) -> Self {
        Self {
            code,
            decline_code: None,
            message,
            advice: None,
            network_decline_code: None,
            param: None,
        }
    }

    const fn saying(self, message: &'static str) -> Self {
        Self { message, ..self }
    }

    const fn advising(self, advice: Advice) -> Self {
        Self {
            advice: Some(advice),
            ..self
        }
    }

    const fn about(self, param: &'static str) -> Self {
        Self {
            param: Some(param),
            ..self
        }
    }
}

pub(crate) const GENERIC: Decline = Decline {
    network_decline_code: Some("01"),
    ..Decline::card("generic_decline", Advice::TryAgainLater)
};
pub(crate) const INSUFFICIENT_FUNDS: Decline =
    Decline::card("insufficient_funds", Advice::TryAgainLater)
        .saying("Your card has insufficient funds.");
/// Buyers are not told that a card was reported: whoever holds it may not be its owner.
pub(crate) const LOST_CARD: Decline = Decline::card("lost_card", Advice::DoNotTryAgain);
/// As [`LOST_CARD`].
pub(crate) const STOLEN_CARD: Decline = Decline::card("stolen_card", Advice::DoNotTryAgain);
pub(crate) const VELOCITY_EXCEEDED: Decline = Decline::card(
    "card_velocity_exceeded",
    Advice::TryAgainLater,
)
.saying(
    "Your card was declined for making repeated attempts too frequently or exceeding its amount \
         limit.",
);
pub(crate) const EXPIRED_CARD: Decline = Decline::error("expired_card", "Your card has expired.")
    .advising(Advice::DoNotTryAgain)
    .about("exp_month");
pub(crate) const INCORRECT_CVC: Decline =
    Decline::error("incorrect_cvc", "Your card's security code is incorrect.")
        .advising(Advice::ConfirmCardData)
        .about("cvc");
pub(crate) const PROCESSING_ERROR: Decline = Decline::error(
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
.advising(Advice::TryAgainLater);
/// What Radar's blocks look like to the buyer.
pub(crate) const FRAUDULENT: Decline = Decline {
    advice: None,
    ..Decline::card("fraudulent", Advice::DoNotTryAgain)
};
pub(crate) const INCORRECT_ZIP: Decline = Decline::error(
    "incorrect_zip",
    "The zip code you supplied failed validation.",
)
.advising(Advice::ConfirmCardData)
.about("address_zip");
/// The issuer wants to see the buyer, who is not there.
pub(crate) const AUTHENTICATION_REQUIRED: Decline = Decline {
    code: "authentication_required",
    advice: None,
    ..Decline::card("authentication_required", Advice::TryAgainLater)
}
.saying("Your card was declined. This transaction requires authentication.");

/// A number that is no test card's. It may be somebody's own, so it must never be charged or kept.
pub(crate) const TEST_MODE_LIVE_CARD: Decline = Decline {
    advice: None,
    ..Decline::card("test_mode_live_card", Advice::ConfirmCardData)
}
.saying(
    "Your card was declined. Your request was in test mode, but used a non test (live) card. For a \
     list of valid test cards, visit: https://stripe.com/docs/testing.",
);
pub(crate) const INCORRECT_NUMBER: Decline =
    Decline::error("incorrect_number", "Your card number is incorrect.").about("number");
pub(crate) const INVALID_NUMBER: Decline = Decline::error(
    "invalid_number",
    "The card number is not a valid credit card number.",
)
.about("number");
pub(crate) const INVALID_EXPIRY_MONTH: Decline = Decline::error(
    "invalid_expiry_month",
    "Your card's expiration month is invalid.",
)
.about("exp_month");
pub(crate) const INVALID_EXPIRY_YEAR: Decline = Decline::error(
    "invalid_expiry_year",
    "Your card's expiration year is invalid.",
)
.about("exp_year");
pub(crate) const INVALID_CVC: Decline =
    Decline::error("invalid_cvc", "Your card's security code is invalid.").about("cvc");

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Those of the page "Error codes" that are about a card.
    const CODES: &[&str] = &[
        "authentication_required",
        "card_declined",
        "expired_card",
        "incorrect_cvc",
        "incorrect_number",
        "incorrect_zip",
        "invalid_cvc",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "invalid_number",
        "processing_error",
    ];

    /// Those of the page "Decline codes" that a test card can give.
    const DECLINE_CODES: &[&str] = &[
        "authentication_required",
        "card_velocity_exceeded",
        "fraudulent",
        "generic_decline",
        "insufficient_funds",
        "lost_card",
        "stolen_card",
        "test_mode_live_card",
    ];

    /// Whether Stripe's pages have these codes.
    pub(crate) fn is_known(decline: &Decline) -> bool {
        CODES.contains(&decline.code)
            && decline
                .decline_code
                .is_none_or(|code| DECLINE_CODES.contains(&code))
    }

    #[test]
    fn a_refusal_before_the_issuer_is_asked_has_codes_of_stripe_too() {
        for decline in [
            TEST_MODE_LIVE_CARD,
            INCORRECT_NUMBER,
            INVALID_NUMBER,
            INVALID_EXPIRY_MONTH,
            INVALID_EXPIRY_YEAR,
            INVALID_CVC,
            INCORRECT_ZIP,
            AUTHENTICATION_REQUIRED,
            FRAUDULENT,
        ] {
            assert!(is_known(&decline), "{decline:?}");
        }
    }
}
