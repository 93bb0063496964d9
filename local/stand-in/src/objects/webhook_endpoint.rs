//! Webhook endpoints.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Metadata;
use crate::clock::Timestamp;
use crate::database::Object;
use crate::events::matches;

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WebhookEndpoint {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) url: String,
    /// Signs what is sent. Shown once, when the endpoint is made. The shop's own has none here: its
    /// configuration knows it.
    pub(crate) secret: Option<String>,
    pub(crate) enabled_events: Vec<String>,
    pub(crate) api_version: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) disabled: bool,
    pub(crate) metadata: Metadata,
}

impl WebhookEndpoint {
    pub(crate) fn wants(&self, event_type: &str) -> bool {
        !self.disabled
            && self
                .enabled_events
                .iter()
                .any(|pattern| matches(pattern, event_type))
    }
}

impl Object for WebhookEndpoint {
    const KIND: &'static str = "webhook_endpoint";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        json!({
            "id": self.id,
            "object": Self::KIND,
            "api_version": self.api_version,
            "application": null,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": false,
            "metadata": self.metadata,
            "status": if self.disabled { "disabled" } else { "enabled" },
            "url": self.url,
        })
    }
}
