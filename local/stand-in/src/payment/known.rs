//! What the stand-in knows of a test card, by its number or by one of the names of the payment
//! methods and tokens that stand for it.

use crate::dispute::object::DisputeKind;
use crate::payment::card::Refunds;
use crate::payment::decline::Decline;
use crate::payment::verdict::{
    After, Check, Checks, Claim, Enrollment, Issuer, Nature, Risk, RiskLevel,
};

/// A test card.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) brand: &'static str,
    pub(crate) display_brand: &'static str,
    pub(crate) network: &'static str,
    pub(crate) networks: Vec<&'static str>,
    pub(crate) country: &'static str,
    pub(crate) funding: &'static str,
    pub(crate) refunds: Refunds,
    pub(crate) nature: Nature,
}

impl Default for Known {
    fn default() -> Self {
        Self::of("visa")
    }
}

impl Known {
    fn of(brand: &'static str) -> Self {
        Self {
            brand,
            display_brand: match brand {
                "amex" => "american_express",
                "diners" => "diners_club",
                "unionpay" => "union_pay",
                _ => brand,
            },
            network: brand,
            networks: vec![brand],
            country: "US",
            funding: "credit",
            refunds: Refunds::Succeed,
            nature: Nature {
                issuer: Issuer::Approves,
                enrollment: match brand {
                    "amex" => Enrollment::NotSupported,
                    _ => Enrollment::Supported,
                },
                risk: Risk::normal(),
                blocked: false,
                checks: Checks::PASS,
                after: After::default(),
            },
        }
    }

    /// The brand as sources have it.
    pub(crate) fn legacy_brand(&self) -> &'static str {
        match self.brand {
            "visa" => "Visa",
            "mastercard" => "MasterCard",
            "amex" => "American Express",
            "discover" => "Discover",
            "diners" => "Diners Club",
            "jcb" => "JCB",
            "unionpay" => "UnionPay",
            _ => "Unknown",
        }
    }

    fn enrolled(mut self, enrollment: Enrollment) -> Self {
        self.nature.enrollment = enrollment;
        self
    }

    fn refunds(mut self, refunds: Refunds) -> Self {
        self.refunds = refunds;
        self
    }

    fn declines(mut self, code: &str, decline_code: Option<&str>, message: &str) -> Self {
        self.nature.issuer = Issuer::Declines(Decline::new(code, decline_code, message));
        self
    }

    fn claims(mut self, kind: DisputeKind, reason: &'static str) -> Self {
        self.nature.after.claims.push(Claim { kind, reason });
        self
    }
}

/// The card with this number.
pub(crate) fn by_number(number: &str) -> Option<Known> {
    let visa = || Known::of("visa");
    Some(match number {
        "4242424242424242" | "4000056655665556" => visa(),
        "5555555555554444" | "2223003122003222" => Known::of("mastercard"),
        "378282246310005" => Known::of("amex"),
        "6011111111111117" => Known::of("discover"),
        "4000000000007726" => visa().refunds(Refunds::SucceedLater),
        "4000000000005126" => visa().refunds(Refunds::FailLater),
        "4000000000000259" => visa().claims(DisputeKind::Chargeback, "fraudulent"),
        "4000000000002685" => visa().claims(DisputeKind::Chargeback, "product_not_received"),
        "4000000000001976" => visa().claims(DisputeKind::Inquiry, "fraudulent"),
        "4000000000005423" => {
            let mut card = visa();
            card.nature.after.warned = Some("made_with_stolen_card");
            card
        }
        "4000000000000077" => {
            let mut card = visa();
            card.nature.after.bypasses_pending = true;
            card
        }
        "4000000000009235" => {
            let mut card = visa();
            card.nature.risk.level = RiskLevel::Elevated;
            card.nature.risk.score = 65;
            card.nature.after.reviewed = true;
            card
        }
        "4100000000000019" => {
            let mut card = visa();
            card.nature.risk.level = RiskLevel::Highest;
            card.nature.risk.score = 90;
            card.nature.blocked = true;
            card
        }
        "4000000000000101" => {
            let mut card = visa();
            card.nature.checks.cvc = Check::Fail;
            card
        }
        "4000002500003155" => visa().enrolled(Enrollment::RequiredUnlessSetUp),
        "4000002760003184" | "4000000000003220" => visa().enrolled(Enrollment::Required),
        "4000003800000446" => visa().enrolled(Enrollment::AlreadySetUp),
        "4000008260003178" => visa().enrolled(Enrollment::Required).declines(
            "card_declined",
            Some("insufficient_funds"),
            "Your card has insufficient funds.",
        ),
        "4000000032200000" => visa().enrolled(Enrollment::Frictionless),
        "4000000000000002" => visa().declines(
            "card_declined",
            Some("generic_decline"),
            "Your card was declined.",
        ),
        "4000000000009995" => visa().declines(
            "card_declined",
            Some("insufficient_funds"),
            "Your card has insufficient funds.",
        ),
        "4000000000009987" => visa().declines(
            "card_declined",
            Some("lost_card"),
            "Your card was declined.",
        ),
        "4000000000000069" => visa().declines("expired_card", None, "Your card has expired."),
        "4000000000000127" => visa().declines(
            "incorrect_cvc",
            None,
            "Your card's security code is incorrect.",
        ),
        "4000000000000119" => visa().declines(
            "processing_error",
            None,
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        "4000000000000341" => {
            let mut card = visa();
            let decline = Decline::new(
                "card_declined",
                Some("generic_decline"),
                "Your card was declined.",
            );
            card.nature.issuer = Issuer::DeclinesWhenKept(decline);
            card
        }
        _ => return None,
    })
}

/// The number behind a name such as `pm_card_visa` or `tok_visa`.
pub(crate) fn by_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "pm_card_visa" | "tok_visa" => "4242424242424242",
        "pm_card_mastercard" | "tok_mastercard" => "5555555555554444",
        "pm_card_amex" | "tok_amex" => "378282246310005",
        "pm_card_chargeDeclined" | "pm_card_visa_chargeDeclined" | "tok_chargeDeclined" => {
            "4000000000000002"
        }
        "pm_card_authenticationRequired" => "4000002500003155",
        "pm_card_bypassPending" => "4000000000000077",
        "pm_card_createDispute" => "4000000000000259",
        "pm_card_createDisputeInquiry" => "4000000000001976",
        "pm_card_radarBlock" => "4100000000000019",
        "pm_card_chargeCustomerFail" | "tok_chargeCustomerFail" => "4000000000000341",
        _ => return None,
    })
}
