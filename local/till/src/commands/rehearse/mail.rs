//! Everything that has happened called for mail, and all of it went out.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use shared::email::next_digest;
use shared::purchase::Mail;
use shared::store::outbox::{Row, State};

use super::stage::Stage;
use super::step::{Outcome, Step};
use super::waiting::{Seen, wait_for};

pub(super) const STEP: Step = Step {
    name: "mail",
    take: |stage| take(stage).boxed_local(),
};

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    if stage.opened.is_empty() {
        return Ok(Outcome::LeftOut("nothing was bought".to_owned()));
    }
    let stage = &*stage;
    let sent = wait_for(stage.until_scheduled(), async || {
        let rows = rows(stage).await?;
        let is_over = |row: &Row| matches!(row.state, State::Sent | State::Superseded);
        let waits = rows.iter().find(|row| !is_over(row) && !is_put_off(row));
        Ok(match waits {
            None => Seen::There(rows),
            Some(row) => {
                let reason = row.reason.as_deref().unwrap_or("it was not tried yet");
                let state = row.state.as_str();
                Seen::Not(format!("the mail {} is {state}: {reason}", row.id))
            }
        })
    });
    let sent = sent.await.map_err(|error| {
        let place = stage.place();
        anyhow::anyhow!("{error:#}; see `till mails list{place}`")
    })?;
    let sent: Vec<_> = sent.iter().filter(|row| row.state == State::Sent).collect();
    if sent.is_empty() {
        anyhow::bail!("nothing that was bought called for any mail");
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &sent {
        let kind = row.id.split('#').nth(1).unwrap_or_default();
        let counted = kinds.entry(kind).or_default();
        *counted = counted.saturating_add(1);
    }
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kind, number)| format!("{number} {kind}"))
        .collect();
    let says = format!("{} sent: {}", sent.len(), kinds.join(", "));
    Ok(Outcome::Held(says, Vec::new()))
}

/// Whether it tells of a sale that waits for the mail about all of the day's.
fn is_put_off(row: &Row) -> bool {
    let time = next_digest(row.created_at);
    row.mail == Mail::Sold && row.attempts == 0 && row.next_attempt == Some(time)
}

/// The rows of all mails that were called for.
async fn rows(stage: &Stage) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for id in &stage.opened {
        for (mail, row) in stage.story(*id).await?.mails {
            let gone = || anyhow::anyhow!("the row of the mail {id}#{mail:?} is gone");
            rows.push(row.ok_or_else(gone)?);
        }
    }
    if let Some(id) = &stage.subscription {
        rows.extend(stage.shop.mails()?.about(id).await?);
    }
    Ok(rows)
}
