//! What goes over the websocket, each message a text of JSON.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::listeners::Session;

/// An event for the CLI to show and to forward. `version` is that of an endpoint with one of its
/// own: of the two copies that are sent of each event, the CLI takes the one with a version if it
/// was started with `--latest`, and else the other.
pub(crate) fn webhook_event(
    session: &Session,
    conversation: &str,
    version: Option<&str>,
    body: &str,
    headers: &BTreeMap<String, String>,
) -> Value {
    json!({
        "type": "webhook_event",
        "endpoint": { "api_version": version },
        "event_payload": body,
        "http_headers": headers,
        "webhook_conversation_id": conversation,
        "webhook_id": session.webhook,
    })
}

/// A request for the CLI to show. The payload is JSON within JSON.
pub(crate) fn request_log_event(request: &str, payload: &Value) -> Value {
    json!({
        "type": "request_log_event",
        "event_payload": payload.to_string(),
        "request_log_id": request.replacen("req_", "resp_", 1),
    })
}

/// What the CLI says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Said {
    /// An event has been forwarded and answered.
    WebhookResponse(WebhookResponse),
    /// An event has arrived; or a later CLI's word that nothing depends on.
    #[serde(other)]
    Other,
}

/// What became of a forwarded event.
#[derive(Debug, Deserialize)]
pub(crate) struct WebhookResponse {
    pub(crate) webhook_conversation_id: String,
    pub(crate) forward_url: String,
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) http_headers: BTreeMap<String, String>,
    pub(crate) body: String,
}
