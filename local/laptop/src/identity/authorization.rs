//! The authorization request: what the site may ask the provider for, and what it may not.

use serde::Deserialize;
use url::Url;

use super::client::{CLIENT_ID, Sites};

/// The parameters of an authorization request, as the page's form passes them on.
#[derive(Deserialize)]
pub(super) struct Authorization {
    pub(super) client_id: Option<String>,
    pub(super) redirect_uri: Option<String>,
    pub(super) response_type: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: Option<String>,
    pub(super) code_challenge_method: Option<String>,
    pub(super) prompt: Option<String>,
    pub(super) login_hint: Option<String>,
    pub(super) email: Option<String>,
}

/// Why an authorization request is refused.
pub(super) enum AuthorizationError {
    /// Shown on a page, because nobody is sent to an address that is not the shop's.
    Page(&'static str),
    /// Told to the site, in OAuth's terms.
    Redirect {
        to: Url,
        error: &'static str,
        description: &'static str,
    },
}

/// An authorization request that may go on to the sign-in page.
pub(super) struct Accepted {
    pub(super) redirect_uri: Url,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    /// PKCE's, which the code's verifier has to fit.
    pub(super) challenge: String,
}

impl Authorization {
    /// Whether the request may go on.
    pub(super) fn check(&self, sites: &Sites) -> Result<Accepted, AuthorizationError> {
        if self.client_id.as_deref() != Some(CLIENT_ID) {
            return Err(AuthorizationError::Page(
                "The client_id is unknown here; the shop's is till-local.",
            ));
        }
        let redirect_uri = self.redirect_uri.as_deref();
        let Some(redirect_uri) = redirect_uri.and_then(|address| sites.page(address)) else {
            return Err(AuthorizationError::Page(
                "The redirect_uri is not one of this shop's pages. A front end at another origin \
                 has to be named when the shop is opened, with --site.",
            ));
        };
        let refuse = |error, description| {
            let mut to = redirect_uri.clone();
            if let Some(state) = &self.state {
                to.query_pairs_mut().append_pair("state", state);
            }
            Err(AuthorizationError::Redirect {
                to,
                error,
                description,
            })
        };
        if self.response_type.as_deref() != Some("code") {
            return refuse("unsupported_response_type", "response_type must be code");
        }
        let scope = self.scope.as_deref().unwrap_or_default();
        if !scope.split(' ').any(|scope| scope == "openid") {
            return refuse("invalid_scope", "scope must contain openid");
        }
        let challenge = match (&self.code_challenge, self.code_challenge_method.as_deref()) {
            (Some(challenge), Some("S256")) if challenge.len() == 43 => challenge.clone(),
            _ => return refuse("invalid_request", "PKCE with S256 is required"),
        };
        if self.prompt.as_deref() == Some("none") {
            return refuse("login_required", "nobody stays signed in here");
        }
        Ok(Accepted {
            redirect_uri,
            state: self.state.clone(),
            nonce: self.nonce.clone(),
            challenge,
        })
    }
}
