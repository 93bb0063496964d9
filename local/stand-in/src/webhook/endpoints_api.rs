//! `/v1/webhook_endpoints`. The shop's own endpoint is among them from the start.

use serde_json::json;

use crate::description::Description;
use crate::engine::ids::{self, WebhookEndpointId};
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::webhook::endpoint::WebhookEndpoint;
use crate::webhook::queue;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};
use crate::wire::version::Version;

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["webhook_endpoints"]) => Box::new(create),
        ("POST", ["webhook_endpoints", id]) => Box::new(move |params| update(id, params)),
        ("DELETE", ["webhook_endpoints", id]) => Box::new(move |params| delete(id, params)),
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let url = params.url("url").required(&params, "url")?;
    let enabled_events =
        enabled_events(&mut params)?.ok_or_else(|| ApiError::missing("enabled_events"))?;
    let api_version = params.text("api_version")?;
    if let Some(version) = &api_version {
        Version::read(Some(version)).map_err(|error| error.param("api_version"))?;
    }
    let description = params.short_text("description", 5_000)?;
    let metadata = params.metadata("metadata")?;
    params.finish()?;

    Ok(Box::new(move |transaction| {
        let secret = ids::webhook_secret();
        let endpoint = WebhookEndpoint {
            id: WebhookEndpointId::random(),
            created: transaction.now,
            url,
            secret: Some(secret.clone()),
            enabled_events,
            api_version,
            description,
            disabled: false,
            metadata,
        };
        transaction.put(&endpoint)?;
        let mut answer = endpoint.answer();
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("secret".to_owned(), json!(secret));
        }
        Ok(answer)
    }))
}

/// `*` alone, or types of events that there are.
fn enabled_events(params: &mut Params) -> Result<Option<Vec<String>>, ApiError> {
    let events = params.texts("enabled_events")?;
    let known = Description::newest().events();
    let is_known = |event: &String| event == "*" || known.binary_search(&event.as_str()).is_ok();
    match events.iter().find(|event| !is_known(event)) {
        Some(event) => {
            Err(ApiError::invalid(format!("No such event type: {event}")).param("enabled_events"))
        }
        None => Ok(Some(events).filter(|events| !events.is_empty())),
    }
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let url = params.url("url")?;
    let enabled_events = enabled_events(&mut params)?;
    let disabled = params.boolean("disabled")?;
    let description = params.maybe_empty_text("description", 5_000)?;
    let metadata = params.metadata_update("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut endpoint = find(transaction, id)?;
        metadata.apply(&mut endpoint.metadata)?;
        endpoint.url = url.unwrap_or(endpoint.url);
        endpoint.enabled_events = enabled_events.unwrap_or(endpoint.enabled_events);
        endpoint.disabled = disabled.unwrap_or(endpoint.disabled);
        if let Some(text) = description {
            endpoint.description = Some(text).filter(|text| !text.is_empty());
        }
        transaction.put(&endpoint)?;
        Ok(endpoint.answer())
    }))
}

fn delete(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let endpoint = find(transaction, id)?;
        transaction.delete(WebhookEndpoint::KIND, &endpoint.id)?;
        queue::forget(transaction, &endpoint.id)?;
        Ok(json!({ "id": endpoint.id, "object": WebhookEndpoint::KIND, "deleted": true }))
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<WebhookEndpoint, ApiError> {
    let endpoint = transaction.get::<WebhookEndpoint>(id)?;
    endpoint.ok_or_else(|| ApiError::no_such("webhook endpoint", id).param("id"))
}
