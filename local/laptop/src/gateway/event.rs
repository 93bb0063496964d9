//! The JSON that API Gateway and function URLs make of an HTTP request (payload format 2.0).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

/// How a request came in.
pub(super) enum Entry<'a> {
    /// The HTTP API, by one of its routes.
    Route {
        key: String,
        parameters: BTreeMap<String, String>,
        claims: Option<&'a Map<String, Value>>,
    },
    /// A function's own URL; the function sees `/` as the path.
    FunctionUrl,
}

/// The payload, and the id it carries.
pub(super) fn payload(
    parts: &Parts,
    body: &Bytes,
    caller: SocketAddr,
    entry: &Entry<'_>,
) -> (String, Value) {
    let id = Uuid::now_v7().to_string();
    let query = parts.uri.query().unwrap_or_default();
    let (body, is_base64) = encoded(&parts.headers, body);
    let mut payload = Map::from_iter([
        ("version".to_owned(), "2.0".into()),
        ("routeKey".to_owned(), entry.route_key().into()),
        ("rawPath".to_owned(), entry.path(parts).into()),
        ("rawQueryString".to_owned(), query.into()),
        ("headers".to_owned(), headers(&parts.headers, caller).into()),
        (
            "requestContext".to_owned(),
            context(&id, parts, caller, entry),
        ),
        ("isBase64Encoded".to_owned(), is_base64.into()),
    ]);
    let parameters = match entry {
        Entry::Route { parameters, .. } => Some(parameters).filter(|all| !all.is_empty()),
        Entry::FunctionUrl => None,
    };
    let optional = [
        ("cookies", cookies(&parts.headers)),
        ("queryStringParameters", query_parameters(query)),
        ("pathParameters", parameters.map(|all| json!(all))),
        ("body", body.map(Value::from)),
    ];
    for (name, value) in optional {
        payload.extend(value.map(|value| (name.to_owned(), value)));
    }
    (id, payload.into())
}

impl Entry<'_> {
    fn route_key(&self) -> &str {
        match self {
            Self::Route { key, .. } => key,
            Self::FunctionUrl => "$default",
        }
    }

    fn path<'p>(&self, parts: &'p Parts) -> &'p str {
        match self {
            Self::Route { .. } => parts.uri.path(),
            Self::FunctionUrl => "/",
        }
    }

    /// The value of `accountId` and `apiId`, because nobody signs in to a function URL.
    fn owner(&self) -> (&'static str, &'static str) {
        match self {
            Self::Route { .. } => ("000000000000", "local"),
            Self::FunctionUrl => ("anonymous", "localurl"),
        }
    }
}

/// `requestContext`: who calls, when, and how.
fn context(id: &str, parts: &Parts, caller: SocketAddr, entry: &Entry<'_>) -> Value {
    let now = OffsetDateTime::now_utc();
    let (account, api) = entry.owner();
    let mut context = json!({
        "accountId": account,
        "apiId": api,
        "domainName": text(&parts.headers, header::HOST.as_str()).split(':').next(),
        "domainPrefix": api,
        "http": {
            "method": parts.method.as_str(),
            "path": entry.path(parts),
            "protocol": format!("{:?}", parts.version),
            "sourceIp": caller.ip().to_string(),
            "userAgent": text(&parts.headers, header::USER_AGENT.as_str()),
        },
        "requestId": id,
        "routeKey": entry.route_key(),
        "stage": "$default",
        "time": common_log_time(now),
        "timeEpoch": i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default(),
    });
    if let Entry::Route {
        claims: Some(claims),
        ..
    } = entry
        && let Some(context) = context.as_object_mut()
    {
        let claims: Map<String, Value> = claims
            .iter()
            .map(|(name, claim)| (name.clone(), claim_text(claim).into()))
            .collect();
        let authorizer = json!({ "jwt": { "claims": claims, "scopes": null } });
        context.insert("authorizer".to_owned(), authorizer);
    }
    context
}

/// The body as functions get it, if there is one, and whether that is base64.
fn encoded(headers: &HeaderMap, body: &Bytes) -> (Option<String>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    let is_text = is_text(&text(headers, header::CONTENT_TYPE.as_str()));
    match std::str::from_utf8(body) {
        Ok(plain) if is_text => (Some(plain.to_owned()), false),
        _ => (Some(STANDARD.encode(body)), true),
    }
}

/// Names in lower case, repeated ones joined with commas; cookies are separate.
fn headers(headers: &HeaderMap, caller: SocketAddr) -> Map<String, Value> {
    let mut joined: Map<String, Value> = headers
        .keys()
        .filter(|name| *name != header::COOKIE)
        .map(|name| {
            (
                name.as_str().to_owned(),
                text(headers, name.as_str()).into(),
            )
        })
        .collect();
    joined.insert("x-forwarded-for".into(), caller.ip().to_string().into());
    joined.insert("x-forwarded-proto".into(), "http".into());
    joined
}

/// Every value of one header. Bytes that are not text are replaced, as JSON cannot hold them.
fn text(headers: &HeaderMap, name: &str) -> String {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    values.join(",")
}

