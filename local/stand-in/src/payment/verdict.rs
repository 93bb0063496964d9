//! What becomes of a card's payment, and of setting a card up: a pure function of the test card and
//! the circumstances. The parts of it are in [`testing`](crate::payment::testing); here they are asked
//! in turn.

use serde::{Deserialize, Serialize};

use crate::payment::decline::Decline;
use crate::payment::testing::brand::Brand;
use crate::payment::testing::card::{Afterwards, Question, TestCard};
use crate::payment::testing::checks::Given;
use crate::payment::testing::claim::Claim;
use crate::payment::testing::radar::{self, Decision, Rule};
use crate::payment::testing::three_d_secure::{
    Challenged, Circumstances as Presence, FutureUsage, Proof, Request, Step,
};

/// Under what circumstances a card is charged, or set up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Circumstances {
    /// The buyer is not there.
    pub(crate) off_session: bool,
    /// The buyer has proved who they are, for this very payment.
    pub(crate) authenticated: bool,
    pub(crate) request: Request,
    pub(crate) setup_future_usage: Option<FutureUsage>,
    /// A customer has kept it, or keeps it from this payment on.
    pub(crate) kept: bool,
    /// The buyer has agreed to payments in their absence.
    pub(crate) set_up: bool,
}

/// What becomes of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The buyer has to prove first who they are.
    Challenge,
    Approved(Approval),
    /// The issuer has said no.
    Declined(Decline, Risk, Option<ThreeDSecure>),
    /// Radar has, before the issuer was asked.
    Blocked(Decline, Risk),
    /// Radar has, because of what the issuer said of what the buyer typed.
    Reversed(Decline, Risk, Option<ThreeDSecure>),
}

/// A payment that succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Approval {
    pub(crate) risk: Risk,
    pub(crate) three_d_secure: Option<ThreeDSecure>,
    /// The card counts as set up from now on.
    pub(crate) sets_up: bool,
    pub(crate) after: After,
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

/// What Radar thinks of a payment, as a charge's outcome shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Risk {
    pub(crate) level: String,
    pub(crate) score: u8,
    /// The rule that has decided, if one has.
    pub(crate) rule: Option<Ruled>,
}

/// A rule that has decided about a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ruled {
    pub(crate) id: String,
    /// Why, in Stripe's word and in its words to the shop.
    pub(crate) reason: String,
    pub(crate) seller_message: String,
}

impl Risk {
    fn of(card: &TestCard, rule: Option<&Rule>) -> Self {
        Self {
            level: card.risk.level.as_str().to_owned(),
            score: card.risk.score,
            rule: rule.map(|rule| Ruled {
                id: rule.id.to_owned(),
                reason: rule.reason.to_owned(),
                seller_message: rule.seller_message.to_owned(),
            }),
        }
    }
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
    pub(crate) fn of(proof: Proof, brand: Brand) -> Self {
        let owned = |text: Option<&'static str>| text.map(str::to_owned);
        Self {
            authentication_flow: owned(proof.authentication_flow()),
            electronic_commerce_indicator: owned(proof.electronic_commerce_indicator(brand)),
            exemption_indicator: None,
            result: Some(proof.result().to_owned()),
            result_reason: owned(proof.result_reason()),
            transaction_id: None,
            version: owned(proof.version()),
        }
    }
}

/// What becomes of charging this card.
pub(crate) fn charge(card: &TestCard, given: Given, circumstances: &Circumstances) -> Verdict {
    let settings = radar::Settings::default();
    let mut request = circumstances.request;
    let mut rule = None;
    let mut reviewed = false;
    match radar::before(card.risk, &settings) {
        Decision::Block(rule, decline) => {
            return Verdict::Blocked(decline.into(), Risk::of(card, Some(rule)));
        }
        Decision::Review(decided) => (rule, reviewed) = (Some(decided), true),
        Decision::Authenticate(_) => request = Request::Any,
        Decision::Allow => {}
    }
    let risk = Risk::of(card, rule);
    let proof = match prove(card, circumstances, request) {
        Step::Proceed(proof) => proof,
        Step::Challenge => return Verdict::Challenge,
        Step::Refuse(decline, proof) => {
            let shown = proof.map(|proof| ThreeDSecure::of(proof, card.brand));
            return Verdict::Declined(decline.into(), risk, shown);
        }
    };
    let three_d_secure = proof.map(|proof| ThreeDSecure::of(proof, card.brand));
    let question = Question::Charge {
        kept: circumstances.kept,
    };
    let afterwards = match card.answer(question) {
        Ok(afterwards) => afterwards,
        Err(decline) => return Verdict::Declined(decline.into(), risk, three_d_secure),
    };
    if let Decision::Block(rule, decline) = radar::after(card.checks.results(given), &settings) {
        return Verdict::Reversed(decline.into(), Risk::of(card, Some(rule)), three_d_secure);
    }
    Verdict::Approved(Approval {
        risk,
        three_d_secure,
        sets_up: presence(circumstances, request).sets_up(),
        after: After {
            claims: afterwards.claims().to_vec(),
            warned: match afterwards {
                Afterwards::Warned(fraud_type) => Some(fraud_type),
                _ => None,
            },
            reviewed,
            bypasses_pending: afterwards == Afterwards::BypassesPending,
        },
    })
}

