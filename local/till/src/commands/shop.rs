//! Which shop a command works on: the one that `cargo run` opened on this machine, or a deployed
//! stack. Either way it comes down to the environment that the functions have, so that commands
//! are built from the functions' own parts.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_cloudformation::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_types::region::Region;
use clap::Args;
use laptop::environment::{self, Addresses, Variables, compose, said};
use laptop::tag;
use shared::config::{ConfigError, Environment};
use shared::https::ForSdk;
use shared::mode::Mode;
use shared::product::Site;
use shared::store::Tables;
use shared::store::history::History;
use shared::store::operator::{AllPurchases, Assortment, Confirmation, Mails, ParkedEvents};
use shared::store::pointers::Pointers;
use shared::store::products::{Offers, Shelf};
use shared::store::purchases::Purchases;
use shared::stripe::client::Client as Stripe;
use template::Template;
use template::project::Project;
use tokio::net::TcpStream;
use url::Url;

use super::dot_env;
use super::exit::NotFound;

/// Which shop.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which shop (by default the one `cargo run` opened here)")]
pub(super) struct Where {
    /// A deployed one, by its CloudFormation stack
    #[arg(long, value_name = "NAME", conflicts_with_all = ["port", "stripe_port", "aws_port"])]
    stack: Option<String>,
    /// The stack's region [default: the profile's]
    #[arg(long, requires = "stack")]
    region: Option<String>,
    /// The AWS profile whose credentials to use [default: as the AWS CLI chooses]
    #[arg(long, value_name = "NAME", requires = "stack")]
    profile: Option<String>,
    /// Port of the shop on this machine
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Port of its Stripe stand-in
    #[arg(long, default_value_t = 3001)]
    stripe_port: u16,
    /// Port of its DynamoDB [default: that of AWS_ENDPOINT_URL if set, else 3002]
    #[arg(long)]
    aws_port: Option<u16>,
}

/// A shop, ready to be worked on.
pub(super) struct Shop {
    /// As a sentence names it.
    name: String,
    /// Whether real money moves.
    pub(super) mode: Mode,
    /// What its functions read, all in one.
    pub(super) environment: Environment,
    /// The stack, of a deployed one.
    pub(super) stack: Option<Stack>,
}

impl Where {
    /// Finds the shop and sees that it is there.
    pub(super) async fn open(&self) -> anyhow::Result<Shop> {
        let shop = match &self.stack {
            None => self.local().await?,
            Some(name) => {
                let aws = self.aws().await?;
                let stack = Stack::describe(&aws, name).await?;
                Shop::deployed(stack, &aws).await?
            }
        };
        Ok(shop)
    }

    /// How to call AWS as the operator: the profile named, else whatever the AWS CLI would use.
    pub(super) async fn aws(&self) -> anyhow::Result<SdkConfig> {
        let mut loader =
            aws_config::defaults(BehaviorVersion::latest()).http_client(ForSdk::new()?);
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let aws = loader.load().await;
        if aws.region().is_none() {
            bail!("there is no AWS region: say --region, or set one in the profile");
        }
        Ok(aws)
    }

    /// Whether it is a deployed one.
    pub(super) fn is_deployed(&self) -> bool {
        self.stack.is_some()
    }

    /// What a command line needs, beside `--stack`, to find the same shop.
    pub(super) fn options(&self) -> String {
        let option = |name: &str, value: &Option<String>| {
            let value = value.as_ref();
            value.map_or(String::new(), |value| format!(" --{name} {value}"))
        };
        option("region", &self.region) + &option("profile", &self.profile)
    }

    async fn local(&self) -> anyhow::Result<Shop> {
        let project = Project::find()?;
        let given = dot_env::environment(&project)?;
        let at = |port: u16| format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
        let endpoint = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]
            .iter()
            .find_map(|name| said(&given, name));
        let aws = match (self.aws_port, endpoint) {
            (Some(port), _) => at(port),
            (None, Some(endpoint)) => endpoint.to_owned(),
            (None, None) => at(3002),
        };
        let addresses = Addresses {
            shop: at(self.port),
            site: at(self.port),
            stripe: Some(at(self.stripe_port)),
            aws,
        };
        see_that_it_answers(&addresses.aws).await?;
        let template = Template::read(&project.template, &addresses.parameters())?;
        let stripe = environment::Stripe::chosen(&given)?;
        let mut environments = compose(&template, &addresses, &stripe, &given)?;
        tag::tell(environments.values_mut(), &given).await?;
        let environment: Variables = environments.into_values().flatten().collect();
        let environment = Environment::from(environment);
        Ok(Shop {
            name: format!("the shop on this machine ({})", addresses.shop),
            mode: environment.mode()?,
            environment,
            stack: None,
        })
    }
}

