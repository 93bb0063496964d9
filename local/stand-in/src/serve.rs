//! `/v1`: who may ask, what was asked before, and who answers it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::engine::account::Account;
use crate::engine::database::Transaction;
use crate::engine::faults::{Fault, Strike};
use crate::engine::ids;
use crate::engine::resource::{API_VERSION, Cause};
use crate::stand_in::{StandIn, WrongKey};
use crate::wire::answer::{Answer, Asked, Route, Settings};
use crate::wire::errors::ApiError;
use crate::wire::idempotency::{self, Idempotent};
use crate::wire::keys;
use crate::wire::params::Params;
use crate::{account, checkout, dispute, payment, promotion, refund, webhook};

/// Far more than any request of Stripe's needs.
const BODY_LIMIT: usize = 1 << 20;

/// Stripe's own libraries give up after 80 seconds.
const LONGER_THAN_ANYBODY_WAITS: Duration = Duration::from_secs(120);

/// What can be asked of each noun.
fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    checkout::api::route(asked)
        .or_else(|| payment::intents_api::route(asked))
        .or_else(|| payment::charges_api::route(asked))
        .or_else(|| refund::api::route(asked))
        .or_else(|| dispute::api::route(asked))
        .or_else(|| promotion::coupons_api::route(asked))
        .or_else(|| promotion::codes_api::route(asked))
        .or_else(|| webhook::endpoints_api::route(asked))
        .or_else(|| webhook::events_api::route(asked))
        .or_else(|| account::api::route(asked))
}

/// Answers a request for anything but the payment page and the control API.
pub(crate) async fn answer(State(stand_in): State<StandIn>, request: Request) -> Response {
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
    let url_path = parts.uri.path();
    let Some(path) = url_path.strip_prefix("/v1/") else {
        return Err(ApiError::no_such_url(&parts.method, url_path));
    };
    let account = authenticate(stand_in, &parts.headers)?;

    let key = idempotency::key(&parts.method, &parts.headers)?;
    let in_use = match &key {
        Some(key) => Some(account.0.keys_in_use.take(key)?),
        None => None,
    };
    let params = read_params(&parts.headers, parts.uri.query(), body).await?;
    let strike = account.0.faults.at_call(&parts.method, url_path);
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
            public_url: account.0.public_url.clone(),
            account: account.0.id.clone(),
            business_name: stand_in.0.config.business_name.clone(),
        },
    };
    let answer = account
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
        let asked = Asked {
            method: self.method.as_str(),
            path: &path,
            settings: &self.settings,
        };
        let route = route(&asked).ok_or_else(|| {
            ApiError::no_such_url(&self.method, &format!("/v1/{}", path.join("/")))
        })?;
        let work = route(self.params)?;
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

/// Whose account the request is about.
fn authenticate(stand_in: &StandIn, headers: &HeaderMap) -> Result<Account, ApiError> {
    let key = keys::given(headers).ok_or_else(ApiError::no_key)?;
    if keys::is_live(&key) {
        return Err(ApiError::live_key(&key));
    }
    let account = stand_in
        .account(&key)?
        .map_err(|WrongKey| ApiError::wrong_key(&key))?;
    if keys::is_publishable(&key) {
        return Err(ApiError::secret_key_required());
    }
    let other = headers
        .get("stripe-account")
        .filter(|id| id.as_bytes() != account.0.id.as_str().as_bytes());
    match other {
        // Nobody has connected their account to this one.
        Some(id) => Err(ApiError::no_access(
            &key,
            &String::from_utf8_lossy(id.as_bytes()),
        )),
        None => Ok(account),
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
        .map_err(|_| ApiError::invalid("The request body was cut off or is too large."))?;
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
