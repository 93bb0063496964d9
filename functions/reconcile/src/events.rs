//! Reads Stripe's events again: all of them, and those that could not be delivered.

use serde_json::Value;
use shared::{
    inbox::{InboxError, Receipt},
    store::{
        StoreError,
        sweep::{Cursor, Sweep},
    },
    stripe::{
        client::{LONGEST_PAGE, List, StripeError},
        event::Topic,
    },
};

use crate::run::{ReconcileError, Run};

/// A day more than the three for which Stripe tries to deliver an event.
const DELIVERIES_LAST: i64 = 4 * DAY;
/// A sweep goes back this far beyond where the last one began, because events may be listed late.
const OVERLAP: i64 = 3600;
/// It goes back this far if an earlier version of the code was at work meanwhile, as long as somebody may
/// have gone back to it: that did not know all that the events say.
const WENT_BACK: i64 = 4 * DAY;
const DAY: i64 = 24 * 3600;

/// All events since the last run's high-water mark, whether or not they were delivered. The first
/// run goes back to when the table was created: earlier events are not its own, and a table that
/// was lost is restored only if a person says so.
pub(crate) async fn all(run: &mut Run<'_>) -> Result<(), ReconcileError> {
    for topic in Topic::ALL {
        sweep(run, topic).await?;
    }
    Ok(())
}

async fn sweep(run: &mut Run<'_>, topic: Topic) -> Result<(), ReconcileError> {
    let sweeps = &run.parts.sweeps;
    let mut cursor = sweeps.load(topic.as_str()).await?;
    if run.limits.since.is_some() {
        // An interrupted sweep had another beginning.
        cursor.sweep = None;
    }
    let mut resumed = cursor.sweep.is_some();
    while !run.out_of_time() {
        let from = match &cursor.sweep {
            Some(sweep) => sweep.from,
            None => beginning(run, &cursor).await?,
        };
        let after = cursor.sweep.as_ref().map(|sweep| sweep.after.clone());
        let page = match page(run, topic, from, after.as_deref(), false).await {
            // Stripe no longer has the event where it stopped, so it starts over.
            Err(StripeError::Refused { .. }) if cursor.sweep.is_some() => {
                cursor.sweep = None;
                continue;
            }
            page => page?,
        };
        let all_taken = take_in(run, &page.data).await;
        if run.out_of_time() {
            return Ok(());
        }
        let newest = page.data.iter().filter_map(created).max();
        let begun = cursor.sweep.take();
        let failed = !all_taken || begun.as_ref().is_some_and(|sweep| sweep.failed);
        let newest = begun.map(|sweep| sweep.newest).or(newest);
        match (page.next(), newest) {
            (Some(after), Some(newest)) => {
                cursor.sweep = Some(Sweep::new((from, newest), after, failed));
                sweeps.save(topic.as_str(), &cursor).await?;
            }
            (_, newest) => {
                // The next run sees again what could not be taken in.
                if !failed {
                    cursor.is_at(newest);
                }
                sweeps.save(topic.as_str(), &cursor).await?;
                // A resumed sweep has seen neither what came since it began nor what the earlier
                // run could not take in.
                if !std::mem::take(&mut resumed) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// How far back a sweep goes. `since` can only extend that: what a sweep skipped would never be
/// looked at again.
async fn beginning(run: &Run<'_>, cursor: &Cursor) -> Result<i64, StoreError> {
    let made = run.parts.work.begins_at();
    let own = match cursor.high_water {
        None => made.await?,
        Some(high_water) if cursor.is_of_earlier_version() => {
            high_water.saturating_sub(WENT_BACK).max(made.await?)
        }
        Some(high_water) => high_water.saturating_sub(OVERLAP),
    };
    Ok(run.limits.since.map_or(own, |since| since.min(own)))
}

/// Events whose delivery failed or is still being tried.
pub(crate) async fn undelivered(run: &mut Run<'_>) -> Result<(), ReconcileError> {
    let since = run.now().saturating_sub(DELIVERIES_LAST);
    for topic in Topic::ALL {
        let mut after = None;
        while !run.out_of_time() {
            let page = page(run, topic, since, after.as_deref(), true).await?;
            take_in(run, &page.data).await;
            after = page.next();
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}

async fn page(
    run: &Run<'_>,
    topic: Topic,
    since: i64,
    after: Option<&str>,
    undelivered: bool,
) -> Result<List<Value>, StripeError> {
    let since = since.to_string();
    let mut query = vec![("limit", LONGEST_PAGE), ("created[gte]", &since)];
    query.extend(topic.handled().map(|kind| ("types[]", kind)));
    query.extend(after.map(|after| ("starting_after", after)));
    query.extend(undelivered.then_some(("delivery_success", "false")));
    run.parts.stripe.list("/events", &query).await
}

/// Takes in a page of events, oldest first, as they happened; says whether all of them were.
async fn take_in(run: &mut Run<'_>, events: &[Value]) -> bool {
    let failed_before = run.findings.failed;
    for event in events.iter().rev() {
        if run.out_of_time() {
            return false;
        }
        let now = run.now();
        let age = now.saturating_sub(created(event).unwrap_or_default());
        if (0..run.limits.leave_younger_than).contains(&age) {
            continue;
        }
        let id = event.get("id").and_then(Value::as_str).unwrap_or_default();
        if run.taken.contains(id) {
            continue;
        }
        run.findings.events = run.findings.events.saturating_add(1);
        match run
            .parts
            .inbox
            .take(event.to_string().as_bytes(), now)
            .await
        {
            Ok(receipt) => {
                run.taken.insert(id.to_owned());
                note_receipt(run, id, &receipt);
            }
            // It was logged where it happened.
            Err(InboxError::Store(_) | InboxError::Stripe(_)) => {
                run.findings.failed = run.findings.failed.saturating_add(1);
            }
        }
        run.tell();
    }
    run.findings.failed == failed_before
}

fn note_receipt(run: &mut Run<'_>, event: &str, receipt: &Receipt) {
    match receipt {
        Receipt::Recorded {
            subject, status, ..
        } => run.found(event, subject.clone(), *status, "record"),
        Receipt::Parked => run.findings.parked = run.findings.parked.saturating_add(1),
        Receipt::ParkedBefore
        | Receipt::NothingNew
        | Receipt::SeenBefore
        | Receipt::NoSuchPurchase
        | Receipt::Foreign
        | Receipt::Unhandled => {}
    }
}

fn created(object: &Value) -> Option<i64> {
    object.get("created").and_then(Value::as_i64)
}
