//! `/v1/webhook_endpoints`. The shop's own endpoint is among them from the start.

use serde_json::json;

use super::Work;
use super::errors::ApiError;
use super::expand::{Expansions, Shape};
use super::lists::Paging;
use super::params::{Params, Required as _};
use crate::database::{Filter, Object as _, Transaction};
use crate::objects::WebhookEndpoint;
use crate::{API_VERSION, delivery, ids};

const URL: &str = "/v1/webhook_endpoints";
const ENDPOINT: Shape = Shape::One(WebhookEndpoint::KIND);

pub(super) fn create(mut params: Params) -> Result<Work<'static>, ApiError> {
    let url = params.url("url").required(&params, "url")?;
    let enabled_events =
        enabled_events(&mut params)?.ok_or_else(|| ApiError::missing("enabled_events"))?;
    let api_version = params.text("api_version")?;
    if api_version.as_deref().is_some_and(|it| it != API_VERSION) {
        return Err(ApiError::invalid(format!(
            "The stand-in speaks only API version {API_VERSION}."
        ))
        .param("api_version"));
    }
    let description = params.short_text("description", 5_000)?;
    let metadata = params.metadata("metadata")?;
    Expansions::read(&mut params, ENDPOINT)?;
    params.finish()?;

    Ok(Box::new(move |transaction| {
        let secret = ids::webhook_secret();
        let endpoint = WebhookEndpoint {
            id: ids::webhook_endpoint(),
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

/// `*` alone, or names that look like events'.
fn enabled_events(params: &mut Params) -> Result<Option<Vec<String>>, ApiError> {
    let events = params.texts("enabled_events")?;
    let is_name = |event: &String| {
        event == "*"
            || event.contains('.')
                && event
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'))
    };
    match events.iter().find(|event| !is_name(event)) {
        Some(event) => {
            Err(ApiError::invalid(format!("No such event type: {event}")).param("enabled_events"))
        }
        None => Ok(Some(events).filter(|events| !events.is_empty())),
    }
}

pub(super) fn retrieve(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    Expansions::read(&mut params, ENDPOINT)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        Ok(find(transaction, id)?.answer())
    }))
}

pub(super) fn list(mut params: Params) -> Result<Work<'static>, ApiError> {
    let paging = Paging::read(&mut params)?;
    Expansions::read(&mut params, Shape::List(WebhookEndpoint::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        paging.stored::<WebhookEndpoint>(transaction, URL, &Filter::default())
    }))
}

pub(super) fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let url = params.url("url")?;
    let enabled_events = enabled_events(&mut params)?;
    let disabled = params.boolean("disabled")?;
    let description = params.maybe_empty_text("description", 5_000)?;
    let metadata = params.metadata_update("metadata")?;
    Expansions::read(&mut params, ENDPOINT)?;
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

pub(super) fn delete(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let endpoint = find(transaction, id)?;
        transaction.delete(&endpoint.id)?;
        delivery::forget(transaction, &endpoint.id)?;
        Ok(json!({ "id": endpoint.id, "object": WebhookEndpoint::KIND, "deleted": true }))
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<WebhookEndpoint, ApiError> {
    let endpoint = transaction.get::<WebhookEndpoint>(id)?;
    endpoint.ok_or_else(|| ApiError::no_such("webhook endpoint", id).param("id"))
}
