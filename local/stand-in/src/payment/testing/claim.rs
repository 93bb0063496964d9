//! What a buyer contests once a payment has succeeded.
//!
//! The cards are on the page [Testing](https://docs.stripe.com/testing#disputes), the programmes that
//! settle disputes beforehand under its heading "Dispute prevention".

use crate::dispute::object::DisputeKind;

/// A dispute that a card opens by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) kind: ClaimKind,
    /// The dispute's `reason`.
    pub(crate) reason: &'static str,
}

/// What kind of dispute it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimKind {
    Chargeback,
    Inquiry,
    /// A chargeback that earlier undisputed payments can refute.
    VisaCompellingEvidence3,
    /// The network, not the buyer, says that the seller broke its rules.
    VisaCompliance,
    MastercardCompliance,
    /// A chargeback that Stripe's Smart Disputes can answer.
    SmartDispute,
    /// A chargeback, unless the account takes part in a programme that settles it first.
    Preventable(Prevention),
}

/// A programme that keeps a dispute from becoming a chargeback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prevention {
    VisaRapidDisputeResolution,
    /// Earlier undisputed payments refute it before it is one.
    VerifiCompellingEvidence3,
    EthocaAlert,
}

impl ClaimKind {
    /// How far the dispute goes. `enrolled`: the account has Dispute Resolution or Dispute Deflection.
    pub(crate) fn dispute(self, enrolled: bool) -> DisputeKind {
        match self {
            Self::Inquiry => DisputeKind::Inquiry,
            Self::Preventable(_) if enrolled => DisputeKind::Prevented,
            _ => DisputeKind::Chargeback,
        }
    }

    /// `payment_method_details.card.case_type` of the dispute.
    pub(crate) fn case_type(self, enrolled: bool) -> &'static str {
        match self {
            Self::Inquiry => "inquiry",
            Self::VisaCompliance | Self::MastercardCompliance => "compliance",
            Self::Preventable(Prevention::VerifiCompellingEvidence3) if enrolled => "block",
            Self::Preventable(_) if enrolled => "resolution",
            _ => "chargeback",
        }
    }

    /// What `enhanced_eligibility_types` of the dispute lists.
    pub(crate) fn enhanced_eligibility(self) -> Option<&'static str> {
        match self {
            Self::VisaCompellingEvidence3 => Some("visa_compelling_evidence_3"),
            Self::VisaCompliance => Some("visa_compliance"),
            Self::MastercardCompliance => Some("mastercard_compliance"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programme_settles_a_dispute_only_for_accounts_that_take_part() {
        let block = ClaimKind::Preventable(Prevention::VerifiCompellingEvidence3);
        let alert = ClaimKind::Preventable(Prevention::EthocaAlert);
        assert_eq!(block.dispute(true), DisputeKind::Prevented);
        assert_eq!(block.case_type(true), "block");
        assert_eq!(alert.case_type(true), "resolution");
        for kind in [block, alert, ClaimKind::Chargeback] {
            assert_eq!(kind.dispute(false), DisputeKind::Chargeback);
            assert_eq!(kind.case_type(false), "chargeback");
        }
        assert_eq!(ClaimKind::Chargeback.dispute(true), DisputeKind::Chargeback);
    }
}
