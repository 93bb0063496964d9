//! A stack's alarms, as CloudWatch describes them.

use anyhow::bail;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::aws::call::Service;
use shared::clock::rfc3339;

use super::shop::Stack;
use crate::account::aws::AwsAccount;
use crate::account::web::Web;

/// The most that CloudWatch describes at once.
const AT_ONCE: usize = 100;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Alarm {
    pub(super) name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub(super) state: String,
    /// Why it is in this state.
    pub(super) reason: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<String>,
    /// What it watches over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
}

impl Alarm {
    pub(super) fn has_gone_off(&self) -> bool {
        self.state == "ALARM"
    }
}

/// All of the stack's, those that have gone off first.
pub(super) async fn of(stack: &Stack) -> anyhow::Result<Vec<Alarm>> {
    let names = stack.resources("AWS::CloudWatch::Alarm").await?;
    let names: Vec<_> = names.into_values().collect();
    if names.is_empty() {
        bail!("the stack {} has no alarms", stack.name);
    }
    let web = Web::new(stack.aws.endpoint_url())?;
    let aws = AwsAccount::new(web, stack.aws.clone());
    let mut alarms = Vec::new();
    for names in names.chunks(AT_ONCE) {
        alarms.extend(described(&aws, names).await?);
    }
    if alarms.len() != names.len() {
        let (found, all) = (alarms.len(), names.len());
        bail!("CloudWatch describes {found} of the stack's {all} alarms");
    }
    alarms.sort_by(|one, other| {
        let place = |alarm: &Alarm| (!alarm.has_gone_off(), alarm.name.clone());
        place(one).cmp(&place(other))
    });
    Ok(alarms)
}

async fn described(aws: &AwsAccount, names: &[String]) -> anyhow::Result<Vec<Alarm>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Described {
        #[serde(default)]
        metric_alarms: Vec<MetricAlarm>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct MetricAlarm {
        alarm_name: String,
        #[serde(default)]
        alarm_description: Option<String>,
        state_value: String,
        #[serde(default)]
        state_reason: String,
        #[serde(default)]
        state_updated_timestamp: Value,
    }
    let question = json!({ "AlarmNames": names, "MaxRecords": AT_ONCE });
    let operation = "GraniteServiceVersion20100801.DescribeAlarms";
    let answer = aws.ask(Service::CloudWatch, operation, &question).await?;
    let described = Described::deserialize(&answer)?.metric_alarms.into_iter();
    let alarms = described.map(|it| Alarm {
        name: it.alarm_name,
        state: it.state_value,
        reason: it.state_reason,
        since: moment(&it.state_updated_timestamp),
        description: it.alarm_description,
    });
    Ok(alarms.collect())
}

/// In JSON of version 1.0, a time is a number of seconds.
fn moment(value: &Value) -> Option<String> {
    match value {
        Value::Number(seconds) => {
            let seconds = seconds.as_i64().or_else(|| {
                let seconds = seconds.as_f64()?;
                // A time in seconds is far below what an f64 holds exactly.
                #[allow(clippy::cast_possible_truncation)]
                Some(seconds as i64)
            })?;
            Some(rfc3339(seconds))
        }
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarms_name_state_reason_and_time_are_read_as_cloudwatch_writes_them() {
        let aws = AwsAccount::played_by(|asked, body| {
            assert_eq!(asked, "GraniteServiceVersion20100801.DescribeAlarms");
            let asked: Value = serde_json::from_str(body).unwrap();
            assert_eq!(asked["AlarmNames"], json!(["till-WebhookFails"]));
            let alarm = json!({
                "AlarmName": "till-WebhookFails", "StateValue": "ALARM",
                "StateReason": "Threshold Crossed", "StateUpdatedTimestamp": 1_795_860_000.25,
            });
            json!({ "MetricAlarms": [alarm], "CompositeAlarms": [] })
        });
        let alarms = described(&aws.await, &["till-WebhookFails".to_owned()]).await;
        let expected = Alarm {
            name: "till-WebhookFails".to_owned(),
            state: "ALARM".to_owned(),
            reason: "Threshold Crossed".to_owned(),
            since: Some("2026-11-28T10:00:00Z".to_owned()),
            description: None,
        };
        assert_eq!(alarms.unwrap(), [expected]);
    }
}
