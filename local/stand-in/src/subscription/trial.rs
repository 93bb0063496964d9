//! Trials: how long a subscription is free at first.

use serde::{Deserialize, Serialize};

use crate::engine::time::{DAY, Timestamp};

/// The longest that Stripe lets a trial be, in days.
pub(crate) const LONGEST: i64 = 730;

/// How long a subscription is free at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trial {
    Days(i64),
    Until(Timestamp),
}

impl Trial {
    /// When it ends, if it begins now.
    pub(crate) fn until(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Days(days) => now.saturating_add(days.saturating_mul(DAY)),
            Self::Until(end) => end,
        }
    }
}
