//! Signing in: a small OpenID Connect provider that trusts every email address, in place of
//! Cognito, and what API Gateway's JWT authorizer does with its tokens.

mod authorization;
mod client;
mod codes;
mod pages;
mod tokens;

use std::path::Path;
use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use self::authorization::{Authorization, AuthorizationError};
use self::client::{CLIENT_ID, Sites};
use self::codes::{Codes, Grant};
use self::pages::{Refused, SignIn, show};
use self::tokens::{Keys, LIFETIME_SECONDS, Person};
use crate::address::EmailAddress;
use crate::environment::Addresses;
use crate::loopback::refuse_other_origins;

/// The provider's path on the shop's port.
const PATH: &str = "/_local/identity";

/// The OpenID Connect provider.
pub struct Identity {
    sites: Sites,
    issuer: String,
    keys: Keys,
    codes: Codes,
}

impl Identity {
    /// The provider of the shop at these addresses. The signing key is created on the first start
    /// and kept in `key_file`, if there is one, so that people stay signed in.
    pub fn open(addresses: &Addresses, key_file: Option<&Path>) -> anyhow::Result<Arc<Self>> {
        let issuer = format!("{}{PATH}", addresses.shop);
        Ok(Arc::new(Self {
            sites: Sites::at(addresses)?,
            keys: Keys::open(&issuer, CLIENT_ID, key_file)?,
            issuer,
            codes: Codes::default(),
        }))
    }

    /// The address that is in tokens, and from which discovery starts.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The audience of its tokens.
    pub fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    /// What API Gateway's JWT authorizer does: the claims, or the challenge to answer with.
    pub fn authorize(&self, headers: &HeaderMap) -> Result<Map<String, Value>, String> {
        let Some(authorization) = headers.get(header::AUTHORIZATION) else {
            return Err("Bearer".to_owned());
        };
        let token = authorization.to_str().unwrap_or_default();
        let token = match token.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => token,
        };
        self.keys.verify(token).map_err(|why| {
            format!(r#"Bearer scope="" error="invalid_token" error_description="{why}""#)
        })
    }

    /// The provider's own pages, and `/_local/token` for scripts. Web pages from elsewhere are
    /// refused, except the site's, whose scripts have to reach the provider.
    pub fn router(self: &Arc<Self>) -> Router {
        let provider = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks.json", get(jwks))
            .route("/authorize", get(ask).post(sign_in))
            .route("/token", post(exchange))
            .route("/logout", get(sign_out))
            .layer(from_fn_with_state(Arc::clone(self), admit_the_site));
        let for_scripts = Router::new()
            .route("/_local/token", post(token_for_scripts))
            .layer(from_fn(refuse_other_origins));
        Router::new()
            .nest(PATH, provider)
            .merge(for_scripts)
            .with_state(Arc::clone(self))
    }
}

/// Lets the site's pages call the provider, wherever they are, and read what it answers.
async fn admit_the_site(
    State(identity): State<Arc<Identity>>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let Some(origin) = origin.filter(|origin| identity.sites.have_origin(origin)) else {
        return refuse_other_origins(request, next).await;
    };
    let mut response = if request.method() == Method::OPTIONS {
        let allowed = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
            (
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, content-type",
            ),
        ];
        (StatusCode::NO_CONTENT, allowed).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    response
}

async fn discovery(State(identity): State<Arc<Identity>>) -> Json<Value> {
    let issuer = &identity.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks.json"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["sub", "email", "email_verified", "auth_time", "nonce"],
    }))
}

async fn jwks(State(identity): State<Arc<Identity>>) -> Json<Value> {
    Json(identity.keys.jwks())
}

fn refused(error: AuthorizationError) -> Response {
    match error {
        AuthorizationError::Page(why) => show(StatusCode::BAD_REQUEST, &Refused { why }),
        AuthorizationError::Redirect {
            mut to,
            error,
            description,
        } => {
            let mut query = to.query_pairs_mut();
            query
                .append_pair("error", error)
                .append_pair("error_description", description);
            drop(query);
            Redirect::to(to.as_str()).into_response()
        }
    }
}

async fn ask(
    State(identity): State<Arc<Identity>>,
    Query(authorization): Query<Authorization>,
) -> Response {
    match authorization.check(&identity.sites) {
        Ok(_) => show(StatusCode::OK, &SignIn::new(&authorization, None)),
        Err(error) => refused(error),
    }
}

