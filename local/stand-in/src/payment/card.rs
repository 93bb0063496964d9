//! A card that was paid with, and why one was declined.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A card as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) brand: String,
    pub(crate) last4: String,
    pub(crate) exp_month: u8,
    pub(crate) exp_year: i32,
    /// What becomes of its refunds.
    #[serde(default)]
    pub(crate) refunds: Refunds,
}

impl Card {
    pub(crate) fn brand(&self) -> &str {
        &self.brand
    }

    pub(crate) fn details(&self) -> Value {
        json!({
            "amount_authorized": null,
            "authorization_code": null,
            "brand": self.brand,
            "checks": {
                "address_line1_check": null,
                "address_postal_code_check": null,
                "cvc_check": "pass",
            },
            "country": "US",
            "electronic_commerce_indicator": null,
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": "TillTestCard0001",
            "funding": "credit",
            "installments": null,
            "last4": self.last4,
            "mandate": null,
            "network": self.brand,
            "network_token": { "used": false },
            "network_transaction_id": null,
            "regulated_status": "unregulated",
            "three_d_secure": null,
            "transaction_link_id": null,
            "wallet": null,
        })
    }
}

/// How a card's refunds go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refunds {
    /// They succeed at once.
    #[default]
    Succeed,
    /// They are pending for a while, and succeed then.
    SucceedLater,
    /// They succeed at first, and fail after a while.
    FailLater,
}

/// Why an issuer said no, in Stripe's codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decline {
    pub(crate) code: String,
    pub(crate) decline_code: Option<String>,
    pub(crate) message: String,
}

impl Decline {
    pub(crate) fn new(code: &str, decline_code: Option<&str>, message: &str) -> Self {
        Self {
            code: code.to_owned(),
            decline_code: decline_code.map(str::to_owned),
            message: message.to_owned(),
        }
    }

    /// What a voucher that nobody paid ends with.
    pub(crate) fn by_time() -> Self {
        Self::new(
            "payment_intent_payment_attempt_expired",
            None,
            "The latest attempt to pay for this payment has expired.",
        )
    }

    /// What a bank debit comes back with.
    pub(crate) fn by_bank() -> Self {
        Self::new(
            "payment_method_provider_decline",
            None,
            "The customer's bank account could not be debited.",
        )
    }
}
