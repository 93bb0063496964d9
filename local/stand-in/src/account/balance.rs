//! Balance transactions: what each payment, refund, dispute and payout does to the account's money.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::ids::BalanceTransactionId;
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;

/// One movement of the account's money, in the currency that the account settles in. A
/// payment's is available after some days.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BalanceTransaction {
    pub(crate) id: BalanceTransactionId,
    pub(crate) created: Timestamp,
    /// What comes in; negative goes out.
    pub(crate) amount: Amount,
    /// What Stripe keeps of it, or takes besides.
    pub(crate) fee: Amount,
    pub(crate) exchange_rate: Option<f64>,
    pub(crate) entry: Entry,
    pub(crate) available_on: Timestamp,
    pub(crate) pending: bool,
    /// The charge, refund, dispute or payout it comes from.
    pub(crate) source: String,
    pub(crate) description: Option<String>,
}

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    Charge,
    Refund,
    RefundFailure,
    Dispute,
    DisputeReversal,
    Payout,
    PayoutCancel,
    PayoutFailure,
    /// A payout that has arrived comes back.
    PayoutReversal,
}

impl Entry {
    /// Stripe's type of the transaction, and the category its reports put it in.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Charge => ("charge", "charge"),
            Self::Refund => ("refund", "refund"),
            Self::RefundFailure => ("refund_failure", "refund_failure"),
            Self::Dispute => ("adjustment", "dispute"),
            Self::DisputeReversal => ("adjustment", "dispute_reversal"),
            Self::Payout => ("payout", "payout"),
            Self::PayoutCancel => ("payout_cancel", "payout_reversal"),
            Self::PayoutFailure => ("payout_failure", "payout_reversal"),
            Self::PayoutReversal => ("payout", "payout_reversal"),
        }
    }

    fn fee_description(self) -> &'static str {
        match self {
            Self::Dispute => "Dispute fee",
            _ => "Stripe processing fees",
        }
    }
}

impl BalanceTransaction {
    pub(crate) fn net(&self) -> Amount {
        self.amount.minus(self.fee)
    }
}

impl Object for BalanceTransaction {
    const KIND: &'static str = "balance_transaction";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.pending.then_some(self.available_on)
    }

    fn answer(&self) -> Value {
        let (kind, category) = self.entry.names();
        let fees = (self.fee != Amount::ZERO).then(|| {
            json!({
                "amount": self.fee,
                "application": null,
                "currency": Currency::SETTLEMENT,
                "description": self.entry.fee_description(),
                "type": "stripe_fee",
            })
        });
        json!({
            "id": self.id,
            "object": Self::KIND,
            "amount": self.amount,
            "available_on": self.available_on,
            "balance_type": "payments",
            "created": self.created,
            "currency": Currency::SETTLEMENT,
            "description": self.description,
            "exchange_rate": self.exchange_rate,
            "fee": self.fee,
            "fee_details": Vec::from_iter(fees),
            "net": self.net(),
            "reporting_category": category,
            "source": self.source,
            "status": if self.pending { "pending" } else { "available" },
            "type": kind,
        })
    }
}
