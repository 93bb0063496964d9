//! The AWS endpoint: DynamoDB, SES, EventBridge and S3 behind one port, distinguished as AWS distinguishes
//! operations.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use dynoxide::auth_material::{AuthMaterial, validate};
use serde_json::Value;
use shared::clock::Clock;
use tokio::sync::watch;
use uuid::Uuid;

use crate::bus::{self, Bus};
use crate::database::Engine;
use crate::faults::{Fault, Faults, dynamodb_answer};
use crate::loopback::{Shutdown, refuse_other_origins};
use crate::mailbox::Mailbox;
use crate::s3::S3;
use crate::ses;

/// DynamoDB's own limit on a request.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// How long an answer that should come too late is held back: longer than any caller waits.
const TOO_LATE: Duration = Duration::from_secs(60);
/// Below this path DynamoDB ignores armed faults, so that looking does not use them up.
pub(crate) const PAST_FAULTS: &str = "/_aws/past-faults";
/// The operations that may write a stream record.
const WRITES: [&str; 8] = [
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "TransactWriteItems",
    "BatchWriteItem",
    "ExecuteStatement",
    "ExecuteTransaction",
    "BatchExecuteStatement",
];

/// What is behind the port.
pub(crate) struct Aws {
    /// Answers DynamoDB's operations.
    pub(crate) engine: Engine,
    /// Tells that a table may have changed.
    pub(crate) wrote: watch::Sender<()>,
    /// Answers SES's operations.
    pub(crate) mail: Mail,
    /// Answers EventBridge's operations.
    pub(crate) bus: Bus,
    /// Answers whatever has a path.
    pub(crate) s3: S3,
    /// Answers in their place when told to.
    pub(crate) faults: Faults,
    /// Ends the wait for answers that are held back.
    pub(crate) shutdown: Shutdown,
    /// For engines outside this process.
    pub(crate) client: reqwest::Client,
}

/// Where mail goes.
pub(crate) enum Mail {
    /// To this machine's mailbox, whose mails are dated by this clock: the shop's.
    Mailbox(Mailbox, Clock),
    /// To another SES endpoint.
    Elsewhere(String),
}

impl Aws {
    /// The port's routes. Programs call them; web pages must not.
    pub(crate) fn router(self) -> Router {
        let faults = self.faults.router();
        let s3 = self.s3.clone().router();
        Router::new()
            .route("/", post(operation).get(health))
            .route(&format!("{PAST_FAULTS}/"), post(past_faults))
            .with_state(Arc::new(self))
            .nest("/_aws/faults", faults)
            .merge(s3)
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(middleware::from_fn(refuse_other_origins))
    }

    async fn dynamodb(&self, operation: &str, headers: HeaderMap, body: Bytes) -> Response {
        let Some(fault) = self.faults.strike(operation) else {
            return self.run(operation, headers, body).await;
        };
        let input = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if fault == Fault::TimeoutAfter {
            drop(self.run(operation, headers, body).await);
            self.be_late().await;
        }
        let (status, body) = dynamodb_answer(fault, operation, &input);
        dynamodb_response(status, body.to_string())
    }

    async fn run(&self, operation: &str, headers: HeaderMap, body: Bytes) -> Response {
        let answer = match &self.engine {
            Engine::Embedded(engine) => match unsigned(&headers) {
                Some(refusal) => dynamodb_response(StatusCode::BAD_REQUEST, refusal),
                None => {
                    let (status, answer) = engine.answer(operation, body).await;
                    dynamodb_response(status, answer)
                }
            },
            Engine::Elsewhere(engine) => self.forward(&engine.endpoint, headers, body).await,
        };
        if WRITES.contains(&operation) {
            self.wrote.send_replace(());
        }
        answer
    }

