//! Mail that was ordered, and what became of it.

use serde::Serialize;
use shared::clock::rfc3339;
use shared::store::operator::{Listed, Mails};
use shared::store::outbox::State;

/// A mail, as JSON; or what other systems are told.
#[derive(Serialize)]
pub struct ListedView<'a> {
    id: &'a str,
    /// Which purchase, subscription or invoice it is about; none if it is about the stock.
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<&'a str>,
    /// What other systems are told, if it is not a mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
    state: State,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
}

impl<'a> ListedView<'a> {
    /// As it is shown in a list.
    pub fn of(listed: &'a Listed) -> Self {
        let id = listed.id.as_str();
        let (is_event, effect) = match id.strip_prefix("event#") {
            Some(event) => (true, event),
            None => (false, id),
        };
        let (purchase, effect) = match effect.split_once('#') {
            Some(("stock", _)) => (None, effect),
            Some((purchase, effect)) => (Some(purchase), effect),
            None => (Some(effect), ""),
        };
        Self {
            id: &listed.id,
            purchase,
            mail: (!is_event).then_some(effect),
            event: is_event.then_some(effect),
            state: listed.state,
            attempts: listed.attempts,
            reason: listed.reason.as_deref(),
            created_at: listed.created_at.map(rfc3339),
            finished_at: listed.finished_at.map(rfc3339),
            next_attempt_at: listed.next_attempt.map(rfc3339),
        }
    }
}

/// Those in one of these states, the oldest first.
pub async fn in_states(outbox: &Mails, states: &[State]) -> anyhow::Result<Vec<Listed>> {
    let mut mails = match states.is_empty() {
        true => Vec::new(),
        false => outbox.in_states(states).await?,
    };
    mails.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    Ok(mails)
}
