//! How what was paid comes about.

use serde::{Deserialize, Serialize};

/// From what the goods cost to what was paid, as Stripe reckons it: in minor units of the currency
/// that was paid in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sums {
    /// What the goods cost at the order's prices.
    pub subtotal: i64,
    /// How much of that a promotion took off.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub discount: i64,
    /// What shipping cost.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub shipping: i64,
    /// What of it is tax, whether it came on top or was in the prices.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub tax: i64,
}

fn is_nothing(amount: &i64) -> bool {
    *amount == 0
}
