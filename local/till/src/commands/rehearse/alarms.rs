//! No alarm of the stack has gone off.

use anyhow::bail;
use futures::FutureExt as _;
use serde::Deserialize;
use serde_json::json;
use shared::aws::call::Service;

use super::stage::Stage;
use super::step::{Outcome, Step};
use crate::account::aws::AwsAccount;

pub(super) const STEP: Step = Step {
    name: "alarms",
    take: |stage| take(stage).boxed_local(),
};

/// The most that CloudWatch describes at once.
const AT_ONCE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    #[serde(default)]
    metric_alarms: Vec<Alarm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alarm {
    alarm_name: String,
    state_value: String,
    #[serde(default)]
    state_reason: String,
}

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let Some(stack) = &stage.shop.stack else {
        let why = "a shop on this machine has no alarms";
        return Ok(Outcome::LeftOut(why.to_owned()));
    };
    let names = stack.resources("AWS::CloudWatch::Alarm").await?;
    let names: Vec<_> = names.into_values().collect();
    if names.is_empty() {
        bail!("the stack {} has no alarms", stack.name);
    }
    let aws = AwsAccount::new(stage.web.clone(), stack.aws.clone());
    let mut alarms = Vec::new();
    for names in names.chunks(AT_ONCE) {
        alarms.extend(described(&aws, names).await?);
    }
    if alarms.len() != names.len() {
        let (found, all) = (alarms.len(), names.len());
        bail!("CloudWatch describes {found} of the stack's {all} alarms");
    }
    if let Some(off) = alarms.iter().find(|it| it.state_value == "ALARM") {
        bail!("{} has gone off: {}", off.alarm_name, off.state_reason);
    }
    let says = format!(
        "none of {} has gone off so far; most look at five minutes at a time, so look again in ten",
        alarms.len()
    );
    Ok(Outcome::Held(says, Vec::new()))
}

async fn described(aws: &AwsAccount, names: &[String]) -> anyhow::Result<Vec<Alarm>> {
    let question = json!({ "AlarmNames": names, "MaxRecords": AT_ONCE });
    let operation = "GraniteServiceVersion20100801.DescribeAlarms";
    let answer = aws.ask(Service::CloudWatch, operation, &question).await?;
    Ok(Described::deserialize(&answer)?.metric_alarms)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn an_alarms_name_state_and_reason_are_read_as_cloudwatch_writes_them() {
        let aws = AwsAccount::played_by(|asked, body| {
            assert_eq!(asked, "GraniteServiceVersion20100801.DescribeAlarms");
            let asked: Value = serde_json::from_str(body).unwrap();
            assert_eq!(asked["AlarmNames"], json!(["till-WebhookFails"]));
            let alarm = json!({
                "AlarmName": "till-WebhookFails", "StateValue": "ALARM",
                "StateReason": "Threshold Crossed",
            });
            json!({ "MetricAlarms": [alarm], "CompositeAlarms": [] })
        });
        let alarms = described(&aws.await, &["till-WebhookFails".to_owned()]).await;
        let alarms = alarms.unwrap();
        assert_eq!(alarms.len(), 1);
        assert_eq!(alarms[0].state_value, "ALARM");
        assert_eq!(alarms[0].state_reason, "Threshold Crossed");
    }
}
