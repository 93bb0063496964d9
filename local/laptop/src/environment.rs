//! The environment of each function on this machine: what the template declares, with local
//! addresses, and what the developer sets in the environment or in `.env`.

use std::collections::BTreeMap;

use anyhow::bail;
use shared::mode::Mode;
use shared::stripe::key::StripeKey;
use template::{Parameters, Template};
use url::Url;

/// A function's environment.
pub type Variables = BTreeMap<String, String>;

/// The key that the Stripe stand-in accepts.
pub const STAND_IN_KEY: &str = "sk_test_local";
/// The secret that the Stripe stand-in signs webhooks with.
pub const STAND_IN_WEBHOOK_SECRET: &str = "whsec_local";

/// The bucket with the pictures that were uploaded to the site, which is otherwise in a folder of the
/// checkout.
pub const SITE_BUCKET: &str = "SiteBucket";

/// The access key that everything on this machine signs with.
pub const AWS_KEY_ID: &str = "local";
/// Its secret, which is none.
pub const AWS_SECRET: &str = "local";

/// Values for variables whose template parameter has no default, or an empty one, because the shop
/// must start, and deliver, without any setup.
const FALLBACKS: [(&str, &str); 6] = [
    ("SHOP_NAME", "Till"),
    ("MAIL_FROM", "shop@example.com"),
    ("SELLER_EMAIL", "seller@example.com"),
    ("DEVELOPER_EMAIL", "developer@example.com"),
    ("SHIPPING_COUNTRIES", "AT,CA,CH,DE,GB,US"),
    (
        "SHIPPING_RATES",
        "Standard: 5.00 USD, free from 75.00, to US; Express: 14.00 USD, to US; Airmail: 12.00 USD, \
         to AT CA CH DE GB",
    ),
];

/// Who takes the money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stripe {
    /// The stand-in on this machine.
    StandIn,
    /// Stripe's test mode, with the developer's own key.
    Real {
        /// `sk_test_…` or `rk_test_…`.
        key: String,
        /// Comma-separated, from `stripe listen`.
        webhook_secrets: String,
    },
}

impl Stripe {
    /// Reads what the developer chose. Live keys are refused, because a laptop is not the place for
    /// real money.
    pub fn chosen(given: &Variables) -> anyhow::Result<Self> {
        let key = said(given, "STRIPE_SECRET_KEY").unwrap_or(STAND_IN_KEY);
        if key == STAND_IN_KEY {
            return Ok(Self::StandIn);
        }
        match key.parse::<StripeKey>().map(|key| key.mode()) {
            Ok(Mode::Test) => {}
            Ok(Mode::Live) => bail!(
                "STRIPE_SECRET_KEY is a live key, and the local shop never touches real money; \
                 use a test key (sk_test_…) or leave it empty for the stand-in"
            ),
            Err(_) => bail!(
                "STRIPE_SECRET_KEY is not a Stripe test key; \
                 it must start with sk_test_ or rk_test_, or be empty for the stand-in"
            ),
        }
        let Some(webhook_secrets) = said(given, "STRIPE_WEBHOOK_SECRETS") else {
            bail!(
                "STRIPE_WEBHOOK_SECRETS is missing: with a key of your own, \
                 set it to the whsec_… that `stripe listen` prints"
            );
        };
        Ok(Self::Real {
            key: key.to_owned(),
            webhook_secrets: webhook_secrets.to_owned(),
        })
    }
}

/// The addresses of everything that listens.
pub struct Addresses {
    /// The site, the HTTP API, the webhook and the dashboard: `http://127.0.0.1:3000`.
    pub shop: String,
    /// The site that buyers use: the shop's own, or a front end at another origin.
    pub site: String,
    /// The Stripe stand-in, unless the real Stripe takes the money.
    pub stripe: Option<String>,
    /// DynamoDB, SES, EventBridge and S3.
    pub aws: String,
}

impl Addresses {
    /// The template's parameters that depend on them.
    pub fn parameters(&self) -> Parameters {
        Parameters::from([("SiteUrl".to_owned(), self.site.clone())])
    }
}

