//! A shop as its operator reaches it. Wherever it is, it comes down to the environment that its functions
//! have, so that what is done to it is built from the functions' own parts.

use anyhow::bail;
use shared::config::Environment;
use shared::mode::Mode;
use shared::product::Site;
use shared::store::Tables;
use shared::store::history::History;
use shared::store::invoices::Invoices;
use shared::store::operator::{
    Adoption, AllPurchases, AllSubscriptions, Assortment, Confirmation, Events, Everything, Mails,
    ParkedEvents,
};
use shared::store::pointers::Pointers;
use shared::store::products::{Offers, Shelf};
use shared::store::purchases::Purchases;
use shared::store::subscriptions::Subscriptions;
use shared::stripe::client::Client as Stripe;
use tokio::sync::OnceCell;

/// The purchase, product, stack … that is meant does not exist.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotFound(pub String);

/// What is asked for makes no sense as things stand.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// A shop, ready to be worked on.
pub struct Shop {
    name: String,
    /// Whether real money moves.
    pub mode: Mode,
    /// What its functions read, all in one.
    pub environment: Environment,
    tables: Tables,
    site: Site,
    /// The account that takes the money, as its operator asks it with a key of their own; or what is
    /// wrong with that key.
    own_stripe: Result<Option<Stripe>, String>,
    stripe: OnceCell<Stripe>,
}

impl Shop {
    /// The one whose functions have this environment. `name` is how a sentence names it, `site` where its
    /// products are looked at.
    pub fn new(name: String, environment: Environment, site: Site) -> anyhow::Result<Self> {
        Ok(Self {
            name,
            mode: environment.mode()?,
            tables: Tables::of(&environment)?,
            environment,
            site,
            own_stripe: Ok(None),
            stripe: OnceCell::new(),
        })
    }

    /// Asks Stripe in this way, if there is one, and not with the functions' key: theirs need not send
    /// money out. What is wrong with the operator's key is told once Stripe is needed.
    #[must_use]
    pub fn asking_stripe_as(self, operator: anyhow::Result<Option<Stripe>>) -> Self {
        Self {
            own_stripe: operator.map_err(|wrong| format!("{wrong:#}")),
            ..self
        }
    }

    /// As a sentence names it: `the shop on this machine (…)`, or the stack with its mode, account
    /// and region.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its products are looked at.
    pub fn site(&self) -> Site {
        self.site
    }

    /// What is for sale, as everybody sees it.
    pub fn shelf(&self) -> anyhow::Result<Shelf> {
        Ok(Shelf::of(&self.tables)?)
    }

    /// What is for sale, product by product.
    pub fn offers(&self) -> anyhow::Result<Offers> {
        Ok(Offers::of(&self.tables)?)
    }

    /// What is for sale, to be changed.
    pub fn assortment(&self) -> anyhow::Result<Assortment> {
        Ok(Assortment::of(&self.tables)?)
    }

    /// What was bought.
    pub fn purchases(&self) -> anyhow::Result<Purchases> {
        Ok(Purchases::of(&self.tables)?)
    }

    /// What was bought, all of it, and all that was recorded of it.
    pub fn all_purchases(&self) -> anyhow::Result<AllPurchases> {
        Ok(AllPurchases::of(&self.tables)?)
    }

    /// What was bought, subscribed to and paid, all of it.
    pub fn everything(&self) -> anyhow::Result<Everything> {
        Ok(Everything::of(&self.tables)?)
    }

    /// What each buyer bought.
    pub fn history(&self) -> anyhow::Result<History> {
        Ok(History::of(&self.tables)?)
    }

    /// What is paid for what buyers subscribe to.
    pub fn invoices(&self) -> anyhow::Result<Invoices> {
        Ok(Invoices::of(&self.tables)?)
    }

    /// What buyers subscribe to.
    pub fn subscriptions(&self) -> anyhow::Result<Subscriptions> {
        Ok(Subscriptions::of(&self.tables)?)
    }

    /// What buyers subscribe to, all of it.
    pub fn all_subscriptions(&self) -> anyhow::Result<AllSubscriptions> {
        Ok(AllSubscriptions::of(&self.tables)?)
    }

    /// Whose payments are.
    pub fn pointers(&self) -> anyhow::Result<Pointers> {
        Ok(Pointers::of(&self.tables)?)
    }

    /// Events that were put aside.
    pub fn parked(&self) -> anyhow::Result<ParkedEvents> {
        Ok(ParkedEvents::of(&self.tables)?)
    }

    /// Mail.
    pub fn mails(&self) -> anyhow::Result<Mails> {
        Ok(Mails::of(&self.tables)?)
    }

    /// Events for other systems.
    pub fn events(&self) -> anyhow::Result<Events> {
        Ok(Events::of(&self.tables)?)
    }

    /// Buyers' customers at Stripe.
    pub fn adoption(&self) -> anyhow::Result<Adoption> {
        Ok(Adoption::of(&self.tables, self.mode)?)
    }

    /// Purchases that had to be rebuilt.
    pub fn confirmation(&self) -> anyhow::Result<Confirmation> {
        Ok(Confirmation::of(&self.tables, self.mode)?)
    }

    /// Now, in Unix seconds.
    pub fn now(&self) -> i64 {
        self.environment.clock().now()
    }

    /// The account that takes the money.
    pub async fn stripe(&self) -> anyhow::Result<Stripe> {
        match &self.own_stripe {
            Ok(Some(own)) => Ok(own.clone()),
            Ok(None) => {
                let functions = self.stripe.get_or_try_init(|| async {
                    let stripe = Stripe::new(&self.environment)?;
                    stripe.ready().await?;
                    anyhow::Ok(stripe)
                });
                Ok(functions.await?.clone())
            }
            Err(wrong) => bail!("{wrong}"),
        }
    }
}
