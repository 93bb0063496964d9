//! Stripe events, posted to a public Lambda function URL.
//!
//! An answer of 200 tells Stripe that the event is taken care of, so it is given only for what is
//! stored, parked or none of our business. 400 is for what Stripe did not send. Any failure of
//! ours is a 5xx: Stripe comes again, for three days.

use std::time::Duration;

use http::{Response, StatusCode};
use lambda_http::{Body, Request};
use serde_json::json;
use shared::{
    config::{ConfigError, Environment, Mode},
    http::{Problem, body, json, request_id},
    ledger::{Ledger, Outcome},
    secrets::Secret,
    store::{self, parked::Parked},
    stripe::{
        event::{Event, Meaning, id_of},
        signature::{self, SignatureError, WebhookSecret},
    },
    telemetry::Metric,
};

/// Stripe's events have some ten KiB. Judged on the length as it was sent, before anything is
/// done with it.
const LARGEST_BODY: usize = 512 * 1024;

/// How long a delivery may take: less than the function's time limit in `template.yaml`.
const LONGEST: Duration = Duration::from_secs(18);

/// The function.
#[derive(Clone)]
pub struct Webhook {
    secrets: Secret<Vec<WebhookSecret>>,
    ledger: Ledger,
    parked: Parked,
    mode: Mode,
    stack: String,
}

impl Webhook {
    /// As the environment says.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let dynamodb = store::client(environment)?;
        let purchases = environment.required("PURCHASES_TABLE")?;
        let outbox = environment.required("OUTBOX_TABLE")?;
        let mode = environment.mode()?;
        Ok(Self {
            secrets: environment.webhook_secrets().await?,
            ledger: Ledger::new(dynamodb.clone(), purchases, outbox, mode),
            parked: Parked::new(dynamodb, purchases),
            mode,
            stack: environment.required("TILL_STACK")?.to_owned(),
        })
    }

    /// Answers a delivery.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        let id = request_id(&request);
        let answer = tokio::time::timeout(LONGEST, self.receive(&request)).await;
        match answer.unwrap_or_else(|_| Err(Problem::internal())) {
            Ok(response) => response,
            Err(problem) => problem.into_response(&id),
        }
    }

    async fn receive(&self, request: &Request) -> Result<Response<Body>, Problem> {
        self.admit(request).await?;
        let body = body(request);
        let result = match Event::parse(body) {
            Err(error) => {
                self.park(id_of(body), body, Metric::Parked, &error.to_string())
                    .await?
            }
            Ok(event) if !event.is_handled() => "unhandled",
            Ok(event) if Mode::of(event.livemode) != self.mode => {
                let why = format!("livemode is {}", event.livemode);
                self.park(Some(event.id), body, Metric::ModeMismatch, &why)
                    .await?
            }
            Ok(event) => self.record(event, body).await?,
        };
        json(
            StatusCode::OK,
            &json!({ "received": true, "result": result }),
        )
    }

    /// Lets in what Stripe signed, and nothing else.
    async fn admit(&self, request: &Request) -> Result<(), Problem> {
        let sent_length = match request.body() {
            // Four characters of base64 for every three bytes begun.
            Body::Binary(bytes) => bytes.len().div_ceil(3).saturating_mul(4),
            _ => body(request).len(),
        };
        if sent_length > LARGEST_BODY {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The request is too large",
                format!("body: at most {LARGEST_BODY} bytes as sent"),
            ));
        }
        let header = request
            .headers()
            .get("stripe-signature")
            .and_then(|h| h.to_str().ok());
        let verify = |secrets: &[WebhookSecret]| match header {
            Some(header) => signature::verify(header, body(request), secrets, store::now()),
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
            tracing::warn!(
                metric = Metric::SignatureFailure.as_str(),
                request_id = request_id(request),
                %error,
                "a delivery is not believed"
            );
            Problem::new(
                StatusCode::BAD_REQUEST,
                "bad-signature",
                "The signature is not believed",
                error.to_string(),
            )
        })
    }

    async fn record(&self, event: Event, body: &[u8]) -> Result<&'static str, Problem> {
        let (id, kind) = (event.id.clone(), event.kind.clone());
        let report = match event.meaning(&self.stack) {
            Ok(Meaning::Report(report)) => report,
            Ok(Meaning::Foreign) => {
                tracing::info!(
                    event = id,
                    kind,
                    "the event is about something that is not ours"
                );
                return Ok("foreign");
            }
            Ok(Meaning::Unhandled) => return Ok("unhandled"),
            Err(error) => {
                return self
                    .park(Some(id), body, Metric::Parked, &error.to_string())
                    .await;
            }
        };
        let purchase_id = report.purchase;
        let outcome = self.ledger.record(&report).await.map_err(|error| {
            tracing::error!(event = id, kind, %purchase_id, %error, "the event is not recorded");
            Problem::internal()
        })?;
        tracing::info!(event = id, kind, %purchase_id, ?outcome, "the event is taken care of");
        if let Outcome::Recorded(_, attention) = &outcome
            && !attention.is_empty()
        {
            let metric = Metric::Attention.as_str();
            tracing::warn!(metric, %purchase_id, ?attention, "a purchase needs a person's attention");
        }
        Ok(match outcome {
            Outcome::Recorded(..) => "recorded",
            Outcome::NothingNew => "nothing new",
            Outcome::SeenBefore => "seen before",
            Outcome::NoSuchPurchase => "no such purchase",
        })
    }

    async fn park(
        &self,
        id: Option<String>,
        body: &[u8],
        metric: Metric,
        why: &str,
    ) -> Result<&'static str, Problem> {
        let parked = self
            .parked
            .park(id.as_deref(), body, why, store::now())
            .await;
        parked.map_err(|error| Problem::store(&error))?;
        // Why is said in the parked row: it may quote what the event holds.
        let metric = metric.as_str();
        tracing::error!(metric, event = id, "an authentic event is parked");
        Ok("parked")
    }
}
