//! Where everything is kept: one SQLite database, changed only in transactions.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params, params_from_iter};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use crate::engine::clock;
use crate::engine::faults::Faults;
use crate::engine::resource::{Cause, Object};
use crate::engine::time::Timestamp;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS objects (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        created INTEGER NOT NULL,
        -- When time alone changes it; null when time no longer can.
        expires_at INTEGER,
        -- What the stand-in knows of it; null where that is no more than the API shows.
        state TEXT,
        -- As the API shows it, nothing expanded.
        shown TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, sequence);
    CREATE INDEX IF NOT EXISTS objects_by_expiry ON objects (expires_at) WHERE expires_at IS NOT NULL;

    CREATE INDEX IF NOT EXISTS objects_by_charge
        ON objects (kind, shown ->> '$.charge', sequence) WHERE shown ->> '$.charge' IS NOT NULL;
    CREATE INDEX IF NOT EXISTS objects_by_payment_intent
        ON objects (kind, shown ->> '$.payment_intent', sequence)
        WHERE shown ->> '$.payment_intent' IS NOT NULL;

    CREATE INDEX IF NOT EXISTS events_by_subject
        ON objects (shown ->> '$.data.object.id', sequence) WHERE kind = 'event';

    CREATE TABLE IF NOT EXISTS webhooks (
        event TEXT NOT NULL REFERENCES objects (id),
        endpoint TEXT NOT NULL,
        -- What is posted and signed, byte for byte, however the event is shown later.
        body TEXT NOT NULL,
        state TEXT NOT NULL,
        since INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        -- Null when it needs no further try.
        due INTEGER,
        -- Somebody asked for it: it goes out even while deliveries are held.
        asked INTEGER NOT NULL DEFAULT 0,
        -- How often it is to be delivered again after it was taken.
        repeats INTEGER NOT NULL DEFAULT 0,
        -- It lets a later event of its endpoint go first.
        gives_way INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (event, endpoint)
    );
    CREATE INDEX IF NOT EXISTS webhooks_by_due ON webhooks (due) WHERE due IS NOT NULL;

    CREATE TABLE IF NOT EXISTS attempts_made (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        event TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS attempts_made_by_webhook ON attempts_made (event, endpoint, sequence);

    CREATE TABLE IF NOT EXISTS idempotency (
        key TEXT PRIMARY KEY,
        created INTEGER NOT NULL,
        endpoint TEXT NOT NULL,
        parameters TEXT NOT NULL,
        request TEXT NOT NULL,
        status INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS idempotency_by_age ON idempotency (created);

    -- The log of API calls: see wire/requests.rs.
    CREATE TABLE IF NOT EXISTS requests (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        created INTEGER NOT NULL,
        method TEXT NOT NULL,
        path TEXT NOT NULL,
        params TEXT NOT NULL,
        idempotency_key TEXT,
        api_version TEXT,
        user_agent TEXT,
        status INTEGER NOT NULL,
        answer TEXT NOT NULL,
        replay_of TEXT,
        fault TEXT,
        microseconds INTEGER NOT NULL
    );

    CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
";

/// Changes whenever a database of an earlier build can no longer be read.
const FORMAT: i64 = 5;

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
        check_format(&connection, file)?;
        connection
            .execute_batch(SCHEMA)
            .context("cannot prepare the database's tables")?;
        connection.pragma_update(None, "user_version", FORMAT)?;
        Ok(Self {
            connection: Mutex::new(connection),
            site: site.as_str().trim_end_matches('/').to_owned(),
        })
    }

    /// Runs `work` and keeps what it changed, unless it fails. Blocks.
    pub(crate) fn transact<T, E: From<anyhow::Error>>(
        &self,
        faults: &Faults,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.lock();
        let mut transaction = Transaction::begin(&mut connection, faults, &self.site)?;
        let done = work(&mut transaction)?;
        transaction.sql.commit().context("cannot commit")?;
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
        let done =
            Transaction::begin(&mut connection, faults, &self.site).and_then(|transaction| {
                let done = work(&transaction)?;
                transaction.sql.commit().context("cannot commit")?;
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

/// A database as it was at one moment.
pub(crate) struct Copy(Connection);

fn copy_whole(from: &Connection, to: &mut Connection) -> anyhow::Result<()> {
    let backup = Backup::new(from, to)?;
    let outcome = backup.step(-1).context("cannot copy the database")?;
    ensure!(outcome == StepResult::Done, "the database is busy");
    Ok(())
}

/// Refuses a file that another format was written in.
fn check_format(connection: &Connection, file: Option<&Path>) -> anyhow::Result<()> {
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let format: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if tables > 0 && format != FORMAT {
        bail!(
            "{} was written by another version of the stand-in: delete it, and the shop's data \
             beside it, or start in another folder",
            file.unwrap_or(Path::new("the database")).display()
        );
    }
    Ok(())
}

/// An object that time alone changes, and when.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) at: Timestamp,
}

/// One change in the making: what it reads and writes, at one moment, for one cause.
pub(crate) struct Transaction<'c> {
    pub(crate) sql: rusqlite::Transaction<'c>,
    pub(crate) now: Timestamp,
    pub(crate) cause: Cause,
    pub(crate) faults: &'c Faults,
    site: &'c str,
}

impl<'c> Transaction<'c> {
    fn begin(
        connection: &'c mut Connection,
        faults: &'c Faults,
        site: &'c str,
    ) -> anyhow::Result<Self> {
        let sql = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .context("cannot begin a transaction")?;
        let now = clock::now(&sql)?;
        Ok(Self {
            sql,
            now,
            cause: Cause::default(),
            faults,
            site,
        })
    }

    /// Where browsers see the pages of what is kept here, without a slash at the end.
    pub(crate) fn site(&self) -> &str {
        self.site
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
                 DELETE FROM settings; DELETE FROM requests; DELETE FROM objects;",
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

    pub(crate) fn get<T: Object>(&self, id: &str) -> anyhow::Result<Option<T>> {
        let state = self
            .sql
            .prepare_cached(
                "SELECT coalesce(state, shown) FROM objects WHERE id = ?1 AND kind = ?2",
            )?
            .query_row([id, T::KIND], |row| row.get::<_, String>(0))
            .optional()
            .with_context(|| format!("cannot read {id}"))?;
        Ok(state
            .map(|state| serde_json::from_str(&state))
            .transpose()?)
    }

    /// What another object refers to.
    pub(crate) fn existing<T: Object>(&self, id: &str) -> anyhow::Result<T> {
        self.get(id)?
            .with_context(|| format!("the {} {id} is missing", T::KIND))
    }

    pub(crate) fn put<T: Object>(&self, object: &T) -> anyhow::Result<()> {
        self.sql
            .prepare_cached(
                "INSERT INTO objects (id, kind, created, expires_at, state, shown)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET
                     expires_at = excluded.expires_at, state = excluded.state, shown = excluded.shown",
            )?
            .execute(params![
                object.id(),
                T::KIND,
                object.created(),
                object.expires_at(),
                object.state()?,
                object.answer().to_string()
            ])
            .with_context(|| format!("cannot store {}", object.id()))?;
        Ok(())
    }

    /// The object with this id as the API shows it, nothing expanded.
    pub(crate) fn shown(&self, id: &str) -> anyhow::Result<Option<Value>> {
        let shown = self
            .sql
            .prepare_cached("SELECT shown FROM objects WHERE id = ?1")?
            .query_row([id], |row| row.get::<_, String>(0))
            .optional()
            .with_context(|| format!("cannot read {id}"))?;
        Ok(shown
            .map(|shown| serde_json::from_str(&shown))
            .transpose()?)
    }

    /// The object of this kind with this id, as the API shows it.
    pub(crate) fn shown_of(&self, kind: &str, id: &str) -> anyhow::Result<Option<Value>> {
        let shown = self
            .sql
            .prepare_cached("SELECT shown FROM objects WHERE id = ?1 AND kind = ?2")?
            .query_row([id, kind], |row| row.get::<_, String>(0))
            .optional()
            .with_context(|| format!("cannot read {id}"))?;
        Ok(shown
            .map(|shown| serde_json::from_str(&shown))
            .transpose()?)
    }

    /// What is kept of a plain object: all that the API shows of it, unless there is more that it
    /// shows only on request.
    pub(crate) fn whole(&self, kind: &str, id: &str) -> anyhow::Result<Option<Map<String, Value>>> {
        let whole = self
            .sql
            .prepare_cached(
                "SELECT coalesce(state, shown) FROM objects WHERE id = ?1 AND kind = ?2",
            )?
            .query_row([id, kind], |row| row.get::<_, String>(0))
            .optional()
            .with_context(|| format!("cannot read {id}"))?;
        Ok(whole
            .map(|whole| serde_json::from_str(&whole))
            .transpose()?)
    }

    /// The plain objects of a kind with this value in a field, oldest first, whole.
    pub(crate) fn plain_having(
        &self,
        kind: &str,
        field: &'static str,
        value: &str,
    ) -> anyhow::Result<Vec<Map<String, Value>>> {
        let filter = Filter::default().equal(field, value.to_owned().into());
        let from = Cursor::NewerThan(0);
        self.select("coalesce(state, shown)", kind, from, MANY, &filter)
    }

    /// Keeps a plain object. Of `whole`, the API shows `shown`.
    pub(crate) fn put_plain(
        &self,
        kind: &str,
        id: &str,
        shown: &Value,
        whole: Option<&Value>,
    ) -> anyhow::Result<()> {
        self.sql
            .prepare_cached(
                "INSERT INTO objects (id, kind, created, state, shown) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state, shown = excluded.shown",
            )?
            .execute(params![
                id,
                kind,
                shown["created"].as_i64().unwrap_or(self.now),
                whole.map(Value::to_string),
                shown.to_string()
            ])
            .with_context(|| format!("cannot store {id}"))?;
        Ok(())
    }

    /// The objects of a kind with this value in a field, oldest first.
    pub(crate) fn having<T: Object>(
        &self,
        field: &'static str,
        value: &str,
    ) -> anyhow::Result<Vec<T>> {
        // The field stands in the text, so that its index serves.
        let sql = format!(
            "SELECT coalesce(state, shown) FROM objects
             WHERE kind = ?1 AND shown ->> '$.{field}' = ?2 ORDER BY sequence"
        );
        let mut statement = self.sql.prepare_cached(&sql)?;
        let bodies = statement.query_map([T::KIND, value], |row| row.get::<_, String>(0))?;
        bodies
            .map(|body| Ok(serde_json::from_str(&body?)?))
            .collect()
    }

    /// Where the object stands among all, for paging.
    pub(crate) fn sequence(&self, kind: &str, id: &str) -> anyhow::Result<Option<i64>> {
        self.sql
            .prepare_cached("SELECT sequence FROM objects WHERE kind = ?1 AND id = ?2")?
            .query_row([kind, id], |row| row.get(0))
            .optional()
            .with_context(|| format!("cannot find {id}"))
    }

    /// The objects of a kind that the filter lets through, at most `limit`: newest first from just
    /// before the cursor, or oldest first from just after it. SQLite does the sieving, so that a
    /// page costs little even where few of thousands fit.
    pub(crate) fn some<T: Object>(
        &self,
        from: Cursor,
        limit: usize,
        filter: &Filter,
    ) -> anyhow::Result<Vec<T>> {
        self.select("coalesce(state, shown)", T::KIND, from, limit, filter)
    }

    /// The same of objects of any kind, as the API shows them.
    pub(crate) fn some_shown(
        &self,
        kind: &str,
        from: Cursor,
        limit: usize,
        filter: &Filter,
    ) -> anyhow::Result<Vec<Value>> {
        self.select("shown", kind, from, limit, filter)
    }

    fn select<T: DeserializeOwned>(
        &self,
        what: &'static str,
        kind: &str,
        from: Cursor,
        limit: usize,
        filter: &Filter,
    ) -> anyhow::Result<Vec<T>> {
        let (compare, sequence, order) = match from {
            Cursor::OlderThan(sequence) => ("<", sequence, "DESC"),
            Cursor::NewerThan(sequence) => (">", sequence, "ASC"),
        };
        let sql = format!(
            "SELECT {what} FROM objects WHERE kind = ? AND sequence {compare} ? {} \
             ORDER BY sequence {order} LIMIT ?",
            filter.conditions
        );
        let mut values = vec![SqlValue::Text(kind.to_owned()), SqlValue::Integer(sequence)];
        values.extend(filter.values.iter().cloned());
        values.push(SqlValue::Integer(limit.try_into()?));
        let mut statement = self.sql.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(0))?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }

    /// All objects of a kind, oldest first.
    pub(crate) fn all<T: Object>(&self) -> anyhow::Result<Vec<T>> {
        self.some(Cursor::NewerThan(0), MANY, &Filter::default())
    }

    /// Forgets an object.
    pub(crate) fn delete(&self, id: &str) -> anyhow::Result<()> {
        self.sql
            .execute("DELETE FROM objects WHERE id = ?1", [id])?;
        Ok(())
    }

    /// The first object whose time is over by `until`.
    pub(crate) fn first_due(&self, until: Timestamp) -> anyhow::Result<Option<Due>> {
        let sql = "SELECT id, kind, expires_at FROM objects WHERE expires_at <= ?1
                   ORDER BY expires_at, sequence LIMIT 1";
        self.sql
            .prepare_cached(sql)?
            .query_row([until], |row| {
                Ok(Due {
                    id: row.get(0)?,
                    kind: row.get(1)?,
                    at: row.get(2)?,
                })
            })
            .optional()
            .context("cannot read what is due")
    }

    /// The objects of a kind whose time is over by `until`, oldest first.
    pub(crate) fn due<T: Object>(&self, until: Timestamp) -> anyhow::Result<Vec<T>> {
        let filter = Filter::default().and("expires_at <= ?", [SqlValue::Integer(until)]);
        self.some(Cursor::NewerThan(0), MANY, &filter)
    }

    /// When the next object expires.
    pub(crate) fn next_expiry(&self) -> anyhow::Result<Option<Timestamp>> {
        Ok(self
            .sql
            .query_row("SELECT min(expires_at) FROM objects", [], |row| row.get(0))?)
    }

    /// Runs `work`; if it fails, what it changed is undone and the transaction goes on.
    pub(crate) fn attempt<T, E: From<anyhow::Error>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let batch = |sql| {
            self.sql
                .execute_batch(sql)
                .context("cannot use a savepoint")
        };
        batch("SAVEPOINT attempt")?;
        let done = work();
        if done.is_err() {
            batch("ROLLBACK TO attempt")?;
        }
        batch("RELEASE attempt")?;
        done
    }
}

/// Where a page of a list begins, and which way it runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cursor {
    OlderThan(i64),
    NewerThan(i64),
}