async fn see_that_it_answers(aws: &str) -> anyhow::Result<()> {
    let url = Url::parse(aws).with_context(|| format!("{aws} is not a URL"))?;
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let connected = tokio::time::timeout(Duration::from_secs(2), TcpStream::connect((host, port)));
    match connected.await {
        Ok(Ok(_)) => Ok(()),
        _ => bail!(
            "no shop is open at {aws}: open one with `cargo run`, give its --aws-port if it has \
             another, or name a deployed one with --stack"
        ),
    }
}

impl Shop {
    /// The shop that a stack is, as the operator with these credentials sees it.
    async fn deployed(stack: Stack, aws: &SdkConfig) -> anyhow::Result<Self> {
        let credentials = aws.credentials_provider().context(NO_CREDENTIALS)?;
        let credentials = credentials.provide_credentials().await;
        let credentials = credentials.context(NO_CREDENTIALS)?;
        let environment = stack.environment(aws, &credentials)?;
        let mode = environment.mode()?;
        let kind = match mode {
            Mode::Test => "test mode",
            Mode::Live => "LIVE mode",
        };
        let name = format!(
            "stack {} ({kind}, account {}, {})",
            stack.name, stack.account, stack.region
        );
        Ok(Self {
            name,
            mode,
            environment,
            stack: Some(stack),
        })
    }

    /// As a sentence names it: `the shop on this machine (…)`, or the stack with its mode, account
    /// and region.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What is said before anything is written to a deployed shop.
    pub(super) fn announce_writing(&self, console: super::console::Console) {
        if self.stack.is_some() {
            console.note(&format!("Writing to {}.", self.name));
        }
    }

    /// Where its products are looked at.
    pub(super) fn site(&self) -> Site {
        match self.stack {
            Some(_) => Site::Deployed,
            None => Site::Local,
        }
    }

    /// What is for sale, as everybody sees it.
    pub(super) fn shelf(&self) -> anyhow::Result<Shelf> {
        Ok(Shelf::of(&self.tables()?)?)
    }

    /// What is for sale, product by product.
    pub(super) fn offers(&self) -> anyhow::Result<Offers> {
        Ok(Offers::of(&self.tables()?)?)
    }

    /// What is for sale, to be changed.
    pub(super) fn assortment(&self) -> anyhow::Result<Assortment> {
        Ok(Assortment::of(&self.tables()?)?)
    }

    /// What was bought.
    pub(super) fn purchases(&self) -> anyhow::Result<Purchases> {
        Ok(Purchases::of(&self.tables()?)?)
    }

    /// What was bought, all of it, and all that was recorded of it.
    pub(super) fn all_purchases(&self) -> anyhow::Result<AllPurchases> {
        Ok(AllPurchases::of(&self.tables()?)?)
    }

    /// What each buyer bought.
    pub(super) fn history(&self) -> anyhow::Result<History> {
        Ok(History::of(&self.tables()?)?)
    }

    /// Whose payments are.
    pub(super) fn pointers(&self) -> anyhow::Result<Pointers> {
        Ok(Pointers::of(&self.tables()?)?)
    }

    /// Events that were put aside.
    pub(super) fn parked(&self) -> anyhow::Result<ParkedEvents> {
        Ok(ParkedEvents::of(&self.tables()?)?)
    }

    /// Mail.
    pub(super) fn mails(&self) -> anyhow::Result<Mails> {
        Ok(Mails::of(&self.tables()?)?)
    }

    /// Purchases that had to be rebuilt.
    pub(super) fn confirmation(&self) -> anyhow::Result<Confirmation> {
        Ok(Confirmation::of(&self.tables()?)?)
    }

    /// Now, in Unix seconds.
    pub(super) fn now(&self) -> i64 {
        self.environment.clock().now()
    }

    /// The account that takes the money.
    pub(super) async fn stripe(&self) -> anyhow::Result<Stripe> {
        Ok(Stripe::new(&self.environment).await?)
    }

    fn tables(&self) -> Result<Tables, ConfigError> {
        Tables::of(&self.environment)
    }
}

const NO_CREDENTIALS: &str = "AWS knows no credentials of yours: log in (`aws sso login`), or \
                              choose a profile with --profile";

