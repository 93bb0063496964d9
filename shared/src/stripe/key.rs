//! Stripe's API keys, whose prefixes say what they are.

use std::{fmt, str::FromStr};

use super::signature::WebhookSecret;
use crate::{
    config::{ConfigError, Environment},
    mode::Mode,
    secrets::Secret,
};

/// A key for Stripe's API. Never printed.
#[derive(Clone)]
pub struct StripeKey {
    text: String,
    kind: Kind,
    mode: Mode,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everything.
    Secret,
    /// What its permissions allow.
    Restricted,
}

/// Why a text is not an API key. Never repeats the text, which may be another secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// It is the publishable key, which web pages use.
    #[error("this is the publishable key; use the secret one, sk_… or rk_…")]
    Publishable,
    /// It is a signing secret, which webhooks are signed with.
    #[error("a secret key starts with sk_test_, rk_test_, sk_live_ or rk_live_")]
    SigningSecret,
    /// It is nothing that Stripe issues.
    #[error("a secret key starts with sk_test_, rk_test_, sk_live_ or rk_live_")]
    Unknown,
}

const BEGINNINGS: [(&str, Kind, Mode); 4] = [
    ("sk_test_", Kind::Secret, Mode::Test),
    ("rk_test_", Kind::Restricted, Mode::Test),
    ("sk_live_", Kind::Secret, Mode::Live),
    ("rk_live_", Kind::Restricted, Mode::Live),
];

impl FromStr for StripeKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let begins = |beginning: &str| text.starts_with(beginning);
        match BEGINNINGS.into_iter().find(|(key, ..)| begins(key)) {
            Some((_, kind, mode)) => Ok(Self {
                text: text.to_owned(),
                kind,
                mode,
            }),
            None if begins("pk_") => Err(NotAKey::Publishable),
            None if WebhookSecret::is_one(text) => Err(NotAKey::SigningSecret),
            None => Err(NotAKey::Unknown),
        }
    }
}

impl StripeKey {
    /// `STRIPE_SECRET_KEY`, whose mode must be the deployment's.
    pub fn of(environment: &Environment) -> Result<Secret<Self>, ConfigError> {
        let deployed = environment.mode()?;
        Secret::of(environment, Self::VARIABLE, move |text| {
            let wrong = |wrong: String| ConfigError::Wrong {
                name: Self::VARIABLE,
                wrong,
            };
            let key: Self = text
                .parse()
                .map_err(|error: NotAKey| wrong(error.to_string()))?;
            if key.mode != deployed {
                let other = "the key's mode differs from TILL_MODE: one is test, the other live";
                return Err(wrong(other.to_owned()));
            }
            Ok(key)
        })
    }

    /// The environment variable that holds it.
    pub(super) const VARIABLE: &'static str = "STRIPE_SECRET_KEY";

    /// Whether it can move real money.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What it may do.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The key itself, to be sent to Stripe or stored.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for StripeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StripeKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognized_by_its_prefix() {
        for (text, kind, mode) in [
            ("sk_test_1", Kind::Secret, Mode::Test),
            ("rk_test_1", Kind::Restricted, Mode::Test),
            ("sk_live_1", Kind::Secret, Mode::Live),
            ("rk_live_1", Kind::Restricted, Mode::Live),
        ] {
            let key: StripeKey = text.parse().unwrap();
            assert_eq!((key.kind(), key.mode()), (kind, mode), "{text}");
        }
        for (text, is) in [
            ("pk_live_1", NotAKey::Publishable),
            ("whsec_1", NotAKey::SigningSecret),
            ("sk_1", NotAKey::Unknown),
            ("hunter2", NotAKey::Unknown),
        ] {
            assert_eq!(text.parse::<StripeKey>().unwrap_err(), is, "{text}");
        }
    }

    #[tokio::test]
    async fn a_stripe_key_must_be_secret_and_of_the_deployed_mode() {
        for (key, mode, wrong) in [
            ("pk_test_1", "test", "publishable"),
            ("whsec_1", "test", "starts with"),
            ("sk_live_1", "test", "mode"),
            ("rk_test_1", "live", "mode"),
        ] {
            let environment = Environment::of([("STRIPE_SECRET_KEY", key), ("TILL_MODE", mode)]);
            let error = StripeKey::of(&environment).unwrap_err().to_string();
            assert!(error.contains(wrong) && !error.contains(key), "{error}");
        }
        let fine = Environment::of([("STRIPE_SECRET_KEY", "rk_live_1"), ("TILL_MODE", "live")]);
        let key = StripeKey::of(&fine).unwrap().current().await.unwrap();
        assert!(!format!("{key:?}").contains("rk_live_1"));
    }
}