fn cookies(headers: &HeaderMap) -> Option<Value> {
    let all: Vec<String> = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .map(|cookie| cookie.trim().to_owned())
        .collect();
    (!all.is_empty()).then(|| json!(all))
}

fn query_parameters(query: &str) -> Option<Value> {
    if query.is_empty() {
        return None;
    }
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        joined
            .entry(name.into_owned())
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    Some(json!(joined))
}

/// API Gateway passes every claim on as text: lists in brackets, their members separated by spaces.
fn claim_text(claim: &Value) -> String {
    match claim {
        Value::String(text) => text.clone(),
        Value::Array(members) => {
            let members: Vec<_> = members.iter().map(claim_text).collect();
            format!("[{}]", members.join(" "))
        }
        other => other.to_string(),
    }
}

/// Whether functions get bodies of this media type as text; others are sent in base64.
fn is_text(content_type: &str) -> bool {
    let media_type = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    media_type.starts_with("text/") || media_type == "application/json"
}

/// `10/Apr/2026:13:30:05 +0000`.
fn common_log_time(at: OffsetDateTime) -> String {
    let month = at.month().to_string();
    let month = month.get(..3).unwrap_or_default();
    let (hour, minute, second) = at.to_hms();
    format!(
        "{:02}/{month}/{}:{hour:02}:{minute:02}:{second:02} +0000",
        at.day(),
        at.year()
    )
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn payload_of(
        request: axum::http::request::Builder,
        body: &'static [u8],
        entry: &Entry<'_>,
    ) -> Value {
        let (parts, ()) = request
            .header("host", "127.0.0.1:3000")
            .body(())
            .unwrap()
            .into_parts();
        let caller = "127.0.0.1:50000".parse().unwrap();
        payload(&parts, &Bytes::from_static(body), caller, entry).1
    }

    fn route() -> Entry<'static> {
        Entry::Route {
            key: "GET /products".into(),
            parameters: BTreeMap::new(),
            claims: None,
        }
    }

    #[test]
    fn equal_headers_and_query_parameters_are_joined_and_cookies_set_apart() {
        let request = Request::get("/products?limit=2&cursor=a%2Bb&limit=3")
            .header("X-Twice", "one")
            .header("x-twice", "two")
            .header("cookie", "a=1; b=2");
        let payload = payload_of(request, b"", &route());
        assert_eq!(payload["headers"]["x-twice"], "one,two");
        assert_eq!(payload["headers"].get("cookie"), None);
        assert_eq!(payload["cookies"], json!(["a=1", "b=2"]));
        assert_eq!(
            payload["queryStringParameters"],
            json!({ "limit": "2,3", "cursor": "a+b" })
        );
        assert_eq!(payload["rawQueryString"], "limit=2&cursor=a%2Bb&limit=3");
        assert_eq!(payload.get("body"), None);
        assert_eq!(payload["isBase64Encoded"], false);
    }

    #[test]
    fn bodies_are_plain_for_json_and_text_and_base64_for_all_else() {
        for (content_type, body, expected) in [
            (
                "application/json; charset=utf-8",
                b"{}".as_slice(),
                ("{}", false),
            ),
            ("text/plain", b"hello", ("hello", false)),
            ("application/x-www-form-urlencoded", b"a=b", ("YT1i", true)),
            ("application/json", b"\xff", ("/w==", true)),
            ("", b"{}", ("e30=", true)),
        ] {
            let request = Request::post("/").header("content-type", content_type);
            let payload = payload_of(request, body, &Entry::FunctionUrl);
            let got = (
                payload["body"].as_str().unwrap(),
                payload["isBase64Encoded"].as_bool().unwrap(),
            );
            assert_eq!(got, expected, "{content_type}");
        }
    }

    #[test]
    fn claims_reach_functions_as_text() {
        let claims = json!({
            "sub": "a", "email_verified": true, "exp": 1_700_000_000, "groups": ["x", "y"],
        });
        let entry = Entry::Route {
            key: "GET /products".into(),
            parameters: BTreeMap::from([("id".into(), "mug".into())]),
            claims: claims.as_object(),
        };
        let payload = payload_of(Request::get("/products/mug"), b"", &entry);
        assert_eq!(
            payload["requestContext"]["authorizer"]["jwt"],
            json!({
                "claims": {
                    "sub": "a", "email_verified": "true", "exp": "1700000000", "groups": "[x y]",
                },
                "scopes": null,
            })
        );
        assert_eq!(payload["pathParameters"], json!({ "id": "mug" }));
    }

    #[test]
    fn a_function_url_shows_the_function_no_path() {
        let payload = payload_of(Request::post("/webhook"), b"", &Entry::FunctionUrl);
        assert_eq!(payload["rawPath"], "/");
        assert_eq!(payload["routeKey"], "$default");
        assert_eq!(payload["requestContext"]["http"]["method"], "POST");
        assert_eq!(payload["requestContext"]["http"]["protocol"], "HTTP/1.1");
    }

    #[test]
    fn the_time_is_written_as_in_access_logs() {
        let at = OffsetDateTime::from_unix_timestamp(1_775_827_805).unwrap();
        assert_eq!(common_log_time(at), "10/Apr/2026:13:30:05 +0000");
    }
}
