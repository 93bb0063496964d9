//! The `Stripe-Signature` header of a webhook: `t=<seconds>,v1=<hex>`, HMAC-SHA256 over
//! `<t>.<body>`.
//!
//! The shop checks signatures with code of its own, so that each is held against the other.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What an endpoint's deliveries are signed with (`whsec_…`). Never empty; never printed.
#[derive(Clone)]
pub struct SigningSecret(Hmac<Sha256>);

/// A text that cannot sign.
#[derive(Debug, thiserror::Error)]
#[error("a webhook signing secret is empty")]
pub struct EmptySecret;

impl SigningSecret {
    /// Takes the secret as Stripe shows it.
    pub fn new(secret: &str) -> Result<Self, EmptySecret> {
        if secret.is_empty() {
            return Err(EmptySecret);
        }
        // A key of any length will do.
        let key = Hmac::new_from_slice(secret.as_bytes());
        key.map(Self).map_err(|_| EmptySecret)
    }

    /// The header that goes with `body` at this time.
    pub fn sign(&self, body: &str, seconds: i64) -> String {
        let signed = self.0.clone().chain_update(format!("{seconds}.{body}"));
        let signature = hex::encode(signed.finalize().into_bytes());
        format!("t={seconds},v1={signature}")
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_signed_together_with_the_time() {
        let secret = SigningSecret::new("whsec_test").unwrap();
        // By `openssl dgst -sha256 -hmac whsec_test`.
        assert_eq!(
            secret.sign(r#"{"id":"evt_1"}"#, 1_764_000_000),
            "t=1764000000,v1=76728ba9029660ebc0a14b80fefcffcc0ad9c7139948290090e9bb71e97d5918"
        );
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        assert!(SigningSecret::new("").is_err());
    }
}
