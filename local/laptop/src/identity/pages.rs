//! The provider's pages: the sign-in page, and the refusal shown instead of it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};

use super::authorization::Authorization;

/// The sign-in page. Its form passes the authorization request on.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignIn<'r> {
    carried: Vec<(&'static str, &'r str)>,
    email: &'r str,
    problem: Option<&'static str>,
}

impl<'r> SignIn<'r> {
    pub(super) fn new(request: &'r Authorization, problem: Option<&'static str>) -> Self {
        let carried = [
            ("client_id", &request.client_id),
            ("redirect_uri", &request.redirect_uri),
            ("response_type", &request.response_type),
            ("scope", &request.scope),
            ("state", &request.state),
            ("nonce", &request.nonce),
            ("code_challenge", &request.code_challenge),
            ("code_challenge_method", &request.code_challenge_method),
        ];
        let email = request.email.as_deref().or(request.login_hint.as_deref());
        Self {
            carried: carried
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_deref()?)))
                .collect(),
            email: email.unwrap_or_default(),
            problem,
        }
    }
}

/// For a request that must not be answered with a redirect.
#[derive(Template)]
#[template(path = "refusal.html")]
pub(super) struct Refused {
    pub(super) why: &'static str,
}

/// Answers with a page.
pub(super) fn show(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
