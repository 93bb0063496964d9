//! The operator's Stripe key, and what a text that should be a key turns out to be.

use anyhow::bail;
use shared::config::Mode;

/// The variable that it is in.
const KEY: &str = "STRIPE_SECRET_KEY";

/// The operator's own key to ask Stripe with, from `STRIPE_SECRET_KEY`: the functions' key may be a
/// restricted one that knows nothing of webhook endpoints.
pub(crate) fn operators(mode: Mode) -> anyhow::Result<Option<String>> {
    let Ok(key) = std::env::var(KEY) else {
        return Ok(None);
    };
    let key = key.trim();
    if key.is_empty() {
        return Ok(None);
    }
    match judge(key, mode) {
        Ok(_) => Ok(Some(key.to_owned())),
        Err((says, remedy)) => bail!("{KEY}: {says}; {remedy}, or leave it out"),
    }
}

/// What a text that should be a secret key turns out to be.
pub(crate) fn judge(key: &str, mode: Mode) -> Result<&'static str, (String, String)> {
    let wanted = match mode {
        Mode::Test => "sk_test_… or rk_test_…",
        Mode::Live => "sk_live_… or rk_live_…",
    };
    let wrong = |says: &str, what: &str| Err((says.to_owned(), format!("{what}: {wanted}")));
    let of = |mode: Mode, kind: &'static str| (mode, kind);
    let (is, kind) = if key.starts_with("sk_test_") {
        of(Mode::Test, "a secret test key")
    } else if key.starts_with("sk_live_") {
        of(Mode::Live, "a secret live key")
    } else if key.starts_with("rk_test_") {
        of(Mode::Test, "a restricted test key")
    } else if key.starts_with("rk_live_") {
        of(Mode::Live, "a restricted live key")
    } else if key.starts_with("pk_") {
        return wrong(
            "it is the publishable key, which is for web pages and may open no payment",
            "store the secret key of the same account",
        );
    } else if key.starts_with("whsec_") {
        return wrong(
            "it is a webhook's signing secret",
            "store the API key instead",
        );
    } else {
        return wrong(
            "it does not look like a Stripe key",
            "store the secret or a restricted key",
        );
    };
    match (is, mode) {
        (Mode::Live, Mode::Test) => wrong(
            &format!(
                "it is {kind}, but the shop is deployed in test mode: nobody's card may be charged"
            ),
            "store a test key",
        ),
        (Mode::Test, Mode::Live) => wrong(
            &format!(
                "it is {kind}, but the shop is deployed in live mode: no payment would be real"
            ),
            "store a live key",
        ),
        _ => Ok(kind),
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
        assert_eq!(judge("rk_live_1", Mode::Live), Ok("a restricted live key"));
    }
}
