//! Trials: how long a subscription is free at first.

use serde::{Deserialize, Serialize};

use crate::engine::time::{DAY, Timestamp};
use crate::wire::errors::ApiError;

/// The longest that Stripe lets a trial be, in days.
pub(crate) const LONGEST: i64 = 730;

/// Refuses an end of a trial that is past, or too far away.
pub(crate) fn check_end(end: Timestamp, now: Timestamp) -> Result<(), ApiError> {
    let refuse = |message: &str| Err(ApiError::invalid(message).param("trial_end"));
    if end <= now {
        return refuse("Invalid timestamp: must be an integer Unix timestamp in the future.");
    }
    if end > Trial::Days(LONGEST).until(now) {
        return refuse("Invalid timestamp: can be no more than 730 days in the future.");
    }
    Ok(())
}

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
