//! The clock's side of EventBridge: calls functions at the rates the template sets.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::functions::Deployment;
use crate::loopback::Shutdown;
use crate::template::Schedule;

/// Calls the function every so often, until shut down. A call that fails is not repeated: the next
/// one is soon.
pub(crate) async fn keep(schedule: Schedule, deployment: Arc<Deployment>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(schedule.every) => {}
            () = shutdown.requested() => return,
        }
        call(&schedule, &deployment).await;
    }
}

async fn call(schedule: &Schedule, deployment: &Deployment) {
    let event = schedule
        .input
        .clone()
        .unwrap_or_else(|| scheduled_event(schedule));
    match deployment.handle(&schedule.function, event).await {
        Ok(_) => tracing::debug!(
            function = schedule.function,
            "{} ran on schedule",
            schedule.name
        ),
        Err(failure) => tracing::error!(schedule = schedule.name, "{failure}"),
    }
}

/// What EventBridge sends.
fn scheduled_event(schedule: &Schedule) -> Value {
    let now = OffsetDateTime::now_utc()
        .replace_nanosecond(0)
        .unwrap_or_else(|_| OffsetDateTime::now_utc());
    let Schedule { function, name, .. } = schedule;
    json!({
        "version": "0",
        "id": Uuid::now_v7(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": now.format(&Rfc3339).unwrap_or_default(),
        "region": "us-east-1",
        "resources": [format!("arn:aws:events:us-east-1:000000000000:rule/till-{function}{name}")],
        "detail": {},
    })
}

/// Does `work` every so often, until shut down.
pub(crate) async fn every<F: Future<Output = ()>>(
    interval: Duration,
    shutdown: Shutdown,
    work: impl Fn() -> F,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(interval) => work().await,
            () = shutdown.requested() => return,
        }
    }
}
