//! Money that goes back to the buyer.

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// One refund. Ordered by how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Refund {
    /// How far it has come.
    pub state: RefundState,
    /// How much goes back.
    pub amount: Money,
}

/// How far a refund has come, the furthest last: one that succeeded can still fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// On its way.
    Pending,
    /// Waiting for the buyer to say where the money should go.
    RequiresAction,
    /// The buyer has the money, or will have it in a few days.
    Succeeded,
    /// Called off before the money left.
    Canceled,
    /// The buyer's bank sent the money back.
    Failed,
}

impl RefundState {
    /// Whether it is not over yet.
    pub fn is_unfinished(self) -> bool {
        matches!(self, Self::Pending | Self::RequiresAction)
    }
}
