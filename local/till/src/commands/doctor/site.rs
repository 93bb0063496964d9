//! What a buyer's browser meets: the HTTP API, its CORS answer, the site's `config.json`, and the
//! identity provider.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::Value;
use shared::config::EmailVerified;

use super::Patient;
use super::report::Finding;
use crate::account::web::Unreachable;

const API: &str = "HTTP API";
const CORS: &str = "CORS";
const CONFIG: &str = "site config";
const CACHING: &str = "site caching";
const SIGN_IN: &str = "sign-in";

/// What the site sends with a request that a browser asks about first.
const HEADERS: [&str; 3] = ["authorization", "content-type", "idempotency-key"];

async fn get(patient: &Patient, url: &str) -> Result<Response<Bytes>, Unreachable> {
    let request = Request::get(url).body(Bytes::new());
    let request = request.map_err(|_| Unreachable::because(format!("{url} is no address")))?;
    patient.web.send(request).await
}

/// The API answers whom it should, and only them.
pub(super) async fn api(patient: &Patient) -> Vec<Finding> {
    let api = patient.api_url.trim_end_matches('/');
    let products = format!("{api}/products?limit=1");
    let purchases = format!("{api}/purchases");
    let (products, purchases) = futures::join!(get(patient, &products), get(patient, &purchases));
    let (products, purchases) = match (products, purchases) {
        (Ok(products), Ok(purchases)) => (products.status(), purchases.status()),
        (Err(error), _) | (_, Err(error)) => {
            return vec![Finding::fail(
                API,
                format!("{api} cannot be reached: {error}"),
                patient.revive(),
            )];
        }
    };
    vec![if products != StatusCode::OK {
        Finding::fail(
            API,
            format!("GET /products answers {products}"),
            patient.logs("catalog"),
        )
    } else if purchases != StatusCode::UNAUTHORIZED {
        Finding::fail(
            API,
            format!("GET /purchases without a token answers {purchases}, not 401"),
            patient.logs("purchases"),
        )
    } else {
        Finding::ok(
            API,
            "shows products to anybody, and purchases only to who is signed in",
        )
    }]
}

