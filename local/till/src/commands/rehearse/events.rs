//! Stripe's events were recorded, and none had to be put aside.

use anyhow::bail;
use futures::FutureExt as _;
use time::OffsetDateTime;

use super::stage::Stage;
use super::step::{Outcome, Step};
use super::waiting::{Seen, wait_for};

pub(super) const STEP: Step = Step {
    name: "events",
    take: |stage| take(stage).boxed_local(),
};

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    if stage.opened.is_empty() {
        return Ok(Outcome::LeftOut("nothing was bought".to_owned()));
    }
    let mut recorded = 0_usize;
    for id in &stage.opened {
        let number = wait_for(stage.wishes.patience, async || {
            Ok(match stage.story(*id).await?.events.len() {
                0 => Seen::Not(format!("no event of the purchase {id} was recorded")),
                number => Seen::There(number),
            })
        });
        let number = number.await.map_err(|error| stage.no_event(&error))?;
        recorded = recorded.saturating_add(number);
    }
    let table = stage.shop.parked()?;
    let (first, last) = (stage.began.date(), OffsetDateTime::now_utc().date());
    let mut day = Some(first);
    while let Some(this) = day.filter(|day| *day <= last) {
        let parked = table.of_day(this).await?;
        let since = stage.began.unix_timestamp();
        if let Some(event) = parked.iter().find(|it| it.parked_at >= since) {
            let place = stage.place();
            bail!(
                "{} was parked ({}); see `till events parked{place}`",
                event.id,
                event.why
            );
        }
        day = this.next_day();
    }
    let number = stage.opened.len();
    let says =
        format!("{recorded} recorded of {number} purchases, none parked since the beginning");
    Ok(Outcome::Held(says, Vec::new()))
}
