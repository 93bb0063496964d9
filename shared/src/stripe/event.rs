//! Stripe's events: a thin envelope, and what of its object we understand. Only the few fields
//! that are needed are read, so that the rest of Stripe may change its shape.

use serde::Deserialize;
use serde_json::Value;

use super::checkout::metadata;
use crate::{
    ledger::Report,
    money::{Currency, Money},
    purchase::{Buyer, Change, PaymentIntentId, PurchaseId, SessionId, SessionState},
};

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

/// It is authentic, but does not read as Stripe's documentation says it would.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// What an event is to us.
#[derive(Debug)]
pub enum Meaning {
    /// It says something of a purchase of ours.
    Report(Box<Report>),
    /// It is of a type we have no use for.
    Unhandled,
    /// It is about something that is not ours: another deployment's, a payment link's ….
    Foreign,
}

#[derive(Deserialize)]
struct SessionObject {
    id: SessionId,
    payment_status: String,
    amount_total: Option<i64>,
    currency: Option<Currency>,
    #[serde(default)]
    payment_intent: Option<Expandable>,
    #[serde(default)]
    customer_details: Option<CustomerDetails>,
    #[serde(default)]
    customer_email: Option<String>,
}

#[derive(Deserialize)]
struct CustomerDetails {
    email: Option<String>,
}

/// An id, or the object with that id.
#[derive(Deserialize)]
#[serde(untagged)]
enum Expandable {
    Id(PaymentIntentId),
    Object { id: PaymentIntentId },
}

/// The id of an event whose envelope may not read otherwise.
pub fn id_of(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct IdOnly {
        id: String,
    }
    serde_json::from_slice::<IdOnly>(body)
        .ok()
        .map(|event| event.id)
}

impl Event {
    /// Reads the envelope.
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        Ok(serde_json::from_slice(body)?)
    }

    /// Whether it is of a type we have a use for.
    pub fn is_handled(&self) -> bool {
        self.kind
            .strip_prefix("checkout.session.")
            .is_some_and(|what| {
                matches!(
                    what,
                    "completed" | "async_payment_succeeded" | "async_payment_failed" | "expired"
                )
            })
    }

    /// What it says, to the deployment `stack`.
    pub fn meaning(self, stack: &str) -> Result<Meaning, Unreadable> {
        if !self.is_handled() {
            return Ok(Meaning::Unhandled);
        }
        // Stripe sends metadata on every session, if only an empty one.
        if !matches!(
            self.data.object.get("metadata"),
            Some(Value::Object(_) | Value::Null)
        ) {
            return Err(Unreadable("metadata is missing or no object".to_owned()));
        }
        let tag = |name: &str| {
            let tags = self.data.object.get("metadata")?;
            Some(tags.get(name)?.as_str()?.to_owned())
        };
        if tag(metadata::STACK).as_deref() != Some(stack) {
            return Ok(Meaning::Foreign);
        }
        let purchase: PurchaseId = tag(metadata::PURCHASE_ID)
            .ok_or_else(|| Unreadable("metadata.purchase_id is missing".to_owned()))?
            .parse()
            .map_err(|error| Unreadable(format!("metadata.purchase_id: {error}")))?;
        let subject = tag(metadata::BUYER);
        let session: SessionObject = serde_json::from_value(self.data.object)?;

        let payment_intent = session.payment_intent.map(|intent| match intent {
            Expandable::Id(id) | Expandable::Object { id } => id,
        });
        let total = || match (session.amount_total, session.currency) {
            (Some(amount), Some(currency)) => Ok(Money::new(amount, currency)),
            _ => Err(Unreadable("amount_total or currency is missing".to_owned())),
        };
        let settled = || {
            let payment_intent = payment_intent.clone();
            total().map(|amount| SessionState::Settled {
                amount,
                payment_intent,
            })
        };
        let state = match (self.kind.as_str(), session.payment_status.as_str()) {
            ("checkout.session.expired", _) => SessionState::Expired,
            ("checkout.session.async_payment_failed", _) => SessionState::Failed,
            ("checkout.session.async_payment_succeeded", _) => settled()?,
            (_, "paid" | "no_payment_required") => settled()?,
            (_, "unpaid") => SessionState::Pending,
            (_, other) => return Err(Unreadable(format!("payment_status: {other:?} is unknown"))),
        };
        let email = session.customer_details.and_then(|details| details.email);
        let buyer = Buyer {
            subject,
            email: email.or(session.customer_email),
            language: None,
        };
        Ok(Meaning::Report(Box::new(Report {
            event: self.id,
            kind: self.kind,
            purchase,
            origin: total().ok().map(|total| (buyer, total)),
            change: Change::Session(session.id, state),
            payment_intent,
        })))
    }
}
