//! Whether a browser lets the site's pages call the API.

use bytes::Bytes;
use futures::FutureExt as _;
use http::{HeaderMap, Request};

use super::check::{Ask, Check};
use super::patient::Patient;
use super::report::Finding;

const CORS: &str = "CORS";

/// What the site sends with a request that a browser asks about first.
const HEADERS: [&str; 3] = ["authorization", "content-type", "idempotency-key"];

pub(super) const CHECK: Check = Check {
    title: CORS,
    ask: Ask::Deployed(|patient, _| check(patient).boxed()),
};

/// Asks as a browser on the site would, before it sends a checkout.
async fn check(patient: &Patient) -> Vec<Finding> {
    let url = format!("{}/checkout", patient.api_url.trim_end_matches('/'));
    let request = Request::options(&url)
        .header("origin", &patient.site_url)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", HEADERS.join(","))
        .body(Bytes::new());
    let answer = match request {
        Ok(request) => patient.web.send(request).await,
        Err(error) => return vec![Finding::not_checked(CORS, error.to_string())],
    };
    vec![match answer {
        Ok(answer) => match refused(answer.headers(), &patient.site_url) {
            None => Finding::ok(
                CORS,
                format!("pages of {} may call the API", patient.site_url),
            ),
            Some(what) => Finding::fail(
                CORS,
                format!(
                    "a browser on {} is kept from the API: {what}",
                    patient.site_url
                ),
                format!(
                    "SiteUrl must be the site's exact origin: {}",
                    patient.deploy()
                ),
            ),
        },
        Err(error) => Finding::not_checked(CORS, format!("{url} cannot be reached: {error}")),
    }]
}

/// What in the answer to a preflight would stop a browser.
fn refused(headers: &HeaderMap, origin: &str) -> Option<String> {
    let value = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_lowercase()
    };
    let lists = |name: &str, item: &str| {
        let value = value(name);
        value
            .split(',')
            .any(|listed| listed.trim() == item || listed.trim() == "*")
    };
    let allowed = value("access-control-allow-origin");
    if allowed != "*" && allowed != origin.to_lowercase() {
        return Some(match allowed.as_str() {
            "" => "the origin is not allowed".into(),
            other => format!("the origin allowed is {other}"),
        });
    }
    if !lists("access-control-allow-methods", "post") {
        return Some("the method POST is not allowed".into());
    }
    let missing = HEADERS
        .iter()
        .find(|header| !lists("access-control-allow-headers", header));
    missing.map(|header| format!("the header {header} is not allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preflight(headers: &[(&'static str, &'static str)]) -> Option<String> {
        let headers = headers.iter().map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                http::HeaderValue::from_static(value),
            )
        });
        refused(&headers.collect(), "https://shop.example.com")
    }

    #[test]
    fn a_preflight_is_judged_as_a_browser_does() {
        let origin = ("access-control-allow-origin", "https://shop.example.com");
        let methods = ("access-control-allow-methods", "GET,POST");
        let headers = (
            "access-control-allow-headers",
            "authorization,content-type,idempotency-key",
        );
        assert_eq!(preflight(&[origin, methods, headers]), None);
        for (answer, says) in [
            (vec![methods, headers], "origin is not allowed"),
            (
                vec![
                    ("access-control-allow-origin", "https://other.example.com"),
                    methods,
                    headers,
                ],
                "other.example.com",
            ),
            (vec![origin, headers], "POST"),
            (
                vec![
                    origin,
                    methods,
                    ("access-control-allow-headers", "authorization"),
                ],
                "content-type",
            ),
        ] {
            let refused = preflight(&answer).unwrap();
            assert!(refused.contains(says), "{refused}");
        }
    }
}
