//! What happened, recorded in the transaction in which it happened, and due for delivery to
//! every webhook endpoint that subscribes to its type.

use serde_json::Value;

use crate::description::Description;
use crate::engine::ids::EventId;
use crate::engine::resource::{API_VERSION, Object};
use crate::engine::transaction::Transaction;
use crate::webhook::endpoint::WebhookEndpoint;
use crate::webhook::event::{Data, Event};
use crate::webhook::queue;
use crate::wire::former::data_as_of;

/// Records that this has just happened to `object`.
pub(crate) fn record<T: Object>(
    transaction: &Transaction<'_>,
    event_type: &str,
    object: &T,
) -> anyhow::Result<()> {
    record_shown(transaction, event_type, object.answer(), None)
}

/// Keeps `object` as it is now, and records that this has just happened to it.
pub(crate) fn put_and_record<T: Object>(
    transaction: &Transaction<'_>,
    event_type: &str,
    object: &T,
) -> anyhow::Result<()> {
    let shown = object.answer();
    transaction.put_as(object, &shown)?;
    record_shown(transaction, event_type, shown, None)
}

/// Records a change of `object`, which the API showed as `before` until now.
pub(crate) fn record_change<T: Object>(
    transaction: &Transaction<'_>,
    event_type: &str,
    before: &Value,
    object: &T,
) -> anyhow::Result<()> {
    record_shown(transaction, event_type, object.answer(), Some(before))
}

/// Records that this has just happened to an object that the API shows as `object`.
pub(crate) fn record_shown(
    transaction: &Transaction<'_>,
    event_type: &str,
    object: Value,
    before: Option<&Value>,
) -> anyhow::Result<()> {
    let data = Data {
        previous_attributes: before.map(|before| previous(before, &object)),
        object,
    };
    keep(transaction, event_type, data).map(|_| ())
}

/// Records that this is happening to `object`, ahead of all that comes of it. Returns the event, which
/// is to be told again in the same transaction once the object is what it becomes.
pub(crate) fn record_early<T: Object>(
    transaction: &Transaction<'_>,
    event_type: &str,
    object: &T,
) -> anyhow::Result<Option<EventId>> {
    let data = Data {
        previous_attributes: None,
        object: object.answer(),
    };
    keep(transaction, event_type, data)
}

/// Tells an event that was recorded early as it has turned out.
pub(crate) fn retell<T: Object>(
    transaction: &Transaction<'_>,
    event: Option<&str>,
    object: &T,
) -> anyhow::Result<()> {
    let Some(event) = event else {
        return Ok(());
    };
    let mut event: Event = transaction.existing(event)?;
    event.data.object = object.answer();
    transaction.put(&event)?;
    for endpoint in transaction.all::<WebhookEndpoint>()? {
        let body = as_of(transaction, &event, endpoint.api_version.as_deref())?;
        queue::rewrite(transaction, &event, &endpoint.id, &body)?;
    }
    Ok(())
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

/// Keeps an event, unless a fault switch is in the way. Returns its id.
fn keep(
    transaction: &Transaction<'_>,
    event_type: &str,
    data: Data,
) -> anyhow::Result<Option<EventId>> {
    if transaction.faults.no_event(event_type) {
        return Ok(None);
    }
    let mut endpoints = transaction.all::<WebhookEndpoint>()?;
    endpoints.retain(|endpoint| endpoint.wants(event_type));
    let event = Event {
        id: EventId::random(),
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
        let body = as_of(transaction, &event, endpoint.api_version.as_deref())?;
        queue::enqueue(transaction, &event, &endpoint.id, &body)?;
    }
    Ok(Some(event.id))
}

/// The event as an endpoint's version of the API shows it.
fn as_of(
    transaction: &Transaction<'_>,
    event: &Event,
    version: Option<&str>,
) -> anyhow::Result<String> {
    let described = version.and_then(Description::at);
    let Some((version, description)) = version.zip(described) else {
        return Ok(serde_json::to_string(event)?);
    };
    let mut event = event.clone();
    version.clone_into(&mut event.api_version);
    event.data = data_as_of(transaction, description, event.data)?;
    Ok(serde_json::to_string(&event)?)
}
