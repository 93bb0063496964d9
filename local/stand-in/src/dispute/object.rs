//! Disputes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::balance::BalanceTransaction;
use crate::account::currency::Currency;
use crate::engine::ids::{ChargeId, DisputeId, PaymentIntentId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;

/// What a shop can say in its defence.
pub(crate) const EVIDENCE: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

/// Of [`EVIDENCE`], what is a file.
pub(super) const FILES: &[&str] = &[
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
];

/// A charge that the buyer contests with their bank.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Dispute {
    pub(crate) id: DisputeId,
    pub(crate) created: Timestamp,
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) charge: ChargeId,
    pub(crate) payment_intent: Option<PaymentIntentId>,
    pub(crate) kind: DisputeKind,
    pub(crate) reason: String,
    pub(crate) case_type: String,
    pub(crate) enhanced: Option<String>,
    pub(crate) status: DisputeStatus,
    /// The card's brand; a bank debit has none.
    pub(crate) brand: Option<String>,
    pub(crate) evidence: BTreeMap<String, String>,
    pub(crate) submissions: u32,
    pub(crate) due_by: Timestamp,
    pub(crate) past_due: bool,
    /// The buyer has all of it back already.
    pub(crate) charge_refunded: bool,
    /// Money withdrawn, and money given back.
    pub(crate) entries: Vec<BalanceTransaction>,
    pub(crate) metadata: Metadata,
}

/// How far a dispute has gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeKind {
    /// The bank takes the money first and asks then.
    #[default]
    Chargeback,
    /// The bank only asks.
    Inquiry,
    /// Settled by the card network's programmes before it became a chargeback.
    Prevented,
}

/// How a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeStatus {
    /// An inquiry that the shop has not answered.
    WarningNeedsResponse,
    /// An inquiry that the bank considers.
    WarningUnderReview,
    /// An inquiry that came to nothing.
    WarningClosed,
    /// A network's programme has settled it before any money moved.
    Prevented,
    /// A chargeback that the shop has not answered.
    NeedsResponse,
    /// A chargeback that the bank considers.
    UnderReview,
    /// The money is back.
    Won,
    /// The money is gone.
    Lost,
}

impl DisputeStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::Prevented => "prevented",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// An inquiry that may still become a chargeback.
    pub(crate) fn is_open_inquiry(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview)
    }

    /// The money is with the buyer's bank, so it cannot be refunded.
    pub(crate) fn holds_the_money(self) -> bool {
        matches!(self, Self::NeedsResponse | Self::UnderReview | Self::Lost)
    }
}

impl Dispute {
    fn payment_method_details(&self) -> Option<Value> {
        // Visa's codes: the test cards that dispute are all of that brand.
        let network_code = match self.reason.as_str() {
            "fraudulent" => Some("10.4"),
            "product_not_received" => Some("13.1"),
            _ => None,
        };
        self.brand.as_ref().map(|brand| {
            json!({
                "type": "card",
                "card": {
                    "brand": brand,
                    "case_type": self.case_type,
                    "network": brand,
                    "network_reason_code": network_code,
                },
            })
        })
    }

    /// How far the network's own defences have come.
    fn enhanced_eligibility(&self) -> Value {
        match self.enhanced.as_deref() {
            Some(kind @ "visa_compelling_evidence_3") => {
                json!({ kind: { "required_actions": [], "status": "qualified" } })
            }
            Some(kind) => json!({ kind: { "status": "requires_fee_acknowledgement" } }),
            None => json!({}),
        }
    }

    fn evidence(&self) -> Value {
        let mut evidence: serde_json::Map<String, Value> = EVIDENCE
            .iter()
            .map(|field| ((*field).to_owned(), json!(self.evidence.get(*field))))
            .collect();
        evidence.insert("enhanced_evidence".to_owned(), json!({}));
        Value::Object(evidence)
    }
}

impl Object for Dispute {
    const KIND: &'static str = "dispute";

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
            "amount": self.amount,
            "balance_transactions": Vec::from_iter(self.entries.iter().map(Object::answer)),
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": Vec::from_iter(&self.enhanced),
            "evidence": self.evidence(),
            "evidence_details": {
                "due_by": self.due_by,
                "enhanced_eligibility": self.enhanced_eligibility(),
                "has_evidence": !self.evidence.is_empty(),
                "past_due": self.past_due,
                "submission_count": self.submissions,
            },
            "is_charge_refundable": !self.charge_refunded
                && !self.status.holds_the_money()
                && self.status != DisputeStatus::Prevented,
            "livemode": false,
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "reason": self.reason,
            "status": self.status,
        });
        if let (Value::Object(fields), Some(details)) = (&mut answer, self.payment_method_details())
        {
            fields.insert("payment_method_details".to_owned(), details);
        }
        answer
    }
}
