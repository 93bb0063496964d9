//! Refunds.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::description::complete;
use crate::engine::ids::{BalanceTransactionId, ChargeId, PaymentIntentId, RefundId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::{DAY, Timestamp};

/// One way of money back to the buyer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: RefundId,
    pub(crate) created: Timestamp,
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) charge: ChargeId,
    pub(crate) payment_intent: Option<PaymentIntentId>,
    pub(crate) reason: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) status: RefundStatus,
    /// The money that moved; none does when what was set aside is released.
    pub(crate) balance_transaction: Option<BalanceTransactionId>,
    /// What became of money that did not arrive.
    pub(crate) failure: Option<RefundFailure>,
    pub(crate) destination: Destination,
    /// The number by which the buyer's bank finds the refund, once there is one.
    pub(crate) reference: Option<String>,
    /// Where Stripe asks the buyer for an account to send the money to.
    pub(crate) email: Option<String>,
    /// When the bank decides, and what; or when it has a number for what has succeeded.
    pub(crate) decided: Option<(Timestamp, RefundStatus)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundStatus {
    Pending,
    RequiresAction,
    Succeeded,
    Canceled,
    Failed,
}

impl RefundStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::RequiresAction => "requires_action",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RefundFailure {
    pub(crate) reason: String,
    pub(crate) balance_transaction: BalanceTransactionId,
}

/// Stripe's name of the way the money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Destination {
    Card,
    UsBankTransfer,
    EuBankTransfer,
    GbBankTransfer,
}

impl Refund {
    fn destination_details(&self) -> Value {
        let status = match self.reference {
            Some(_) => "available",
            None => "pending",
        };
        let by_bank = |kind: &str| {
            json!({
                "type": kind,
                kind: { "reference": self.reference, "reference_status": status },
            })
        };
        match (self.destination, &self.reference) {
            (Destination::Card, Some(reference)) => json!({
                "type": "card",
                "card": {
                    "reference": reference,
                    "reference_status": status,
                    "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
            }),
            (Destination::Card, None) => json!({
                "type": "card",
                "card": {
                    "reference_status": status,
                    "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
            }),
            (Destination::UsBankTransfer, _) => by_bank("us_bank_transfer"),
            (Destination::EuBankTransfer, _) => by_bank("eu_bank_transfer"),
            (Destination::GbBankTransfer, _) => by_bank("gb_bank_transfer"),
        }
    }
}

impl Object for Refund {
    const KIND: &'static str = "refund";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.decided.map(|(at, _)| at)
    }

    fn answer(&self) -> Value {
        let mut answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "amount": self.amount,
            "balance_transaction": self.balance_transaction,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "destination_details": self.destination_details(),
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "reason": self.reason,
            "status": self.status,
        });
        // These are there only while they mean something.
        if let Value::Object(fields) = &mut answer {
            let mut add = |field: &str, value: Value| {
                fields.insert(field.to_owned(), value);
            };
            if let Some(failure) = &self.failure {
                add("failure_reason", json!(failure.reason));
                add(
                    "failure_balance_transaction",
                    json!(failure.balance_transaction),
                );
            }
            match self.status {
                RefundStatus::Pending => add("pending_reason", json!("processing")),
                RefundStatus::RequiresAction => {
                    let asked = json!({
                        "type": "display_details",
                        "display_details": {
                            "email_sent": {
                                "email_sent_at": self.created,
                                "email_sent_to": self.email.as_deref().unwrap_or_default(),
                            },
                            "expires_at": self.created.saturating_add(45 * DAY),
                        },
                    });
                    add("next_action", asked);
                }
                RefundStatus::Succeeded | RefundStatus::Canceled | RefundStatus::Failed => {}
            }
        }
        complete(Self::KIND, answer)
    }
}
