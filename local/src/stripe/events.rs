//! Events: what happened, recorded in the transaction in which it happened, and due for delivery if
//! the webhook subscribes to its type.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::Timestamp;
use super::database::{Cause, Object, Transaction};
use super::{API_VERSION, delivery, ids};

/// The event types that the shop's webhook handles.
pub const WEBHOOK_EVENTS: &[&str] = &[
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
];

/// An event. Its stored form when it is recorded is the body of its webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    object: String,
    api_version: String,
    created: Timestamp,
    data: Data,
    livemode: bool,
    /// Endpoints that have not taken it: one or none.
    pub(super) pending_webhooks: u8,
    request: Cause,
    #[serde(rename = "type")]
    pub(super) event_type: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Data {
    /// As the object was when it happened.
    object: Value,
}

impl Object for Event {
    const KIND: &'static str = "event";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        serde_json::json!(self)
    }
}

/// Records that this has just happened to `object`.
pub(super) fn record<T: Object>(
    transaction: &Transaction<'_>,
    event_type: &str,
    object: &T,
) -> anyhow::Result<()> {
    let subscribed = transaction
        .enabled_events
        .iter()
        .any(|pattern| matches(pattern, event_type));
    let event = Event {
        id: ids::event(),
        object: Event::KIND.to_owned(),
        api_version: API_VERSION.to_owned(),
        created: transaction.now,
        data: Data {
            object: object.answer(),
        },
        livemode: false,
        pending_webhooks: subscribed.into(),
        request: transaction.cause.clone(),
        event_type: event_type.to_owned(),
    };
    transaction.put(&event)?;
    if subscribed {
        delivery::enqueue(transaction, &event)?;
    }
    Ok(())
}

/// Whether a type is meant by a name, a group such as `charge.*`, or `*`.
pub(super) fn matches(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(group) => event_type.starts_with(group),
        None => event_type == pattern,
    }
}
