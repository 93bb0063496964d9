//! What the API shows: sessions, payment intents, charges and products. Each struct holds what can
//! differ from one to another; its `answer` is the whole object, with the fields that are the same
//! for every payment of this shop.

use std::collections::BTreeMap;

use anyhow::bail;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cards::{Card, Decline};
use super::clock::Timestamp;
use super::database::{Object, Transaction};
use super::events::Event;

pub(super) type Metadata = BTreeMap<String, String>;

/// The object with this id as the API shows it.
pub(super) fn answer(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<Option<Value>> {
    fn of<T: Object>(body: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str::<T>(body)?.answer())
    }
    let Some(row) = transaction.row(id)? else {
        return Ok(None);
    };
    let answer = match row.kind.as_str() {
        Session::KIND => of::<Session>(&row.body),
        PaymentIntent::KIND => of::<PaymentIntent>(&row.body),
        Charge::KIND => of::<Charge>(&row.body),
        Product::KIND => of::<Product>(&row.body),
        Event::KIND => of::<Event>(&row.body),
        kind => bail!("{id} is of the unknown kind {kind}"),
    };
    answer.map(Some)
}

/// A Checkout session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) status: SessionStatus,
    pub(super) payment_status: PaymentStatus,
    pub(super) currency: String,
    pub(super) amount_total: i64,
    pub(super) line_items: Vec<LineItem>,
    pub(super) payment_intent: Option<String>,
    /// For the payment intent that the first try to pay makes.
    pub(super) payment_intent_data: PaymentIntentData,
    /// What the buyer typed on the payment page.
    pub(super) buyer_email: Option<String>,
    pub(super) customer_email: Option<String>,
    pub(super) client_reference_id: Option<String>,
    pub(super) metadata: Metadata,
    pub(super) success_url: String,
    pub(super) cancel_url: Option<String>,
    pub(super) url: String,
    pub(super) locale: Option<String>,
    pub(super) adaptive_pricing: bool,
    pub(super) allow_promotion_codes: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SessionStatus {
    Open,
    Complete,
    Expired,
}

impl SessionStatus {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Expired => "expired",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PaymentStatus {
    Unpaid,
    Paid,
    NoPaymentRequired,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct PaymentIntentData {
    pub(super) description: Option<String>,
    pub(super) metadata: Metadata,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LineItem {
    pub(super) id: String,
    pub(super) price: String,
    pub(super) product: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) unit_amount: i64,
    pub(super) quantity: i64,
    pub(super) amount: i64,
}

impl Session {
    /// The delayed way to pay that Stripe offers in this currency.
    pub(super) fn bank_debit(&self) -> Option<BankDebit> {
        BankDebit::of(&self.currency)
    }

    pub(super) fn payment_method_types(&self) -> Vec<&'static str> {
        std::iter::once("card")
            .chain(self.bank_debit().map(BankDebit::method))
            .collect()
    }

    /// The address the payment is for: what the buyer typed, else what the shop passed.
    pub(super) fn email(&self) -> Option<&str> {
        self.buyer_email
            .as_deref()
            .or(self.customer_email.as_deref())
    }

    /// The line items as the API shows them.
    pub(super) fn lines(&self) -> impl DoubleEndedIterator<Item = Value> {
        self.line_items.iter().map(|line| {
            json!({
                "id": line.id,
                "object": "item",
                "adjustable_quantity": null,
                "amount_discount": 0,
                "amount_subtotal": line.amount,
                "amount_tax": 0,
                "amount_total": line.amount,
                "currency": self.currency,
                "description": line.name,
                "metadata": {},
                "price": {
                    "id": line.price,
                    "object": "price",
                    // Made for this session alone: it can be bought from no other.
                    "active": false,
                    "billing_scheme": "per_unit",
                    "created": self.created,
                    "currency": self.currency,
                    "custom_unit_amount": null,
                    "livemode": false,
                    "lookup_key": null,
                    "metadata": {},
                    "nickname": null,
                    "product": line.product,
                    "recurring": null,
                    "tax_behavior": "unspecified",
                    "tiers_mode": null,
                    "transform_quantity": null,
                    "type": "one_time",
                    "unit_amount": line.unit_amount,
                    "unit_amount_decimal": line.unit_amount.to_string(),
                },
                "quantity": line.quantity,
            })
        })
    }
}

impl Object for Session {
    const KIND: &'static str = "checkout.session";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        (self.status == SessionStatus::Open).then_some(self.expires_at)
    }

