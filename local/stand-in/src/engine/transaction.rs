//! One change: what it reads and writes, all of it or nothing.

mod objects;

use anyhow::Context as _;

use crate::engine::clock;
use crate::engine::faults::Faults;
use crate::engine::resource::Cause;
use crate::engine::time::Timestamp;

/// One change in the making: what it reads and writes, at one moment, for one cause.
///
/// The moment is that of the account's own clock, or of a test clock ([`Transaction::in_time_of`]).
/// Whatever is made then stays in the time of the same clock.
#[derive(Clone)]
pub(crate) struct Transaction<'c> {
    pub(crate) sql: &'c rusqlite::Transaction<'c>,
    pub(crate) now: Timestamp,
    /// The time of the account's own clock, whichever clock tells [`now`](Self::now): webhooks go out
    /// by it.
    pub(crate) account_now: Timestamp,
    pub(crate) cause: Cause,
    pub(crate) faults: &'c Faults,
    /// The test clock that tells the time; nothing if it is the account's own.
    clock: Option<String>,
    site: &'c str,
}

impl<'c> Transaction<'c> {
    /// At the moment that the machine's clock says, moved ahead as the account's is.
    pub(super) fn of(
        sql: &'c rusqlite::Transaction<'c>,
        faults: &'c Faults,
        site: &'c str,
        machine: Timestamp,
    ) -> anyhow::Result<Self> {
        let now = machine.saturating_add(clock::ahead(sql)?);
        Ok(Self {
            sql,
            now,
            account_now: now,
            cause: Cause::default(),
            faults,
            clock: None,
            site,
        })
    }

    /// The same transaction in the time of the first of these objects that lives in a test clock's; a
    /// test clock itself names its own. As it is, if none does.
    pub(crate) fn in_time_of<'i>(
        &self,
        ids: impl IntoIterator<Item = &'i str>,
    ) -> anyhow::Result<Self> {
        for id in ids {
            if let Some(clock) = clock::of(self.sql, id)? {
                return Ok(Self {
                    now: clock::frozen_time(self.sql, &clock)?,
                    clock: Some(clock),
                    ..self.clone()
                });
            }
        }
        Ok(self.clone())
    }

    /// The test clock that tells the time, if one does.
    pub(crate) fn clock(&self) -> Option<&str> {
        self.clock.as_deref()
    }

    /// Sets the time of the account's own clock back or forth, for what is due at that moment.
    pub(crate) fn at(&self, moment: Timestamp) -> Self {
        Self {
            now: moment,
            account_now: match self.clock {
                Some(_) => self.account_now,
                None => moment,
            },
            ..self.clone()
        }
    }

    /// Where browsers see the pages of what is kept here, without a slash at the end: under the name
    /// by which the stand-in was asked, so that nobody is led from `localhost` to `127.0.0.1`.
    pub(crate) fn site(&self) -> &str {
        self.cause.site.as_deref().unwrap_or(self.site)
    }

    pub(crate) fn caused_by(&mut self, cause: Cause) {
        self.cause = cause;
    }

    /// Rows changed since the connection was opened.
    pub(crate) fn changes(&self) -> u64 {
        self.sql.total_changes()
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        self.sql
            .execute_batch(
                "DELETE FROM webhooks; DELETE FROM attempts_made; DELETE FROM idempotency;
                 DELETE FROM settings; DELETE FROM requests; DELETE FROM contents;
                 DELETE FROM objects;",
            )
            .context("cannot clear the database")
    }

    /// Forgets what has happened, though not what came of it.
    pub(crate) fn forget_events(&self) -> anyhow::Result<()> {
        self.sql
            .execute_batch(
                "DELETE FROM webhooks; DELETE FROM attempts_made;
                 DELETE FROM objects WHERE kind = 'event';",
            )
            .context("cannot clear the events")
    }

    /// Runs `work`, and undoes what it changed, whatever comes of it.
    pub(crate) fn imagine<T, E: From<anyhow::Error>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.undo_if(|_| true, work)
    }

    /// Runs `work`; if it fails, what it changed is undone and the transaction goes on.
    pub(crate) fn attempt<T, E: From<anyhow::Error>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.undo_if(Result::is_err, work)
    }

    fn undo_if<T, E: From<anyhow::Error>>(
        &self,
        undoes: impl FnOnce(&Result<T, E>) -> bool,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let savepoint = |sql| -> anyhow::Result<()> {
            let mut statement = self.sql.prepare_cached(sql)?;
            statement.execute([]).context("cannot use a savepoint")?;
            Ok(())
        };
        savepoint("SAVEPOINT attempt")?;
        let done = work();
        if undoes(&done) {
            savepoint("ROLLBACK TO attempt")?;
        }
        savepoint("RELEASE attempt")?;
        done
    }
}
