//! Charges, and what is paid with.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::currency::Currency;
use crate::engine::ids::{ChargeId, PaymentIntentId};
use crate::engine::resource::{Metadata, Object, with_nulls};
use crate::engine::time::Timestamp;
use crate::payment::card::{Card, Decline};

/// One try to pay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: ChargeId,
    pub(crate) created: Timestamp,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) status: ChargeStatus,
    pub(crate) failure: Option<Decline>,
    pub(crate) payment_intent: PaymentIntentId,
    pub(crate) payment_method: String,
    pub(crate) method: Method,
    pub(crate) email: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    /// What has been refunded, or is on its way.
    #[serde(default)]
    pub(crate) amount_refunded: i64,
    #[serde(default)]
    pub(crate) disputed: bool,
    /// Known once the money is captured.
    #[serde(default)]
    pub(crate) balance_transaction: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChargeStatus {
    Pending,
    Succeeded,
    Failed,
}

/// What is paid with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    Card(Card),
    BankDebit(BankDebit),
    Voucher(Voucher),
}

impl Method {
    fn details(&self) -> Value {
        match self {
            Self::Card(card) => json!({ "type": "card", "card": card.details() }),
            Self::BankDebit(debit) => {
                json!({ "type": debit.method(), debit.method(): debit.details() })
            }
            Self::Voucher(voucher) => {
                json!({ "type": voucher.method(), voucher.method(): voucher.details() })
            }
        }
    }
}

/// A payment that takes days to be sure of, as the bank debits of three regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BankDebit {
    Ach,
    Sepa,
    Bacs,
}

impl BankDebit {
    pub(crate) fn of(currency: Currency) -> Option<Self> {
        match currency.code() {
            "usd" => Some(Self::Ach),
            "eur" => Some(Self::Sepa),
            "gbp" => Some(Self::Bacs),
            _ => None,
        }
    }

    /// Stripe's name of the payment method.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Ach => "us_bank_account",
            Self::Sepa => "sepa_debit",
            Self::Bacs => "bacs_debit",
        }
    }

    fn details(self) -> Value {
        match self {
            Self::Ach => json!({
                "account_holder_type": "individual",
                "account_type": "checking",
                "bank_name": "STRIPE TEST BANK",
                "fingerprint": "TillTestBank0001",
                "last4": "6789",
                "payment_reference": null,
                "routing_number": "110000000",
            }),
            Self::Sepa => json!({
                "bank_code": "37040044",
                "branch_code": null,
                "country": "DE",
                "fingerprint": "TillTestBank0002",
                "last4": "3000",
                "mandate": null,
            }),
            Self::Bacs => json!({
                "fingerprint": "TillTestBank0003",
                "last4": "2345",
                "mandate": null,
                "sort_code": "108800",
            }),
        }
    }
}

/// A payment that the buyer makes later, with what they were given: the vouchers of four regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Voucher {
    Oxxo,
    Boleto,
    Konbini,
    Multibanco,
}

impl Voucher {
    pub(crate) fn of(currency: Currency) -> Option<Self> {
        match currency.code() {
            "mxn" => Some(Self::Oxxo),
            "brl" => Some(Self::Boleto),
            "jpy" => Some(Self::Konbini),
            "eur" => Some(Self::Multibanco),
            _ => None,
        }
    }

