//! Which shop a command works on: the one that `cargo run` opened on this machine, or a deployed
//! stack.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_types::region::Region;
use clap::Args;
use laptop::environment::{self, Addresses, Variables, compose, said};
use laptop::tag;
use shared::clock::Clock;
use shared::config::Environment;
use shared::network::Network;
use template::Template;
use template::project::Project;
use time::{Duration as Span, OffsetDateTime};
use tokio::net::TcpStream;
use url::Url;

use super::dot_env;
use super::shop::{Shop, Stack};
use crate::account::stand_in::StandIn;

/// Flags of a shop on this machine. Each flag of a deployed one conflicts with them, not just
/// --stack: clap does not insist on what a flag `requires` while a conflicting one is given.
const HERE: [&str; 3] = ["port", "stripe_port", "aws_port"];

/// Which shop.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which shop (by default the one `cargo run` opened here)")]
pub(super) struct Place {
    /// A deployed shop, by the name of its CloudFormation stack
    #[arg(long, value_name = "NAME", conflicts_with_all = HERE)]
    stack: Option<String>,
    /// The stack's AWS region [default: the profile's]
    #[arg(long, requires = "stack", conflicts_with_all = HERE)]
    region: Option<String>,
    /// The AWS profile to use [default: the one the AWS CLI would]
    #[arg(long, value_name = "NAME", requires = "stack", conflicts_with_all = HERE)]
    profile: Option<String>,
    /// Port of the shop on this machine
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Port of its Stripe stand-in
    #[arg(long, default_value_t = 3001)]
    stripe_port: u16,
    /// Port of its DynamoDB [default: the one in AWS_ENDPOINT_URL if that is set, else 3002]
    #[arg(long)]
    aws_port: Option<u16>,
}

impl Place {
    /// Finds the shop and sees that it is there.
    pub(super) async fn open(&self) -> anyhow::Result<Shop> {
        match &self.stack {
            None => self.local().await,
            Some(name) => {
                let aws = self.aws().await?;
                let stack = Stack::describe(aws, name, self.flags()).await?;
                Shop::deployed(stack).await
            }
        }
    }

    /// How to call AWS as the operator: the profile named, else whatever the AWS CLI would use.
    async fn aws(&self) -> anyhow::Result<SdkConfig> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(Network::default().client()?);
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let aws = loader.load().await;
        if aws.region().is_none() {
            bail!("no AWS region is set: pass --region, or set one in the profile");
        }
        Ok(aws)
    }

    /// Whether it is a deployed one.
    pub(super) fn is_a_stack(&self) -> bool {
        self.stack.is_some()
    }

    /// Where the one on this machine is: `http://127.0.0.1:3000`.
    pub(super) fn address_here(&self) -> String {
        here(self.port)
    }

    /// What else than its name a command line says to find the same stack.
    fn flags(&self) -> String {
        let flag = |name: &str, value: &Option<String>| {
            let value = value.as_ref();
            value.map_or(String::new(), |value| format!(" --{name} {value}"))
        };
        flag("region", &self.region) + &flag("profile", &self.profile)
    }

    async fn local(&self) -> anyhow::Result<Shop> {
        let project = Project::find()?;
        let given = dot_env::environment(&project)?;
        let endpoint = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]
            .iter()
            .find_map(|name| said(&given, name));
        let aws = match (self.aws_port, endpoint) {
            (Some(port), _) => here(port),
            (None, Some(endpoint)) => endpoint.to_owned(),
            (None, None) => here(3002),
        };
        let stripe = environment::Stripe::chosen(&given)?;
        let addresses = Addresses {
            shop: here(self.port),
            site: here(self.port),
            stripe: match stripe {
                environment::Stripe::StandIn => Some(here(self.stripe_port)),
                environment::Stripe::Real { .. } => None,
            },
            aws,
        };
        see_that_it_answers(&addresses.aws).await?;
        let template = Template::read(&project.template, &addresses.parameters())?;
        let mut environments = compose(&template, &addresses, &stripe, &given)?;
        tag::tell(environments.values_mut(), &given).await?;
        let environment: Variables = environments.into_values().flatten().collect();
        let environment = Environment::from(environment).with_clock(clock(&addresses).await?);
        Shop::here(&addresses.shop, environment)
    }
}

fn here(port: u16) -> String {
    format!("http://{}:{port}", Ipv4Addr::LOCALHOST)
}

/// The clock that the shop's functions go by: the stand-in's. Most commands need no stand-in, so one
/// that does not answer is as good as one whose clock was not moved.
async fn clock(addresses: &Addresses) -> anyhow::Result<Clock> {
    let Some(url) = &addresses.stripe else {
        return Ok(Clock::default());
    };
    let ahead = StandIn::at(url)?
        .clock()
        .await
        .map_or(0, |clock| clock.ahead);
    Ok(Clock::new(move || {
        let here = OffsetDateTime::now_utc();
        here.checked_add(Span::seconds(ahead)).unwrap_or(here)
    }))
}

async fn see_that_it_answers(aws: &str) -> anyhow::Result<()> {
    let url = Url::parse(aws).with_context(|| format!("{aws} is not a URL"))?;
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let connected = tokio::time::timeout(Duration::from_secs(2), TcpStream::connect((host, port)));
    match connected.await {
        Ok(Ok(_)) => Ok(()),
        _ => bail!(
            "no shop is open at {aws}: start one with `cargo run`, pass its --aws-port if it has \
             another, or name a deployed one with --stack"
        ),
    }
}