    fn answer(&self) -> Value {
        let open = self.status == SessionStatus::Open;
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "adaptive_pricing": { "enabled": self.adaptive_pricing },
            "allow_promotion_codes": self.allow_promotion_codes,
            "amount_subtotal": self.amount_total,
            "amount_total": self.amount_total,
            "cancel_url": self.cancel_url,
            "client_reference_id": self.client_reference_id,
            "created": self.created,
            "currency": self.currency,
            "customer_details": self.email().map(|email| json!({
                "address": null,
                "business_name": null,
                "email": email,
                "individual_name": null,
                "name": null,
                "phone": null,
                "tax_exempt": "none",
                "tax_ids": null,
            })),
            "customer_email": self.customer_email,
            "expires_at": self.expires_at,
            "locale": self.locale,
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "payment_method_types": self.payment_method_types(),
            "payment_status": self.payment_status,
            "status": self.status,
            "success_url": self.success_url,
            "url": open.then_some(&self.url),
            "automatic_tax": {
                "enabled": false,
                "liability": null,
                "provider": null,
                "status": null,
            },
            "custom_fields": [],
            "custom_text": {
                "after_submit": null,
                "shipping_address": null,
                "submit": null,
                "terms_of_service_acceptance": null,
            },
            "customer_creation": "if_required",
            "discounts": [],
            "invoice_creation": {
                "enabled": false,
                "invoice_data": {
                    "account_tax_ids": null,
                    "custom_fields": null,
                    "description": null,
                    "footer": null,
                    "issuer": null,
                    "metadata": {},
                    "rendering_options": null,
                },
            },
            "livemode": false,
            "managed_payments": { "enabled": false },
            "mode": "payment",
            "payment_method_collection": "if_required",
            "payment_method_options": {},
            "phone_number_collection": { "enabled": false },
            "shipping_options": [],
            "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
            "ui_mode": "hosted_page",
        });
        with_nulls(
            answer,
            &[
                "after_expiration",
                "allowed_payment_method_types",
                "billing_address_collection",
                "client_secret",
                "collected_information",
                "consent",
                "consent_collection",
                "currency_conversion",
                "customer",
                "customer_account",
                "integration_identifier",
                "invoice",
                "origin_context",
                "payment_link",
                "payment_method_configuration_details",
                "permissions",
                "recovered_from",
                "saved_payment_method_options",
                "setup_intent",
                "shipping_address_collection",
                "shipping_cost",
                "submit_type",
                "subscription",
                "wallet_options",
            ],
        )
    }
}

/// Adds the fields that no payment of this shop fills.
fn with_nulls(mut answer: Value, fields: &[&str]) -> Value {
    if let Value::Object(answer) = &mut answer {
        answer.extend(
            fields
                .iter()
                .map(|field| ((*field).to_owned(), Value::Null)),
        );
    }
    answer
}

/// What a price in a session sells. Made for that session, so not on sale otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Product {
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) images: Vec<String>,
    pub(super) metadata: Metadata,
}

impl Object for Product {
    const KIND: &'static str = "product";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "active": false,
            "created": self.created,
            "description": self.description,
            "images": self.images,
            "livemode": false,
            "marketing_features": [],
            "metadata": self.metadata,
            "name": self.name,
            "type": "service",
            "updated": self.created,
        });
        with_nulls(
            answer,
            &[
                "default_price",
                "package_dimensions",
                "shippable",
                "statement_descriptor",
                "tax_code",
                "tax_details",
                "unit_label",
                "url",
            ],
        )
    }
}

/// One intent to be paid an amount, through however many tries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PaymentIntent {
    pub(super) id: String,
    pub(super) client_secret: String,
    pub(super) created: Timestamp,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: PaymentIntentStatus,
    pub(super) description: Option<String>,
    pub(super) metadata: Metadata,
    pub(super) payment_method: Option<String>,
    pub(super) payment_method_types: Vec<String>,
    /// Chosen by Stripe from the account's settings, rather than listed by the caller.
    pub(super) automatic_payment_methods: bool,
    pub(super) latest_charge: Option<String>,
    pub(super) last_payment_error: Option<PaymentError>,
    pub(super) canceled_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PaymentIntentStatus {
    RequiresPaymentMethod,
    Processing,
    Succeeded,
    Canceled,
}

/// Why the latest try to pay came to nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PaymentError {
    charge: String,
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<String>,
    doc_url: String,
    message: String,
    r#type: String,
}

impl PaymentError {
    pub(super) fn new(charge: &str, decline: &Decline) -> Self {
        Self {
            charge: charge.to_owned(),
            code: decline.code.clone(),
            decline_code: decline.decline_code.clone(),
            doc_url: doc_url(&decline.code),
            message: decline.message.clone(),
            r#type: "card_error".to_owned(),
        }
    }
}

/// Stripe's page about an error code.
pub(super) fn doc_url(code: &str) -> String {
    format!(
        "https://stripe.com/docs/error-codes/{}",
        code.replace('_', "-")
    )
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
                "next_action",
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

/// One try to pay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: ChargeStatus,
    pub(super) failure: Option<Decline>,
    pub(super) payment_intent: String,
    pub(super) payment_method: String,
    pub(super) method: Method,
    pub(super) email: Option<String>,
    pub(super) description: Option<String>,
    pub(super) metadata: Metadata,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChargeStatus {
    Pending,
    Succeeded,
    Failed,
}

/// What is paid with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Method {
    Card(Card),
    BankDebit(BankDebit),
}

impl Method {
    fn details(&self) -> Value {
        match self {
            Self::Card(card) => json!({ "type": "card", "card": card.details() }),
            Self::BankDebit(debit) => {
                json!({ "type": debit.method(), debit.method(): debit.details() })
            }
        }
    }
}

/// A payment that takes days to be sure of, as the bank debits of three regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum BankDebit {
    Ach,
    Sepa,
    Bacs,
}

impl BankDebit {
    fn of(currency: &str) -> Option<Self> {
        match currency {
            "usd" => Some(Self::Ach),
            "eur" => Some(Self::Sepa),
            "gbp" => Some(Self::Bacs),
            _ => None,
        }
    }

    /// Stripe's name of the payment method.
    pub(super) fn method(self) -> &'static str {
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

impl Charge {
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
            "amount_refunded": 0,
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
            "disputed": false,
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
            "refunded": false,
            "status": self.status,
        });
        with_nulls(
            answer,
            &[
                "application",
                "application_fee",
                "application_fee_amount",
                "balance_transaction",
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
