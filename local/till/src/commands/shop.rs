//! A shop as commands see it. Wherever it is, it comes down to the environment that its functions
//! have, so that commands are built from the functions' own parts.

mod stack;

use std::ops::Deref;
use std::time::SystemTime;

use anyhow::bail;
use laptop::environment::SITE_BUCKET;
use shared::aws::bucket::Bucket;
use shared::config::Environment;
use shared::files::Files;
use shared::mode::Mode;
use shared::product::Site;
use shared::stripe::client::Client as Stripe;

pub(super) use self::stack::Stack;
use super::console::note;
use crate::account::stand_in::StandIn;
use crate::account::stripe::api_base;
use crate::account::stripe_key;

/// A shop, ready to be worked on.
pub(super) struct Shop {
    shop: window::shop::Shop,
    /// The stack, of a deployed one.
    pub(super) stack: Option<Stack>,
    /// When the credentials expire with which its functions' environment was made, if they do.
    pub(super) expiry: Option<SystemTime>,
}

/// Commands work on it, wherever it is.
impl Deref for Shop {
    type Target = window::shop::Shop;

    fn deref(&self) -> &Self::Target {
        &self.shop
    }
}

impl Shop {
    /// The one on this machine, which is at `url`.
    pub(super) fn here(url: &str, environment: Environment) -> anyhow::Result<Self> {
        let name = format!("the shop on this machine ({url})");
        Ok(Self {
            shop: window::shop::Shop::new(name, environment, Site::Local)?,
            stack: None,
            expiry: None,
        })
    }

    /// The one that a stack is.
    pub(super) async fn deployed(stack: Stack) -> anyhow::Result<Self> {
        let (environment, expiry) = stack.environment().await?;
        let mode = environment.mode()?;
        let kind = match mode {
            Mode::Test => "test mode",
            Mode::Live => "LIVE mode",
        };
        let name = format!(
            "stack {} ({kind}, account {}, {})",
            stack.name, stack.account, stack.region
        );
        let operator = operators_stripe(&environment, mode);
        let shop = window::shop::Shop::new(name, environment, Site::Deployed)?;
        Ok(Self {
            shop: shop.asking_stripe_as(operator),
            stack: Some(stack),
            expiry,
        })
    }

    /// As the dashboard shows it.
    pub(super) fn into_window(self) -> window::shop::Shop {
        self.shop
    }

    /// Says which deployed shop is about to be written to.
    pub(super) fn announce_writing(&self) {
        if self.stack.is_some() {
            note(&format!("Writing to {}.", self.name()));
        }
    }

    /// The files that buyers download.
    pub(super) fn files(&self) -> anyhow::Result<Files> {
        if let Some(stack) = &self.stack {
            // An earlier version's has none.
            stack.output("FilesBucket")?;
        }
        Ok(Files::of(&self.environment)?)
    }

    /// The bucket with the site, or the folder that the shop on this machine shows beside it.
    pub(super) fn site_bucket(&self) -> anyhow::Result<Bucket> {
        let name = match &self.stack {
            None => SITE_BUCKET,
            Some(stack) => match stack.output("SiteBucket") {
                Ok(name) => name,
                Err(_) => bail!(
                    "the site of {} is hosted elsewhere: put the pictures there, and set their addresses \
                     with `till products set ID images=…`",
                    self.name()
                ),
            },
        };
        Ok(Bucket::named(&self.environment, name)?)
    }

    /// The stand-in that takes the money of a shop on this machine.
    pub(super) fn stand_in(&self) -> anyhow::Result<StandIn> {
        if self.stack.is_some() {
            bail!("a deployed shop goes by the real time, which nobody can move");
        }
        match self.environment.optional("STRIPE_API_BASE") {
            Some(url) => StandIn::at(url),
            None => bail!(
                "the real Stripe takes this shop's money, and its time cannot be moved: leave \
                 STRIPE_SECRET_KEY empty for the stand-in"
            ),
        }
    }
}

/// The account that takes a deployed shop's money, asked with the operator's own key, if there is one: the
/// functions' need not send money out.
fn operators_stripe(environment: &Environment, mode: Mode) -> anyhow::Result<Option<Stripe>> {
    let Some(key) = stripe_key::operators(mode)? else {
        return Ok(None);
    };
    let base = api_base(environment.optional("STRIPE_API_BASE"))?;
    let http = environment.network().client()?;
    Ok(Some(Stripe::with_key(http, &base, key)))
}
