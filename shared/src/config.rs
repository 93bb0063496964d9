//! What a function reads from its environment, once, at start. Every error names the variable.

use std::{collections::BTreeMap, fmt};

use crate::{
    clock::Clock,
    https::NoTls,
    mode::Mode,
    network::Network,
    purchase::{Billing, PurchaseIds},
    shipping::{Shipping, WrongShipping},
};

/// A variable that is missing or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not set, or set to nothing.
    #[error("{0} is not set: give it a value in the function's environment")]
    Missing(&'static str),
    /// Set to an unusable value.
    #[error("{name}: {wrong}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// What is wrong with it; never its value if that is a secret.
        wrong: String,
    },
    /// No calls can be made.
    #[error(transparent)]
    NoTls(#[from] NoTls),
    /// A secret that does not exist: the shop is not set up yet.
    #[error("{variable}: there is no {name:?} in {store}; `till setup` stores it")]
    NoSecret {
        /// The variable whose value it is, such as `STRIPE_SECRET_KEY`.
        variable: &'static str,
        /// What it should be called in the store.
        name: String,
        /// Parameter Store or Secrets Manager.
        store: &'static str,
    },
    /// A secret that cannot be fetched.
    #[error("{variable}: {name:?} cannot be read from {store}: {why}")]
    Secret {
        /// The variable whose value it is, such as `STRIPE_SECRET_KEY`.
        variable: &'static str,
        /// What it is called in the store.
        name: String,
        /// Parameter Store or Secrets Manager.
        store: &'static str,
        /// What the store said.
        why: String,
    },
}

/// The variables, and what else a function finds around it: the time, the network, and ids that
/// nobody has had. An empty variable counts as not set, because a template cannot leave one out.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    clock: Clock,
    network: Network,
    purchase_ids: PurchaseIds,
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
            network: Network::default(),
            purchase_ids: PurchaseIds::default(),
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

    /// The same variables with another clock.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The clock that everything goes by.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The same variables in another network.
    pub fn with_network(self, network: Network) -> Self {
        Self { network, ..self }
    }

    /// Where calls go.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The same variables with another source of purchase ids.
    pub fn with_purchase_ids(self, purchase_ids: PurchaseIds) -> Self {
        Self {
            purchase_ids,
            ..self
        }
    }

    /// Where new purchases get their ids.
    pub fn purchase_ids(&self) -> PurchaseIds {
        self.purchase_ids.clone()
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
                wrong: format!("{tag:?} has a comma, but a stack has one tag"),
            });
        }
        let former = self.optional("TILL_FORMER_STACKS").unwrap_or_default();
        let former = former.split(',').map(|tag| tag.trim().to_owned());
        Ok(Stack {
            tag: tag.to_owned(),
            former: former.filter(|tag| !tag.is_empty()).collect(),
        })
    }

    /// `SHIPPING_COUNTRIES` and `SHIPPING_RATES`. Without the first, nothing is delivered; without
    /// the second, shipping is free.
    pub fn shipping(&self) -> Result<Shipping, ConfigError> {
        let [countries, rates] = ["SHIPPING_COUNTRIES", "SHIPPING_RATES"];
        let said = |name| self.optional(name).unwrap_or_default();
        Shipping::parse(said(countries), said(rates)).map_err(|wrong| ConfigError::Wrong {
            name: match wrong {
                WrongShipping::Countries(_) => countries,
                WrongShipping::Rates(_) => rates,
            },
            wrong: wrong.to_string(),
        })
    }

    /// `AUTOMATIC_TAX` and `INVOICE_CREATION`, each `false` unless it is set to `true`.
    pub fn billing(&self) -> Result<Billing, ConfigError> {
        Ok(Billing {
            automatic_tax: self.switch("AUTOMATIC_TAX")?,
            invoice: self.switch("INVOICE_CREATION")?,
        })
    }

    /// `SALE_MAILS`: `each` unless set, `daily`, or `none`.
    pub fn sale_mails(&self) -> Result<SaleMails, ConfigError> {
        const NAME: &str = "SALE_MAILS";
        match self.optional(NAME) {
            None | Some("each") => Ok(SaleMails::Each),
            Some("daily") => Ok(SaleMails::Daily),
            Some("none") => Ok(SaleMails::None),
            Some(other) => Err(ConfigError::Wrong {
                name: NAME,
                wrong: format!("{other:?} is neither each, daily nor none"),
            }),
        }
    }

    fn switch(&self, name: &'static str) -> Result<bool, ConfigError> {
        match self.optional(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(ConfigError::Wrong {
                name,
                wrong: format!("{other:?} is neither true nor false"),
            }),
        }
    }

    /// `SITE_URL`, without a slash at its end.
    pub fn site_url(&self) -> Result<String, ConfigError> {
        Ok(self.required("SITE_URL")?.trim_end_matches('/').to_owned())
    }
}