/// Every function's environment by its logical id.
pub fn compose(
    template: &Template,
    addresses: &Addresses,
    stripe: &Stripe,
    given: &Variables,
) -> anyhow::Result<BTreeMap<String, Variables>> {
    let facts = facts(addresses, stripe, given);
    let mut environments = BTreeMap::new();
    for (id, function) in &template.functions {
        let mut environment = Variables::new();
        for (name, declared) in &function.environment {
            let fallback = FALLBACKS.iter().find(|(fallback, _)| fallback == name);
            let value = facts
                .get(name.as_str())
                .cloned()
                .or_else(|| said(given, name).map(str::to_owned))
                .or_else(|| declared.clone().filter(|value| !value.is_empty()))
                .or_else(|| fallback.map(|(_, value)| (*value).to_owned()))
                .or_else(|| declared.clone());
            let Some(value) = value else {
                bail!(
                    "{id} needs {name}, which template.yaml leaves to a parameter without a default; \
                     set {name} in the environment or in .env"
                );
            };
            environment.insert(name.clone(), value);
        }
        // What Lambda itself sets.
        environment.insert("AWS_LAMBDA_FUNCTION_NAME".into(), id.clone());
        for (name, value) in [
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", AWS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", AWS_SECRET),
            ("AWS_ENDPOINT_URL", addresses.aws.as_str()),
        ] {
            environment.insert(name.into(), value.into());
        }
        environments.insert(id.clone(), environment);
    }
    Ok(environments)
}

/// Variables that this machine decides, whatever the template or the developer says.
fn facts(
    addresses: &Addresses,
    stripe: &Stripe,
    given: &Variables,
) -> BTreeMap<&'static str, String> {
    let mut facts = BTreeMap::from([
        ("TILL_MODE", "test".to_owned()),
        ("SITE_URL", addresses.site.clone()),
        ("AWS_ENDPOINT_URL", addresses.aws.clone()),
        ("AWS_ENDPOINT_URL_DYNAMODB", addresses.aws.clone()),
        ("AWS_ENDPOINT_URL_SES", addresses.aws.clone()),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", addresses.aws.clone()),
        ("AWS_ENDPOINT_URL_S3", addresses.aws.clone()),
    ]);
    match stripe {
        Stripe::StandIn => {
            // The developer's own secret stays valid beside the stand-in's.
            let own =
                said(given, "STRIPE_WEBHOOK_SECRETS").filter(|own| *own != STAND_IN_WEBHOOK_SECRET);
            let secrets = own
                .into_iter()
                .chain([STAND_IN_WEBHOOK_SECRET])
                .collect::<Vec<_>>()
                .join(",");
            facts.insert("STRIPE_SECRET_KEY", STAND_IN_KEY.to_owned());
            facts.insert("STRIPE_WEBHOOK_SECRETS", secrets);
            facts.insert(
                "STRIPE_API_BASE",
                addresses.stripe.clone().unwrap_or_default(),
            );
            // The stand-in's disputes are shown on this machine's own dashboard.
            facts.insert("STRIPE_DASHBOARD_URL", format!("{}/_local", addresses.shop));
        }
        Stripe::Real {
            key,
            webhook_secrets,
        } => {
            facts.insert("STRIPE_SECRET_KEY", key.clone());
            facts.insert("STRIPE_WEBHOOK_SECRETS", webhook_secrets.clone());
        }
    }
    facts
}

/// The developer's value; an empty one counts as not set.
pub fn said<'e>(given: &'e Variables, name: &str) -> Option<&'e str> {
    given
        .get(name)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

/// The engine that the developer's environment names for an AWS service, in the SDKs' own
/// variables; `None` if that is this shop's, which is at `own`.
pub(crate) fn elsewhere(
    given: &Variables,
    service: &str,
    own: &str,
) -> anyhow::Result<Option<String>> {
    let names = [
        format!("AWS_ENDPOINT_URL_{service}"),
        "AWS_ENDPOINT_URL".to_owned(),
    ];
    for name in names {
        let Some(endpoint) = said(given, &name) else {
            continue;
        };
        let url = Url::parse(endpoint)
            .ok()
            .filter(|url| url.scheme() == "http" && url.has_host());
        let Some(url) = url else {
            bail!(
                "{name} is {endpoint}, which is not the http:// address of an engine on this machine"
            );
        };
        let ours = Url::parse(own)?;
        // Set for the aws CLI, say, so that it finds this shop.
        if url.port_or_known_default() == ours.port() && is_loopback(&url) {
            return Ok(None);
        }
        return Ok(Some(url.to_string()));
    }
    Ok(None)
}

