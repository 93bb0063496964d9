//! What the page hears when the dashboard itself fails: nothing, but the log does.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

pub(super) fn failure(error: &anyhow::Error) -> Response {
    tracing::error!("the dashboard failed: {error:#}");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