/// How the seller hears of sales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaleMails {
    /// By a mail for each.
    Each,
    /// By one mail a day for all of them.
    Daily,
    /// By no mail.
    None,
}

/// How we know that an email address is the buyer's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailVerified {
    /// The token's claim `email_verified` says so.
    Claim,
    /// The issuer verifies every address but has no claim that says so, like an Entra ID tenant of
    /// the shop's own.
    Always,
}

/// How this deployment recognizes its own objects in a Stripe account that others may share: it
/// tags everything it makes there.
#[derive(Clone, Debug)]
pub struct Stack {
    tag: String,
    former: Vec<String>,
}

impl Stack {
    /// The tag for whatever is created from now on.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether an object with this tag is ours, created under the current tag or a former one.
    pub fn owns(&self, tag: &str) -> bool {
        self.tag == tag || self.former.iter().any(|former| former == tag)
    }
}

#[cfg(test)]
impl Environment {
    /// With these variables.
    pub(crate) fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        BTreeMap::from(owned).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment = Environment::of([("SITE_URL", " ")]);
        let error = environment.site_url().unwrap_err().to_string();
        assert!(error.starts_with("SITE_URL is not set"), "{error}");
    }

    #[test]
    fn a_stack_owns_objects_with_its_tag_or_a_former_one() {
        let stack = Environment::of([
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
        assert!(Environment::of([("TILL_STACK", "a,b")]).stack().is_err());
        assert!(Environment::of([]).stack().is_err());
    }

    #[test]
    fn tax_and_invoices_are_left_alone_unless_the_settings_say_true() {
        let wanted = |tax, invoice| {
            let environment =
                Environment::of([("AUTOMATIC_TAX", tax), ("INVOICE_CREATION", invoice)]);
            let billing = environment.billing();
            billing.map(|billing| (billing.automatic_tax, billing.invoice))
        };
        assert_eq!(wanted("", "").unwrap(), (false, false));
        assert_eq!(wanted("true", "false").unwrap(), (true, false));
        assert_eq!(wanted("false", "true").unwrap(), (false, true));
        let error = wanted("yes", "").unwrap_err().to_string();
        assert_eq!(error, r#"AUTOMATIC_TAX: "yes" is neither true nor false"#);
        let error = wanted("true", "1").unwrap_err().to_string();
        assert!(error.starts_with("INVOICE_CREATION: "), "{error}");
    }

    #[test]
    fn the_seller_hears_of_each_sale_unless_the_setting_says_otherwise() {
        let wanted = |setting| Environment::of([("SALE_MAILS", setting)]).sale_mails();
        for (setting, mails) in [
            ("", SaleMails::Each),
            ("each", SaleMails::Each),
            ("daily", SaleMails::Daily),
            ("none", SaleMails::None),
        ] {
            assert_eq!(wanted(setting).unwrap(), mails, "{setting}");
        }
        let error = wanted("weekly").unwrap_err().to_string();
        assert_eq!(
            error,
            r#"SALE_MAILS: "weekly" is neither each, daily nor none"#
        );
    }

    #[test]
    fn an_environment_does_not_print_its_values() {
        let environment = Environment::of([("STRIPE_SECRET_KEY", "sk_test_private")]);
        assert!(!format!("{environment:?}").contains("private"));
    }
}
