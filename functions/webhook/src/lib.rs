//! Stripe events, posted to a public Lambda function URL.
//!
//! A 200 tells Stripe that it need not send the event again, so it is given only for events that
//! are stored, parked or not for this shop. 400 is for what Stripe did not send. If we fail, the
//! answer is a 5xx, and Stripe sends the event again, for three days.

use std::time::Duration;

use http::{Method, Response, StatusCode};
use lambda_http::{Body, Request};
use serde_json::json;
use shared::{
    aws::{self, call::Service},
    clock::Clock,
    config::{ConfigError, Environment},
    http::{Problem, body, json, request_id},
    inbox::Inbox,
    secrets::Secret,
    stripe::signature::{self, SignatureError, WebhookSecret},
    telemetry::Sampled,
};

/// Stripe's events have about ten KiB.
const LARGEST_BODY: usize = 512 * 1024;

/// How long a delivery may take: less than the function's time limit in `template.yaml`.
const LONGEST: Duration = Duration::from_secs(18);

/// The function: accepts what Stripe signed, and passes it to the inbox.
#[derive(Clone)]
pub struct Webhook {
    secrets: Secret<Vec<WebhookSecret>>,
    inbox: Inbox,
    refusals: Sampled,
    /// The shop's.
    clock: Clock,
    /// By which signatures age: a delivery is as old as the request that carries it, even in a shop
    /// whose clock somebody has moved.
    real: Clock,
}

impl Webhook {
    /// Reads the signing secrets, wherever the environment says they are kept, and fails if there is
    /// none. Signatures age by the `real` time.
    pub async fn new(environment: &Environment, real: Clock) -> Result<Self, ConfigError> {
        aws::prepare(environment, Service::DynamoDb)?;
        let secrets = WebhookSecret::all_of(environment)?;
        let inbox = Inbox::new(environment)?;
        secrets.current().await?;
        Ok(Self {
            secrets,
            inbox,
            refusals: Sampled::default(),
            clock: environment.clock(),
            real,
        })
    }

    /// Answers a delivery.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        let id = request_id(&request);
        let answer = tokio::time::timeout(LONGEST, self.receive(&request)).await;
        let answer = answer.unwrap_or_else(|_| {
            tracing::error!(request_id = id, "a delivery took too long");
            Err(Problem::internal())
        });
        match answer {
            Ok(response) => response,
            Err(problem) => problem.into_response(&id),
        }
    }

    async fn receive(&self, request: &Request) -> Result<Response<Body>, Problem> {
        // Somebody is looking at the address in a browser.
        if request.method() != Method::POST {
            return Err(Problem::method_not_allowed("POST"));
        }
        let event = body(request, LARGEST_BODY)?;
        let now = self.clock.now();
        self.admit(request, &event).await?;
        let taken = self.inbox.take(&event, now).await;
        let receipt = taken.map_err(|_| Problem::internal())?;
        json(
            StatusCode::OK,
            &json!({ "received": true, "result": receipt.as_str() }),
        )
    }

    /// Accepts what Stripe signed, and nothing else.
    async fn admit(&self, request: &Request, event: &[u8]) -> Result<(), Problem> {
        let now = self.real.now();
        let header = request
            .headers()
            .get("stripe-signature")
            .and_then(|h| h.to_str().ok());
        let verify = |secrets: &[WebhookSecret]| match header {
            Some(header) => signature::verify(header, event, secrets, now),
            None => Err(SignatureError::Malformed),
        };
        let secrets = self.secrets.current().await;
        let secrets = secrets.map_err(|_| Problem::internal())?;
        let mut verified = verify(&secrets);
        // The endpoint's secret may have been rolled.
        if verified == Err(SignatureError::NoMatch)
            && let Some(fresh) = self.secrets.instead_of(&secrets).await
        {
            verified = verify(&fresh);
        }
        verified.map_err(|error| {
            // Anybody can send any number of these. Lambda counts them exactly (`Url4xxCount`), so
            // the log need not.
            if let Some(count) = self.refusals.another() {
                let request_id = request_id(request);
                tracing::warn!(
                    request_id,
                    count,
                    %error,
                    "deliveries with bad signatures were refused"
                );
            }
            Problem::new(
                StatusCode::BAD_REQUEST,
                "bad-signature",
                "The signature is wrong",
                error.to_string(),
            )
        })
    }
}
