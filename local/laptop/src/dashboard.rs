//! `/_local`: what a developer wants to see of the shop on this machine, and do to it.
//!
//! It is one page. Each of its sections is an element of the template, a script in `assets/`, and
//! the JSON here that the script reads; `page.js` has what the scripts share.

mod book;
mod failure;
mod links;
mod payments;
mod purchases;
mod subscriptions;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use stand_in::StandIn;
use url::Url;

use crate::aftermath::Aftermath;
use crate::bus::Bus;
use crate::faults::Faults;
use crate::mailbox::Mailbox;

pub(crate) use self::book::Book;
use self::failure::failure;

const SCRIPTS: [(&str, &str); 12] = [
    ("clock.js", include_str!("../assets/clock.js")),
    ("bus.js", include_str!("../assets/bus.js")),
    ("dashboard.js", include_str!("../assets/dashboard.js")),
    ("mailbox.js", include_str!("../assets/mailbox.js")),
    ("page.js", include_str!("../assets/page.js")),
    ("purchases.js", include_str!("../assets/purchases.js")),
    ("reader.js", include_str!("../assets/reader.js")),
    ("shelf.js", include_str!("../assets/shelf.js")),
    ("story.js", include_str!("../assets/story.js")),
    (
        "subscriptions.js",
        include_str!("../assets/subscriptions.js"),
    ),
    ("switches.js", include_str!("../assets/switches.js")),
    ("webhooks.js", include_str!("../assets/webhooks.js")),
];

/// What the page shows.
pub(crate) struct Dashboard {
    /// The site's address.
    pub(crate) site: String,
    /// The mail.
    pub(crate) mailbox: Mailbox,
    /// The events for other systems.
    pub(crate) bus: Bus,
    /// The webhooks, unless the real Stripe sends them.
    pub(crate) stand_in: Option<StandIn>,
    /// What goes wrong at AWS, on demand.
    pub(crate) faults: Faults,
    /// The purchases and subscriptions, if the template has a function that reads them.
    pub(crate) book: Option<Book>,
    /// What is still to follow from what was done.
    pub(crate) aftermath: Aftermath,
}

/// The page, its assets, and its data as JSON.
pub(crate) fn router(dashboard: Dashboard) -> Router {
    let faults = dashboard.faults.router();
    let mailbox = Router::new()
        .route("/_local/mailbox.json", get(mails))
        .route("/_local/mailbox/{id}", get(mail))
        .with_state(dashboard.mailbox);
    let bus = Router::new()
        .route("/_local/bus.json", get(events))
        .with_state(dashboard.bus);
    let page = Arc::new(DashboardPage {
        stand_in: dashboard.stand_in.is_some(),
        window: dashboard.stand_in.as_ref().map(StandIn::window),
        books: dashboard.book.is_some(),
        site: dashboard.site,
    });
    let stripe = dashboard.stand_in.map(|stand_in| stand_in.control());
    let books = dashboard.book.map(|book| {
        let subscriptions = subscriptions::routes(book.clone());
        let links = links::routes(book.clone());
        let payments = payments::routes(book.clone());
        let purchases = purchases::routes(book);
        purchases.merge(subscriptions).merge(payments).merge(links)
    });
    let settling = Router::new()
        .route("/_local/settle", post(settle))
        .with_state(dashboard.aftermath);
    Router::new()
        .route("/_local", get(show))
        .route("/_local/", get(show))
        .with_state(page)
        .route("/_local/style.css", get(style))
        .route("/_local/{script}", get(script))
        .merge(mailbox)
        .merge(bus)
        .merge(settling)
        .merge(books.unwrap_or_default())
        .nest("/_local/faults", faults)
        .nest("/_local/stripe", stripe.unwrap_or_default())
        .layer(middleware::from_fn(only_what_changed))
}

/// The page polls every few seconds and gets a 304 if it has seen the answer already. No cache
/// keeps the answers, so the page itself remembers their ETags.
async fn only_what_changed(request: Request, next: Next) -> Response {
    let seen = request.headers().get(header::IF_NONE_MATCH).cloned();
    let looks = *request.method() == Method::GET;
    let (mut head, body) = next.run(request).await.into_parts();
    if !looks || head.status != StatusCode::OK {
        return Response::from_parts(head, body);
    }
    let content = match to_bytes(body, usize::MAX).await {
        Ok(content) => content,
        Err(error) => return failure(&error.into()),
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

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    stand_in: bool,
    /// Where the stand-in shows what it was asked and what it holds.
    window: Option<Url>,
    /// Whether it shows purchases and subscriptions.
    books: bool,
    site: String,
}

async fn show(State(page): State<Arc<DashboardPage>>) -> Response {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                  frame-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'";
    match page.render() {
        Ok(page) => ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response(),
        Err(error) => failure(&error.into()),
    }
}

/// Longer than anything takes that is not in the way of something else.
const PATIENCE: Duration = Duration::from_secs(15);

/// Answers once everything done before has taken effect, and says whether that was in time: a mail
/// that SES refuses for now, say, is tried again and again.
async fn settle(State(aftermath): State<Aftermath>) -> Response {
    match tokio::time::timeout(PATIENCE, aftermath.is_over()).await {
        Ok(Ok(())) => Json(json!({ "settled": true })).into_response(),
        Ok(Err(error)) => failure(&error),
        Err(_) => Json(json!({ "settled": false })).into_response(),
    }
}

async fn style() -> Response {
    asset(
        "text/css; charset=utf-8",
        include_str!("../assets/style.css"),
    )
}

async fn script(Path(name): Path<String>) -> Response {
    match SCRIPTS.iter().find(|(script, _)| *script == name) {
        Some((_, content)) => asset("text/javascript; charset=utf-8", content),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn asset(content_type: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, content).into_response()
}

async fn mails(State(mailbox): State<Mailbox>) -> Response {
    match mailbox.newest_first().await {
        Ok(mails) => ([(header::CACHE_CONTROL, "no-store")], Json(mails)).into_response(),
        Err(error) => failure(&error),
    }
}

async fn events(State(bus): State<Bus>) -> Response {
    match bus.newest_first().await {
        Ok(events) => ([(header::CACHE_CONTROL, "no-store")], Json(events)).into_response(),
        Err(error) => failure(&error),
    }
}

/// A mail's HTML as a page of its own, in which nothing can run or reach the dashboard.
async fn mail(State(mailbox): State<Mailbox>, Path(id): Path<String>) -> Response {
    let policy = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; \
                  img-src https: http: data:";
    match mailbox.find(&id).await {
        Ok(Some(mail)) => {
            let html = Html(mail.html.unwrap_or_default());
            ([(header::CONTENT_SECURITY_POLICY, policy)], html).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => failure(&error),
    }
}
