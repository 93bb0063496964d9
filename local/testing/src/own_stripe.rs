//! A Stripe of the test's own: it shows what the test says, and a test can hold an answer back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// What it shows, and what it was asked.
#[derive(Clone)]
pub struct OwnStripe {
    url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    shown: Mutex<BTreeMap<String, Value>>,
    asked: Mutex<Vec<String>>,
    next_waits: Mutex<Option<Waiting>>,
}

struct Waiting {
    arrived: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

/// A request whose answer is already fixed, but not sent until it is released.
pub struct Held {
    arrived: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

impl OwnStripe {
    /// On a port of its own, without any objects.
    pub async fn start() -> Self {
        let state = Arc::new(State::default());
        let answering = Arc::clone(&state);
        let handler = move |request: Request| {
            let state = Arc::clone(&answering);
            async move { state.answer(request.uri().path()).await }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = axum::Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, server).await });
        Self { url, state }
    }

    /// Its address, as `STRIPE_API_BASE` has it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Shows this at `path`, such as `subscriptions/sub_1`, from now on.
    pub fn show(&self, path: &str, answer: Value) {
        let path = format!("/v1/{path}");
        self.state.shown.lock().unwrap().insert(path, answer);
    }

    /// The paths of everything it was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.state.asked.lock().unwrap().clone()
    }

    /// Holds back the answer to the next request.
    pub fn hold_next(&self) -> Held {
        let (arrived, heard) = oneshot::channel();
        let (release, released) = oneshot::channel();
        let waiting = Waiting { arrived, released };
        *self.state.next_waits.lock().unwrap() = Some(waiting);
        Held {
            arrived: heard,
            release,
        }
    }
}

impl State {
    async fn answer(&self, path: &str) -> Response {
        self.asked.lock().unwrap().push(path.to_owned());
        let shown = self.shown.lock().unwrap().get(path).cloned();
        let waits = self.next_waits.lock().unwrap().take();
        if let Some(Waiting { arrived, released }) = waits {
            arrived.send(()).unwrap();
            // It is dropped unreleased if the test is over.
            released.await.ok();
        }
        match shown {
            Some(shown) => axum::Json(shown).into_response(),
            None => {
                let error = json!({ "error": { "message": "No such object" } });
                (StatusCode::NOT_FOUND, axum::Json(error)).into_response()
            }
        }
    }
}

impl Held {
    /// Until the request has come. What is shown from now on does not change its answer.
    pub async fn arrived(&mut self) {
        (&mut self.arrived).await.unwrap();
    }

    /// Sends the answer.
    pub fn release(self) {
        self.release.send(()).ok();
    }
}
