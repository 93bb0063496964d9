//! Money that goes back to a buyer, through Stripe. The purchase or invoice itself changes when Stripe's
//! event is recorded, as it does for a refund made in Stripe's dashboard.

mod paid;
mod payment;

use anyhow::bail;
use shared::money::Money;
use shared::stripe::client::{Client as Stripe, StripeError};

pub use self::paid::Paid;
use self::payment::KEY;
pub use self::payment::{AmountError, Made, Payment};
use crate::shop::{Refused, Shop};

/// What Stripe takes as a reason.
pub const REASONS: [&str; 3] = ["requested_by_customer", "duplicate", "fraudulent"];

/// How much is to go back, and what Stripe is told of it.
pub struct Asked<'r> {
    /// How much.
    pub amount: Money,
    /// One of [`REASONS`].
    pub reason: Option<&'r str>,
    /// Under which it goes back once, however often it is asked for.
    pub key: Key<'r>,
}

/// An idempotency key.
#[derive(Clone, Copy)]
pub enum Key<'k> {
    /// Chosen by whoever asks, and kept on the refund.
    Own(&'k str),
    /// The payment's ([`Payment::key_for`]). Stripe repeats under the same key that it has failed, so it
    /// depends on how many times it has.
    OfPayment {
        /// How many.
        failed_before: u32,
    },
}

impl Asked<'_> {
    /// Makes the refund at Stripe.
    pub async fn make(
        &self,
        stripe: &Stripe,
        shop: &Shop,
        bought: &Paid,
        payment: &Payment,
    ) -> anyhow::Result<Made> {
        let (minor, id) = (self.amount.amount.to_string(), bought.id());
        let stack = shop.environment.stack()?;
        let mut form = vec![
            ("payment_intent", payment.intent.as_str()),
            ("amount", &minor),
        ];
        match bought {
            Paid::Purchase(_) => form.extend([
                ("metadata[purchase_id]", id.as_str()),
                ("metadata[till_stack]", stack.tag()),
            ]),
            // Our tags would say that it belongs to a purchase.
            Paid::Invoice(_) => form.push(("metadata[invoice_id]", &id)),
        }
        if let Some(reason) = self.reason {
            if !REASONS.contains(&reason) {
                let reasons = REASONS.join(", ");
                bail!(Refused(format!(
                    "{reason:?} is not a reason that Stripe takes: {reasons}"
                )));
            }
            form.push(("reason", reason));
        }
        let key_of_refund = format!("metadata[{KEY}]");
        let key = match self.key {
            Key::Own(key) => {
                form.push((&key_of_refund, key));
                format!("till-refund:{}:{key}", bought.id())
            }
            Key::OfPayment { failed_before } => payment.key_for(self.amount, failed_before),
        };
        let made = stripe.post("/refunds", &form, &key).await;
        made.map_err(|error| match &error {
            StripeError::Refused { .. } => anyhow::Error::from(error),
            StripeError::Failed(_) => anyhow::Error::from(error).context(
                "check in Stripe whether the refund was made; Stripe repeats this answer for a \
                 day, so use another key to try again",
            ),
            _ => anyhow::Error::from(error).context(
                "nobody knows yet whether the refund was made: ask for it again, which counts \
                 what was refunded before it asks Stripe",
            ),
        })
    }
}
