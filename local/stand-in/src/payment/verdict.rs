//! What becomes of a card's payment: a pure function of the card and the circumstances. The numbers
//! of the test cards decide, as on Stripe's page "Testing".

use serde::{Deserialize, Serialize};

use crate::dispute::object::DisputeKind;
use crate::payment::decline::Decline;

/// What a test card does when it is charged.
#[derive(Debug, Clone)]
pub(crate) struct Nature {
    pub(crate) issuer: Issuer,
    pub(crate) enrollment: Enrollment,
    pub(crate) risk: Risk,
    /// Radar lets none of its payments through.
    pub(crate) blocked: bool,
    pub(crate) checks: Checks,
    pub(crate) after: After,
}

/// What a card's issuer says to a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Issuer {
    Approves,
    Declines(Decline),
    /// It lets a customer keep the card, and declines every payment with it then.
    DeclinesWhenKept(Decline),
}

/// What a card's issuer knows of 3D Secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Enrollment {
    NotSupported,
    /// The buyer is challenged only if the shop asks for it.
    Supported,
    /// Whoever asks is told that all is well, and the buyer sees nothing.
    Frictionless,
    /// The issuer wants a proof, whatever was set up.
    Required,
    /// Payments in the buyer's absence need no proof once they were set up with one.
    RequiredUnlessSetUp,
    /// Payments in the buyer's absence need no proof.
    AlreadySetUp,
}

/// What the issuer finds out about what the buyer has typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checks {
    pub(crate) cvc: Check,
    pub(crate) postal_code: Check,
    pub(crate) line1: Check,
}

/// The result of a check, in Stripe's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Check {
    Pass,
    Fail,
    Unavailable,
    Unchecked,
}

/// What the buyer has typed besides the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) cvc: bool,
    pub(crate) postal_code: bool,
    pub(crate) line1: bool,
}

/// What Radar thinks of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Risk {
    pub(crate) level: RiskLevel,
    /// Of 100.
    pub(crate) score: u8,
    /// The rule that has decided, if one has.
    pub(crate) rule: Option<String>,
}

/// Stripe's levels of risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RiskLevel {
    Normal,
    Elevated,
    Highest,
}

impl Risk {
    pub(crate) fn normal() -> Self {
        Self {
            level: RiskLevel::Normal,
            score: 24,
            rule: None,
        }
    }

    /// Stripe's word for why Radar has acted.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        match (self.level, &self.rule) {
            (RiskLevel::Highest, _) => Some("highest_risk_level"),
            (RiskLevel::Elevated, _) => Some("elevated_risk_level"),
            (RiskLevel::Normal, Some(_)) => Some("rule"),
            (RiskLevel::Normal, None) => None,
        }
    }
}

/// What comes of a payment that succeeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct After {
    pub(crate) claims: Vec<Claim>,
    /// The network's type of fraud, if it warns.
    pub(crate) warned: Option<&'static str>,
    /// Somebody is to look at it.
    pub(crate) reviewed: bool,
    /// The money is available at once.
    pub(crate) bypasses_pending: bool,
}

/// What a buyer contests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) kind: DisputeKind,
    pub(crate) reason: &'static str,
}

/// Whether the shop asks for 3D Secure, in Stripe's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    #[default]
    Automatic,
    Any,
    Challenge,
}

/// Under what circumstances a card is charged, or set up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Circumstances {
    /// The buyer is not there.
    pub(crate) off_session: bool,
    /// The buyer has proved who they are, for this very payment.
    pub(crate) authenticated: bool,
    pub(crate) request: Request,
    /// The card is to be charged later in the buyer's absence.
    pub(crate) saves: bool,
    /// A customer has kept it.
    pub(crate) kept: bool,
    /// The buyer has agreed to payments in their absence.
    pub(crate) set_up: bool,
}

/// What 3D Secure has shown, as a charge shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ThreeDSecure {
    pub(crate) authentication_flow: Option<String>,
    pub(crate) electronic_commerce_indicator: Option<String>,
    pub(crate) exemption_indicator: Option<String>,
    pub(crate) result: Option<String>,
    pub(crate) result_reason: Option<String>,
    pub(crate) transaction_id: Option<String>,
    pub(crate) version: Option<String>,
}

