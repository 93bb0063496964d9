//! The webhook's function URL: open to Stripe by both permissions that Lambda wants.

use serde_json::Value;
use shared::aws::call::Service;

use super::Patient;
use super::report::Finding;
use crate::account::aws::AwsAccount;

const URL: &str = "function URL";
const STREAM: &str = "mail stream";

/// A statement of the function's resource policy that has to be there.
struct Permission {
    action: &'static str,
    operator: &'static str,
    key: &'static str,
    value: &'static str,
    /// What `aws lambda add-permission` calls the condition.
    option: &'static str,
}

/// Function URLs made before October 2025 do with the first; those made since need both.
const PERMISSIONS: [Permission; 2] = [
    Permission {
        action: "lambda:InvokeFunctionUrl",
        operator: "StringEquals",
        key: "lambda:FunctionUrlAuthType",
        value: "NONE",
        option: "--function-url-auth-type NONE",
    },
    Permission {
        action: "lambda:InvokeFunction",
        operator: "Bool",
        key: "lambda:InvokedViaFunctionUrl",
        value: "true",
        option: "--invoked-via-function-url",
    },
];

/// Compares the function's URL and its policy with what a public webhook needs.
pub(super) async fn check(patient: &Patient, aws: &AwsAccount) -> Vec<Finding> {
    vec![
        look(patient, aws)
            .await
            .unwrap_or_else(|error| Finding::not_checked(URL, format!("{error:#}"))),
    ]
}

