//! Events that somebody asks for once more.

use rusqlite::params;

use crate::engine::ids::WebhookEndpointId;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::webhook::endpoint::WebhookEndpoint;
use crate::webhook::event::Event;
use crate::webhook::queue::{count_pending, enqueue};

/// What became of the wish to send an event once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resent {
    Due,
    NoSuchEvent,
    /// It went nowhere before, and there is no endpoint to send it to.
    NoEndpoint,
}

/// Sends an event once more, held or not, to the endpoints that it went to. If there are none, to the
/// shop's own, or else to all.
pub(crate) fn resend(transaction: &Transaction<'_>, event: &str) -> anyhow::Result<Resent> {
    let Some(event) = transaction.get::<Event>(event)? else {
        return Ok(Resent::NoSuchEvent);
    };
    let again = transaction.sql.execute(
        "UPDATE webhooks SET state = 'pending', since = ?2, tries = 0, due = ?2, asked = 1
         WHERE event = ?1 AND endpoint IN (SELECT id FROM objects WHERE kind = ?3)",
        params![event.id, transaction.now, WebhookEndpoint::KIND],
    )?;
    if again > 0 {
        count_pending(transaction, &event.id)?;
        return Ok(Resent::Due);
    }
    let mut endpoints = transaction.all::<WebhookEndpoint>()?;
    let shops_own = WebhookEndpointId::shops_own();
    if endpoints.iter().any(|endpoint| endpoint.id == shops_own) {
        endpoints.retain(|endpoint| endpoint.id == shops_own);
    }
    for endpoint in &endpoints {
        resend_to(transaction, &event, &endpoint.id)?;
    }
    Ok(match endpoints.is_empty() {
        true => Resent::NoEndpoint,
        false => Resent::Due,
    })
}

/// Sends an event once more, held or not, to an endpoint, even if that does not subscribe to it.
pub(crate) fn resend_to(
    transaction: &Transaction<'_>,
    event: &Event,
    endpoint: &WebhookEndpointId,
) -> anyhow::Result<()> {
    let resend = || {
        transaction.sql.execute(
            "UPDATE webhooks SET state = 'pending', since = ?3, tries = 0, due = ?3, asked = 1
             WHERE event = ?1 AND endpoint = ?2",
            params![event.id, endpoint, transaction.now],
        )
    };
    if resend()? == 0 {
        let body = serde_json::to_string(event)?;
        enqueue(transaction, event, endpoint, &body)?;
        resend()?;
    }
    count_pending(transaction, &event.id)
}
