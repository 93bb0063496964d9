//! Charges.

use serde::Deserialize;

use super::{Expandable, Tags};
use crate::{
    money::{Currency, Money},
    purchase::PaymentIntentId,
};

/// A charge. Its metadata is a copy of its payment intent's.
#[derive(Deserialize)]
pub struct Charge {
    /// The metadata that we put on its payment intent.
    #[serde(default)]
    pub metadata: Tags,
    amount_refunded: i64,
    currency: Currency,
    payment_intent: Option<Expandable<PaymentIntentId>>,
}

impl Charge {
    /// The payment intent that made it.
    pub fn payment_intent(&self) -> Option<PaymentIntentId> {
        self.payment_intent.clone().map(Expandable::into_id)
    }

    /// How much of it was refunded in total.
    pub fn refunded(&self) -> Money {
        Money::new(self.amount_refunded, self.currency)
    }
}
