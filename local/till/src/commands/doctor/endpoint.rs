//! The webhook endpoint at Stripe: where it delivers, what, and signed with which secret.

use std::collections::BTreeSet;

use futures::FutureExt as _;
use laptop::environment::STAND_IN_WEBHOOK_SECRET;
use shared::stripe::client::api_version;
use shared::stripe::event::handled;

use super::check::{Ask, Check};
use super::patient::Patient;
use super::report::Finding;
use super::stored::Stored;
use crate::account::stripe::{Endpoint, Refusal};

const ENDPOINT: &str = "webhook endpoint";
const EVENTS_CHECK: &str = "webhook events";
const VERSION: &str = "API version";
const SECRET: &str = "webhook secret";

pub(super) const CHECK: Check = Check {
    title: ENDPOINT,
    ask: Ask::Everywhere(|patient| check(patient).boxed()),
};

async fn check(patient: &Patient) -> Vec<Finding> {
    let Some(account) = patient.account() else {
        return vec![Finding::not_checked(
            ENDPOINT,
            "there is no usable Stripe key",
        )];
    };
    match account.endpoints().await {
        Ok(all) => judge(patient, &all),
        Err(error @ Refusal::Forbidden(_)) => vec![Finding::not_checked(
            ENDPOINT,
            format!("{error}; set STRIPE_SECRET_KEY to a key that has it"),
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
            format!("{} each deliver every event", ids.join(" and ")),
            format!(
                "fine while you rotate the secret or change the API version; afterwards {}",
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
        let then = "then `till reconcile` fetches what was missed";
        let remedy = match patient.deployed {
            Some(_) => patient.setup(&format!("enables it; {then}")),
            None => format!("enable it at Stripe (disabled=false); {then}"),
        };
        return Finding::fail(
            ENDPOINT,
            format!("{} is disabled: the shop hears of no payment", disabled.id),
            remedy,
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
        format!("Stripe has no endpoint for {}", patient.webhook_url),
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
            format!("{id} sends {idle}, which nothing here handles"),
            patient.setup("unsubscribes from them"),
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
            format!("{id} is not pinned: events change shape with the account's default version"),
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
                format!("{place} does not exist: every delivery is refused"),
                patient.setup("makes an endpoint and stores its secret"),
            );
        }
        Stored::Value { .. } => patient.webhook_secrets.list(),
    };
    match endpoint.signs_with_one_of(&stored) {
        Some(true) => Finding::ok(SECRET, format!("the secret of {id} is stored")),
        Some(false) => Finding::fail(
            SECRET,
            format!(
                "the secret of {id} is not among the {} stored",
                stored.len()
            ),
            patient.setup("makes an endpoint whose secret is stored, and removes this one"),
        ),
        None if patient.deployed.is_none()
            && stored.iter().any(|s| s == STAND_IN_WEBHOOK_SECRET) =>
        {
            Finding::ok(SECRET, "the stand-in's own is stored")
        }
        None => Finding::not_checked(
            SECRET,
            format!(
                "Stripe shows a secret only when it creates an endpoint, and {id} was not created by \
                 till; {}",
                patient.setup_with("--rotate", "makes one whose secret is stored for certain")
            ),
        ),
    }
}
