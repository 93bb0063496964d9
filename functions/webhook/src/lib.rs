//! Stripe events, posted to a public Lambda function URL.
//!
//! An answer of 200 tells Stripe that the event is taken care of, so it is given only for what is
//! stored, parked or none of our business. 400 is for what Stripe did not send. Any failure of
//! ours is a 5xx: Stripe comes again, for three days.

use std::time::Duration;

use http::{Method, Response, StatusCode};
use lambda_http::{Body, Request};
use serde_json::json;
use shared::{
    clock::Clock,
    config::{ConfigError, Environment},
    http::{Problem, body, json, request_id},
    inbox::Inbox,
    secrets::Secret,
    stripe::signature::{self, SignatureError, WebhookSecret},
    telemetry::Sampled,
};

/// Stripe's events have some ten KiB.
const LARGEST_BODY: usize = 512 * 1024;

/// How long a delivery may take: less than the function's time limit in `template.yaml`.
const LONGEST: Duration = Duration::from_secs(18);

/// The function: lets in what Stripe signed, and hands it to the inbox.
#[derive(Clone)]
pub struct Webhook {
    secrets: Secret<Vec<WebhookSecret>>,
    inbox: Inbox,
    refusals: Sampled,
    clock: Clock,
}

impl Webhook {
    /// Reads the signing secrets and Stripe's key, wherever the environment says they are kept.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        // Two secrets over the network, together.
        let (secrets, inbox) = tokio::try_join!(
            WebhookSecret::read_all(environment),
            Inbox::new(environment)
        )?;
        Ok(Self {
            secrets,
            inbox,
            refusals: Sampled::default(),
            clock: environment.clock(),
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
        // Somebody is looking at what is behind the address.
        if request.method() != Method::POST {
            return Err(Problem::method_not_allowed("POST"));
        }
        let event = body(request, LARGEST_BODY)?;
        let now = self.clock.now();
        self.admit(request, &event, now).await?;
        let taken = self.inbox.take(&event, now).await;
        let receipt = taken.map_err(|_| Problem::internal())?;
        json(
            StatusCode::OK,
            &json!({ "received": true, "result": receipt.as_str() }),
        )
    }

    /// Lets in what Stripe signed, and nothing else.
    async fn admit(&self, request: &Request, event: &[u8], now: i64) -> Result<(), Problem> {
        let header = request
            .headers()
            .get("stripe-signature")
            .and_then(|h| h.to_str().ok());
        let verify = |secrets: &[WebhookSecret]| match header {
            Some(header) => signature::verify(header, event, secrets, now),
            None => Err(SignatureError::Malformed),
        };
        let secrets = self.secrets.current();
        let mut verified = verify(&secrets);
        // Perhaps the endpoint's secret was rolled.
        if verified == Err(SignatureError::NoMatch)
            && let Some(fresh) = self.secrets.instead_of(&secrets).await
        {
            verified = verify(&fresh);
        }
        verified.map_err(|error| {
            // Anybody can send any number of these. Lambda counts them exactly (`Url4xxCount`), so
            // that the log need not.
            if let Some(count) = self.refusals.another() {
                let request_id = request_id(request);
                tracing::warn!(
                    request_id,
                    count,
                    %error,
                    "deliveries with bad signatures are refused"
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
