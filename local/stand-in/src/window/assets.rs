//! The window's style and script.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

const ASSETS: [(&str, &str, &str); 2] = [
    (
        "window.css",
        "text/css; charset=utf-8",
        include_str!("assets/window.css"),
    ),
    (
        "window.js",
        "text/javascript; charset=utf-8",
        include_str!("assets/window.js"),
    ),
];

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|(known, ..)| *known == name) {
        Some((_, media_type, content)) => {
            let headers = [
                (header::CONTENT_TYPE, *media_type),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (headers, *content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
