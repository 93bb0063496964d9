//! What an issuer finds out about what the buyer typed besides the number.
//!
//! The cards are on the page [Testing](https://docs.stripe.com/testing#fraud-prevention).

/// The result of a check, as `checks` of a card has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    Pass,
    Fail,
    /// The issuer does not check this.
    Unavailable,
    /// Nobody has asked the issuer yet.
    Unchecked,
}

impl Check {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unavailable => "unavailable",
            Self::Unchecked => "unchecked",
        }
    }
}

/// How a card's checks go, if there is something to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checks {
    pub(crate) cvc: Check,
    pub(crate) postal_code: Check,
    pub(crate) line1: Check,
}

/// What the buyer has typed besides the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) cvc: bool,
    pub(crate) postal_code: bool,
    pub(crate) line1: bool,
}

/// `checks` of a card: null where nothing was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CheckResults {
    pub(crate) cvc: Option<Check>,
    pub(crate) postal_code: Option<Check>,
    pub(crate) line1: Option<Check>,
}

impl Checks {
    pub(crate) const PASS: Self = Self {
        cvc: Check::Pass,
        postal_code: Check::Pass,
        line1: Check::Pass,
    };

    /// The results, once the issuer has been asked: with a charge, or when a customer keeps the card.
    pub(crate) fn results(self, given: Given) -> CheckResults {
        CheckResults {
            cvc: given.cvc.then_some(self.cvc),
            postal_code: given.postal_code.then_some(self.postal_code),
            line1: given.line1.then_some(self.line1),
        }
    }
}

impl CheckResults {
    /// Those of a payment method that is neither charged nor kept yet.
    pub(crate) fn before_asking(given: Given) -> Self {
        let unchecked = Checks {
            cvc: Check::Unchecked,
            postal_code: Check::Unchecked,
            line1: Check::Unchecked,
        };
        unchecked.results(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_given_can_neither_pass_nor_fail() {
        let fails = Checks {
            cvc: Check::Fail,
            postal_code: Check::Unavailable,
            line1: Check::Fail,
        };
        let given = Given {
            cvc: false,
            postal_code: true,
            line1: false,
        };
        let results = fails.results(given);
        assert_eq!(
            (results.cvc, results.postal_code, results.line1),
            (None, Some(Check::Unavailable), None)
        );
        assert_eq!(
            CheckResults::before_asking(given).postal_code,
            Some(Check::Unchecked)
        );
    }
}
