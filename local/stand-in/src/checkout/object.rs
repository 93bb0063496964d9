//! Checkout sessions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::checkout::line::LineItem;
use crate::checkout::shipping::ShippingOption;
use crate::checkout::totals::{Bill, Totals};
use crate::engine::ids::{
    CouponId, CustomerId, InvoiceId, PaymentIntentId, PromotionCodeId, SessionId, SetupIntentId,
    SubscriptionId,
};
use crate::engine::resource::Metadata;
use crate::engine::time::Timestamp;
use crate::payment::bank::Scheme;
use crate::payment::billing::{Address, BillingDetails};
use crate::payment::intent::Terms;
use crate::payment::voucher::Voucher;
use crate::promotion::object::Off;
use crate::subscription;
use crate::subscription::trial::Trial;
use crate::wire::errors::ApiError;
use crate::wire::params::MetadataUpdate;

/// A Checkout session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) created: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) status: SessionStatus,
    pub(crate) payment_status: PaymentStatus,
    pub(crate) mode: Mode,
    /// In setup mode, that in which it will be paid later.
    pub(crate) currency: Currency,
    pub(crate) line_items: Vec<LineItem>,
    /// The types of payment methods on offer.
    pub(crate) methods: Vec<String>,
    pub(crate) payment_intent: Option<PaymentIntentId>,
    pub(crate) setup_intent: Option<SetupIntentId>,
    /// What it is billed with, if its shop wants that.
    pub(crate) invoice: Option<InvoiceId>,
    /// What it leads to once it is paid, in subscription mode.
    pub(crate) subscription: Option<SubscriptionId>,
    pub(crate) subscribes: Option<Subscribes>,
    /// For the intent that the first try to pay makes.
    pub(crate) terms: Terms,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) discount: Option<Discount>,
    pub(crate) shipping_options: Vec<ShippingOption>,
    /// The rate of the chosen one.
    pub(crate) shipping: Option<String>,
    /// What the buyer has told.
    pub(crate) collected: Collected,
    pub(crate) url: String,
    pub(crate) recovered_from: Option<SessionId>,
    /// The link that the buyer has followed.
    #[serde(default)]
    pub(crate) payment_link: Option<String>,
    /// Whether what is paid with may be shown to its customer again.
    pub(crate) allow_redisplay: Option<String>,
    /// What becomes of the customer with what the buyer tells.
    pub(crate) customer_update: Vec<String>,
    /// What the shop has asked for, as the API shows it.
    pub(crate) asked: Map<String, Value>,
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    Payment,
    /// To keep a payment method for later.
    Setup,
    /// To pay now and again.
    Subscription,
}

/// The subscription that a session leads to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subscribes {
    pub(crate) trial: Option<Trial>,
    pub(crate) terms: subscription::terms::Terms,
}

/// What a coupon takes off a session, perhaps by a code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Discount {
    pub(crate) coupon: CouponId,
    pub(crate) promotion_code: Option<PromotionCodeId>,
    /// What the coupon gives: it may be deleted while the session is open.
    pub(crate) off: Off,
    pub(crate) amount: Amount,
}

/// What the buyer tells on the payment page.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Collected {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) business_name: Option<String>,
    pub(crate) individual_name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) address: Option<Address>,
    pub(crate) ship_to: Option<ShipTo>,
    /// The values of the shop's own fields, by key.
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) accepts_terms: bool,
    /// Whether they want the shop's news, if they were asked.
    pub(crate) wants_news: Option<bool>,
    /// They want to see the payment method again next time.
    pub(crate) saves: bool,
}

/// Where the goods go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShipTo {
    pub(crate) name: String,
    pub(crate) address: Address,
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

impl Session {
    /// The bank debit on offer.
    pub(crate) fn bank_debit(&self) -> Option<Scheme> {
        Scheme::of(self.currency).filter(|scheme| self.offers(scheme.method()))
    }

    /// The voucher on offer.
    pub(crate) fn voucher(&self) -> Option<Voucher> {
        Voucher::of(self.currency).filter(|voucher| self.offers(voucher.method()))
    }

    pub(crate) fn offers(&self, method: &str) -> bool {
        self.methods.iter().any(|offered| offered == method)
    }

