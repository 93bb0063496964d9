//! Stripe, for the few requests that need it.

use std::sync::Arc;

use shared::{
    config::{ConfigError, Environment},
    stripe::client::Client,
};
use tokio::sync::OnceCell;

/// A client that is created for the first request that needs it, because most requests do not, nor
/// does the start.
#[derive(Clone)]
pub(crate) struct Stripe {
    environment: Environment,
    client: Arc<OnceCell<Client>>,
}

impl Stripe {
    /// Keeps the environment, from which Stripe's key is read when it is first needed.
    pub(crate) fn new(environment: &Environment) -> Self {
        Self {
            environment: environment.clone(),
            client: Arc::default(),
        }
    }

    pub(crate) async fn client(&self) -> Result<&Client, ConfigError> {
        let client = self
            .client
            .get_or_try_init(|| Client::new(&self.environment));
        client.await
    }
}
