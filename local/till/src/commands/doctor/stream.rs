//! Whether new outbox rows wake the mailer.

use futures::FutureExt as _;
use serde_json::Value;
use shared::aws::call::Service;

use super::check::{Ask, Check};
use super::patient::{Deployed, Patient};
use super::report::Finding;
use crate::account::aws::text;

const STREAM: &str = "mail stream";

pub(super) const CHECK: Check = Check {
    title: STREAM,
    ask: Ask::Deployed(|patient, deployed| check(patient, deployed).boxed()),
};

async fn check(patient: &Patient, deployed: &Deployed) -> Vec<Finding> {
    let finding = look(patient, deployed).await;
    vec![finding.unwrap_or_else(|error| Finding::not_checked(STREAM, format!("{error:#}")))]
}

async fn look(patient: &Patient, deployed: &Deployed) -> anyhow::Result<Finding> {
    let Some(function) = deployed.function("MailerFunction")? else {
        return Ok(Finding::fail(
            STREAM,
            "the stack has no MailerFunction",
            patient.deploy(),
        ));
    };
    let path = format!("/2015-03-31/event-source-mappings/?FunctionName={function}");
    let answer = deployed.aws.get(Service::Lambda, &path).await?;
    let answer = answer.unwrap_or_default();
    let mappings = answer.get("EventSourceMappings").and_then(Value::as_array);
    let table = patient.tables.get("OutboxTable").map(String::as_str);
    let table = table.unwrap_or_default();
    let of_outbox = format!(":table/{table}/stream/");
    let mapping = mappings
        .into_iter()
        .flatten()
        .find(|mapping| text(mapping, "EventSourceArn").contains(&of_outbox));
    let Some(mapping) = mapping else {
        return Ok(Finding::fail(
            STREAM,
            format!("no stream of {table} wakes {function}: mail waits for the schedule"),
            patient.deploy(),
        ));
    };
    let (state, id) = (text(mapping, "State"), text(mapping, "UUID"));
    Ok(match state {
        "Enabled" => Finding::ok(STREAM, format!("wakes {function}")),
        "Creating" | "Enabling" | "Updating" => Finding::warn(
            STREAM,
            format!("is {}", state.to_lowercase()),
            "ask again in a minute",
        ),
        _ => Finding::fail(
            STREAM,
            format!("is {}: mail waits for the schedule", state.to_lowercase()),
            format!("aws lambda update-event-source-mapping --uuid {id} --enabled"),
        ),
    })
}
