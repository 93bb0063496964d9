//! `till doctor`: is everything in place for a shop to sell, and what is to be done if not. It
//! changes nothing; the one thing it sends is an event that means nothing.

mod clock;
mod endpoint;
mod function_url;
mod keys;
mod mail;
mod report;
mod secrets;
mod site;
mod tables;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use clap::Args;
use futures::future::BoxFuture;
use shared::config::{EmailVerified, Environment};
use shared::mode::Mode;
use shared::stripe::key::StripeKey;
use template::project::Project;
use template::{Parameters, Template};

use self::report::{Finding, Report, Verdict};
use super::console::Console;
use super::exit::Exit;
use super::shop::{Shop, Where};
use crate::account::aws::{AwsAccount, aws_error};
use crate::account::secrets::{Owner, SecretStore};
use crate::account::stripe::{Account, api_base};
use crate::account::stripe_key::{self, judge};
use crate::account::web::Web;

/// How long one check may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// `till doctor`.
#[derive(Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    console: Console,
}

/// A shop as the checks see it.
struct Patient {
    /// The name of a deployed one.
    stack: Option<String>,
    /// By what it knows its own at Stripe.
    tag: String,
    /// What else tells which deployed one: `--region` and `--profile`.
    options: String,
    mode: Mode,
    site_url: String,
    api_url: String,
    webhook_url: String,
    issuer: Option<String>,
    client_id: Option<String>,
    email_verified: EmailVerified,
    mail: Option<MailSettings>,
    /// The stack's user pool, if it has one.
    user_pool: Option<String>,
    stripe_base: String,
    key: Stored,
    /// Webhook's own, if it has one.
    webhook_key: Option<Stored>,
    /// With which Stripe is asked, if not with the shop's own.
    operator_key: Option<StripeKey>,
    webhook_secrets: Stored,
    /// Whose the secrets are that are there, by where they are.
    owners: Vec<(String, Result<Owner, String>)>,
    /// Names by logical id.
    tables: BTreeMap<String, String>,
    functions: BTreeMap<String, String>,
    template: Template,
    web: Web,
    /// Any address of AWS that tells the time.
    aws_clock: String,
}

/// Who sends the mail, and who gets it in test mode.
struct MailSettings {
    from: String,
    developer: String,
}

fn mail(environment: &Environment) -> Option<MailSettings> {
    Some(MailSettings {
        from: environment.optional("MAIL_FROM")?.to_owned(),
        developer: environment.optional("DEVELOPER_EMAIL")?.to_owned(),
    })
}

/// A secret, as far as it can be read from here.
enum Stored {
    Value {
        text: String,
        in_the_clear: Option<String>,
    },
    /// Where it should be.
    Missing(String),
    /// Why.
    Unknown(String),
}

impl Stored {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Value { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    fn list(&self) -> Vec<String> {
        let text = self.text().unwrap_or_default();
        text.split(',').map(|item| item.trim().to_owned()).collect()
    }

    /// Where anybody can read it who can read there at all.
    fn is_in_the_clear(&self) -> Option<&str> {
        match self {
            Self::Value { in_the_clear, .. } => in_the_clear.as_deref(),
            _ => None,
        }
    }

    fn said(environment: &Environment, variable: &str) -> Self {
        match environment.optional(variable) {
            Some(text) => Self::Value {
                text: text.to_owned(),
                in_the_clear: None,
            },
            None => Self::Missing(variable.to_owned()),
        }
    }

    async fn read(environment: &Environment, store: &SecretStore, variable: &str) -> Self {
        let names = format!("{variable}_PARAMETER");
        match environment.optional(&names) {
            Some(name) => Self::named(name, store, variable).await,
            None => Self::Missing(names),
        }
    }

    async fn named(name: &str, store: &SecretStore, variable: &str) -> Self {
        let place = store.place(name);
        match store.read(name, variable).await {
            Ok(Some(held)) => Self::Value {
                in_the_clear: (!held.encrypted).then_some(place),
                text: held.text,
            },
            Ok(None) => Self::Missing(place),
            Err(error) => Self::Unknown(format!("{place} cannot be read: {error}")),
        }
    }
}

impl Doctor {
    /// Checks, and says what came of it.
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.place.open().await?;
        let report = self.examine(shop).await?;
        self.console.show(&report, || report.text())?;
        let well = report.count(Verdict::Fail) == 0 && report.count(Verdict::Warn) == 0;
        Ok(if well { Exit::Done } else { Exit::Found })
    }

