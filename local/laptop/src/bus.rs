//! EventBridge's API, as far as the shop uses it: `PutEvents`. The bus is a list of all events, each
//! in the form in which a rule's target gets it, and may pass them on to a URL.

use std::path::Path;
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::clock::Clock;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;
use uuid::Uuid;

use crate::faults::Fault;
use crate::journal::Journal;

/// The most entries that EventBridge takes in one call.
const MOST_ENTRIES: usize = 10;
/// The largest entry that it takes.
const LARGEST: usize = 256 * 1024;
/// How long whoever gets the events may take: a little less than the shop waits for the bus.
const PATIENCE: Duration = Duration::from_secs(4);

/// The event bus on this machine. Clones share one.
#[derive(Clone)]
pub(crate) struct Bus {
    events: Journal<Value>,
    /// The shop's.
    clock: Clock,
    /// Where each event is posted to. One that is not accepted there was not published, so that the
    /// shop tries again.
    target: Option<Url>,
    client: reqwest::Client,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Call {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    source: String,
    #[serde(default)]
    detail_type: String,
    #[serde(default)]
    detail: String,
    time: Option<i64>,
}

/// Why an entry was not taken.
struct Refusal {
    code: &'static str,
    message: String,
}

impl Bus {
    /// Opens the file, or a bus in memory, from which events go on to `target`.
    pub(crate) fn open(
        file: Option<&Path>,
        clock: Clock,
        target: Option<Url>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            events: Journal::open("event", file)?,
            clock,
            target,
            client: reqwest::Client::new(),
        })
    }

    /// Every event, newest first.
    pub(crate) async fn newest_first(&self) -> anyhow::Result<Vec<Value>> {
        self.events.newest_first().await
    }

    /// Answers one request as EventBridge would.
    pub(crate) async fn answer(&self, operation: &str, body: &[u8]) -> Response {
        if operation != "PutEvents" {
            return refused("UnknownOperationException", "There is only PutEvents here.");
        }
        let call = match serde_json::from_slice::<Call>(body) {
            Ok(call) if (1..=MOST_ENTRIES).contains(&call.entries.len()) => call,
            Ok(_) => return refused("ValidationException", "There must be 1 to 10 entries."),
            Err(error) => return refused("ValidationException", &error.to_string()),
        };
        let (mut outcomes, mut failed) = (Vec::new(), 0_u32);
        for entry in call.entries {
            outcomes.push(match self.take(entry).await {
                Ok(id) => json!({ "EventId": id }),
                Err(Refusal { code, message }) => {
                    failed = failed.saturating_add(1);
                    json!({ "ErrorCode": code, "ErrorMessage": message })
                }
            });
        }
        let answer = json!({ "FailedEntryCount": failed, "Entries": outcomes });
        answered(StatusCode::OK, &answer)
    }

    /// Publishes one entry; returns the event's id.
    async fn take(&self, entry: Entry) -> Result<String, Refusal> {
        let refuse = |code, message: &str| {
            let message = message.to_owned();
            Err(Refusal { code, message })
        };
        let lengths = [&entry.source, &entry.detail_type, &entry.detail].map(|text| text.len());
        if lengths.contains(&0) {
            let message = "Source, DetailType and Detail must not be empty.";
            return refuse("InvalidArgument", message);
        }
        if lengths.iter().sum::<usize>() > LARGEST {
            return refuse("InvalidArgument", "An entry has at most 256 KiB.");
        }
        let Ok(detail @ Value::Object(_)) = serde_json::from_str(&entry.detail) else {
            return refuse("MalformedDetail", "Detail is malformed.");
        };
        let time = entry
            .time
            .and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        let time = time.unwrap_or_else(|| self.clock.moment());
        let id = Uuid::new_v4().to_string();
        let event = json!({
            "version": "0",
            "id": id,
            "detail-type": entry.detail_type,
            "source": entry.source,
            "account": "000000000000",
            "time": time.format(&Rfc3339).unwrap_or_default(),
            "region": "us-east-1",
            "resources": [],
            "detail": detail,
        });
        let passed_on = match &self.target {
            Some(url) => self.pass_on(url, &event).await,
            None => Ok(()),
        };
        let kept = match passed_on {
            Ok(()) => self.events.keep(&event).await,
            Err(why) => Err(why),
        };
        match kept {
            Ok(()) => Ok(id),
            Err(why) => {
                let message = format!("{why:#}");
                tracing::warn!("an event was not published: {message}");
                refuse("InternalFailure", &message)
            }
        }
    }

    async fn pass_on(&self, url: &Url, event: &Value) -> anyhow::Result<()> {
        let post = self.client.post(url.clone()).timeout(PATIENCE);
        let post = post.header(header::CONTENT_TYPE, "application/json");
        let answer = post.body(event.to_string()).send().await;
        let answer = answer.map_err(|_| anyhow::anyhow!("EVENTS_URL, {url}, does not answer"))?;
        if !answer.status().is_success() {
            anyhow::bail!("EVENTS_URL, {url}, answered {}", answer.status());
        }
        Ok(())
    }
}

/// What EventBridge answers on a bad day.
pub(crate) fn fault_answer(fault: Fault) -> Response {
    match fault {
        Fault::Throttle | Fault::Conflict => refused("ThrottlingException", "Rate exceeded"),
        Fault::Rejected => answered(
            StatusCode::OK,
            &json!({
                "FailedEntryCount": 1,
                "Entries": [{ "ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed." }],
            }),
        ),
        Fault::Denied | Fault::Unverified | Fault::Paused => refused(
            "AccessDeniedException",
            "User is not authorized to perform: events:PutEvents",
        ),
        Fault::Error | Fault::TimeoutAfter | Fault::Down => answered(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({ "__type": "InternalException", "message": "An internal failure." }),
        ),
    }
}

fn refused(code: &str, message: &str) -> Response {
    let answer = json!({ "__type": code, "message": message });
    answered(StatusCode::BAD_REQUEST, &answer)
}

fn answered(status: StatusCode, body: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (status, headers, body.to_string()).into_response()
}