    async fn ses(&self, headers: HeaderMap, body: Bytes) -> Response {
        let request = ses::Request::parse(&body);
        let fault = self.faults.strike(&request.action);
        match fault {
            None => self.deliver(&request, headers, body).await,
            Some(Fault::TimeoutAfter) => {
                drop(self.deliver(&request, headers, body).await);
                self.be_late().await;
                ses::fault_answer(Fault::Error)
            }
            Some(fault) => ses::fault_answer(fault),
        }
    }

    async fn events(&self, operation: &str, body: Bytes) -> Response {
        match self.faults.strike(operation) {
            None => self.bus.answer(operation, &body).await,
            Some(Fault::TimeoutAfter) => {
                drop(self.bus.answer(operation, &body).await);
                self.be_late().await;
                bus::fault_answer(Fault::Error)
            }
            Some(fault) => bus::fault_answer(fault),
        }
    }

    async fn deliver(&self, request: &ses::Request, headers: HeaderMap, body: Bytes) -> Response {
        match &self.mail {
            Mail::Mailbox(mailbox, clock) => ses::answer(mailbox, request, clock.moment()).await,
            Mail::Elsewhere(endpoint) => self.forward(endpoint, headers, body).await,
        }
    }

    /// Passes a request on as it came, except for the headers that belong to the connection.
    async fn forward(&self, endpoint: &str, mut headers: HeaderMap, body: Bytes) -> Response {
        headers.remove(header::HOST);
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::CONNECTION);
        headers.remove(header::TRANSFER_ENCODING);
        let sent = self
            .client
            .post(endpoint)
            .headers(headers)
            .body(body)
            .send()
            .await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, endpoint, "an AWS engine cannot be reached");
                return StatusCode::BAD_GATEWAY.into_response();
            }
        };
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        headers.remove(header::CONNECTION);
        headers.remove(header::TRANSFER_ENCODING);
        match answer.bytes().await {
            Ok(body) => (status, headers, Body::from(body)).into_response(),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        }
    }

    async fn be_late(&self) {
        tokio::select! {
            () = tokio::time::sleep(TOO_LATE) => {}
            () = self.shutdown.requested() => {}
        }
    }
}

/// What DynamoDB answers to a bare `GET`, which scripts use to see whether it is there.
async fn health() -> &'static str {
    "healthy: dynamodb, ses, eventbridge and s3 for Till on this machine\n"
}

async fn operation(State(aws): State<Arc<Aws>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(operation) = target(&headers, "DynamoDB") {
        return aws.dynamodb(&operation, headers, body).await;
    }
    match target(&headers, "AWSEvents") {
        Some(operation) => aws.events(&operation, body).await,
        None => aws.ses(headers, body).await,
    }
}

async fn past_faults(State(aws): State<Arc<Aws>>, headers: HeaderMap, body: Bytes) -> Response {
    let operation = target(&headers, "DynamoDB").unwrap_or_default();
    aws.run(&operation, headers, body).await
}

/// The operation in `X-Amz-Target`, if it is one of this service's.
fn target(headers: &HeaderMap, service: &str) -> Option<String> {
    let target = headers.get("x-amz-target")?.to_str().ok()?;
    let (named, operation) = target.split_once('.')?;
    named.starts_with(service).then(|| operation.to_owned())
}

/// DynamoDB's refusal of an unsigned request. A signature is not checked, whoever's it is.
fn unsigned(headers: &HeaderMap) -> Option<String> {
    let authorization = headers.get(header::AUTHORIZATION);
    validate(AuthMaterial {
        authorization: authorization.and_then(|value| value.to_str().ok()),
        query: "",
        has_date_header: headers.contains_key("x-amz-date") || headers.contains_key(header::DATE),
    })
}

fn dynamodb_response(status: StatusCode, body: String) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            "application/x-amz-json-1.0".to_owned(),
        ),
        (
            HeaderName::from_static("x-amzn-requestid"),
            Uuid::now_v7().to_string(),
        ),
    ];
    (status, headers, body).into_response()
}
