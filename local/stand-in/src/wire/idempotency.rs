//! Idempotency keys, by Stripe's rules:
//!
//! - the first answer under a key is kept once its endpoint has begun to work, failures included, and
//!   every later request with that key gets the same answer;
//! - what is refused before that (a wrong key, wrong parameters) is not kept;
//! - other parameters or another endpoint under the same key are refused;
//! - so is a key that another request is using at this moment;
//! - after a day a key is forgotten.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use http::{HeaderMap, Method, StatusCode};
use rusqlite::{OptionalExtension as _, params};

use crate::engine::time::DAY;
use crate::engine::transaction::Transaction;
use crate::wire::answer::Answer;
use crate::wire::errors::ApiError;

/// A key and what it stands for.
#[derive(Debug)]
pub(crate) struct Idempotent {
    pub(crate) key: String,
    pub(crate) endpoint: String,
    pub(crate) parameters: String,
}

/// The request's key. Only POST has any use for one.
pub(crate) fn key(method: &Method, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(key) = headers
        .get("idempotency-key")
        .filter(|_| method == Method::POST)
    else {
        return Ok(None);
    };
    match key.to_str() {
        Ok("") => Ok(None),
        Ok(key) if key.len() <= 255 => Ok(Some(key.to_owned())),
        _ => Err(ApiError::invalid(
            "Idempotency keys may have at most 255 ASCII characters.",
        )),
    }
}

/// The answer kept under this key.
pub(crate) fn replay(
    transaction: &Transaction<'_>,
    request: &Idempotent,
) -> Result<Option<Answer>, ApiError> {
    transaction
        .sql
        .execute(
            "DELETE FROM idempotency WHERE created <= ?1",
            [transaction.now.saturating_sub(DAY)],
        )
        .context("cannot forget old idempotency keys")?;
    let kept = transaction
        .sql
        .query_row(
            "SELECT endpoint, parameters, request, status, body FROM idempotency WHERE key = ?1",
            [&request.key],
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, u16>(3)?,
                    row.get::<_, String>(4)?,
                ))
            },
        )
        .optional()
        .context("cannot look up an idempotency key")?;
    let Some((endpoint, parameters, original, status, body)) = kept else {
        return Ok(None);
    };
    if endpoint != request.endpoint {
        return Err(ApiError::key_reused(format!(
            "The idempotency key '{}' was first used for another endpoint ('{endpoint}', now '{}'). \
             Use another key for another request.",
            request.key, request.endpoint
        )));
    }
    if parameters != request.parameters {
        return Err(ApiError::key_reused(format!(
            "The idempotency key '{}' was first used with other parameters. Use another key for \
             another request.",
            request.key
        )));
    }
    let status = StatusCode::from_u16(status).context("a kept status is none")?;
    Ok(Some(Answer {
        status,
        body,
        replay_of: Some(original),
        broken: false,
    }))
}

/// Keeps an answer for whoever asks again.
pub(crate) fn keep(
    transaction: &Transaction<'_>,
    request: &Idempotent,
    answer: &Answer,
) -> anyhow::Result<()> {
    transaction
        .sql
        .execute(
            "INSERT INTO idempotency (key, created, endpoint, parameters, request, status, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                request.key,
                transaction.now,
                request.endpoint,
                request.parameters,
                transaction.cause.request,
                answer.status.as_u16(),
                answer.body
            ],
        )
        .context("cannot keep an answer")?;
    Ok(())
}

/// The keys of the requests being answered at this moment.
#[derive(Debug, Default)]
pub(crate) struct KeysInUse(Mutex<HashSet<String>>);

/// One key in use, until dropped.
#[derive(Debug)]
pub(crate) struct InUse<'k> {
    keys: &'k KeysInUse,
    key: String,
}

impl KeysInUse {
    /// Takes the key, unless another request has it.
    pub(crate) fn take(&self, key: &str) -> Result<InUse<'_>, ApiError> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match keys.insert(key.to_owned()) {
            true => Ok(InUse {
                keys: self,
                key: key.to_owned(),
            }),
            false => Err(ApiError::key_in_use(key)),
        }
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.keys
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
