//! Reading what is parked, with a bar that shows how far it is.

use shared::store::operator::ParkedEvent;
use window::parked::{days, parked};

use crate::commands::console::progress;
use crate::commands::moment::Since;
use crate::commands::shop::Shop;

/// What is parked, oldest first.
pub(super) async fn with_progress(
    shop: &Shop,
    since: Option<Since>,
) -> anyhow::Result<Vec<ParkedEvent>> {
    let days = days(since.map(|since| since.0), shop.now());
    let bar = progress(days.len(), "days read");
    let events = parked(&shop.parked()?, days, || bar.inc(1)).await?;
    bar.finish_and_clear();
    Ok(events)
}
