//! Whether SES sends for the shop: from its sender, out of the sandbox or, in test mode, to the developer.

use futures::FutureExt as _;
use serde_json::Value;
use shared::aws::call::Service;
use shared::mode::Mode;

use super::check::{Ask, Check};
use super::patient::{Deployed, MailSettings, Patient};
use super::report::Finding;
use super::ses::identity;
use crate::account::aws::AwsAccount;

const SENDER: &str = "mail sender";
const SENDING: &str = "mail sending";
const DEVELOPER: &str = "mail in test mode";

pub(super) const CHECK: Check = Check {
    title: SENDING,
    ask: Ask::Deployed(|patient, deployed| check(patient, deployed).boxed()),
};

async fn check(patient: &Patient, deployed: &Deployed) -> Vec<Finding> {
    let aws = &deployed.aws;
    let Some(mail) = &deployed.mail else {
        return vec![Finding::not_checked(
            SENDER,
            "the stack has no sender address",
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
                 that arrives; or verify the domain, which also signs the mail (DKIM)"
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
                "SES has stopped the account's sending (its status is {})",
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
