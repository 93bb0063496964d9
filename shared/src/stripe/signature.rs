//! The `Stripe-Signature` header: `t=<seconds>,v1=<hex>[,v1=<hex>…]`, each `v1` being
//! HMAC-SHA256 over `<t>.<body>`. Proxies may put blanks after the commas, as in any list in a
//! header (RFC 9110, section 5.6.1).
//!
//! Source: Stripe's page "Receive Stripe events in your webhook endpoint", section
//! "Verify webhook signatures manually".

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    config::{ConfigError, Environment},
    secrets::Secret,
};

/// How much a header's timestamp may differ from our clock, in seconds, either way: as much as in
/// Stripe's own libraries.
pub const TOLERANCE_SECONDS: i64 = 300;

/// One signing secret of a webhook endpoint (`whsec_…`). Never empty; never printed.
#[derive(Clone)]
pub struct WebhookSecret(String);

/// A signing secret is empty, so it would let anybody in.
#[derive(Debug, thiserror::Error)]
#[error("a webhook signing secret is empty")]
pub struct EmptySecret;

impl WebhookSecret {
    /// The secret as Stripe shows it, without surrounding white space.
    pub fn new(secret: &str) -> Result<Self, EmptySecret> {
        match secret.trim() {
            "" => Err(EmptySecret),
            secret => Ok(Self(secret.to_owned())),
        }
    }

    /// `STRIPE_WEBHOOK_SECRETS`, separated by commas. An empty one is refused, because it would let
    /// anybody in.
    pub fn all_of(environment: &Environment) -> Result<Secret<Vec<Self>>, ConfigError> {
        const NAME: &str = "STRIPE_WEBHOOK_SECRETS";
        Secret::of(environment, NAME, |secrets| {
            let wrong = |wrong: String| ConfigError::Wrong { name: NAME, wrong };
            let secrets = secrets.split(',').map(|secret| {
                let understood = Self::new(secret).map_err(|error| wrong(error.to_string()))?;
                if Self::is_one(secret.trim()) {
                    Ok(understood)
                } else {
                    Err(wrong("a signing secret starts with whsec_".to_owned()))
                }
            });
            secrets.collect()
        })
    }

    /// Whether a text begins like a signing secret.
    pub(super) fn is_one(text: &str) -> bool {
        text.starts_with("whsec_")
    }

