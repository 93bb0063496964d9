//! A deployed shop: what CloudFormation says of its stack.

use std::collections::BTreeMap;
use std::time::SystemTime;

use anyhow::{Context as _, anyhow};
use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_cloudformation::error::{DisplayErrorContext, ProvideErrorMetadata as _, SdkError};
use aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksError;
use aws_types::region::Region;
use laptop::environment::Variables;
use shared::config::Environment;
use shared::files::FILES_BUCKET;

use crate::account::aws::aws_error;
use crate::commands::exit::NotFound;

const NO_CREDENTIALS: &str = "no AWS credentials were found: log in (`aws sso login`), or choose a \
                              profile with --profile";

/// Variables of the functions that are outputs of the stack.
const FROM_OUTPUTS: [(&str, &str); 5] = [
    ("PRODUCTS_TABLE", "ProductsTable"),
    ("PURCHASES_TABLE", "PurchasesTable"),
    ("OUTBOX_TABLE", "OutboxTable"),
    ("STRIPE_SECRET_KEY_PARAMETER", "StripeSecretKeyParameter"),
    (
        "STRIPE_WEBHOOK_SECRETS_PARAMETER",
        "StripeWebhookSecretsParameter",
    ),
];

/// Those that are parameters, and that not every command needs.
const FROM_PARAMETERS: [(&str, &str); 11] = [
    ("TILL_FORMER_STACKS", "FormerStackTags"),
    ("SHOP_NAME", "ShopName"),
    ("MAIL_FROM", "MailFrom"),
    ("DEVELOPER_EMAIL", "DeveloperEmail"),
    ("SELLER_EMAIL", "SellerEmail"),
    ("SALE_MAILS", "SaleMails"),
    ("EMAIL_VERIFIED", "EmailVerified"),
    ("SHIPPING_COUNTRIES", "ShippingCountries"),
    ("SHIPPING_RATES", "ShippingRates"),
    ("AUTOMATIC_TAX", "AutomaticTax"),
    ("INVOICE_CREATION", "InvoiceCreation"),
];

/// A CloudFormation stack.
pub(in crate::commands) struct Stack {
    /// Its name.
    pub(in crate::commands) name: String,
    /// The account it is in.
    pub(in crate::commands) account: String,
    /// The region it is in.
    pub(in crate::commands) region: String,
    /// Such as `UPDATE_COMPLETE`.
    pub(in crate::commands) status: String,
    /// As the operator calls AWS.
    pub(in crate::commands) aws: SdkConfig,
    /// What names it on a command line, beside its own name.
    flags: String,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Stack {
    /// Asks CloudFormation. `flags` are what a command line needs beside `--stack`.
    pub(in crate::commands) async fn describe(
        aws: SdkConfig,
        name: &str,
        flags: String,
    ) -> anyhow::Result<Self> {
        let region = aws.region().map_or("no region", Region::as_ref).to_owned();
        let client = aws_sdk_cloudformation::Client::new(&aws);
        let answer = client.describe_stacks().stack_name(name).send().await;
        let answer = answer.map_err(|error| not_described(name, &region, &error))?;
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
            aws,
            flags,
            outputs: outputs
                .filter_map(|output| Some((output.output_key?, output.output_value?)))
                .collect(),
            parameters: parameters
                .filter_map(|given| Some((given.parameter_key?, given.parameter_value?)))
                .collect(),
        })
    }

    /// What a command line needs to find it again: `--stack till --region eu-central-1`.
    pub(in crate::commands) fn flags(&self) -> String {
        format!("--stack {}{}", self.name, self.flags)
    }

    /// The names of its resources of a kind, such as `AWS::Lambda::Function`, by their logical ids.
    pub(in crate::commands) async fn resources(
        &self,
        kind: &str,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let client = aws_sdk_cloudformation::Client::new(&self.aws);
        let list = client.list_stack_resources().stack_name(&self.name);
        let mut pages = list.into_paginator().items().send();
        let mut resources = BTreeMap::new();
        while let Some(resource) = pages.next().await {
            let resource = resource.map_err(|error| anyhow!(aws_error(&error)))?;
            if resource.resource_type.as_deref() != Some(kind) {
                continue;
            }
            let names = resource
                .logical_resource_id
                .zip(resource.physical_resource_id);
            resources.extend(names);
        }
        Ok(resources)
    }

    /// What the stack's functions have in their environment, with the operator's credentials, and when these
    /// expire.
    pub(super) async fn environment(&self) -> anyhow::Result<(Environment, Option<SystemTime>)> {
        let credentials = self.aws.credentials_provider().context(NO_CREDENTIALS)?;
        let credentials = credentials.provide_credentials().await;
        let credentials = credentials.context(NO_CREDENTIALS)?;
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
        set(
            "AWS_ENDPOINT_URL",
            self.aws.endpoint_url().unwrap_or_default(),
        );
        for (variable, output) in FROM_OUTPUTS {
            set(variable, self.output(output)?);
        }
        set("TILL_MODE", self.parameter("Mode")?);
        // What not every command needs.
        for (variable, parameter) in FROM_PARAMETERS {
            if let Ok(value) = self.parameter(parameter) {
                set(variable, value);
            }
        }
        if let Ok(files) = self.output("FilesBucket") {
            set(FILES_BUCKET, files);
        }
        let site = self.output("SiteAddress");
        if let Ok(site) = site.or_else(|_| self.parameter("SiteUrl")) {
            set("SITE_URL", site);
        }
        // Where else than at AWS and Stripe the operator wants these services to be looked for. A
        // live key goes to Stripe and nowhere else.
        let mut elsewhere = vec![
            "AWS_ENDPOINT_URL_DYNAMODB",
            "AWS_ENDPOINT_URL_S3",
            "AWS_ENDPOINT_URL_SSM",
        ];
        if self.parameter("Mode")? == "test" {
            elsewhere.push("STRIPE_API_BASE");
        }
        for name in elsewhere {
            if let Ok(value) = std::env::var(name) {
                set(name, &value);
            }
        }
        Ok((Environment::from(variables), credentials.expiry()))
    }

    /// One of the template's outputs.
    pub(in crate::commands) fn output(&self, name: &str) -> anyhow::Result<&str> {
        self.value(&self.outputs, "output", name)
    }

    /// What one of the template's parameters was given.
    pub(in crate::commands) fn parameter(&self, name: &str) -> anyhow::Result<&str> {
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
                "the stack {} ({}) has no {kind} {name}: it is not a Till stack, or another version of \
                 it; deploy this version first",
                self.name, self.status
            )
        })
    }
}

/// What CloudFormation's refusal comes to.
fn not_described(name: &str, region: &str, error: &SdkError<DescribeStacksError>) -> anyhow::Error {
    let said = error.message().unwrap_or_default();
    if said.contains("does not exist") {
        return anyhow!(NotFound(format!(
            "there is no stack {name} in {region}: see `aws cloudformation list-stacks`; --region and \
             --profile look elsewhere"
        )));
    }
    let why = match error.as_service_error() {
        Some(_) => format!("{}: {said}", error.code().unwrap_or("an error")),
        None => format!("{} ({NO_CREDENTIALS})", DisplayErrorContext(error)),
    };
    anyhow!("CloudFormation does not describe the stack {name} in {region}: {why}")
}
