//! Refunds.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::description::complete;
use crate::engine::ids::{BalanceTransactionId, ChargeId, CustomerId, PaymentIntentId, RefundId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::{DAY, Timestamp};

/// How long somebody has to say where the money is to go:
/// <https://docs.stripe.com/payments/customer-balance/refunding>.
pub(crate) const ANSWERED_WITHIN: Timestamp = 45 * DAY;

/// One way of money back to the buyer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: RefundId,
    pub(crate) created: Timestamp,
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    #[serde(flatten)]
    pub(crate) of: Of,
    pub(crate) reason: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) status: RefundStatus,
    /// What moved of the account's money. Nothing does when what was set aside is released, or when
    /// the money was still the customer's.
    pub(crate) balance_transaction: Option<BalanceTransactionId>,
    /// What became of money that did not arrive.
    pub(crate) failure: Option<RefundFailure>,
    pub(crate) destination: Destination,
    /// The number by which the buyer's bank finds the refund, once there is one.
    pub(crate) reference: Option<String>,
    /// Where Stripe asks the buyer for an account to send the money to.
    pub(crate) email: Option<String>,
    /// Stripe has to ask: the money has no way back by itself.
    #[serde(default)]
    pub(crate) asks: bool,
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

/// Which money goes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Of {
    Payment {
        charge: ChargeId,
        payment_intent: Option<PaymentIntentId>,
    },
    /// What a customer has transferred, and no payment has used.
    CashBalance { customer: CustomerId },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RefundFailure {
    pub(crate) reason: String,
    /// Nothing if the account's own money had not moved.
    pub(crate) balance_transaction: Option<BalanceTransactionId>,
}

/// Stripe's name of the way the money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Destination {
    Card,
    BrBankTransfer,
    EuBankTransfer,
    GbBankTransfer,
    JpBankTransfer,
    MxBankTransfer,
    Multibanco,
    UsBankTransfer,
}

impl Destination {
    /// The bank transfer that brings money in this currency.
    pub(crate) fn transfer_in(currency: Currency) -> Self {
        match currency.code() {
            "brl" => Self::BrBankTransfer,
            "eur" => Self::EuBankTransfer,
            "gbp" => Self::GbBankTransfer,
            "jpy" => Self::JpBankTransfer,
            "mxn" => Self::MxBankTransfer,
            _ => Self::UsBankTransfer,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::BrBankTransfer => "br_bank_transfer",
            Self::EuBankTransfer => "eu_bank_transfer",
            Self::GbBankTransfer => "gb_bank_transfer",
            Self::JpBankTransfer => "jp_bank_transfer",
            Self::MxBankTransfer => "mx_bank_transfer",
            Self::Multibanco => "multibanco",
            Self::UsBankTransfer => "us_bank_transfer",
        }
    }
}

impl Refund {
    /// Whether the money was only set aside.
    pub(crate) fn is_release(&self) -> bool {
        self.balance_transaction.is_none() && matches!(self.of, Of::Payment { .. })
    }

    fn destination_details(&self) -> Value {
        let status = match self.reference {
            Some(_) => "available",
            None => "pending",
        };
        let kind = self.destination.as_str();
        let details = match (self.destination, &self.reference) {
            (Destination::Card, Some(reference)) => json!({
                "reference": reference,
                "reference_status": status,
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            }),
            (Destination::Card, None) => json!({
                "reference_status": status,
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            }),
            (_, reference) => json!({ "reference": reference, "reference_status": status }),
        };
        json!({ "type": kind, kind: details })
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
        let (charge, intent, customer) = match &self.of {
            Of::Payment {
                charge,
                payment_intent,
            } => (Some(charge), payment_intent.as_ref(), None),
            Of::CashBalance { customer } => (None, None, Some(customer)),
        };
        let mut answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "amount": self.amount,
            "balance_transaction": self.balance_transaction,
            "charge": charge,
            "created": self.created,
            "currency": self.currency,
            "customer": customer,
            "destination_details": self.destination_details(),
            "metadata": self.metadata,
            "payment_intent": intent,
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
                if let Some(entry) = &failure.balance_transaction {
                    add("failure_balance_transaction", json!(entry));
                }
            }
            if let Some(email) = self.email.as_ref().filter(|_| self.asks) {
                add("instructions_email", json!(email));
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
                            "expires_at": self.created.saturating_add(ANSWERED_WITHIN),
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
