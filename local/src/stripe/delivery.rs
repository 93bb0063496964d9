//! Webhooks: each event that is subscribed to is posted, signed, until the shop takes it with a 2xx.
//!
//! What is due is read from the database, never remembered, so a restart resumes where the last run
//! was killed. A try that was under way then is made again: as from Stripe, an event can come twice.

use std::collections::{BTreeMap, HashSet};
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use shared::stripe::signature::sign;

use super::StandIn;
use super::clock::{self, DAY, HOUR, Timestamp};
use super::database::{Cause, Transaction, set, setting};
use super::events::Event;

/// Tries under way at a time. A webhook that hangs then delays few others.
const AT_ONCE: usize = 8;

/// How long Stripe goes on trying.
const PATIENCE: i64 = 3 * DAY;

/// As much of an answer as is worth keeping.
const ANSWER_LIMIT: usize = 64 << 10;

const USER_AGENT: &str = "Stripe/1.0 (+https://stripe.com/docs/webhooks)";

/// An event on its way to the webhook.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// The event's id.
    pub event: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Where it goes.
    pub url: String,
    /// What has become of it.
    pub state: DeliveryState,
    /// When it is tried next, in seconds since 1970 by the stand-in's clock.
    pub next_attempt: Option<i64>,
    /// The request's body.
    pub body: String,
    /// Every try so far, oldest first.
    pub attempts: Vec<Attempt>,
}

/// What has become of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Not taken yet.
    Pending,
    /// Answered with a 2xx.
    Delivered,
    /// Given up after three days.
    Failed,
    /// Dropped on request.
    Discarded,
}

/// One try.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// When, in seconds since 1970 by the stand-in's clock.
    pub at: i64,
    /// Where it went.
    pub url: String,
    /// The request's headers.
    pub request_headers: BTreeMap<String, String>,
    /// The answer's status.
    pub status: Option<u16>,
    /// The answer's body, cut off at 64 KiB.
    pub answer: Option<String>,
    /// Why there is no answer.
    pub error: Option<String>,
    /// How long it took.
    pub milliseconds: u64,
}

/// See [`StandIn::deliver`].
pub(super) async fn run(stand_in: &StandIn, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    let mut sending = FuturesUnordered::new();
    let mut under_way = HashSet::new();
    loop {
        let agenda = match stand_in.transact(Cause::default(), agenda).await {
            Ok(agenda) => agenda,
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "cannot read what is to deliver"
                );
                Agenda {
                    due: Vec::new(),
                    pause: Duration::from_secs(1),
                }
            }
        };
        for event in agenda.due {
            if under_way.len() < AT_ONCE && under_way.insert(event.clone()) {
                sending.push(attempt(stand_in, event));
            }
        }
        tokio::select! {
            () = &mut shutdown => return,
            Some(event) = sending.next() => { under_way.remove(&event); }
            () = stand_in.0.changed.notified() => {}
            () = tokio::time::sleep(agenda.pause) => {}
        }
    }
}

/// What there is to do now, and how long until there may be more.
struct Agenda {
    due: Vec<String>,
    pause: Duration,
}

