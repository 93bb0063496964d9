//! `/v1`: who may ask, what was asked before, and the table of what can be asked.

mod account;
mod charges;
mod coupons;
mod disputes;
mod errors;
mod events;
mod expand;
mod idempotency;
mod lists;
mod params;
mod payment_intents;
mod promotion_codes;
mod refunds;
mod sessions;
mod webhook_endpoints;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use self::idempotency::Idempotent;
use self::params::Params;
use super::database::{Cause, Transaction};
use super::faults::{Fault, Strike};
use super::{API_VERSION, StandIn, ids};

pub(super) use self::errors::ApiError;
pub(super) use self::idempotency::KeysInUse;
pub(super) use self::params::is_email;

/// Far more than any request of Stripe's needs.
const BODY_LIMIT: usize = 1 << 20;

/// Stripe's own libraries give up after 80 seconds.
const LONGER_THAN_ANYBODY_WAITS: Duration = Duration::from_secs(120);

/// The work of a request whose parameters have been read and found good.
type Work<'r> = Box<dyn FnOnce(&Transaction<'_>) -> Result<Value, ApiError> + 'r>;

/// Everything that can be asked.
fn endpoint<'r>(
    method: &Method,
    path: &'r [&'r str],
    params: Params,
    settings: &'r Settings,
) -> Result<Work<'r>, ApiError> {
    match (method.as_str(), path) {
        ("POST", ["checkout", "sessions"]) => sessions::create(params, settings),
        ("GET", ["checkout", "sessions"]) => sessions::list(params),
        ("GET", ["checkout", "sessions", id]) => sessions::retrieve(id, params),
        ("POST", ["checkout", "sessions", id, "expire"]) => sessions::expire(id, params),
        ("GET", ["checkout", "sessions", id, "line_items"]) => sessions::line_items(id, params),
        ("POST", ["payment_intents"]) => payment_intents::create(params),
        ("GET", ["payment_intents"]) => payment_intents::list(params),
        ("GET", ["payment_intents", id]) => payment_intents::retrieve(id, params),
        ("GET", ["charges"]) => charges::list(params),
        ("GET", ["charges", id]) => charges::retrieve(id, params),
        ("POST", ["refunds"]) => refunds::create(params),
        ("GET", ["refunds"]) => refunds::list(params),
        ("GET", ["refunds", id]) => refunds::retrieve(id, params),
        ("POST", ["refunds", id]) => refunds::update(id, params),
        ("POST", ["refunds", id, "cancel"]) => refunds::cancel(id, params),
        ("GET", ["disputes"]) => disputes::list(params),
        ("GET", ["disputes", id]) => disputes::retrieve(id, params),
        ("POST", ["disputes", id]) => disputes::update(id, params),
        ("POST", ["disputes", id, "close"]) => disputes::close(id, params),
        ("POST", ["coupons"]) => coupons::create(params),
        ("GET", ["coupons"]) => coupons::list(params),
        ("GET", ["coupons", id]) => coupons::retrieve(id, params),
        ("POST", ["coupons", id]) => coupons::update(id, params),
        ("POST", ["promotion_codes"]) => promotion_codes::create(params),
        ("GET", ["promotion_codes"]) => promotion_codes::list(params),
        ("GET", ["promotion_codes", id]) => promotion_codes::retrieve(id, params),
        ("POST", ["promotion_codes", id]) => promotion_codes::update(id, params),
        ("POST", ["webhook_endpoints"]) => webhook_endpoints::create(params),
        ("GET", ["webhook_endpoints"]) => webhook_endpoints::list(params),
        ("GET", ["webhook_endpoints", id]) => webhook_endpoints::retrieve(id, params),
        ("POST", ["webhook_endpoints", id]) => webhook_endpoints::update(id, params),
        ("DELETE", ["webhook_endpoints", id]) => webhook_endpoints::delete(id, params),
        ("GET", ["account"]) => account::account(params),
        ("GET", ["balance"]) => account::balance(params),
        ("GET", ["balance_transactions"]) => account::transactions(params),
        ("GET", ["balance_transactions", id]) => account::transaction(id, params),
        ("GET", ["events"]) => events::list(params),
        ("GET", ["events", id]) => events::retrieve(id, params),
        _ => Err(ApiError::no_such_url(
            method,
            &format!("/v1/{}", path.join("/")),
        )),
    }
}

/// What endpoints know of the stand-in itself.
struct Settings {
    /// The base of payment pages.
    public_url: url::Url,
}

/// A status and a body, new or kept.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    body: String,
    /// The request that was given this answer first, if it was another.
    replay_of: Option<String>,
    /// The connection breaks before the answer is out.
    broken: bool,
}

impl Answer {
    fn of(result: Result<Value, ApiError>) -> Self {
        let (status, body) = match result {
            Ok(value) => (StatusCode::OK, value),
            Err(error) => (error.status, error.body()),
        };
        // Stripe's answers are indented; whoever reads them with curl is glad of it.
        Self {
            status,
            body: format!("{body:#}\n"),
            replay_of: None,
            broken: false,
        }
    }

    fn broken() -> Self {
        Self {
            status: StatusCode::OK,
            body: String::new(),
            replay_of: None,
            broken: true,
        }
    }
}

