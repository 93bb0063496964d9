//! Mail: may this sender send, and to whom; did SES refuse the mailer; who sends sign-up codes.

use futures::FutureExt as _;
use serde_json::{Value, json};
use shared::aws::call::Service;
use shared::mode::Mode;
use url::form_urlencoded::byte_serialize;

use super::check::{Ask, Check};
use super::patient::{Deployed, MailSettings, Patient};
use super::report::Finding;
use crate::account::aws::{AwsAccount, AwsError};

const SENDER: &str = "mail sender";
const SENDING: &str = "mail sending";
const DEVELOPER: &str = "mail in test mode";
const PERMISSION: &str = "mail permission";
const SIGN_UP: &str = "sign-up mail";

/// How far back to look for refusals, in seconds: a mail is tried every six hours at least.
const LOOK_BACK: i64 = 24 * 3600;

pub(super) const CHECK: Check = Check {
    title: "mail",
    ask: Ask::Deployed(|patient, deployed| check(patient, deployed).boxed()),
};

async fn check(patient: &Patient, deployed: &Deployed) -> Vec<Finding> {
    let (sending, permission, sign_up) = futures::join!(
        sending(patient, deployed),
        permission(patient, deployed),
        sign_up(patient, deployed),
    );
    let mut findings = sending;
    findings.push(permission);
    findings.extend(sign_up);
    findings
}

/// Asks SES about the sender, the account and, in test mode, the developer's address.
async fn sending(patient: &Patient, deployed: &Deployed) -> Vec<Finding> {
    let aws = &deployed.aws;
    let Some(mail) = &deployed.mail else {
        return vec![Finding::not_checked(SENDER, "the stack names no sender")];
    };
    let (sender, sending) = futures::join!(sender(&mail.from, aws), account(patient, mail, aws));
    let unknown = |check, error: anyhow::Error| Finding::not_checked(check, format!("{error:#}"));
    let mut findings = vec![sender.unwrap_or_else(|error| unknown(SENDER, error))];
    match sending {
        Ok(said) => findings.extend(said),
        Err(error) => findings.push(unknown(SENDING, error)),
    }
    findings
}

