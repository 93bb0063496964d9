//! What is going to happen: who buys what, what becomes of the money, and the weather.

use std::fmt;

use fastrand::Rng;

use crate::products::WARES;
use crate::weather::Weather;

pub(crate) const MINUTE: u64 = 60;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Buyers come within this time.
const VISITING: u64 = 3 * DAY;

pub(crate) const BUYERS: [&str; 3] = ["ada", "bob", "cyd"];

/// A plan of what is going to happen. Drawn from a seed, it is always the same.
#[derive(Clone, Debug)]
pub struct History {
    /// Everything that is left to chance on the way is drawn from it.
    pub seed: u64,
    pub(crate) visits: Vec<Visit>,
    pub(crate) weather: Weather,
}

/// A buyer comes and buys something, or does not.
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
const CARDS: [&str; 6] = [
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

pub(crate) const DECLINED: &str = "4000000000000002";

impl History {
    /// The history that a seed stands for.
    pub fn of(seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed);
        let weather = Weather::drawn(&mut dice);
        let visits = (0..dice.usize(1..=10))
            .map(|number| Visit::drawn(&mut dice, number))
            .collect();
        Self {
            seed,
            visits,
            weather,
        }
    }
}

impl Visit {
    fn drawn(dice: &mut Rng, number: usize) -> Self {
        let mut cart: Vec<(&str, u32)> = Vec::new();
        for _ in 0..dice.usize(1..=2) {
            let ware = WARES[dice.usize(..WARES.len())].id;
            if cart.iter().all(|(id, _)| *id != ware) {
                cart.push((ware, dice.u32(1..=3)));
            }
        }
        let ends = Ends::drawn(dice);
        let later: Vec<_> = (0..dice.usize(..=3)).map(|_| Later::drawn(dice)).collect();
        Self {
            number,
            buyer: BUYERS[dice.usize(..BUYERS.len())],
            at: dice.u64(..VISITING),
            cart,
            hesitates: [dice.u64(1..60), dice.u64(60..40 * MINUTE)][dice.usize(..2)],
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

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The weather: {}.", self.weather)?;
        for visit in &self.visits {
            let Visit {
                number,
                buyer,
                at,
                cart,
                hesitates,
                ends,
                later,
            } = visit;
            let cart: Vec<_> = cart
                .iter()
                .map(|(id, quantity)| format!("{quantity} {id}"))
                .collect();
            let (at, waits) = (clock(*at), clock(*hesitates));
            writeln!(
                f,
                "Visit {number}: at {at} {buyer} wants {}; after {waits}, {ends:?}; then {later:?}.",
                cart.join(" and ")
            )?;
        }
        Ok(())
    }
}

/// `2d 03:04:05`
pub(crate) fn clock(seconds: u64) -> String {
    let (days, hours) = (seconds / DAY, seconds % DAY / HOUR);
    let (minutes, seconds) = (seconds % HOUR / MINUTE, seconds % MINUTE);
    format!("{days}d {hours:02}:{minutes:02}:{seconds:02}")
}
