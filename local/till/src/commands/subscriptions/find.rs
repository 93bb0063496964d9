//! Which subscription is meant.

use shared::purchase::SubscriptionId;

use crate::commands::exit::NotFound;
use crate::commands::shop::Shop;

/// What to say of a subscription that is not there.
pub(super) fn not_found(id: &SubscriptionId, shop: &Shop) -> anyhow::Error {
    let shop = shop.name();
    NotFound(format!(
        "there is no subscription {id} in {shop}: see `till subscriptions list`"
    ))
    .into()
}

/// A subscription's id on the command line.
pub(super) fn id(text: &str) -> Result<SubscriptionId, String> {
    let id = SubscriptionId::try_from(text.to_owned());
    id.map_err(|error| format!("{text:?}: {error}"))
}
