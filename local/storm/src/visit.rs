//! A buyer comes and buys something, or does not; and what becomes of the money.

use std::fmt;

use fastrand::Rng;

use crate::products::WARES;
use crate::span::{DAY, MINUTE, clock};

/// Buyers come within this time.
pub(crate) const VISITING: u64 = 3 * DAY;

pub(crate) const BUYERS: [&str; 3] = ["ada", "bob", "cyd"];

/// A visit.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// Its place among the visits that were drawn, which makes its idempotency key.
    pub(crate) number: usize,
    pub(crate) buyer: &'static str,
    /// Seconds after the beginning.
    pub(crate) at: u64,
    pub(crate) cart: Vec<(&'static str, u32)>,
    /// Seconds until the buyer pays, or does not.
    pub(crate) hesitates: u64,
    /// A promotion code that the buyer knows.
    pub(crate) code: Option<&'static str>,
    pub(crate) ends: Ends,
    pub(crate) later: Vec<Later>,
}

/// How a visit to the payment page ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    /// The buyer leaves, and the session expires.
    Leaves,
    /// The buyer cancels.
    Cancels,
    /// The buyer pays with this card, having tried a card that is declined.
    Card {
        number: &'static str,
        declined: bool,
    },
    /// The bank takes its time, and then says yes or no.
    Bank { after: u64, succeeds: bool },
    /// The buyer takes a voucher, and pays it or not.
    Voucher { after: u64, paid: bool },
}

/// What becomes of the money that was paid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Later {
    /// Seconds after the payment, or after what went before.
    pub(crate) after: u64,
    pub(crate) what: Returns,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Returns {
    /// The seller refunds so many percent of what was paid.
    Refund { percent: i64 },
    /// A bank disputes it, and decides after a while.
    Dispute {
        kind: &'static str,
        decides_after: u64,
        ends: &'static str,
    },
}

/// Cards from Stripe's page "Test card numbers".
pub(crate) const CARDS: [&str; 6] = [
    "4242424242424242",
    "5555555555554444",
    // The payment is disputed at once.
    "4000000000000259",
    // A refund begins as pending and succeeds later.
    "4000000000007726",
    // A refund succeeds, and fails later.
    "4000000000005126",
    "4242424242424242",
];

/// Promotion codes, and how many percent each takes off.
pub(crate) const CODES: [(&str, u32); 3] = [("FIFTH", 20), ("THIRD", 33), ("FREE", 100)];

pub(crate) const DECLINED: &str = "4000000000000002";

impl Visit {
    pub(crate) fn drawn(dice: &mut Rng, number: usize) -> Self {
        let mut cart: Vec<(&str, u32)> = Vec::new();
        for _ in 0..dice.usize(1..=2) {
            let ware = WARES[dice.usize(..WARES.len())].id;
            if cart.iter().all(|(id, _)| *id != ware) {
                cart.push((ware, dice.u32(1..=3)));
            }
        }
        let ends = Ends::drawn(dice);
        match ends {
            // Vouchers are for yen at the stand-in, and debits for dollars.
            Ends::Voucher { .. } => cart = vec![("vase", dice.u32(1..=3))],
            Ends::Bank { .. } => cart.retain(|(ware, _)| *ware != "vase"),
            _ => {}
        }
        if cart.is_empty() {
            cart.push(("mug", 1));
        }
        let later: Vec<_> = (0..dice.usize(..=3)).map(|_| Later::drawn(dice)).collect();
        let code = (dice.u32(..5) == 0).then(|| CODES[dice.usize(..CODES.len())].0);
        Self {
            number,
            buyer: BUYERS[dice.usize(..BUYERS.len())],
            at: dice.u64(..VISITING),
            cart,
            hesitates: [dice.u64(1..60), dice.u64(60..40 * MINUTE)][dice.usize(..2)],
            code,
            ends,
            later,
        }
    }
}

impl Ends {
    fn drawn(dice: &mut Rng) -> Self {
        let after = dice.u64(MINUTE..4 * DAY);
        match dice.u32(..12) {
            0 => Self::Leaves,
            1 => Self::Cancels,
            2 | 3 => Self::Bank {
                after,
                succeeds: dice.bool(),
            },
            4 => Self::Voucher {
                after: after / 4,
                paid: dice.bool(),
            },
            _ => Self::Card {
                number: CARDS[dice.usize(..CARDS.len())],
                declined: dice.u32(..4) == 0,
            },
        }
    }
}

impl Later {
    fn drawn(dice: &mut Rng) -> Self {
        let percent = [100, 100, 50, 30][dice.usize(..4)];
        let kind = ["chargeback", "chargeback", "inquiry"][dice.usize(..3)];
        let ends = match kind {
            "inquiry" => ["warning_closed", "needs_response"][dice.usize(..2)],
            _ => ["won", "lost"][dice.usize(..2)],
        };
        let decides_after = dice.u64(MINUTE..2 * DAY);
        Self {
            after: [dice.u64(..MINUTE), dice.u64(..2 * DAY)][dice.usize(..2)],
            what: match dice.u32(..3) {
                0 => Returns::Dispute {
                    kind,
                    decides_after,
                    ends,
                },
                _ => Returns::Refund { percent },
            },
        }
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            buyer,
            at,
            cart,
            hesitates,
            code,
            ends,
            later,
        } = self;
        let code = code.map(|code| format!(", with the code {code}"));
        let cart: Vec<_> = cart
            .iter()
            .map(|(id, quantity)| format!("{quantity} {id}"))
            .collect();
        let (at, waits) = (clock(*at), clock(*hesitates));
        write!(
            f,
            "Visit {number}: at {at} {buyer} wants {}; after {waits}, {ends:?}{}; then {later:?}.",
            cart.join(" and "),
            code.unwrap_or_default()
        )
    }
}