async fn look(patient: &Patient, aws: &AwsAccount) -> anyhow::Result<Finding> {
    let Some(function) = patient.functions.get("WebhookFunction") else {
        return Ok(Finding::fail(
            URL,
            "the stack has no WebhookFunction",
            patient.deploy(),
        ));
    };
    let path = format!("/2021-10-31/functions/{function}/urls");
    let urls = aws.get(Service::Lambda, &path).await?.unwrap_or_default();
    let configs = urls.get("FunctionUrlConfigs").and_then(Value::as_array);
    let field = |config: &Value, name: &str| {
        config
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let config = configs.into_iter().flatten().find(|config| {
        field(config, "FunctionUrl").trim_end_matches('/')
            == patient.webhook_url.trim_end_matches('/')
    });
    let Some(config) = config else {
        return Ok(Finding::fail(
            URL,
            format!("{function} has no URL {}", patient.webhook_url),
            patient.deploy(),
        ));
    };
    if field(config, "AuthType") != "NONE" {
        return Ok(Finding::fail(
            URL,
            "it asks callers for AWS credentials (AuthType AWS_IAM), which Stripe has none of",
            patient.deploy(),
        ));
    }
    // The URL of a function or of one of its aliases; permissions belong to the same.
    let arn = field(config, "FunctionArn");
    let alias = arn
        .split(":function:")
        .nth(1)
        .and_then(|rest| rest.split_once(':'));
    let alias = alias.map(|(_, alias)| alias);
    let qualifier = alias
        .map(|alias| format!("?Qualifier={alias}"))
        .unwrap_or_default();
    let path = format!("/2015-03-31/functions/{function}/policy{qualifier}");
    let policy = aws.get(Service::Lambda, &path).await?.unwrap_or_default();
    let policy: Value = serde_json::from_str(&field(&policy, "Policy")).unwrap_or_default();
    let missing: Vec<&Permission> = PERMISSIONS
        .iter()
        .filter(|permission| !permission.is_granted_by(&policy))
        .collect();
    if missing.is_empty() {
        return Ok(Finding::ok(URL, "open to Stripe by both permissions"));
    }
    let names: Vec<&str> = missing.iter().map(|permission| permission.action).collect();
    let alias = alias
        .map(|alias| format!(" --qualifier {alias}"))
        .unwrap_or_default();
    let commands = missing.iter().map(|permission| {
        let (action, option) = (permission.action, permission.option);
        let id = action.replace(':', "-");
        format!(
            "aws lambda add-permission --function-name {function}{alias} --statement-id {id} \
             --action {action} --principal '*' {option}"
        )
    });
    let commands: Vec<String> = commands.collect();
    Ok(Finding::fail(
        URL,
        format!(
            "nobody may call it: its policy lacks {}",
            names.join(" and ")
        ),
        commands.join("\n"),
    ))
}

impl Permission {
    fn is_granted_by(&self, policy: &Value) -> bool {
        let statements = policy.get("Statement").and_then(Value::as_array);
        statements.into_iter().flatten().any(|statement| {
            let text = |name: &str| statement.get(name).and_then(Value::as_str);
            let principal = statement.get("Principal");
            let anybody = principal.and_then(Value::as_str) == Some("*")
                || principal.and_then(|p| p.get("AWS")).and_then(Value::as_str) == Some("*");
            let conditions = statement.get("Condition").and_then(Value::as_object);
            // Without any condition it grants more than it must. One more condition grants less.
            let only_ours = conditions.is_none_or(|conditions| {
                conditions.iter().all(|(operator, keys)| {
                    let keys = keys.as_object();
                    operator == self.operator
                        && keys.is_some_and(|keys| {
                            keys.iter().all(|(key, value)| {
                                key.eq_ignore_ascii_case(self.key)
                                    && value
                                        .as_str()
                                        .is_some_and(|v| v.eq_ignore_ascii_case(self.value))
                            })
                        })
                })
            });
            text("Effect") == Some("Allow")
                && text("Action") == Some(self.action)
                && anybody
                && only_ours
        })
    }
}

/// Whether new outbox rows wake the mailer.
pub(super) async fn mapping(patient: &Patient, aws: &AwsAccount) -> Vec<Finding> {
    let look = async {
        let Some(function) = patient.functions.get("MailerFunction") else {
            return Ok(Finding::fail(
                STREAM,
                "the stack has no MailerFunction",
                patient.deploy(),
            ));
        };
        let path = format!("/2015-03-31/event-source-mappings/?FunctionName={function}");
        let answer = aws.get(Service::Lambda, &path).await?.unwrap_or_default();
        let mappings = answer.get("EventSourceMappings").and_then(Value::as_array);
        let text = |mapping: &Value, name: &str| {
            mapping
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let table = patient
            .tables
            .get("OutboxTable")
            .cloned()
            .unwrap_or_default();
        let mapping = mappings.into_iter().flatten().find(|mapping| {
            text(mapping, "EventSourceArn").contains(&format!(":table/{table}/stream/"))
        });
        anyhow::Ok(match mapping {
            None => Finding::fail(
                STREAM,
                format!("no stream of {table} wakes {function}: mail waits for the schedule"),
                patient.deploy(),
            ),
            Some(mapping) => {
                let (state, id) = (text(mapping, "State"), text(mapping, "UUID"));
                match state.as_str() {
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
                }
            }
        })
    };
    vec![
        look.await
            .unwrap_or_else(|error| Finding::not_checked(STREAM, format!("{error:#}"))),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn statement(action: &str, condition: Value) -> Value {
        json!({ "Effect": "Allow", "Principal": "*", "Action": action, "Condition": condition })
    }

    fn granted(statements: &[Value]) -> [bool; 2] {
        let policy = json!({ "Statement": statements });
        [0, 1].map(|index| PERMISSIONS[index].is_granted_by(&policy))
    }

    #[test]
    fn both_permissions_are_needed_and_told_apart() {
        let url = statement(
            "lambda:InvokeFunctionUrl",
            json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" } }),
        );
        let invoke = statement(
            "lambda:InvokeFunction",
            json!({ "Bool": { "lambda:InvokedViaFunctionUrl": "true" } }),
        );
        assert_eq!(granted(&[]), [false, false]);
        assert_eq!(granted(std::slice::from_ref(&url)), [true, false]);
        assert_eq!(granted(&[url, invoke]), [true, true]);
    }

    #[test]
    fn a_permission_for_somebody_else_does_not_count() {
        let gateway = json!({
            "Effect": "Allow", "Principal": { "Service": "apigateway.amazonaws.com" },
            "Action": "lambda:InvokeFunction",
        });
        let organisation = statement(
            "lambda:InvokeFunctionUrl",
            json!({ "StringEquals": {
                "lambda:FunctionUrlAuthType": "NONE", "aws:PrincipalOrgID": "o-1",
            } }),
        );
        assert_eq!(granted(&[gateway, organisation]), [false, false]);
    }
}