/// More than there is of anything that is read whole.
const MANY: usize = 10_000;

/// Which objects a list is to show.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    conditions: String,
    values: Vec<SqlValue>,
}

impl Filter {
    /// Created within these bounds, both included.
    pub(crate) fn created(from: Timestamp, to: Timestamp) -> Self {
        Self::default()
            .and("created >= ?", [SqlValue::Integer(from)])
            .and("created <= ?", [SqlValue::Integer(to)])
    }

    /// With this value in a field, if one is asked for.
    pub(crate) fn having(self, field: &'static str, value: Option<String>) -> Self {
        match value {
            Some(value) => self.equal(field, value.into()),
            None => self,
        }
    }

    /// With this value in a field, which dots may lead to: `customer_details.email`.
    pub(crate) fn equal(self, path: &str, value: SqlValue) -> Self {
        self.compare(path, "=", value)
    }

    /// With one of these values in a field.
    pub(crate) fn one_of(self, field: &str, values: impl IntoIterator<Item = SqlValue>) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        let places = vec!["?"; values.len()].join(", ");
        let field: String = field.chars().filter(|it| *it != '\'').collect();
        self.and(&format!("shown ->> '$.{field}' IN ({places})"), values)
    }

    /// With a field's value on this side of another.
    pub(crate) fn compare(self, path: &str, operator: &'static str, value: SqlValue) -> Self {
        // What a path may hold is a parameter's name, which the description has let through; still,
        // nothing in it ends the text that it stands in.
        let path: String = path.chars().filter(|it| *it != '\'').collect();
        self.and(&format!("shown ->> '$.{path}' {operator} ?"), [value])
    }

    /// Where this holds of the object's row.
    pub(crate) fn and(
        mut self,
        condition: &str,
        values: impl IntoIterator<Item = SqlValue>,
    ) -> Self {
        self.conditions.push_str(" AND ");
        self.conditions.push_str(condition);
        self.values.extend(values);
        self
    }
}
