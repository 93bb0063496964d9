//! A shop as the checks see it, and what that is read from.

use std::collections::BTreeMap;

use anyhow::bail;
use shared::aws::lazy::Lazy;
use shared::config::{EmailVerified, Environment};
use shared::files::Files;
use shared::mode::Mode;
use shared::purchase::Billing;
use shared::shipping::Shipping;
use shared::store::products::Shelf;
use shared::stripe::key::StripeKey;
use template::project::Project;
use template::{Parameters, Template};

use super::stored::Stored;
use crate::account::aws::AwsAccount;
use crate::account::s3::S3;
use crate::account::secrets::{Owner, SecretStore};
use crate::account::stripe::{Account, api_base};
use crate::account::stripe_key::{self, judge};
use crate::account::web::Web;
use crate::commands::shop::{Shop, Stack};

pub(super) struct Patient {
    /// By what it knows its own at Stripe.
    pub(super) tag: String,
    pub(super) mode: Mode,
    pub(super) site_url: String,
    pub(super) api_url: String,
    pub(super) webhook_url: String,
    pub(super) issuer: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) email_verified: EmailVerified,
    pub(super) stripe_base: String,
    pub(super) key: Stored,
    /// With which Stripe is asked, if not with the shop's own.
    operator_key: Option<StripeKey>,
    pub(super) webhook_secrets: Stored,
    /// Names by logical id.
    pub(super) tables: BTreeMap<String, String>,
    pub(super) dynamodb: Lazy<aws_sdk_dynamodb::Client>,
    /// The products.
    pub(super) shelf: Shelf,
    /// What the settings come to, or what is wrong with them.
    pub(super) shipping: Result<Shipping, String>,
    pub(super) billing: Result<Billing, String>,
    /// Where the files are that buyers download, or why nobody says.
    pub(super) files: Result<FileStore, String>,
    pub(super) template: Template,
    pub(super) web: Web,
    /// Any address of AWS that tells the time.
    pub(super) aws_clock: String,
    pub(super) deployed: Option<Deployed>,
}

/// What only a deployed shop has.
pub(super) struct Deployed {
    /// The stack's name.
    pub(super) stack: String,
    /// What tells on a command line which stack: `--stack`, `--region` and `--profile`.
    flags: String,
    pub(super) aws: AwsAccount,
    pub(super) mail: Option<MailSettings>,
    /// The stack's user pool, if it has one.
    pub(super) user_pool: Option<String>,
    /// Webhook's own, if it has one.
    pub(super) webhook_key: Option<Stored>,
    /// Whose the secrets are that are there, by where they are.
    pub(super) owners: Vec<(String, Result<Owner, String>)>,
    /// Names by logical id, or why nobody says.
    pub(super) functions: Result<BTreeMap<String, String>, String>,
}

/// The files that buyers download, and how to ask for them.
pub(super) struct FileStore {
    pub(super) files: Files,
    pub(super) s3: S3,
}

impl FileStore {
    fn of(shop: &Shop) -> Result<Self, String> {
        let files = shop.files().map_err(|why| why.to_string())?;
        let s3 = S3::of(&shop.environment).map_err(|why| why.to_string())?;
        Ok(Self { files, s3 })
    }
}

/// Who sends the mail, and who gets it in test mode.
pub(super) struct MailSettings {
    pub(super) from: String,
    pub(super) developer: String,
}

impl Patient {
    pub(super) async fn read(shop: &Shop) -> anyhow::Result<Self> {
        match &shop.stack {
            None => Self::on_this_machine(shop),
            Some(stack) => Self::of_stack(stack, shop).await,
        }
    }

