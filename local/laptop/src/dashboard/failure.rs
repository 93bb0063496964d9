//! When the dashboard itself fails: the log says why, the page gets only the status.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

pub(super) fn failure(error: &anyhow::Error) -> Response {
    tracing::error!("the dashboard failed: {error:#}");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
