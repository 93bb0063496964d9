//! Calls to Stripe's API: requests built by async-stripe's types, sent by our own pooled client.
//! async-stripe's client opens a connection per call, and its error type would pull most of
//! Stripe's API into the binary, while only a few fields are read here.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use stripe_client_core::{RequestBuilder, StripeMethod};

use super::key::StripeKey;
use crate::{
    config::{ConfigError, Environment},
    https::{self, CallError},
    secrets::Secret,
};

/// The address of Stripe's API.
pub const API_BASE: &str = "https://api.stripe.com";

/// The version of Stripe's API that the request types are made for.
pub fn api_version() -> &'static str {
    stripe_shared::version::VERSION.as_str()
}

/// How long to wait for an answer.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// For one try.
    one_try: Duration,
    /// For all tries of a call together.
    call: Duration,
}

/// For one object. Even with three calls to DynamoDB, less than the time limits of checkout and
/// webhook.
pub(super) const OBJECT: Patience = Patience {
    one_try: Duration::from_secs(5),
    call: Duration::from_secs(7),
};

/// For a page of a list, for which only reconcile waits.
const LIST: Patience = Patience {
    one_try: Duration::from_secs(15),
    call: Duration::from_secs(25),
};

/// The largest answer that is read. A session with 100 line items has a few hundred KiB.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// A client for one account. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    http: https::Client,
    base: String,
    key: Secret<StripeKey>,
}

/// Why Stripe did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// It refused, and would refuse again.
    #[error("Stripe refused with {status} {code} (request {request})")]
    Refused {
        /// The HTTP status, 400 to 404.
        status: StatusCode,
        /// Stripe's error code, or its type; for a restricted key, the permission it lacks.
        code: String,
        /// Stripe's own message, for the seller. It is not logged, because it may quote the
        /// request.
        message: String,
        /// Stripe's id of the request.
        request: String,
    },
    /// It was not asked, because its key cannot be read.
    #[error(transparent)]
    NoKey(#[from] ConfigError),
    /// It told us to come back later, each time we tried.
    #[error("Stripe is busy: {0}")]
    Busy(StatusCode),
    /// It failed, and would give the same answer to the same idempotency key; a new key is needed.
    #[error("Stripe failed with {0}")]
    Failed(StatusCode),
    /// It could not be reached, so it never got the request.
    #[error("Stripe is out of reach")]
    Unreachable {
        /// The system's own words, for whoever can fix it.
        why: String,
    },
    /// It did not answer in time; it may have carried out the request.
    #[error("Stripe did not answer in time")]
    TimedOut,
    /// The connection broke before the answer arrived; it may have carried out the request. A
    /// function that was frozen finds its pooled connections like this.
    #[error("the connection to Stripe broke")]
    Broken,
    /// Its answer does not match its documentation.
    #[error("Stripe's answer cannot be read: {0}")]
    Unreadable(String),
}

/// One page of a list, newest first.
#[derive(Debug, Deserialize)]
pub struct List<T> {
    /// The entries of this page.
    pub data: Vec<T>,
    /// Whether older ones follow.
    pub has_more: bool,
}

/// The most entries that can be requested per page.
pub const LONGEST_PAGE: &str = "100";

impl List<Value> {
    /// The last entry, after which the next page begins, if there is one.
    pub fn next(&self) -> Option<String> {
        let last = self.data.last().filter(|_| self.has_more)?;
        Some(last.get("id")?.as_str()?.to_owned())
    }
}

impl StripeError {
    /// Whether the request itself is refused, and would be again; not the key, which can be fixed.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused { status, .. }
            if !matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN))
    }

    /// Whether it is refused because the customer subscribes to something in another currency, or
    /// has a session open for it. Stripe has no code for that, only words.
    pub fn is_about_other_currency(&self) -> bool {
        matches!(self, Self::Refused { message, .. }
            if message.contains("combine currencies on a single customer"))
    }
}