    /// The types of payment methods there are here in a currency.
    pub(crate) fn methods_in(currency: Currency, mode: Mode) -> Vec<&'static str> {
        let voucher = Voucher::of(currency).filter(|_| mode == Mode::Payment);
        // What is paid later cannot begin a subscription here.
        let scheme = Scheme::of(currency).filter(|_| mode != Mode::Subscription);
        std::iter::once("card")
            .chain(scheme.map(Scheme::method))
            .chain(voucher.map(Voucher::method))
            .collect()
    }

    /// A text that the shop has asked for.
    pub(crate) fn asked_text(&self, field: &str) -> Option<&str> {
        self.asked.get(field).and_then(Value::as_str)
    }

    /// Whether the shop has asked for something, named by a pointer such as `/automatic_tax/enabled`.
    pub(crate) fn asks_for(&self, pointer: &str) -> bool {
        self.asked_at(pointer) == Some(&Value::Bool(true))
    }

    /// What the shop has asked for within an object.
    pub(crate) fn asked_at(&self, pointer: &str) -> Option<&Value> {
        let mut parts = pointer.split('/').skip(1);
        let first = self.asked.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    }

    pub(crate) fn accepts_codes(&self) -> bool {
        self.asks_for("/allow_promotion_codes")
    }

    pub(crate) fn is_for_setup(&self) -> bool {
        self.mode == Mode::Setup
    }

    pub(crate) fn is_for_subscription(&self) -> bool {
        self.mode == Mode::Subscription
    }

    /// Whether there is anything on it, and of what recurs, if something must.
    pub(crate) fn sells_something(&self) -> bool {
        let recurs = |line: &LineItem| !self.is_for_subscription() || line.recurring.is_some();
        let mut lines = self.line_items.iter();
        lines.any(|line| line.quantity > 0 && recurs(line))
    }

    /// Whether the buyer has to say what they pay with, now or later.
    pub(crate) fn needs_method(&self) -> bool {
        let collects = self.asked_text("payment_method_collection") != Some("if_required");
        self.is_for_setup()
            || self.amount_total() > Amount::ZERO
            || (self.is_for_subscription() && collects)
    }

    /// Whether what is paid with stays with the customer.
    pub(crate) fn keeps_method(&self) -> bool {
        self.mode != Mode::Payment
            || self.terms.setup_future_usage.is_some()
            || self.collected.saves
    }

    /// The address the payment is for: what the buyer typed, else what the shop passed.
    pub(crate) fn email(&self) -> Option<&str> {
        let typed = self.collected.email.as_deref();
        typed.or_else(|| self.asked_text("customer_email"))
    }

    /// What the line items come to, before any discount.
    pub(crate) fn subtotal(&self) -> Amount {
        self.line_items.iter().map(LineItem::amount).sum()
    }

    /// What the buyer pays.
    pub(crate) fn amount_total(&self) -> Amount {
        self.totals().total
    }

    pub(crate) fn totals(&self) -> Totals {
        let taxes = self.asks_for("/automatic_tax/enabled");
        Totals::of(&Bill {
            lines: &self.line_items,
            discount: self.discount.as_ref().map_or(Amount::ZERO, |it| it.amount),
            shipping: self.chosen_shipping(),
            taxed_in: self.tax_country().filter(|_| taxes),
            at: self.created,
        })
    }

    /// Changes what the shop has written on it.
    pub(crate) fn change_metadata(&mut self, change: MetadataUpdate) -> Result<(), ApiError> {
        let known = self.asked.remove("metadata").unwrap_or_default();
        let mut metadata: Metadata = serde_json::from_value(known).unwrap_or_default();
        change.apply(&mut metadata)?;
        self.asked.insert("metadata".to_owned(), json!(metadata));
        Ok(())
    }

    /// Whoever pays has told this.
    pub(crate) fn learn_from(&mut self, billing: &BillingDetails) {
        let told = &mut self.collected;
        let has_address = billing.address != Address::default();
        told.email = billing.email.clone().or(told.email.take());
        told.name = billing.name.clone().or(told.name.take());
        told.phone = billing.phone.clone().or(told.phone.take());
        told.address = match has_address {
            true => Some(billing.address.clone()),
            false => told.address.take(),
        };
    }

    /// What is to be paid has changed.
    pub(crate) fn reckon(&mut self) {
        self.payment_status = match self.amount_total() {
            _ if self.is_for_setup() => PaymentStatus::NoPaymentRequired,
            Amount::ZERO => PaymentStatus::NoPaymentRequired,
            _ => PaymentStatus::Unpaid,
        };
    }

    pub(crate) fn chosen_shipping(&self) -> Option<&ShippingOption> {
        let chosen = self.shipping.as_ref()?;
        self.shipping_options.iter().find(|it| it.rate == *chosen)
    }

    /// Where the buyer goes once they are done.
    pub(crate) fn completed_url(&self) -> String {
        let url = self.asked_text("success_url").unwrap_or(&self.url);
        url.replace("{CHECKOUT_SESSION_ID}", &self.id)
    }

    /// Where the buyer is taxed: where the goods go, or else where they live.
    pub(crate) fn tax_country(&self) -> Option<&str> {
        let ship_to = self.collected.ship_to.as_ref().map(|it| &it.address);
        let address = ship_to.or(self.collected.address.as_ref())?;
        address.country.as_deref()
    }
}
