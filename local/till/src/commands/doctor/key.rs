//! The Stripe key: is it one, is it of the deployed mode, does Stripe know it, may it do what the
//! functions do.

use futures::FutureExt as _;
use serde::Deserialize;
use shared::mode::Mode;
use shared::stripe::key::Kind;

use super::check::{Ask, Check};
use super::patient::Patient;
use super::permissions;
use super::report::Finding;
use super::stored::Stored;
use crate::account::stripe::Refusal;
use crate::account::stripe_key::{described, judge};

const KEY: &str = "stripe key";
const ACCOUNT: &str = "stripe account";

pub(super) const CHECK: Check = Check {
    title: KEY,
    ask: Ask::Everywhere(|patient| check(patient).boxed()),
};

async fn check(patient: &Patient) -> Vec<Finding> {
    let key = match &patient.key {
        Stored::Unknown(why) => return vec![Finding::not_checked(KEY, why)],
        Stored::Missing(place) => {
            return vec![Finding::fail(
                KEY,
                format!("{place} does not exist"),
                patient.setup("asks for the key and stores it"),
            )];
        }
        Stored::Value { text, .. } => text,
    };
    let usable = match judge(key, patient.mode) {
        Ok(usable) => usable,
        Err((says, remedy)) => {
            let remedy = format!("{remedy}\n{}", patient.setup_with("--new-key", "stores it"));
            return vec![Finding::fail(KEY, says, remedy)];
        }
    };
    let kind = described(&usable);
    let mut findings = vec![match patient.key.is_in_the_clear() {
        Some(place) => Finding::warn(
            KEY,
            format!(
                "{kind}, but {place} is not a SecureString: anybody who may read parameters can read it"
            ),
            patient.setup_with("--new-key", "stores it encrypted"),
        ),
        None => Finding::ok(KEY, format!("{kind}, as the deployed mode wants")),
    }];
    let is_restricted = usable.kind() == Kind::Restricted;
    let account = patient.account_of(usable);
    match account.get::<Profile>("/account", &[]).await {
        Ok(profile) => findings.push(profile.judge(patient.mode)),
        Err(Refusal::UnknownKey) => findings.push(Finding::fail(
            ACCOUNT,
            Refusal::UnknownKey.to_string(),
            patient.setup_with("--new-key", "asks for another and stores it"),
        )),
        Err(other) => findings.push(Finding::not_checked(ACCOUNT, other.to_string())),
    }
    if is_restricted {
        findings.push(permissions::of_the_shop(&account).await);
    }
    findings
}

#[derive(Deserialize)]
struct Profile {
    id: String,
    #[serde(default)]
    charges_enabled: bool,
}

impl Profile {
    fn judge(&self, mode: Mode) -> Finding {
        if mode == Mode::Live && !self.charges_enabled {
            return Finding::fail(
                ACCOUNT,
                format!("{} cannot take payments yet", self.id),
                "finish the account's activation: https://dashboard.stripe.com/account/onboarding",
            );
        }
        Finding::ok(ACCOUNT, format!("the key belongs to {}", self.id))
    }
}
