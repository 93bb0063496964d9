//! Checkout sessions.

use serde::Deserialize;
use serde_json::Value;

use super::{Expandable, Tags, Unreadable, payment_intent::Progress};
use crate::{
    money::{Currency, Money},
    purchase::{
        Address, Buyer, Delivery, InvoiceId, PaymentIntentId, SessionId, SessionState,
        SubscriptionId, Sums,
    },
};

/// A Checkout session.
#[derive(Deserialize)]
pub struct Session {
    /// `cs_…`
    pub id: SessionId,
    /// The metadata that we put on it. Stripe always sends it, even if it is empty.
    pub metadata: Option<Tags>,
    status: Option<String>,
    payment_status: String,
    amount_subtotal: Option<i64>,
    amount_total: Option<i64>,
    total_details: Option<TotalDetails>,
    currency: Option<Currency>,
    payment_intent: Option<IntentOfSession>,
    subscription: Option<Expandable<SubscriptionId>>,
    invoice: Option<Expandable<InvoiceId>>,
    customer_details: Option<CustomerDetails>,
    customer_email: Option<String>,
    /// Has the `shipping_details`. They are read part by part, because an address of another shape is
    /// no reason to leave a payment unrecorded.
    collected_information: Option<Value>,
    /// Where versions before 2025-03-31.basil have them.
    shipping_details: Option<Value>,
}

#[derive(Deserialize)]
struct TotalDetails {
    amount_discount: Option<i64>,
    amount_shipping: Option<i64>,
    amount_tax: Option<i64>,
}

/// What happened to a session, according to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::stripe) enum SessionEvent {
    /// The buyer completed it, and has paid or is going to.
    Completed,
    /// A delayed payment arrived.
    PaymentSucceeded,
    /// A delayed payment failed.
    PaymentFailed,
    /// Nobody paid it in time.
    Expired,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum IntentOfSession {
    Id(PaymentIntentId),
    Object {
        id: PaymentIntentId,
        #[serde(flatten)]
        progress: Progress,
    },
}

#[derive(Deserialize)]
struct CustomerDetails {
    email: Option<String>,
    phone: Option<String>,
}

impl Session {
    /// The payment intent that pays it.
    pub fn payment_intent(&self) -> Option<&PaymentIntentId> {
        self.payment_intent.as_ref().map(|intent| match intent {
            IntentOfSession::Id(id) | IntentOfSession::Object { id, .. } => id,
        })
    }

    /// The buyer and the amount, from which a lost purchase is rebuilt.
    pub fn origin(&self) -> Option<(Buyer, Money)> {
        let email = self.customer_details.as_ref();
        let email = email.and_then(|details| details.email.clone());
        let email = email.or_else(|| self.customer_email.clone());
        let buyer = self.metadata.as_ref()?.buyer(email);
        Some((buyer, self.total().ok()?))
    }

    /// How far it has come, according to an event.
    pub(in crate::stripe) fn state_by_event(
        &self,
        event: SessionEvent,
    ) -> Result<SessionState, Unreadable> {
        match (event, self.payment_status.as_str()) {
            (SessionEvent::Expired, _) => Ok(SessionState::Expired),
            (SessionEvent::PaymentFailed, _) => Ok(SessionState::Failed),
            (SessionEvent::PaymentSucceeded, _)
            | (SessionEvent::Completed, "paid" | "no_payment_required") => self.settled(),
            (SessionEvent::Completed, "unpaid") => Ok(SessionState::PENDING),
            (SessionEvent::Completed, other) => {
                Err(Unreadable(format!("payment_status: {other:?} is unknown")))
            }
        }
    }

    /// How far it has come, according to the session itself, fetched with its payment intent
    /// expanded.
    pub fn state(&self) -> Result<SessionState, Unreadable> {
        match (self.status.as_deref(), self.payment_status.as_str()) {
            (Some("open"), _) => Ok(SessionState::Open),
            (Some("expired"), _) => Ok(SessionState::Expired),
            (Some("complete"), "paid" | "no_payment_required") => self.settled(),
            (Some("complete"), "unpaid") => Ok(match &self.payment_intent {
                Some(IntentOfSession::Object { progress, .. }) if progress.has_failed() => {
                    SessionState::Failed
                }
                Some(IntentOfSession::Object { progress, .. }) => SessionState::Pending {
                    waits_for: progress.waits_for(),
                },
                Some(IntentOfSession::Id(_)) | None => SessionState::PENDING,
            }),
            (status, payment) => Err(Unreadable(format!(
                "status {status:?} with payment_status {payment:?} is unknown"
            ))),
        }
    }

    fn settled(&self) -> Result<SessionState, Unreadable> {
        let delivery = self.delivery().map(Box::new);
        let sums = self.sums();
        Ok(SessionState::Settled {
            amount: self.total()?,
            payment_intent: self.payment_intent().cloned(),
            subscription: self.subscription.as_ref().map(Expandable::id).cloned(),
            invoice: self.invoice.as_ref().map(Expandable::id).cloned(),
            sums: sums.filter(|sums| delivery.is_some() || !sums.are_only_goods()),
            delivery,
        })
    }

    /// How its total comes about.
    fn sums(&self) -> Option<Sums> {
        let details = self.total_details.as_ref()?;
        Some(Sums {
            subtotal: self.amount_subtotal?,
            discount: details.amount_discount.unwrap_or_default(),
            shipping: details.amount_shipping.unwrap_or_default(),
            tax: details.amount_tax.unwrap_or_default(),
        })
    }

    /// Where the buyer wants it delivered, if Checkout has asked them.
    fn delivery(&self) -> Option<Delivery> {
        let collected = self.collected_information.as_ref();
        let collected = collected.and_then(|collected| collected.get("shipping_details"));
        let mut places = [collected, self.shipping_details.as_ref()].into_iter();
        let details = places.find_map(|place| place.filter(|details| details.is_object()))?;
        let text = |object: &Value, name: &str| {
            let text = object.get(name)?.as_str().map(str::trim)?;
            Some(text.to_owned()).filter(|text| !text.is_empty())
        };
        let address = details.get("address")?;
        let part = |name| text(address, name);
        let customer = self.customer_details.as_ref();
        Some(Delivery {
            name: text(details, "name"),
            phone: customer.and_then(|customer| customer.phone.clone()),
            address: Address {
                line1: part("line1"),
                line2: part("line2"),
                city: part("city"),
                state: part("state"),
                postal_code: part("postal_code"),
                country: part("country"),
            },
        })
    }

    fn total(&self) -> Result<Money, Unreadable> {
        match (self.amount_total, self.currency) {
            (Some(amount), Some(currency)) => Ok(Money::new(amount, currency)),
            _ => Err(Unreadable("amount_total or currency is missing".to_owned())),
        }
    }
}
