//! The operator's side of Stripe: whose key it is, and the account's webhook endpoints.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::account::web::{Unreachable, Web};

/// The version of Stripe's API that the code is written for.
pub(crate) fn api_version() -> &'static str {
    stripe_shared::version::VERSION.as_str()
}

/// Metadata of an endpoint, and tag of a secret: which deployment it serves.
pub(crate) const STACK_TAG: &str = "till_stack";
/// Metadata of an endpoint: [`fingerprint`] of its secret.
pub(crate) const SECRET_TAG: &str = "till_secret";

/// An account, by one of its secret keys.
#[derive(Clone)]
pub(crate) struct Account {
    web: Web,
    base: String,
    key: String,
}

/// Why Stripe did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Stripe is out of reach: {0}")]
    Unreachable(#[from] Unreachable),
    #[error("Stripe does not know the key; it was rolled, has expired, or was mistyped")]
    UnknownKey,
    #[error("{}", forbidden(.0.as_deref()))]
    Forbidden(Option<String>),
    #[error("Stripe answers {status}: {message}")]
    Refused { status: StatusCode, message: String },
    #[error("Stripe's answer cannot be read: {0}")]
    Unreadable(String),
}

fn forbidden(permission: Option<&str>) -> String {
    match permission {
        Some(permission) => format!("the restricted key lacks the permission {permission}"),
        None => "the restricted key lacks a permission, and Stripe does not say which".into(),
    }
}

/// A webhook endpoint.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) id: String,
    pub(crate) url: String,
    status: String,
    pub(crate) enabled_events: Vec<String>,
    /// `None`: whatever the account's default is.
    pub(crate) api_version: Option<String>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) created: i64,
    /// Only in the answer to its creation.
    pub(crate) secret: Option<String>,
}

impl Endpoint {
    pub(crate) fn is_enabled(&self) -> bool {
        self.status == "enabled"
    }

    /// Whether deliveries go to `url`; a final slash and a query make no difference to a function.
    pub(crate) fn delivers_to(&self, url: &str) -> bool {
        let bare = |url: &str| {
            let url = url.split(['?', '#']).next().unwrap_or_default();
            url.trim_end_matches('/').to_owned()
        };
        bare(&self.url) == bare(url)
    }

    /// Whether it was made for this deployment.
    pub(crate) fn serves(&self, stack: &str) -> bool {
        self.metadata.get(STACK_TAG).map(String::as_str) == Some(stack)
    }

    /// Whether its secret is one of these. `None`: the endpoint was not made by `till setup`, and
    /// Stripe does not tell.
    pub(crate) fn signs_with_one_of(&self, secrets: &[String]) -> Option<bool> {
        let wanted = self.metadata.get(SECRET_TAG)?;
        Some(secrets.iter().any(|secret| fingerprint(secret) == *wanted))
    }
}

/// Tells which secret it is without telling the secret, which is random and long.
pub(crate) fn fingerprint(secret: &str) -> String {
    let mut digest = hex::encode(Sha256::digest(format!("till webhook secret {secret}")));
    digest.truncate(12);
    digest
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Endpoint>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Default, Deserialize)]
struct ErrorAnswer {
    #[serde(default)]
    error: ErrorBody,
}

#[derive(Default, Deserialize)]
struct ErrorBody {
    message: Option<String>,
}

impl Account {
    /// The account behind `key` at `base`.
    pub(crate) fn new(web: Web, base: &str, key: &str) -> Self {
        Self {
            web,
            base: base.trim_end_matches('/').to_owned(),
            key: key.to_owned(),
        }
    }

