//! The Checkout sessions of a purchase.

use serde::{Deserialize, Serialize};

use super::{Delivery, InvoiceId, PaymentIntentId, SubscriptionId, Sums};
use crate::money::Money;

/// How far one Checkout session has come. Variants are in order of precedence: whatever comes in,
/// in whichever order, the furthest holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SessionState {
    /// Waiting for the buyer.
    Open,
    /// Over, because Stripe says so; never concluded from our own clock.
    Expired,
    /// Completed with a delayed payment method.
    Pending {
        /// Who has to do something before the money comes.
        #[serde(default, skip_serializing_if = "WaitsFor::is_unknown")]
        waits_for: WaitsFor,
    },
    /// The delayed payment failed.
    Failed,
    /// Paid, or there was nothing to pay.
    Settled {
        /// How much, in which currency.
        amount: Money,
        /// By which payment intent; `None` if there was nothing to pay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment_intent: Option<PaymentIntentId>,
        /// The subscription that began with it, whose first invoice has the payment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subscription: Option<SubscriptionId>,
        /// That invoice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invoice: Option<InvoiceId>,
        /// How the amount comes about; `None` if it is only what the goods cost, and in facts from
        /// before this was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sums: Option<Sums>,
        /// Where it is delivered to, if the buyer was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivery: Option<Box<Delivery>>,
    },
}

impl SessionState {
    /// A delayed payment about which nothing more is known.
    pub const PENDING: Self = Self::Pending {
        waits_for: WaitsFor::Unknown,
    };
}

/// What a delayed payment waits for. Ordered by how much is known and how far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum WaitsFor {
    /// Not known yet.
    #[default]
    Unknown,
    /// The buyer still has to pay, with a voucher (OXXO, Boleto, Konbini, Multibanco) or a
    /// transfer.
    Buyer {
        /// Stripe's page with the voucher or the instructions, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voucher_url: Option<String>,
    },
    /// The money is on its way, as with a bank debit.
    Bank,
}

impl WaitsFor {
    /// Whether Stripe has to be asked.
    pub fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}