/// Where the developer wants the shop's events to be posted to.
pub(crate) fn events_url(given: &Variables) -> anyhow::Result<Option<Url>> {
    let Some(text) = said(given, "EVENTS_URL") else {
        return Ok(None);
    };
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match url {
        Some(url) => Ok(Some(url)),
        None => bail!("EVENTS_URL is {text}, which is not an http:// or https:// URL"),
    }
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(entries: &[(&str, &str)]) -> Variables {
        entries
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn composed(variables: &str, given: &Variables) -> anyhow::Result<Variables> {
        let text = format!(
            "Parameters: {{ ShopName: {{ Default: Fallback }}, Bare: {{ Type: String }} }}\n\
             Resources:\n  CheckoutFunction:\n    Type: AWS::Serverless::Function\n\
             \x20   Properties:\n      Environment:\n        Variables: {variables}\n"
        );
        let template = Template::parse("template.yaml", &text, &Parameters::new()).unwrap();
        let addresses = Addresses {
            shop: "http://127.0.0.1:3000".into(),
            site: "http://localhost:5173".into(),
            stripe: Some("http://127.0.0.1:3001".into()),
            aws: "http://127.0.0.1:3002".into(),
        };
        let mut all = compose(&template, &addresses, &Stripe::chosen(given)?, given)?;
        Ok(all.remove("CheckoutFunction").unwrap())
    }

    #[test]
    fn addresses_come_from_this_machine_names_from_the_developer_and_the_rest_from_the_template() {
        let environment = composed(
            "{ SITE_URL: !Ref Bare, SHOP_NAME: !Ref ShopName, LOG_LEVEL: INFO, MAIL_FROM: !Ref Bare }",
            &given(&[
                ("SITE_URL", "https://elsewhere.example"),
                ("SHOP_NAME", "Mugs & More"),
                ("LOG_LEVEL", ""),
                ("UNDECLARED", "x"),
            ]),
        )
        .unwrap();
        assert_eq!(environment["SITE_URL"], "http://localhost:5173");
        assert_eq!(environment["SHOP_NAME"], "Mugs & More");
        assert_eq!(environment["LOG_LEVEL"], "INFO");
        assert_eq!(environment["MAIL_FROM"], "shop@example.com");
        assert!(!environment.contains_key("UNDECLARED"));
    }

    #[test]
    fn a_variable_without_a_value_is_named() {
        let error = composed("{ NEWS: !Ref Bare }", &Variables::new())
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("CheckoutFunction needs NEWS"), "{error}");
    }

    #[test]
    fn without_a_key_the_stand_in_takes_the_money() {
        let variables =
            "{ STRIPE_SECRET_KEY: '', STRIPE_WEBHOOK_SECRETS: '', STRIPE_API_BASE: '' }";
        let environment = composed(
            variables,
            &given(&[("STRIPE_WEBHOOK_SECRETS", "whsec_own")]),
        )
        .unwrap();
        assert_eq!(environment["STRIPE_SECRET_KEY"], "sk_test_local");
        assert_eq!(
            environment["STRIPE_WEBHOOK_SECRETS"],
            "whsec_own,whsec_local"
        );
        assert_eq!(environment["STRIPE_API_BASE"], "http://127.0.0.1:3001");
    }

    #[test]
    fn with_the_developers_own_test_key_the_real_stripe_takes_the_money() {
        let variables =
            "{ STRIPE_SECRET_KEY: '', STRIPE_WEBHOOK_SECRETS: '', STRIPE_API_BASE: '' }";
        let own = given(&[
            ("STRIPE_SECRET_KEY", "sk_test_1"),
            ("STRIPE_WEBHOOK_SECRETS", "whsec_1"),
        ]);
        let environment = composed(variables, &own).unwrap();
        assert_eq!(environment["STRIPE_SECRET_KEY"], "sk_test_1");
        assert_eq!(environment["STRIPE_WEBHOOK_SECRETS"], "whsec_1");
        assert_eq!(environment["STRIPE_API_BASE"], "");
    }

    #[test]
    fn live_keys_and_half_a_configuration_are_refused() {
        for (environment, complaint) in [
            (
                given(&[("STRIPE_SECRET_KEY", "sk_live_1")]),
                "STRIPE_SECRET_KEY is a live key",
            ),
            (
                given(&[("STRIPE_SECRET_KEY", "rk_live_1")]),
                "STRIPE_SECRET_KEY is a live key",
            ),
            (
                given(&[("STRIPE_SECRET_KEY", "pk_test_1")]),
                "STRIPE_SECRET_KEY is not a Stripe test key",
            ),
            (
                given(&[("STRIPE_SECRET_KEY", "sk_test_1")]),
                "STRIPE_WEBHOOK_SECRETS is missing",
            ),
        ] {
            let error = Stripe::chosen(&environment).unwrap_err().to_string();
            assert!(error.starts_with(complaint), "{error}");
            assert!(!error.contains("live_1"), "a key shows in {error}");
        }
    }
}
