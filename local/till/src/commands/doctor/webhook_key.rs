//! Webhook's own Stripe key, which is another than the shop's and need only read.

use futures::FutureExt as _;

use super::check::{Ask, Check};
use super::patient::{Deployed, Patient};
use super::permissions;
use super::report::Finding;
use super::stored::Stored;
use crate::account::stripe::Refusal;
use crate::account::stripe_key::judge;

const WEBHOOK_KEY: &str = "webhook key";

pub(super) const CHECK: Check = Check {
    title: WEBHOOK_KEY,
    ask: Ask::Deployed(|patient, deployed| check(patient, deployed).boxed()),
};

async fn check(patient: &Patient, deployed: &Deployed) -> Vec<Finding> {
    let Some(stored) = &deployed.webhook_key else {
        return Vec::new();
    };
    let key = match stored {
        Stored::Unknown(why) => return vec![Finding::not_checked(WEBHOOK_KEY, why)],
        Stored::Missing(place) => {
            return vec![Finding::fail(
                WEBHOOK_KEY,
                format!("{place} does not exist: webhook does not start"),
                "store it (docs/OPERATIONS.md, \"Stripe\"), or deploy without \
                 StripeWebhookKeyParameter",
            )];
        }
        Stored::Value { text, .. } => text,
    };
    let key = match judge(key, patient.mode) {
        Ok(key) => key,
        Err((says, remedy)) => return vec![Finding::fail(WEBHOOK_KEY, says, remedy)],
    };
    let account = patient.account_of(key);
    let asked = permissions::reads(&account, &permissions::OF_WEBHOOK).await;
    vec![match permissions::missing(asked) {
        Ok(missing) if missing.is_empty() => {
            Finding::ok(WEBHOOK_KEY, "may read what webhook reads")
        }
        Ok(missing) => Finding::fail(
            WEBHOOK_KEY,
            format!("webhook's key lacks {}", missing.join(", ")),
            "add them to the key: https://dashboard.stripe.com/apikeys",
        ),
        Err(Refusal::UnknownKey) => Finding::fail(
            WEBHOOK_KEY,
            Refusal::UnknownKey.to_string(),
            "store another (docs/OPERATIONS.md, \"Stripe\")",
        ),
        Err(other) => Finding::not_checked(WEBHOOK_KEY, other.to_string()),
    }]
}
