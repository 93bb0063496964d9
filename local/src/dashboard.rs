//! `/_local`: what a developer wants to see of the shop on this machine.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};

use crate::mailbox::Mailbox;

/// The page, its parts, and what it shows as JSON.
pub(crate) fn router(mailbox: Mailbox) -> Router {
    Router::new()
        .route("/_local/mailbox.json", get(mails))
        .with_state(mailbox)
}

async fn mails(State(mailbox): State<Mailbox>) -> Response {
    match mailbox.newest_first().await {
        Ok(mails) => ([(header::CACHE_CONTROL, "no-store")], Json(mails)).into_response(),
        Err(error) => {
            tracing::error!("the mailbox cannot be read: {error:#}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
