//! What a run found.

use serde::Serialize;
use shared::{purchase::Subject, standing::Standing, view::by_kind};

/// What a run found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Findings {
    /// Events looked at.
    pub events: u64,
    /// Purchases, subscriptions and invoices compared with Stripe.
    pub purchases: u64,
    /// How much had been missed, and is now recorded unless it was a dry run.
    pub found: u64,
    /// Events that had to be parked.
    pub parked: u64,
    /// How much could not be checked, and will be the next time.
    pub failed: u64,
    /// Whether everything was checked.
    pub complete: bool,
    /// What was found, one by one.
    pub drift: Vec<Drift>,
}

/// Something that had been missed.
#[derive(Clone, Debug, Serialize)]
pub struct Drift {
    /// The event or object that says so.
    pub source: String,
    /// What it is about; in JSON `"purchase": "<id>"`, `"subscription": "<id>"`, and for an invoice
    /// both `"subscription"` and `"invoice"`.
    #[serde(flatten, serialize_with = "by_kind")]
    pub subject: Subject,
    /// The subject's status once it is recorded.
    pub status: Standing,
    /// What was done or, in a dry run, would be.
    pub action: &'static str,
}
