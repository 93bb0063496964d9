//! Charges: one try to take the money.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::description::complete;
use crate::engine::ids::{
    BalanceTransactionId, ChargeId, CustomerId, MandateId, PaymentIntentId, PaymentMethodId,
    ReviewId,
};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;
use crate::payment::billing::{BillingDetails, Shipping};
use crate::payment::card::Charged;
use crate::payment::decline::Decline;
use crate::payment::flexible::Flexible;
use crate::payment::method::Means;
use crate::payment::verdict::{Risk, ThreeDSecure};

/// One try to take the money.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: ChargeId,
    pub(crate) created: Timestamp,
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) state: ChargeState,
    /// None has a charge that was made without one, as in old integrations.
    pub(crate) payment_intent: Option<PaymentIntentId>,
    pub(crate) payment_method: PaymentMethodId,
    pub(crate) means: Means,
    pub(crate) billing: BillingDetails,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) receipt_email: Option<String>,
    pub(crate) receipt_url: String,
    pub(crate) shipping: Option<Shipping>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) transfer_group: Option<String>,
    /// What Radar thinks of a card's payment.
    pub(crate) risk: Option<Risk>,
    pub(crate) three_d_secure: Option<ThreeDSecure>,
    /// What has been refunded, or is on its way.
    pub(crate) amount_refunded: Amount,
    pub(crate) disputed: bool,
    /// Known once the money is captured.
    pub(crate) balance_transaction: Option<BalanceTransactionId>,
    pub(crate) review: Option<ReviewId>,
    /// Under which a bank account is debited.
    #[serde(default)]
    pub(crate) mandate: Option<MandateId>,
    /// What its issuer allows while the money is set aside.
    #[serde(default)]
    pub(crate) flexible: Flexible,
    pub(crate) fraud: FraudDetails,
}

/// How far a charge has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChargeState {
    /// The bank has not answered.
    Pending,
    /// The money is set aside until it is captured, or until this moment; some of it may be the
    /// account's already.
    Authorized {
        capture_before: Timestamp,
        #[serde(default)]
        captured: Amount,
    },
    /// The money is the account's: all of it, or as much as was wanted.
    Captured { amount: Amount },
    /// What was set aside is the buyer's again.
    Released,
    /// The bank has said no.
    Declined(Decline),
    /// Radar has not even asked the bank.
    Blocked(Decline),
    /// Radar would not have what the bank had approved.
    Reversed(Decline),
}

/// Who has called a charge fraudulent, or safe.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct FraudDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stripe_report: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_report: Option<String>,
}

impl ChargeState {
    pub(crate) fn failure(&self) -> Option<&Decline> {
        match self {
            Self::Declined(decline) | Self::Blocked(decline) | Self::Reversed(decline) => {
                Some(decline)
            }
            _ => None,
        }
    }

    fn status(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorized { .. } | Self::Captured { .. } | Self::Released => "succeeded",
            Self::Declined(_) | Self::Blocked(_) | Self::Reversed(_) => "failed",
        }
    }
}

impl Charge {
    /// What the account has got of it.
    pub(crate) fn captured(&self) -> Amount {
        match self.state {
            ChargeState::Captured { amount } => amount,
            ChargeState::Authorized { captured, .. } => captured,
            _ => Amount::ZERO,
        }
    }

    /// What can still be refunded.
    pub(crate) fn refundable(&self) -> Amount {
        self.captured().minus(self.amount_refunded)
    }

    /// What was set aside and never taken.
    fn released(&self) -> Amount {
        match self.state {
            ChargeState::Captured { amount } => self.amount.minus(amount).max(Amount::ZERO),
            ChargeState::Released => self.amount,
            _ => Amount::ZERO,
        }
    }

