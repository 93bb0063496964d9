//! Answers that somebody has seen already are not sent again.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::answer::Trouble;

/// The page polls and gets a 304 if it has seen the answer already. No cache keeps the answers, so the
/// page itself remembers their ETags.
pub async fn only_what_changed(request: Request, next: Next) -> Response {
    let seen = request.headers().get(header::IF_NONE_MATCH).cloned();
    let looks = *request.method() == Method::GET;
    let (mut head, body) = next.run(request).await.into_parts();
    if !looks || head.status != StatusCode::OK {
        return Response::from_parts(head, body);
    }
    let content = match to_bytes(body, usize::MAX).await {
        Ok(content) => content,
        Err(error) => return Trouble::Failed(error.into()).into_response(),
    };
    let tag = format!("\"{}\"", hex::encode(Sha256::digest(&content)));
    if seen.is_some_and(|seen| seen == *tag) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        head.headers.insert(header::ETAG, tag);
    }
    Response::from_parts(head, Body::from(content))
}
