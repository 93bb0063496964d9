//! Whether a buyer has to prove who they are, and what a charge shows of it.
//!
//! The cards are on the page [Testing](https://docs.stripe.com/testing#regulatory-cards); the words that a
//! charge has for it are those of
//! [`payment_method_details.card.three_d_secure`](https://docs.stripe.com/api/charges/object).

use crate::payment::testing::brand::Brand;
use crate::payment::testing::decline::{self, Decline};

/// What a card's issuer makes of 3D Secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Enrollment {
    /// It cannot be asked for.
    NotSupported,
    /// Whoever asks gets an acknowledgement, and the buyer sees nothing: all cards that are not there to
    /// test 3D Secure.
    Acknowledges,
    /// It takes place only if somebody asks for it.
    Supported(Lookup),
    /// It takes place at every payment.
    Required(Lookup),
    /// As `Required`, but payments in the buyer's absence pass once the card was set up for them.
    RequiredUnlessSetUp,
    /// Only payments in the buyer's presence need it.
    AlreadySetUp,
}

/// How an issuer answers when it is asked to authenticate the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// It wants to see the buyer.
    Challenge,
    /// It knows enough.
    Frictionless,
    /// It does not answer.
    Error,
}

/// `payment_method_options.card.request_three_d_secure`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Request {
    #[default]
    Automatic,
    Any,
    Challenge,
}

/// `setup_future_usage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FutureUsage {
    OnSession,
    OffSession,
}

/// Under what circumstances a card is charged or set up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Circumstances {
    /// The buyer is not there.
    pub(crate) off_session: bool,
    pub(crate) setup_future_usage: Option<FutureUsage>,
    pub(crate) request: Request,
    /// An earlier payment or setup intent has set the card up for payments in the buyer's absence.
    pub(crate) set_up: bool,
}

impl Circumstances {
    /// Whether the card counts as set up once this has succeeded. A buyer who is not there agrees to
    /// nothing new.
    pub(crate) fn sets_up(&self) -> bool {
        self.set_up
            || (!self.off_session && self.setup_future_usage == Some(FutureUsage::OffSession))
    }
}

/// What has to happen before the issuer is asked for the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing. The charge shows the proof, if there is one.
    Proceed(Option<Proof>),
    /// The buyer has to answer a challenge, and [`Challenged`] is what comes of it.
    Challenge,
    /// The payment ends here.
    Refuse(Decline, Option<Proof>),
}

/// What a buyer does with a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenged {
    Passed,
    Failed,
    Canceled,
}

impl Challenged {
    pub(crate) fn proof(self) -> Proof {
        match self {
            Self::Passed => Proof::Authenticated(Lookup::Challenge),
            Self::Failed => Proof::Failed("rejected"),
            Self::Canceled => Proof::Failed("canceled"),
        }
    }
}

impl Enrollment {
    /// `three_d_secure_usage.supported` of a payment method.
    pub(crate) fn is_supported(self) -> bool {
        self != Self::NotSupported
    }

    /// Whether the buyer is challenged. In their absence nobody can be, so that a payment that needs
    /// them is refused.
    pub(crate) fn step(self, circumstances: &Circumstances) -> Step {
        let Circumstances {
            off_session,
            set_up,
            ..
        } = *circumstances;
        let asked = !off_session && circumstances.request != Request::Automatic;
        match self {
            Self::Required(lookup) => lookup.at_every_payment(off_session),
            Self::RequiredUnlessSetUp if off_session && set_up => Step::Proceed(None),
            Self::RequiredUnlessSetUp => Lookup::Challenge.at_every_payment(off_session),
            Self::AlreadySetUp if off_session => Step::Proceed(None),
            Self::AlreadySetUp => Step::Challenge,
            _ if !asked => Step::Proceed(None),
            Self::NotSupported => Step::Proceed(Some(Proof::NotSupported)),
            Self::Acknowledges => Step::Proceed(Some(Proof::Acknowledged)),
            Self::Supported(Lookup::Challenge) => Step::Challenge,
            Self::Supported(Lookup::Frictionless) => {
                Step::Proceed(Some(Proof::Authenticated(Lookup::Frictionless)))
            }
            // Nobody insists on it, so that the payment goes on without.
            Self::Supported(Lookup::Error) => Step::Proceed(Some(Proof::LookupError)),
        }
    }
}

