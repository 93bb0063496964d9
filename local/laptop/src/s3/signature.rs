//! Checks signatures as S3 does (AWS's page "Create a signed AWS API request"): in the query of a link,
//! or in a header.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use shared::clock::rfc3339;
use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;

use super::refusal::Refusal;
use crate::environment::{AWS_KEY_ID, AWS_SECRET};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// A link says nothing of the body that it has not.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// The longest that a link may be valid: a week.
const LONGEST: i64 = 7 * 24 * 3600;

const STAYS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What a request says of its signature.
pub(super) struct Signature {
    key_id: String,
    /// `<day>/<region>/s3/aws4_request`.
    scope: String,
    date: String,
    signed_headers: String,
    hex: String,
    /// The hash of the body.
    payload: String,
    /// For how many seconds it is valid, if it is a link.
    valid: Option<i64>,
}

impl Signature {
    /// Fails if the request has none.
    pub(super) fn of(request: &Parts) -> Result<Self, Refusal> {
        let query = query(request);
        match request.headers.get(header::AUTHORIZATION) {
            Some(value) => Self::in_header(value.to_str().unwrap_or_default(), &request.headers),
            None if query.contains_key("X-Amz-Signature") => Self::in_query(query),
            None => Err(Refusal::denied("Access Denied")),
        }
    }

    fn in_query(mut query: BTreeMap<String, String>) -> Result<Self, Refusal> {
        let wrong = |why: &str| {
            let code = "AuthorizationQueryParametersError";
            Refusal::new(StatusCode::BAD_REQUEST, code, why)
        };
        let mut said = |name: &str| query.remove(name).unwrap_or_default();
        if said("X-Amz-Algorithm") != ALGORITHM {
            return Err(wrong("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
        }
        let valid: i64 = said("X-Amz-Expires").parse().unwrap_or_default();
        if !(1..=LONGEST).contains(&valid) {
            return Err(wrong(
                "X-Amz-Expires must be a number of seconds, up to a week",
            ));
        }
        let credential = said("X-Amz-Credential");
        let (key_id, scope) = credential
            .split_once('/')
            .ok_or_else(|| wrong("Error parsing the X-Amz-Credential parameter"))?;
        Ok(Self {
            key_id: key_id.to_owned(),
            scope: scope.to_owned(),
            date: said("X-Amz-Date"),
            signed_headers: said("X-Amz-SignedHeaders"),
            hex: said("X-Amz-Signature"),
            payload: UNSIGNED.to_owned(),
            valid: Some(valid),
        })
    }

    fn in_header(value: &str, headers: &HeaderMap) -> Result<Self, Refusal> {
        let malformed = || {
            let code = "AuthorizationHeaderMalformed";
            let why = "The authorization header is malformed";
            Refusal::new(StatusCode::BAD_REQUEST, code, why)
        };
        let parts = value.strip_prefix(ALGORITHM).ok_or_else(malformed)?;
        let parts = parts
            .split(',')
            .filter_map(|part| part.trim().split_once('='));
        let parts: BTreeMap<_, _> = parts.collect();
        let part = |name: &str| parts.get(name).copied().ok_or_else(malformed);
        let (key_id, scope) = part("Credential")?.split_once('/').ok_or_else(malformed)?;
        let header = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned).ok_or_else(malformed)
        };
        Ok(Self {
            key_id: key_id.to_owned(),
            scope: scope.to_owned(),
            date: header("x-amz-date")?,
            signed_headers: part("SignedHeaders")?.to_owned(),
            hex: part("Signature")?.to_owned(),
            payload: header("x-amz-content-sha256")?,
            valid: None,
        })
    }

    /// The hash that the body must have.
    pub(super) fn payload(&self) -> Option<&str> {
        Some(self.payload.as_str()).filter(|payload| *payload != UNSIGNED)
    }

    /// Fails unless it is this machine's, still valid at `now` if it is a link's, and of this request.
    pub(super) fn check(&self, request: &Parts, now: i64) -> Result<(), Refusal> {
        if self.key_id != AWS_KEY_ID {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
            ));
        }
        let begins = self.date()?;
        if let Some(valid) = self.valid {
            if begins.saturating_add(valid) < now {
                return Err(Refusal::denied("Request has expired"));
            }
            if begins > now.saturating_add(15 * 60) {
                let from = rfc3339(begins);
                let why = format!("Request is not valid before {from}");
                return Err(Refusal::denied(&why));
            }
        }
        let signature = hex::encode(self.reckoned(&self.to_sign(request)));
        match signature == self.hex && request.headers.contains_key(header::HOST) {
            true => Ok(()),
            false => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check \
                 your key and signing method.",
            )),
        }
    }

    fn date(&self) -> Result<i64, Refusal> {
        let date = OffsetDateTime::parse(&self.date, &Iso8601::DEFAULT);
        let date = date.map(OffsetDateTime::unix_timestamp);
        date.map_err(|_| Refusal::denied("AWS authentication requires a valid Date"))
    }

    fn to_sign(&self, request: &Parts) -> String {
        let canonical = canonical(request, &self.signed_headers, &self.payload);
        let hash = hex::encode(Sha256::digest(canonical));
        format!("{ALGORITHM}\n{}\n{}\n{hash}", self.date, self.scope)
    }

    /// With a key of its own for the day, the region and the service.
    fn reckoned(&self, text: &str) -> Vec<u8> {
        let secret = format!("AWS4{AWS_SECRET}").into_bytes();
        let key = self
            .scope
            .split('/')
            .fold(secret, |key, part| keyed_hash(&key, part.as_bytes()));
        keyed_hash(&key, text.as_bytes())
    }
}

fn keyed_hash(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key may have any length, so it is always taken.
    let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    hash.update(text);
    hash.finalize().into_bytes().to_vec()
}

fn query(request: &Parts) -> BTreeMap<String, String> {
    let query = request.uri.query().unwrap_or_default();
    // A plus is a plus here, and a space is %20.
    let query = query.replace('+', "%2B");
    let query = url::form_urlencoded::parse(query.as_bytes());
    query.into_owned().collect()
}

/// The request in the one form that both sides sign.
fn canonical(request: &Parts, signed_headers: &str, payload: &str) -> String {
    let escaped = |text: &str| utf8_percent_encode(text, STAYS).to_string();
    let query = query(request).into_iter();
    let query = query.filter(|(name, _)| name != "X-Amz-Signature");
    let query = query.map(|(name, value)| format!("{}={}", escaped(&name), escaped(&value)));
    let mut query: Vec<_> = query.collect();
    query.sort();
    let headers = signed_headers.split(';').map(|name| {
        let values = request.headers.get_all(name).iter();
        let values = values.map(|value| value.to_str().unwrap_or_default().trim());
        format!("{name}:{}\n", values.collect::<Vec<_>>().join(","))
    });
    format!(
        "{}\n{}\n{}\n{}\n{signed_headers}\n{payload}",
        request.method,
        request.uri.path(),
        query.join("&"),
        headers.collect::<String>()
    )
}
