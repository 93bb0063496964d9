//! The JSON of an HTTP event, in and out: payload format 2.0, which HTTP APIs and function URLs
//! have in common. Source: "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway" and
//! "Invoking Lambda function URLs".
//!
//! This uses lambda_http's types but not its conversion, which panics if the path, the query or the
//! host cannot be part of a URI. They sometimes cannot: a function URL passes the query `q=a+b` on
//! as `q=a b`. Anybody could make such an invocation fail, so here no part of an event can fail:
//! what is not an HTTP event at all is answered 400.

use std::collections::HashMap;
use std::convert::Infallible;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayRequestAuthorizer, ApiGatewayRequestAuthorizerJwtDescription,
    ApiGatewayV2httpRequestContext,
};
use lambda_http::{
    Body, Error, LambdaEvent, Request, RequestExt as _, request::RequestContext, service_fn,
};
use serde_json::{Map, Value, json, value::RawValue};

use super::Problem;

/// Marks a body that is still in base64. It is decoded only after its length has been checked.
#[derive(Clone)]
pub(super) struct InBase64;

/// Runs a function until Lambda stops it: the last thing its `main` does.
pub async fn serve<A>(handle: impl Fn(Request) -> A) -> Result<(), Error>
where
    A: Future<Output = Response<Body>>,
{
    let answer = async |payload: &str| match request(payload) {
        // Boxed, because the compiler limits how deeply futures are nested.
        Ok(request) => Box::pin(handle(request)).await,
        Err(problem) => problem.into_response(""),
    };
    // Raw, because a payload that cannot be read needs an answer, too.
    let invocation = async |event: LambdaEvent<Box<RawValue>>| {
        Ok::<_, Infallible>(response(answer(event.payload.get()).await))
    };
    lambda_runtime::run(service_fn(invocation)).await
}

/// The request in a payload: method, headers, body, the values of the path's placeholders, the
/// query, and what the authorizer verified. Unusable members are left out.
pub fn request(payload: &str) -> Result<Request, Problem> {
    let not_http = || Problem::bad_request("This is not an HTTP event in payload format 2.0.");
    let payload: Value = serde_json::from_str(payload).map_err(|_| not_http())?;
    let method = text(&payload, "/requestContext/http/method");
    let method: Option<Method> = method.and_then(|method| method.parse().ok());
    let body = text(&payload, "/body").map_or(Body::Empty, Body::from);
    let mut request = Request::new(body);
    *request.method_mut() = method.ok_or_else(not_http)?;
    *request.headers_mut() = headers(&payload);
    if payload.get("isBase64Encoded") == Some(&Value::Bool(true)) {
        request.extensions_mut().insert(InBase64);
    }
    let query = text(&payload, "/rawQueryString").unwrap_or_default();
    let query: HashMap<String, Vec<String>> = form_urlencoded::parse(query.as_bytes()).fold(
        HashMap::new(),
        |mut query, (name, value)| {
            let values = query.entry(name.into_owned()).or_default();
            values.push(value.into_owned());
            query
        },
    );
    Ok(request
        .with_query_string_parameters(query)
        .with_path_parameters(texts(payload.get("pathParameters")))
        .with_request_context(RequestContext::ApiGatewayV2(context(&payload))))
}

/// The answer as Lambda passes it on to API Gateway or the function URL.
pub fn response(response: Response<Body>) -> Value {
    let (parts, body) = response.into_parts();
    let mut headers: Map<String, Value> = Map::new();
    for name in parts.headers.keys() {
        let values = parts.headers.get_all(name).iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        headers.insert(name.to_string(), values.join(",").into());
    }
    let (body, in_base64) = match body {
        Body::Text(text) => (text, false),
        Body::Binary(bytes) => (STANDARD.encode(bytes), true),
        _ => (String::new(), false),
    };
    json!({
        "statusCode": parts.status.as_u16(),
        "headers": headers,
        "body": body,
        "isBase64Encoded": in_base64,
    })
}

/// The request's id, the route that it took, and the claims of the token that the authorizer verified.
fn context(payload: &Value) -> ApiGatewayV2httpRequestContext {
    let mut context = ApiGatewayV2httpRequestContext::default();
    context.request_id = text(payload, "/requestContext/requestId").map(str::to_owned);
    context.route_key = text(payload, "/routeKey").map(str::to_owned);
    if let Some(claims) = payload.pointer("/requestContext/authorizer/jwt/claims") {
        let mut jwt = ApiGatewayRequestAuthorizerJwtDescription::default();
        jwt.claims = texts(Some(claims));
        let mut authorizer = ApiGatewayRequestAuthorizer::default();
        authorizer.jwt = Some(jwt);
        context.authorizer = Some(authorizer);
    }
    context
}