async fn sign_in(
    State(identity): State<Arc<Identity>>,
    Form(authorization): Form<Authorization>,
) -> Response {
    let request = match authorization.check(&identity.sites) {
        Ok(request) => request,
        Err(error) => return refused(error),
    };
    let email = authorization.email.as_deref().unwrap_or_default();
    let Some(person) = Person::with_email(email, true) else {
        let problem = Some("Please enter a complete email address.");
        return show(
            StatusCode::BAD_REQUEST,
            &SignIn::new(&authorization, problem),
        );
    };
    let code = identity.codes.issue(Grant {
        person,
        redirect_uri: request.redirect_uri.to_string(),
        challenge: request.challenge,
        nonce: request.nonce,
    });
    let mut back = request.redirect_uri;
    back.query_pairs_mut().append_pair("code", &code);
    if let Some(state) = &request.state {
        back.query_pairs_mut().append_pair("state", state);
    }
    Redirect::to(back.as_str()).into_response()
}

#[derive(Deserialize)]
struct Exchange {
    grant_type: Option<String>,
    client_id: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
}

async fn exchange(
    State(identity): State<Arc<Identity>>,
    Form(exchange): Form<Exchange>,
) -> Response {
    let refuse = |error: &str, description: &str| {
        let body = json!({ "error": error, "error_description": description });
        (
            StatusCode::BAD_REQUEST,
            [(header::CACHE_CONTROL, "no-store")],
            Json(body),
        )
            .into_response()
    };
    if exchange.grant_type.as_deref() != Some("authorization_code") {
        return refuse(
            "unsupported_grant_type",
            "grant_type must be authorization_code",
        );
    }
    if exchange.client_id.as_deref() != Some(CLIENT_ID) {
        return refuse("invalid_client", "the client_id is unknown here");
    }
    let Some(grant) = exchange
        .code
        .as_deref()
        .and_then(|code| identity.codes.redeem(code))
    else {
        return refuse("invalid_grant", "the code is unknown, used or too old");
    };
    let redirect_uri = exchange
        .redirect_uri
        .as_deref()
        .and_then(|address| Url::parse(address).ok());
    if redirect_uri.is_none_or(|address| address.as_str() != grant.redirect_uri) {
        return refuse(
            "invalid_grant",
            "the redirect_uri is not the one the code was made for",
        );
    }
    let verifier = exchange.code_verifier.unwrap_or_default();
    if URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)) != grant.challenge {
        return refuse(
            "invalid_grant",
            "the code_verifier does not fit the code_challenge",
        );
    }
    let id_token = identity
        .keys
        .id_token(&grant.person, grant.nonce.as_deref());
    let access_token = identity.keys.access_token(&grant.person);
    match (id_token, access_token) {
        (Ok(id_token), Ok(access_token)) => no_store(json!({
            "access_token": access_token,
            "id_token": id_token,
            "token_type": "Bearer",
            "expires_in": LIFETIME_SECONDS,
        })),
        (Err(error), _) | (_, Err(error)) => cannot_sign(&error),
    }
}

#[derive(Deserialize)]
struct ForScripts {
    email: Option<String>,
    email_verified: Option<bool>,
}

/// A bearer token without signing in: the ID token that the site would send.
async fn token_for_scripts(
    State(identity): State<Arc<Identity>>,
    Form(form): Form<ForScripts>,
) -> Response {
    let email = form.email.unwrap_or_default();
    let Some(person) = Person::with_email(&email, form.email_verified.unwrap_or(true)) else {
        let body = json!({
            "error": "invalid_request",
            "error_description": "email must be an address, as in: curl -d email=ada@example.com",
        });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    };
    match identity.keys.id_token(&person, None) {
        Ok(token) => no_store(json!({
            "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME_SECONDS,
        })),
        Err(error) => cannot_sign(&error),
    }
}

#[derive(Deserialize)]
struct SignOut {
    /// OpenID Connect's name for it.
    post_logout_redirect_uri: Option<String>,
    /// Cognito's name for it.
    logout_uri: Option<String>,
    state: Option<String>,
}

async fn sign_out(
    State(identity): State<Arc<Identity>>,
    Query(sign_out): Query<SignOut>,
) -> Response {
    let to = sign_out.post_logout_redirect_uri.or(sign_out.logout_uri);
    let Some(to) = to else {
        return Redirect::to(identity.sites.home().as_str()).into_response();
    };
    let Some(mut to) = identity.sites.page(&to) else {
        let why = "The address to return to is not one of this shop's pages.";
        return show(StatusCode::BAD_REQUEST, &Refused { why });
    };
    if let Some(state) = &sign_out.state {
        to.query_pairs_mut().append_pair("state", state);
    }
    Redirect::to(to.as_str()).into_response()
}

fn no_store(body: Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn cannot_sign(error: &jsonwebtoken::errors::Error) -> Response {
    tracing::error!(%error, "a token could not be signed");
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        Json(json!({ "error": "server_error" })),
    )
        .into_response()
}

impl Person {
    /// The person with this address, always the same for one address.
    fn with_email(email: &str, verified: bool) -> Option<Self> {
        let email = EmailAddress::parse(email)
            .ok()
            .filter(|address| address.bare == email.trim())?;
        Some(Self::new(email.bare.to_ascii_lowercase(), verified))
    }
}
