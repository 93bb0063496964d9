//! What a function is told by its environment, read once at start. Every error names the variable.

use std::{collections::BTreeMap, fmt, time::Duration};

use aws_credential_types::Credentials;
use aws_types::{
    SdkConfig,
    region::Region,
    sdk_config::{SharedCredentialsProvider, TimeoutConfig},
};

use crate::{clock::Clock, https, secrets::Secret, stripe::signature::WebhookSecret};

/// A variable that is missing or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not set, or set to nothing.
    #[error("{0} is not set: give it a value in the function's environment")]
    Missing(&'static str),
    /// Set to something that cannot be.
    #[error("{name}: {wrong}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// What is wrong with it; never its value if that is a secret.
        wrong: String,
    },
    /// A secret that is not there: the shop is not set up yet.
    #[error("{variable}: there is no {name:?} in {store}; `till setup` stores it")]
    NoSecret {
        /// What the secret is for.
        variable: &'static str,
        /// What it should be called in the store.
        name: String,
        /// Parameter Store or Secrets Manager.
        store: &'static str,
    },
    /// A secret that cannot be fetched.
    #[error("{variable}: {name:?} cannot be read from {store}: {why}")]
    Secret {
        /// What the secret is for.
        variable: &'static str,
        /// What it is called in the store.
        name: String,
        /// Parameter Store or Secrets Manager.
        store: &'static str,
        /// What the store said.
        why: String,
    },
}

/// The variables, and the clock. An empty variable counts as not set, because a template cannot
/// leave one out.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    clock: Clock,
}

impl fmt::Debug for Environment {
    /// Names only: some of the values are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl From<BTreeMap<String, String>> for Environment {
    fn from(variables: BTreeMap<String, String>) -> Self {
        Self {
            variables,
            clock: Clock::default(),
        }
    }
}

