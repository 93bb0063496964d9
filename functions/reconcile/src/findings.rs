//! What a run found.

use serde::Serialize;
use shared::purchase::{PurchaseId, Status};

/// What a run found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Findings {
    /// Events looked at.
    pub events: u64,
    /// Purchases compared with Stripe.
    pub purchases: u64,
    /// Things that had been missed.
    pub found: u64,
    /// Those among them that are recorded now.
    pub repaired: u64,
    /// Events among them that had to be parked.
    pub parked: u64,
    /// What could not be looked at, and will be the next time.
    pub failed: u64,
    /// Whether everything was looked at.
    pub complete: bool,
    /// What had been missed, one by one.
    pub drift: Vec<Drift>,
}

/// Something that had been missed.
#[derive(Clone, Debug, Serialize)]
pub struct Drift {
    /// The event or object that tells it.
    pub source: String,
    /// The purchase, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase: Option<PurchaseId>,
    /// How the purchase stands with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What was, or would be, done.
    pub action: &'static str,
}
