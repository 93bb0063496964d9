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

/// Who makes the payload.
pub(super) enum Entry<'a> {
    /// The HTTP API, by one of its routes.
    Route {
        key: String,
        parameters: BTreeMap<String, String>,
        claims: Option<&'a Map<String, Value>>,
    },
    /// A function's own URL, which is all the function sees of the path.
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
    let now = OffsetDateTime::now_utc();
    let host = text(&parts.headers, header::HOST.as_str());
    let path = match entry {
        Entry::Route { .. } => parts.uri.path(),
        Entry::FunctionUrl => "/",
    };
    let (route_key, api_id) = match entry {
        Entry::Route { key, .. } => (key.as_str(), "local"),
        Entry::FunctionUrl => ("$default", "localurl"),
    };
    let mut context = json!({
        "accountId": match entry { Entry::Route { .. } => "000000000000", Entry::FunctionUrl => "anonymous" },
        "apiId": api_id,
        "domainName": host.split(':').next(),
        "domainPrefix": api_id,
        "http": {
            "method": parts.method.as_str(),
            "path": path,
            "protocol": format!("{:?}", parts.version),
            "sourceIp": caller.ip().to_string(),
            "userAgent": text(&parts.headers, header::USER_AGENT.as_str()),
        },
        "requestId": id,
        "routeKey": route_key,
        "stage": "$default",
        "time": common_log_time(now),
        "timeEpoch": i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default(),
    });
    let mut payload = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "headers": headers(&parts.headers, caller),
    });
    let mut set = |name: &str, value: Value| {
        if let Some(payload) = payload.as_object_mut() {
            payload.insert(name.to_owned(), value);
        }
    };
    if let Some(cookies) = cookies(&parts.headers) {
        set("cookies", cookies);
    }
    if let Some(query) = parts.uri.query().filter(|query| !query.is_empty()) {
        set("queryStringParameters", query_parameters(query));
    }
    if let Entry::Route {
        parameters, claims, ..
    } = entry
    {
        if !parameters.is_empty() {
            set("pathParameters", json!(parameters));
        }
        if let (Some(claims), Some(context)) = (claims, context.as_object_mut()) {
            let claims: Map<String, Value> = claims
                .iter()
                .map(|(name, claim)| (name.clone(), claim_text(claim).into()))
                .collect();
            context.insert(
                "authorizer".into(),
                json!({ "jwt": { "claims": claims, "scopes": null } }),
            );
        }
    }
    set("requestContext", context);
    let content_type = text(&parts.headers, header::CONTENT_TYPE.as_str());
    let plain = is_text(&content_type)
        .then(|| std::str::from_utf8(body).ok())
        .flatten();
    set(
        "isBase64Encoded",
        (!body.is_empty() && plain.is_none()).into(),
    );
    if !body.is_empty() {
        set(
            "body",
            plain
                .map_or_else(|| STANDARD.encode(body), str::to_owned)
                .into(),
        );
    }
    (id, payload)
}

/// Names in lower case, equal ones joined with commas; cookies have a place of their own.
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

/// Every value of one header. Bytes that are no text are replaced, as JSON cannot hold them.
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

fn query_parameters(query: &str) -> Value {
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
    json!(joined)
}

/// API Gateway hands every claim on as text: lists in brackets, their members a space apart.
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

/// The media types whose bodies functions get as they are; the others come in base64.
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