    /// What Stripe thinks of the try, once it is known.
    fn outcome(&self) -> Value {
        let (network_status, kind) = match self.state {
            ChargeState::Pending => return Value::Null,
            ChargeState::Declined(_) => ("declined_by_network", "issuer_declined"),
            ChargeState::Blocked(_) => ("not_sent_to_network", "blocked"),
            ChargeState::Reversed(_) => ("reversed_after_approval", "blocked"),
            _ => ("approved_by_network", "authorized"),
        };
        let rule = self.risk.as_ref().and_then(|risk| risk.rule.as_ref());
        let (reason, seller_message) = match (&self.state, rule) {
            (ChargeState::Declined(decline), _) => {
                (Some(decline.reason()), decline.seller_message())
            }
            (_, Some(rule)) => (Some(rule.reason.as_str()), rule.seller_message.clone()),
            (_, None) => (None, "Payment complete.".to_owned()),
        };
        let kind = match (kind, rule) {
            ("authorized", Some(_)) => "manual_review",
            (kind, _) => kind,
        };
        let failure = self.state.failure();
        let mut outcome = json!({
            "advice_code": failure.and_then(|decline| decline.advice_code.as_deref()),
            "network_advice_code": null,
            "network_decline_code": failure
                .and_then(|decline| decline.network_decline_code.as_deref()),
            "network_status": network_status,
            "reason": reason,
            "risk_level": "not_assessed",
            "seller_message": seller_message,
            "type": kind,
        });
        if let (Some(risk), Value::Object(outcome)) = (&self.risk, &mut outcome) {
            outcome.insert("risk_level".to_owned(), json!(risk.level));
            outcome.insert("risk_score".to_owned(), json!(risk.score));
            outcome.extend(
                risk.rule
                    .iter()
                    .map(|rule| ("rule".to_owned(), json!(rule.id))),
            );
        }
        outcome
    }

    fn method_details(&self) -> Value {
        let kind = self.means.name();
        let details = match &self.means {
            Means::Card(card) => card.details(&Charged {
                authorized: self.state.failure().is_none().then_some(self.amount),
                capture_before: match self.state {
                    ChargeState::Authorized { capture_before, .. } => Some(capture_before),
                    _ => None,
                },
                address: &self.billing.address,
                three_d_secure: self.three_d_secure.as_ref(),
                flexible: &self.flexible,
            }),
            Means::BankDebit(debit) => debit.details(self.mandate.as_ref()),
            Means::Voucher(voucher) => voucher.details(),
            Means::CustomerBalance => json!({}),
        };
        let mut shown = Map::new();
        shown.insert("type".to_owned(), json!(kind));
        shown.insert(kind.to_owned(), details);
        Value::Object(shown)
    }
}

impl Object for Charge {
    const KIND: &'static str = "charge";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        match (&self.state, &self.payment_intent) {
            (ChargeState::Authorized { capture_before, .. }, None) => Some(*capture_before),
            _ => None,
        }
    }

    fn answer(&self) -> Value {
        let failure = self.state.failure();
        let captured = matches!(self.state, ChargeState::Captured { .. });
        let taken_back = captured && self.refundable() == Amount::ZERO;
        let statement = self.statement_descriptor.as_deref();
        let mut answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "amount": self.amount,
            "amount_captured": self.captured(),
            "amount_refunded": self.amount_refunded.plus(self.released()),
            "balance_transaction": self.balance_transaction,
            "billing_details": self.billing,
            "calculated_statement_descriptor": match self.means {
                Means::Card(_) if failure.is_none() => Some(statement.unwrap_or("STAND-IN")),
                _ => None,
            },
            "captured": captured,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "disputed": self.disputed,
            "failure_code": failure.map(|decline| &decline.code),
            "failure_message": failure.map(|decline| &decline.message),
            "fraud_details": self.fraud,
            "livemode": false,
            "metadata": self.metadata,
            "paid": failure.is_none(),
            "payment_intent": self.payment_intent,
            "payment_method": self.payment_method,
            "receipt_email": self.receipt_email,
            "receipt_url": failure.is_none().then_some(&self.receipt_url),
            "refunded": taken_back || self.state == ChargeState::Released,
            "review": self.review,
            "shipping": self.shipping,
            "statement_descriptor": self.statement_descriptor,
            "statement_descriptor_suffix": self.statement_descriptor_suffix,
            "status": self.state.status(),
            "transfer_group": self.transfer_group,
        });
        // To put a value into json! is to copy it.
        if let Value::Object(answer) = &mut answer {
            answer.insert("outcome".to_owned(), self.outcome());
            answer.insert("payment_method_details".to_owned(), self.method_details());
        }
        complete(Self::KIND, answer)
    }
}
