//! The queue of deliveries: which event is due at which endpoint, and what came of each try.
//!
//! Nothing is remembered that is not in the database, so a restart resumes where the last run was
//! killed. A try that was under way then is made again: as from Stripe, an event can come twice.

use anyhow::Context as _;
use rusqlite::{OptionalExtension as _, params};

use crate::engine::faults::Fault;
use crate::engine::ids::{EventId, WebhookEndpointId};
use crate::engine::settings::{set, setting};
use crate::engine::time::{DAY, HOUR, Timestamp};
use crate::engine::transaction::Transaction;
use crate::webhook::event::Event;
use crate::webhook::history::{Attempt, DeliveryState, LISTENER, keep_attempt};

/// How long Stripe goes on trying.
const PATIENCE: i64 = 3 * DAY;

/// An event on its way to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Route {
    pub(crate) event: EventId,
    pub(crate) endpoint: WebhookEndpointId,
}

/// How long an event lets others go first if none comes.
const GIVES_WAY_FOR: i64 = 60;

/// Makes an event due at an endpoint, to be posted as `body`, unless a fault switch is in the way.
pub(crate) fn enqueue(
    transaction: &Transaction<'_>,
    event: &Event,
    endpoint: &WebhookEndpointId,
    body: &str,
) -> anyhow::Result<()> {
    let strike = transaction.faults.at_delivery(&event.event_type);
    let (mut state, mut due, mut repeats, mut gives_way) = (
        DeliveryState::Pending,
        Some(transaction.account_now),
        0,
        false,
    );
    if let Some(strike) = strike {
        let after = |seconds| Some(transaction.account_now.saturating_add(seconds));
        match strike.fault {
            Fault::Drop => (state, due) = (DeliveryState::Discarded, None),
            Fault::Duplicate => repeats = 1,
            Fault::Delay => {
                due = after(strike.delay_ms.div_ceil(1_000).try_into().unwrap_or(DAY));
            }
            Fault::Reorder => (due, gives_way) = (after(GIVES_WAY_FOR), true),
            _ => {}
        }
    }
    transaction
        .sql
        .execute(
            "INSERT INTO webhooks (event, endpoint, body, state, since, tries, due, repeats, gives_way)
             VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8)",
            params![
                event.id,
                endpoint,
                body,
                state.as_str(),
                transaction.account_now,
                due,
                repeats,
                gives_way
            ],
        )
        .with_context(|| format!("cannot queue {}", event.id))?;
    Ok(())
}

/// Posts another body to an endpoint than was queued, in the transaction that has queued it.
pub(crate) fn rewrite(
    transaction: &Transaction<'_>,
    event: &Event,
    endpoint: &str,
    body: &str,
) -> anyhow::Result<()> {
    let sql = "UPDATE webhooks SET body = ?3 WHERE event = ?1 AND endpoint = ?2";
    transaction
        .sql
        .execute(sql, params![event.id, endpoint, body])?;
    Ok(())
}

const DUE: &str = "SELECT event, endpoint FROM webhooks
    WHERE asked = ?1 AND due <= ?2 ORDER BY due, rowid LIMIT ?3";

/// Makes due at an endpoint what has let an event go first.
const FOLLOW: &str = "UPDATE webhooks SET due = ?2, gives_way = 0
    WHERE endpoint = ?1 AND gives_way AND state = 'pending' AND (
        SELECT sequence FROM objects WHERE kind = 'event' AND id = event
    ) < (
        SELECT sequence FROM objects WHERE kind = 'event' AND id = ?3
    )";

/// What is to be tried now, at most so many: first what somebody asked for, then what has been due
/// longest. Each is a range of an index, so that how many are waiting makes no difference.
pub(crate) fn due(transaction: &Transaction<'_>, most: usize) -> anyhow::Result<Vec<Route>> {
    let held = is_held(transaction)?;
    let mut statement = transaction.sql.prepare_cached(DUE)?;
    let mut due = Vec::new();
    for asked in [true, false] {
        if held && !asked {
            break;
        }
        let room = most.saturating_sub(due.len());
        let found = statement.query_map(params![asked, transaction.now, room], |row| {
            Ok(Route {
                event: row.get(0)?,
                endpoint: row.get(1)?,
            })
        })?;
        for route in found {
            due.push(route?);
        }
    }
    Ok(due)
}

/// When there is more to try.
pub(crate) fn next_due(transaction: &Transaction<'_>) -> anyhow::Result<Option<Timestamp>> {
    let sql = "SELECT min(due) FROM webhooks WHERE due > ?1";
    let next = transaction
        .sql
        .query_row(sql, [transaction.now], |row| row.get(0))?;
    Ok(next)
}

/// What is posted on this route, byte for byte.
pub(crate) fn body(transaction: &Transaction<'_>, route: &Route) -> anyhow::Result<Option<String>> {
    let sql = "SELECT body FROM webhooks WHERE event = ?1 AND endpoint = ?2";
    let body = transaction
        .sql
        .query_row(sql, params![route.event, route.endpoint], |row| row.get(0))
        .optional()?;
    Ok(body)
}

