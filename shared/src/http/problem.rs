//! Why requests are refused or fail: RFC 9457 problems.

use http::{HeaderValue, Response, StatusCode, header};
use lambda_http::Body;
use serde_json::{Map, Value, json};

use crate::{
    comparison::ComparisonError, customers::CustomerError, store::StoreError,
    stripe::client::StripeError,
};

/// Why a request was refused or failed. It reveals nothing internal. `Display`, which logs use,
/// leaves `detail` out, because it may quote what the caller sent.
#[derive(Debug, thiserror::Error)]
#[error("{status} {kind}")]
pub struct Problem {
    pub(super) status: StatusCode,
    kind: &'static str,
    title: &'static str,
    pub(super) detail: String,
    retry_after_seconds: Option<u32>,
    more: Map<String, Value>,
    allow: Option<&'static str>,
}

impl Problem {
    /// `kind` is the stable end of the problem's `type`; `detail` is for the caller to read.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
            retry_after_seconds: None,
            more: Map::new(),
            allow: None,
        }
    }

    /// The request is malformed; `detail` names the field, for whoever develops the caller.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "The request is malformed",
            detail,
        )
    }

    /// Only the methods in `allow` work here.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "This method is not allowed here",
            format!("method: only {allow} is allowed"),
        );
        problem.allow = Some(allow);
        problem
    }

    /// It does not exist, or belongs to somebody else: the answer is the same.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// A failure on our side. The cause goes into the log, not to the caller.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something failed on our side",
            "It is safe to repeat the request: it carries on from where it stopped.",
        )
    }

    /// The store did not answer; the same request may succeed in a moment.
    pub fn store(error: &StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Contended(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "The shop is busy",
                "Nothing is lost; please try again.",
            )
            .retry_after(1),
            _ => Self::internal(),
        }
    }

    /// Stripe did not do what was asked. The reason goes into the log, too.
    pub fn stripe(error: &StripeError) -> Self {
        match error {
            StripeError::Refused { .. } | StripeError::Unreadable(_) => Self::stripe_refused(),
            StripeError::NoKey(_) => Self::internal(),
            StripeError::Failed(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "payment-provider-failed",
                "The payment provider failed",
                "The payment provider failed. Nothing was charged; please try again.",
            ),
            StripeError::Busy(_) | StripeError::Unreachable { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "payment-provider-busy",
                "The payment provider is busy",
                "The payment provider is busy or out of reach. Nothing was charged; please try again.",
            )
            .retry_after(2),
            StripeError::TimedOut | StripeError::Broken => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "payment-provider-timeout",
                "The payment provider did not answer",
                "The payment provider did not answer in time. Nothing was charged; please try again.",
            )
            .retry_after(2),
        }
    }

    fn stripe_refused() -> Self {
        Self::new(
            StatusCode::BAD_GATEWAY,
            "payment-provider-refused",
            "The payment provider refused",
            "The payment provider refused. Nothing was charged; the shop has to look into this.",
        )
    }

    /// The function's time is nearly up; when the request is repeated, it carries on from there.
    pub fn too_slow() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "timeout",
            "It took too long",
            "Nothing was charged; please try again.",
        )
        .retry_after(2)
    }

    /// Adds an extension member (RFC 9457, 3.2).
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a `Retry-After` header.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The answer.
    pub fn into_response(self, request_id: &str) -> Response<Body> {
        let mut body = self.more;
        for (name, value) in [
            ("type", json!(format!("urn:till:problem:{}", self.kind))),
            ("title", json!(self.title)),
            ("status", json!(self.status.as_u16())),
            ("detail", json!(self.detail)),
            ("request_id", json!(request_id)),
        ] {
            body.insert(name.to_owned(), value);
        }
        let mut response = Response::new(Body::Text(Value::Object(body).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<CustomerError> for Problem {
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::Store(error) => Self::store(&error),
            CustomerError::Stripe(error) => Self::stripe(&error),
        }
    }
}

impl From<ComparisonError> for Problem {
    fn from(error: ComparisonError) -> Self {
        match error {
            ComparisonError::Store(error) => Self::store(&error),
            ComparisonError::Stripe(error) => Self::stripe(&error),
            ComparisonError::Unreadable(_) | ComparisonError::NoSuchSession(_) => {
                Self::stripe_refused()
            }
        }
    }
}