    /// As buyers know it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Oxxo => "OXXO",
            Self::Boleto => "Boleto",
            Self::Konbini => "Konbini",
            Self::Multibanco => "Multibanco",
        }
    }

    /// Stripe's name of the payment method.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Oxxo => "oxxo",
            Self::Boleto => "boleto",
            Self::Konbini => "konbini",
            Self::Multibanco => "multibanco",
        }
    }

    fn details(self) -> Value {
        match self {
            Self::Oxxo => json!({ "number": NUMBER }),
            Self::Boleto => json!({ "tax_id": "000.000.000-00" }),
            Self::Konbini => json!({ "store": { "chain": "lawson" } }),
            Self::Multibanco => json!({ "entity": "11249", "reference": "123456789" }),
        }
    }

    /// A payment intent's `next_action` while the buyer has not paid; `page` is where the voucher
    /// is shown.
    pub(crate) fn next_action(self, page: &str, expires_at: Timestamp) -> Value {
        let kind = format!("{}_display_details", self.method());
        let details = match self {
            Self::Oxxo => json!({
                "expires_after": expires_at, "hosted_voucher_url": page, "number": NUMBER,
            }),
            Self::Boleto => json!({
                "expires_at": expires_at, "hosted_voucher_url": page, "number": NUMBER, "pdf": null,
            }),
            Self::Konbini => json!({
                "expires_at": expires_at,
                "hosted_voucher_url": page,
                "stores": {
                    "familymart": null,
                    "lawson": { "confirmation_number": "1234567890", "payment_code": "123456" },
                    "ministop": null,
                    "seicomart": null,
                },
            }),
            Self::Multibanco => json!({
                "entity": "11249",
                "expires_at": expires_at,
                "hosted_voucher_url": page,
                "reference": "123456789",
            }),
        };
        json!({ "type": kind, kind: details })
    }
}

/// What a clerk would scan.
const NUMBER: &str = "01010101010101010101010101010101";

impl Charge {
    /// What can still be refunded.
    pub(crate) fn refundable(&self) -> i64 {
        self.amount.saturating_sub(self.amount_refunded)
    }

    /// What Stripe thinks of the try, once it is known.
    fn outcome(&self) -> Value {
        match (&self.status, &self.failure) {
            (ChargeStatus::Succeeded, _) => json!({
                "advice_code": null,
                "network_advice_code": null,
                "network_decline_code": null,
                "network_status": "approved_by_network",
                "reason": null,
                "risk_level": "normal",
                "seller_message": "Payment complete.",
                "type": "authorized",
            }),
            (ChargeStatus::Failed, Some(decline)) => json!({
                "advice_code": null,
                "network_advice_code": null,
                "network_decline_code": null,
                "network_status": "declined_by_network",
                "reason": decline.decline_code.as_ref().unwrap_or(&decline.code),
                "risk_level": "normal",
                "seller_message": decline.message,
                "type": "issuer_declined",
            }),
            _ => Value::Null,
        }
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

    fn answer(&self) -> Value {
        let paid = self.status != ChargeStatus::Failed;
        let captured = self.status == ChargeStatus::Succeeded;
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "amount": self.amount,
            "amount_captured": if captured { self.amount } else { 0 },
            "amount_refunded": self.amount_refunded,
            "balance_transaction": self.balance_transaction,
            "billing_details": {
                "address": {
                    "city": null,
                    "country": null,
                    "line1": null,
                    "line2": null,
                    "postal_code": null,
                    "state": null,
                },
                "email": self.email,
                "name": null,
                "phone": null,
                "tax_id": null,
            },
            "captured": captured,
            "created": self.created,
            "currency": self.currency,
            "description": self.description,
            "disputed": self.disputed,
            "failure_code": self.failure.as_ref().map(|decline| &decline.code),
            "failure_message": self.failure.as_ref().map(|decline| &decline.message),
            "fraud_details": {},
            "livemode": false,
            "metadata": self.metadata,
            "outcome": self.outcome(),
            "paid": paid,
            "payment_intent": self.payment_intent,
            "payment_method": self.payment_method,
            "payment_method_details": self.method.details(),
            "refunded": self.status == ChargeStatus::Succeeded && self.amount_refunded == self.amount,
            "status": self.status,
        });
        with_nulls(
            answer,
            &[
                "application",
                "application_fee",
                "application_fee_amount",
                "calculated_statement_descriptor",
                "customer",
                "failure_balance_transaction",
                "on_behalf_of",
                "receipt_email",
                "receipt_number",
                "receipt_url",
                "review",
                "shipping",
                "source",
                "source_transfer",
                "statement_descriptor",
                "statement_descriptor_suffix",
                "transfer_data",
                "transfer_group",
            ],
        )
    }
}