/// Asks as a browser on the site would, before it sends a checkout.
pub(super) async fn cors(patient: &Patient) -> Vec<Finding> {
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

/// The site's `config.json` must lead to this API and this identity provider.
pub(super) async fn config(patient: &Patient) -> Vec<Finding> {
    let url = format!("{}/config.json", patient.site_url.trim_end_matches('/'));
    let answer = match get(patient, &url).await {
        Ok(answer) => answer,
        Err(error) => {
            return vec![Finding::not_checked(
                CONFIG,
                format!("{url} cannot be reached: {error}"),
            )];
        }
    };
    let wanted = [
        ("api", Some(&patient.api_url)),
        ("issuer", patient.issuer.as_ref()),
        ("client_id", patient.client_id.as_ref()),
    ];
    let remedy = || {
        let lines = wanted
            .iter()
            .filter_map(|(name, value)| Some(((*name).to_owned(), Value::from((*value)?.clone()))));
        let json = Value::Object(lines.collect());
        format!("upload config.json with {json}")
    };
    if answer.status() != StatusCode::OK {
        return vec![Finding::fail(
            CONFIG,
            format!("{url} answers {}", answer.status()),
            remedy(),
        )];
    }
    let Ok(config) = serde_json::from_slice::<Value>(answer.body()) else {
        return vec![Finding::fail(
            CONFIG,
            format!("{url} is not JSON"),
            remedy(),
        )];
    };
    let wrong = wanted.iter().filter_map(|(name, value)| {
        let value = (*value)?;
        let said = config.get(name).and_then(Value::as_str).unwrap_or_default();
        let agrees = said.trim_end_matches('/') == value.trim_end_matches('/');
        (!agrees).then(|| format!("{name} is {said:?}, not {value:?}"))
    });
    let wrong: Vec<String> = wrong.collect();
    let leads = if wrong.is_empty() {
        Finding::ok(CONFIG, format!("{url} leads here"))
    } else {
        Finding::fail(CONFIG, format!("{url}: {}", wrong.join("; ")), remedy())
    };
    vec![leads, caching(answer.headers())]
}

/// Whether a browser asks for newer files of the site. One that does not may load a new page with
/// an old module.
fn caching(headers: &HeaderMap) -> Finding {
    let value = headers.get("cache-control");
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let asks = ["no-cache", "no-store", "max-age=0"];
    if asks.iter().any(|directive| value.contains(directive)) {
        return Finding::ok(
            CACHING,
            "browsers ask whether there is a newer one of a file",
        );
    }
    Finding::warn(
        CACHING,
        "browsers may keep files of the site, and mix old and new ones when it changes",
        "copy it with `--cache-control no-cache`: docs/OPERATIONS.md, \"Deploy\"; elsewhere than on \
         CloudFront, have the host send Cache-Control: no-cache",
    )
}

/// API Gateway fetches the keys of tokens from where the issuer's discovery document says.
pub(super) async fn sign_in(patient: &Patient) -> Vec<Finding> {
    let Some(issuer) = &patient.issuer else {
        return vec![Finding::not_checked(
            SIGN_IN,
            "the stack says nothing of an issuer",
        )];
    };
    let url = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let answer = match get(patient, &url).await {
        Ok(answer) => answer,
        Err(error) => {
            return vec![Finding::not_checked(
                SIGN_IN,
                format!("{url} cannot be reached: {error}"),
            )];
        }
    };
    let document: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let named = document.get("issuer").and_then(Value::as_str);
    vec![match named {
        Some(named) if named == issuer => claims(patient, issuer, &document),
        Some(named) => Finding::fail(
            SIGN_IN,
            format!(
                "the provider calls itself {named}, and the API expects {issuer}: no token is good"
            ),
            format!(
                "deploy with the issuer exactly as the provider writes it: {}",
                patient.deploy()
            ),
        ),
        None => Finding::fail(
            SIGN_IN,
            format!(
                "{url} answers {} and no discovery document",
                answer.status()
            ),
            "JwtIssuer must be the issuer's address without /.well-known/…",
        ),
    }]
}

/// Whether tokens will say what the functions read, as far as the provider tells beforehand.
fn claims(patient: &Patient, issuer: &str, document: &Value) -> Finding {
    let needed: &[&str] = match patient.email_verified {
        EmailVerified::Claim => &["sub", "email", "email_verified"],
        EmailVerified::Always => &["sub", "email"],
    };
    let supported = document.get("claims_supported").and_then(Value::as_array);
    let is_missing =
        |name: &&&str| supported.is_some_and(|all| !all.contains(&Value::from(**name)));
    let missing: Vec<&str> = needed.iter().filter(is_missing).copied().collect();
    match missing[..] {
        [] => Finding::ok(
            SIGN_IN,
            format!(
                "{issuer} answers; ID tokens need the claims {}",
                needed.join(", ")
            ),
        ),
        ["email_verified"] => Finding::warn(
            SIGN_IN,
            format!(
                "{issuer} does not list the claim email_verified, without which nobody can buy"
            ),
            "have the provider add it; or, if it verifies every address, deploy with \
             EmailVerified=always",
        ),
        _ => Finding::warn(
            SIGN_IN,
            format!(
                "{issuer} does not list the claims {}, without which nobody can buy",
                missing.join(", ")
            ),
            "have the provider add them to ID tokens (the site asks for the scopes openid and email)",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
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
    fn a_site_whose_files_browsers_keep_is_named() {
        for (value, verdict) in [
            ("no-cache", Verdict::Ok),
            ("public, max-age=0, must-revalidate", Verdict::Ok),
            ("max-age=3600", Verdict::Warn),
            ("", Verdict::Warn),
        ] {
            let value = http::HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(http::header::CACHE_CONTROL, value)]);
            assert_eq!(caching(&headers).verdict, verdict, "{headers:?}");
        }
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
