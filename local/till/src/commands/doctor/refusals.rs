//! Whether SES lets the mailer send.

use futures::FutureExt as _;
use serde_json::{Value, json};
use shared::aws::call::Service;
use shared::clock::Clock;

use super::check::{Ask, Check};
use super::patient::{Deployed, Patient};
use super::report::Finding;
use crate::account::aws::{AwsAccount, AwsError};

const PERMISSION: &str = "mail permission";

/// How far back to look for refusals, in seconds: a mail is tried every six hours at least.
const LOOK_BACK: i64 = 24 * 3600;

pub(super) const CHECK: Check = Check {
    title: PERMISSION,
    ask: Ask::Deployed(|patient, deployed| {
        check(patient, deployed)
            .map(|finding| vec![finding])
            .boxed()
    }),
};

/// Whether SES lately refused a mail because the mailer may not send it. Its log tells, whichever
/// policy denied it: the role's, the identity's or the organization's.
async fn check(patient: &Patient, deployed: &Deployed) -> Finding {
    let log = format!("/till/{}/mailer", deployed.stack);
    let now = Clock::default().now();
    let refused = refused(&log, now.saturating_sub(LOOK_BACK), &deployed.aws).await;
    match refused {
        Err(error) => Finding::not_checked(PERMISSION, format!("{log}: {error}")),
        Ok(None) => Finding::ok(PERMISSION, "SES has not refused the mailer in the last day"),
        Ok(Some(at)) => Finding::fail(
            PERMISSION,
            format!(
                "{} minutes ago SES refused a mail, and has accepted none since: the mailer may not \
                 send (AccessDenied). Mail is retried for about two weeks",
                now.saturating_sub(at).max(0) / 60
            ),
            format!(
                "{}\nif the role is right, another policy denies ses:SendEmail: the identity's own or \
                 the organization's",
                patient.deploy()
            ),
        ),
    }
}

/// When a mail was refused last, unless one was taken since.
async fn refused(log: &str, since: i64, aws: &AwsAccount) -> Result<Option<i64>, AwsError> {
    let refused = last(log, "\"AccessDenied\"", since, aws).await?;
    let Some(at) = refused else {
        return Ok(None);
    };
    let taken = last(log, "\"message_id\"", at, aws).await?;
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
        assert_eq!(refused(log, 0, &aws).await.unwrap(), Some(2000));
        let aws = AwsAccount::played_by(|_, input| lines(input, &[2_500_000])).await;
        assert_eq!(refused(log, 0, &aws).await.unwrap(), None);
    }
}