/// The identity that lets an address send or be sent to: the address itself or its domain.
/// `None`: neither is verified.
async fn identity(address: &str, aws: &AwsAccount) -> anyhow::Result<Option<String>> {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    for name in [Some(address), domain].into_iter().flatten() {
        if is_verified(name, aws).await? {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(None)
}

async fn is_verified(identity: &str, aws: &AwsAccount) -> Result<bool, AwsError> {
    let encoded: String = byte_serialize(identity.as_bytes()).collect();
    let path = format!("/v2/email/identities/{encoded}");
    let answer = aws.get(Service::Ses, &path).await?.unwrap_or_default();
    let verified = answer.get("VerifiedForSendingStatus");
    Ok(verified.and_then(Value::as_bool) == Some(true))
}

async fn sender(from: &str, aws: &AwsAccount) -> anyhow::Result<Finding> {
    Ok(match identity(from, aws).await? {
        Some(name) => Finding::ok(SENDER, format!("{name} is verified")),
        None => Finding::fail(
            SENDER,
            format!(
                "neither {from} nor its domain is verified in {}: no mail leaves",
                aws.region()
            ),
            format!(
                "aws sesv2 create-email-identity --email-identity {from}, then follow the link in the mail \
                 that comes; or verify the domain, which also signs the mail (DKIM)"
            ),
        ),
    })
}

async fn account(
    patient: &Patient,
    mail: &MailSettings,
    aws: &AwsAccount,
) -> anyhow::Result<Vec<Finding>> {
    let answer = aws
        .get(Service::Ses, "/v2/email/account")
        .await?
        .unwrap_or_default();
    let is = |name: &str| answer.get(name).and_then(Value::as_bool);
    if is("SendingEnabled") == Some(false) {
        let status = answer.get("EnforcementStatus").and_then(Value::as_str);
        return Ok(vec![Finding::fail(
            SENDING,
            format!(
                "SES has stopped the account's sending (it is {})",
                status.unwrap_or("paused").to_lowercase()
            ),
            "the account's reputation page in the SES console says why, and how to ask for a review",
        )]);
    }
    if is("ProductionAccessEnabled") == Some(true) {
        return Ok(vec![Finding::ok(
            SENDING,
            "enabled, and out of the sandbox",
        )]);
    }
    if patient.mode == Mode::Live {
        return Ok(vec![Finding::fail(
            SENDING,
            "the account is in SES's sandbox: buyers get no mail",
            "ask for production access: aws sesv2 put-account-details --production-access-enabled \
             --mail-type TRANSACTIONAL --website-url … (or in the SES console)",
        )]);
    }
    let developer = &mail.developer;
    Ok(vec![
        Finding::ok(SENDING, "in the sandbox, which is enough in test mode"),
        match identity(developer, aws).await? {
            Some(name) => Finding::ok(
                DEVELOPER,
                format!("may go to {developer} ({name} is verified)"),
            ),
            None => Finding::fail(
                DEVELOPER,
                format!(
                    "{developer} gets all mail, but is not verified, which the sandbox requires"
                ),
                format!(
                    "aws sesv2 create-email-identity --email-identity {developer}, then follow the link in the mail"
                ),
            ),
        },
    ])
}

/// Whether SES lately refused a mail because the mailer may not send it. Its log tells, whichever
/// policy denied it: the role's, the identity's or the organization's.
async fn permission(patient: &Patient, deployed: &Deployed) -> Finding {
    let log = format!("/till/{}/mailer", deployed.stack);
    let now = shared::clock::Clock::default().now();
    let refused = refused(&log, now.saturating_sub(LOOK_BACK), &deployed.aws).await;
    match refused {
        Err(error) => Finding::not_checked(PERMISSION, format!("{log}: {error}")),
        Ok(None) => Finding::ok(PERMISSION, "SES has not refused the mailer in the last day"),
        Ok(Some(at)) => Finding::fail(
            PERMISSION,
            format!(
                "{} minutes ago SES refused a mail, and has taken none since: the mailer may not send \
                 it (AccessDenied). It is tried for two days",
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

/// Who sends the codes with which buyers sign up, if the user pool is ours.
async fn sign_up(patient: &Patient, deployed: &Deployed) -> Option<Finding> {
    let pool = deployed.user_pool.as_ref()?;
    let finding = sign_up_of(pool, patient.mode, &deployed.aws).await;
    Some(finding.unwrap_or_else(|error| Finding::not_checked(SIGN_UP, error.to_string())))
}

async fn sign_up_of(pool: &str, mode: Mode, aws: &AwsAccount) -> Result<Finding, AwsError> {
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
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_types::SdkConfig;
    use aws_types::region::Region;
    use axum::{Json, Router};
    use http::{HeaderMap, Uri};

    use super::super::report::Verdict;
    use super::*;
    use crate::account::web::Web;

    /// An account where AWS answers what `answer` makes of a path or an operation and its input.
    async fn account(answer: fn(&str, &str) -> Value) -> AwsAccount {
        let router = Router::new().fallback(
            move |uri: Uri, headers: HeaderMap, body: String| async move {
                let operation = headers.get("x-amz-target");
                let asked = operation.map_or(uri.path(), |name| name.to_str().unwrap());
                Json(answer(asked, &body))
            },
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let key = Credentials::new("key", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(key))
            .build();
        let web = Web::new(Some(&format!("http://{address}"))).unwrap();
        AwsAccount::new(web, config)
    }

    #[tokio::test]
    async fn cognitos_own_sign_up_mail_is_enough_for_a_test_shop_and_not_for_a_live_one() {
        let own = |_: &str, _: &str| {
            let settings = json!({ "EmailSendingAccount": "COGNITO_DEFAULT" });
            json!({ "UserPool": { "EmailConfiguration": settings } })
        };
        let aws = account(own).await;
        let finding = sign_up_of("pool", Mode::Live, &aws).await.unwrap();
        assert_eq!(finding.verdict, Verdict::Fail);
        assert!(finding.says.contains("50 buyers a day"), "{}", finding.says);
        let finding = sign_up_of("pool", Mode::Test, &aws).await.unwrap();
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
        let aws = account(|asked, _| verified(asked, true)).await;
        let finding = sign_up_of("pool", Mode::Live, &aws).await.unwrap();
        assert_eq!(finding.verdict, Verdict::Ok, "{}", finding.says);
        let aws = account(|asked, _| verified(asked, false)).await;
        let finding = sign_up_of("pool", Mode::Live, &aws).await.unwrap();
        assert_eq!(finding.verdict, Verdict::Fail);
        assert!(finding.says.contains("example.com"), "{}", finding.says);
    }

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
        let aws = account(|_, input| lines(input, &[1_500_000])).await;
        assert_eq!(refused(log, 0, &aws).await.unwrap(), Some(2000));
        let aws = account(|_, input| lines(input, &[2_500_000])).await;
        assert_eq!(refused(log, 0, &aws).await.unwrap(), None);
    }
}
