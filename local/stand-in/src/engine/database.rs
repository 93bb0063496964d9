//! Where everything is kept: one SQLite database, changed only in transactions.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use url::Url;

use crate::engine::faults::Faults;
use crate::engine::ids::AccountId;
use crate::engine::schema;
use crate::engine::time::MachineTime;
use crate::engine::transaction::Transaction;

/// Statements that are kept prepared: more than one call of the API needs.
const STATEMENTS: usize = 256;

/// In memory, SQLite looks through all its pages whenever it has put some in order, so there had better
/// be few. On disk, each page that changes is written whole.
const PAGE_IN_MEMORY: i64 = 16 << 10;

/// One connection, one transaction at a time: every change sees all earlier ones, so a form
/// submitted twice or a key used twice is simply second.
pub(crate) struct Database {
    connection: Mutex<Connection>,
    on_disk: bool,
    machine: MachineTime,
    /// Where browsers see what is kept here, without a slash at the end.
    site: String,
}

impl Database {
    pub(crate) fn open(
        file: Option<&Path>,
        site: &Url,
        machine: MachineTime,
    ) -> anyhow::Result<Self> {
        let connection = match file {
            Some(file) => Connection::open(file)
                .with_context(|| format!("cannot open the database {}", file.display()))?,
            None => Connection::open_in_memory()?,
        };
        if file.is_none() {
            connection.pragma_update(None, "page_size", PAGE_IN_MEMORY)?;
        }
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What has been answered survives even the machine losing power.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // A statement's plan stays, whatever its LIMIT is bound to.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        schema::prepare(&connection, file)?;
        Ok(Self {
            connection: Mutex::new(connection),
            on_disk: file.is_some(),
            machine,
            site: site.as_str().trim_end_matches('/').to_owned(),
        })
    }

    /// Whether a transaction may wait for the disk.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.on_disk
    }

    /// Whose account is kept here, by its id and its name: `account`, if it was nobody's yet.
    pub(crate) fn owner(
        &self,
        account: &AccountId,
        name: &str,
    ) -> anyhow::Result<(String, String)> {
        let connection = self.lock();
        connection.execute(
            "INSERT INTO owner VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING",
            [account.as_str(), name],
        )?;
        let sql = "SELECT account, name FROM owner";
        let owner = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
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
        let done = work(&mut self.transaction(&sql, faults)?)?;
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
            let done = work(&self.transaction(&sql, faults)?)?;
            sql.commit().context("cannot commit")?;
            Ok(done)
        });
        connection.pragma_update(None, "synchronous", "FULL")?;
        done
    }

    fn transaction<'c>(
        &'c self,
        sql: &'c rusqlite::Transaction<'c>,
        faults: &'c Faults,
    ) -> anyhow::Result<Transaction<'c>> {
        Transaction::of(sql, faults, &self.site, self.machine.now())
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
