//! A shop as commands see it. Wherever it is, it comes down to the environment that its functions
//! have, so that commands are built from the functions' own parts.

mod stack;

use anyhow::bail;
use laptop::environment::SITE_BUCKET;
use shared::aws::bucket::Bucket;
use shared::config::{ConfigError, Environment};
use shared::files::Files;
use shared::mode::Mode;
use shared::product::Site;
use shared::store::Tables;
use shared::store::history::History;
use shared::store::invoices::Invoices;
use shared::store::operator::{
    Adoption, AllPurchases, AllSubscriptions, Assortment, Confirmation, Events, Mails, ParkedEvents,
};
use shared::store::pointers::Pointers;
use shared::store::products::{Offers, Shelf};
use shared::store::purchases::Purchases;
use shared::store::subscriptions::Subscriptions;
use shared::stripe::client::Client as Stripe;

pub(super) use self::stack::Stack;
use super::console::note;
use crate::account::stand_in::StandIn;
use crate::account::stripe::api_base;
use crate::account::stripe_key;

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

impl Shop {
    /// The one on this machine, which is at `url`.
    pub(super) fn here(url: &str, environment: Environment) -> anyhow::Result<Self> {
        Ok(Self {
            name: format!("the shop on this machine ({url})"),
            mode: environment.mode()?,
            environment,
            stack: None,
        })
    }

    /// The one that a stack is.
    pub(super) async fn deployed(stack: Stack) -> anyhow::Result<Self> {
        let environment = stack.environment().await?;
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

    /// Says which deployed shop is about to be written to.
    pub(super) fn announce_writing(&self) {
        if self.stack.is_some() {
            note(&format!("Writing to {}.", self.name));
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
                    self.name
                ),
            },
        };
        Ok(Bucket::named(&self.environment, name)?)
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

    /// What is paid for what buyers subscribe to.
    pub(super) fn invoices(&self) -> anyhow::Result<Invoices> {
        Ok(Invoices::of(&self.tables()?)?)
    }

    /// What buyers subscribe to.
    pub(super) fn subscriptions(&self) -> anyhow::Result<Subscriptions> {
        Ok(Subscriptions::of(&self.tables()?)?)
    }

    /// What buyers subscribe to, all of it.
    pub(super) fn all_subscriptions(&self) -> anyhow::Result<AllSubscriptions> {
        Ok(AllSubscriptions::of(&self.tables()?)?)
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

    /// Events for other systems.
    pub(super) fn events(&self) -> anyhow::Result<Events> {
        Ok(Events::of(&self.tables()?)?)
    }

    /// Buyers' customers at Stripe.
    pub(super) fn adoption(&self) -> anyhow::Result<Adoption> {
        Ok(Adoption::of(&self.tables()?, self.mode)?)
    }

    /// Purchases that had to be rebuilt.
    pub(super) fn confirmation(&self) -> anyhow::Result<Confirmation> {
        Ok(Confirmation::of(&self.tables()?, self.mode)?)
    }

    /// Now, in Unix seconds.
    pub(super) fn now(&self) -> i64 {
        self.environment.clock().now()
    }

    /// The account that takes the money. A deployed shop's is asked with the operator's own key, if there is
    /// one: the functions' need not send money out.
    pub(super) async fn stripe(&self) -> anyhow::Result<Stripe> {
        let own = match self.stack {
            Some(_) => stripe_key::operators(self.mode)?,
            None => None,
        };
        if let Some(key) = own {
            let base = api_base(self.environment.optional("STRIPE_API_BASE"))?;
            let http = self.environment.network().client()?;
            return Ok(Stripe::with_key(http, &base, key));
        }
        let stripe = Stripe::new(&self.environment)?;
        stripe.ready().await?;
        Ok(stripe)
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

    fn tables(&self) -> Result<Tables, ConfigError> {
        Tables::of(&self.environment)
    }
}
