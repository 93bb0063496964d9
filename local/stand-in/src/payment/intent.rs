//! Payment intents.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::currency::Currency;
use crate::engine::ids::{ChargeId, PaymentIntentId};
use crate::engine::resource::{Metadata, Object, doc_url, with_nulls};
use crate::engine::time::Timestamp;
use crate::payment::card::Decline;
use crate::payment::charge::Voucher;

/// One intent to be paid an amount, through however many tries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentIntent {
    pub(crate) id: PaymentIntentId,
    pub(crate) client_secret: String,
    pub(crate) created: Timestamp,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) status: PaymentIntentStatus,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) payment_method: Option<String>,
    pub(crate) payment_method_types: Vec<String>,
    /// Chosen by Stripe from the account's settings, rather than listed by the caller.
    pub(crate) automatic_payment_methods: bool,
    pub(crate) latest_charge: Option<ChargeId>,
    pub(crate) last_payment_error: Option<PaymentError>,
    pub(crate) canceled_at: Option<Timestamp>,
    /// While it requires action.
    #[serde(default)]
    pub(crate) voucher: Option<PendingVoucher>,
}

/// A voucher that its buyer has not paid yet, and what the charge will need once they have.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PendingVoucher {
    pub(crate) voucher: Voucher,
    /// Where it is shown.
    pub(crate) page: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) email: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentIntentStatus {
    RequiresPaymentMethod,
    RequiresAction,
    Processing,
    Succeeded,
    Canceled,
}

/// Why the latest try to pay came to nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentError {
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<ChargeId>,
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<String>,
    doc_url: String,
    message: String,
    r#type: String,
}

impl PaymentError {
    pub(crate) fn new(charge: Option<&ChargeId>, decline: &Decline) -> Self {
        Self {
            charge: charge.cloned(),
            code: decline.code.clone(),
            decline_code: decline.decline_code.clone(),
            doc_url: doc_url(&decline.code),
            message: decline.message.clone(),
            r#type: "card_error".to_owned(),
        }
    }
}

impl Object for PaymentIntent {
    const KIND: &'static str = "payment_intent";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let received = match self.status {
            PaymentIntentStatus::Succeeded => self.amount,
            _ => 0,
        };
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_details": { "tip": {} },
            "amount_received": received,
            "automatic_payment_methods": self
                .automatic_payment_methods
                .then(|| json!({ "allow_redirects": "always", "enabled": true })),
            "canceled_at": self.canceled_at,
            "cancellation_reason": self.canceled_at.map(|_| "expired"),
            "capture_method": "automatic_async",
            "client_secret": self.client_secret,
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "description": self.description,
            "last_payment_error": self.last_payment_error,
            "latest_charge": self.latest_charge,
            "livemode": false,
            "metadata": self.metadata,
            "next_action": self.voucher.as_ref().map(|pending| {
                pending.voucher.next_action(&pending.page, pending.expires_at)
            }),
            "payment_method": self.payment_method,
            "payment_method_options": {},
            "payment_method_types": self.payment_method_types,
            "status": self.status,
        });
        with_nulls(
            answer,
            &[
                "allowed_payment_method_types",
                "application",
                "application_fee_amount",
                "customer",
                "customer_account",
                "excluded_payment_method_types",
                "managed_payments",
                "on_behalf_of",
                "payment_method_configuration_details",
                "payment_record",
                "processing",
                "receipt_email",
                "review",
                "setup_future_usage",
                "shipping",
                "source",
                "statement_descriptor",
                "statement_descriptor_suffix",
                "transfer_data",
                "transfer_group",
            ],
        )
    }
}
