//! The websocket of `stripe listen` and `stripe logs tail`: events and requests go out, and what
//! became of a forwarded event comes back.
//!
//! New events are read from the database whenever something was committed, so a listener that is
//! slow, or that stops listening, keeps nobody waiting, and no more than its last events in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Json, State};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::account::object::Account;
use crate::cli::feed;
use crate::cli::listeners::{Call, News, PATH, Session, Wants};
use crate::cli::messages::{self, Said, WebhookResponse};
use crate::cli::request_log::AnsweredRequest;
use crate::engine::ids::{self, EventId};
use crate::engine::resource::{API_VERSION, Cause, Object as _};
use crate::engine::transaction::Transaction;
use crate::stand_in::StandIn;
use crate::webhook::delivery;
use crate::webhook::event::Event;
use crate::webhook::history::Attempt;
use crate::webhook::queue;

const PROTOCOL: &str = "stripecli-devproxy-v1";

/// The CLI sends a forwarded event back, together with what became of it.
const MESSAGE_LIMIT: usize = 4 << 20;

/// Events whose answers are waited for.
const MOST_UNANSWERED: usize = 500;

pub(crate) fn routes() -> Router<StandIn> {
    Router::new().route(PATH, routing::get(connect))
}

async fn connect(
    State(stand_in): State<StandIn>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let id = headers.get("websocket-id").and_then(|id| id.to_str().ok());
    let found = stand_in.accounts().into_iter().find_map(|account| {
        let session = account.0.settings.listeners.session(id?)?;
        Some((account, session))
    });
    let Some((account, session)) = found else {
        // Word for word what tells the CLI to begin another session.
        let refusal = json!({ "error": { "message": "Unknown WebSocket ID." } });
        return (StatusCode::NOT_FOUND, Json(refusal)).into_response();
    };
    // Before the CLI knows that it is connected: whatever happens from then on, it hears of.
    let news = account.0.settings.listeners.news();
    if let Err(error) = find_place(&account, &session).await {
        tracing::error!(error = format!("{error:#}"), "cannot let a listener in");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(MESSAGE_LIMIT)
        .on_upgrade(move |socket| {
            let connection = Connection {
                account,
                session,
                socket,
                unanswered: VecDeque::new(),
            };
            connection.run(news)
        })
}

/// A new session hears of nothing that has already happened, another goes on where it was.
async fn find_place(account: &Account, session: &Session) -> anyhow::Result<()> {
    if session.position().is_none() {
        session.has_reached(account.transact(Cause::default(), feed::newest).await?);
    }
    Ok(())
}

struct Connection {
    account: Account,
    session: Arc<Session>,
    socket: WebSocket,
    /// Oldest first.
    unanswered: VecDeque<Sent>,
}

/// An event that was sent.
struct Sent {
    conversation: String,
    parcel: Arc<Parcel>,
}

struct Parcel {
    event: EventId,
    body: String,
    headers: BTreeMap<String, String>,
    at: Instant,
}

/// The other side has gone.
struct Gone;

impl Connection {
    async fn run(mut self, mut news: News) {
        // What came while nobody was connected.
        let mut state = self.send_new().await;
        while state.is_ok() {
            state = tokio::select! {
                // Pings are answered by the library.
                heard = self.socket.recv() => match heard {
                    Some(Ok(Message::Text(text))) => {
                        self.hear(&text).await;
                        Ok(())
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Gone),
                    Some(Ok(_)) => Ok(()),
                },
                Ok(()) = news.committed.changed() => self.send_new().await,
                call = news.calls.recv() => match call {
                    Ok(Call::Resend(event)) => self.send_again(event).await,
                    Ok(Call::Answered(request)) => self.tell(&request).await,
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "a listener is too slow for what it is told");
                        Ok(())
                    }
                    Err(RecvError::Closed) => Err(Gone),
                },
            };
        }
    }

    /// Sends the events that were recorded since it last looked.
    async fn send_new(&mut self) -> Result<(), Gone> {
        if !matches!(self.session.wants, Wants::Events) {
            return Ok(());
        }
        loop {
            let position = self.session.position().unwrap_or_default();
            let new = transact(&self.account, move |transaction| {
                feed::behind(transaction, position)
            });
            let new = new.await.unwrap_or_default();
            if new.is_empty() {
                return Ok(());
            }
            for (place, event) in new {
                self.send_event(&event).await?;
                self.session.has_reached(place);
            }
        }
    }

    async fn send_again(&mut self, event: EventId) -> Result<(), Gone> {
        if !matches!(self.session.wants, Wants::Events) {
            return Ok(());
        }
        let event = transact(&self.account, move |transaction| {
            transaction.get::<Event>(&event)
        });
        match event.await.flatten() {
            Some(event) => self.send_event(&event).await,
            None => Ok(()),
        }
    }

    async fn send_event(&mut self, event: &Event) -> Result<(), Gone> {
        let body = event.answer().to_string();
        let parcel = Arc::new(Parcel {
            headers: delivery::headers(self.account.0.settings.listeners.signing(), &body),
            event: event.id.clone(),
            body,
            at: Instant::now(),
        });
        for version in [None, Some(API_VERSION)] {
            let conversation = ids::conversation();
            let message = messages::webhook_event(
                &self.session,
                &conversation,
                version,
                &parcel.body,
                &parcel.headers,
            );
            if self.unanswered.len() >= MOST_UNANSWERED {
                self.unanswered.pop_front();
            }
            self.unanswered.push_back(Sent {
                conversation,
                parcel: Arc::clone(&parcel),
            });
            self.send(&message).await?;
        }
        Ok(())
    }

    async fn tell(&mut self, request: &AnsweredRequest) -> Result<(), Gone> {
        match &self.session.wants {
            Wants::Requests(filters) if filters.pass(request) => {}
            _ => return Ok(()),
        }
        let Some(now) = transact(&self.account, |transaction| Ok(transaction.now)).await else {
            return Ok(());
        };
        let message = messages::request_log_event(&request.id, &request.payload(now));
        self.send(&message).await
    }

    async fn send(&mut self, message: &Value) -> Result<(), Gone> {
        let message = Message::Text(message.to_string().into());
        self.socket.send(message).await.map_err(|_| Gone)
    }

    async fn hear(&mut self, text: &str) {
        match serde_json::from_str(text) {
            Ok(Said::WebhookResponse(response)) => self.note(response).await,
            Ok(Said::Other) => {}
            Err(error) => tracing::warn!(%error, "cannot read what a listener says"),
        }
    }

    /// Keeps what the CLI's own endpoint answered. It may forward an event to several.
    async fn note(&mut self, response: WebhookResponse) {
        let conversation = &response.webhook_conversation_id;
        let sent = self.unanswered.iter();
        let Some(sent) = sent.rev().find(|it| it.conversation == *conversation) else {
            return;
        };
        let parcel = Arc::clone(&sent.parcel);
        let milliseconds = u64::try_from(parcel.at.elapsed().as_millis()).unwrap_or(u64::MAX);
        transact(&self.account, move |transaction| {
            let attempt = Attempt {
                at: transaction.now,
                url: response.forward_url,
                request_headers: parcel.headers.clone(),
                status: Some(response.status),
                answer_headers: response.http_headers.into_iter().collect(),
                answer: Some(response.body),
                error: None,
                milliseconds,
            };
            queue::note_forwarded(transaction, &parcel.event, &parcel.body, &attempt)
        })
        .await;
    }
}

/// Nothing if the database fails, which the log then has.
async fn transact<T: Send + 'static>(
    account: &Account,
    work: impl FnOnce(&Transaction<'_>) -> anyhow::Result<T> + Send + 'static,
) -> Option<T> {
    match account.transact(Cause::default(), work).await {
        Ok(done) => Some(done),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "cannot serve a listener");
            None
        }
    }
}