/// The permission that a restricted key lacks, as Stripe's refusal calls it, such as
/// `rak_charge_read`. The rest of the message names the account and part of the key.
pub fn missing_permission(message: &str) -> Option<&str> {
    let (_, name) = message.split_at_checked(message.find("rak_")?)?;
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.split(|c: char| !is_name(c)).next()
}

#[derive(Default, Deserialize)]
struct ErrorAnswer {
    #[serde(default)]
    error: ErrorBody,
}

#[derive(Default, Deserialize)]
struct ErrorBody {
    code: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    message: String,
}

impl Client {
    /// For the account of `STRIPE_SECRET_KEY`, at `STRIPE_API_BASE` (Stripe itself unless set). A key
    /// in a store is read when it is first needed.
    pub fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let base = environment.optional("STRIPE_API_BASE").unwrap_or(API_BASE);
        let http = environment.network().client()?;
        Ok(Self::over(http, base, StripeKey::of(environment)?))
    }

    /// For the account of one key, at `base`.
    pub fn with_key(http: https::Client, base: &str, key: StripeKey) -> Self {
        Self::over(http, base, Secret::given(StripeKey::VARIABLE, key))
    }

    /// Begins to open a connection and to read the key, so that the first call need not wait for
    /// either. If something is wrong with the key, the log says so, and each call fails.
    pub fn prepare(&self) {
        self.http.open(&self.base);
        let client = self.clone();
        tokio::spawn(async move {
            if let Err(error) = client.ready().await {
                tracing::error!(%error, "Stripe cannot be called");
            }
        });
    }

    /// Reads the key if that has not been done; fails if it cannot be read, or cannot be right.
    pub async fn ready(&self) -> Result<(), ConfigError> {
        self.key.current().await.map(drop)
    }

    fn over(http: https::Client, base: &str, key: Secret<StripeKey>) -> Self {
        Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            key,
        }
    }

    /// Reads the object at `path`, such as `/refunds/re_1`; `None` if there is none.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<T>, StripeError> {
        match self.read(path, query, OBJECT).await {
            Err(StripeError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Reads one page of the list at `path`, such as `/events`.
    pub async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<List<T>, StripeError> {
        self.read(path, query, LIST).await
    }

    /// Reads all pages of the list at `path`, which should be a short one.
    pub async fn list_whole(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<Value>, StripeError> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut query = [query, &[("limit", LONGEST_PAGE)]].concat();
            query.extend(after.as_deref().map(|after| ("starting_after", after)));
            let page: List<Value> = self.list(path, &query).await?;
            after = page.next();
            found.extend(page.data);
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        patience: Patience,
    ) -> Result<T, StripeError> {
        // Parts of it come from events: something that is not an id must not lead elsewhere.
        let is_path = |byte: u8| byte.is_ascii_alphanumeric() || b"_/".contains(&byte);
        if !path.bytes().all(is_path) {
            let wrong = format!("{path:?} is not the path of an object");
            return Err(StripeError::Unreadable(wrong));
        }
        let mut request = RequestBuilder::new(StripeMethod::Get, path);
        request.query = Some(encoded(query)).filter(|query| !query.is_empty());
        self.send(&request, None, patience).await
    }

    /// Sends a `POST` under an idempotency key, so that a repeated call does nothing twice.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, &str)],
        idempotency_key: &str,
    ) -> Result<T, StripeError> {
        let mut request = RequestBuilder::new(StripeMethod::Post, path);
        request.body = Some(encoded(form));
        self.send(&request, Some(idempotency_key), OBJECT).await
    }

    /// Deletes the object at `path`. It may be gone already, because Stripe answers 404 if the call
    /// is repeated after a broken connection.
    pub async fn delete(&self, path: &str) -> Result<(), StripeError> {
        let request = RequestBuilder::new(StripeMethod::Delete, path);
        match self.send::<Value>(&request, None, OBJECT).await {
            Err(StripeError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Sends a request, under an idempotency key if it changes anything, with jittered retries
    /// while Stripe is busy, cannot be reached, or hangs up.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        request: &RequestBuilder,
        idempotency_key: Option<&str>,
        patience: Patience,
    ) -> Result<T, StripeError> {
        let answered = tokio::time::timeout(patience.call, async {
            let mut wait = Duration::from_millis(100);
            loop {
                let answer =
                    tokio::time::timeout(patience.one_try, self.once(request, idempotency_key))
                        .await;
                let worth_waiting = match answer.unwrap_or(Err(StripeError::TimedOut)) {
                    Err(
                        error @ (StripeError::Busy(_)
                        | StripeError::Unreachable { .. }
                        | StripeError::Broken),
                    ) => error,
                    answer => return answer,
                };
                if wait > Duration::from_secs(1) {
                    return Err(worth_waiting);
                }
                tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                wait = wait.saturating_mul(2);
            }
        });
        let body = answered.await.unwrap_or(Err(StripeError::TimedOut))?;
        serde_json::from_slice(&body).map_err(|error| StripeError::Unreadable(error.to_string()))
    }

    /// One try, and another if Stripe rejects our key (401) and there is a new one by now.
    async fn once(
        &self,
        request: &RequestBuilder,
        idempotency_key: Option<&str>,
    ) -> Result<Bytes, StripeError> {
        let key = self.key.current().await?;
        let answer = self.ask(request, idempotency_key, &key).await;
        match answer {
            Err(StripeError::Refused { status, .. }) if status == StatusCode::UNAUTHORIZED => {
                match self.key.instead_of(&key).await {
                    Some(fresh) => self.ask(request, idempotency_key, &fresh).await,
                    None => answer,
                }
            }
            answer => answer,
        }
    }

    async fn ask(
        &self,
        request: &RequestBuilder,
        idempotency_key: Option<&str>,
        key: &StripeKey,
    ) -> Result<Bytes, StripeError> {
        let answer = self
            .http
            .request(self.http_request(request, idempotency_key, key)?)
            .await;
        let answer = answer.map_err(|error| match error {
            CallError::Unreachable(why) => StripeError::Unreachable { why },
            CallError::Broken(_) => StripeError::Broken,
        })?;
        let status = answer.status();
        let id = answer
            .headers()
            .get("request-id")
            .and_then(|id| id.to_str().ok());
        let id = id.unwrap_or_default().to_owned();
        // If an answer breaks off, the request may have been carried out, as if there were none.
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER)
            .collect()
            .await;
        let body = body.map_err(|_| StripeError::Broken)?.to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        if status.is_server_error() {
            return Err(StripeError::Failed(status));
        }
        if matches!(status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS) {
            return Err(StripeError::Busy(status));
        }
        let ErrorAnswer { error } = serde_json::from_slice(&body).unwrap_or_default();
        if error.kind.as_deref() == Some("idempotency_error") {
            // The key was used with other parameters, because the site's address has changed, say.
            return Err(StripeError::Failed(status));
        }
        Err(StripeError::Refused {
            status,
            code: missing_permission(&error.message)
                .map(|permission| format!("key lacks {permission}"))
                .or(error.code)
                .or(error.kind)
                .unwrap_or_default(),
            message: error.message,
            request: id,
        })
    }

    fn http_request(
        &self,
        request: &RequestBuilder,
        idempotency_key: Option<&str>,
        key: &StripeKey,
    ) -> Result<Request<Bytes>, StripeError> {
        let method = match request.method {
            StripeMethod::Get => http::Method::GET,
            StripeMethod::Post => http::Method::POST,
            StripeMethod::Delete => http::Method::DELETE,
        };
        let query = request
            .query
            .as_ref()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let mut builder = Request::builder();
        if let Some(key) = idempotency_key {
            builder = builder.header("idempotency-key", key);
        }
        builder
            .method(method)
            .uri(format!("{}/v1{}{query}", self.base, request.path))
            .header(header::AUTHORIZATION, format!("Bearer {}", key.reveal()))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(
                header::USER_AGENT,
                concat!("till/", env!("CARGO_PKG_VERSION")),
            )
            .header("stripe-version", api_version())
            .body(Bytes::from(request.body.clone().unwrap_or_default()))
            .map_err(|error| StripeError::Unreadable(error.to_string()))
    }
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::scripted::{answer, stripe};

    #[tokio::test]
    async fn after_a_broken_connection_the_call_is_repeated_under_the_same_key() {
        let (stripe, server) = stripe([None, answer("200 OK", "{}")]).await;
        let request = RequestBuilder::new(StripeMethod::Post, "/checkout/sessions");
        let answer: serde_json::Value = stripe.send(&request, Some("key-1"), OBJECT).await.unwrap();
        assert_eq!(answer, serde_json::json!({}));
        let seen = server.join().unwrap();
        assert!(
            seen.iter()
                .all(|request| request.contains("idempotency-key: key-1")),
            "{seen:?}"
        );
    }

    #[tokio::test]
    async fn deleting_an_object_again_after_a_broken_connection_succeeds() {
        let gone = r#"{"error":{"message":"No such webhook endpoint: 'we_1'"}}"#;
        let (stripe, server) = stripe([None, answer("404 Not Found", gone)]).await;
        stripe.delete("/webhook_endpoints/we_1").await.unwrap();
        let seen = server.join().unwrap();
        let is_asked = |request: &String| request.starts_with("DELETE /v1/webhook_endpoints/we_1 ");
        assert!(seen.iter().all(is_asked), "{seen:?}");
    }

    #[test]
    fn the_missing_permission_is_taken_from_stripes_message() {
        let message = "The provided key 'rk_test_*****7Xyz' does not have the required permissions \
            for this endpoint on account 'acct_1'. Having the 'rak_webhook_read' permission would \
            allow this request to continue.";
        assert_eq!(missing_permission(message), Some("rak_webhook_read"));
        assert_eq!(missing_permission("This is a restricted API key"), None);
    }

    #[tokio::test]
    async fn a_customers_other_currency_is_recognized_by_stripes_words() {
        let refusal = r#"{"error":{"type":"invalid_request_error","message":"You cannot combine
            currencies on a single customer. This customer has an active subscription with currency
            usd."}}"#;
        for (refusal, is_about_it) in [
            (refusal.replace("\n            ", " "), true),
            (
                r#"{"error":{"code":"amount_too_small","message":"Too little"}}"#.to_owned(),
                false,
            ),
        ] {
            let (stripe, server) = stripe([answer("400 Bad Request", &refusal)]).await;
            let refused = stripe
                .post::<Value>("/checkout/sessions", &[], "key-1")
                .await;
            let error = refused.unwrap_err();
            assert_eq!(error.is_about_other_currency(), is_about_it, "{refusal}");
            server.join().unwrap();
        }
    }

    #[tokio::test]
    async fn a_refused_restricted_key_is_told_which_permission_it_lacks() {
        let refusal = r#"{"error":{"type":"invalid_request_error","message":"The provided key
            'rk_test_***abc' does not have the required permissions for this endpoint on account
            'acct_1'. Having the 'rak_checkout_session_write' permission would allow this request
            to continue."}}"#
            .replace('\n', "");
        let (stripe, server) = stripe([answer("403 Forbidden", &refusal)]).await;
        let request = RequestBuilder::new(StripeMethod::Post, "/checkout/sessions");
        let error = stripe
            .send::<serde_json::Value>(&request, Some("key-1"), OBJECT)
            .await;
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("lacks rak_checkout_session_write"),
            "{error}"
        );
        assert!(!error.contains("rk_test") && !error.contains("acct_1"));
        server.join().unwrap();
    }
}
