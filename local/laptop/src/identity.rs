//! Signing in: a small OpenID Connect provider that believes every email address, standing in for
//! Cognito; and what API Gateway's JWT authorizer does with its tokens.

mod pages;
mod tokens;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::environment::Addresses;
use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use self::pages::{Refused, SignIn};
use self::tokens::{Keys, LIFETIME_SECONDS, Person};
use crate::address::EmailAddress;
use crate::loopback::refuse_other_origins;

/// The one client: the site.
const CLIENT_ID: &str = "till-local";
/// Where the provider lives on the shop's port.
const PATH: &str = "/_local/identity";
/// How long a code waits to be exchanged.
const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// The provider.
pub(crate) struct Identity {
    /// The shop's own pages, and those of the front end that takes their place.
    sites: [Url; 2],
    issuer: String,
    keys: Keys,
    codes: Mutex<HashMap<String, Grant>>,
}

/// What a code stands for until it is exchanged.
struct Grant {
    person: Person,
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    expires: Instant,
}

impl Identity {
    /// The provider of the shop at these addresses. The signing key is made on the first start and
    /// kept in `key_file`, if any, so that people stay signed in.
    pub(crate) fn open(
        addresses: &Addresses,
        key_file: Option<&Path>,
    ) -> anyhow::Result<Arc<Self>> {
        let issuer = format!("{}{PATH}", addresses.shop);
        Ok(Arc::new(Self {
            sites: [Url::parse(&addresses.shop)?, Url::parse(&addresses.site)?],
            keys: Keys::open(&issuer, CLIENT_ID, key_file)?,
            issuer,
            codes: Mutex::default(),
        }))
    }

    /// The address that tokens carry and discovery starts from.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The audience of its tokens.
    pub(crate) fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    /// What API Gateway's JWT authorizer does: the claims, or the challenge to answer with.
    pub(crate) fn authorize(&self, headers: &HeaderMap) -> Result<Map<String, Value>, String> {
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

    /// The provider's own pages, and `/_local/token` for scripts; web pages from elsewhere are kept
    /// out, but for the site's, whose scripts have to reach the provider.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
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

    /// Only the site's pages may be sent to.
    fn is_ours(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|address| {
            self.sites
                .iter()
                .any(|site| address.origin() == site.origin())
                && address.username().is_empty()
                && address.password().is_none()
                && address.fragment().is_none()
        })
    }

    fn grant(&self, grant: Grant) -> String {
        let code = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, grant| grant.expires > Instant::now());
        codes.insert(code.clone(), grant);
        code
    }

    /// Takes the grant out, so that no code is good twice.
    fn redeem(&self, code: &str) -> Option<Grant> {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes
            .remove(code)
            .filter(|grant| grant.expires > Instant::now())
    }
}