impl Lookup {
    fn at_every_payment(self, off_session: bool) -> Step {
        match self {
            Self::Frictionless => Step::Proceed(Some(Proof::Authenticated(Self::Frictionless))),
            Self::Error => Step::Refuse(decline::GENERIC, Some(Proof::LookupError)),
            Self::Challenge if off_session => Step::Refuse(decline::AUTHENTICATION_REQUIRED, None),
            Self::Challenge => Step::Challenge,
        }
    }
}

/// What 3D Secure has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The issuer knows that it was the buyer, in this way; `Lookup::Error` is never one.
    Authenticated(Lookup),
    /// The issuer knows only that somebody asked.
    Acknowledged,
    NotSupported,
    LookupError,
    /// The buyer did not pass, for this reason.
    Failed(&'static str),
}

impl Proof {
    pub(crate) fn authentication_flow(self) -> Option<&'static str> {
        match self {
            Self::Authenticated(Lookup::Frictionless) => Some("frictionless"),
            Self::Authenticated(_) | Self::Failed(_) => Some("challenge"),
            _ => None,
        }
    }

    pub(crate) fn result(self) -> &'static str {
        match self {
            Self::Authenticated(_) => "authenticated",
            Self::Acknowledged => "attempt_acknowledged",
            Self::NotSupported => "not_supported",
            Self::LookupError => "processing_error",
            Self::Failed(_) => "failed",
        }
    }

    pub(crate) fn result_reason(self) -> Option<&'static str> {
        match self {
            Self::NotSupported => Some("network_not_supported"),
            Self::LookupError => Some("protocol_error"),
            Self::Failed(reason) => Some(reason),
            Self::Authenticated(_) | Self::Acknowledged => None,
        }
    }

    /// Absent where no issuer was reached.
    pub(crate) fn version(self) -> Option<&'static str> {
        match self {
            Self::NotSupported => None,
            _ => Some("2.2.0"),
        }
    }

    /// How strong the proof is, in the network's numbers: Mastercard counts otherwise than the rest.
    pub(crate) fn electronic_commerce_indicator(self, brand: Brand) -> Option<&'static str> {
        match (self, brand) {
            (Self::Authenticated(_), Brand::Mastercard) => Some("02"),
            (Self::Authenticated(_), _) => Some("05"),
            (Self::Acknowledged, Brand::Mastercard) => Some("01"),
            (Self::Acknowledged, _) => Some("06"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRESENT: Circumstances = Circumstances {
        off_session: false,
        setup_future_usage: None,
        request: Request::Automatic,
        set_up: false,
    };
    const ABSENT: Circumstances = Circumstances {
        off_session: true,
        ..PRESENT
    };
    const ABSENT_AND_SET_UP: Circumstances = Circumstances {
        set_up: true,
        ..ABSENT
    };
    const ASKED: Circumstances = Circumstances {
        request: Request::Any,
        ..PRESENT
    };
    const REQUIRED: Enrollment = Enrollment::Required(Lookup::Challenge);

    fn is_refused(step: Step) -> bool {
        matches!(step, Step::Refuse(decline, _) if decline == decline::AUTHENTICATION_REQUIRED)
    }

    #[test]
    fn a_buyer_who_is_there_is_challenged_wherever_it_is_required() {
        for enrollment in [
            REQUIRED,
            Enrollment::RequiredUnlessSetUp,
            Enrollment::AlreadySetUp,
        ] {
            for set_up in [false, true] {
                let circumstances = Circumstances { set_up, ..PRESENT };
                assert_eq!(enrollment.step(&circumstances), Step::Challenge);
            }
        }
    }

    #[test]
    fn in_the_buyers_absence_only_a_card_that_is_set_up_for_it_passes() {
        let unless = Enrollment::RequiredUnlessSetUp;
        assert!(is_refused(REQUIRED.step(&ABSENT_AND_SET_UP)));
        assert!(is_refused(unless.step(&ABSENT)));
        assert_eq!(unless.step(&ABSENT_AND_SET_UP), Step::Proceed(None));
        let already = Enrollment::AlreadySetUp;
        assert_eq!(already.step(&ABSENT), Step::Proceed(None));
    }

    #[test]
    fn a_card_that_only_supports_it_is_challenged_if_somebody_asks() {
        let supported = Enrollment::Supported(Lookup::Challenge);
        assert_eq!(supported.step(&PRESENT), Step::Proceed(None));
        for request in [Request::Any, Request::Challenge] {
            let asked = Circumstances { request, ..PRESENT };
            assert_eq!(supported.step(&asked), Step::Challenge);
            let absent = Circumstances { request, ..ABSENT };
            assert_eq!(supported.step(&absent), Step::Proceed(None));
        }
    }

    #[test]
    fn a_charge_shows_what_came_of_asking() {
        let shown = |enrollment: Enrollment| match enrollment.step(&ASKED) {
            Step::Proceed(Some(proof)) => (
                proof.authentication_flow(),
                proof.result(),
                proof.result_reason(),
                proof.version(),
            ),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            shown(Enrollment::Acknowledges),
            (None, "attempt_acknowledged", None, Some("2.2.0"))
        );
        assert_eq!(
            shown(Enrollment::NotSupported),
            (None, "not_supported", Some("network_not_supported"), None)
        );
        assert_eq!(
            shown(Enrollment::Supported(Lookup::Error)),
            (
                None,
                "processing_error",
                Some("protocol_error"),
                Some("2.2.0")
            )
        );
        assert_eq!(
            shown(Enrollment::Required(Lookup::Frictionless)),
            (Some("frictionless"), "authenticated", None, Some("2.2.0"))
        );
    }

    #[test]
    fn a_lookup_that_fails_ends_the_payment_only_where_it_is_required() {
        let required = Enrollment::Required(Lookup::Error).step(&PRESENT);
        assert_eq!(
            required,
            Step::Refuse(decline::GENERIC, Some(Proof::LookupError))
        );
    }

    #[test]
    fn a_challenge_is_told_by_its_end_and_in_the_networks_numbers() {
        let passed = Challenged::Passed.proof();
        assert_eq!(passed.authentication_flow(), Some("challenge"));
        assert_eq!(passed.result(), "authenticated");
        let eci = |brand| passed.electronic_commerce_indicator(brand);
        assert_eq!(eci(Brand::Visa), Some("05"));
        assert_eq!(eci(Brand::Mastercard), Some("02"));
        for (end, reason) in [
            (Challenged::Failed, "rejected"),
            (Challenged::Canceled, "canceled"),
        ] {
            assert_eq!(end.proof().result(), "failed");
            assert_eq!(end.proof().result_reason(), Some(reason));
        }
    }

    #[test]
    fn only_a_buyer_who_is_there_sets_a_card_up() {
        let usage = |circumstances, setup_future_usage| Circumstances {
            setup_future_usage,
            ..circumstances
        };
        assert!(usage(PRESENT, Some(FutureUsage::OffSession)).sets_up());
        assert!(!usage(PRESENT, Some(FutureUsage::OnSession)).sets_up());
        assert!(!usage(ABSENT, Some(FutureUsage::OffSession)).sets_up());
        assert!(ABSENT_AND_SET_UP.sets_up());
    }

    fn enrollment() -> impl Strategy<Value = Enrollment> {
        let lookup =
            prop::sample::select(vec![Lookup::Challenge, Lookup::Frictionless, Lookup::Error]);
        prop_oneof![
            Just(Enrollment::NotSupported),
            Just(Enrollment::Acknowledges),
            lookup.clone().prop_map(Enrollment::Supported),
            lookup.prop_map(Enrollment::Required),
            Just(Enrollment::RequiredUnlessSetUp),
            Just(Enrollment::AlreadySetUp),
        ]
    }

    fn circumstances() -> impl Strategy<Value = Circumstances> {
        let requests = vec![Request::Automatic, Request::Any, Request::Challenge];
        let usages = vec![
            None,
            Some(FutureUsage::OnSession),
            Some(FutureUsage::OffSession),
        ];
        (
            any::<bool>(),
            prop::sample::select(usages),
            prop::sample::select(requests),
            any::<bool>(),
        )
            .prop_map(
                |(off_session, setup_future_usage, request, set_up)| Circumstances {
                    off_session,
                    setup_future_usage,
                    request,
                    set_up,
                },
            )
    }

    proptest! {
        #[test]
        fn nobody_who_is_not_there_is_challenged(
            enrollment in enrollment(),
            circumstances in circumstances(),
        ) {
            let absent = Circumstances { off_session: true, ..circumstances };
            prop_assert_ne!(enrollment.step(&absent), Step::Challenge);
        }

        #[test]
        fn being_set_up_never_makes_a_payment_harder(
            enrollment in enrollment(),
            circumstances in circumstances(),
        ) {
            let before = enrollment.step(&Circumstances { set_up: false, ..circumstances });
            let after = enrollment.step(&Circumstances { set_up: true, ..circumstances });
            prop_assert!(after == before || matches!(after, Step::Proceed(_)));
        }
    }
}
