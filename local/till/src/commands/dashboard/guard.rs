//! Lets in only those who open the address that was printed.
//!
//! That address contains a secret, which a cookie holds from then on. A page of another site can make a
//! browser ask for anything here, but it cannot read the answers, and the cookie is not sent along
//! (`SameSite`). What a browser says comes from another page is refused even with the cookie: other ports
//! of this machine count as the same site. [`laptop::loopback`] has checked `Host` and `Origin` before.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Cookies of 127.0.0.1 and localhost are sent to whatever listens there on any port. This name is nobody
/// else's.
pub(super) const NAME: &str = "till.localhost";

/// What every answer has: nobody keeps it, frames it, or learns of it where it leads.
const SEALS: [(HeaderName, HeaderValue); 6] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

const STYLE: &str = "/style.css";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Keeps strangers out.
pub(super) struct Guard {
    port: u16,
    secret: String,
}

impl Guard {
    /// With a new secret.
    pub(super) fn of(port: u16) -> Self {
        Self {
            port,
            secret: Uuid::new_v4().simple().to_string(),
        }
    }

    /// The address that lets somebody in.
    pub(super) fn entrance(&self) -> String {
        format!("http://{NAME}:{}/enter?key={}", self.port, self.secret)
    }

    /// The same answers, for those who may have them.
    pub(super) fn around(self, router: Router) -> Router {
        let guard = Arc::new(self);
        let entrance = Router::new()
            .route("/enter", get(enter))
            .with_state(Arc::clone(&guard));
        router
            .fallback(async || StatusCode::NOT_FOUND)
            .layer(middleware::from_fn_with_state(guard, admit))
            .merge(entrance)
            .layer(middleware::map_response(async |mut answer: Response| {
                for (name, value) in SEALS {
                    answer.headers_mut().insert(name, value);
                }
                answer
            }))
    }

    /// Of this port alone: all ports of a name share their cookies.
    fn cookie(&self) -> String {
        format!("till-dashboard-{}", self.port)
    }

    /// The time this takes depends on digests, of which nobody can choose how far they agree.
    fn is_secret(&self, said: &str) -> bool {
        Sha256::digest(said) == Sha256::digest(&self.secret)
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie();
        let cookies = headers.get_all(header::COOKIE).iter();
        let cookies = cookies.filter_map(|line| line.to_str().ok());
        let mut cookies = cookies.flat_map(|line| line.split(';'));
        cookies.any(|cookie| match cookie.trim().split_once('=') {
            Some((said, value)) => said == name && self.is_secret(value),
            None => false,
        })
    }
}

#[derive(Deserialize)]
struct Key {
    #[serde(default)]
    key: String,
}

/// Exchanges the secret of the address for a cookie, so that no further address has it.
async fn enter(State(guard): State<Arc<Guard>>, Query(Key { key }): Query<Key>) -> Response {
    if !guard.is_secret(&key) {
        return Refusal::Stranger.told(None);
    }
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Strict",
        guard.cookie(),
        guard.secret
    );
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}

async fn admit(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let refusal = if is_from_elsewhere(headers) {
        Refusal::FromElsewhere
    // A refusal has to look like something, too.
    } else if guard.knows(headers) || request.uri().path() == STYLE {
        return next.run(request).await;
    } else {
        Refusal::Stranger
    };
    let is_visit = headers
        .get(SEC_FETCH_MODE)
        .is_some_and(|mode| mode == "navigate");
    refusal.told(is_visit.then(|| here(request.uri())))
}

/// A path on this server: one that began with two slashes would lead to another.
fn here(uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("", PathAndQuery::as_str);
    format!("/{}", path.trim_start_matches(['/', '\\']))
}

/// Whether a page of another site asks, or led here. A browser says so, and no page can prevent it.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE);
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// Why somebody is not let in.
enum Refusal {
    /// They have no cookie, or an old one.
    Stranger,
    /// Another page asks.
    FromElsewhere,
}

/// What a person is shown. Its link leads where they were going, now from here.
#[derive(Template)]
#[template(path = "refused.html")]
struct Refused {
    why: &'static str,
    onward: String,
}

impl Refusal {
    /// `onward` is where a person was going, if it was a person.
    fn told(self, onward: Option<String>) -> Response {
        let why = match self {
            Self::Stranger => {
                "Open the address that `till dashboard` printed: it changes each time the command starts."
            }
            Self::FromElsewhere => "Another page led here.",
        };
        let page = onward.map(|onward| Refused { why, onward }.render());
        match page {
            Some(Ok(page)) => {
                let policy = "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'";
                let policy = [(header::CONTENT_SECURITY_POLICY, policy)];
                (StatusCode::FORBIDDEN, policy, Html(page)).into_response()
            }
            _ => {
                let body = Json(json!({ "error": { "message": why } }));
                (StatusCode::FORBIDDEN, body).into_response()
            }
        }
    }
}
