//! The webhook endpoint at Stripe, and whether the function believes what is signed with the
//! stored secrets.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Request, StatusCode};
use laptop::environment::STAND_IN_WEBHOOK_SECRET;
use serde_json::{Value, json};
use shared::mode::Mode;
use shared::stripe::client::api_version;
use shared::stripe::event::handled;
use shared::stripe::signature::{WebhookSecret, sign};
use time::OffsetDateTime;

use super::report::Finding;
use super::{Patient, Stored};
use crate::account::stripe::{Endpoint, Refusal};

const ENDPOINT: &str = "webhook endpoint";
const EVENTS_CHECK: &str = "webhook events";
const VERSION: &str = "API version";
const SECRET: &str = "webhook secret";
const DELIVERY: &str = "test delivery";

/// Looks the endpoint up at Stripe.
pub(super) async fn check(patient: &Patient) -> Vec<Finding> {
    let Some(account) = patient.account() else {
        return vec![Finding::not_checked(ENDPOINT, "there is no usable key")];
    };
    match account.endpoints().await {
        Ok(all) => judge(patient, &all),
        Err(error @ Refusal::Forbidden(_)) => vec![Finding::not_checked(
            ENDPOINT,
            format!("{error}; a key that may can be given in STRIPE_SECRET_KEY"),
        )],
        Err(error) => vec![Finding::not_checked(ENDPOINT, error.to_string())],
    }
}

fn judge(patient: &Patient, all: &[Endpoint]) -> Vec<Finding> {
    let here: Vec<&Endpoint> = all
        .iter()
        .filter(|endpoint| endpoint.delivers_to(&patient.webhook_url))
        .collect();
    let enabled: Vec<&Endpoint> = here
        .iter()
        .copied()
        .filter(|endpoint| endpoint.is_enabled())
        .collect();
    let Some(newest) = enabled.first() else {
        return vec![absent(patient, all, &here)];
    };
    let mut findings = vec![if enabled.len() > 1 {
        let ids: Vec<&str> = enabled
            .iter()
            .map(|endpoint| endpoint.id.as_str())
            .collect();
        Finding::warn(
            ENDPOINT,
            format!("{} deliver every event, each once", ids.join(" and ")),
            format!(
                "fine while a secret or the API version is changed; afterwards {}",
                patient.setup_with("--retire", "removes the older")
            ),
        )
    } else {
        Finding::ok(
            ENDPOINT,
            format!("{} delivers to {}", newest.id, newest.url),
        )
    }];
    // While one is being replaced it is the newest that must be right.
    findings.push(events(patient, newest));
    findings.push(version(patient, newest));
    findings.extend(enabled.iter().map(|endpoint| secret(patient, endpoint)));
    findings
}

fn absent(patient: &Patient, all: &[Endpoint], here: &[&Endpoint]) -> Finding {
    if let Some(disabled) = here.first() {
        return Finding::fail(
            ENDPOINT,
            format!("{} is disabled: the shop hears of no payment", disabled.id),
            patient.setup("enables it; what was missed meanwhile, `till reconcile` fetches"),
        );
    }
    if let Some(elsewhere) = all.iter().find(|endpoint| endpoint.serves(&patient.tag)) {
        return Finding::fail(
            ENDPOINT,
            format!(
                "{} was made for this stack, but delivers to {} and not to {}",
                elsewhere.id, elsewhere.url, patient.webhook_url
            ),
            patient.setup("corrects the address"),
        );
    }
    Finding::fail(
        ENDPOINT,
        format!("Stripe has none for {}", patient.webhook_url),
        patient.setup("creates it"),
    )
}

