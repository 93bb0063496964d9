//! Reading what is parked.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use shared::store::operator::{ParkedEvent, ParkedEvents};
use time::{Duration, OffsetDateTime};

use crate::commands::console::progress;
use crate::commands::moment::Since;

/// How long parked events are kept.
const KEPT: Duration = Duration::days(90);

/// Days that are read at once.
const AT_ONCE: usize = 8;

/// What is parked, oldest first.
pub(super) async fn parked(
    table: &ParkedEvents,
    since: Option<Since>,
) -> anyhow::Result<Vec<ParkedEvent>> {
    let now = OffsetDateTime::now_utc();
    let since = since.map_or_else(|| now.saturating_sub(KEPT), |since| since.0);
    // Clocks differ: Stripe's day may have begun already.
    let last = now.date().next_day();
    let mut days = Vec::new();
    let mut day = Some(since.date());
    while let Some(this) = day.filter(|day| Some(*day) <= last) {
        days.push(this);
        day = this.next_day();
    }
    let bar = progress(days.len(), "days read");
    let events = stream::iter(days).map(|day| {
        let bar = &bar;
        async move {
            let events = table.of_day(day).await?;
            bar.inc(1);
            anyhow::Ok(events)
        }
    });
    let events: Vec<Vec<ParkedEvent>> = events.buffered(AT_ONCE).try_collect().await?;
    bar.finish_and_clear();
    Ok(events.into_iter().flatten().collect())
}