/// Answers a request for anything but the payment page and the control API.
pub(super) async fn answer(State(stand_in): State<StandIn>, request: Request) -> Response {
    let id = ids::request();
    let key = request.headers().get("idempotency-key").cloned();
    let answer = match serve(&stand_in, &id, request).await {
        Ok(answer) => answer,
        Err(error) => Answer::of(Err(error)),
    };

    if answer.broken {
        // A body that cannot be read makes the server close the connection.
        let hung_up = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
        let body = futures::stream::once(async { Err::<String, _>(hung_up) });
        return Body::from_stream(body).into_response();
    }
    let mut response = (answer.status, answer.body).into_response();
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        // Ids and versions are plain text.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("content-type", "application/json");
    set("request-id", &id);
    set("stripe-version", API_VERSION);
    if let Some(original) = &answer.replay_of {
        set("original-request", original);
        set("idempotent-replayed", "true");
    }
    if answer.status == StatusCode::UNAUTHORIZED {
        set("www-authenticate", "Bearer realm=\"Stripe\"");
    }
    headers.extend(key.map(|key| (http::HeaderName::from_static("idempotency-key"), key)));
    response
}

async fn serve(stand_in: &StandIn, id: &str, request: Request) -> Result<Answer, ApiError> {
    let (parts, body) = request.into_parts();
    let shared = &stand_in.0;
    let url_path = parts.uri.path();
    let Some(path) = url_path.strip_prefix("/v1/") else {
        return Err(ApiError::no_such_url(&parts.method, url_path));
    };
    authenticate(&parts.headers, &shared.config.secret_key)?;

    let key = idempotency::key(&parts.method, &parts.headers)?;
    let in_use = match &key {
        Some(key) => Some(shared.keys_in_use.take(key)?),
        None => None,
    };
    let params = read_params(&parts.headers, parts.uri.query(), body).await?;
    let strike = shared.faults.at_call(&parts.method, url_path);
    let cause = Cause {
        request: Some(id.to_owned()),
        idempotency_key: key.clone(),
    };
    let idempotent = match key {
        Some(key) => Some(Idempotent {
            key,
            endpoint: url_path.to_owned(),
            parameters: params.fingerprint()?,
        }),
        None => None,
    };
    let call = Call {
        path: path.split('/').map(str::to_owned).collect(),
        method: parts.method,
        params,
        idempotent,
        refusal: strike.and_then(refusal),
        settings: Settings {
            public_url: shared.config.public_url.clone(),
        },
    };
    let answer = stand_in
        .transact(cause, |transaction| call.perform(transaction))
        .await;
    match strike.map(|strike| (strike.fault, strike.delay_ms)) {
        Some((Fault::TimeOut, _)) => {
            // The work is done: only the answer is lost, on a connection that the caller gives up.
            drop(in_use);
            tokio::time::sleep(LONGER_THAN_ANYBODY_WAITS).await;
        }
        Some((Fault::HangUp, _)) => return Ok(Answer::broken()),
        Some((_, delay_ms)) => tokio::time::sleep(Duration::from_millis(delay_ms)).await,
        None => {}
    }
    answer
}

/// The status that a fault answers instead of doing the work.
fn refusal(strike: Strike) -> Option<StatusCode> {
    matches!(strike.fault, Fault::Error | Fault::RateLimit)
        .then(|| StatusCode::from_u16(strike.status).ok())
        .flatten()
}

/// A request that has been let in.
struct Call {
    method: Method,
    /// What follows `/v1/`.
    path: Vec<String>,
    params: Params,
    idempotent: Option<Idempotent>,
    /// The status that a fault switch wants.
    refusal: Option<StatusCode>,
    settings: Settings,
}

impl Call {
    /// An error here is one that no idempotency key keeps.
    fn perform(self, transaction: &Transaction<'_>) -> Result<Answer, ApiError> {
        if let Some(idempotent) = &self.idempotent
            && let Some(answer) = idempotency::replay(transaction, idempotent)?
        {
            return Ok(answer);
        }
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let work = endpoint(&self.method, &path, self.params, &self.settings)?;
        let result = match self.refusal {
            // Refused at the gate: the endpoint has not begun.
            Some(status) if !status.is_server_error() => return Err(ApiError::fault(status)),
            Some(status) => Err(ApiError::fault(status)),
            None => transaction.attempt(|| work(transaction)),
        };
        let answer = Answer::of(result);
        if let Some(idempotent) = &self.idempotent {
            idempotency::keep(transaction, idempotent, &answer)?;
        }
        Ok(answer)
    }
}

/// The key must be ours, as a bearer or as the user of basic authentication.
fn authenticate(headers: &HeaderMap, secret_key: &str) -> Result<(), ApiError> {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let key = match given.and_then(|given| given.split_once(' ')) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim().to_owned(),
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
            let pair = STANDARD
                .decode(pair.trim())
                .ok()
                .and_then(|pair| String::from_utf8(pair).ok());
            let pair = pair.ok_or_else(ApiError::no_key)?;
            pair.split(':').next().unwrap_or_default().to_owned()
        }
        _ => return Err(ApiError::no_key()),
    };
    match key.as_str() {
        "" => Err(ApiError::no_key()),
        key if key == secret_key => Ok(()),
        key => Err(ApiError::wrong_key(key)),
    }
}

/// The parameters of the query and of the form in the body.
async fn read_params(
    headers: &HeaderMap,
    query: Option<&str>,
    body: Body,
) -> Result<Params, ApiError> {
    let form = to_bytes(body, BODY_LIMIT)
        .await
        .map_err(|_| ApiError::invalid("The request's body is broken off or too large."))?;
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_form = media_type.is_none_or(|it| it.starts_with("application/x-www-form-urlencoded"));
    if !is_form && !form.is_empty() {
        return Err(ApiError::invalid(format!(
            "The request's body must be application/x-www-form-urlencoded, not {}.",
            media_type.unwrap_or_default()
        )));
    }
    let encoded = [query.unwrap_or_default().as_bytes(), &form].join(&b"&"[..]);
    Params::parse(&encoded)
}