/// Lets the site's pages call the provider, wherever they are, and read what it answers.
async fn admit_the_site(
    State(identity): State<Arc<Identity>>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let Some(origin) = origin.filter(|origin| {
        let sites = identity.sites.iter().map(|site| site.origin());
        sites
            .map(|site| site.ascii_serialization())
            .any(|site| site.as_bytes() == origin.as_bytes())
    }) else {
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

/// The parameters of an authorization request, as the page shows them and its form sends them on.
#[derive(Deserialize)]
struct Authorization {
    client_id: Option<String>,
    redirect_uri: Option<String>,
    response_type: Option<String>,
    scope: Option<String>,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    prompt: Option<String>,
    login_hint: Option<String>,
    email: Option<String>,
}

/// Why an authorization request is refused.
enum Refusal {
    /// The one who asked cannot be told: nobody is sent to an address that is not ours.
    Page(&'static str),
    /// The one who asked is told, in OAuth's terms.
    Redirect {
        to: Url,
        error: &'static str,
        description: &'static str,
    },
}

/// An authorization request that may go on to the sign-in page.
struct Request {
    redirect_uri: Url,
    state: Option<String>,
    nonce: Option<String>,
    challenge: String,
}

impl Authorization {
    fn check(&self, identity: &Identity) -> Result<Request, Refusal> {
        if self.client_id.as_deref() != Some(CLIENT_ID) {
            return Err(Refusal::Page(
                "The client_id is unknown here; the shop's is till-local.",
            ));
        }
        let redirect_uri = self
            .redirect_uri
            .as_deref()
            .filter(|address| identity.is_ours(address));
        let Some(redirect_uri) = redirect_uri.and_then(|address| Url::parse(address).ok()) else {
            return Err(Refusal::Page(
                "The redirect_uri is not one of this shop's pages. A front end at another origin \
                 has to be named when the shop is opened, with --site.",
            ));
        };
        let refuse = |error, description| {
            let mut to = redirect_uri.clone();
            if let Some(state) = &self.state {
                to.query_pairs_mut().append_pair("state", state);
            }
            Err(Refusal::Redirect {
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
        Ok(Request {
            redirect_uri,
            state: self.state.clone(),
            nonce: self.nonce.clone(),
            challenge,
        })
    }
}

impl Refusal {
    fn answer(self) -> Response {
        match self {
            Self::Page(why) => show(StatusCode::BAD_REQUEST, &Refused { why }),
            Self::Redirect {
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
}

async fn ask(
    State(identity): State<Arc<Identity>>,
    Query(authorization): Query<Authorization>,
) -> Response {
    match authorization.check(&identity) {
        Ok(_) => show(StatusCode::OK, &SignIn::new(&authorization, None)),
        Err(refusal) => refusal.answer(),
    }
}

async fn sign_in(
    State(identity): State<Arc<Identity>>,
    Form(authorization): Form<Authorization>,
) -> Response {
    let request = match authorization.check(&identity) {
        Ok(request) => request,
        Err(refusal) => return refusal.answer(),
    };
    let email = authorization.email.as_deref().unwrap_or_default();
    let Some(person) = Person::with_email(email, true) else {
        let problem = Some("Please enter a complete email address.");
        return show(
            StatusCode::BAD_REQUEST,
            &SignIn::new(&authorization, problem),
        );
    };
    let code = identity.grant(Grant {
        person,
        redirect_uri: request.redirect_uri.to_string(),
        challenge: request.challenge,
        nonce: request.nonce,
        expires: Instant::now()
            .checked_add(CODE_LIFETIME)
            .unwrap_or_else(Instant::now),
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
        .and_then(|code| identity.redeem(code))
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

/// A bearer token without the ceremony: the ID token that the site would send.
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
    /// As OpenID Connect spells it.
    post_logout_redirect_uri: Option<String>,
    /// As Cognito spells it.
    logout_uri: Option<String>,
    state: Option<String>,
}

async fn sign_out(
    State(identity): State<Arc<Identity>>,
    Query(sign_out): Query<SignOut>,
) -> Response {
    let to = sign_out.post_logout_redirect_uri.or(sign_out.logout_uri);
    let Some(to) = to else {
        return home(&identity);
    };
    if !identity.is_ours(&to) {
        return Refusal::Page("The address to return to is not one of this shop's pages.").answer();
    }
    let Ok(mut to) = Url::parse(&to) else {
        return home(&identity);
    };
    if let Some(state) = &sign_out.state {
        to.query_pairs_mut().append_pair("state", state);
    }
    Redirect::to(to.as_str()).into_response()
}

fn home(identity: &Identity) -> Response {
    let [_, site] = &identity.sites;
    Redirect::to(site.as_str()).into_response()
}

fn show(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
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
    /// Whoever has this address; the same person every time.
    fn with_email(email: &str, verified: bool) -> Option<Self> {
        let email = EmailAddress::parse(email)
            .ok()
            .filter(|address| address.bare == email.trim())?;
        Some(Self::new(email.bare.to_ascii_lowercase(), verified))
    }
}