    async fn examine(&self, shop: Shop) -> anyhow::Result<Report> {
        let name = shop.name().to_owned();
        let aws = match &shop.stack {
            Some(_) => Some(self.place.aws().await?),
            None => None,
        };
        let web = Web::new(aws.as_ref().and_then(|aws| aws.endpoint_url()))?;
        let account = aws
            .as_ref()
            .map(|aws| AwsAccount::new(web.clone(), aws.clone()));
        let dynamodb = shared::store::client(&shop.environment)?;
        let (patient, functions) = match (&account, &aws) {
            (Some(account), Some(aws)) => {
                let functions = functions(aws, &shop).await;
                let patient = self.deployed(&shop, web, account).await?;
                (patient, functions)
            }
            _ => (self.local(&shop, web)?, Ok(BTreeMap::new())),
        };
        let mut patient = patient;
        let mut findings = Vec::new();
        let account = match functions {
            Ok(functions) => {
                patient.functions = functions;
                account
            }
            Err(error) => {
                findings.push(Finding::not_checked("functions", format!("{error:#}")));
                account
            }
        };
        let patient = &patient;
        let mut checks: Vec<(&'static str, BoxFuture<'_, Vec<Finding>>)> = vec![
            ("stripe key", Box::pin(keys::check(patient))),
            ("webhook key", Box::pin(keys::of_webhook(patient))),
            ("webhook endpoint", Box::pin(endpoint::check(patient))),
            ("test delivery", Box::pin(endpoint::deliver(patient))),
            ("tables", Box::pin(tables::check(patient, &dynamodb))),
            ("HTTP API", Box::pin(site::api(patient))),
            ("site config", Box::pin(site::config(patient))),
            ("sign-in", Box::pin(site::sign_in(patient))),
            ("clock", Box::pin(clock::check(patient))),
        ];
        if let Some(account) = &account {
            // Locally nothing answers preflights for other origins, and mail goes to the mailbox.
            checks.insert(
                4,
                (
                    "function URL",
                    Box::pin(function_url::check(patient, account)),
                ),
            );
            checks.insert(
                6,
                (
                    "mail stream",
                    Box::pin(function_url::mapping(patient, account)),
                ),
            );
            checks.insert(7, ("mail", Box::pin(mail::check(patient, account))));
            checks.insert(9, ("CORS", Box::pin(site::cors(patient))));
            checks.insert(1, ("secrets", Box::pin(secrets::check(patient))));
        }
        let checks = checks.into_iter().map(|(check, findings)| async move {
            let late = || format!("no answer within {} seconds", PATIENCE.as_secs());
            let findings = tokio::time::timeout(PATIENCE, findings).await;
            findings.unwrap_or_else(|_| vec![Finding::not_checked(check, late())])
        });
        findings.extend(
            futures::future::join_all(checks)
                .await
                .into_iter()
                .flatten(),
        );
        Ok(Report {
            shop: name,
            findings,
        })
    }

    fn template() -> anyhow::Result<Template> {
        Ok(Template::read(
            &Project::find()?.template,
            &Parameters::new(),
        )?)
    }

    /// The shop on this machine.
    fn local(&self, shop: &Shop, web: Web) -> anyhow::Result<Patient> {
        let environment = &shop.environment;
        let template = Self::template()?;
        let site = environment.site_url()?;
        let names = template
            .tables
            .iter()
            .map(|table| (table.name.clone(), table.name.clone()));
        Ok(Patient {
            stack: None,
            tag: environment.stack()?.tag().to_owned(),
            options: String::new(),
            mode: shop.mode,
            api_url: site.clone(),
            webhook_url: format!("{site}/webhook"),
            issuer: Some(format!("{site}/_local/identity")),
            client_id: Some("till-local".into()),
            email_verified: environment.email_verified()?,
            site_url: site,
            mail: None,
            user_pool: None,
            stripe_base: api_base(environment.optional("STRIPE_API_BASE"))?,
            key: Stored::said(environment, "STRIPE_SECRET_KEY"),
            webhook_key: None,
            operator_key: None,
            webhook_secrets: Stored::said(environment, "STRIPE_WEBHOOK_SECRETS"),
            owners: Vec::new(),
            tables: names.collect(),
            functions: BTreeMap::new(),
            template,
            web,
            aws_clock: environment.required("AWS_ENDPOINT_URL")?.to_owned(),
        })
    }