impl Environment {
    /// This process's. A variable that is not Unicode counts as not set.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os();
        let variables =
            variables.filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        variables.collect::<BTreeMap<_, _>>().into()
    }

    /// The same at another time.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// By which to go.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The value, if there is one.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The value, which must be there.
    pub fn required(&self, name: &'static str) -> Result<&str, ConfigError> {
        self.optional(name).ok_or(ConfigError::Missing(name))
    }

    /// The value as a whole number above zero.
    pub fn count(&self, name: &'static str) -> Result<u32, ConfigError> {
        let value = self.required(name)?;
        let count = value.parse().ok().filter(|count| *count > 0);
        count.ok_or_else(|| ConfigError::Wrong {
            name,
            wrong: format!("{value:?} is not a whole number above zero"),
        })
    }

    /// `TILL_MODE`.
    pub fn mode(&self) -> Result<Mode, ConfigError> {
        match self.required("TILL_MODE")? {
            "test" => Ok(Mode::Test),
            "live" => Ok(Mode::Live),
            other => Err(ConfigError::Wrong {
                name: "TILL_MODE",
                wrong: format!("{other:?} is neither test nor live"),
            }),
        }
    }

    /// `EMAIL_VERIFIED`: `claim` unless set, or `always`.
    pub fn email_verified(&self) -> Result<EmailVerified, ConfigError> {
        match self.optional("EMAIL_VERIFIED") {
            None | Some("claim") => Ok(EmailVerified::Claim),
            Some("always") => Ok(EmailVerified::Always),
            Some(other) => Err(ConfigError::Wrong {
                name: "EMAIL_VERIFIED",
                wrong: format!("{other:?} is neither claim nor always"),
            }),
        }
    }

    /// `TILL_STACK`, and beside it `TILL_FORMER_STACKS`, separated by commas.
    pub fn stack(&self) -> Result<Stack, ConfigError> {
        const NAME: &str = "TILL_STACK";
        let tag = self.required(NAME)?;
        if tag.contains(',') {
            return Err(ConfigError::Wrong {
                name: NAME,
                wrong: format!("{tag:?} has a comma; it is one tag"),
            });
        }
        let former = self.optional("TILL_FORMER_STACKS").unwrap_or_default();
        let former = former.split(',').map(|tag| tag.trim().to_owned());
        Ok(Stack {
            tag: tag.to_owned(),
            former: former.filter(|tag| !tag.is_empty()).collect(),
        })
    }

    /// `SITE_URL`, without a slash at its end.
    pub fn site_url(&self) -> Result<String, ConfigError> {
        Ok(self.required("SITE_URL")?.trim_end_matches('/').to_owned())
    }

    /// The Stripe key, `STRIPE_SECRET_KEY`. It must be of the deployed mode.
    pub async fn stripe_key(&self) -> Result<Secret<StripeKey>, ConfigError> {
        const NAME: &str = "STRIPE_SECRET_KEY";
        let mode = self.mode()?;
        Secret::read(self, NAME, move |key| {
            StripeKey::new(key, mode).map_err(|wrong| ConfigError::Wrong {
                name: NAME,
                wrong: wrong.to_owned(),
            })
        })
        .await
    }

    /// The webhook's signing secrets, `STRIPE_WEBHOOK_SECRETS`, separated by commas. An empty one
    /// among them is refused: it would let anybody in.
    pub async fn webhook_secrets(&self) -> Result<Secret<Vec<WebhookSecret>>, ConfigError> {
        const NAME: &str = "STRIPE_WEBHOOK_SECRETS";
        Secret::read(self, NAME, |secrets| {
            let wrong = |wrong: String| ConfigError::Wrong { name: NAME, wrong };
            let secrets = secrets.split(',').map(|secret| {
                let understood = WebhookSecret::new(secret);
                let understood = understood.map_err(|error| wrong(error.to_string()))?;
                if secret.trim().starts_with("whsec_") {
                    Ok(understood)
                } else {
                    Err(wrong("a signing secret starts with whsec_".to_owned()))
                }
            });
            secrets.collect()
        })
        .await
    }

    /// As whom AWS is called: what Lambda says in the environment.
    pub(crate) fn credentials(&self) -> Result<Credentials, ConfigError> {
        Ok(Credentials::new(
            self.required("AWS_ACCESS_KEY_ID")?,
            self.required("AWS_SECRET_ACCESS_KEY")?,
            self.optional("AWS_SESSION_TOKEN").map(str::to_owned),
            None,
            "environment",
        ))
    }

    /// How to call an AWS service. Explicit rather than by the SDK's search through profiles and
    /// metadata services: Lambda gives exactly these variables, and start-up stays short.
    /// `endpoint` is the service's own variable; `AWS_ENDPOINT_URL` is for all.
    pub fn aws(&self, endpoint: &str) -> Result<SdkConfig, ConfigError> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(4))
            .build();
        let mut config = SdkConfig::builder()
            .http_client(https::ForSdk::new()?)
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .region(Region::new(self.required("AWS_REGION")?.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(self.credentials()?))
            .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::standard())
            .timeout_config(timeouts);
        config.set_endpoint_url(
            self.optional(endpoint)
                .or(self.optional("AWS_ENDPOINT_URL"))
                .map(str::to_owned),
        );
        Ok(config.build())
    }
}

/// Whether a buyer's address is known to be theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailVerified {
    /// If the token's claim `email_verified` says so.
    Claim,
    /// Always: the issuer signs no token with an address that it has not verified, and does not say so
    /// in a claim, as an Entra ID tenant of the shop's own.
    Always,
}

/// By what this deployment knows its own in a Stripe account that others may share: it tags what it
/// makes there.
#[derive(Clone, Debug)]
pub struct Stack {
    tag: String,
    former: Vec<String>,
}

impl Stack {
    /// The tag of whatever is made now.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether what has this tag is its own, made now or when it still had another tag.
    pub fn owns(&self, tag: &str) -> bool {
        self.tag == tag || self.former.iter().any(|former| former == tag)
    }
}

/// Stripe's two worlds. In test mode no money moves, and mail goes only to the developer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Test cards.
    Test,
    /// Real money.
    Live,
}

impl Mode {
    /// Of an object's `livemode`.
    pub fn of(livemode: bool) -> Self {
        if livemode { Self::Live } else { Self::Test }
    }

    /// As Stripe writes it.
    pub fn livemode(self) -> bool {
        self == Self::Live
    }
}

