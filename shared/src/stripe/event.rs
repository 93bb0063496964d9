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

/// An event of a type we have a use for, before anything is made of its object.
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
    /// Reads the envelope; `None` if there is no use for it. That is most of what Stripe can send,
    /// and of what is not for us no more is read than its type: thin events and the pings of
    /// Workbench have other members, and what comes next may have any.
    pub fn parse(body: &[u8]) -> Result<Option<Self>, Unreadable> {
        let event: Value = serde_json::from_slice(body)?;
        let text = |name| event.get(name).and_then(Value::as_str);
        if text("object") == Some("v2.core.event") {
            return Ok(None);
        }
        let kind = text("type").ok_or_else(|| Unreadable("type is missing".to_owned()))?;
        if !HANDLED.contains(&kind) {
            return Ok(None);
        }
        Ok(Some(serde_json::from_value(event)?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_not_for_us_no_more_than_the_type_is_read() {
        for body in [
            // What Workbench sends to try an endpoint out, and a thin event.
            r#"{"id":"evt_test_1","object":"v2.core.event","type":"v2.core.event_destination.ping",
                "created":"2026-11-20T10:00:00.000Z","livemode":false,"related_object":null}"#,
            r#"{"id":"evt_1","object":"v2.core.event","type":"v1.checkout.session.completed",
                "related_object":{"id":"cs_1"}}"#,
            r#"{"id":"evt_1","object":"v2.core.event","type":"checkout.session.completed"}"#,
            r#"{"id":"evt_1","object":"event","type":"plan.created"}"#,
            r#"{"id":1,"type":"ping","livemode":"no","data":[]}"#,
        ] {
            assert!(Event::parse(body.as_bytes()).unwrap().is_none(), "{body}");
        }
        // Ours, and not as we know it; and what may be anybody's.
        for body in [
            r#"{"id":"evt_1","object":"event","type":"checkout.session.completed","livemode":false}"#,
            r#"{"id":"evt_1","object":"event","type":7}"#,
            "{}",
            "[]",
            "ping",
        ] {
            assert!(Event::parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_refund_whose_status_is_null_is_pending() {
        let refund = |status: Value| {
            let object = serde_json::json!({
                "id": "re_1", "amount": 500, "currency": "usd", "status": status,
                "payment_intent": "pi_1", "charge": null,
            });
            AboutCharge::refund(object).map(|about| about.change)
        };
        let pending = format!("{:?}", refund("pending".into()).unwrap());
        assert_eq!(format!("{:?}", refund(Value::Null).unwrap()), pending);
        assert!(refund("unheard of".into()).is_err());
    }
}
