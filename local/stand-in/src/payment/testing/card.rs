//! A test card, and what becomes of it.

use serde::{Deserialize, Serialize};

use crate::payment::testing::brand::{Brand, Cobrand, Funding};
use crate::payment::testing::checks::Checks;
use crate::payment::testing::claim::Claim;
use crate::payment::testing::decline::Decline;
use crate::payment::testing::radar::Risk;
use crate::payment::testing::three_d_secure::Enrollment;

/// One of Stripe's test cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TestCard {
    /// Digits alone.
    pub(crate) number: &'static str,
    pub(crate) brand: Brand,
    pub(crate) cobrand: Option<Cobrand>,
    pub(crate) funding: Funding,
    /// Where its issuer is, in two letters.
    pub(crate) country: &'static str,
    pub(crate) issuer: Issuer,
    pub(crate) risk: Risk,
    pub(crate) checks: Checks,
    pub(crate) enrollment: Enrollment,
    /// The payment page asks a captcha before it lets this card through.
    pub(crate) captcha: bool,
}

/// What a card's issuer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Issuer {
    Approves(Afterwards),
    /// Customers cannot even keep the card.
    Declines(Decline),
    /// Customers can keep the card, and no payment with it succeeds.
    DeclinesPayments(Decline),
    /// Customers can keep the card, and no payment with it succeeds that is theirs: with the card as they
    /// keep it, or by which they would keep it.
    DeclinesCustomers(Decline),
}

/// What comes of a payment that has succeeded. No test card has two of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    Nothing,
    /// The buyer contests it, as often as this says.
    Disputed(&'static [Claim]),
    /// The network warns of fraud: `fraud_type` of the early fraud warning.
    Warned(&'static str),
    /// Its refunds take their time.
    Refunds(Refunds),
    /// The money is available at once, not after days.
    BypassesPending,
}

/// How a card's refunds go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refunds {
    /// They succeed at once.
    #[default]
    Succeed,
    /// They are pending for a while, and succeed then.
    SucceedLater,
    /// They succeed at first, and fail after a while.
    FailLater,
}

impl Afterwards {
    pub(crate) fn claims(self) -> &'static [Claim] {
        match self {
            Self::Disputed(claims) => claims,
            _ => &[],
        }
    }

    pub(crate) fn refunds(self) -> Refunds {
        match self {
            Self::Refunds(refunds) => refunds,
            _ => Refunds::Succeed,
        }
    }
}

/// What an issuer is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// May a customer keep this card?
    Keep,
    /// May it be charged?
    Charge {
        /// A customer keeps it, or does from this payment on.
        kept: bool,
    },
}

impl TestCard {
    /// What its issuer answers, once 3D Secure and Radar have let the question through.
    pub(crate) fn answer(&self, question: Question) -> Result<Afterwards, Decline> {
        match (self.issuer, question) {
            (Issuer::Approves(afterwards), _) => Ok(afterwards),
            (Issuer::Declines(decline), _)
            | (Issuer::DeclinesPayments(decline), Question::Charge { .. })
            | (Issuer::DeclinesCustomers(decline), Question::Charge { kept: true }) => Err(decline),
            (Issuer::DeclinesPayments(_) | Issuer::DeclinesCustomers(_), _) => {
                Ok(Afterwards::Nothing)
            }
        }
    }

    pub(crate) fn last4(&self) -> &'static str {
        let from = self.number.len().saturating_sub(4);
        self.number.get(from..).unwrap_or_default()
    }

    /// `networks.available` of a payment method: the domestic network first, as Stripe prefers it.
    pub(crate) fn networks(&self) -> Vec<&'static str> {
        let domestic = self.cobrand.map(Cobrand::as_str);
        domestic.into_iter().chain([self.brand.as_str()]).collect()
    }

    /// `display_brand` of a payment method; `preferred` is its `networks.preferred`.
    pub(crate) fn display_brand(&self, preferred: Option<&str>) -> &'static str {
        match self.cobrand {
            Some(cobrand) if preferred == Some(cobrand.as_str()) => cobrand.displayed(),
            _ => self.brand.displayed(),
        }
    }
}

/// When a card expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) month: u8,
    pub(crate) year: i32,
}

impl Expiry {
    /// That of a card that stands behind a name such as `pm_card_visa`: August of next year.
    pub(crate) fn of_named(this_year: i32) -> Self {
        Self {
            month: 8,
            year: this_year.saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::testing::cards::by_number;

    fn card(number: &str) -> &'static TestCard {
        by_number(number).unwrap()
    }

    const KEPT: Question = Question::Charge { kept: true };
    const TYPED: Question = Question::Charge { kept: false };

    #[test]
    fn a_customer_cannot_keep_a_card_that_its_issuer_declines() {
        let declined = card("4000000000009995");
        for question in [Question::Keep, KEPT, TYPED] {
            assert!(declined.answer(question).is_err(), "{question:?}");
        }
    }

    #[test]
    fn a_card_may_be_declined_only_once_a_customer_keeps_it() {
        let fickle = card("4000000000000341");
        assert!(fickle.answer(TYPED).is_ok());
        assert!(fickle.answer(Question::Keep).is_ok());
        assert_eq!(
            fickle.answer(KEPT).unwrap_err().decline_code,
            Some("generic_decline")
        );
    }

    #[test]
    fn a_card_without_funds_can_be_set_up_and_still_not_be_charged() {
        let poor = card("4000008260003178");
        assert!(poor.answer(Question::Keep).is_ok());
        for question in [KEPT, TYPED] {
            assert_eq!(
                poor.answer(question).unwrap_err().decline_code,
                Some("insufficient_funds")
            );
        }
    }

    #[test]
    fn a_cobranded_card_is_shown_under_the_brand_that_its_owner_prefers() {
        let french = card("4000002500001001");
        assert_eq!(french.networks(), ["cartes_bancaires", "visa"]);
        assert_eq!(french.display_brand(None), "visa");
        assert_eq!(
            french.display_brand(Some("cartes_bancaires")),
            "cartes_bancaires"
        );
        let australian = card("4000050360000001");
        assert_eq!(
            australian.display_brand(Some("eftpos_au")),
            "eftpos_australia"
        );
        assert_eq!(
            card("4242424242424242").display_brand(Some("cartes_bancaires")),
            "visa"
        );
        assert_eq!(
            card("378282246310005").display_brand(None),
            "american_express"
        );
    }

    #[test]
    fn a_named_card_is_good_until_august_of_next_year() {
        let expiry = Expiry::of_named(2026);
        assert_eq!((expiry.month, expiry.year), (8, 2027));
        assert_eq!(card("4242 4242 4242 4242").last4(), "4242");
    }
}
