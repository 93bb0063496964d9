//! Webhook endpoints.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::description::complete;
use crate::engine::ids::WebhookEndpointId;
use crate::engine::pattern::matches;
use crate::engine::resource::{API_VERSION, Metadata, Object};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::webhook::signature::SigningSecret;

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WebhookEndpoint {
    pub(crate) id: WebhookEndpointId,
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
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "api_version": self.api_version,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": false,
            "metadata": self.metadata,
            "status": if self.disabled { "disabled" } else { "enabled" },
            "url": self.url,
        });
        complete(Self::KIND, answer)
    }
}

/// A webhook endpoint that nobody has to make.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Where the events go.
    pub url: Url,
    /// Signs them.
    pub secret: SigningSecret,
    /// The event types that it subscribes to: names, `charge.dispute.*`, or `*`.
    pub enabled_events: Vec<String>,
}

/// Makes the shop's own endpoint, or brings it up to date.
pub(crate) fn register_own(transaction: &Transaction<'_>, webhook: &Webhook) -> anyhow::Result<()> {
    let id = WebhookEndpointId::shops_own();
    let known = transaction.get::<WebhookEndpoint>(&id)?;
    let endpoint = known.unwrap_or_else(|| WebhookEndpoint {
        id,
        created: transaction.now,
        url: String::new(),
        secret: None,
        enabled_events: Vec::new(),
        api_version: Some(API_VERSION.to_owned()),
        description: Some("The shop on this machine".to_owned()),
        disabled: false,
        metadata: Metadata::new(),
    });
    transaction.put(&WebhookEndpoint {
        url: webhook.url.to_string(),
        enabled_events: webhook.enabled_events.clone(),
        ..endpoint
    })
}
