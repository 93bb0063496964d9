//! An event, as the API and its webhooks show it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::ids::EventId;
use crate::engine::links::Links;
use crate::engine::resource::{Cause, Object};
use crate::engine::time::Timestamp;

/// An event. Its stored form when it is recorded is the body of its webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) object: String,
    pub(crate) api_version: String,
    pub(crate) created: Timestamp,
    pub(crate) data: Data,
    pub(crate) livemode: bool,
    /// Endpoints that have not taken it.
    pub(crate) pending_webhooks: usize,
    pub(crate) request: Cause,
    #[serde(rename = "type")]
    pub(crate) event_type: String,
}

/// What an event is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Data {
    /// As the object was when it happened.
    pub(crate) object: Value,
    /// What the fields that changed were before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous_attributes: Option<Value>,
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

    fn shown(&self) -> anyhow::Result<(String, Links)> {
        Ok((
            serde_json::to_string(self)?,
            Links::of_event(&self.data.object),
        ))
    }

    fn state(&self) -> anyhow::Result<Option<String>> {
        Ok(None)
    }
}
