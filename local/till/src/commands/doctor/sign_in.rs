//! Signing in: the identity provider is the one that the API expects, and its tokens say what the
//! functions read.

use futures::FutureExt as _;
use serde_json::Value;
use shared::config::EmailVerified;

use super::check::{Ask, Check};
use super::patient::Patient;
use super::report::Finding;

const SIGN_IN: &str = "sign-in";

pub(super) const CHECK: Check = Check {
    title: SIGN_IN,
    ask: Ask::Everywhere(|patient| check(patient).boxed()),
};

/// API Gateway fetches the keys of tokens from where the issuer's discovery document says.
async fn check(patient: &Patient) -> Vec<Finding> {
    let Some(issuer) = &patient.issuer else {
        return vec![Finding::not_checked(
            SIGN_IN,
            "the stack's output SiteConfig has no issuer",
        )];
    };
    let url = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let answer = match patient.web.get(&url).await {
        Ok(answer) => answer,
        Err(error) => {
            return vec![Finding::not_checked(
                SIGN_IN,
                format!("{url} cannot be reached: {error}"),
            )];
        }
    };
    let document: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let named = document.get("issuer").and_then(Value::as_str);
    vec![match named {
        Some(named) if named == issuer => claims(patient, issuer, &document),
        Some(named) => Finding::fail(
            SIGN_IN,
            format!(
                "the provider calls itself {named}, but the API expects {issuer}: every token is refused"
            ),
            format!(
                "deploy with the issuer exactly as the provider writes it: {}",
                patient.deploy()
            ),
        ),
        None => Finding::fail(
            SIGN_IN,
            format!(
                "{url} answers {}, without a discovery document",
                answer.status()
            ),
            "JwtIssuer must be the issuer's address without /.well-known/…",
        ),
    }]
}

/// Whether tokens will say what the functions read, as far as the provider tells beforehand.
fn claims(patient: &Patient, issuer: &str, document: &Value) -> Finding {
    let needed: &[&str] = match patient.email_verified {
        EmailVerified::Claim => &["sub", "email", "email_verified"],
        EmailVerified::Always => &["sub", "email"],
    };
    let supported = document.get("claims_supported").and_then(Value::as_array);
    let is_missing =
        |name: &&&str| supported.is_some_and(|all| !all.contains(&Value::from(**name)));
    let missing: Vec<&str> = needed.iter().filter(is_missing).copied().collect();
    match missing[..] {
        [] => Finding::ok(
            SIGN_IN,
            format!(
                "{issuer} answers; ID tokens need the claims {}",
                needed.join(", ")
            ),
        ),
        ["email_verified"] => Finding::warn(
            SIGN_IN,
            format!(
                "{issuer} does not list the claim email_verified, without which nobody can buy"
            ),
            "have the provider add it; or, if it verifies every address, deploy with \
             EmailVerified=always",
        ),
        _ => Finding::warn(
            SIGN_IN,
            format!(
                "{issuer} does not list the claims {}, without which nobody can buy",
                missing.join(", ")
            ),
            "have the provider add them to ID tokens (the site asks for the scopes openid and email)",
        ),
    }
}
