//! What the dashboard reads of the shop, and by what it acts.

use shared::clock::Clock;
use shared::config::Environment;
use shared::product::Site;
use stand_in::StandIn;
use window::routes::{Reads, Window};
use window::shop::Shop;

use crate::aws::PAST_FAULTS;
use crate::environment::{Addresses, Variables};

/// The shop's books, and what can be done to what is in them.
#[derive(Clone)]
pub(crate) struct Book {
    pub(super) window: Window,
    pub(super) stand_in: Option<StandIn>,
    /// The address of the shop, and of the dashboard: `http://127.0.0.1:3000`.
    pub(super) shop: String,
}

impl Book {
    /// Opened with the reconcile function's environment and the shop's clock. It reads past the faults of the AWS port,
    /// because looking must not use up those meant for the shop.
    pub(crate) fn open(
        environment: Variables,
        clock: Clock,
        addresses: &Addresses,
        stand_in: Option<StandIn>,
    ) -> anyhow::Result<Self> {
        let mut past_faults = environment.clone();
        let endpoint = format!("{}{PAST_FAULTS}", addresses.aws);
        past_faults.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), endpoint);
        let past_faults = Environment::from(past_faults).with_clock(clock.clone());
        let functions = Environment::from(environment).with_clock(clock);
        let name = format!("the shop on this machine ({})", addresses.shop);
        let shop = Shop::new(name, past_faults, Site::Local)?;
        Ok(Self {
            window: Window::of(shop, functions, Reads::EachTime),
            stand_in,
            shop: addresses.shop.clone(),
        })
    }
}