fn events(patient: &Patient, endpoint: &Endpoint) -> Finding {
    let id = &endpoint.id;
    if endpoint.enabled_events.iter().any(|event| event == "*") {
        return Finding::warn(
            EVENTS_CHECK,
            format!("{id} sends every type of event there is, and each one costs an invocation"),
            patient.setup("leaves only what is handled"),
        );
    }
    let wanted: BTreeSet<&str> = handled().collect();
    let sent: BTreeSet<&str> = endpoint.enabled_events.iter().map(String::as_str).collect();
    let missing = listed(wanted.difference(&sent));
    let idle = listed(sent.difference(&wanted));
    if !missing.is_empty() {
        return Finding::fail(
            EVENTS_CHECK,
            format!("{id} does not send {missing}"),
            patient.setup("subscribes to them"),
        );
    }
    if !idle.is_empty() {
        return Finding::warn(
            EVENTS_CHECK,
            format!("{id} sends {idle}, which nobody here handles"),
            patient.setup("takes them off"),
        );
    }
    Finding::ok(
        EVENTS_CHECK,
        format!("{id} sends the {} types that are handled", wanted.len()),
    )
}

fn listed<'e>(events: impl Iterator<Item = &'e &'e str>) -> String {
    events.copied().collect::<Vec<_>>().join(", ")
}

fn version(patient: &Patient, endpoint: &Endpoint) -> Finding {
    let (id, ours) = (&endpoint.id, api_version());
    match endpoint.api_version.as_deref() {
        Some(pinned) if pinned == ours => Finding::ok(VERSION, format!("{id} is pinned to {ours}")),
        Some(other) => Finding::warn(
            VERSION,
            format!("{id} is pinned to {other}, and the code is written for {ours}"),
            patient.setup("makes a second endpoint at the right version"),
        ),
        None => Finding::fail(
            VERSION,
            format!(
                "{id} is not pinned: events change their shape with the account's default version"
            ),
            patient.setup(&format!("makes a second endpoint, at {ours}")),
        ),
    }
}

fn secret(patient: &Patient, endpoint: &Endpoint) -> Finding {
    let id = &endpoint.id;
    let stored = match &patient.webhook_secrets {
        Stored::Unknown(why) => return Finding::not_checked(SECRET, why),
        Stored::Missing(place) => {
            return Finding::fail(
                SECRET,
                format!("{place} is not there: every delivery is refused"),
                patient.setup("makes an endpoint and stores its secret"),
            );
        }
        Stored::Value { .. } => patient.webhook_secrets.list(),
    };
    match endpoint.signs_with_one_of(&stored) {
        Some(true) => Finding::ok(SECRET, format!("that of {id} is stored")),
        Some(false) => Finding::fail(
            SECRET,
            format!("that of {id} is not among the {} stored", stored.len()),
            patient.setup("makes an endpoint whose secret is stored, and removes this one"),
        ),
        None if patient.stack.is_none() && stored.iter().any(|s| s == STAND_IN_WEBHOOK_SECRET) => {
            Finding::ok(SECRET, "the stand-in's is known")
        }
        None => Finding::not_checked(
            SECRET,
            format!(
                "Stripe shows a secret only when an endpoint is created, and {id} was not created \
                 by till; {}",
                patient.setup_with("--rotate", "makes one whose secret is known to be stored")
            ),
        ),
    }
}

/// Delivers an event that means nothing, signed with each stored secret.
pub(super) async fn deliver(patient: &Patient) -> Vec<Finding> {
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
                format!("{which} is empty, and with an empty secret the function does not start"),
                patient.setup_with("--rotate", "makes and stores a new one"),
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
            Finding::ok(DELIVERY, format!("signed with {which}: believed"))
        }
        StatusCode::BAD_REQUEST => Finding::fail(
            DELIVERY,
            format!("signed with {which}: not believed; the function knows other secrets"),
            "it reads them anew within a minute of a delivery that it does not believe: run this again; \
             if it stays so, the function reads another parameter or may not read this one",
        ),
        StatusCode::FORBIDDEN => Finding::fail(
            DELIVERY,
            "AWS lets nobody call the function's URL",
            "see function URL",
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
            "the address leads somewhere else: compare it with the stack's output WebhookUrl",
        ),
    }
}
