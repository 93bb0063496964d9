//! A buyer subscribes to something, and what becomes of that.

use std::fmt;

use fastrand::Rng;

use crate::products::MEMBERSHIPS;
use crate::span::{DAY, MINUTE};
use crate::visit::{BUYERS, CARDS, Ends, VISITING, Visit};

/// A subscription, from the visit with which it begins.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub(crate) visit: Visit,
    pub(crate) turns: Vec<Turn>,
}

/// Something becomes of a subscription.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// Seconds after the payment, or after what went before.
    pub(crate) after: u64,
    pub(crate) what: Change,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// It ends at once.
    Ends,
    /// It will end when what is paid is used up.
    WillEnd,
    /// It goes on after all.
    GoesOn,
    /// Another card pays it from now on, and whatever is open.
    PaysWith(&'static str),
    /// So many of it from now on.
    Takes(u32),
    /// The seller refunds so many percent of the newest invoice that is paid.
    Refund(i64),
}

/// Ready-made payment methods of Stripe's page "Testing": the card that works, and those that are
/// declined whenever they are charged, and whose payments are disputed.
const METHODS: [&str; 4] = [
    "pm_card_visa",
    "pm_card_chargeCustomerFail",
    "pm_card_createDispute",
    "pm_card_mastercard",
];

impl Membership {
    pub(crate) fn drawn(dice: &mut Rng, number: usize) -> Self {
        let visit = Visit {
            number,
            buyer: BUYERS[dice.usize(..BUYERS.len())],
            at: dice.u64(..VISITING),
            cart: vec![(MEMBERSHIPS[dice.usize(..MEMBERSHIPS.len())].id, 1)],
            hesitates: dice.u64(1..40 * MINUTE),
            code: None,
            ends: match dice.u32(..10) {
                0 => Ends::Leaves,
                1 => Ends::Cancels,
                _ => Ends::Card {
                    number: CARDS[dice.usize(..CARDS.len())],
                    declined: dice.u32(..4) == 0,
                },
            },
            later: Vec::new(),
        };
        let turns = (0..dice.usize(..=4)).map(|_| Turn::drawn(dice)).collect();
        Self { visit, turns }
    }

    /// Whether there is always something under way, so that it has to end some time.
    pub(crate) fn renews_daily(&self) -> bool {
        let ware = MEMBERSHIPS
            .iter()
            .find(|ware| ware.id == self.visit.cart[0].0);
        let recurring = ware.and_then(|ware| ware.recurring);
        recurring.is_some_and(|(_, interval, _)| interval == "day")
    }
}

impl Turn {
    fn drawn(dice: &mut Rng) -> Self {
        let what = match dice.u32(..12) {
            0 => Change::Ends,
            1 | 2 => Change::WillEnd,
            3 => Change::GoesOn,
            4 | 5 => Change::Takes(dice.u32(1..4)),
            6 | 7 => Change::Refund([100, 50][dice.usize(..2)]),
            _ => Change::PaysWith(METHODS[dice.usize(..METHODS.len())]),
        };
        Self {
            after: [dice.u64(..MINUTE), dice.u64(..2 * DAY)][dice.usize(..2)],
            what,
        }
    }
}

impl fmt::Display for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { visit, turns } = self;
        write!(f, "{visit} As long as it lasts: {turns:?}.")
    }
}
