//! HTTP as the functions use it: JSON answers, RFC 9457 problems, the authenticated buyer.

mod event;
mod problem;

use std::{borrow::Cow, fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Response, StatusCode, header};
use lambda_http::{Body, Request, RequestExt, request::RequestContext};
use serde::Serialize;

use self::event::InBase64;
pub use self::{
    event::{request, response, serve},
    problem::Problem,
};
use crate::config::EmailVerified;

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

/// The caller, as verified by the API's JWT authorizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenClaims {
    /// `sub`.
    pub subject: String,
    /// `email`, which the issuer has verified.
    pub email: String,
}

/// The caller: 401 without a verified ID token, 403 if its address is not verified.
pub fn claims(request: &Request, verified: EmailVerified) -> Result<TokenClaims, Problem> {
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
            "The token lacks the claim sub or email; send the ID token.",
        ));
    };
    let unverified = match (verified, claim("email_verified")) {
        (EmailVerified::Always, _) | (EmailVerified::Claim, Some("true")) => None,
        (EmailVerified::Claim, Some(_)) => {
            Some("Verify it with your sign-in provider, sign in again and repeat the request.")
        }
        (EmailVerified::Claim, None) => Some(
            "The token has no email_verified claim, so nobody knows whether it is. If the token's \
             issuer verifies every address, deploy the shop with EmailVerified=always.",
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
    Ok(TokenClaims {
        subject: subject.to_owned(),
        email: email.to_owned(),
    })
}

/// The request's id at API Gateway or the function URL, and in our logs.
pub fn request_id(request: &Request) -> String {
    let id = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    id.unwrap_or_default()
}

/// The first segment of the route that a request took: `purchases` of `GET /purchases/{id}`.
pub fn resource(request: &Request) -> &str {
    let route = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.as_deref(),
        _ => None,
    };
    let path = route.and_then(|route| route.split_once(" /"));
    let path = path.map(|(_, path)| path).unwrap_or_default();
    path.split('/').next().unwrap_or_default()
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

/// The request's body: 413 if it is longer than `most` bytes as it arrives, still in base64 if it
/// is; 400 if the base64 cannot be decoded.
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
    let bytes = bytes.map_err(|_| Problem::bad_request("body: marked as base64, but it is not"))?;
    Ok(Cow::Owned(bytes))
}

/// `?status=open`: only what is still to be paid. There is no other value.
pub fn only_open(request: &Request) -> Result<bool, Problem> {
    match query(request, "status")? {
        None => Ok(false),
        Some("open") => Ok(true),
        Some(_) => Err(Problem::bad_request(
            "status: the only value is open; leave it out for the whole history",
        )),
    }
}

/// A number of seconds, such as `?grace=`; `default` if it is not given, `most` at most.
pub fn seconds(request: &Request, name: &str, default: i64, most: i64) -> Result<i64, Problem> {
    match query(request, name)? {
        None => Ok(default),
        Some(seconds) => Some(seconds)
            // Rust would accept a sign.
            .filter(|seconds| seconds.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|seconds| seconds.parse().ok())
            .filter(|seconds| *seconds <= most)
            .ok_or_else(|| {
                Problem::bad_request(format!("{name}: a whole number of seconds, at most {most}"))
            }),
    }
}

/// `?limit=`: how many entries a page may have; 20 by default, 100 at most.
pub fn page_limit(request: &Request) -> Result<i32, Problem> {
    match query(request, "limit")? {
        None => Ok(20),
        Some(limit) => Some(limit)
            // Rust would accept a sign.
            .filter(|limit| limit.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|limit| limit.parse().ok())
            .filter(|limit| (1..=100).contains(limit))
            .ok_or_else(|| Problem::bad_request("limit: a whole number from 1 to 100")),
    }
}

/// `?cursor=`: where the page begins; the `next` of the page before.
pub fn page_cursor<Id: FromStr>(request: &Request) -> Result<Option<Id>, Problem> {
    let Some(cursor) = query(request, "cursor")? else {
        return Ok(None);
    };
    let id = hex::decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let id = id.and_then(|id| id.parse().ok());
    id.map(Some)
        .ok_or_else(|| Problem::bad_request("cursor: use the next of the page before"))
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
            "{name}: given more than once"
        ))),
    }
}
