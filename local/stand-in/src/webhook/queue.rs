//! The queue of deliveries: which event is due at which endpoint, and what came of each try.
//!
//! Nothing is remembered that is not in the database, so a restart resumes where the last run was
//! killed. A try that was under way then is made again: as from Stripe, an event can come twice.

use std::collections::BTreeMap;

use anyhow::Context as _;
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use crate::engine::faults::Fault;
use crate::engine::resource::Object as _;
use crate::engine::settings::{set, setting};
use crate::engine::time::{DAY, HOUR, Timestamp};
use crate::engine::transaction::Transaction;
use crate::webhook::endpoint::{SHOPS_OWN, WebhookEndpoint};
use crate::webhook::event::Event;

/// How long Stripe goes on trying.
const PATIENCE: i64 = 3 * DAY;

/// An event on its way to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Route {
    pub(crate) event: String,
    pub(crate) endpoint: String,
}

/// An event on its way to an endpoint, and how far it has come.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Delivery {
    /// The event's id.
    pub(crate) event: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    /// The id of the endpoint it goes to.
    pub(crate) endpoint: String,
    /// Where that is.
    pub(crate) url: String,
    /// What has become of it.
    pub(crate) state: DeliveryState,
    /// When it is tried next, in seconds since 1970 by the stand-in's clock.
    pub(crate) next_attempt: Option<i64>,
    /// The request's body.
    pub(crate) body: String,
    /// Every try so far, oldest first.
    pub(crate) attempts: Vec<Attempt>,
}

/// What has become of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryState {
    /// Not taken yet.
    Pending,
    /// Answered with a 2xx.
    Delivered,
    /// Given up after three days; at once, if `stripe listen` has forwarded it.
    Failed,
    /// Dropped on request.
    Discarded,
}

/// One try.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// When, in seconds since 1970 by the stand-in's clock.
    pub(crate) at: i64,
    /// Where it went.
    pub(crate) url: String,
    /// The request's headers.
    pub(crate) request_headers: BTreeMap<String, String>,
    /// The answer's status.
    pub(crate) status: Option<u16>,
    /// The answer's body, cut off at 64 KiB.
    pub(crate) answer: Option<String>,
    /// Why there is no answer.
    pub(crate) error: Option<String>,
    /// How long it took.
    pub(crate) milliseconds: u64,
}