    fn on_this_machine(shop: &Shop) -> anyhow::Result<Self> {
        let environment = &shop.environment;
        let template = template()?;
        let site = environment.site_url()?;
        let names = template
            .tables
            .iter()
            .map(|table| (table.name.clone(), table.name.clone()));
        Ok(Self {
            tag: environment.stack()?.tag().to_owned(),
            mode: shop.mode,
            api_url: site.clone(),
            webhook_url: format!("{site}/webhook"),
            issuer: Some(format!("{site}/_local/identity")),
            client_id: Some("till-local".into()),
            email_verified: environment.email_verified()?,
            site_url: site,
            stripe_base: api_base(environment.optional("STRIPE_API_BASE"))?,
            key: Stored::said(environment, "STRIPE_SECRET_KEY"),
            operator_key: None,
            webhook_secrets: Stored::said(environment, "STRIPE_WEBHOOK_SECRETS"),
            tables: names.collect(),
            dynamodb: shared::store::client(environment)?,
            shelf: shop.shelf()?,
            shipping: environment.shipping().map_err(|wrong| wrong.to_string()),
            billing: environment.billing().map_err(|wrong| wrong.to_string()),
            files: FileStore::of(shop),
            template,
            web: Web::new(None)?,
            aws_clock: environment.required("AWS_ENDPOINT_URL")?.to_owned(),
            deployed: None,
        })
    }

    async fn of_stack(stack: &Stack, shop: &Shop) -> anyhow::Result<Self> {
        let environment = &shop.environment;
        let web = Web::new(stack.aws.endpoint_url())?;
        let functions = stack.resources("AWS::Lambda::Function").await;
        let aws = AwsAccount::new(web.clone(), stack.aws.clone());
        let own = environment.stack()?;
        let tag = own.tag().to_owned();
        let store = SecretStore::new(aws.clone(), stack.parameter("SecretsStore").ok(), own)?;
        let (key, webhook_secrets) = futures::join!(
            Stored::read(environment, &store, "STRIPE_SECRET_KEY"),
            Stored::read(environment, &store, "STRIPE_WEBHOOK_SECRETS"),
        );
        // What the site is to be told is what it should have been told.
        let config: serde_json::Value =
            serde_json::from_str(stack.output("SiteConfig")?).unwrap_or_default();
        let said = |name: &str| Some(config.get(name)?.as_str()?.to_owned());
        let site = stack.output("SiteAddress")?.trim_end_matches('/');
        let secrets = [
            ("STRIPE_SECRET_KEY_PARAMETER", &key),
            ("STRIPE_WEBHOOK_SECRETS_PARAMETER", &webhook_secrets),
        ];
        let deployed = Deployed {
            stack: stack.name.clone(),
            flags: stack.flags(),
            mail: mail(environment),
            user_pool: stack.output("BuyerPool").ok().map(str::to_owned),
            webhook_key: webhook_key(stack, &store).await,
            owners: owners(&secrets, environment, &store).await?,
            functions: functions.map_err(|error| format!("{error:#}")),
            aws: aws.clone(),
        };
        Ok(Self {
            tag,
            mode: shop.mode,
            site_url: site.to_owned(),
            api_url: stack.output("ApiUrl")?.to_owned(),
            webhook_url: stack.output("WebhookUrl")?.to_owned(),
            issuer: said("issuer"),
            client_id: said("client_id"),
            email_verified: environment.email_verified()?,
            stripe_base: api_base(environment.optional("STRIPE_API_BASE"))?,
            operator_key: stripe_key::operators(shop.mode)?,
            key,
            webhook_secrets,
            tables: tables(environment),
            dynamodb: shared::store::client(environment)?,
            shelf: shop.shelf()?,
            shipping: environment.shipping().map_err(|wrong| wrong.to_string()),
            billing: environment.billing().map_err(|wrong| wrong.to_string()),
            files: FileStore::of(shop),
            template: template()?,
            web,
            aws_clock: shared::aws::call::endpoint("dynamodb", aws.region()),
            deployed: Some(deployed),
        })
    }

    /// Stripe, asked with the operator's own key if there is one, else with the shop's.
    pub(super) fn account(&self) -> Option<Account> {
        let key = match &self.operator_key {
            Some(key) => key.clone(),
            None => judge(self.key.text()?, self.mode).ok()?,
        };
        Some(self.account_of(key))
    }