/// A secret key, checked for its prefix and mode. Never printed.
#[derive(Clone)]
pub struct StripeKey(String);

impl StripeKey {
    fn new(key: &str, deployed: Mode) -> Result<Self, &'static str> {
        let mode = if key.starts_with("sk_test_") || key.starts_with("rk_test_") {
            Mode::Test
        } else if key.starts_with("sk_live_") || key.starts_with("rk_live_") {
            Mode::Live
        } else if key.starts_with("pk_") {
            return Err("this is the publishable key; use the secret one, sk_… or rk_…");
        } else {
            return Err("a secret key starts with sk_test_, rk_test_, sk_live_ or rk_live_");
        };
        if mode != deployed {
            return Err("the key's mode is not TILL_MODE: one is test, the other live");
        }
        Ok(Self(key.to_owned()))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StripeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StripeKey(…)")
    }
}

/// An AWS error's code, which holds no data of ours, or what kept the call from being answered.
pub(crate) fn error_code<E, R>(error: &aws_sdk_dynamodb::error::SdkError<E, R>) -> String
where
    E: aws_sdk_dynamodb::error::ProvideErrorMetadata,
{
    use aws_sdk_dynamodb::error::SdkError;
    match error {
        SdkError::ServiceError(answer) => answer
            .err()
            .code()
            .unwrap_or("an error without a code")
            .to_owned(),
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(_) => "out of reach".to_owned(),
        _ => "an answer that cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let pairs = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        pairs.collect::<BTreeMap<_, _>>().into()
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment = environment(&[("SITE_URL", " ")]);
        let error = environment.site_url().unwrap_err().to_string();
        assert!(error.starts_with("SITE_URL is not set"), "{error}");
    }

    #[tokio::test]
    async fn a_stripe_key_must_be_secret_and_of_the_deployed_mode() {
        for (key, mode, wrong) in [
            ("pk_test_1", "test", "publishable"),
            ("whsec_1", "test", "starts with"),
            ("sk_live_1", "test", "mode"),
            ("rk_test_1", "live", "mode"),
        ] {
            let environment = environment(&[("STRIPE_SECRET_KEY", key), ("TILL_MODE", mode)]);
            let error = environment.stripe_key().await.unwrap_err().to_string();
            assert!(error.contains(wrong) && !error.contains(key), "{error}");
        }
        let fine = environment(&[("STRIPE_SECRET_KEY", "rk_live_1"), ("TILL_MODE", "live")]);
        assert!(fine.stripe_key().await.is_ok());
    }

    #[tokio::test]
    async fn an_empty_or_other_secret_for_the_webhook_keeps_the_function_from_starting() {
        for secrets in ["", ",", "whsec_a,", "whsec_a,,whsec_b", "whsec_a,sk_test_b"] {
            let environment = environment(&[("STRIPE_WEBHOOK_SECRETS", secrets)]);
            assert!(environment.webhook_secrets().await.is_err(), "{secrets:?}");
        }
        let two = environment(&[("STRIPE_WEBHOOK_SECRETS", "whsec_a, whsec_b")]);
        assert_eq!(two.webhook_secrets().await.unwrap().current().len(), 2);
    }

    #[test]
    fn a_stack_owns_what_has_its_tag_or_a_former_one() {
        let stack = environment(&[
            ("TILL_STACK", "till-2"),
            ("TILL_FORMER_STACKS", "till, till-1,"),
        ]);
        let stack = stack.stack().unwrap();
        assert_eq!(stack.tag(), "till-2");
        for own in ["till-2", "till", "till-1"] {
            assert!(stack.owns(own), "{own}");
        }
        for foreign in ["", "till-3", "till, till-1"] {
            assert!(!stack.owns(foreign), "{foreign}");
        }
        assert!(environment(&[("TILL_STACK", "a,b")]).stack().is_err());
        assert!(environment(&[]).stack().is_err());
    }

    #[test]
    fn an_environment_prints_no_values() {
        let environment = environment(&[("STRIPE_SECRET_KEY", "sk_test_private")]);
        assert!(!format!("{environment:?}").contains("private"));
    }
}
