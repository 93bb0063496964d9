//! Payouts as the API shows them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::description::complete;
use crate::engine::ids::{BalanceTransactionId, BankAccountId, PayoutId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;
use crate::payout::bank_account::Failure;

/// Money on its way to a bank; a negative amount comes back from there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payout {
    pub(crate) id: PayoutId,
    pub(crate) created: Timestamp,
    pub(crate) amount: Amount,
    pub(crate) description: Option<String>,
    pub(crate) destination: BankAccountId,
    pub(crate) metadata: Metadata,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) state: PayoutState,
    pub(crate) arrival_date: Timestamp,
    pub(crate) balance_transaction: BalanceTransactionId,
    /// How the money came back that did not get there.
    pub(crate) failure_balance_transaction: Option<BalanceTransactionId>,
    /// The payout that this one takes back.
    pub(crate) original_payout: Option<PayoutId>,
    pub(crate) reversed_by: Option<PayoutId>,
}

/// How far a payout has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PayoutState {
    /// The bank hears of it at this moment.
    Pending {
        until: Timestamp,
    },
    InTransit,
    Paid,
    Failed(Failure),
    Canceled,
}

impl PayoutState {
    /// Stripe's word for it.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::InTransit => "in_transit",
            Self::Paid => "paid",
            Self::Failed(_) => "failed",
            Self::Canceled => "canceled",
        }
    }
}

impl Payout {
    fn failure(&self) -> Option<&Failure> {
        match &self.state {
            PayoutState::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// What the bank calls it, once it has heard of it.
    fn trace_id(&self) -> Value {
        let status = match self.state {
            PayoutState::Pending { .. } | PayoutState::InTransit => "pending",
            _ => "unsupported",
        };
        json!({ "status": status, "value": null })
    }
}

impl Object for Payout {
    const KIND: &'static str = "payout";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        match self.state {
            PayoutState::Pending { until } => Some(until),
            PayoutState::InTransit => Some(self.arrival_date),
            PayoutState::Paid | PayoutState::Failed(_) | PayoutState::Canceled => None,
        }
    }

    fn answer(&self) -> Value {
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "amount": self.amount,
            "arrival_date": self.arrival_date,
            "automatic": false,
            "balance_transaction": self.balance_transaction,
            "created": self.created,
            "currency": Currency::SETTLEMENT,
            "description": self.description,
            "destination": self.destination,
            "failure_balance_transaction": self.failure_balance_transaction,
            "failure_code": self.failure().map(|it| &it.code),
            "failure_message": self.failure().map(|it| &it.message),
            "livemode": false,
            "metadata": self.metadata,
            "method": "standard",
            "original_payout": self.original_payout,
            "reconciliation_status": "not_applicable",
            "reversed_by": self.reversed_by,
            "source_type": "card",
            "statement_descriptor": self.statement_descriptor,
            "status": self.state.as_str(),
            "trace_id": self.trace_id(),
            "type": "bank_account",
        });
        complete(Self::KIND, answer)
    }
}
