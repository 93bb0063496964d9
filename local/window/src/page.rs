//! The scripts and the style of the page that shows it.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

const SCRIPT: &str = "text/javascript; charset=utf-8";

const ASSETS: [(&str, &str, &str); 7] = [
    ("/page.js", SCRIPT, include_str!("../assets/page.js")),
    (
        "/purchases.js",
        SCRIPT,
        include_str!("../assets/purchases.js"),
    ),
    ("/reader.js", SCRIPT, include_str!("../assets/reader.js")),
    ("/shelf.js", SCRIPT, include_str!("../assets/shelf.js")),
    ("/story.js", SCRIPT, include_str!("../assets/story.js")),
    (
        "/subscriptions.js",
        SCRIPT,
        include_str!("../assets/subscriptions.js"),
    ),
    (
        "/style.css",
        "text/css; charset=utf-8",
        include_str!("../assets/style.css"),
    ),
];

/// All of them, relative to where the page is served.
pub fn assets() -> Router {
    let all = ASSETS.into_iter();
    all.fold(Router::new(), |router, (path, content_type, content)| {
        router.route(path, get(async move || asset(content_type, content)))
    })
}

/// Something that never changes while the program runs.
pub fn asset(content_type: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, content).into_response()
}
