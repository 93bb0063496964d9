//! Reviews.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::description::complete;
use crate::engine::ids::{ChargeId, PaymentIntentId, ReviewId};
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;

/// A payment that somebody should look at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Review {
    pub(crate) id: ReviewId,
    pub(crate) created: Timestamp,
    pub(crate) charge: ChargeId,
    pub(crate) payment_intent: Option<PaymentIntentId>,
    pub(crate) billing_zip: Option<String>,
    /// Nothing while it is open.
    pub(crate) closed: Option<Closed>,
}

/// How a review ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Closed {
    Approved,
    Refunded,
    RefundedAsFraud,
    Disputed,
}

impl Object for Review {
    const KIND: &'static str = "review";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let reason = match self.closed {
            None => json!("rule"),
            Some(closed) => json!(closed),
        };
        let mut answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "billing_zip": self.billing_zip,
            "charge": self.charge,
            "closed_reason": self.closed,
            "created": self.created,
            "livemode": false,
            "open": self.closed.is_none(),
            "opened_reason": "rule",
            "reason": reason,
        });
        if let (Value::Object(fields), Some(intent)) = (&mut answer, &self.payment_intent) {
            fields.insert("payment_intent".to_owned(), json!(intent));
        }
        complete(Self::KIND, answer)
    }
}
