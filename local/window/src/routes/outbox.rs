//! Mail that did not go out, and events for other systems that were not published.

use axum::Router;
use axum::extract::{Form, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use shared::store::outbox::State as How;

use super::answer::{Trouble, fresh};
use super::window::Window;
use crate::mails::{ListedView, in_states};

pub(super) fn routes(window: Window) -> Router {
    Router::new()
        .route("/mails.json", get(list))
        .route("/mails/resend", post(resend))
        .with_state(window)
}

/// What was given up, waits or is held, oldest first.
async fn list(State(window): State<Window>) -> Result<Response, Trouble> {
    let mails = window.once("mails", async {
        let outbox = window.seen().await.shop.mails()?;
        let mails = in_states(&outbox, &[How::Failed, How::Due, How::Held]).await?;
        let mails: Vec<_> = mails.iter().map(ListedView::of).collect();
        Ok(json!({ "mails": mails }))
    });
    fresh(&mails.await?)
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// As `till mails resend` does.
async fn resend(
    State(window): State<Window>,
    Form(Named { id }): Form<Named>,
) -> Result<Response, Trouble> {
    let shop = &window.seen().await.shop;
    let resent = shop.mails()?.resend(&id, shop.now()).await?;
    if resent {
        window.forget();
    }
    fresh(&json!({ "id": id, "resent": resent }))
}
