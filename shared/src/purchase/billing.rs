//! What Stripe is to do for a purchase besides taking the money.

use serde::{Deserialize, Serialize};

/// As the shop's settings want it, frozen with each order. By default it is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// Reckon the tax, by where the buyer lives or has it sent to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic_tax: bool,
    /// Write an invoice of what is bought once. What recurs has invoices anyway.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invoice: bool,
}

impl Billing {
    /// Whether there is nothing to do.
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
