//! What the functions call, and what becomes of their calls on the way there and back.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use shared::network::CallError;

use crate::invocation::Process;
use crate::weather::Trouble;
use crate::world::World;

/// Where DynamoDB and SES are.
pub(crate) const AWS: &str = "http://aws.storm";

/// For how long a mailer has a mail for itself.
const LEASE: u64 = 120;

enum Service {
    Tables { operation: String },
    Mail,
    Stripe,
}

impl Service {
    fn of(request: &Request<Bytes>) -> Self {
        if request.uri().host() == Some("stripe.storm") {
            return Self::Stripe;
        }
        let target = request.headers().get("x-amz-target");
        match target.and_then(|target| target.to_str().ok()?.split_once('.')) {
            Some((_, operation)) => Self::Tables {
                operation: operation.to_owned(),
            },
            None => Self::Mail,
        }
    }
}

/// What becomes of a call.
pub(crate) async fn answer(
    world: &World,
    process: &Process,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, CallError> {
    process.lives_on().await;
    travel(world).await;
    if world.strikes(Trouble::Unreachable) {
        return Err(CallError::Unreachable("there is no way".to_owned()));
    }
    let service = Service::of(&request);
    let refused = match &service {
        Service::Tables { operation } => table_refusal(world, operation, &request),
        Service::Mail => mail_refusal(world),
        Service::Stripe => stripe_refusal(world, &request),
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
            (send_mail(world, process, is_lost), is_lost)
        }
        Service::Stripe => {
            let answer = ask_stripe(world, request).await;
            (answer, world.strikes(Trouble::StripeLosesAnswers))
        }
    };
    process.lives_on().await;
    if is_lost {
        match world.draw(fastrand::Rng::bool) {
            true => return Err(CallError::Broken("the connection broke".to_owned())),
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
    let is_write = ["Put", "Update", "Delete", "TransactWrite"]
        .iter()
        .any(|write| operation.starts_with(write));
    if !is_write || !world.strikes(Trouble::TablesConflict) {
        return None;
    }
    if operation != "TransactWriteItems" {
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
    if status.is_success() && operation == "UpdateItem" {
        world.mails.updated(process, &body);
    }
    answered(status.as_u16(), "application/x-amz-json-1.0", answer)
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
    let key = idempotency_key(&request);
    let answer = world.stripe.answer(request).await;
    if changes {
        world.happened.notify_one();
        if world.strikes(Trouble::StripeFails) {
            world.failed_keys.lock().unwrap().extend(key);
            return answered(500, "application/json", "{}");
        }
    }
    answer
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

fn send_mail(world: &World, process: &Process, is_lost: bool) -> Response<Bytes> {
    let row = process.claimed.lock().unwrap().clone();
    let row = row.unwrap_or_else(|| "a mail that nobody claimed".to_owned());
    world.tell(format!("SES sends {row}"));
    if let Some(wrong) = world.mails.sent(&row, world.age(), is_lost) {
        world.is_wrong(wrong);
    }
    let body = "<SendEmailResponse><SendEmailResult><MessageId>m-1</MessageId></SendEmailResult>\
                </SendEmailResponse>";
    answered(200, "text/xml", body)
}

/// What was sent, by the outbox's rows.
#[derive(Default)]
pub(crate) struct Mails(Mutex<BTreeMap<String, Sent>>);

/// How often a mail was sent, and whether it could have been known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) times: u32,
    last_at: u64,
    /// The mailer was not told that SES has it.
    answer_lost: bool,
    /// Its row says that it was sent.
    is_marked: bool,
}

impl Mails {
    /// Notes that SES has taken a mail; says what is wrong with that.
    fn sent(&self, row: &str, at: u64, answer_lost: bool) -> Option<String> {
        let mut mails = self.0.lock().unwrap();
        let mail = mails.entry(row.to_owned()).or_default();
        let is_excused = mail.answer_lost || at >= mail.last_at + LEASE;
        let wrong = match mail.times {
            0 => None,
            _ if mail.is_marked => Some("was sent again after its row said so"),
            _ if !is_excused => Some("was sent by two mailers at once"),
            _ => None,
        };
        mail.times += 1;
        (mail.last_at, mail.answer_lost) = (at, answer_lost);
        wrong.map(|wrong| format!("{row} {wrong}"))
    }

    /// Notes what a mailer has written to the outbox.
    fn updated(&self, process: &Process, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let expression = body["UpdateExpression"].as_str().unwrap_or_default();
        let Some(row) = body["Key"]["id"]["S"].as_str() else {
            return;
        };
        if expression.contains("ADD attempts") {
            *process.claimed.lock().unwrap() = Some(row.to_owned());
        }
        if body["ExpressionAttributeValues"][":state"]["S"] == "sent" {
            let mut mails = self.0.lock().unwrap();
            mails.entry(row.to_owned()).or_default().is_marked = true;
        }
    }

    pub(crate) fn all(&self) -> BTreeMap<String, Sent> {
        self.0.lock().unwrap().clone()
    }
}
