//! When another version of the code is at work beside this one, or in its place.

use std::fmt;

use fastrand::Rng;

use crate::other::Other;
use crate::span::{DAY, MINUTE, clock};

/// Versions change places, at random times.
#[derive(Clone, Debug)]
pub(crate) struct Rollout {
    pub(crate) other: Other,
    changes: Vec<Change>,
}

/// Somebody deploys the other of both versions, or goes back to it.
#[derive(Clone, Debug)]
struct Change {
    /// Seconds after the beginning.
    at: u64,
    /// For how many seconds both are at work.
    lasts: u64,
}

/// Changes are made within this time.
const CHANGING: u64 = 3 * DAY;

impl Rollout {
    /// A third of all histories have one. It is drawn by itself, so that those that have none are what
    /// they were before there were any.
    pub(crate) fn drawn(seed: u64) -> Option<Self> {
        let mut dice = dice(seed);
        match dice.u32(..6) {
            0 => Some(Self::from_earlier(seed)),
            1 => Some(Self::of(Other::Later, dice.usize(1..=4), &mut dice)),
            _ => None,
        }
    }

    /// This version is deployed in place of an earlier one, and perhaps again after somebody went back.
    pub(crate) fn from_earlier(seed: u64) -> Self {
        let mut dice = dice(seed);
        let changes = [1, 1, 3][dice.usize(..3)];
        Self::of(Other::Earlier, changes, &mut dice)
    }

    fn of(other: Other, changes: usize, dice: &mut Rng) -> Self {
        let mut changes: Vec<_> = (0..changes)
            .map(|_| Change {
                at: dice.u64(..CHANGING),
                lasts: dice.u64(MINUTE..30 * MINUTE),
            })
            .collect();
        changes.sort_by_key(|change| change.at);
        Self { other, changes }
    }

    /// Whether what is invoked at a time is of the other version. An earlier one is gone in the end.
    pub(crate) fn is_other_at_work(&self, now: u64, is_settling: bool, dice: &mut Rng) -> bool {
        if is_settling && self.other == Other::Earlier {
            return false;
        }
        let mut made = self.changes.iter().filter(|change| change.at <= now);
        let is_first = made.clone().count() % 2 == 0;
        let is_changing = made.next_back().is_some_and(|it| now < it.at + it.lasts);
        match is_changing {
            true => dice.bool(),
            false => is_first == (self.other == Other::Earlier),
        }
    }
}

fn dice(seed: u64) -> Rng {
    Rng::with_seed(seed.rotate_left(16))
}

impl fmt::Display for Rollout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = self.changes.iter().map(|Change { at, lasts }| {
            let (at, lasts) = (clock(*at), clock(*lasts));
            format!("at {at}, which takes {lasts}")
        });
        let changes = changes.collect::<Vec<_>>().join("; ");
        match self.other {
            Other::Earlier => write!(
                f,
                "An earlier version is at work first. They change {changes}."
            ),
            Other::Later => write!(f, "A later version comes. They change {changes}."),
        }
    }
}
