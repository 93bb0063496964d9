//! Events: what happened, recorded in the transaction in which it happened, and due for delivery to
//! every webhook endpoint that subscribes to its type.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::Timestamp;
use super::database::{Cause, Object, Transaction};
use super::objects::WebhookEndpoint;
use super::{API_VERSION, delivery, ids};

/// An event. Its stored form when it is recorded is the body of its webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    object: String,
    api_version: String,
    created: Timestamp,
    data: Data,
    livemode: bool,
    /// Endpoints that have not taken it.
    pub(super) pending_webhooks: usize,
    request: Cause,
    #[serde(rename = "type")]
    pub(super) event_type: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Data {
    /// As the object was when it happened.
    object: Value,
    /// What the fields that changed were before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_attributes: Option<Value>,
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
    let data = Data {
        object: object.answer(),
        previous_attributes: None,
    };
    keep(transaction, event_type, data)
}

/// Records a change of `object`, which the API showed as `before` until now.
pub(super) fn record_change<T: Object>(
    transaction: &Transaction<'_>,
    event_type: &str,
    before: &Value,
    object: &T,
) -> anyhow::Result<()> {
    let object = object.answer();
    let previous_attributes = Some(previous(before, &object));
    let data = Data {
        object,
        previous_attributes,
    };
    keep(transaction, event_type, data)
}

/// The fields of `before` that are others now, or gone.
fn previous(before: &Value, now: &Value) -> Value {
    let Value::Object(before) = before else {
        return before.clone();
    };
    let changed = before
        .iter()
        .filter(|(field, was)| now.get(field) != Some(was))
        .map(|(field, was)| (field.clone(), was.clone()));
    Value::Object(changed.collect())
}

fn keep(transaction: &Transaction<'_>, event_type: &str, data: Data) -> anyhow::Result<()> {
    if transaction.faults.no_event(event_type) {
        return Ok(());
    }
    let mut endpoints = transaction.all::<WebhookEndpoint>()?;
    endpoints.retain(|endpoint| endpoint.wants(event_type));
    let event = Event {
        id: ids::event(),
        object: Event::KIND.to_owned(),
        api_version: API_VERSION.to_owned(),
        created: transaction.now,
        data,
        livemode: false,
        pending_webhooks: endpoints.len(),
        request: transaction.cause.clone(),
        event_type: event_type.to_owned(),
    };
    transaction.put(&event)?;
    for endpoint in endpoints {
        delivery::enqueue(transaction, &event, &endpoint.id)?;
    }
    Ok(())
}

/// Whether a name is meant by a pattern: itself, a group such as `charge.*`, or `*`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(group) => name.starts_with(group),
        None => name == pattern,
    }
}