    /// All webhook endpoints of the key's mode, newest first.
    pub(crate) async fn endpoints(&self) -> Result<Vec<Endpoint>, Refusal> {
        let mut all: Vec<Endpoint> = Vec::new();
        loop {
            let after = all
                .last()
                .map(|last| format!("&starting_after={}", last.id));
            let path = format!(
                "/v1/webhook_endpoints?limit=100{}",
                after.unwrap_or_default()
            );
            let page: Page = self.get(&path).await?;
            let more = page.has_more && !page.data.is_empty();
            all.extend(page.data);
            if !more {
                break;
            }
        }
        all.sort_by_key(|endpoint| std::cmp::Reverse(endpoint.created));
        Ok(all)
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Refusal> {
        self.call(Method::GET, path, &[]).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<T, Refusal> {
        self.call(Method::POST, path, form).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), Refusal> {
        let _: serde_json::Value = self.call(Method::DELETE, path, &[]).await?;
        Ok(())
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<T, Refusal> {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(
                header::USER_AGENT,
                concat!("till/", env!("CARGO_PKG_VERSION")),
            )
            .header("stripe-version", api_version())
            .body(Bytes::from(body))
            .map_err(|error| Refusal::Unreadable(error.to_string()))?;
        let answer = self.web.send(request).await?;
        let (status, body) = (answer.status(), answer.body());
        if status.is_success() {
            return serde_json::from_slice(body)
                .map_err(|error| Refusal::Unreadable(error.to_string()));
        }
        let ErrorBody { message } = serde_json::from_slice::<ErrorAnswer>(body)
            .unwrap_or_default()
            .error;
        let message = message.unwrap_or_default();
        Err(match status {
            StatusCode::UNAUTHORIZED => Refusal::UnknownKey,
            StatusCode::FORBIDDEN => Refusal::Forbidden(permission(&message)),
            _ => Refusal::Refused { status, message },
        })
    }
}

/// The permission that Stripe's message says would have done, such as `rak_webhook_read`.
fn permission(message: &str) -> Option<String> {
    let from = message.find("rak_")?;
    let name: String = message
        .get(from..)?
        .chars()
        .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_')
        .collect();
    Some(name)
}

/// Where Stripe's API is, unless it is said otherwise.
pub(crate) fn api_base(said: Option<&str>) -> anyhow::Result<String> {
    let base = said.unwrap_or("https://api.stripe.com");
    match Url::parse(base) {
        Ok(url) if url.has_host() => Ok(base.to_owned()),
        _ => anyhow::bail!(
            "STRIPE_API_BASE is {base:?}, which is no address such as https://api.stripe.com"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        let json = serde_json::json!({
            "id": "we_1", "url": url, "status": "enabled", "enabled_events": [],
            "api_version": null, "created": 1,
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn an_address_is_the_same_with_or_without_its_final_slash() {
        let endpoint = endpoint("https://x.lambda-url.eu-central-1.on.aws");
        assert!(endpoint.delivers_to("https://x.lambda-url.eu-central-1.on.aws/"));
        assert!(!endpoint.delivers_to("https://y.lambda-url.eu-central-1.on.aws/"));
    }

    #[test]
    fn the_missing_permission_is_taken_from_stripes_message() {
        let message = "The provided key 'rk_test_*****7Xyz' does not have the required permissions \
            for this endpoint on account 'acct_1'. Having the 'rak_webhook_read' permission would \
            allow this request to continue.";
        assert_eq!(permission(message).as_deref(), Some("rak_webhook_read"));
        assert_eq!(permission("This is a restricted API key"), None);
    }

    #[test]
    fn a_fingerprint_tells_secrets_apart_and_holds_none() {
        let mut endpoint = endpoint("https://shop.example.com");
        assert_eq!(endpoint.signs_with_one_of(&["whsec_a".into()]), None);
        endpoint
            .metadata
            .insert(SECRET_TAG.into(), fingerprint("whsec_b"));
        assert_eq!(endpoint.signs_with_one_of(&["whsec_a".into()]), Some(false));
        assert_eq!(
            endpoint.signs_with_one_of(&["whsec_a".into(), "whsec_b".into()]),
            Some(true)
        );
        assert!(!fingerprint("whsec_b").contains("whsec"));
    }
}
