//! Handing events to Amazon EventBridge.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;
use serde_json::json;

use crate::{
    aws::{
        self,
        call::{self, Service, ServiceError, Signer},
    },
    config::{ConfigError, Environment},
    https,
};

/// Whose events these are, to the rules of a bus.
pub const SOURCE: &str = "till";

/// How long EventBridge may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest answer that is read. One to a single event has a few hundred bytes.
const LARGEST_ANSWER: usize = 64 * 1024;

/// The stack's event bus.
///
/// Publishing is never repeated here: the outbox does that.
#[derive(Clone)]
pub struct Bus {
    http: https::Client,
    endpoint: String,
    region: String,
    credentials: Credentials,
    name: String,
}

/// An event to publish.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its type, which EventBridge calls its detail type.
    pub kind: &'a str,
    /// Its JSON.
    pub detail: &'a str,
    /// When what it tells was recorded, in Unix seconds.
    pub at: i64,
}

/// Why EventBridge did not take an event. It has EventBridge's error code but never its message,
/// which may quote the event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Worth another try. After a timeout, the event may have been published all the same.
    #[error("the event bus did not take the event this time: {0}")]
    Transient(String),
    /// Worth another try once somebody has fixed what is wrong with the bus or our permissions.
    #[error("the event bus will not take any of our events until this is fixed: {0}")]
    Blocked(String),
    /// Another try would end the same way.
    #[error("the event bus refused the event: {0}")]
    Permanent(String),
}

/// EventBridge's answer. Its status says nothing of what became of the entries.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    entries: Vec<Outcome>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    event_id: Option<String>,
    error_code: Option<String>,
}

impl Bus {
    /// The bus that `EVENT_BUS` names, at AWS or where `AWS_ENDPOINT_URL_EVENTBRIDGE` points to.
    pub fn of(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            http: environment.network().client()?,
            endpoint: aws::endpoint(environment, Service::EventBridge)?,
            region: environment.required("AWS_REGION")?.to_owned(),
            credentials: aws::credentials(environment)?,
            name: environment.required("EVENT_BUS")?.to_owned(),
        })
    }

    /// Publishes an event; returns the id under which EventBridge delivers it.
    pub async fn publish(&self, entry: Entry<'_>) -> Result<String, PublishError> {
        let request = self.request(entry)?;
        let answered = tokio::time::timeout(PATIENCE, self.ask(request)).await;
        answered.unwrap_or_else(|_| Err(PublishError::Transient("no answer in time".to_owned())))
    }

    async fn ask(&self, request: Request<Bytes>) -> Result<String, PublishError> {
        let transient = |why: &str| PublishError::Transient(why.to_owned());
        let answer = self.http.request(request).await;
        let (head, body) = answer.map_err(|_| transient("out of reach"))?.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        let body = body.map_err(|_| transient("an answer that breaks off"))?;
        let body = body.to_bytes();
        if !head.status.is_success() {
            let ServiceError { code, .. } = ServiceError::read(&head.headers, &body);
            return Err(PublishError::of_refusal(head.status, &code));
        }
        let Answer { entries } = serde_json::from_slice(&body).unwrap_or_default();
        let Some(outcome) = entries.into_iter().next() else {
            return Err(transient("an answer that cannot be read"));
        };
        match (outcome.event_id, outcome.error_code) {
            (Some(id), None) => Ok(id),
            (_, code) => Err(PublishError::of_entry(&code.unwrap_or_default())),
        }
    }

    fn request(&self, entry: Entry<'_>) -> Result<Request<Bytes>, PublishError> {
        let input = json!({ "Entries": [{
            "EventBusName": self.name,
            "Source": SOURCE,
            "DetailType": entry.kind,
            "Detail": entry.detail,
            "Time": entry.at,
        }] });
        let unsent = |error: &dyn std::error::Error| PublishError::Permanent(error.to_string());
        let request = call::operation(&self.endpoint, "AWSEvents.PutEvents", &input);
        let request = request.map_err(|error| unsent(&error))?;
        let signer = Signer {
            service: Service::EventBridge,
            region: &self.region,
            credentials: &self.credentials,
            at: SystemTime::now(),
        };
        call::signed(request, signer).map_err(|error| unsent(&error))
    }
}

impl PublishError {
    /// What it means if one event of a call was not taken. From the API reference's pages
    /// "PutEvents" and "PutEventsResultEntry".
    fn of_entry(code: &str) -> Self {
        let why = match code {
            "" => "an error without a code",
            code => code,
        };
        match code {
            "MalformedDetail" | "InvalidArgument" => Self::Permanent(why.to_owned()),
            "ThrottlingException" | "InternalFailure" | "InternalException" | "" => {
                Self::Transient(why.to_owned())
            }
            _ => Self::Blocked(why.to_owned()),
        }
    }