    pub(super) fn account_of(&self, key: StripeKey) -> Account {
        Account::new(&self.web, &self.stripe_base, key)
    }

    /// The remedy `till setup`, and what it does about it.
    pub(super) fn setup(&self, why: &str) -> String {
        self.setup_with("", why)
    }

    pub(super) fn setup_with(&self, flag: &str, why: &str) -> String {
        match &self.deployed {
            Some(Deployed { flags, .. }) => {
                let flag = if flag.is_empty() {
                    String::new()
                } else {
                    format!(" {flag}")
                };
                format!("`till setup {flags}{flag}` {why}")
            }
            None => {
                "start the shop again: `cargo run`. For a Stripe account of your own, first set \
                     both STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS in .env"
                    .into()
            }
        }
    }

    /// The remedy for what is not as the template says.
    pub(super) fn deploy(&self) -> String {
        match &self.deployed {
            Some(_) => "`sam build && sam deploy` restores what template.yaml says".into(),
            None => "start the shop again: `cargo run`".into(),
        }
    }

    /// The remedy where nobody answers.
    pub(super) fn revive(&self) -> String {
        match &self.deployed {
            Some(_) => format!("see that it exists: {}", self.deploy()),
            None => "see that the shop is open: `cargo run`".into(),
        }
    }

    /// Where a function says why it failed.
    pub(super) fn logs(&self, function: &str) -> String {
        match &self.deployed {
            Some(Deployed { stack, .. }) => {
                format!("its log says why: aws logs tail /till/{stack}/{function} --since 15m")
            }
            None => "the shop's log says why".into(),
        }
    }
}

impl Deployed {
    /// The name of the function with this logical id, if the stack has it. An error if nobody says
    /// which functions it has.
    pub(super) fn function(&self, id: &str) -> anyhow::Result<Option<&str>> {
        match &self.functions {
            Ok(functions) => Ok(functions.get(id).map(String::as_str)),
            Err(why) => bail!("CloudFormation does not say which function {id} is: {why}"),
        }
    }
}

fn template() -> anyhow::Result<Template> {
    Ok(Template::read(
        &Project::find()?.template,
        &Parameters::new(),
    )?)
}

fn mail(environment: &Environment) -> Option<MailSettings> {
    Some(MailSettings {
        from: environment.optional("MAIL_FROM")?.to_owned(),
        developer: environment.optional("DEVELOPER_EMAIL")?.to_owned(),
    })
}

fn tables(environment: &Environment) -> BTreeMap<String, String> {
    let tables = [
        ("ProductsTable", "PRODUCTS_TABLE"),
        ("PurchasesTable", "PURCHASES_TABLE"),
        ("OutboxTable", "OUTBOX_TABLE"),
    ];
    let tables = tables.iter().filter_map(|(id, variable)| {
        Some(((*id).to_owned(), environment.optional(variable)?.to_owned()))
    });
    tables.collect()
}

async fn webhook_key(stack: &Stack, store: &SecretStore) -> Option<Stored> {
    let name = stack.parameter("StripeWebhookKeyParameter").ok();
    let name = name.filter(|name| !name.is_empty())?;
    Some(Stored::named(name, store, "STRIPE_SECRET_KEY").await)
}

/// Whose those of the secrets are that are there.
async fn owners(
    secrets: &[(&'static str, &Stored)],
    environment: &Environment,
    store: &SecretStore,
) -> anyhow::Result<Vec<(String, Result<Owner, String>)>> {
    let mut owners = Vec::new();
    for (variable, stored) in secrets {
        if stored.text().is_some() {
            let name = environment.required(variable)?;
            let owner = store.owner(name).await;
            owners.push((store.place(name), owner.map_err(|error| error.to_string())));
        }
    }
    Ok(owners)
}
