//! Other systems were told: what the purchases announced went to the shop's event bus.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};
use futures::FutureExt as _;
use shared::store::outbox::State;
use shared::store::publications::EventRow;

use super::stage::Stage;
use super::step::{Outcome, Step};
use super::waiting::{Seen, wait_for};

pub(super) const STEP: Step = Step {
    name: "published",
    take: |stage| take(stage).boxed_local(),
};

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    if stage.opened.is_empty() {
        return Ok(Outcome::LeftOut("nothing was bought".to_owned()));
    }
    let stage = &*stage;
    let published = wait_for(stage.until_scheduled(), async || {
        let rows = rows(stage).await?;
        let waits = rows.iter().find(|row| row.state != State::Sent);
        Ok(match waits {
            None => Seen::There(rows),
            Some(row) => {
                let reason = row.reason.as_deref().unwrap_or("it was not tried yet");
                let (id, state) = (&row.id, row.state.as_str());
                Seen::Not(format!("the publication {id} is {state}: {reason}"))
            }
        })
    });
    let published = published.await?;
    if published.is_empty() {
        bail!("nothing that was bought was announced to anybody");
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &published {
        let counted = kinds.entry(&row.kind).or_default();
        *counted = counted.saturating_add(1);
    }
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kind, number)| format!("{number} {kind}"))
        .collect();
    let says = format!("{} on the bus: {}", published.len(), kinds.join(", "));
    Ok(Outcome::Held(says, Vec::new()))
}

/// The rows of all that the purchases announced.
async fn rows(stage: &Stage) -> anyhow::Result<Vec<EventRow>> {
    let mut rows = Vec::new();
    for id in &stage.opened {
        for told in stage.story(*id).await?.told {
            let gone = || anyhow!("the row of the publication {id}#{} is gone", told.news);
            rows.push(told.row.ok_or_else(gone)?);
        }
    }
    Ok(rows)
}
