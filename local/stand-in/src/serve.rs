//! `/v1`: who may ask, what was asked before, and who answers it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request};

use crate::account::object::Account;
use crate::call::Call;
use crate::door::site_asked;
use crate::engine::faults::{Fault, Strike};
use crate::engine::ids;
use crate::engine::resource::{API_VERSION, Cause};
use crate::engine::transaction::Transaction;
use crate::file::purpose::LARGEST;
use crate::stand_in::{StandIn, WrongKey};
use crate::wire::answer::Answer;
use crate::wire::errors::ApiError;
use crate::wire::idempotency::{self, Idempotent};
use crate::wire::keys;
use crate::wire::multipart::{self, Parts};
use crate::wire::params::Params;
use crate::wire::requests::Heard;
use crate::wire::version::Version;

/// Far more than any request of Stripe's needs that brings no file.
const BODY_LIMIT: usize = 1 << 20;

/// What is around a file in its request.
const AROUND_A_FILE: usize = 1 << 16;

/// What all answers of the API tell browsers, as Stripe's do: any page may call it and see the answer.
const FOR_BROWSERS: [(&str, &str); 5] = [
    ("access-control-allow-credentials", "true"),
    (
        "access-control-allow-methods",
        "GET, HEAD, PUT, PATCH, POST, DELETE",
    ),
    ("access-control-allow-origin", "*"),
    (
        "access-control-expose-headers",
        "Request-Id, Stripe-Manage-Version, Stripe-Should-Retry, X-Stripe-External-Auth-Required, \
         X-Stripe-Privileged-Session-Required",
    ),
    ("access-control-max-age", "300"),
];

/// Stripe's own libraries give up after 80 seconds.
const LONGER_THAN_ANYBODY_WAITS: Duration = Duration::from_secs(120);

/// Answers a request for anything but the payment page and the control API.
pub(crate) async fn answer(State(stand_in): State<StandIn>, request: Request) -> Response {
    if let Some(allowed) = preflight(&request) {
        return allowed;
    }
    let mut heard = Heard::of(&request);
    let key = request.headers().get("idempotency-key").cloned();
    let version = request.headers().get("stripe-version").cloned();
    let answer = ask(&stand_in, &mut heard, request).await;
    if answer.broken {
        // A body that cannot be read makes the server close the connection.
        let hung_up = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
        let body = futures::stream::once(async { Err::<String, _>(hung_up) });
        return Body::from_stream(body).into_response();
    }
    let mut response = dressed(answer, &heard.id);
    let headers = response.headers_mut();
    for (name, value) in [("stripe-version", version), ("idempotency-key", key)] {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    response
}

/// A browser that asks whether a page may call. It may; what its key is good for is seen when it does.
fn preflight(request: &Request) -> Option<Response> {
    let headers = request.headers();
    let asks = headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() != Method::OPTIONS || !asks || !request.uri().path().starts_with("/v1/") {
        return None;
    }
    let mut response = StatusCode::OK.into_response();
    if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        let allowed = header::ACCESS_CONTROL_ALLOW_HEADERS;
        response.headers_mut().insert(allowed, wanted.clone());
    }
    allow_browsers(response.headers_mut());
    Some(response)
}

fn allow_browsers(headers: &mut HeaderMap) {
    headers.extend(FOR_BROWSERS.map(|(name, value)| {
        let name = HeaderName::from_static(name);
        (name, HeaderValue::from_static(value))
    }));
}

/// An answer with the headers that every answer has.
pub(crate) fn dressed(answer: Answer, request: &str) -> Response {
    let mut response = (answer.status, answer.body).into_response();
    let headers = response.headers_mut();
    allow_browsers(headers);
    headers.insert("stripe-version", HeaderValue::from_static(API_VERSION));
    let mut set = |name: &'static str, value: &str| {
        // Ids and versions are plain text.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("content-type", "application/json");
    set("request-id", request);
    if let Some(original) = &answer.replay_of {
        set("original-request", original);
        set("idempotent-replayed", "true");
    }
    if answer.status == StatusCode::UNAUTHORIZED {
        set("www-authenticate", "Bearer realm=\"Stripe\"");
    }
    response
}

/// The answer, of which the log and whoever listens to it have been told.
async fn ask(stand_in: &StandIn, heard: &mut Heard, request: Request) -> Answer {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let (account, publishable) = match admit(stand_in, &request) {
        Ok(admitted) => admitted,
        Err(refused) => {
            let answer = Answer::of(Err(refused));
            // Nobody's key lets it in, so the developer's own account shows what was wrong.
            if path.starts_with("/v1/") {
                stand_in.default_account().log(heard.answered(&answer));
            }
            return answer;
        }
    };
    let site = site_asked(&stand_in.0.config, request.headers());
    let answer = serve(&account, publishable, site, heard, request).await;
    let answer = answer.unwrap_or_else(|error| Answer::of(Err(error)));
    if !heard.logged {
        account.log(heard.answered(&answer));
    }
    let listeners = &account.0.settings.listeners;
    listeners.answered(&heard.id, &method, &path, answer.status, &answer.body);
    answer
}

/// Whose account the call is about, and whether its key is one for browsers.
pub(crate) fn admit(stand_in: &StandIn, request: &Request) -> Result<(Account, bool), ApiError> {
    let path = request.uri().path();
    if !path.starts_with("/v1/") {
        return Err(ApiError::no_such_url(request.method(), path));
    }
    authenticate(stand_in, request.headers())
}

