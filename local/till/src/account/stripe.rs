//! The operator's side of Stripe: whose key it is, and the account's webhook endpoints.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use shared::stripe::client::{API_BASE, Client, LONGEST_PAGE, StripeError, missing_permission};
use shared::stripe::key::StripeKey;
use shared::stripe::metadata;
use url::Url;
use uuid::Uuid;

use crate::account::web::Web;

/// Metadata of an endpoint, and tag of a secret: which deployment it serves.
pub(crate) const STACK_TAG: &str = metadata::STACK;
/// Metadata of an endpoint: [`fingerprint`] of its secret.
pub(crate) const SECRET_TAG: &str = "till_secret";

/// An account, by one of its secret keys.
#[derive(Clone)]
pub(crate) struct Account(Client);

/// Why Stripe did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Stripe is out of reach: {0}")]
    Unreachable(String),
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

impl Account {
    /// The account behind `key` at `base`.
    pub(crate) fn new(web: &Web, base: &str, key: StripeKey) -> Self {
        Self(Client::with_key(web.http(), base, key))
    }

    /// The account that a shop's own client speaks to.
    pub(crate) fn by(client: Client) -> Self {
        Self(client)
    }

    /// All webhook endpoints of the key's mode, newest first.
    pub(crate) async fn endpoints(&self) -> Result<Vec<Endpoint>, Refusal> {
        let mut all: Vec<Endpoint> = Vec::new();
        loop {
            let after = all.last().map(|last| last.id.clone());
            let mut query = vec![("limit", LONGEST_PAGE)];
            query.extend(after.as_deref().map(|after| ("starting_after", after)));
            let page: Page = self.get("/webhook_endpoints", &query).await?;
            let more = page.has_more && !page.data.is_empty();
            all.extend(page.data);
            if !more {
                break;
            }
        }
        all.sort_by_key(|endpoint| std::cmp::Reverse(endpoint.created));
        Ok(all)
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Refusal> {
        let answer = self.0.get(path, query).await?;
        answer.ok_or_else(|| Refusal::Refused {
            status: StatusCode::NOT_FOUND,
            message: format!("there is nothing at {path}"),
        })
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<T, Refusal> {
        let once = Uuid::now_v7().to_string();
        Ok(self.0.post(path, form, &once).await?)
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), Refusal> {
        Ok(self.0.delete(path).await?)
    }
}

impl From<StripeError> for Refusal {
    fn from(error: StripeError) -> Self {
        let said = error.to_string();
        match error {
            StripeError::Refused {
                status: StatusCode::UNAUTHORIZED,
                ..
            } => Self::UnknownKey,
            StripeError::Refused {
                status: StatusCode::FORBIDDEN,
                message,
                ..
            } => Self::Forbidden(missing_permission(&message).map(str::to_owned)),
            StripeError::Refused {
                status, message, ..
            } => Self::Refused { status, message },
            StripeError::Busy(status) | StripeError::Failed(status) => Self::Refused {
                status,
                message: said,
            },
            StripeError::Unreachable { why } => Self::Unreachable(why),
            StripeError::TimedOut | StripeError::Broken => Self::Unreachable(said),
            StripeError::Unreadable(why) => Self::Unreadable(why),
            StripeError::NoKey(_) => Self::Unreadable(said),
        }
    }
}

/// Where Stripe's API is, unless it is said otherwise.
pub(crate) fn api_base(said: Option<&str>) -> anyhow::Result<String> {
    let base = said.unwrap_or(API_BASE);
    match Url::parse(base) {
        Ok(url) if url.has_host() => Ok(base.to_owned()),
        _ => anyhow::bail!(
            "STRIPE_API_BASE is {base:?}, which is not a URL such as https://api.stripe.com"
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
    fn the_operator_is_told_what_keeps_stripe_from_doing_it() {
        let refused = |status| StripeError::Refused {
            status,
            code: String::new(),
            message: "No such webhook endpoint".into(),
            request: "req_1".into(),
        };
        for (error, says) in [
            (refused(StatusCode::UNAUTHORIZED), "does not know the key"),
            (refused(StatusCode::FORBIDDEN), "does not say which"),
            (
                refused(StatusCode::NOT_FOUND),
                "Stripe answers 404 Not Found: No such webhook endpoint",
            ),
            (
                StripeError::Failed(StatusCode::BAD_GATEWAY),
                "Stripe answers 502 Bad Gateway",
            ),
            (
                StripeError::Unreachable {
                    why: "Connection refused".into(),
                },
                "Stripe is out of reach: Connection refused",
            ),
        ] {
            let told = Refusal::from(error).to_string();
            assert!(told.contains(says), "{told}");
        }
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
