//! Finds the sessions of purchases whose call to Stripe has no known outcome, by the tags that the
//! sessions carry.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;
use shared::{
    comparison::ComparisonError,
    purchase::{PurchaseId, Status},
    standing::Standing,
    store::purchases::Stored,
    stripe::{
        client::{LONGEST_PAGE, List},
        event::Unreadable,
        object::{Session, Tags},
    },
};

use crate::run::Run;

/// Looks for the sessions of purchases that have none. Sessions of purchases made at about the same
/// time are listed together.
pub(crate) async fn match_sessions(run: &mut Run<'_>, purchases: BTreeMap<PurchaseId, Stored>) {
    for (begin, end, group) in together(purchases) {
        match sessions_between(run, begin, end, &group).await {
            Ok(Some(sessions)) => {
                for stored in group {
                    let id = stored.purchase.id();
                    let sessions = sessions.get(&id).map_or(&[][..], Vec::as_slice);
                    if let Err(error) = matched(run, stored, sessions).await {
                        run.left_for_next_time(&id.into(), &error);
                    }
                }
            }
            Ok(None) => return,
            Err(error) => {
                for stored in group {
                    run.left_for_next_time(&stored.purchase.id().into(), &error);
                }
            }
        }
    }
}

/// Groups of purchases, each with the period in which Stripe made their sessions.
fn together(purchases: BTreeMap<PurchaseId, Stored>) -> Vec<(i64, i64, Vec<Stored>)> {
    // Stripe's clock may differ from ours.
    const CLOCKS_DIFFER: i64 = 300;
    let mut together: Vec<(i64, i64, Vec<Stored>)> = Vec::new();
    // Ids sort by time.
    for (id, stored) in purchases {
        let begun = id.created_at().unix_timestamp();
        let over = stored.purchase.attempt().expires_at.max(begun);
        let begin = begun.saturating_sub(CLOCKS_DIFFER);
        let end = over.saturating_add(CLOCKS_DIFFER);
        match together.last_mut() {
            Some((_, last_end, group)) if begin <= *last_end => {
                *last_end = end.max(*last_end);
                group.push(stored);
            }
            _ => together.push((begin, end, vec![stored])),
        }
    }
    together
}

/// The sessions of a group of purchases, among those that Stripe made in a period; `None` if this
/// run has no time to look through them.
async fn sessions_between(
    run: &Run<'_>,
    begin: i64,
    end: i64,
    group: &[Stored],
) -> Result<Option<BTreeMap<PurchaseId, Vec<Value>>>, ComparisonError> {
    let (begin, end) = (begin.to_string(), end.to_string());
    let mut found: BTreeMap<PurchaseId, Vec<Value>> = BTreeMap::new();
    let mut after: Option<String> = None;
    while !run.out_of_time() {
        let mut query = vec![
            ("limit", LONGEST_PAGE),
            ("created[gte]", begin.as_str()),
            ("created[lte]", end.as_str()),
            ("expand[]", "data.payment_intent"),
        ];
        query.extend(after.as_deref().map(|after| ("starting_after", after)));
        let page: List<Value> = run.parts.stripe.list("/checkout/sessions", &query).await?;
        after = page.next();
        for object in page.data {
            // Only our own have to be readable; others may have any shape.
            let tags = object.get("metadata").map(Tags::deserialize);
            let Some(Ok(tags)) = tags else { continue };
            let Ok(Some(id)) = tags.purchase(&run.parts.stack) else {
                continue;
            };
            if group.iter().any(|stored| stored.purchase.id() == id) {
                found.entry(id).or_default().push(object);
            }
        }
        if after.is_none() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Records the sessions that were found for a purchase. If there are none and its time is over, it
/// is abandoned.
async fn matched(
    run: &mut Run<'_>,
    stored: Stored,
    sessions: &[Value],
) -> Result<(), ComparisonError> {
    let id = stored.purchase.id();
    for session in sessions {
        let session = Session::deserialize(session).map_err(Unreadable::from)?;
        let mut comparison = run.comparison(id);
        let compared = comparison.found_session(&session).await;
        run.found_news(&id.into(), comparison.news());
        compared?;
    }
    if !sessions.is_empty() {
        return Ok(());
    }
    let now = run.now();
    let is_over = now >= stored.purchase.attempt().is_over_at();
    if stored.purchase.status() != Status::Open || !is_over {
        // It is checked again at its end. If it is not open, it was rebuilt from a refund or dispute
        // whose session Stripe does not know.
        let doubts = stored.purchase.payment().doubts();
        return Ok(run.parts.work.checked(id, doubts, &[], now).await?);
    }
    let left = run.parts.attempts.abandon(stored, now).await?;
    // Otherwise it got a session after all.
    if left.purchase.status() == Status::Abandoned {
        let abandoned = Standing::Purchase(Status::Abandoned);
        run.found(&id.to_string(), id.into(), abandoned, "abandon");
    }
    Ok(())
}
