//! The Stripe key: is it one, is it of the deployed mode, does Stripe know it, may it do what the
//! functions do.

use serde::Deserialize;
use serde_json::Value;
use shared::mode::Mode;
use shared::stripe::key::Kind;

use super::report::Finding;
use super::{Patient, Stored};
use crate::account::stripe::{Account, Refusal};
use crate::account::stripe_key::{described, judge};

const KEY: &str = "stripe key";
const ACCOUNT: &str = "stripe account";
const PERMISSIONS: &str = "key permissions";
const WEBHOOK_KEY: &str = "webhook key";

/// What webhook reads with its own key: whose a refund or a dispute is.
const WEBHOOK_READS: [(&str, &str); 2] = [
    ("/payment_intents", "PaymentIntents"),
    ("/charges", "Charges and Refunds"),
];

/// What the functions and the operator's commands read with the key.
const READS: [(&str, &str); 6] = [
    ("/checkout/sessions", "Checkout Sessions"),
    ("/payment_intents", "PaymentIntents"),
    ("/charges", "Charges and Refunds"),
    ("/refunds", "Charges and Refunds"),
    ("/disputes", "Disputes"),
    ("/events", "Events"),
];

/// Asks Stripe about the key.
pub(super) async fn check(patient: &Patient) -> Vec<Finding> {
    let key = match &patient.key {
        Stored::Unknown(why) => return vec![Finding::not_checked(KEY, why)],
        Stored::Missing(place) => {
            return vec![Finding::fail(
                KEY,
                format!("{place} is not there"),
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
            format!("{kind}, but {place} is no SecureString: whoever may read parameters reads it"),
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
        findings.push(permissions(&account).await);
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
                format!("{} may not take payments yet", self.id),
                "finish the account's activation: https://dashboard.stripe.com/account/onboarding",
            );
        }
        Finding::ok(ACCOUNT, format!("{} answers to the key", self.id))
    }
}

/// Asks Stripe about webhook's own key, which is another and need only read.
pub(super) async fn of_webhook(patient: &Patient) -> Vec<Finding> {
    let Some(stored) = &patient.webhook_key else {
        return Vec::new();
    };
    let key = match stored {
        Stored::Unknown(why) => return vec![Finding::not_checked(WEBHOOK_KEY, why)],
        Stored::Missing(place) => {
            return vec![Finding::fail(
                WEBHOOK_KEY,
                format!("{place} is not there: webhook does not start"),
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
    let asked = reads(&account, &WEBHOOK_READS).await;
    vec![match lacking(asked) {
        Ok(lacks) if lacks.is_empty() => Finding::ok(WEBHOOK_KEY, "may read what webhook reads"),
        Ok(lacks) => Finding::fail(
            WEBHOOK_KEY,
            format!("webhook's key lacks {}", lacks.join(", ")),
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

/// What was asked, with which access, and what came of it.
type Asked = (&'static str, &'static str, Result<(), Refusal>);

async fn reads(account: &Account, all: &[(&'static str, &'static str)]) -> Vec<Asked> {
    let reads = all.iter().map(|(path, resource)| async move {
        let asked = account.get::<Value>(path, &[("limit", "1")]).await;
        (*resource, "read", asked.map(drop))
    });
    futures::future::join_all(reads).await
}

/// What the key may not do, in Stripe's words. Fails if Stripe refused something for another
/// reason.
fn lacking(asked: Vec<Asked>) -> Result<Vec<String>, Refusal> {
    let mut lacks = Vec::new();
    for (resource, access, asked) in asked {
        match asked {
            Ok(()) => {}
            Err(Refusal::Forbidden(name)) => {
                let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
                lacks.push(format!("{resource}: {access}{name}"));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(lacks)
}

async fn permissions(account: &Account) -> Finding {
    let mut asked = reads(account, &READS).await;
    // A session without anything in it is refused, but only after the permission has been looked
    // at.
    let opened = account.post::<Value>("/checkout/sessions", &[]).await;
    let opened = match opened {
        Err(Refusal::Refused { .. }) => Ok(()),
        other => other.map(drop),
    };
    asked.push(("Checkout Sessions", "write", opened));
    let lacks = match lacking(asked) {
        Ok(lacks) => lacks,
        Err(other) => return Finding::not_checked(PERMISSIONS, other.to_string()),
    };
    if lacks.is_empty() {
        return Finding::ok(PERMISSIONS, "the restricted key may do what the shop does");
    }
    Finding::fail(
        PERMISSIONS,
        format!("the restricted key lacks {}", lacks.join(", ")),
        "add them to the key: https://dashboard.stripe.com/apikeys",
    )
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router};
    use http::{Method, StatusCode, Uri};
    use serde_json::json;

    use super::super::report::Verdict;
    use super::*;
    use crate::account::web::Web;

    /// Stripe, as it answers a key that may do everything but what is named.
    async fn stripe(forbidden: &'static [(&'static str, &'static str)]) -> Account {
        let answer = move |method: Method, uri: Uri| async move {
            let path = uri.path().to_owned();
            let lacking = forbidden
                .iter()
                .find(|(call, _)| *call == format!("{method} {path}"));
            match lacking {
                Some((_, permission)) => {
                    let message = format!(
                        "The provided key 'rk_test_*1' does not have the required permissions for \
                         this endpoint on account 'acct_1'. Having the '{permission}' permission \
                         would allow this request to continue."
                    );
                    (
                        StatusCode::FORBIDDEN,
                        Json(json!({ "error": { "message": message } })),
                    )
                }
                None if method == Method::POST => {
                    let error =
                        json!({ "error": { "message": "Missing required param: line_items." } });
                    (StatusCode::BAD_REQUEST, Json(error))
                }
                None => (StatusCode::OK, Json(json!({ "data": [] }))),
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        Account::new(
            &Web::new(None).unwrap(),
            &format!("http://{address}"),
            "rk_test_1".parse().unwrap(),
        )
    }

    #[tokio::test]
    async fn what_a_restricted_key_lacks_is_named_with_its_permission() {
        let account = stripe(&[
            ("GET /v1/disputes", "rak_dispute_read"),
            ("POST /v1/checkout/sessions", "rak_checkout_session_write"),
        ]);
        let finding = permissions(&account.await).await;
        assert_eq!(finding.verdict, Verdict::Fail);
        assert_eq!(
            finding.says,
            "the restricted key lacks Disputes: read (rak_dispute_read), \
             Checkout Sessions: write (rak_checkout_session_write)"
        );
        let finding = permissions(&stripe(&[]).await).await;
        assert_eq!(finding.verdict, Verdict::Ok, "{}", finding.says);
    }

    #[tokio::test]
    async fn a_key_of_webhooks_own_needs_to_read_payments_and_charges_only() {
        let account = stripe(&[("POST /v1/checkout/sessions", "rak_checkout_session_write")]).await;
        let asked = reads(&account, &WEBHOOK_READS).await;
        assert!(lacking(asked).unwrap().is_empty());
        let account = stripe(&[("GET /v1/charges", "rak_charge_read")]).await;
        let asked = reads(&account, &WEBHOOK_READS).await;
        assert_eq!(
            lacking(asked).unwrap(),
            ["Charges and Refunds: read (rak_charge_read)"]
        );
    }
}