/// A CloudFormation stack.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    /// Its name.
    pub(super) name: String,
    /// The account it is in.
    pub(super) account: String,
    /// The region it is in.
    pub(super) region: String,
    /// Such as `UPDATE_COMPLETE`.
    pub(super) status: String,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Stack {
    /// Asks CloudFormation.
    pub(super) async fn describe(aws: &SdkConfig, name: &str) -> anyhow::Result<Self> {
        let region = aws.region().map_or("no region", Region::as_ref).to_owned();
        let client = aws_sdk_cloudformation::Client::new(aws);
        let answer = client.describe_stacks().stack_name(name).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let said = error.message().unwrap_or_default();
                if said.contains("does not exist") {
                    return Err(NotFound(format!(
                        "there is no stack {name} in {region}: `aws cloudformation list-stacks` \
                         shows those there are; --region and --profile look elsewhere"
                    ))
                    .into());
                }
                let why = match error.as_service_error() {
                    Some(_) => format!("{}: {said}", error.code().unwrap_or("an error")),
                    None => DisplayErrorContext(&error).to_string(),
                };
                let hint = if error.as_service_error().is_none() {
                    format!(" ({NO_CREDENTIALS})")
                } else {
                    String::new()
                };
                bail!("CloudFormation does not describe the stack {name} in {region}: {why}{hint}");
            }
        };
        let stack = answer.stacks.unwrap_or_default().into_iter().next();
        let stack = stack.with_context(|| format!("CloudFormation shows no stack {name}"))?;
        // arn:aws:cloudformation:<region>:<account>:stack/<name>/<id>
        let arn = stack.stack_id().unwrap_or_default();
        let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
        let status = stack.stack_status().map(|status| status.as_str());
        let status = status.unwrap_or_default().to_owned();
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        let parameters = stack.parameters.unwrap_or_default().into_iter();
        Ok(Self {
            // Given by its id, perhaps; the functions know it by its name.
            name: stack.stack_name.unwrap_or_else(|| name.to_owned()),
            account,
            region,
            status,
            outputs: outputs
                .filter_map(|output| Some((output.output_key?, output.output_value?)))
                .collect(),
            parameters: parameters
                .filter_map(|given| Some((given.parameter_key?, given.parameter_value?)))
                .collect(),
        })
    }

    /// What the stack's functions have in their environment, with the operator's credentials.
    fn environment(
        &self,
        aws: &SdkConfig,
        credentials: &Credentials,
    ) -> anyhow::Result<Environment> {
        let mut variables = Variables::new();
        let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
        set("TILL_STACK", self.output("StackTag")?);
        set("AWS_REGION", &self.region);
        set("AWS_ACCESS_KEY_ID", credentials.access_key_id());
        set("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key());
        set(
            "AWS_SESSION_TOKEN",
            credentials.session_token().unwrap_or_default(),
        );
        set("AWS_ENDPOINT_URL", aws.endpoint_url().unwrap_or_default());
        for (variable, output) in [
            ("PRODUCTS_TABLE", "ProductsTable"),
            ("PURCHASES_TABLE", "PurchasesTable"),
            ("OUTBOX_TABLE", "OutboxTable"),
        ] {
            set(variable, self.output(output)?);
        }
        for (variable, output) in [
            ("STRIPE_SECRET_KEY_PARAMETER", "StripeSecretKeyParameter"),
            (
                "STRIPE_WEBHOOK_SECRETS_PARAMETER",
                "StripeWebhookSecretsParameter",
            ),
        ] {
            set(variable, self.output(output)?);
        }
        set("TILL_MODE", self.parameter("Mode")?);
        // What not every command needs.
        for (variable, parameter) in [
            ("TILL_FORMER_STACKS", "FormerStackTags"),
            ("SHOP_NAME", "ShopName"),
            ("MAIL_FROM", "MailFrom"),
            ("DEVELOPER_EMAIL", "DeveloperEmail"),
            ("SELLER_EMAIL", "SellerEmail"),
            ("EMAIL_VERIFIED", "EmailVerified"),
        ] {
            if let Ok(value) = self.parameter(parameter) {
                set(variable, value);
            }
        }
        let site = self.output("SiteAddress");
        if let Ok(site) = site.or_else(|_| self.parameter("SiteUrl")) {
            set("SITE_URL", site);
        }
        // Where else than at AWS and Stripe the operator wants these services to be looked for. A
        // live key goes to Stripe and nowhere else.
        let mut elsewhere = vec!["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SSM"];
        if self.parameter("Mode")? == "test" {
            elsewhere.push("STRIPE_API_BASE");
        }
        for name in elsewhere {
            if let Ok(value) = std::env::var(name) {
                set(name, &value);
            }
        }
        Ok(Environment::from(variables))
    }

    /// One of the template's outputs.
    pub(super) fn output(&self, name: &str) -> anyhow::Result<&str> {
        self.value(&self.outputs, "output", name)
    }

    /// What one of the template's parameters was given.
    pub(super) fn parameter(&self, name: &str) -> anyhow::Result<&str> {
        self.value(&self.parameters, "parameter", name)
    }

    fn value<'s>(
        &self,
        values: &'s BTreeMap<String, String>,
        kind: &str,
        name: &str,
    ) -> anyhow::Result<&'s str> {
        let value = values.get(name).map(String::as_str);
        value.with_context(|| {
            format!(
                "the stack {} ({}) has no {kind} {name}: it is not a Till, or of another version; \
                 deploy this version first",
                self.name, self.status
            )
        })
    }
}
