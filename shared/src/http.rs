//! HTTP as the functions speak it: JSON answers, RFC 9457 problems, the authenticated buyer.

mod event;

use std::{borrow::Cow, fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Response, StatusCode, header};
use lambda_http::{Body, Request, RequestExt, request::RequestContext};
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use self::event::InBase64;
pub use self::event::{request, response, serve};
use crate::{
    comparison::Trouble, config::EmailVerified, store::StoreError, stripe::client::StripeError,
};

/// Why a request is not answered as its caller hoped. Says nothing of our insides; and nothing that
/// the caller chose when it is displayed, as logs do. What `detail` quotes is for the caller alone.
#[derive(Debug, thiserror::Error)]
#[error("{status} {kind}")]
pub struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    retry_after_seconds: Option<u32>,
    more: Map<String, Value>,
    allow: Option<&'static str>,
}

impl Problem {
    /// `kind` is the stable end of the problem's `type`; `detail` is for the caller to read.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
            retry_after_seconds: None,
            more: Map::new(),
            allow: None,
        }
    }

    /// Malformed; `detail` names the field.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "The request is malformed",
            detail,
        )
    }

    /// Another method is what works here: `allow`.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "This method does nothing here",
            format!("method: only {allow} does"),
        );
        problem.allow = Some(allow);
        problem
    }

    /// There is none, or it is somebody else's: the answer is the same.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is no such thing",
            detail,
        )
    }

    /// A failure on our side. The cause is for the log, not for the caller.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something failed on our side",
            "Nothing was changed that a repetition of the request would not complete.",
        )
    }

    /// The store did not answer; the same request may do in a moment.
    pub fn store(error: &StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Contended(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Too much is going on",
                "Nothing is lost; please try again.",
            )
            .retry_after(1),
            _ => Self::internal(),
        }
    }

    /// Stripe did not do what was asked. Why is for the log, too.
    pub fn stripe(error: &StripeError) -> Self {
        match error {
            StripeError::Refused { .. } | StripeError::Unreadable(_) => Self::stripe_refused(),
            StripeError::Failed(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "payment-provider-failed",
                "The payment provider failed",
                "The payment provider failed. Nothing was charged; please try again.",
            ),
            StripeError::Busy(_) | StripeError::Unreachable { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "payment-provider-busy",
                "The payment provider is busy",
                "The payment provider is busy or out of reach. Nothing was charged; please try again.",
            )
            .retry_after(2),
            StripeError::TimedOut | StripeError::Broken => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "payment-provider-timeout",
                "The payment provider did not answer",
                "The payment provider did not answer in time. Nothing was charged; please try again.",
            )
            .retry_after(2),
        }
    }

    fn stripe_refused() -> Self {
        Self::new(
            StatusCode::BAD_GATEWAY,
            "payment-provider-refused",
            "The payment provider refused",
            "The payment provider refused. Nothing was charged; the shop has to look into it.",
        )
    }

    /// The function's time is nearly over; a repetition carries on from wherever it had come to.
    pub fn too_slow() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "timeout",
            "It took too long",
            "Nothing was charged; please try again.",
        )
        .retry_after(2)
    }

    /// Adds a member of the problem's own (RFC 9457, 3.2).
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a `Retry-After` header.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The answer.
    pub fn into_response(self, request_id: &str) -> Response<Body> {
        let mut body = self.more;
        for (name, value) in [
            ("type", json!(format!("urn:till:problem:{}", self.kind))),
            ("title", json!(self.title)),
            ("status", json!(self.status.as_u16())),
            ("detail", json!(self.detail)),
            ("request_id", json!(request_id)),
        ] {
            body.insert(name.to_owned(), value);
        }
        let mut response = Response::new(Body::Text(Value::Object(body).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Store(error) => Self::store(&error),
            Trouble::Stripe(error) => Self::stripe(&error),
            Trouble::Unreadable(_) | Trouble::NoSuchSession(_) => Self::stripe_refused(),
        }
    }
}

/// A JSON answer that no cache keeps.
pub fn json(status: StatusCode, body: &impl Serialize) -> Result<Response<Body>, Problem> {
    let body = serde_json::to_string(body).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        Problem::internal()
    })?;
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A time in Unix seconds as JSON has it.
pub fn rfc3339(at: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at).ok();
    at.and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// Who calls, as the API's JWT authorizer verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// `sub`.
    pub subject: String,
    /// `email`, which the issuer has verified.
    pub email: String,
}

