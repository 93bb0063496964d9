//! What the pages for buyers have in common.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::{Html, IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use url::Url;

use crate::account::object::Account;
use crate::door::site_asked;
use crate::engine::resource::Cause;
use crate::stand_in::StandIn;

/// The account that has what the page is of (the default one if none has), and what causes a change
/// that is made on the page: whoever looks at it.
pub(crate) struct Owner(pub(crate) Account, pub(crate) Cause);

impl FromRequestParts<StandIn> for Owner {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, stand_in: &StandIn) -> Result<Self, Response> {
        let id = parts.uri.path().split('/').nth(2).unwrap_or_default();
        match stand_in.owner(id).await {
            Ok(owner) => Ok(Self(
                owner.unwrap_or_else(|| stand_in.default_account().clone()),
                Cause {
                    site: site_asked(&stand_in.0.config, &parts.headers),
                    ..Cause::default()
                },
            )),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// A page that no cache keeps: it may show what was typed.
pub(crate) fn page(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (
            status,
            [
                (header::CACHE_CONTROL, "no-store"),
                (header::REFERRER_POLICY, "same-origin"),
            ],
            Html(html),
        )
            .into_response(),
        Err(error) => failed(&error.into()),
    }
}

/// On to another page.
pub(crate) fn redirect(url: &str) -> Response {
    // A URL with letters that no header can hold goes in its encoded form.
    let location = HeaderValue::from_str(url)
        .ok()
        .filter(|_| url.is_ascii())
        .or_else(|| HeaderValue::from_str(Url::parse(url).ok()?.as_str()).ok());
    match location {
        Some(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        None => failed(&anyhow::anyhow!("cannot redirect to {url:?}")),
    }
}

/// The stand-in itself failed.
pub(crate) fn failed(error: &anyhow::Error) -> Response {
    tracing::error!(error = format!("{error:#}"), "a page failed");
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "The page failed: the log says why.\n",
    )
        .into_response()
}