fn agenda(transaction: &Transaction<'_>) -> anyhow::Result<Agenda> {
    let held = setting(&transaction.sql, HELD)? != 0;
    let mut statement = transaction.sql.prepare_cached(
        "SELECT deliveries.event FROM deliveries JOIN objects ON objects.id = deliveries.event
         WHERE due <= ?1 AND (asked OR NOT ?2) ORDER BY asked DESC, objects.sequence LIMIT ?3",
    )?;
    // As many more as may be under way already.
    let due = statement
        .query_map(
            params![transaction.now, held, AT_ONCE.saturating_mul(2)],
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    let later: Option<Timestamp> = transaction.sql.query_row(
        "SELECT min(due) FROM deliveries WHERE due > ?1",
        [transaction.now],
        |row| row.get(0),
    )?;
    let next = [later, transaction.next_expiry()?]
        .into_iter()
        .flatten()
        .min();
    let pause = next.map_or(HOUR, |next| {
        next.saturating_sub(transaction.now).clamp(1, HOUR)
    });
    Ok(Agenda {
        due,
        pause: Duration::from_secs(pause.unsigned_abs()),
    })
}

/// Tries once and notes what came of it. Returns the event's id.
async fn attempt(stand_in: &StandIn, event: String) -> String {
    if let Err(error) = try_once(stand_in, &event).await {
        tracing::error!(
            event,
            error = format!("{error:#}"),
            "cannot deliver an event"
        );
        // It is still due. Not again at once, though.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    event
}

async fn try_once(stand_in: &StandIn, event: &str) -> anyhow::Result<()> {
    let id = event.to_owned();
    let body = stand_in
        .transact(Cause::default(), move |it| body_of(it, &id))
        .await?;
    let config = &stand_in.0.config;
    // Real time: the receiver compares it with its own clock.
    let signature = sign(body.as_bytes(), &config.webhook_secret, clock::real());
    let headers = BTreeMap::from([
        (
            "Accept".to_owned(),
            "*/*; q=0.5, application/xml".to_owned(),
        ),
        ("Cache-Control".to_owned(), "no-cache".to_owned()),
        (
            "Content-Type".to_owned(),
            "application/json; charset=utf-8".to_owned(),
        ),
        ("Stripe-Signature".to_owned(), signature),
        ("User-Agent".to_owned(), USER_AGENT.to_owned()),
    ]);

    let mut request = stand_in.0.webhook_client.post(config.webhook_url.clone());
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    let begun = Instant::now();
    let answer = read_answer(request.body(body).send().await).await;
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);

    let id = event.to_owned();
    let url = config.webhook_url.to_string();
    let (status, answer, error) = match answer {
        Ok((status, answer)) => (Some(status), Some(answer), None),
        Err(error) => (None, None, Some(error)),
    };
    stand_in
        .transact(Cause::default(), move |transaction| {
            let at = transaction.now;
            let attempt = Attempt {
                at,
                url,
                request_headers: headers,
                status,
                answer,
                error,
                milliseconds,
            };
            note(transaction, &id, &attempt)
        })
        .await
}

async fn read_answer(sent: reqwest::Result<reqwest::Response>) -> Result<(u16, String), String> {
    let describe = |error: reqwest::Error| format!("{:#}", anyhow::Error::new(error));
    let mut response = sent.map_err(describe)?;
    let mut body = Vec::new();
    while body.len() < ANSWER_LIMIT
        && let Some(chunk) = response.chunk().await.map_err(describe)?
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(ANSWER_LIMIT);
    Ok((
        response.status().as_u16(),
        String::from_utf8_lossy(&body).into_owned(),
    ))
}

fn body_of(transaction: &Transaction<'_>, event: &str) -> anyhow::Result<String> {
    let sql = "SELECT body FROM deliveries WHERE event = ?1";
    Ok(transaction.sql.query_row(sql, [event], |row| row.get(0))?)
}

/// Makes an event due.
pub(super) fn enqueue(transaction: &Transaction<'_>, event: &Event) -> anyhow::Result<()> {
    transaction
        .sql
        .execute(
            "INSERT INTO deliveries (event, body, state, since, tries, due)
             VALUES (?1, ?2, 'pending', ?3, 0, ?3)",
            params![event.id, serde_json::to_string(event)?, transaction.now],
        )
        .with_context(|| format!("cannot queue {}", event.id))?;
    Ok(())
}

/// Keeps the try and decides what follows from it.
fn note(transaction: &Transaction<'_>, event: &str, attempt: &Attempt) -> anyhow::Result<()> {
    let sql = &transaction.sql;
    sql.execute(
        "INSERT INTO attempts (event, body) VALUES (?1, ?2)",
        params![event, serde_json::to_string(attempt)?],
    )?;
    let (since, tries): (Timestamp, u32) = sql.query_row(
        "UPDATE deliveries SET tries = tries + 1, asked = 0 WHERE event = ?1 RETURNING since, tries",
        [event],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (state, due) = if attempt
        .status
        .is_some_and(|status| (200..300).contains(&status))
    {
        (DeliveryState::Delivered, None)
    } else {
        let next = transaction.now.saturating_add(back_off(tries));
        if next.saturating_sub(since) > PATIENCE {
            (DeliveryState::Failed, None)
        } else {
            (DeliveryState::Pending, Some(next))
        }
    };
    // It may have been discarded meanwhile.
    sql.execute(
        "UPDATE deliveries SET state = ?2, due = ?3 WHERE event = ?1 AND state = 'pending'",
        params![event, state.as_str(), due],
    )?;
    if state == DeliveryState::Delivered
        && let Some(mut event) = transaction.get::<Event>(event)?
    {
        event.pending_webhooks = 0;
        transaction.put(&event)?;
    }
    Ok(())
}

/// 1 s, 2 s, 4 s … an hour. Stripe itself begins more slowly; here somebody is waiting.
fn back_off(tries: u32) -> i64 {
    1_i64
        .checked_shl(tries.saturating_sub(1).min(30))
        .map_or(HOUR, |seconds| seconds.min(HOUR))
}

/// All deliveries, newest first.
pub(super) fn all(transaction: &Transaction<'_>, url: &str) -> anyhow::Result<Vec<Delivery>> {
    let mut statement = transaction.sql.prepare_cached(
        "SELECT deliveries.event, state, due, deliveries.body FROM deliveries
         JOIN objects ON objects.id = deliveries.event ORDER BY objects.sequence DESC",
    )?;
    let rows = statement.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, Option<i64>>(2)?,
            row.get::<_, String>(3)?,
        ))
    })?;
    let mut deliveries = Vec::new();
    for row in rows {
        let (event, state, next_attempt, body) = row?;
        let attempts = attempts(transaction, &event)?;
        deliveries.push(Delivery {
            event_type: serde_json::from_str::<Event>(&body)?.event_type,
            url: attempts
                .last()
                .map_or(url, |attempt| &attempt.url)
                .to_owned(),
            state: DeliveryState::parse(&state)?,
            next_attempt,
            body,
            attempts,
            event,
        });
    }
    Ok(deliveries)
}

