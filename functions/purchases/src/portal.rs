//! The billing portal of the buyer who asks, and of nobody else.

use shared::{
    config::{ConfigError, Environment},
    customers::Customers,
    http::Problem,
    store::Tables,
    stripe::{client::Client as Stripe, portal},
};

/// Opens Stripe's billing portal.
#[derive(Clone)]
pub(crate) struct Portal {
    customers: Customers,
    stripe: Stripe,
    /// Where buyers come back to.
    return_url: String,
}

impl Portal {
    pub(crate) fn new(
        tables: &Tables,
        environment: &Environment,
        stripe: Stripe,
    ) -> Result<Self, ConfigError> {
        let site_url = environment.site_url()?;
        Ok(Self {
            customers: Customers::of(tables, environment.mode()?, environment.stack()?)?,
            stripe,
            return_url: format!("{site_url}/subscriptions.html"),
        })
    }

    /// Where this buyer manages what they subscribe to; 404 if they never subscribed to anything.
    /// Whose portal it is follows from who signed in, never from what they sent.
    pub(crate) async fn open(&self, subject: &str) -> Result<String, Problem> {
        let customer = self.customers.find(&self.stripe, subject).await;
        let customer = customer.inspect_err(|error| {
            tracing::error!(%error, "a buyer's customer at Stripe could not be found");
        })?;
        let none = || Problem::not_found("You have not subscribed to anything yet.");
        let customer = customer.ok_or_else(none)?;
        let opened = portal::open(&self.stripe, &customer, &self.return_url).await;
        let url = opened.map_err(|error| {
            tracing::error!(%error, "Stripe did not open a billing portal");
            Problem::stripe(&error)
        })?;
        url.ok_or_else(none)
    }
}
