//! Webhook endpoints.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Metadata;
use crate::stripe::clock::Timestamp;
use crate::stripe::database::Object;
use crate::stripe::events::matches;

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::stripe) struct WebhookEndpoint {
    pub(in crate::stripe) id: String,
    pub(in crate::stripe) created: Timestamp,
    pub(in crate::stripe) url: String,
    /// Signs what is sent. Shown once, when the endpoint is made. The shop's own has none here: its
    /// configuration knows it.
    pub(in crate::stripe) secret: Option<String>,
    pub(in crate::stripe) enabled_events: Vec<String>,
    pub(in crate::stripe) api_version: Option<String>,
    pub(in crate::stripe) description: Option<String>,
    pub(in crate::stripe) disabled: bool,
    pub(in crate::stripe) metadata: Metadata,
}

impl WebhookEndpoint {
    pub(in crate::stripe) fn wants(&self, event_type: &str) -> bool {
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
