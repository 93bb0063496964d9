//! Stripe's events: a thin envelope, and what its object says of a purchase.

use serde::Deserialize;
use serde_json::Value;

pub use super::object::Unreadable;
use super::object::{AboutCharge, Charge, Session, Tags};
use crate::{
    config::Stack,
    money::Money,
    purchase::{Buyer, Change, ChargeId, PaymentIntentId, PurchaseId},
};

/// The types of events that say something of a purchase: those that a webhook endpoint has to be
/// sent. `charge.refunded` lists no refunds since API version 2022-11-15; it says whose they are.
pub const HANDLED: &[&str] = &[
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
];

/// An event, before anything is made of its object.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// `evt_…`
    pub id: String,
    /// Such as `checkout.session.completed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether real money moved.
    pub livemode: bool,
    data: EventData,
}

#[derive(Debug, Deserialize)]
struct EventData {
    object: Value,
}

/// What an event says.
#[derive(Debug)]
pub struct Statement {
    /// What changed.
    pub change: Change,
    /// Which payment intent it is about, where there is one.
    pub payment_intent: Option<PaymentIntentId>,
    /// Whose purchase it is about.
    pub owner: Owner,
}

/// Whose purchase an event is about, as far as the event itself tells.
#[derive(Debug)]
pub enum Owner {
    /// Ours.
    Purchase {
        /// Which.
        id: PurchaseId,
        /// What a lost one is rebuilt from.
        origin: Option<(Buyer, Money)>,
    },
    /// Whoever's the payment is: refunds and disputes carry no tags of ours.
    OfPayment(Option<ChargeId>),
}

/// What an event whose envelope may not read otherwise is known by.
#[derive(Debug, Default)]
pub struct Label {
    /// `evt_…`
    pub id: Option<String>,
    /// When Stripe made it, in Unix seconds.
    pub created: Option<i64>,
}

impl Label {
    /// As much of it as can be read.
    pub fn of(body: &[u8]) -> Self {
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        Self {
            id: event.get("id").and_then(Value::as_str).map(str::to_owned),
            created: event.get("created").and_then(Value::as_i64),
        }
    }
}

impl Event {
    /// Reads the envelope.
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        Ok(serde_json::from_slice(body)?)
    }

    /// Whether it is of a type we have a use for.
    pub fn is_handled(&self) -> bool {
        HANDLED.contains(&self.kind.as_str())
    }

    /// What it says to the deployment `stack`; `None` if it is about something that is not its
    /// own: another deployment's, a payment link's …. Only for types that are handled.
    pub fn statement(self, stack: &Stack) -> Result<Option<Statement>, Unreadable> {
        let Self { kind, data, .. } = self;
        let object = data.object;
        if kind.starts_with("refund.") {
            return AboutCharge::refund(object).map(|refund| Some(refund.into()));
        }
        if kind.starts_with("charge.dispute.") {
            return AboutCharge::dispute(object).map(|dispute| Some(dispute.into()));
        }
        // What is not ours need not read any further than its tags.
        let tags = object
            .get("metadata")
            .ok_or_else(|| Unreadable("metadata is missing".to_owned()))?;
        let tags: Option<Tags> = Deserialize::deserialize(tags)?;
        let Some(purchase) = tags.unwrap_or_default().purchase(stack)? else {
            return Ok(None);
        };
        if kind == "charge.refunded" {
            let charge: Charge = serde_json::from_value(object)?;
            return Ok(Some(Statement {
                change: Change::ChargeRefunded(charge.refunded()),
                payment_intent: charge.payment_intent(),
                owner: Owner::Purchase {
                    id: purchase,
                    origin: None,
                },
            }));
        }
        let session: Session = serde_json::from_value(object)?;
        Ok(Some(Statement {
            payment_intent: session.payment_intent().cloned(),
            owner: Owner::Purchase {
                id: purchase,
                origin: session.origin(),
            },
            change: Change::Session(session.id.clone(), session.state_by_event(&kind)?),
        }))
    }
}

impl From<AboutCharge> for Statement {
    fn from(about: AboutCharge) -> Self {
        Self {
            change: about.change,
            payment_intent: about.payment_intent,
            owner: Owner::OfPayment(about.charge),
        }
    }
}
