//! The log of API calls: what was asked, and what was answered.
//!
//! A call that changes something is written down in its own transaction. A call that only reads has
//! nothing to commit, so it does not wait for the log either: it is kept in memory for a moment and
//! written together with its neighbors. If the process is killed within that moment, the log lacks
//! those last reads.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::extract::Request;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::engine::faults::{Fault, Strike};
use crate::engine::ids;
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::wire::answer::Answer;

/// Calls that are kept. The oldest go first.
const KEPT: i64 = 4_000;

/// Calls written between two looks at how many there are.
const PRUNED_EVERY: i64 = 128;

/// As much of parameters, and of an answer, as is worth keeping.
pub(crate) const TEXT_LIMIT: usize = 64 << 10;

/// A call as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) id: String,
    /// It is in the log.
    pub(crate) logged: bool,
    method: String,
    path: String,
    params: String,
    idempotency_key: Option<String>,
    api_version: Option<String>,
    user_agent: Option<String>,
    fault: Option<Fault>,
    begun: Instant,
    /// What a fault switch adds to the time that the answer takes.
    delay: Duration,
}

impl Heard {
    pub(crate) fn of(request: &Request) -> Self {
        let header = |name| {
            let value = request.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Self {
            id: ids::request(),
            logged: false,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            params: request.uri().query().unwrap_or_default().to_owned(),
            idempotency_key: header("idempotency-key"),
            api_version: header("stripe-version"),
            user_agent: header("user-agent"),
            fault: None,
            begun: Instant::now(),
            delay: Duration::ZERO,
        }
    }

    /// Its parameters, form-encoded: those of the query, and those of the body.
    pub(crate) fn has_params(&mut self, encoded: &[u8]) {
        let text = String::from_utf8_lossy(encoded);
        cut(text.trim_matches('&')).clone_into(&mut self.params);
    }

    pub(crate) fn is_struck(&mut self, strike: Strike) {
        self.fault = Some(strike.fault);
        self.delay = Duration::from_millis(strike.delay_ms);
    }

    pub(crate) fn answered(&self, answer: &Answer) -> LoggedRequest {
        let took = self.begun.elapsed().saturating_add(self.delay);
        LoggedRequest {
            id: self.id.clone(),
            created: 0,
            method: self.method.clone(),
            path: self.path.clone(),
            params: self.params.clone(),
            idempotency_key: self.idempotency_key.clone(),
            api_version: self.api_version.clone(),
            user_agent: self.user_agent.clone(),
            status: answer.status.as_u16(),
            answer: cut(&answer.body).to_owned(),
            replay_of: answer.replay_of.clone(),
            fault: self.fault.map(|fault| fault.as_str().to_owned()),
            microseconds: i64::try_from(took.as_micros()).unwrap_or(i64::MAX),
        }
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_LIMIT))
        .unwrap_or(text)
}

/// A call and its answer.
#[derive(Debug)]
pub(crate) struct LoggedRequest {
    pub(crate) id: String,
    /// When it was written down, by the stand-in's clock.
    pub(crate) created: Timestamp,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Form-encoded, as they were sent.
    pub(crate) params: String,
    pub(crate) idempotency_key: Option<String>,
    /// The version that the caller asked for.
    pub(crate) api_version: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) status: u16,
    /// The answer's body, as it was sent.
    pub(crate) answer: String,
    /// The call that was given this answer first, if an idempotency key led back to it.
    pub(crate) replay_of: Option<String>,
    /// The fault switch that struck it.
    pub(crate) fault: Option<String>,
    pub(crate) microseconds: i64,
}

/// What [`LoggedRequest::read`] reads, from the table `requests`.
pub(crate) const COLUMNS: &str = "id, created, method, path, params, idempotency_key, api_version, \
                                  user_agent, status, answer, replay_of, fault, microseconds";

impl LoggedRequest {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            created: row.get("created")?,
            method: row.get("method")?,
            path: row.get("path")?,
            params: row.get("params")?,
            idempotency_key: row.get("idempotency_key")?,
            api_version: row.get("api_version")?,
            user_agent: row.get("user_agent")?,
            status: row.get("status")?,
            answer: row.get("answer")?,
            replay_of: row.get("replay_of")?,
            fault: row.get("fault")?,
            microseconds: row.get("microseconds")?,
        })
    }

    pub(crate) fn find(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<Option<Self>> {
        let sql = format!("SELECT {COLUMNS} FROM requests WHERE id = ?1");
        transaction
            .sql
            .prepare_cached(&sql)?
            .query_row([id], Self::read)
            .optional()
            .with_context(|| format!("cannot read {id}"))
    }
}

/// The calls of an account that are not written down yet.
#[derive(Debug, Default)]
pub(crate) struct Unwritten(Mutex<Vec<LoggedRequest>>);

impl Unwritten {
    /// Keeps a call for the next writing. True if it is the first one, so that somebody has to see
    /// to that.
    pub(crate) fn push(&self, request: LoggedRequest) -> bool {
        let mut waiting = self.lock();
        waiting.push(request);
        waiting.len() == 1
    }

    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    /// Writes down what waits.
    pub(crate) fn write(&self, transaction: &Transaction<'_>) -> anyhow::Result<()> {
        let waiting = std::mem::take(&mut *self.lock());
        waiting
            .iter()
            .try_for_each(|request| insert(transaction, request))
    }

    /// Writes down what waits, and then this call.
    pub(crate) fn write_with(
        &self,
        transaction: &Transaction<'_>,
        request: &LoggedRequest,
    ) -> anyhow::Result<()> {
        self.write(transaction)?;
        insert(transaction, request)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<LoggedRequest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert(transaction: &Transaction<'_>, request: &LoggedRequest) -> anyhow::Result<()> {
    let sql = transaction.sql;
    sql.prepare_cached(&format!(
        "INSERT INTO requests ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
    ))?
    .execute(params![
        request.id,
        transaction.now,
        request.method,
        request.path,
        request.params,
        request.idempotency_key,
        request.api_version,
        request.user_agent,
        request.status,
        request.answer,
        request.replay_of,
        request.fault,
        request.microseconds,
    ])
    .with_context(|| format!("cannot write down {}", request.id))?;
    let newest = sql.last_insert_rowid();
    if newest % PRUNED_EVERY == 0 {
        let oldest = newest.saturating_sub(KEPT);
        sql.execute("DELETE FROM requests WHERE sequence <= ?1", [oldest])?;
    }
    Ok(())
}
