//! SES: may this sender send, and to whom.

use serde_json::Value;
use shared::config::Mode;
use url::form_urlencoded::byte_serialize;

use super::report::Finding;
use super::{MailSettings, Patient};
use crate::aws_account::{AwsAccount, Service};

const SENDER: &str = "mail sender";
const SENDING: &str = "mail sending";
const DEVELOPER: &str = "mail in test mode";

/// Asks SES about the sender, the account, and in test mode the developer's address.
pub(super) async fn check(patient: &Patient, aws: &AwsAccount) -> Vec<Finding> {
    let Some(mail) = &patient.mail else {
        return vec![Finding::not_checked(
            SENDER,
            "the stack says nothing of a sender",
        )];
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
        let encoded: String = byte_serialize(name.as_bytes()).collect();
        let answer = aws
            .get(Service::Ses, &format!("/v2/email/identities/{encoded}"))
            .await?;
        let verified = answer
            .as_ref()
            .and_then(|answer| answer.get("VerifiedForSendingStatus"));
        if verified.and_then(Value::as_bool) == Some(true) {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(None)
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
        Finding::ok(SENDING, "in the sandbox, which will do in test mode"),
        match identity(developer, aws).await? {
            Some(name) => Finding::ok(
                DEVELOPER,
                format!("may go to {developer} ({name} is verified)"),
            ),
            None => Finding::fail(
                DEVELOPER,
                format!("{developer} gets all mail, but is not verified, as the sandbox demands"),
                format!(
                    "aws sesv2 create-email-identity --email-identity {developer}, then follow the link in the mail"
                ),
            ),
        },
    ])
}
