//! The site: its `config.json`, and whether browsers notice that its files changed.

use futures::FutureExt as _;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::check::{Ask, Check};
use super::patient::Patient;
use super::report::Finding;

const CONFIG: &str = "site config";
const CACHING: &str = "site caching";

pub(super) const CHECK: Check = Check {
    title: CONFIG,
    ask: Ask::Everywhere(|patient| check(patient).boxed()),
};

/// The site's `config.json` must lead to this API and this identity provider.
async fn check(patient: &Patient) -> Vec<Finding> {
    let url = format!("{}/config.json", patient.site_url.trim_end_matches('/'));
    let answer = match patient.web.get(&url).await {
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
        Finding::ok(CONFIG, format!("{url} points here"))
    } else {
        Finding::fail(CONFIG, format!("{url}: {}", wrong.join("; ")), remedy())
    };
    vec![leads, caching(answer.headers())]
}

/// Whether browsers check for newer files of the site. One that does not may load a new page with
/// an old module.
fn caching(headers: &HeaderMap) -> Finding {
    let value = headers.get("cache-control");
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let asks = ["no-cache", "no-store", "max-age=0"];
    if asks.iter().any(|directive| value.contains(directive)) {
        return Finding::ok(CACHING, "browsers check for newer versions of its files");
    }
    Finding::warn(
        CACHING,
        "browsers may keep the site's files, and mix old and new ones when it changes",
        "copy it with `--cache-control no-cache`: docs/OPERATIONS.md, \"Deploy\"; outside \
         CloudFront, have the host send Cache-Control: no-cache",
    )
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::*;

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
}