impl ThreeDSecure {
    fn authenticated(flow: &str) -> Self {
        Self {
            authentication_flow: Some(flow.to_owned()),
            electronic_commerce_indicator: Some("05".to_owned()),
            exemption_indicator: None,
            result: Some("authenticated".to_owned()),
            result_reason: None,
            transaction_id: None,
            version: Some("2.2.0".to_owned()),
        }
    }

    fn not_supported() -> Self {
        Self {
            authentication_flow: None,
            electronic_commerce_indicator: None,
            exemption_indicator: None,
            result: Some("not_supported".to_owned()),
            result_reason: Some("card_not_enrolled".to_owned()),
            transaction_id: None,
            version: None,
        }
    }
}

/// What becomes of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The buyer has to prove first who they are.
    Challenge,
    Approved(Approval),
    Declined(Decline, Risk, Option<ThreeDSecure>),
    Blocked(Decline, Risk),
}

impl Verdict {
    /// Of whoever is not asked.
    pub(crate) fn of_course() -> Self {
        Self::Approved(Approval {
            risk: Risk::normal(),
            three_d_secure: None,
            after: After::default(),
        })
    }
}

/// A payment that succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Approval {
    pub(crate) risk: Risk,
    pub(crate) three_d_secure: Option<ThreeDSecure>,
    pub(crate) after: After,
}

impl Checks {
    pub(crate) const PASS: Self = Self {
        cvc: Check::Pass,
        postal_code: Check::Pass,
        line1: Check::Pass,
    };

    /// The results, of what was given.
    pub(crate) fn of(self, given: Given) -> [Option<Check>; 3] {
        [
            given.line1.then_some(self.line1),
            given.postal_code.then_some(self.postal_code),
            given.cvc.then_some(self.cvc),
        ]
    }
}

/// What becomes of a try to pay, or to set up, with this card.
pub(crate) fn of(nature: &Nature, given: Given, circumstances: &Circumstances) -> Verdict {
    let risk = nature.risk.clone();
    if nature.blocked {
        let decline = Decline::new(
            "card_declined",
            Some("fraudulent"),
            "Your card was declined.",
        );
        return Verdict::Blocked(decline, risk);
    }
    let three_d_secure = proof(nature.enrollment, circumstances);
    if wants_proof(nature.enrollment, circumstances) {
        return match circumstances.off_session {
            true => Verdict::Declined(Decline::wants_the_buyer(), risk, three_d_secure),
            false => Verdict::Challenge,
        };
    }
    let declined = match &nature.issuer {
        Issuer::Declines(decline) => Some(decline.clone()),
        Issuer::DeclinesWhenKept(decline) if circumstances.kept => Some(decline.clone()),
        // As the account's settings say: `decline_on.cvc_failure`.
        _ if given.cvc && nature.checks.cvc == Check::Fail => Some(Decline::new(
            "incorrect_cvc",
            Some("incorrect_cvc"),
            "Your card's security code is incorrect.",
        )),
        Issuer::Approves | Issuer::DeclinesWhenKept(_) => None,
    };
    match declined {
        Some(decline) => Verdict::Declined(decline, risk, three_d_secure),
        None => Verdict::Approved(Approval {
            risk,
            three_d_secure,
            after: nature.after.clone(),
        }),
    }
}

/// Whether the buyer has yet to prove who they are.
fn wants_proof(enrollment: Enrollment, circumstances: &Circumstances) -> bool {
    let Circumstances {
        off_session,
        authenticated,
        request,
        set_up,
        ..
    } = *circumstances;
    if authenticated {
        return false;
    }
    match enrollment {
        Enrollment::NotSupported | Enrollment::Frictionless => false,
        Enrollment::Supported => request != Request::Automatic && !off_session,
        Enrollment::Required => true,
        Enrollment::RequiredUnlessSetUp => !(off_session && set_up),
        Enrollment::AlreadySetUp => !off_session,
    }
}

/// What the charge shows of 3D Secure.
fn proof(enrollment: Enrollment, circumstances: &Circumstances) -> Option<ThreeDSecure> {
    let asked = circumstances.request != Request::Automatic && !circumstances.off_session;
    match enrollment {
        _ if circumstances.authenticated => Some(ThreeDSecure::authenticated("challenge")),
        Enrollment::Frictionless if asked => Some(ThreeDSecure::authenticated("frictionless")),
        Enrollment::NotSupported if asked => Some(ThreeDSecure::not_supported()),
        _ => None,
    }
}
