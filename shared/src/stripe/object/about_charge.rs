//! Refunds and disputes, which are about a charge.

use serde::Deserialize;
use serde_json::Value;

use super::{Expandable, Unreadable};
use crate::{
    money::{Currency, Money},
    purchase::{
        ChargeId, DisputeId, DisputeReport, DisputeStatus, DisputeTerms, Movement, PaymentChange,
        PaymentIntentId, Refund, RefundId, RefundState, TransactionId,
    },
};

/// A refund or a dispute. It is about a charge, and does not carry our tags.
#[derive(Debug)]
pub struct AboutCharge {
    /// What it says.
    pub change: PaymentChange,
    /// The payment intent by which the money was paid.
    pub payment_intent: Option<PaymentIntentId>,
    /// The charge of that payment intent.
    pub charge: Option<ChargeId>,
}

#[derive(Deserialize)]
struct RefundObject {
    id: RefundId,
    amount: i64,
    currency: Currency,
    /// `null` means that Stripe has not decided yet.
    status: Option<RefundState>,
    payment_intent: Option<Expandable<PaymentIntentId>>,
    charge: Option<Expandable<ChargeId>>,
}

#[derive(Deserialize)]
struct DisputeObject {
    id: DisputeId,
    amount: i64,
    currency: Currency,
    status: DisputeStatus,
    reason: String,
    payment_intent: Option<Expandable<PaymentIntentId>>,
    charge: Option<Expandable<ChargeId>>,
    balance_transactions: Vec<TransactionObject>,
    evidence_details: EvidenceDetails,
}

#[derive(Deserialize)]
struct TransactionObject {
    id: TransactionId,
    amount: i64,
    fee: i64,
    currency: Currency,
}

#[derive(Deserialize)]
struct EvidenceDetails {
    due_by: Option<i64>,
}

impl AboutCharge {
    /// Reads a refund.
    pub fn refund(object: Value) -> Result<Self, Unreadable> {
        let object: RefundObject = read(object, &["status"])?;
        let refund = Refund {
            state: object.status.unwrap_or(RefundState::Pending),
            amount: Money::new(object.amount, object.currency),
        };
        Ok(Self {
            change: PaymentChange::Refund(object.id, refund),
            payment_intent: object.payment_intent.map(Expandable::into_id),
            charge: object.charge.map(Expandable::into_id),
        })
    }

    /// Reads a dispute.
    pub fn dispute(object: Value) -> Result<Self, Unreadable> {
        let object: DisputeObject = read(object, &[])?;
        let transactions = object.balance_transactions.into_iter();
        let report = DisputeReport {
            status: object.status,
            terms: DisputeTerms {
                amount: Money::new(object.amount, object.currency),
                reason: object.reason,
                // Zero means that the bank accepts no evidence.
                due_by: object.evidence_details.due_by.filter(|due_by| *due_by > 0),
            },
            movements: transactions
                .map(|transaction| {
                    let movement = Movement {
                        amount: Money::new(transaction.amount, transaction.currency),
                        fee: transaction.fee,
                    };
                    (transaction.id, movement)
                })
                .collect(),
        };
        Ok(Self {
            change: PaymentChange::Dispute(object.id, report),
            payment_intent: object.payment_intent.map(Expandable::into_id),
            charge: object.charge.map(Expandable::into_id),
        })
    }

    /// The id of the refund or dispute.
    pub fn id(&self) -> &str {
        match &self.change {
            PaymentChange::Refund(id, _) => id.as_str(),
            PaymentChange::Dispute(id, _) => id.as_str(),
            PaymentChange::ChargeRefunded(_) => "",
        }
    }
}

/// Reads an object that is about a charge. `null` means that there is no payment intent; a missing
/// member means nothing, and an object whose owner cannot be found must not be taken for a foreign
/// one. `also` are other members that may be `null`, but not missing.
fn read<T: for<'de> Deserialize<'de>>(object: Value, also: &[&str]) -> Result<T, Unreadable> {
    for field in ["payment_intent", "charge"].iter().chain(also) {
        if object.get(field).is_none() {
            return Err(Unreadable(format!("{field} is missing")));
        }
    }
    Ok(serde_json::from_value(object)?)
}