/// The caller: 401 without a verified ID token, 403 if its address is not verified.
pub fn claims(request: &Request, verified: EmailVerified) -> Result<Claims, Problem> {
    let signed_out = |detail: &str| {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "signed-out",
            "You are not signed in",
            detail,
        )
    };
    let context = request.request_context_ref();
    let claims = match context {
        Some(RequestContext::ApiGatewayV2(context)) => context
            .authorizer
            .as_ref()
            .and_then(|authorizer| authorizer.jwt.as_ref()),
        _ => None,
    };
    let Some(claims) = claims.map(|jwt| &jwt.claims) else {
        return Err(signed_out("Send an ID token: Authorization: Bearer …"));
    };
    let claim = |name: &str| {
        claims
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    };
    let (Some(subject), Some(email)) = (claim("sub"), claim("email")) else {
        return Err(signed_out(
            "The token has no sub or no email claim; send the ID token.",
        ));
    };
    let unverified = match (verified, claim("email_verified")) {
        (EmailVerified::Always, _) | (EmailVerified::Claim, Some("true")) => None,
        (EmailVerified::Claim, Some(_)) => {
            Some("Verify it where you sign in, sign in again and repeat.")
        }
        (EmailVerified::Claim, None) => Some(
            "The token has no email_verified claim, so nobody knows. If its issuer verifies every \
             address, the shop has to be deployed with EmailVerified=always.",
        ),
    };
    if let Some(detail) = unverified {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "email-not-verified",
            "Your email address is not verified",
            detail,
        ));
    }
    Ok(Claims {
        subject: subject.to_owned(),
        email: email.to_owned(),
    })
}

/// The id under which API Gateway, the function URL and our logs know the request.
pub fn request_id(request: &Request) -> String {
    let id = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    id.unwrap_or_default()
}

/// The language a browser asks for first, if it is a plausible BCP 47 tag.
pub fn language(request: &Request) -> Option<String> {
    let header = request
        .headers()
        .get(header::ACCEPT_LANGUAGE)?
        .to_str()
        .ok()?;
    let first = header.split([',', ';']).next()?.trim();
    let plausible = (2..=35).contains(&first.len())
        && first
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    plausible.then(|| first.to_owned())
}

/// The request's body: 413 if it is longer than `most` bytes as it was sent, with its base64 yet to
/// be undone; 400 if that cannot be undone.
pub fn body(request: &Request, most: usize) -> Result<Cow<'_, [u8]>, Problem> {
    let sent = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    };
    if sent.len() > most {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "The request is too large",
            format!("body: at most {most} bytes as sent"),
        ));
    }
    if request.extensions().get::<InBase64>().is_none() {
        return Ok(Cow::Borrowed(sent));
    }
    let bytes = STANDARD.decode(sent);
    let bytes = bytes.map_err(|_| Problem::bad_request("body: not the base64 it is said to be"))?;
    Ok(Cow::Owned(bytes))
}

/// `?status=open`: only what is still to be paid. A list knows no other status.
pub fn only_open(request: &Request) -> Result<bool, Problem> {
    match query(request, "status")? {
        None => Ok(false),
        Some("open") => Ok(true),
        Some(_) => Err(Problem::bad_request("status: open, or left out")),
    }
}

/// `?limit=`: how many entries a page may have; 20 unless told, 100 at most.
pub fn page_limit(request: &Request) -> Result<i32, Problem> {
    match query(request, "limit")? {
        None => Ok(20),
        Some(limit) => Some(limit)
            // Rust would take a sign, too.
            .filter(|limit| limit.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|limit| limit.parse().ok())
            .filter(|limit| (1..=100).contains(limit))
            .ok_or_else(|| Problem::bad_request("limit: a whole number from 1 to 100")),
    }
}

/// `?cursor=`: where the page begins; what the page before gave as `next`.
pub fn page_cursor<Id: FromStr>(request: &Request) -> Result<Option<Id>, Problem> {
    let Some(cursor) = query(request, "cursor")? else {
        return Ok(None);
    };
    let id = hex::decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let id = id.and_then(|id| id.parse().ok());
    id.map(Some)
        .ok_or_else(|| Problem::bad_request("cursor: not the next of any page"))
}

/// The `next` of a page that ends with `last`. Encoded, so that nobody builds one or relies on
/// what is in it.
pub fn next_cursor(last: Option<impl fmt::Display>) -> Option<String> {
    last.map(|id| hex::encode(id.to_string()))
}

fn query<'a>(request: &'a Request, name: &str) -> Result<Option<&'a str>, Problem> {
    let query = request.query_string_parameters_ref();
    let values = query.and_then(|query| query.all(name)).unwrap_or_default();
    match values[..] {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(Problem::bad_request(format!(
            "{name}: it is given more than once"
        ))),
    }
}
