//! What Radar does about a payment.
//!
//! The cards are on the page [Testing](https://docs.stripe.com/testing#fraud-prevention), the rules and
//! which of them are on by default on the pages [Risk settings](https://docs.stripe.com/radar/risk-settings)
//! and [Rules](https://docs.stripe.com/radar/rules).

use crate::payment::testing::checks::{Check, CheckResults};
use crate::payment::testing::decline::{self, Decline};

/// What Radar thinks of a card's payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Risk {
    pub(crate) level: RiskLevel,
    /// Of 99. Stripe's own test charges have a random one within their level.
    pub(crate) score: u8,
    pub(crate) signal: Option<Signal>,
}

/// `outcome.risk_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RiskLevel {
    Normal,
    Elevated,
    Highest,
}

impl RiskLevel {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Elevated => "elevated",
            Self::Highest => "highest",
        }
    }
}

/// What else Radar notices about a card, besides how risky it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// It is blocked whatever the settings are.
    Blocked,
    LikelyFraudDispute,
    LikelyFraudWarning,
    DynamicThreshold,
    Adaptive3ds,
}

impl Risk {
    pub(crate) const NORMAL: Self = Self::of(RiskLevel::Normal, 20);
    pub(crate) const ELEVATED: Self = Self::of(RiskLevel::Elevated, 70);
    pub(crate) const HIGHEST: Self = Self::of(RiskLevel::Highest, 90);

    const fn of(level: RiskLevel, score: u8) -> Self {
        Self {
            level,
            score,
            signal: None,
        }
    }

    pub(crate) const fn with(self, signal: Signal) -> Self {
        Self {
            signal: Some(signal),
            ..self
        }
    }
}

/// Which of Radar's built-in rules and controls an account has switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) block_highest_risk: bool,
    pub(crate) block_failed_cvc: bool,
    pub(crate) block_failed_postal_code: bool,
    /// On by default in accounts with Radar for Fraud Teams; others have no reviews.
    pub(crate) review_elevated_risk: bool,
    pub(crate) block_likely_fraud_disputes: bool,
    pub(crate) block_likely_fraud_warnings: bool,
    pub(crate) dynamic_thresholds: bool,
    pub(crate) adaptive_3ds: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            block_highest_risk: true,
            block_failed_cvc: true,
            block_failed_postal_code: false,
            review_elevated_risk: true,
            block_likely_fraud_disputes: false,
            block_likely_fraud_warnings: false,
            dynamic_thresholds: false,
            adaptive_3ds: false,
        }
    }
}