async fn serve(
    account: &Account,
    publishable: bool,
    site: Option<String>,
    heard: &mut Heard,
    request: Request,
) -> Result<Answer, ApiError> {
    let (parts, body) = request.into_parts();
    let url_path = parts.uri.path();
    let key = idempotency::key(&parts.method, &parts.headers)?;
    let in_use = match &key {
        Some(key) => Some(account.0.keys_in_use.take(key)?),
        None => None,
    };
    let Parts { encoded, upload } = read_body(&parts, body).await?;
    heard.has_params(&encoded);
    let version = Version::read(
        parts
            .headers
            .get("stripe-version")
            .map(|value| value.to_str().unwrap_or_default()),
    )?;
    let params = Params::parse(&encoded)?;
    let strike = account.0.faults.at_call(&parts.method, url_path);
    if let Some(strike) = strike {
        heard.is_struck(strike);
    }
    let cause = Cause {
        request: Some(heard.id.clone()),
        idempotency_key: key.clone(),
        site,
    };
    let idempotent = match key {
        Some(key) => Some(Idempotent {
            key,
            endpoint: url_path.to_owned(),
            parameters: match &upload {
                Some(upload) => params.fingerprint()? + &ids::digest(&upload.bytes),
                None => params.fingerprint()?,
            },
        }),
        None => None,
    };
    let call = Call {
        path: url_path.to_owned(),
        version,
        publishable,
        method: parts.method,
        params,
        upload,
        idempotent,
        refusal: strike.and_then(refusal),
        settings: Arc::clone(&account.0.settings),
        host: text(&parts.headers, header::HOST).map(str::to_owned),
    };
    let answer = perform(account, heard, cause, call).await;
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
    Ok(answer)
}

/// Makes the call and writes it down: in the same transaction, if it changes anything.
async fn perform(account: &Account, heard: &mut Heard, cause: Cause, call: Call) -> Answer {
    let (inner, asked) = (Arc::clone(&account.0), heard.clone());
    let work = move |transaction: &Transaction<'_>| {
        let before = transaction.changes();
        let answer = call.perform(transaction)?;
        let changed = transaction.changes() != before;
        if changed {
            let request = asked.answered(&answer);
            inner.unwritten.write_with(transaction, &request)?;
        }
        Ok::<_, ApiError>((answer, changed))
    };
    let answer = match account.transact(cause, work).await {
        Ok((answer, true)) => {
            heard.logged = true;
            return answer;
        }
        Ok((answer, false)) => answer,
        Err(error) => Answer::of(Err(error)),
    };
    account.log(heard.answered(&answer));
    heard.logged = true;
    answer
}

/// The status that a fault answers instead of doing the work.
fn refusal(strike: Strike) -> Option<StatusCode> {
    matches!(strike.fault, Fault::Error | Fault::RateLimit)
        .then(|| StatusCode::from_u16(strike.status).ok())
        .flatten()
}

/// Whose account the request is about, and whether its key is one for browsers.
fn authenticate(stand_in: &StandIn, headers: &HeaderMap) -> Result<(Account, bool), ApiError> {
    let key = keys::given(headers).ok_or_else(ApiError::no_key)?;
    if keys::is_live(&key) {
        return Err(ApiError::live_key(&key));
    }
    let account = stand_in
        .account(&key)?
        .map_err(|WrongKey| ApiError::wrong_key(&key))?;
    if !keys::is_publishable(&key) && is_from_a_page(headers) {
        return Err(ApiError::secret_key_in_a_page());
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
        None => Ok((account, keys::is_publishable(&key))),
    }
}

/// Whether a web page has sent this. The default key is known to everybody, and the stand-in is within
/// reach of every page that is open on the machine. Only browsers send these two headers.
fn is_from_a_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    headers.contains_key(header::ORIGIN) || site.is_some_and(|site| site != b"none")
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The parameters of the query and of the body, one after the other, and the file that came with them.
async fn read_body(request: &request::Parts, body: Body) -> Result<Parts, ApiError> {
    let media_type = text(&request.headers, header::CONTENT_TYPE);
    let boundary = media_type.and_then(multipart::boundary);
    let limit = match (&boundary, request.uri.path()) {
        (Some(_), "/v1/files") => LARGEST.saturating_add(AROUND_A_FILE),
        _ => BODY_LIMIT,
    };
    let body = to_bytes(body, limit)
        .await
        .map_err(|_| ApiError::invalid("The request body was cut off or is too large."))?;
    let mut parts = match boundary {
        Some(boundary) => multipart::read(&boundary, &body)?,
        None => Parts {
            encoded: form(media_type, &body)?.to_vec(),
            upload: None,
        },
    };
    let query = request.uri.query().unwrap_or_default();
    parts.encoded = [query.as_bytes(), &parts.encoded].join(&b"&"[..]);
    Ok(parts)
}

fn form<'b>(media_type: Option<&str>, body: &'b [u8]) -> Result<&'b [u8], ApiError> {
    let is_form = media_type.is_none_or(|it| {
        let it = it.split(';').next().unwrap_or_default().trim();
        it.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    match is_form || body.is_empty() {
        true => Ok(body),
        false => Err(ApiError::invalid(format!(
            "The request's body must be application/x-www-form-urlencoded, not {}.",
            media_type.unwrap_or_default()
        ))),
    }
}
