//! Events that could not be recorded.

use axum::Router;
use axum::extract::{Form, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::inbox::Inbox;

use super::answer::{Trouble, fresh};
use super::window::Window;
use crate::parked::{ParkedView, days, find, parked, replay};

pub(super) fn routes(window: Window) -> Router {
    Router::new()
        .route("/parked.json", get(list))
        .route("/parked/replay", post(again))
        .with_state(window)
}

/// All of them, oldest first, with what is in them.
async fn list(State(window): State<Window>) -> Result<Response, Trouble> {
    #[derive(Serialize)]
    struct Whole {
        #[serde(flatten)]
        event: ParkedView,
        /// What Stripe sent, if that can be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
    }
    let events = window.once("parked", async {
        let shop = &window.seen().await.shop;
        let events = parked(&shop.parked()?, days(None, shop.now()), || ()).await?;
        let events = events.iter().map(|event| Whole {
            event: ParkedView::of(event),
            body: event
                .body
                .as_deref()
                .and_then(|body| serde_json::from_slice(body).ok()),
        });
        Ok(json!({ "events": events.collect::<Vec<_>>() }))
    });
    fresh(&events.await?)
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// As `till events replay` does: an event that goes well is no longer parked.
async fn again(
    State(window): State<Window>,
    Form(Named { id }): Form<Named>,
) -> Result<Response, Trouble> {
    let shop = &window.seen().await.shop;
    let found = find(shop, &[id]).await?;
    let inbox = Inbox::new(&shop.environment).map_err(anyhow::Error::from)?;
    let mut replayed = Vec::new();
    for event in &found {
        replayed.push(replay(shop, &inbox, event, false).await?);
    }
    window.forget();
    fresh(&json!({ "events": replayed }))
}