impl Attempt {
    fn taken(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

/// How long an event lets others go first if none comes.
const GIVES_WAY_FOR: i64 = 60;

/// Makes an event due at an endpoint, to be posted as `body`, unless a fault switch is in the way.
pub(crate) fn enqueue(
    transaction: &Transaction<'_>,
    event: &Event,
    endpoint: &str,
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

/// What is to be tried now, at most so many.
pub(crate) fn due(transaction: &Transaction<'_>, most: usize) -> anyhow::Result<Vec<Route>> {
    let held = is_held(transaction)?;
    let mut statement = transaction.sql.prepare_cached(
        "SELECT event, endpoint FROM webhooks JOIN objects ON objects.id = event
         WHERE due <= ?1 AND (asked OR NOT ?2) ORDER BY asked DESC, objects.sequence LIMIT ?3",
    )?;
    let due = statement.query_map(params![transaction.now, held, most], |row| {
        Ok(Route {
            event: row.get(0)?,
            endpoint: row.get(1)?,
        })
    })?;
    Ok(due.collect::<Result<_, _>>()?)
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
        .query_row(sql, [&route.event, &route.endpoint], |row| row.get(0))
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
            [&route.event, &route.endpoint],
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
            "UPDATE webhooks SET due = ?2, gives_way = 0
             WHERE endpoint = ?1 AND gives_way AND state = 'pending' AND event IN (
                 SELECT id FROM objects WHERE sequence < (SELECT sequence FROM objects WHERE id = ?3)
             )",
            params![route.endpoint, transaction.now, route.event],
        )?;
        count_pending(transaction, &route.event)?;
    }
    Ok(())
}

fn keep_attempt(
    transaction: &Transaction<'_>,
    event: &str,
    endpoint: &str,
    attempt: &Attempt,
) -> anyhow::Result<()> {
    transaction.sql.execute(
        "INSERT INTO attempts_made (event, endpoint, body) VALUES (?1, ?2, ?3)",
        params![event, endpoint, serde_json::to_string(attempt)?],
    )?;
    Ok(())
}

/// Keeps an event's count of the endpoints that have not taken it.
fn count_pending(transaction: &Transaction<'_>, event: &str) -> anyhow::Result<()> {
    let pending = transaction.sql.query_row(
        "SELECT count(*) FROM webhooks
         WHERE event = ?1 AND state <> 'delivered' AND endpoint <> ?2",
        [event, LISTENER],
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
pub(crate) fn forget(transaction: &Transaction<'_>, endpoint: &str) -> anyhow::Result<()> {
    let sql = "DELETE FROM webhooks WHERE endpoint = ?1 AND state <> 'delivered' RETURNING event";
    let mut statement = transaction.sql.prepare(sql)?;
    let events = statement
        .query_map([endpoint], |row| row.get::<_, String>(0))?
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

/// All deliveries, newest first.
pub(crate) fn all(transaction: &Transaction<'_>) -> anyhow::Result<Vec<Delivery>> {
    select(transaction, None)
}

/// The deliveries of an event.
pub(crate) fn of_event(
    transaction: &Transaction<'_>,
    event: &str,
) -> anyhow::Result<Vec<Delivery>> {
    select(transaction, Some(event))
}

fn select(transaction: &Transaction<'_>, event: Option<&str>) -> anyhow::Result<Vec<Delivery>> {
    let urls: BTreeMap<String, String> = transaction
        .all::<WebhookEndpoint>()?
        .into_iter()
        .map(|endpoint| (endpoint.id, endpoint.url))
        .collect();
    let mut statement = transaction.sql.prepare_cached(
        "SELECT event, endpoint, webhooks.state, due, body FROM webhooks
         JOIN objects ON objects.id = event WHERE ?1 IS NULL OR event = ?1
         ORDER BY objects.sequence DESC, webhooks.rowid",
    )?;
    let rows = statement.query_map([event], |row| {
        Ok((
            Route {
                event: row.get(0)?,
                endpoint: row.get(1)?,
            },
            row.get::<_, String>(2)?,
            row.get::<_, Option<i64>>(3)?,
            row.get::<_, String>(4)?,
        ))
    })?;
    let mut deliveries = Vec::new();
    for row in rows {
        let (route, state, next_attempt, body) = row?;
        let attempts = attempts(transaction, &route)?;
        let last_url = attempts.last().map(|attempt| &attempt.url);
        let url = last_url.or(urls.get(&route.endpoint)).cloned();
        deliveries.push(Delivery {
            event_type: serde_json::from_str::<Event>(&body)?.event_type,
            url: url.unwrap_or_default(),
            state: DeliveryState::parse(&state)?,
            next_attempt,
            body,
            attempts,
            event: route.event,
            endpoint: route.endpoint,
        });
    }
    Ok(deliveries)
}

fn attempts(transaction: &Transaction<'_>, route: &Route) -> anyhow::Result<Vec<Attempt>> {
    let mut statement = transaction.sql.prepare_cached(
        "SELECT body FROM attempts_made WHERE event = ?1 AND endpoint = ?2 ORDER BY sequence",
    )?;
    let bodies = statement.query_map([&route.event, &route.endpoint], |row| {
        row.get::<_, String>(0)
    })?;
    bodies
        .map(|body| Ok(serde_json::from_str(&body?)?))
        .collect()
}

/// What became of the wish to send an event once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resent {
    Due,
    NoSuchEvent,
    /// It went nowhere before, and there is no endpoint to send it to.
    NoEndpoint,
}

/// Sends an event once more, held or not, to the endpoints that it went to. If there are none, to the
/// shop's own, or else to all.
pub(crate) fn resend(transaction: &Transaction<'_>, event: &str) -> anyhow::Result<Resent> {
    let Some(event) = transaction.get::<Event>(event)? else {
        return Ok(Resent::NoSuchEvent);
    };
    let again = transaction.sql.execute(
        "UPDATE webhooks SET state = 'pending', since = ?2, tries = 0, due = ?2, asked = 1
         WHERE event = ?1 AND endpoint IN (SELECT id FROM objects WHERE kind = ?3)",
        params![event.id, transaction.now, WebhookEndpoint::KIND],
    )?;
    if again > 0 {
        count_pending(transaction, &event.id)?;
        return Ok(Resent::Due);
    }
    let mut endpoints = transaction.all::<WebhookEndpoint>()?;
    if endpoints.iter().any(|endpoint| endpoint.id == SHOPS_OWN) {
        endpoints.retain(|endpoint| endpoint.id == SHOPS_OWN);
    }
    for endpoint in &endpoints {
        resend_to(transaction, &event, &endpoint.id)?;
    }
    Ok(match endpoints.is_empty() {
        true => Resent::NoEndpoint,
        false => Resent::Due,
    })
}

/// Sends an event once more, held or not, to an endpoint, even if that does not subscribe to it.
pub(crate) fn resend_to(
    transaction: &Transaction<'_>,
    event: &Event,
    endpoint: &str,
) -> anyhow::Result<()> {
    let resend = || {
        transaction.sql.execute(
            "UPDATE webhooks SET state = 'pending', since = ?3, tries = 0, due = ?3, asked = 1
             WHERE event = ?1 AND endpoint = ?2",
            params![event.id, endpoint, transaction.now],
        )
    };
    if resend()? == 0 {
        let body = serde_json::to_string(event)?;
        enqueue(transaction, event, endpoint, &body)?;
        resend()?;
    }
    count_pending(transaction, &event.id)
}

/// What stands for an endpoint where an event was forwarded by `stripe listen`. It is none: nothing
/// is pending for it, and nothing is tried again.
const LISTENER: &str = "stripe listen";

/// Keeps what became of an event that `stripe listen` has forwarded.
pub(crate) fn note_forwarded(
    transaction: &Transaction<'_>,
    event: &str,
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

impl DeliveryState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
        }
    }

    fn parse(state: &str) -> anyhow::Result<Self> {
        let states = [
            Self::Pending,
            Self::Delivered,
            Self::Failed,
            Self::Discarded,
        ];
        let state = states.into_iter().find(|known| known.as_str() == state);
        state.context("a delivery is in an unknown state")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_back_off_to_an_hour() {
        let pauses: Vec<_> = [1, 2, 3, 12, 13, 1_000].map(back_off).to_vec();
        assert_eq!(pauses, [1, 2, 4, 2_048, 3_600, 3_600]);
    }
}
