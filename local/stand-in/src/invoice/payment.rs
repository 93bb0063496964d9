//! Invoice payments: which payment intents pay an invoice.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::ids::{InvoiceId, PaymentIntentId};
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;

/// A payment intent that pays an invoice, or is to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InvoicePayment {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) invoice: InvoiceId,
    pub(crate) intent: PaymentIntentId,
    pub(crate) amount_requested: Amount,
    pub(crate) currency: Currency,
    /// Made with the invoice, and not attached to it later.
    pub(crate) is_default: bool,
    pub(crate) status: PaymentStatus,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentStatus {
    Open,
    Paid { amount: Amount, at: Timestamp },
    Canceled { at: Timestamp },
}

impl PaymentStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid { .. } => "paid",
            Self::Canceled { .. } => "canceled",
        }
    }
}

impl Object for InvoicePayment {
    const KIND: &'static str = "invoice_payment";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let (paid, paid_at, canceled_at) = match self.status {
            PaymentStatus::Open => (None, None, None),
            PaymentStatus::Paid { amount, at } => (Some(amount), Some(at), None),
            PaymentStatus::Canceled { at } => (None, None, Some(at)),
        };
        json!({
            "id": self.id,
            "object": Self::KIND,
            "amount_paid": paid,
            "amount_requested": self.amount_requested,
            "created": self.created,
            "currency": self.currency,
            "invoice": self.invoice,
            "is_default": self.is_default,
            "livemode": false,
            "payment": { "payment_intent": self.intent, "type": "payment_intent" },
            "status": self.status.as_str(),
            "status_transitions": { "canceled_at": canceled_at, "paid_at": paid_at },
        })
    }
}
