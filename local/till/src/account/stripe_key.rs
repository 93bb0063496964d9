//! The operator's Stripe key, and what a text that should be a key turns out to be.

use anyhow::bail;
use shared::mode::Mode;
use shared::stripe::key::{Kind, NotAKey, StripeKey};

/// The variable that it is in.
const KEY: &str = "STRIPE_SECRET_KEY";

/// The operator's own key to ask Stripe with, from `STRIPE_SECRET_KEY`: the functions' key may be a
/// restricted one that knows nothing of webhook endpoints.
pub(crate) fn operators(mode: Mode) -> anyhow::Result<Option<StripeKey>> {
    let Ok(key) = std::env::var(KEY) else {
        return Ok(None);
    };
    let key = key.trim();
    if key.is_empty() {
        return Ok(None);
    }
    match judge(key, mode) {
        Ok(key) => Ok(Some(key)),
        Err((says, remedy)) => bail!("{KEY}: {says}; {remedy}, or unset it"),
    }
}

/// Reads a text that should be a key of the deployed mode, or says what it is instead, and what to
/// do about it.
pub(crate) fn judge(key: &str, mode: Mode) -> Result<StripeKey, (String, String)> {
    let wanted = match mode {
        Mode::Test => "sk_test_… or rk_test_…",
        Mode::Live => "sk_live_… or rk_live_…",
    };
    let wrong = |says: &str, what: &str| Err((says.to_owned(), format!("{what}: {wanted}")));
    let key: StripeKey = match key.parse() {
        Ok(key) => key,
        Err(NotAKey::Publishable) => {
            return wrong(
                "it is the publishable key, which is for web pages and cannot create a payment",
                "store the secret key of the same account",
            );
        }
        Err(NotAKey::SigningSecret) => {
            return wrong(
                "it is a webhook's signing secret",
                "store the API key instead",
            );
        }
        Err(NotAKey::Unknown) => {
            return wrong(
                "it does not look like a Stripe key",
                "store the secret key or a restricted one",
            );
        }
    };
    let kind = described(&key);
    match (key.mode(), mode) {
        (Mode::Live, Mode::Test) => wrong(
            &format!("it is {kind}, but the shop is deployed in test mode: no card may be charged"),
            "store a test key",
        ),
        (Mode::Test, Mode::Live) => wrong(
            &format!(
                "it is {kind}, but the shop is deployed in live mode: no payment would be real"
            ),
            "store a live key",
        ),
        _ => Ok(key),
    }
}

pub(crate) fn described(key: &StripeKey) -> &'static str {
    match (key.kind(), key.mode()) {
        (Kind::Secret, Mode::Test) => "a secret test key",
        (Kind::Secret, Mode::Live) => "a secret live key",
        (Kind::Restricted, Mode::Test) => "a restricted test key",
        (Kind::Restricted, Mode::Live) => "a restricted live key",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_by_its_beginning() {
        for (key, mode, says) in [
            ("pk_test_1", Mode::Test, "publishable"),
            ("pk_live_1", Mode::Live, "publishable"),
            ("whsec_1", Mode::Test, "signing secret"),
            ("hunter2", Mode::Test, "does not look like"),
            ("sk_live_1", Mode::Test, "deployed in test mode"),
            ("rk_test_1", Mode::Live, "deployed in live mode"),
        ] {
            let (what, remedy) = judge(key, mode).unwrap_err();
            assert!(what.contains(says), "{what}");
            assert!(
                !what.contains(key) && !remedy.contains(key),
                "{what} {remedy}"
            );
        }
        let key = judge("rk_live_1", Mode::Live).unwrap();
        assert_eq!(described(&key), "a restricted live key");
    }
}
