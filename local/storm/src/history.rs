//! What is going to happen: who buys what, what becomes of the money, and the weather.

use std::fmt;

use fastrand::Rng;

use crate::billing::Billing;
use crate::digest::Digest;
use crate::membership::Membership;
use crate::products::WARES;
use crate::rollout::Rollout;
use crate::span::clock;
use crate::visit::{VISITING, Visit};
use crate::weather::Weather;

/// A plan of what is going to happen. Drawn from a seed, it is always the same.
#[derive(Clone, Debug)]
pub struct History {
    /// Everything that is left to chance on the way is drawn from it.
    pub seed: u64,
    pub(crate) visits: Vec<Visit>,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) restocks: Vec<Restock>,
    pub(crate) weather: Weather,
    pub(crate) rollout: Option<Rollout>,
    pub(crate) billing: Billing,
    pub(crate) digest: Digest,
}

/// The seller has other pieces of something than before.
#[derive(Clone, Debug)]
pub(crate) struct Restock {
    /// Seconds after the beginning.
    pub(crate) at: u64,
    pub(crate) ware: &'static str,
    /// How many more, or fewer, if there are that many.
    pub(crate) pieces: i64,
}

impl Restock {
    fn drawn(dice: &mut Rng) -> Self {
        let limited: Vec<_> = WARES.iter().filter(|ware| ware.stock.is_some()).collect();
        Self {
            at: dice.u64(..VISITING),
            ware: limited[dice.usize(..limited.len())].id,
            pieces: [-2, -1, 1, 2, 3][dice.usize(..5)],
        }
    }
}

impl History {
    /// The history that a seed stands for.
    pub fn of(seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed);
        let weather = Weather::drawn(&mut dice);
        let visits: Vec<_> = (0..dice.usize(1..=10))
            .map(|number| Visit::drawn(&mut dice, number))
            .collect();
        let memberships = (0..dice.usize(..=2))
            .map(|number| Membership::drawn(&mut dice, visits.len() + number))
            .collect();
        let restocks = (0..dice.usize(..=3))
            .map(|_| Restock::drawn(&mut dice))
            .collect();
        Self {
            seed,
            visits,
            memberships,
            restocks,
            weather,
            rollout: Rollout::drawn(seed),
            billing: Billing::drawn(seed),
            digest: Digest::drawn(seed),
        }
    }

    /// The same with an earlier version of the code, which is at work for a while.
    pub fn with_earlier_version(seed: u64) -> Self {
        Self {
            rollout: Some(Rollout::from_earlier(seed)),
            ..Self::of(seed)
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The weather: {}.", self.weather)?;
        writeln!(f, "{}.", self.billing)?;
        writeln!(f, "{}.", self.digest)?;
        if let Some(rollout) = &self.rollout {
            writeln!(f, "{rollout}")?;
        }
        for visit in &self.visits {
            writeln!(f, "{visit}")?;
        }
        for membership in &self.memberships {
            writeln!(f, "{membership}")?;
        }
        for Restock { at, ware, pieces } in &self.restocks {
            writeln!(
                f,
                "At {} the seller has {pieces:+} of the {ware}.",
                clock(*at)
            )?;
        }
        Ok(())
    }
}