    /// What it means if the whole call was refused.
    fn of_refusal(status: StatusCode, code: &str) -> Self {
        let why = format!("{} {code}", status.as_u16());
        let why = why.trim_end().to_owned();
        let is_busy = status.is_server_error()
            || matches!(status.as_u16(), 408 | 429)
            || code.starts_with("Throttling");
        match is_busy {
            true => Self::Transient(why),
            false if code == "ValidationException" => Self::Permanent(why),
            false => Self::Blocked(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use http::Response;
    use serde_json::Value;

    use super::*;
    use crate::network::Network;

    const TAKEN: &str = r#"{"FailedEntryCount":0,"Entries":[{"EventId":"e-1"}]}"#;

    const ENTRY: Entry<'_> = Entry {
        kind: "purchase.paid",
        detail: r#"{"schema":1}"#,
        at: 1_732_700_000,
    };

    /// What publishing comes to if EventBridge answers so, and what it was asked.
    async fn publishing(
        status: u16,
        answer: &'static str,
    ) -> (Result<String, PublishError>, Request<Bytes>) {
        let asked = Arc::new(Mutex::new(None));
        let heard = Arc::clone(&asked);
        let network = Network::answered_by(move |request| {
            *heard.lock().unwrap() = Some(request);
            let answer = Response::builder().status(status).body(answer.into());
            Box::pin(async { Ok(answer.unwrap()) })
        });
        let environment = Environment::of([
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("EVENT_BUS", "shop-events"),
        ]);
        let bus = Bus::of(&environment.with_network(network)).unwrap();
        let published = bus.publish(ENTRY).await;
        let request = asked.lock().unwrap().take().unwrap();
        (published, request)
    }

    #[tokio::test]
    async fn an_event_goes_to_the_stacks_own_bus() {
        let (published, asked) = publishing(200, TAKEN).await;
        assert_eq!(published.unwrap(), "e-1");
        let host = "https://events.eu-central-1.amazonaws.com/";
        assert_eq!(asked.uri().to_string(), host);
        assert_eq!(asked.headers()["x-amz-target"], "AWSEvents.PutEvents");
        let signed = asked.headers()["authorization"].to_str().unwrap();
        assert!(
            signed.contains("/eu-central-1/events/aws4_request"),
            "{signed}"
        );
        let body: Value = serde_json::from_slice(asked.body()).unwrap();
        let entry = json!({
            "EventBusName": "shop-events",
            "Source": "till",
            "DetailType": "purchase.paid",
            "Detail": r#"{"schema":1}"#,
            "Time": 1_732_700_000,
        });
        assert_eq!(body, json!({ "Entries": [entry] }));
    }

    #[tokio::test]
    async fn a_call_that_went_well_may_have_published_nothing() {
        use PublishError::{Blocked, Permanent, Transient};
        let taken = |code: &'static str| async move {
            let answer = json!({
                "FailedEntryCount": 1,
                "Entries": [{ "ErrorCode": code, "ErrorMessage": "about sub-1" }],
            });
            let answer: &'static str = answer.to_string().leak();
            publishing(200, answer).await.0.unwrap_err()
        };
        for code in [
            "ThrottlingException",
            "InternalFailure",
            "InternalException",
        ] {
            assert_eq!(taken(code).await, Transient(code.to_owned()));
        }
        for code in ["NotAuthorizedForSourceException", "AnyOther"] {
            assert_eq!(taken(code).await, Blocked(code.to_owned()));
        }
        let code = "MalformedDetail";
        assert_eq!(taken(code).await, Permanent(code.to_owned()));
        let nothing = publishing(200, "{}").await.0.unwrap_err();
        assert!(matches!(nothing, Transient(_)), "{nothing:?}");
    }

    #[tokio::test]
    async fn a_refused_call_is_repeated_unless_the_event_is_to_blame() {
        use PublishError::{Blocked, Permanent, Transient};
        let denied = r#"{"__type":"AccessDeniedException","message":"about sub-1"}"#;
        let throttled = r#"{"__type":"ThrottlingException"}"#;
        let invalid = r#"{"__type":"ValidationException"}"#;
        for (status, answer, meaning) in [
            (400, denied, Blocked("400 AccessDeniedException".to_owned())),
            (
                400,
                throttled,
                Transient("400 ThrottlingException".to_owned()),
            ),
            (
                400,
                invalid,
                Permanent("400 ValidationException".to_owned()),
            ),
            (500, "{}", Transient("500".to_owned())),
            (404, "<html>", Blocked("404".to_owned())),
        ] {
            assert_eq!(publishing(status, answer).await.0, Err(meaning));
        }
    }
}
