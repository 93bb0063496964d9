//! Who sends the codes with which buyers sign up.

use futures::FutureExt as _;
use serde_json::json;
use shared::aws::call::Service;
use shared::mode::Mode;

use super::check::{Ask, Check};
use super::patient::{Deployed, Patient};
use super::report::Finding;
use super::ses::is_verified;
use crate::account::aws::{AwsAccount, AwsError};

const SIGN_UP: &str = "sign-up mail";

pub(super) const CHECK: Check = Check {
    title: SIGN_UP,
    ask: Ask::Deployed(|patient, deployed| check(patient, deployed).boxed()),
};

/// Only if the user pool is ours.
async fn check(patient: &Patient, deployed: &Deployed) -> Vec<Finding> {
    let Some(pool) = &deployed.user_pool else {
        return Vec::new();
    };
    let finding = judge(pool, patient.mode, &deployed.aws).await;
    vec![finding.unwrap_or_else(|error| Finding::not_checked(SIGN_UP, error.to_string()))]
}

async fn judge(pool: &str, mode: Mode, aws: &AwsAccount) -> Result<Finding, AwsError> {
    let operation = "AWSCognitoIdentityProviderService.DescribeUserPool";
    let question = json!({ "UserPoolId": pool });
    let answer = aws.ask(Service::Cognito, operation, &question).await?;
    let settings = answer.pointer("/UserPool/EmailConfiguration");
    let text = |name: &str| settings.and_then(|settings| settings.get(name)?.as_str());
    if text("EmailSendingAccount") != Some("DEVELOPER") {
        const BY_COGNITO: &str = "Cognito's own service sends it, to 50 buyers a day";
        return Ok(match mode {
            Mode::Test => Finding::ok(
                SIGN_UP,
                format!("{BY_COGNITO}, which is enough in test mode"),
            ),
            Mode::Live => Finding::fail(
                SIGN_UP,
                format!("{BY_COGNITO}: the next one cannot sign up"),
                "deploy with MailIdentity, the SES identity by which MailFrom is verified",
            ),
        });
    }
    let source = text("SourceArn").unwrap_or_default();
    let identity = source.split_once("/").map_or(source, |(_, name)| name);
    Ok(if is_verified(identity, aws).await? {
        Finding::ok(SIGN_UP, format!("goes out by SES ({identity} is verified)"))
    } else {
        Finding::fail(
            SIGN_UP,
            format!("{identity} is not verified in SES: nobody can sign up"),
            format!(
                "aws sesv2 create-email-identity --email-identity {identity}, then do what its answer asks for"
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::report::Verdict;
    use super::*;

    #[tokio::test]
    async fn cognitos_own_sign_up_mail_is_enough_for_a_test_shop_and_not_for_a_live_one() {
        let own = |_: &str, _: &str| {
            let settings = json!({ "EmailSendingAccount": "COGNITO_DEFAULT" });
            json!({ "UserPool": { "EmailConfiguration": settings } })
        };
        let aws = AwsAccount::played_by(own).await;
        let finding = judge("pool", Mode::Live, &aws).await.unwrap();
        assert_eq!(finding.verdict, Verdict::Fail);
        assert!(finding.says.contains("50 buyers a day"), "{}", finding.says);
        let finding = judge("pool", Mode::Test, &aws).await.unwrap();
        assert_eq!(finding.verdict, Verdict::Ok, "{}", finding.says);
    }

    #[tokio::test]
    async fn sign_up_mail_by_ses_needs_a_verified_identity() {
        fn verified(asked: &str, is: bool) -> Value {
            if asked.ends_with("DescribeUserPool") {
                let arn = "arn:aws:ses:eu-central-1:123456789012:identity/example.com";
                let settings = json!({ "EmailSendingAccount": "DEVELOPER", "SourceArn": arn });
                return json!({ "UserPool": { "EmailConfiguration": settings } });
            }
            assert_eq!(asked, "/v2/email/identities/example.com");
            json!({ "VerifiedForSendingStatus": is })
        }
        let aws = AwsAccount::played_by(|asked, _| verified(asked, true)).await;
        let finding = judge("pool", Mode::Live, &aws).await.unwrap();
        assert_eq!(finding.verdict, Verdict::Ok, "{}", finding.says);
        let aws = AwsAccount::played_by(|asked, _| verified(asked, false)).await;
        let finding = judge("pool", Mode::Live, &aws).await.unwrap();
        assert_eq!(finding.verdict, Verdict::Fail);
        assert!(finding.says.contains("example.com"), "{}", finding.says);
    }
}
