//! Whether the webhook function accepts what is signed with the stored secrets. Each signs an event
//! that means nothing.

use bytes::Bytes;
use futures::FutureExt as _;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use shared::mode::Mode;
use shared::stripe::client::api_version;
use shared::stripe::signature::{WebhookSecret, sign};
use time::OffsetDateTime;

use super::check::{Ask, Check};
use super::patient::Patient;
use super::report::Finding;
use super::stored::Stored;

const DELIVERY: &str = "test delivery";

pub(super) const CHECK: Check = Check {
    title: DELIVERY,
    ask: Ask::Everywhere(|patient| check(patient).boxed()),
};

async fn check(patient: &Patient) -> Vec<Finding> {
    let secrets = match &patient.webhook_secrets {
        Stored::Unknown(why) => return vec![Finding::not_checked(DELIVERY, why)],
        Stored::Missing(_) => {
            return vec![Finding::not_checked(
                DELIVERY,
                "there is no secret to sign with",
            )];
        }
        Stored::Value { .. } => patient.webhook_secrets.list(),
    };
    let mut findings = Vec::new();
    for (index, text) in secrets.iter().enumerate() {
        let number = index.saturating_add(1);
        let which = match secrets.len() {
            1 => "the stored secret".to_owned(),
            all => format!("stored secret {number} of {all}"),
        };
        findings.push(match WebhookSecret::new(text) {
            Ok(secret) => deliver_once(patient, &secret, &which).await,
            Err(_) => Finding::fail(
                DELIVERY,
                format!("{which} is empty, and the function does not start with an empty secret"),
                patient.setup_with("--rotate", "creates and stores a new one"),
            ),
        });
    }
    findings
}

async fn deliver_once(patient: &Patient, secret: &WebhookSecret, which: &str) -> Finding {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let event = json!({
        "id": format!("evt_till_doctor_{now}"),
        "object": "event",
        "api_version": api_version(),
        "created": now,
        "data": { "object": {} },
        "livemode": patient.mode == Mode::Live,
        // No event of Stripe's has this type, so nothing is recorded.
        "type": "till.doctor",
    });
    let body = event.to_string();
    let request = Request::post(&patient.webhook_url)
        .header("content-type", "application/json")
        .header("stripe-signature", sign(body.as_bytes(), secret, now))
        .body(Bytes::from(body));
    let answer = match request {
        Ok(request) => patient.web.send(request).await,
        Err(error) => return Finding::not_checked(DELIVERY, error.to_string()),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            return Finding::fail(
                DELIVERY,
                format!("{} cannot be reached: {error}", patient.webhook_url),
                patient.revive(),
            );
        }
    };
    let said: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    match answer.status() {
        StatusCode::OK if said.get("result").and_then(Value::as_str) == Some("unhandled") => {
            Finding::ok(DELIVERY, format!("signed with {which}: accepted"))
        }
        StatusCode::BAD_REQUEST => Finding::fail(
            DELIVERY,
            format!("signed with {which}: not accepted; the function has other secrets"),
            "run this again in a minute: after refusing a delivery, the function reads its secrets \
             again; if that changes nothing, it reads another parameter, or may not read this one",
        ),
        StatusCode::FORBIDDEN => Finding::fail(
            DELIVERY,
            "AWS lets nobody call the function's URL",
            "the check \"function URL\" says why",
        ),
        StatusCode::TOO_MANY_REQUESTS => Finding::warn(
            DELIVERY,
            "the function is throttled",
            "its reserved concurrency, or the account's, is used up",
        ),
        status if status.is_server_error() => Finding::fail(
            DELIVERY,
            format!("the function fails with {status}"),
            patient.logs("webhook"),
        ),
        status => Finding::fail(
            DELIVERY,
            format!(
                "{} answers {status}, which the webhook function never does",
                patient.webhook_url
            ),
            "this URL leads somewhere else: compare it with the stack's output WebhookUrl",
        ),
    }
}