/// What Radar decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Allow,
    /// The payment goes through, and somebody is to look at it.
    Review(&'static Rule),
    /// The buyer has to authenticate, as if the seller had asked for it.
    Authenticate(&'static Rule),
    Block(&'static Rule, Decline),
}

/// A rule that has decided, as an expanded `outcome.rule` shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) action: &'static str,
    pub(crate) predicate: &'static str,
    /// `outcome.reason`.
    pub(crate) reason: &'static str,
    /// `outcome.seller_message`.
    pub(crate) seller_message: &'static str,
}

const fn rule(id: &'static str, action: &'static str, predicate: &'static str) -> Rule {
    Rule {
        id,
        action,
        predicate,
        reason: "rule",
        seller_message: "Payment complete.",
    }
}

// Of these, Stripe publishes how charges show the first; ids and sentences of the others follow it.
static BLOCK_HIGHEST: Rule = Rule {
    reason: "highest_risk_level",
    seller_message: "Stripe blocked this payment as too risky.",
    ..rule("block_if_high_risk", "block", ":risk_level: = 'highest'")
};
static REVIEW_ELEVATED: Rule = Rule {
    reason: "elevated_risk_level",
    seller_message: "Stripe evaluated this payment as having elevated risk, and placed it in your \
                     manual review queue.",
    ..rule(
        "manual_review_if_elevated_risk",
        "review",
        ":risk_level: = 'elevated'",
    )
};
static BLOCK_CVC: Rule = blocks("block_if_cvc_check_fails", ":cvc_check: = 'fail'");
static BLOCK_POSTAL_CODE: Rule = blocks(
    "block_if_address_zip_check_fails",
    ":address_zip_check: = 'fail'",
);
static BLOCK_DISPUTE: Rule = blocks(
    "block_if_likely_fraud_dispute",
    ":fraud_dispute_risk: = 'highest'",
);
static BLOCK_WARNING: Rule = blocks(
    "block_if_likely_fraud_warning",
    ":early_fraud_warning_risk: = 'highest'",
);
static BLOCK_DYNAMIC: Rule = blocks(
    "block_if_dynamic_risk_threshold",
    ":risk_score: > :dynamic_threshold:",
);
static ADAPTIVE_3DS: Rule = rule(
    "request_3ds_if_adaptive",
    "request_credentials",
    ":adaptive_3ds:",
);

const fn blocks(id: &'static str, predicate: &'static str) -> Rule {
    Rule {
        seller_message: "You blocked this payment.",
        ..rule(id, "block", predicate)
    }
}

/// What Radar decides before the issuer is asked.
pub(crate) fn before(risk: Risk, settings: &Settings) -> Decision {
    let block = |rule| Decision::Block(rule, decline::FRAUDULENT);
    match risk.signal {
        Some(Signal::Blocked) => return block(&BLOCK_HIGHEST),
        Some(Signal::LikelyFraudDispute) if settings.block_likely_fraud_disputes => {
            return block(&BLOCK_DISPUTE);
        }
        Some(Signal::LikelyFraudWarning) if settings.block_likely_fraud_warnings => {
            return block(&BLOCK_WARNING);
        }
        Some(Signal::DynamicThreshold) if settings.dynamic_thresholds => {
            return block(&BLOCK_DYNAMIC);
        }
        Some(Signal::Adaptive3ds) if settings.adaptive_3ds => {
            return Decision::Authenticate(&ADAPTIVE_3DS);
        }
        _ => {}
    }
    match risk.level {
        RiskLevel::Highest if settings.block_highest_risk => block(&BLOCK_HIGHEST),
        RiskLevel::Elevated if settings.review_elevated_risk => Decision::Review(&REVIEW_ELEVATED),
        _ => Decision::Allow,
    }
}

/// What Radar decides once the issuer has approved and told the results of its checks.
pub(crate) fn after(results: CheckResults, settings: &Settings) -> Decision {
    let failed = |check| check == Some(Check::Fail);
    if settings.block_failed_cvc && failed(results.cvc) {
        Decision::Block(&BLOCK_CVC, decline::INCORRECT_CVC)
    } else if settings.block_failed_postal_code && failed(results.postal_code) {
        Decision::Block(&BLOCK_POSTAL_CODE, decline::INCORRECT_ZIP)
    } else {
        Decision::Allow
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::testing::checks::{Checks, Given};

    const NOTHING: Settings = Settings {
        block_highest_risk: false,
        block_failed_cvc: false,
        block_failed_postal_code: false,
        review_elevated_risk: false,
        block_likely_fraud_disputes: false,
        block_likely_fraud_warnings: false,
        dynamic_thresholds: false,
        adaptive_3ds: false,
    };

    fn blocks(decision: Decision) -> bool {
        matches!(decision, Decision::Block(..))
    }

    #[test]
    fn only_the_card_that_is_always_blocked_is_blocked_without_any_rule() {
        let always = Risk::HIGHEST.with(Signal::Blocked);
        assert!(blocks(before(always, &NOTHING)));
        assert!(blocks(before(Risk::HIGHEST, &Settings::default())));
        assert_eq!(before(Risk::HIGHEST, &NOTHING), Decision::Allow);
    }

    #[test]
    fn each_signal_is_acted_on_once_its_own_control_is_on() {
        type Switch = fn(&mut Settings);
        let controls: [(Signal, Switch); 4] = [
            (Signal::LikelyFraudDispute, |s| {
                s.block_likely_fraud_disputes = true;
            }),
            (Signal::LikelyFraudWarning, |s| {
                s.block_likely_fraud_warnings = true;
            }),
            (Signal::DynamicThreshold, |s| s.dynamic_thresholds = true),
            (Signal::Adaptive3ds, |s| s.adaptive_3ds = true),
        ];
        for (signal, switch) in controls {
            let risk = Risk::NORMAL.with(signal);
            assert_eq!(before(risk, &Settings::default()), Decision::Allow);
            let mut settings = NOTHING;
            switch(&mut settings);
            let decision = before(risk, &settings);
            assert_eq!(blocks(decision), signal != Signal::Adaptive3ds);
            assert_ne!(decision, Decision::Allow);
            assert_eq!(before(Risk::NORMAL, &settings), Decision::Allow);
        }
    }

    #[test]
    fn a_wrong_security_code_is_blocked_only_if_one_was_given() {
        let fails = Checks {
            cvc: Check::Fail,
            ..Checks::PASS
        };
        let given = |cvc| Given {
            cvc,
            postal_code: true,
            line1: true,
        };
        let blocked = after(fails.results(given(true)), &Settings::default());
        assert_eq!(blocked, Decision::Block(&BLOCK_CVC, decline::INCORRECT_CVC));
        let skipped = after(fails.results(given(false)), &Settings::default());
        assert_eq!(skipped, Decision::Allow);
    }

    #[test]
    fn a_wrong_postal_code_is_let_through_until_the_account_blocks_it() {
        let fails = Checks {
            postal_code: Check::Fail,
            ..Checks::PASS
        };
        let results = fails.results(Given {
            cvc: true,
            postal_code: true,
            line1: true,
        });
        assert_eq!(after(results, &Settings::default()), Decision::Allow);
        let strict = Settings {
            block_failed_postal_code: true,
            ..Settings::default()
        };
        assert!(blocks(after(results, &strict)));
    }
}