    /// A deployed one.
    async fn deployed(&self, shop: &Shop, web: Web, aws: &AwsAccount) -> anyhow::Result<Patient> {
        let environment = &shop.environment;
        let Some(stack) = &shop.stack else {
            anyhow::bail!("{} is no stack", shop.name());
        };
        let own = environment.stack()?;
        let tag = own.tag().to_owned();
        let store = SecretStore::new(aws.clone(), stack.parameter("SecretsStore").ok(), own)?;
        let (key, webhook_secrets) = futures::join!(
            Stored::read(environment, &store, "STRIPE_SECRET_KEY"),
            Stored::read(environment, &store, "STRIPE_WEBHOOK_SECRETS"),
        );
        let webhook_key = stack.parameter("StripeWebhookKeyParameter").ok();
        let webhook_key = webhook_key.filter(|name| !name.is_empty());
        let webhook_key = webhook_key.map(|name| Stored::named(name, &store, "STRIPE_SECRET_KEY"));
        let mut owners = Vec::new();
        for (variable, stored) in [
            ("STRIPE_SECRET_KEY_PARAMETER", &key),
            ("STRIPE_WEBHOOK_SECRETS_PARAMETER", &webhook_secrets),
        ] {
            if let Stored::Value { .. } = stored {
                let name = environment.required(variable)?;
                let owner = store.owner(name).await;
                owners.push((store.place(name), owner.map_err(|error| error.to_string())));
            }
        }
        let tables = [
            ("ProductsTable", "PRODUCTS_TABLE"),
            ("PurchasesTable", "PURCHASES_TABLE"),
            ("OutboxTable", "OUTBOX_TABLE"),
        ];
        let tables = tables.iter().filter_map(|(id, variable)| {
            Some(((*id).to_owned(), environment.optional(variable)?.to_owned()))
        });
        // What the site is to be told is what it should have been told.
        let config = serde_json::from_str(stack.output("SiteConfig")?).unwrap_or_default();
        let said = |name: &str| -> Option<String> {
            let config: &serde_json::Value = &config;
            Some(config.get(name)?.as_str()?.to_owned())
        };
        Ok(Patient {
            stack: Some(stack.name.clone()),
            tag,
            options: self.place.options(),
            mode: shop.mode,
            site_url: stack
                .output("SiteAddress")?
                .trim_end_matches('/')
                .to_owned(),
            api_url: stack.output("ApiUrl")?.to_owned(),
            webhook_url: stack.output("WebhookUrl")?.to_owned(),
            issuer: said("issuer"),
            client_id: said("client_id"),
            email_verified: environment.email_verified()?,
            mail: mail(environment),
            user_pool: stack.output("BuyerPool").ok().map(str::to_owned),
            stripe_base: api_base(environment.optional("STRIPE_API_BASE"))?,
            key,
            webhook_key: match webhook_key {
                Some(reading) => Some(reading.await),
                None => None,
            },
            operator_key: stripe_key::operators(shop.mode)?,
            webhook_secrets,
            owners,
            tables: tables.collect(),
            functions: BTreeMap::new(),
            template: Self::template()?,
            web,
            aws_clock: shared::aws::call::endpoint("dynamodb", aws.region()),
        })
    }
}

impl Patient {
    /// Stripe, asked with the operator's own key if there is one, else with the shop's.
    fn account(&self) -> Option<Account> {
        let key = match &self.operator_key {
            Some(key) => key.clone(),
            None => judge(self.key.text()?, self.mode).ok()?,
        };
        Some(self.account_of(key))
    }

    fn account_of(&self, key: StripeKey) -> Account {
        Account::new(&self.web, &self.stripe_base, key)
    }

    fn setup(&self, why: &str) -> String {
        self.setup_with("", why)
    }

    fn setup_with(&self, flag: &str, why: &str) -> String {
        match &self.stack {
            Some(stack) => {
                let flag = if flag.is_empty() { String::new() } else { format!(" {flag}") };
                format!("`till setup --stack {stack}{}{flag}` {why}", self.options)
            }
            None => "set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS in .env, or neither for the stand-in; \
                     then start the shop again"
                .into(),
        }
    }

    fn deploy(&self) -> String {
        match &self.stack {
            Some(_) => "`sam build && sam deploy` puts it back as template.yaml says".into(),
            None => "start the shop again: `cargo run`".into(),
        }
    }

    /// Where nobody answers.
    fn revive(&self) -> String {
        match &self.stack {
            Some(_) => format!("does it exist? {}", self.deploy()),
            None => "is the shop open? `cargo run`".into(),
        }
    }

    fn logs(&self, function: &str) -> String {
        match &self.stack {
            Some(stack) => {
                format!("its log says why: aws logs tail /till/{stack}/{function} --since 15m")
            }
            None => "the shop's log says why".into(),
        }
    }
}

/// The names of the stack's functions by their logical ids.
async fn functions(aws: &SdkConfig, shop: &Shop) -> anyhow::Result<BTreeMap<String, String>> {
    let stack = shop.stack.as_ref().map(|stack| stack.name.as_str());
    let client = aws_sdk_cloudformation::Client::new(aws);
    let list = client
        .list_stack_resources()
        .set_stack_name(stack.map(str::to_owned));
    let mut pages = list.into_paginator().items().send();
    let mut functions = BTreeMap::new();
    while let Some(resource) = pages.next().await {
        let resource = resource.map_err(|error| anyhow::anyhow!(aws_error(&error)))?;
        if resource.resource_type.as_deref() != Some("AWS::Lambda::Function") {
            continue;
        }
        let names = resource
            .logical_resource_id
            .zip(resource.physical_resource_id);
        functions.extend(names);
    }
    Ok(functions)
}
