//! The webhook's function URL: open to Stripe by both permissions that Lambda wants.

use futures::FutureExt as _;
use serde_json::Value;
use shared::aws::call::Service;

use super::check::{Ask, Check};
use super::patient::{Deployed, Patient};
use super::report::Finding;
use crate::account::aws::{AwsAccount, text};

const URL: &str = "function URL";

pub(super) const CHECK: Check = Check {
    title: URL,
    ask: Ask::Deployed(|patient, deployed| check(patient, deployed).boxed()),
};

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

async fn check(patient: &Patient, deployed: &Deployed) -> Vec<Finding> {
    let finding = look(patient, deployed).await;
    vec![finding.unwrap_or_else(|error| Finding::not_checked(URL, format!("{error:#}")))]
}

async fn look(patient: &Patient, deployed: &Deployed) -> anyhow::Result<Finding> {
    let fail = |says: String| Ok(Finding::fail(URL, says, patient.deploy()));
    let Some(function) = deployed.function("WebhookFunction")? else {
        return fail("the stack has no WebhookFunction".into());
    };
    let config = config(function, &patient.webhook_url, &deployed.aws).await?;
    let Some(config) = config else {
        return fail(format!("{function} has no URL {}", patient.webhook_url));
    };
    if text(&config, "AuthType") != "NONE" {
        return fail(
            "it asks callers for AWS credentials (AuthType AWS_IAM), which Stripe does not have"
                .into(),
        );
    }
    // The URL of a function or of one of its aliases; permissions belong to the same.
    let (_, name) = text(&config, "FunctionArn")
        .split_once(":function:")
        .unwrap_or_default();
    let alias = name.split_once(':').map(|(_, alias)| alias);
    let policy = policy(function, alias, &deployed.aws).await?;
    let missing: Vec<&Permission> = PERMISSIONS
        .iter()
        .filter(|permission| !permission.is_granted_by(&policy))
        .collect();
    if missing.is_empty() {
        return Ok(Finding::ok(URL, "open to Stripe by both permissions"));
    }
    let names: Vec<&str> = missing.iter().map(|permission| permission.action).collect();
    let commands = missing
        .iter()
        .map(|permission| permission.command(function, alias));
    Ok(Finding::fail(
        URL,
        format!(
            "nobody can call it: its policy lacks {}",
            names.join(" and ")
        ),
        commands.collect::<Vec<_>>().join("\n"),
    ))
}

/// What Lambda knows of the function's URL that is `url`.
async fn config(function: &str, url: &str, aws: &AwsAccount) -> anyhow::Result<Option<Value>> {
    let path = format!("/2021-10-31/functions/{function}/urls");
    let mut urls = aws.get(Service::Lambda, &path).await?.unwrap_or_default();
    let configs = urls.get_mut("FunctionUrlConfigs").map(Value::take);
    let Some(Value::Array(configs)) = configs else {
        return Ok(None);
    };
    let is_ours = |config: &Value| {
        text(config, "FunctionUrl").trim_end_matches('/') == url.trim_end_matches('/')
    };
    Ok(configs.into_iter().find(is_ours))
}

/// The resource policy of a function, or of one of its aliases.
async fn policy(function: &str, alias: Option<&str>, aws: &AwsAccount) -> anyhow::Result<Value> {
    let qualifier = alias.map_or(String::new(), |alias| format!("?Qualifier={alias}"));
    let path = format!("/2015-03-31/functions/{function}/policy{qualifier}");
    let policy = aws.get(Service::Lambda, &path).await?.unwrap_or_default();
    Ok(serde_json::from_str(text(&policy, "Policy")).unwrap_or_default())
}

impl Permission {
    /// What gives it.
    fn command(&self, function: &str, alias: Option<&str>) -> String {
        let (action, option) = (self.action, self.option);
        let id = action.replace(':', "-");
        let alias = alias.map_or(String::new(), |alias| format!(" --qualifier {alias}"));
        format!(
            "aws lambda add-permission --function-name {function}{alias} --statement-id {id} \
             --action {action} --principal '*' {option}"
        )
    }

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