/// Keeps the try and decides what follows from it.
pub(crate) fn note(
    transaction: &Transaction<'_>,
    route: &Route,
    attempt: &Attempt,
) -> anyhow::Result<()> {
    let sql = transaction.sql;
    let noted: Option<(Timestamp, u32, u32)> = sql
        .query_row(
            "UPDATE webhooks SET tries = tries + 1, asked = 0, gives_way = 0
             WHERE event = ?1 AND endpoint = ?2 RETURNING since, tries, repeats",
            params![route.event, route.endpoint],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    // Its endpoint may have been deleted meanwhile.
    let Some((since, tries, repeats)) = noted else {
        return Ok(());
    };
    keep_attempt(transaction, &route.event, &route.endpoint, attempt)?;
    let taken = attempt.taken();
    let next = transaction.now.saturating_add(back_off(tries));
    let (state, due) = match taken {
        true if repeats > 0 => (DeliveryState::Pending, Some(transaction.now)),
        true => (DeliveryState::Delivered, None),
        false if next.saturating_sub(since) > PATIENCE => (DeliveryState::Failed, None),
        false => (DeliveryState::Pending, Some(next)),
    };
    // It may have been discarded meanwhile.
    sql.execute(
        "UPDATE webhooks SET state = ?3, due = ?4, repeats = max(0, repeats - ?5)
         WHERE event = ?1 AND endpoint = ?2 AND state = 'pending'",
        params![route.event, route.endpoint, state.as_str(), due, taken],
    )?;
    if taken {
        // Whatever has let it go first may follow.
        sql.execute(
            FOLLOW,
            params![route.endpoint, transaction.now, route.event],
        )?;
        count_pending(transaction, &route.event)?;
    }
    Ok(())
}

/// Keeps an event's count of the endpoints that have not taken it.
pub(super) fn count_pending(transaction: &Transaction<'_>, event: &EventId) -> anyhow::Result<()> {
    let pending = transaction.sql.query_row(
        "SELECT count(*) FROM webhooks
         WHERE event = ?1 AND state <> 'delivered' AND endpoint <> ?2",
        params![event, LISTENER],
        |row| row.get(0),
    )?;
    if let Some(mut event) = transaction.get::<Event>(event)?
        && event.pending_webhooks != pending
    {
        event.pending_webhooks = pending;
        transaction.put(&event)?;
    }
    Ok(())
}

/// Nothing more goes to an endpoint that is no more.
pub(crate) fn forget(
    transaction: &Transaction<'_>,
    endpoint: &WebhookEndpointId,
) -> anyhow::Result<()> {
    let sql = "DELETE FROM webhooks WHERE endpoint = ?1 AND state <> 'delivered' RETURNING event";
    let mut statement = transaction.sql.prepare(sql)?;
    let events = statement
        .query_map([endpoint], |row| row.get::<_, EventId>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    events
        .iter()
        .try_for_each(|event| count_pending(transaction, event))
}

/// 1 s, 2 s, 4 s … an hour. Stripe itself begins more slowly; here somebody is waiting.
fn back_off(tries: u32) -> i64 {
    1_i64
        .checked_shl(tries.saturating_sub(1).min(30))
        .map_or(HOUR, |seconds| seconds.min(HOUR))
}

/// Keeps what became of an event that `stripe listen` has forwarded.
pub(crate) fn note_forwarded(
    transaction: &Transaction<'_>,
    event: &EventId,
    body: &str,
    attempt: &Attempt,
) -> anyhow::Result<()> {
    let state = match attempt.taken() {
        true => DeliveryState::Delivered,
        false => DeliveryState::Failed,
    };
    transaction.sql.execute(
        "INSERT INTO webhooks (event, endpoint, body, state, since, tries)
         VALUES (?1, ?2, ?3, ?4, ?5, 1)
         ON CONFLICT (event, endpoint) DO UPDATE SET state = excluded.state, tries = tries + 1",
        params![event, LISTENER, body, state.as_str(), transaction.now],
    )?;
    keep_attempt(transaction, event, LISTENER, attempt)
}

/// Drops an event that is not delivered yet. False if there is none.
pub(crate) fn discard(transaction: &Transaction<'_>, event: &str) -> anyhow::Result<bool> {
    let changed = transaction.sql.execute(
        "UPDATE webhooks SET state = 'discarded', due = NULL, asked = 0
         WHERE event = ?1 AND state = 'pending'",
        [event],
    )?;
    Ok(changed > 0)
}

const HELD: &str = "deliveries_held";

/// Whether deliveries are held back.
pub(crate) fn is_held(transaction: &Transaction<'_>) -> anyhow::Result<bool> {
    Ok(setting(transaction.sql, HELD)? != 0)
}

/// Holds all deliveries back, or lets them go.
pub(crate) fn hold(transaction: &Transaction<'_>, held: bool) -> anyhow::Result<()> {
    set(transaction.sql, HELD, held.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::database::Database;

    #[test]
    fn a_delivery_looks_through_no_other_however_many_there_are() {
        let site = "http://127.0.0.1:12111".parse().unwrap();
        let database = Database::open(None, &site).unwrap();
        let planned: anyhow::Result<_> = database.transact(&Default::default(), |transaction| {
            let mut planned = Vec::new();
            for sql in [DUE, FOLLOW] {
                let plan = format!("EXPLAIN QUERY PLAN {sql}");
                let mut statement = transaction.sql.prepare(&plan)?;
                let steps = statement.query_map([1, 1, 1], |row| row.get::<_, String>(3))?;
                planned.extend(steps.collect::<Result<Vec<_>, _>>()?);
            }
            Ok(planned)
        });
        let planned = planned.unwrap();
        for index in ["webhooks_by_turn", "webhooks_giving_way"] {
            assert!(
                planned.iter().any(|step| step.contains(index)),
                "{planned:?}"
            );
        }
        for wasteful in [
            "SCAN webhooks",
            "SCAN objects",
            "TEMP B-TREE",
            "LIST SUBQUERY",
        ] {
            let found = planned.iter().any(|step| step.contains(wasteful));
            assert!(!found, "{wasteful}: {planned:?}");
        }
    }

    #[test]
    fn tries_back_off_to_an_hour() {
        let pauses: Vec<_> = [1, 2, 3, 12, 13, 1_000].map(back_off).to_vec();
        assert_eq!(pauses, [1, 2, 4, 2_048, 3_600, 3_600]);
    }
}
