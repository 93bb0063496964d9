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

impl Sums {
    /// Whether what was paid is what the goods cost, so that there is nothing to tell.
    pub(crate) fn are_only_goods(&self) -> bool {
        let Self {
            subtotal: _,
            discount,
            shipping,
            tax,
        } = *self;
        [discount, shipping, tax] == [0; 3]
    }
}

fn is_nothing(amount: &i64) -> bool {
    *amount == 0
}
