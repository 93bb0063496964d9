//! `till sign`: sample events carry signatures that are long stale; this makes a fresh one.

use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use laptop::environment::{STAND_IN_WEBHOOK_SECRET, Variables, said};
use serde_json::Value;
use shared::plain;
use shared::stripe::signature::{WebhookSecret, sign};
use template::project::Project;
use time::OffsetDateTime;

use super::{console, dot_env};

/// Prints the event in `file`, signed now.
pub(super) fn run(file: &Path) -> anyhow::Result<()> {
    let environment = match Project::find() {
        Ok(project) => dot_env::environment(&project)?,
        Err(_) => std::env::vars().collect(),
    };
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let event: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let signed = signed(event, &secret(&environment)?, now)
        .with_context(|| format!("{} cannot be signed", file.display()))?;
    // Escapes change nothing of what is signed.
    let signed = plain::json(&serde_json::to_string_pretty(&signed)?);
    console::print(&format!("{signed}\n"))
}

/// The first of the developer's secrets, else the stand-in's.
fn secret(environment: &Variables) -> anyhow::Result<WebhookSecret> {
    let secrets = said(environment, "STRIPE_WEBHOOK_SECRETS").unwrap_or(STAND_IN_WEBHOOK_SECRET);
    let first = secrets.split(',').next().unwrap_or_default();
    WebhookSecret::new(first).context("STRIPE_WEBHOOK_SECRETS starts with an empty secret")
}

/// The event with a signature over the very bytes the function will see.
fn signed(mut event: Value, secret: &WebhookSecret, now: i64) -> anyhow::Result<Value> {
    let Some(body) = event.get("body").and_then(Value::as_str) else {
        bail!("it has no body, so it is not an event of a function URL");
    };
    let bytes = match event.get("isBase64Encoded") {
        Some(Value::Bool(true)) => STANDARD.decode(body).context("its body is not base64")?,
        _ => body.as_bytes().to_vec(),
    };
    let signature = sign(&bytes, secret, now);
    let headers = event.as_object_mut().map(|event| {
        event
            .entry("headers")
            .or_insert_with(|| Value::Object(serde_json::Map::new()))
    });
    let Some(Value::Object(headers)) = headers else {
        bail!("its headers are not an object")
    };
    // Any other spelling would be a second signature beside ours.
    headers.retain(|name, _| !name.eq_ignore_ascii_case("stripe-signature"));
    headers.insert("stripe-signature".to_owned(), signature.into());
    Ok(event)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::stripe::signature::verify;

    use super::*;

    const NOW: i64 = 1_764_000_000;

    fn check(event: Value, bytes: &[u8]) {
        let secret = WebhookSecret::new("whsec_local").unwrap();
        let signed = signed(event, &secret, NOW).unwrap();
        assert_eq!(signed["headers"].as_object().unwrap().len(), 1);
        let header = signed["headers"]["stripe-signature"].as_str().unwrap();
        assert_eq!(verify(header, bytes, &[secret], NOW), Ok(()));
    }

    #[test]
    fn the_signature_is_over_the_bytes_that_the_function_sees() {
        let body = "{ \"id\": \"evt_é\" }\n";
        check(
            json!({ "headers": { "Stripe-Signature": "old" }, "body": body }),
            body.as_bytes(),
        );
        let encoded = json!({ "body": STANDARD.encode(body), "isBase64Encoded": true });
        check(encoded, body.as_bytes());
    }

    #[test]
    fn the_first_secret_of_several_signs() {
        let environment = Variables::from([(
            "STRIPE_WEBHOOK_SECRETS".into(),
            "whsec_new,whsec_old".into(),
        )]);
        let event = json!({ "body": "{}", "headers": {} });
        let signed = signed(event, &secret(&environment).unwrap(), NOW).unwrap();
        let header = signed["headers"]["stripe-signature"].as_str().unwrap();
        let new = WebhookSecret::new("whsec_new").unwrap();
        assert_eq!(verify(header, b"{}", &[new], NOW), Ok(()));
    }

    #[test]
    fn what_has_no_body_is_refused() {
        let secret = WebhookSecret::new("whsec_local").unwrap();
        assert!(signed(json!({ "Records": [] }), &secret, NOW).is_err());
        assert!(
            signed(
                json!({ "body": "***", "isBase64Encoded": true }),
                &secret,
                NOW
            )
            .is_err()
        );
    }
}
