//! Whether SES lets the mailer send, and the event bus lets it publish.

use futures::FutureExt as _;
use serde_json::{Value, json};
use shared::aws::call::Service;
use shared::clock::Clock;

use super::check::{Ask, Check};
use super::patient::{Deployed, Patient};
use super::report::Finding;
use crate::account::aws::{AwsAccount, AwsError};

/// How far back to look for refusals, in seconds: what is refused is tried every six hours at least.
const LOOK_BACK: i64 = 24 * 3600;

/// Somebody that the mailer hands things to, and what its log says of that.
struct Taker {
    title: &'static str,
    name: &'static str,
    what: &'static str,
    /// What is in the line if it was refused for want of a permission.
    refused: &'static str,
    /// What is in the line if it was taken.
    taken: &'static str,
    remedy: &'static str,
}

const SES: Taker = Taker {
    title: "mail permission",
    name: "SES",
    what: "mail",
    refused: "\"fixed: AccessDenied\"",
    taken: "\"message_id\"",
    remedy: "another policy denies ses:SendEmail: the identity's own or the organization's",
};

const BUS: Taker = Taker {
    title: "event permission",
    name: "the event bus",
    what: "event",
    refused: "\"fixed: 400 AccessDenied\"",
    taken: "\"event_id\"",
    remedy: "another policy denies events:PutEvents: the bus's own or the organization's",
};

pub(super) const OF_MAIL: Check = Check {
    title: SES.title,
    ask: Ask::Deployed(|patient, deployed| check(patient, deployed, &SES).boxed()),
};

pub(super) const OF_EVENTS: Check = Check {
    title: BUS.title,
    ask: Ask::Deployed(|patient, deployed| check(patient, deployed, &BUS).boxed()),
};

/// Whether something was lately refused because the mailer may not do it. Its log tells, whichever
/// policy denied it: the role's, the taker's own or the organization's.
async fn check(patient: &Patient, deployed: &Deployed, taker: &Taker) -> Vec<Finding> {
    let Taker {
        title,
        name,
        what,
        remedy,
        ..
    } = taker;
    let log = format!("/till/{}/mailer", deployed.stack);
    let now = Clock::default().now();
    let since = now.saturating_sub(LOOK_BACK);
    vec![match refused(&log, since, taker, &deployed.aws).await {
        Err(error) => Finding::not_checked(title, format!("{log}: {error}")),
        Ok(None) => Finding::ok(
            title,
            format!("{name} has not refused the mailer in the last day"),
        ),
        Ok(Some(at)) => Finding::fail(
            title,
            format!(
                "{} minutes ago {name} refused the mailer, and has taken nothing since: it may not \
                 hand over any {what} (AccessDenied). What is refused is retried for about two weeks",
                now.saturating_sub(at).max(0) / 60
            ),
            format!("{}\nif the role is right, {remedy}", patient.deploy()),
        ),
    }]
}

/// When something was refused last, unless something was taken since.
async fn refused(
    log: &str,
    since: i64,
    taker: &Taker,
    aws: &AwsAccount,
) -> Result<Option<i64>, AwsError> {
    let refused = last(log, taker.refused, since, aws).await?;
    let Some(at) = refused else {
        return Ok(None);
    };
    let taken = last(log, taker.taken, at, aws).await?;
    Ok(refused.filter(|_| taken.is_none()))
}

/// When the last line with a phrase was logged since `since`, in Unix seconds.
async fn last(
    log: &str,
    pattern: &str,
    since: i64,
    aws: &AwsAccount,
) -> Result<Option<i64>, AwsError> {
    let mut last = None;
    let mut next = Value::Null;
    loop {
        let mut question = json!({
            "logGroupName": log, "filterPattern": pattern, "startTime": since.saturating_mul(1000),
        });
        if let (Some(question), true) = (question.as_object_mut(), next.is_string()) {
            question.insert("nextToken".into(), next.take());
        }
        let operation = "Logs_20140328.FilterLogEvents";
        let answer = aws.ask(Service::Logs, operation, &question).await?;
        let events = answer.get("events").and_then(Value::as_array);
        let times = events.into_iter().flatten().filter_map(|event| {
            let milliseconds = event.get("timestamp")?.as_i64()?;
            Some(milliseconds / 1000)
        });
        last = times.chain(last).max();
        next = answer.get("nextToken").cloned().unwrap_or_default();
        if next.is_null() {
            return Ok(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_mailer_that_ses_refuses_is_named_until_a_mail_goes_out_again() {
        // The newest line is on the second page.
        fn lines(input: &str, taken: &[i64]) -> Value {
            let input: Value = serde_json::from_str(input).unwrap();
            assert_eq!(input["logGroupName"], "/till/shop/mailer");
            let refusals = input["filterPattern"]
                .as_str()
                .unwrap()
                .contains("AccessDenied");
            let page = match (refusals, input.get("nextToken").is_some()) {
                (true, false) => {
                    return json!({ "events": [{ "timestamp": 1_000_000 }], "nextToken": "more" });
                }
                (true, true) => vec![2_000_000],
                (false, _) => taken.to_vec(),
            };
            let since = input["startTime"].as_i64().unwrap();
            let events = page.iter().filter(|time| **time >= since);
            let events: Vec<Value> = events.map(|time| json!({ "timestamp": time })).collect();
            json!({ "events": events })
        }
        let log = "/till/shop/mailer";
        let aws = AwsAccount::played_by(|_, input| lines(input, &[1_500_000])).await;
        assert_eq!(refused(log, 0, &SES, &aws).await.unwrap(), Some(2000));
        let aws = AwsAccount::played_by(|_, input| lines(input, &[2_500_000])).await;
        assert_eq!(refused(log, 0, &SES, &aws).await.unwrap(), None);
    }
}
