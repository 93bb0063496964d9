//! EventBridge's schedules: calls functions at the template's rates.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use template::Schedule;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::functions::Deployment;
use crate::loopback::Shutdown;

/// Calls the function at its rate, until shut down. A failed call is not repeated, because the next
/// one comes soon.
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

/// Does `work` once in every `period`, until shut down.
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::functions::Functions;
    use template::{Parameters, Template};

    const MAILER: &str = "
Resources:
  MailerFunction:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Retry: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}
";

    #[tokio::test]
    async fn a_function_is_called_again_and_again_even_when_a_call_fails() {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let functions = Functions::default().event("MailerFunction", move |event| {
            seen.lock().unwrap().push(event);
            async { anyhow::bail!("SES is away") }
        });
        let mut template = Template::parse("template.yaml", MAILER, &Parameters::new()).unwrap();
        let deployment = Arc::new(Deployment::new(functions, &mut template).unwrap());
        let (ask, shutdown) = Shutdown::channel();
        let mut schedule = template.schedules.remove(0);
        assert_eq!(schedule.every, Duration::from_secs(60));
        schedule.every = Duration::from_millis(10);
        let kept = tokio::spawn(keep(schedule, deployment, shutdown));
        while events.lock().unwrap().len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        ask.send_replace(true);
        kept.await.unwrap();
        let events = events.lock().unwrap();
        assert_eq!(events[0]["source"], "aws.events");
        assert_eq!(events[0]["detail-type"], "Scheduled Event");
        assert_ne!(events[0]["id"], events[1]["id"]);
    }
}