    fn mac(&self, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("any key length");
        mac.update(timestamp.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// Why a delivery is refused. The words are for logs and for developers who read the answer in
/// Stripe's Dashboard; they say nothing that an attacker does not know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No `t`, no `v1`, or not a list of `key=value`.
    #[error("the Stripe-Signature header is malformed: expected t=<seconds>,v1=<hex>")]
    Malformed,
    /// None of the signatures was made with one of our secrets.
    #[error("no v1 signature matches: is STRIPE_WEBHOOK_SECRETS the secret of this endpoint?")]
    NoMatch,
    /// Correctly signed, but too long ago or in the future.
    #[error("the signature's timestamp is outside the tolerance of {TOLERANCE_SECONDS} seconds")]
    Stale,
}

/// Checks `header` over the exact bytes of `body`. Any of the `secrets` may have made any of the
/// header's `v1` values, so that secrets can be rotated. Comparison takes constant time.
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[WebhookSecret],
    now_seconds: i64,
) -> Result<(), SignatureError> {
    let (timestamp, signatures) = parse(header)?;
    let believed = secrets.iter().any(|secret| {
        let mac = secret.mac(timestamp, body);
        signatures
            .iter()
            .any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    if !believed {
        return Err(SignatureError::NoMatch);
    }
    if now_seconds.abs_diff(timestamp) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(SignatureError::Stale);
    }
    Ok(())
}

/// The header that Stripe would send with `body`.
pub fn sign(body: &[u8], secret: &WebhookSecret, timestamp_seconds: i64) -> String {
    let signature = secret.mac(timestamp_seconds, body).finalize().into_bytes();
    format!("t={timestamp_seconds},v1={}", hex::encode(signature))
}

fn parse(header: &str) -> Result<(i64, Vec<Vec<u8>>), SignatureError> {
    let mut timestamp = None;
    let mut signatures = Vec::new();
    for element in header.split(',') {
        match element
            .trim()
            .split_once('=')
            .ok_or(SignatureError::Malformed)?
        {
            ("t", value) => {
                timestamp = Some(value.parse().map_err(|_| SignatureError::Malformed)?);
            }
            ("v1", value) => signatures.push(value),
            // Other schemes (`v0` is for test fixtures) prove nothing.
            _ => {}
        }
    }
    match timestamp {
        Some(timestamp) if !signatures.is_empty() => Ok((
            timestamp,
            signatures
                .into_iter()
                .filter_map(|hex| hex::decode(hex).ok())
                .collect(),
        )),
        _ => Err(SignatureError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stripe_webhook::{Webhook, WebhookError};

    use super::*;

    const NOW: i64 = 1_764_000_000;

    fn secret(text: &str) -> WebhookSecret {
        WebhookSecret::new(text).unwrap()
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert!(WebhookSecret::new("").is_err());
        assert!(WebhookSecret::new(" \n").is_err());
    }

    #[test]
    fn a_secret_never_shows_in_debug_output() {
        let shown = format!("{:?}", secret("whsec_private"));
        assert_eq!(shown, "WebhookSecret(…)");
    }

    #[test]
    fn any_of_several_secrets_may_have_made_any_of_several_signatures() {
        let (old, new, body) = (secret("whsec_old"), secret("whsec_new"), b"{}".as_slice());
        let ours = sign(body, &new, NOW);
        let v1 = ours.split_once("v1=").unwrap().1;
        let noise = "00".repeat(32);
        for header in [
            format!("t={NOW},v1={v1},v1={noise}"),
            format!("t={NOW},v1={noise},v1={v1}"),
            format!("v1={v1},v0=ff,t={NOW}"),
            format!("t={NOW}, v1={noise},\tv1={v1} "),
        ] {
            assert_eq!(
                verify(&header, body, &[old.clone(), new.clone()], NOW),
                Ok(())
            );
            assert_eq!(
                verify(&header, body, &[new.clone(), old.clone()], NOW),
                Ok(())
            );
            assert_eq!(
                verify(&header, body, std::slice::from_ref(&old), NOW),
                Err(SignatureError::NoMatch)
            );
        }
    }

    #[test]
    fn one_changed_byte_a_missing_part_or_an_old_timestamp_is_refused() {
        let secrets = [secret("whsec_a")];
        let header = sign(b"{\"a\":1}", &secrets[0], NOW);
        assert_eq!(verify(&header, b"{\"a\":1}", &secrets, NOW), Ok(()));
        assert_eq!(
            verify(&header, b"{\"a\":2}", &secrets, NOW),
            Err(SignatureError::NoMatch)
        );
        assert_eq!(verify(&header, b"{\"a\":1}", &secrets, NOW + 300), Ok(()));
        for late in [NOW + 301, NOW - 301, i64::MAX, i64::MIN] {
            assert_eq!(
                verify(&header, b"{\"a\":1}", &secrets, late),
                Err(SignatureError::Stale)
            );
        }
        for malformed in ["", "t=1", "v1=00", "t=x,v1=00", "t=1,v1=00,", "nonsense"] {
            assert_eq!(
                verify(malformed, b"", &secrets, NOW),
                Err(SignatureError::Malformed)
            );
        }
    }

    /// Correct, almost correct and wrong parts of a header, in any number and order.
    fn pieces(right: String) -> impl Strategy<Value = String> {
        let hex = right
            .split_once("v1=")
            .map(|(_, hex)| hex.to_owned())
            .unwrap_or_default();
        let piece = prop_oneof![
            4 => (NOW - 310..NOW + 310).prop_map(|t| format!("t={t}")),
            4 => Just(right.split_once(',').unwrap().0.to_owned()),
            4 => Just(format!("v1={hex}")),
            1 => Just(format!("v1={}", hex.to_uppercase())),
            1 => Just(format!("v0={hex}")),
            1 => Just(format!("v1={}", &hex[..62])),
            1 => "[0-9a-f]{64}".prop_map(|hex| format!("v1={hex}")),
            1 => "(t|v1|v0| t|v1 |T)=[ +-]?[0-9a-z]{0,12}",
            1 => "[ -~]{0,12}",
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.join(","))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8_000))]

        #[test]
        fn our_verifier_agrees_with_that_of_async_stripe(
            (body, signed_at, header) in ("[ -~é]{0,80}", NOW - 310..NOW + 310).prop_flat_map(
                |(body, at)| {
                    let right = sign(body.as_bytes(), &secret("whsec_a"), at);
                    (Just(body), Just(at), pieces(right))
                },
            )
        ) {
            let _ = signed_at;
            let ours = verify(&header, body.as_bytes(), &[secret("whsec_a")], NOW);
            // It does not accept blanks.
            let header = header.split(',').map(str::trim).collect::<Vec<_>>().join(",");
            let theirs =
                match Webhook::construct_event_with_timestamp(&body, &header, "whsec_a", NOW) {
                    // It verifies before it reads the event, and our bodies are not events.
                    Ok(_) | Err(WebhookError::BadParse(_)) => Ok(()),
                    Err(WebhookError::BadTimestamp(_)) => Err(SignatureError::Stale),
                    Err(error) => Err(match error {
                        WebhookError::BadHeader(_) => SignatureError::Malformed,
                        _ => SignatureError::NoMatch,
                    }),
                };
            // It has one error for bad signatures and malformed headers.
            let coarse = |verdict: Result<(), SignatureError>| match verdict {
                Err(SignatureError::Malformed) => Err(SignatureError::NoMatch),
                verdict => verdict,
            };
            prop_assert_eq!(coarse(ours), coarse(theirs), "{}", header);
        }
    }

    #[tokio::test]
    async fn an_empty_or_other_secret_for_the_webhook_keeps_the_function_from_starting() {
        let read = |secrets| {
            let environment = Environment::of([("STRIPE_WEBHOOK_SECRETS", secrets)]);
            WebhookSecret::all_of(&environment)
        };
        for secrets in ["", ",", "whsec_a,", "whsec_a,,whsec_b", "whsec_a,sk_test_b"] {
            assert!(read(secrets).is_err(), "{secrets:?}");
        }
        let both = read("whsec_a, whsec_b").unwrap().current().await.unwrap();
        assert_eq!(both.len(), 2);
    }
}
