//! Where everything is kept: one SQLite database, changed only in transactions.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, TransactionBehavior};
use url::Url;

use crate::engine::faults::Faults;
use crate::engine::ids::AccountId;
use crate::engine::schema;
use crate::engine::transaction::Transaction;

/// One connection, one transaction at a time: every change sees all earlier ones, so a form
/// submitted twice or a key used twice is simply second.
pub(crate) struct Database {
    connection: Mutex<Connection>,
    /// Where browsers see what is kept here, without a slash at the end.
    site: String,
}

impl Database {
    pub(crate) fn open(file: Option<&Path>, site: &Url) -> anyhow::Result<Self> {
        let connection = match file {
            Some(file) => Connection::open(file)
                .with_context(|| format!("cannot open the database {}", file.display()))?,
            None => Connection::open_in_memory()?,
        };
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What has been answered survives even the machine losing power.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        schema::prepare(&connection, file)?;
        Ok(Self {
            connection: Mutex::new(connection),
            site: site.as_str().trim_end_matches('/').to_owned(),
        })
    }

    /// Whose account is kept here: `account`, if it was nobody's yet.
    pub(crate) fn owner(&self, account: &AccountId) -> anyhow::Result<String> {
        let connection = self.lock();
        connection.execute(
            "INSERT INTO owner VALUES (1, ?1) ON CONFLICT DO NOTHING",
            [account.as_str()],
        )?;
        let owner = connection.query_row("SELECT account FROM owner", [], |row| row.get(0));
        owner.context("cannot read whose database it is")
    }

    /// Runs `work` and keeps what it changed, unless it fails. Blocks.
    pub(crate) fn transact<T, E: From<anyhow::Error>>(
        &self,
        faults: &Faults,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.lock();
        let sql = begin(&mut connection)?;
        let done = work(&mut Transaction::of(&sql, faults, &self.site)?)?;
        sql.commit().context("cannot commit")?;
        Ok(done)
    }

    /// The same for what may be lost when the machine loses power: it does not wait for the disk.
    /// Blocks.
    pub(crate) fn transact_in_passing<T>(
        &self,
        faults: &Faults,
        work: impl FnOnce(&Transaction<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut connection = self.lock();
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let done = begin(&mut connection).and_then(|sql| {
            let done = work(&Transaction::of(&sql, faults, &self.site)?)?;
            sql.commit().context("cannot commit")?;
            Ok(done)
        });
        connection.pragma_update(None, "synchronous", "FULL")?;
        done
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic in between has rolled its transaction back: the connection is as good as before.
        let locked = self.connection.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies everything into memory. Blocks.
    pub(crate) fn copy(&self) -> anyhow::Result<Copy> {
        let connection = self.lock();
        let mut copy = Connection::open_in_memory()?;
        copy_whole(&connection, &mut copy)?;
        Ok(Copy(copy))
    }

    /// Puts back what a copy holds, in place of everything there is. Blocks.
    pub(crate) fn put_back(&self, Copy(copy): &Copy) -> anyhow::Result<()> {
        let mut connection = self.lock();
        copy_whole(copy, &mut connection)
    }
}

fn begin(connection: &mut Connection) -> anyhow::Result<rusqlite::Transaction<'_>> {
    connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .context("cannot begin a transaction")
}

/// A database as it was at one moment.
pub(crate) struct Copy(Connection);

fn copy_whole(from: &Connection, to: &mut Connection) -> anyhow::Result<()> {
    let backup = Backup::new(from, to)?;
    let outcome = backup.step(-1).context("cannot copy the database")?;
    ensure!(outcome == StepResult::Done, "the database is busy");
    Ok(())
}
