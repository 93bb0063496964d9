//! Early fraud warnings.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::ids::{ChargeId, PaymentIntentId};
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;

/// An issuer's word that a payment may be fraud, before anybody has disputed it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EarlyFraudWarning {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) charge: ChargeId,
    pub(crate) payment_intent: Option<PaymentIntentId>,
    pub(crate) fraud_type: String,
    /// A refund can still avert a dispute.
    pub(crate) actionable: bool,
}

impl Object for EarlyFraudWarning {
    const KIND: &'static str = "radar.early_fraud_warning";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let mut answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "actionable": self.actionable,
            "charge": self.charge,
            "created": self.created,
            "fraud_type": self.fraud_type,
            "livemode": false,
        });
        if let (Value::Object(fields), Some(intent)) = (&mut answer, &self.payment_intent) {
            fields.insert("payment_intent".to_owned(), json!(intent));
        }
        answer
    }
}
