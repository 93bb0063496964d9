//! `/_local`: what a developer wants to see of the shop on this machine, and do to it.
//!
//! It is one page. Each of its sections is an element of the template, a script in `assets/`, and
//! the JSON here that the script reads; `page.js` has what the scripts share.

mod book;
mod failure;
mod links;
mod payments;
mod subscriptions;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use stand_in::StandIn;
use url::Url;
use window::page::{self, Page};
use window::routes::{Trouble, only_what_changed, routes};

use crate::aftermath::Aftermath;
use crate::bus::Bus;
use crate::faults::Faults;
use crate::mailbox::Mailbox;

pub(crate) use self::book::Book;
use self::failure::failure;

/// What only this machine's dashboard has; the others are the window's.
const SCRIPTS: [(&str, &str); 6] = [
    ("/clock.js", include_str!("../assets/clock.js")),
    ("/bus.js", include_str!("../assets/bus.js")),
    ("/dashboard.js", include_str!("../assets/dashboard.js")),
    ("/mailbox.js", include_str!("../assets/mailbox.js")),
    ("/switches.js", include_str!("../assets/switches.js")),
    ("/webhooks.js", include_str!("../assets/webhooks.js")),
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
    let window = dashboard.stand_in.as_ref().map(StandIn::window);
    let own = OwnSections {
        stand_in: window.is_some(),
        window: window.clone(),
    };
    let page = Page {
        title: "Till on this machine".to_owned(),
        badge: "On this machine only".to_owned(),
        live: false,
        base: "/_local",
        script: "dashboard.js",
        reads_shop: dashboard.book.is_some(),
        stand_in: window.is_some(),
        objects: window.as_ref().map(|window| format!("{window}/objects")),
        dashboard: None,
        guarded: false,
        slow: false,
        site: Some(dashboard.site),
        links: links_to(window.as_ref()),
        sections: own.render().unwrap_or_default(),
    };
    let stripe = dashboard.stand_in.map(|stand_in| stand_in.control());
    let books = dashboard.book.map(|book| {
        let shared = Router::new().nest("/_local", routes(&book.window));
        shared
            .merge(subscriptions::routes(book.clone()))
            .merge(payments::routes(book.clone()))
            .merge(links::routes(book))
    });
    let settling = Router::new()
        .route("/_local/settle", post(settle))
        .with_state(dashboard.aftermath);
    Router::new()
        .route("/_local", get(show))
        .route("/_local/", get(show))
        .with_state(Arc::new(page))
        .nest("/_local", page::assets().merge(scripts()))
        .merge(mailbox)
        .merge(bus)
        .merge(settling)
        .merge(books.unwrap_or_default())
        .nest("/_local/faults", faults)
        .nest("/_local/stripe", stripe.unwrap_or_default())
        .layer(middleware::from_fn(only_what_changed))
}

/// The sections that only this machine's dashboard has.
#[derive(Template)]
#[template(path = "sections.html")]
struct OwnSections {
    stand_in: bool,
    /// Where the stand-in shows what it was asked and what it holds.
    window: Option<Url>,
}

fn links_to(window: Option<&Url>) -> Vec<(&'static str, String)> {
    let clock = window.map(|_| ("Clock", "#clock".to_owned()));
    let sections = [
        ("Mail", "#mailbox"),
        ("Events", "#bus"),
        ("Webhooks", "#webhooks"),
        ("Switches", "#switches"),
    ];
    let sections = sections.map(|(text, address)| (text, address.to_owned()));
    let stripe = window.map(|window| ("Look into Stripe", window.to_string()));
    let contract = ("API", "/openapi".to_owned());
    let after = stripe.into_iter().chain([contract]);
    clock.into_iter().chain(sections).chain(after).collect()
}

async fn show(State(page): State<Arc<Page>>) -> Result<Response, Trouble> {
    page.show()
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

fn scripts() -> Router {
    let all = SCRIPTS.into_iter();
    all.fold(Router::new(), |router, (path, content)| {
        let script = async move || page::asset("text/javascript; charset=utf-8", content);
        router.route(path, get(script))
    })
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
