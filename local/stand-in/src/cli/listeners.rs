//! Who listens, and how they hear of what happens.
//!
//! All of it is in memory: a CLI whose session is gone, because the stand-in was started again, asks
//! for another by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use sha2::Sha256;
use tokio::sync::{broadcast, watch};

use crate::cli::request_log::{AnsweredRequest, Filters};
use crate::engine::ids::{self, AccountId, EventId, WebhookEndpointId};
use crate::webhook::signature::{EmptySecret, SigningSecret};

/// Where a session's websocket is. The session's id in the headers lets somebody in, which a web page
/// can neither guess nor send.
pub(crate) const PATH: &str = "/stripecli/subscribe";

/// Sessions that are kept. Once there are more, the oldest that nobody is connected to goes.
const MOST_SESSIONS: usize = 100;

/// Calls that a listener may be behind before it misses some.
const MOST_CALLS: usize = 1_024;

/// The listeners of one account. Clones share one state.
#[derive(Clone)]
pub(crate) struct Listeners(Arc<Shared>);

struct Shared {
    sessions: Mutex<VecDeque<Arc<Session>>>,
    secret: String,
    signing: SigningSecret,
    committed: watch::Sender<()>,
    calls: broadcast::Sender<Call>,
}

/// One run of the CLI, over all its connections.
pub(crate) struct Session {
    /// Whoever knows it may connect.
    pub(crate) id: String,
    /// What the CLI takes for the endpoint of its events.
    pub(crate) webhook: WebhookEndpointId,
    pub(crate) wants: Wants,
    /// The last event that was sent, by its place among all; nothing before the first connection.
    position: Mutex<Option<i64>>,
}

impl Session {
    pub(crate) fn position(&self) -> Option<i64> {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever connects next hears only of what comes behind this place.
    pub(crate) fn has_reached(&self, place: i64) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }
}

/// What a session is for.
#[derive(Debug)]
pub(crate) enum Wants {
    /// Every event. Which of them are shown and forwarded, the CLI decides by itself.
    Events,
    /// The requests that pass the filters.
    Requests(Filters),
    /// Thin events, of which the stand-in makes none.
    ThinEvents,
}

/// What listeners cannot read from the database.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    /// Somebody asks for this event once more.
    Resend(EventId),
    /// A request was answered.
    Answered(Arc<AnsweredRequest>),
}

/// How a connection hears of what happens.
pub(crate) struct News {
    /// Changes when there may be new events, or when those held back may go.
    pub(crate) committed: watch::Receiver<()>,
    pub(crate) calls: broadcast::Receiver<Call>,
}

impl Listeners {
    /// Their signing secret follows from the account, so that it stays the same for its keys, as at
    /// Stripe.
    pub(crate) fn of(account: &AccountId) -> Result<Self, EmptySecret> {
        let key = account.as_str().as_bytes();
        let key = Hmac::<Sha256>::new_from_slice(key).map_err(|_| EmptySecret)?;
        let derived = key.chain_update("stripe listen").finalize().into_bytes();
        let secret = format!("whsec_{}", hex::encode(derived));
        Ok(Self(Arc::new(Shared {
            sessions: Mutex::default(),
            signing: SigningSecret::new(&secret)?,
            secret,
            committed: watch::Sender::new(()),
            calls: broadcast::Sender::new(MOST_CALLS),
        })))
    }

    /// What events are signed with, as `stripe listen` prints it.
    pub(crate) fn secret(&self) -> &str {
        &self.0.secret
    }

    pub(crate) fn signing(&self) -> &SigningSecret {
        &self.0.signing
    }

    /// Begins a session; none if too many are connected already.
    pub(crate) fn begin(&self, wants: Wants) -> Option<Arc<Session>> {
        let mut sessions = self.sessions();
        if sessions.len() >= MOST_SESSIONS {
            // A connection holds its session.
            let idle = sessions.iter().position(|it| Arc::strong_count(it) == 1)?;
            sessions.remove(idle);
        }
        let session = Arc::new(Session {
            id: ids::listener_session(),
            webhook: WebhookEndpointId::random(),
            wants,
            position: Mutex::default(),
        });
        sessions.push_back(Arc::clone(&session));
        Some(session)
    }

    pub(crate) fn session(&self, id: &str) -> Option<Arc<Session>> {
        self.sessions().iter().find(|it| it.id == id).cloned()
    }

    /// For a new connection. It hears of everything from now on.
    pub(crate) fn news(&self) -> News {
        News {
            committed: self.0.committed.subscribe(),
            calls: self.0.calls.subscribe(),
        }
    }

    /// Something was committed.
    pub(crate) fn look(&self) {
        self.0.committed.send_replace(());
    }

    /// The account is as it was when this event was its newest: what comes now is new.
    pub(crate) fn go_back_to(&self, place: i64) {
        for session in self.sessions().iter() {
            if session.position().is_some_and(|it| it > place) {
                session.has_reached(place);
            }
        }
        self.look();
    }

    /// Sends an event to every listener once more.
    pub(crate) fn resend(&self, event: &EventId) {
        self.call(Call::Resend(event.clone()));
    }

    /// A request was answered. Its path is what follows `/v1/`.
    pub(crate) fn answered(
        &self,
        id: &str,
        method: &Method,
        path: &str,
        status: StatusCode,
        body: &str,
    ) {
        if self.0.calls.receiver_count() > 0
            && let Some(answered) = AnsweredRequest::of(id, method, path, status, body)
        {
            self.call(Call::Answered(Arc::new(answered)));
        }
    }

    fn call(&self, call: Call) {
        // It fails when nobody listens.
        let _ = self.0.calls.send(call);
    }

    fn sessions(&self) -> MutexGuard<'_, VecDeque<Arc<Session>>> {
        self.0
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listeners(key: &str) -> Listeners {
        Listeners::of(&AccountId::of_key(key)).unwrap()
    }

    #[test]
    fn an_account_keeps_its_secret() {
        let secret = |key| listeners(key).secret().to_owned();
        assert_eq!(secret("sk_test_local"), secret("rk_test_local"));
        assert_ne!(secret("sk_test_local"), secret("sk_test_other"));
        assert_eq!(secret("sk_test_local").len(), "whsec_".len() + 64);
    }

    #[test]
    fn a_session_is_kept_while_somebody_is_connected_to_it() {
        let listeners = listeners("sk_test_local");
        let connected = listeners.begin(Wants::Events).unwrap();
        let idle = listeners.begin(Wants::Events).unwrap().id.clone();
        let mut others = Vec::new();
        while others.len() + 2 < MOST_SESSIONS {
            others.push(listeners.begin(Wants::Events).unwrap());
        }
        assert!(listeners.session(&idle).is_some());
        others.push(listeners.begin(Wants::Events).unwrap());
        assert!(listeners.session(&idle).is_none());
        assert!(listeners.session(&connected.id).is_some());
        assert!(listeners.begin(Wants::Events).is_none());
        others.pop();
        assert!(listeners.begin(Wants::Events).is_some());
    }
}
