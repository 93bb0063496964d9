//! What happens when the dashboard itself fails: the log has why, the page only the status.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

pub(super) fn failure(error: &anyhow::Error) -> Response {
    tracing::error!("the dashboard failed: {error:#}");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
