//! What the functions call, and what becomes of their calls on the way there and back.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::bug::Bug;
use crate::digest;
use crate::other::Other;
use crate::process::Process;
use crate::version::{Answered, Failure};
use crate::weather::Trouble;
use crate::world::{BEGINNING, World};

enum Service {
    Tables { operation: String },
    Mail,
    Bus,
    Stripe,
}

impl Service {
    fn of(request: &Request<Bytes>) -> Self {
        if request.uri().host() == Some("stripe.storm") {
            return Self::Stripe;
        }
        let target = request.headers().get("x-amz-target");
        match target.and_then(|target| target.to_str().ok()?.split_once('.')) {
            Some(("AWSEvents", _)) => Self::Bus,
            Some((_, operation)) => Self::Tables {
                operation: operation.to_owned(),
            },
            None => Self::Mail,
        }
    }
}

/// What becomes of a call.
pub(crate) async fn answer(world: &World, process: &Process, request: Request<Bytes>) -> Answered {
    process.lives_on().await;
    travel(world).await;
    if world.strikes(Trouble::Unreachable) {
        return Err(Failure::Unreachable);
    }
    let service = Service::of(&request);
    let refused = match &service {
        Service::Tables { operation } => table_refusal(world, operation, &request),
        Service::Mail => mail_refusal(world),
        Service::Bus => bus_refusal(world),
        Service::Stripe => stripe_refusal(world, &request),
    };
    let request = match (world.bug, &service) {
        (Some(bug), Service::Tables { operation }) => {
            request.map(|body| bug.in_tables(operation, &body, &world.names))
        }
        (Some(bug), Service::Stripe) => request.map(|body| bug.in_form(&body)),
        _ => request,
    };
    let request = match (process.as_other, &service) {
        (Some(other), Service::Tables { operation }) => {
            request.map(|body| other.in_tables(operation, &body, &world.names))
        }
        _ => request,
    };
    if let Some(refusal) = refused {
        process.lives_on().await;
        return Ok(refusal);
    }
    let (answer, is_lost) = match service {
        Service::Tables { operation } => {
            let answer = ask_tables(world, process, &operation, request.into_body()).await;
            (answer, world.strikes(Trouble::TablesLoseAnswers))
        }
        Service::Mail => {
            let is_lost = world.strikes(Trouble::MailLosesAnswers);
            (send_mail(world, process, request.body(), is_lost), is_lost)
        }
        Service::Bus => {
            let id = world.events.published(request.body());
            world.tell(format!("The bus publishes {id}"));
            let taken = json!({ "FailedEntryCount": 0, "Entries": [{ "EventId": "e-1" }] });
            let answer = answered(200, "application/x-amz-json-1.1", taken.to_string());
            (answer, world.strikes(Trouble::MailLosesAnswers))
        }
        Service::Stripe => {
            let answer = ask_stripe(world, request).await;
            (answer, world.strikes(Trouble::StripeLosesAnswers))
        }
    };
    process.lives_on().await;
    if is_lost {
        match world.draw(fastrand::Rng::bool) {
            true => return Err(Failure::Broken),
            // Until the caller gives up.
            false => pending::<()>().await,
        }
    }
    travel(world).await;
    Ok(answer)
}

async fn travel(world: &World) {
    let milliseconds = match world.strikes(Trouble::Slow) {
        true => world.draw(|dice| dice.u64(500..8_000)),
        false => world.draw(|dice| dice.u64(1..20)),
    };
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

fn answered(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(body.into())
        .unwrap()
}

fn exception(status: u16, name: &str, more: Value) -> Response<Bytes> {
    let mut body = json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"),
        "message": "The weather is bad.",
    });
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    answered(status, "application/x-amz-json-1.0", body.to_string())
}

fn table_refusal(
    world: &World,
    operation: &str,
    request: &Request<Bytes>,
) -> Option<Response<Bytes>> {
    if world.strikes(Trouble::TablesRefuse) {
        let refusals = [
            (400, "ProvisionedThroughputExceededException"),
            (400, "ThrottlingException"),
            (500, "InternalServerError"),
        ];
        let (status, name) = refusals[world.draw(|dice| dice.usize(..3))];
        return Some(exception(status, name, Value::Null));
    }
    // Nothing else is written to items that transactions write, too.
    let may_conflict = ["TransactWriteItems", "UpdateItem"].contains(&operation);
    if !may_conflict || !world.strikes(Trouble::TablesConflict) {
        return None;
    }
    if operation == "UpdateItem" {
        return Some(exception(400, "TransactionConflictException", Value::Null));
    }
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let items = body["TransactItems"].as_array().map_or(1, Vec::len);
    let conflict = world.draw(|dice| dice.usize(..items));
    let reasons = (0..items).map(|item| match item == conflict {
        true => json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing" }),
        false => json!({ "Code": "None" }),
    });
    let reasons: Vec<_> = reasons.collect();
    let more = json!({ "CancellationReasons": reasons });
    Some(exception(400, "TransactionCanceledException", more))
}

