//! What other systems are told about a subscription.

use serde::{Deserialize, Serialize};

use super::{Reading, SubscriptionStatus};

/// What became of a subscription, by a reading and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnKind {
    /// It has begun.
    Started,
    /// It stands in another way: renewed, behind, cancelled for later, with another plan.
    Changed,
    /// It is over.
    Ended,
}

/// The latest of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// What it was.
    pub kind: TurnKind,
    /// The version that came with it.
    pub version: u64,
    /// When it was recorded, in Unix seconds.
    pub at: i64,
    /// The one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<(TurnKind, u64)>,
}

impl TurnKind {
    /// The second half of an event's type.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Changed => "changed",
            Self::Ended => "ended",
        }
    }

    /// What a reading says that the one `before` it did not. A subscription whose first payment was
    /// never made has not begun, so it does not end either.
    pub(super) fn of(before: Option<&Reading>, now: &Reading) -> Option<Self> {
        use SubscriptionStatus::{Canceled, Incomplete, IncompleteExpired};
        let has_begun =
            |reading: &&Reading| !matches!(reading.status, Incomplete | IncompleteExpired);
        let known = before.filter(has_begun);
        if !has_begun(&now) || known == Some(now) {
            return None;
        }
        match (known, now.status) {
            (Some(before), Canceled) if before.status == Canceled => None,
            (_, Canceled) => Some(Self::Ended),
            (None, _) => Some(Self::Started),
            (Some(_), _) => Some(Self::Changed),
        }
    }
}

impl Turn {
    /// Unique among those of one subscription.
    pub fn name(&self) -> String {
        name((self.kind, self.version))
    }

    /// The name of the one before it.
    pub fn before(&self) -> Option<String> {
        self.before.map(name)
    }
}

fn name((kind, version): (TurnKind, u64)) -> String {
    format!("{}#{version}", kind.verb())
}