/// What becomes of setting a card up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    Challenge,
    Admitted,
    Declined(Decline),
}

/// Whether this card can be set up for later payments. No money moves, so Radar is not asked.
pub(crate) fn set_up(card: &TestCard, circumstances: &Circumstances) -> Admission {
    match prove(card, circumstances, circumstances.request) {
        Step::Challenge => Admission::Challenge,
        Step::Refuse(decline, _) => Admission::Declined(decline.into()),
        Step::Proceed(_) => keep(card),
    }
}

/// Whether a customer can keep this card.
pub(crate) fn keep(card: &TestCard) -> Admission {
    match card.answer(Question::Keep) {
        Ok(_) => Admission::Admitted,
        Err(decline) => Admission::Declined(decline.into()),
    }
}

/// Whether the buyer has yet to prove who they are.
fn prove(card: &TestCard, circumstances: &Circumstances, request: Request) -> Step {
    if circumstances.authenticated {
        return Step::Proceed(Some(Challenged::Passed.proof()));
    }
    card.enrollment.step(&presence(circumstances, request))
}

fn presence(circumstances: &Circumstances, request: Request) -> Presence {
    Presence {
        off_session: circumstances.off_session,
        setup_future_usage: circumstances.setup_future_usage,
        request,
        set_up: circumstances.set_up,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::payment::testing::cards::{all, by_number};

    const NOTHING_GIVEN: Given = Given {
        cvc: false,
        postal_code: false,
        line1: false,
    };

    fn circumstances() -> impl Strategy<Value = Circumstances> {
        let request = prop_oneof![
            Just(Request::Automatic),
            Just(Request::Any),
            Just(Request::Challenge)
        ];
        (any::<[bool; 4]>(), request).prop_map(
            |([off_session, authenticated, kept, set_up], request)| Circumstances {
                off_session,
                authenticated,
                request,
                setup_future_usage: None,
                kept,
                set_up,
            },
        )
    }

    fn given() -> impl Strategy<Value = Given> {
        any::<[bool; 3]>().prop_map(|[cvc, postal_code, line1]| Given {
            cvc,
            postal_code,
            line1,
        })
    }

    fn card() -> impl Strategy<Value = &'static TestCard> {
        prop::sample::select(all().collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn nobody_who_is_away_is_challenged(
            card in card(), given in given(), circumstances in circumstances(),
        ) {
            let away = Circumstances { off_session: true, ..circumstances };
            // Some cards want their buyer to pay, but never by asking whoever is not there.
            if !matches!(charge(card, given, &away), Verdict::Challenge) {
                return Ok(());
            }
            prop_assert!(false, "{} challenges an empty chair", card.number);
        }

        #[test]
        fn whoever_has_passed_a_challenge_is_asked_for_no_other(
            card in card(), given in given(), circumstances in circumstances(),
        ) {
            let passed = Circumstances { authenticated: true, ..circumstances };
            prop_assert_ne!(charge(card, given, &passed), Verdict::Challenge);
            prop_assert_ne!(set_up(card, &passed), Admission::Challenge);
        }

        #[test]
        fn what_radar_blocks_never_reaches_an_issuer(
            card in card(), given in given(), circumstances in circumstances(),
        ) {
            if let Verdict::Blocked(_, risk) = charge(card, given, &circumstances) {
                prop_assert!(risk.rule.is_some());
                for other in [true, false] {
                    let other = Circumstances { off_session: other, ..circumstances };
                    prop_assert!(matches!(charge(card, given, &other), Verdict::Blocked(..)));
                }
            }
        }
    }

    #[test]
    fn a_wrong_security_code_ends_a_payment_only_if_one_was_typed() {
        let card = by_number("4000000000000101").unwrap();
        let typed = Given {
            cvc: true,
            ..NOTHING_GIVEN
        };
        let here = Circumstances::default();
        assert!(matches!(
            charge(card, typed, &here),
            Verdict::Reversed(decline, ..) if decline.code == "incorrect_cvc"
        ));
        assert!(matches!(
            charge(card, NOTHING_GIVEN, &here),
            Verdict::Approved(_)
        ));
    }
}