async fn ask_tables(
    world: &World,
    process: &Process,
    operation: &str,
    body: Bytes,
) -> Response<Bytes> {
    let mut lag = world
        .strikes(Trouble::TablesLag)
        .then(|| world.draw(fastrand::Rng::fork));
    let (status, answer) = world
        .tables
        .answer(operation, body.clone(), lag.as_mut())
        .await;
    if status.is_success() && operation != "GetItem" {
        world.wrote.notify_one();
    }
    if status.is_success() && process.as_other == Some(Other::Later) {
        world.others.wrote(operation, &body);
    }
    if status.is_success() && operation == "UpdateItem" {
        world.mails.updated(process, &body);
    }
    let answer = match operation {
        "DescribeTable" => made_at_the_beginning(&answer),
        _ => answer,
    };
    answered(status.as_u16(), "application/x-amz-json-1.0", answer)
}

/// The engine knows only the machine's time, and reconcile begins with what happened after the table
/// was made.
fn made_at_the_beginning(described: &str) -> String {
    let mut described: Value = serde_json::from_str(described).unwrap_or_default();
    described["Table"]["CreationDateTime"] = BEGINNING.into();
    described.to_string()
}

fn stripe_refusal(world: &World, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    let error = |status: StatusCode| {
        let body = json!({ "error": { "type": "api_error", "message": "The weather is bad." } });
        answered(status.as_u16(), "application/json", body.to_string())
    };
    if let Some(key) = idempotency_key(request)
        && world.failed_keys.lock().unwrap().contains(&key)
    {
        return Some(error(StatusCode::INTERNAL_SERVER_ERROR));
    }
    world.strikes(Trouble::StripeRefuses).then(|| {
        let refusals = [
            StatusCode::CONFLICT,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        error(refusals[world.draw(|dice| dice.usize(..3))])
    })
}

fn idempotency_key(request: &Request<Bytes>) -> Option<String> {
    let key = request.headers().get("idempotency-key")?;
    Some(key.to_str().ok()?.to_owned())
}

async fn ask_stripe(world: &World, request: Request<Bytes>) -> Response<Bytes> {
    let changes = request.method() != http::Method::GET;
    let lists_events = request.uri().path() == "/v1/events";
    let key = idempotency_key(&request);
    let answer = world.stripe.answer(request).await;
    if changes {
        world.happened.notify_one();
        if world.strikes(Trouble::StripeFails) {
            world.failed_keys.lock().unwrap().extend(key);
            return answered(500, "application/json", "{}");
        }
    }
    match lists_events {
        true => answer.map(|list| without_hidden(world, &list)),
        false => answer,
    }
}

/// A list of events without those that nobody is to know of.
fn without_hidden(world: &World, list: &Bytes) -> Bytes {
    let mut list: Value = serde_json::from_slice(list).unwrap_or_default();
    let hidden = world.never_made.lock().unwrap();
    if let Some(events) = list["data"].as_array_mut() {
        let is_hidden = |event: &Value| {
            world.bug == Some(Bug::EventsNotReadAgain)
                || event["id"]
                    .as_str()
                    .is_some_and(|id| hidden.contains_key(id))
        };
        // The last is where the next page begins.
        let last = events.last().cloned();
        events.retain(|event| Some(event) == last.as_ref() || !is_hidden(event));
        if list["has_more"] != true
            && let Some(events) = list["data"].as_array_mut()
        {
            events.retain(|event| !is_hidden(event));
        }
    }
    Bytes::from(list.to_string())
}

fn mail_refusal(world: &World) -> Option<Response<Bytes>> {
    world.strikes(Trouble::MailRefused).then(|| {
        let refusals = [(400, "Throttling"), (500, "InternalFailure")];
        let (status, code) = refusals[world.draw(|dice| dice.usize(..2))];
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>The weather is bad.</Message></Error></ErrorResponse>"
        );
        answered(status, "text/xml", body)
    })
}

/// The bus refuses a call, or takes it and fails with what is in it.
fn bus_refusal(world: &World) -> Option<Response<Bytes>> {
    world.strikes(Trouble::MailRefused).then(|| {
        let failed =
            json!({ "FailedEntryCount": 1, "Entries": [{ "ErrorCode": "InternalFailure" }] });
        let throttled = json!({ "__type": "ThrottlingException" });
        let (status, body) = match world.draw(fastrand::Rng::bool) {
            true => (200, failed),
            false => (400, throttled),
        };
        answered(status, "application/x-amz-json-1.1", body.to_string())
    })
}

fn send_mail(world: &World, process: &Process, form: &[u8], is_lost: bool) -> Response<Bytes> {
    let rows = digest::rows(form, &process.claimed.lock().unwrap());
    for (row, lease_ends) in rows.unwrap_or_else(|wrong| {
        world.is_wrong(wrong);
        BTreeMap::new()
    }) {
        world.tell(format!("SES sends {row}"));
        if let Some(wrong) = world.mails.sent((&row, lease_ends), world.now(), is_lost) {
            world.is_wrong(wrong);
        }
    }
    let body = "<SendEmailResponse><SendEmailResult><MessageId>m-1</MessageId></SendEmailResult>\
                </SendEmailResponse>";
    answered(200, "text/xml", body)
}