fn headers(payload: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in texts(payload.get("headers")) {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            // A map is full at 24 000 headers.
            let _ = headers.try_insert(name, value);
        }
    }
    headers
}

fn text<'a>(payload: &'a Value, pointer: &str) -> Option<&'a str> {
    payload.pointer(pointer).and_then(Value::as_str)
}

/// Those members of an object that are text.
fn texts(object: Option<&Value>) -> HashMap<String, String> {
    let members = object.and_then(Value::as_object).into_iter().flatten();
    members
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{body, claims, request_id};
    use super::*;
    use crate::config::EmailVerified;

    #[test]
    fn text_that_cannot_be_in_a_uri_is_taken_as_it_is() {
        let payload = json!({
            "rawPath": "/products/a b\r<\"",
            "rawQueryString": "q=a b&limit=3&cursor=<\"\r\u{e9}",
            "headers": { "x-forwarded-proto": "http,https", "host": "a b", "a b": "c", "d": "\n" },
            "pathParameters": { "id": "a b" },
            "requestContext": { "requestId": "r", "http": { "method": "GET", "path": "::" } },
        });
        let request = request(&payload.to_string()).unwrap();
        assert_eq!(request.headers()["x-forwarded-proto"], "http,https");
        assert_eq!(request.headers().len(), 2);
        assert_eq!(request_id(&request), "r");
        let parameter = |name| request.query_string_parameters_ref()?.first(name);
        assert_eq!(parameter("q"), Some("a b"));
        assert_eq!(parameter("limit"), Some("3"));
        assert_eq!(
            request.path_parameters_ref().unwrap().first("id"),
            Some("a b")
        );
        assert!(claims(&request, EmailVerified::Always).is_err());
    }

    #[test]
    fn a_body_is_measured_as_it_was_sent_before_its_base64_is_decoded() {
        let request = |body: &str| {
            let payload = json!({
                "body": body,
                "isBase64Encoded": true,
                "requestContext": { "http": { "method": "POST" } },
            });
            request(&payload.to_string()).unwrap()
        };
        assert_eq!(*body(&request("aGVsbG8="), 8).unwrap(), *b"hello");
        let status = |wrong: &str| body(&request(wrong), 8).unwrap_err().status.as_u16();
        assert_eq!(status("aGVsbG8hIQ=="), 413);
        // Too long, and not base64 either, but that is not checked any more.
        assert_eq!(status("*********"), 413);
        assert_eq!(status("****"), 400);
    }

    #[test]
    fn the_operator_can_vouch_for_an_issuer_without_the_claim_email_verified() {
        let caller = |claims_of_token: Value, verified| {
            let payload = json!({ "requestContext": {
                "http": { "method": "GET" }, "authorizer": { "jwt": { "claims": claims_of_token } },
            } });
            let request = request(&payload.to_string()).unwrap();
            claims(&request, verified).map_err(|problem| problem.detail)
        };
        let silent = json!({ "sub": "ada", "email": "ada@example.com" });
        assert!(caller(silent.clone(), EmailVerified::Always).is_ok());
        let detail = caller(silent, EmailVerified::Claim).unwrap_err();
        assert!(detail.contains("no email_verified claim"), "{detail}");
        let unverified = json!({ "sub": "a", "email": "a@example.com", "email_verified": "false" });
        let detail = caller(unverified, EmailVerified::Claim).unwrap_err();
        assert!(detail.starts_with("Verify it"), "{detail}");
    }

    #[test]
    fn anything_but_an_http_event_is_answered_400() {
        for payload in [
            "null",
            "[]",
            "{}",
            r#""\ud800""#,
            r#"{"requestContext":{"http":{"method":""}}}"#,
            r#"{"httpMethod":"GET","path":"/"}"#,
        ] {
            let problem = request(payload).unwrap_err();
            assert_eq!(problem.status.as_u16(), 400, "{payload}");
        }
        assert_eq!(request(&"[".repeat(1000)).unwrap_err().status.as_u16(), 400);
    }

    #[test]
    fn answers_are_what_lambda_wants() {
        let mut answer = Response::new(Body::from("{}"));
        answer
            .headers_mut()
            .insert("etag", "\"1\"".parse().unwrap());
        assert_eq!(
            response(answer),
            json!({
                "statusCode": 200, "headers": { "etag": "\"1\"" }, "body": "{}",
                "isBase64Encoded": false,
            })
        );
        let binary = response(Response::new(Body::from(b"\xff".as_slice())));
        assert_eq!(binary["body"], "/w==");
        assert_eq!(binary["isBase64Encoded"], true);
    }
}