fn attempts(transaction: &Transaction<'_>, event: &str) -> anyhow::Result<Vec<Attempt>> {
    let mut statement = transaction
        .sql
        .prepare_cached("SELECT body FROM attempts WHERE event = ?1 ORDER BY sequence")?;
    let bodies = statement.query_map([event], |row| row.get::<_, String>(0))?;
    bodies
        .map(|body| Ok(serde_json::from_str(&body?)?))
        .collect()
}

/// Sends an event once more, subscribed to or not, held or not. False if there is no such event.
pub(super) fn resend(transaction: &Transaction<'_>, event: &str) -> anyhow::Result<bool> {
    let Some(mut event) = transaction.get::<Event>(event)? else {
        return Ok(false);
    };
    event.pending_webhooks = 1;
    transaction.put(&event)?;
    let again = transaction.sql.execute(
        "UPDATE deliveries SET state = 'pending', since = ?2, tries = 0, due = ?2, asked = 1
         WHERE event = ?1",
        params![event.id, transaction.now],
    )?;
    if again == 0 {
        enqueue(transaction, &event)?;
        transaction.sql.execute(
            "UPDATE deliveries SET asked = 1 WHERE event = ?1",
            [&event.id],
        )?;
    }
    Ok(true)
}

/// Drops an event that is not delivered yet. False if there is none.
pub(super) fn discard(transaction: &Transaction<'_>, event: &str) -> anyhow::Result<bool> {
    let changed = transaction.sql.execute(
        "UPDATE deliveries SET state = 'discarded', due = NULL, asked = 0
         WHERE event = ?1 AND state = 'pending'",
        [event],
    )?;
    Ok(changed > 0)
}

const HELD: &str = "deliveries_held";

/// Holds all deliveries back, or lets them go.
pub(super) fn hold(transaction: &Transaction<'_>, held: bool) -> anyhow::Result<()> {
    set(&transaction.sql, HELD, held.into())
}

impl DeliveryState {
    fn as_str(self) -> &'static str {
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
        state.context("a delivery is in no known state")
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
