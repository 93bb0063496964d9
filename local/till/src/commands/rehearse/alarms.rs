//! No alarm of the stack has gone off.

use anyhow::bail;
use futures::FutureExt as _;

use super::stage::Stage;
use super::step::{Outcome, Step};
use crate::commands::alarms;

pub(super) const STEP: Step = Step {
    name: "alarms",
    take: |stage| take(stage).boxed_local(),
};

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let Some(stack) = &stage.shop.stack else {
        let why = "a shop on this machine has no alarms";
        return Ok(Outcome::LeftOut(why.to_owned()));
    };
    let alarms = alarms::of(stack).await?;
    if let Some(off) = alarms.iter().find(|it| it.has_gone_off()) {
        bail!("{} has gone off: {}", off.name, off.reason);
    }
    let says = format!(
        "none of {} has gone off so far; most look at five minutes at a time, so look again in ten",
        alarms.len()
    );
    Ok(Outcome::Held(says, Vec::new()))
}
