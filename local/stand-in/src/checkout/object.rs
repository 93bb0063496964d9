//! Checkout sessions and what they sell.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::currency::Currency;
use crate::engine::ids::{self, PaymentIntentId, SessionId};
use crate::engine::resource::{Metadata, Object, with_nulls};
use crate::engine::time::Timestamp;
use crate::payment::bank::Scheme;
use crate::payment::voucher::Voucher;

/// A Checkout session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) created: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) status: SessionStatus,
    pub(crate) payment_status: PaymentStatus,
    pub(crate) currency: Currency,
    pub(crate) amount_total: i64,
    pub(crate) line_items: Vec<LineItem>,
    pub(crate) payment_intent: Option<PaymentIntentId>,
    /// For the payment intent that the first try to pay makes.
    pub(crate) payment_intent_data: PaymentIntentData,
    /// What the buyer typed on the payment page.
    pub(crate) buyer_email: Option<String>,
    pub(crate) customer_email: Option<String>,
    pub(crate) client_reference_id: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) success_url: String,
    pub(crate) cancel_url: Option<String>,
    pub(crate) url: String,
    pub(crate) locale: Option<String>,
    pub(crate) adaptive_pricing: bool,
    pub(crate) allow_promotion_codes: Option<bool>,
    #[serde(default)]
    pub(crate) discount: Option<Discount>,
}

/// What a promotion code takes off a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Discount {
    pub(crate) coupon: String,
    pub(crate) promotion_code: String,
    pub(crate) amount: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionStatus {
    Open,
    Complete,
    Expired,
}

impl SessionStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Expired => "expired",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentStatus {
    Unpaid,
    Paid,
    NoPaymentRequired,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct PaymentIntentData {
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LineItem {
    pub(crate) id: String,
    pub(crate) price: String,
    pub(crate) product: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) unit_amount: i64,
    pub(crate) quantity: i64,
    pub(crate) amount: i64,
}

impl Session {
    /// Where the buyer goes when they are done.
    pub(crate) fn completed_url(&self) -> String {
        self.success_url.replace("{CHECKOUT_SESSION_ID}", &self.id)
    }

    /// The delayed way to pay that Stripe offers in this currency.
    pub(crate) fn bank_debit(&self) -> Option<Scheme> {
        Scheme::of(self.currency)
    }

    /// The voucher that Stripe offers in this currency.
    pub(crate) fn voucher(&self) -> Option<Voucher> {
        Voucher::of(self.currency)
    }

    pub(crate) fn payment_method_types(&self) -> Vec<&'static str> {
        std::iter::once("card")
            .chain(self.bank_debit().map(Scheme::method))
            .chain(self.voucher().map(Voucher::method))
            .collect()
    }

    /// The address the payment is for: what the buyer typed, else what the shop passed.
    pub(crate) fn email(&self) -> Option<&str> {
        self.buyer_email
            .as_deref()
            .or(self.customer_email.as_deref())
    }

    /// What the line items come to, before any discount.
    pub(crate) fn subtotal(&self) -> i64 {
        self.line_items
            .iter()
            .fold(0, |sum, line| sum.saturating_add(line.amount))
    }

    pub(crate) fn amount_discount(&self) -> i64 {
        self.discount.as_ref().map_or(0, |discount| discount.amount)
    }

    /// The discount's share of each line. Together they are all of it, to the last cent.
    fn line_discounts(&self) -> Vec<i64> {
        let (subtotal, discount) = (self.subtotal().max(1), self.amount_discount());
        let up_to = |amount: i64| {
            i128::from(amount)
                .saturating_mul(discount.into())
                .checked_div(subtotal.into())
                .and_then(|share| i64::try_from(share).ok())
                .unwrap_or_default()
        };
        let (mut so_far, mut given) = (0_i64, 0_i64);
        let shares = self.line_items.iter().map(|line| {
            so_far = so_far.saturating_add(line.amount);
            let share = up_to(so_far).saturating_sub(given);
            given = given.saturating_add(share);
            share
        });
        shares.collect()
    }

    /// How the total came about, for whoever asks.
    pub(crate) fn breakdown(&self) -> Value {
        let discounts = self.discount.iter().map(|discount| {
            let object = json!({
                "id": ids::discount(&self.id),
                "object": "discount",
                "checkout_session": self.id,
                "promotion_code": discount.promotion_code,
                "source": { "coupon": discount.coupon, "type": "coupon" },
                "start": self.created,
            });
            let object = with_nulls(
                object,
                &[
                    "customer",
                    "customer_account",
                    "end",
                    "invoice",
                    "invoice_item",
                    "subscription",
                    "subscription_item",
                ],
            );
            json!({ "amount": discount.amount, "discount": object })
        });
        json!({ "discounts": Vec::from_iter(discounts), "taxes": [] })
    }

    /// The line items as the API shows them.
    pub(crate) fn lines(&self) -> impl DoubleEndedIterator<Item = Value> {
        self.line_items
            .iter()
            .zip(self.line_discounts())
            .map(|(line, discount)| {
                json!({
                    "id": line.id,
                    "object": "item",
                    "adjustable_quantity": null,
                    "amount_discount": discount,
                    "amount_subtotal": line.amount,
                    "amount_tax": 0,
                    "amount_total": line.amount.saturating_sub(discount),
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
        let mut answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "adaptive_pricing": { "enabled": self.adaptive_pricing },
            "allow_promotion_codes": self.allow_promotion_codes,
            "amount_subtotal": self.subtotal(),
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
            "discounts": Vec::from_iter(self.discount.iter().map(|discount| json!({
                "coupon": null,
                "promotion_code": discount.promotion_code,
            }))),
            "total_details": {
                "amount_discount": self.amount_discount(),
                "amount_shipping": 0,
                "amount_tax": 0,
            },
        });
        if let Value::Object(answer) = &mut answer {
            answer.extend(unused());
        }
        with_nulls(answer, EMPTY)
    }
}

/// What Checkout can do besides, and no shop here has it do.
fn unused() -> serde_json::Map<String, Value> {
    let unused = json!({
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
        "ui_mode": "hosted_page",
    });
    match unused {
        Value::Object(unused) => unused,
        _ => serde_json::Map::new(),
    }
}

/// The fields of a session that nothing here fills.
const EMPTY: &[&str] = &[
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
];

/// What a price in a session sells. Made for that session, so not on sale otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) images: Vec<String>,
    pub(crate) metadata: Metadata,
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
