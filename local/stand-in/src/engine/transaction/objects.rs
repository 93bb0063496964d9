//! The objects that a transaction reads and writes.

use anyhow::Context as _;
use rusqlite::types::Value as SqlValue;
use rusqlite::{OptionalExtension as _, params, params_from_iter};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Transaction;
use crate::engine::filter::{Cursor, Filter};
use crate::engine::links::{self, Links};
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;

/// More than there is of anything that is read whole.
const MANY: usize = 10_000;

/// An object that time alone changes, and when.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) at: Timestamp,
}

/// An object as it is kept.
struct Row<'r> {
    id: &'r str,
    kind: &'r str,
    created: Timestamp,
    expires_at: Option<Timestamp>,
    state: Option<String>,
    shown: String,
    links: Links,
}

impl Transaction<'_> {
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
        let (shown, links) = object.shown()?;
        self.keep(object, shown, links)
    }

    /// The same for whoever knows already how the API shows it.
    pub(crate) fn put_as<T: Object>(&self, object: &T, shown: &Value) -> anyhow::Result<()> {
        self.keep(object, serde_json::to_string(shown)?, Links::of(shown))
    }

    fn keep<T: Object>(&self, object: &T, shown: String, links: Links) -> anyhow::Result<()> {
        self.write(&Row {
            id: object.id(),
            kind: T::KIND,
            created: object.created(),
            expires_at: object.expires_at(),
            state: object.state()?,
            shown,
            links,
        })
    }

    fn write(&self, row: &Row<'_>) -> anyhow::Result<()> {
        let links = &row.links;
        self.sql
            .prepare_cached(
                "INSERT INTO objects (id, kind, created, expires_at, state, shown, charge, customer,
                     invoice, payment_intent, subject, clock)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
                 ON CONFLICT (id, kind) DO UPDATE SET
                     expires_at = excluded.expires_at, state = excluded.state, shown = excluded.shown,
                     charge = excluded.charge, customer = excluded.customer,
                     invoice = excluded.invoice, payment_intent = excluded.payment_intent, subject = excluded.subject",
            )?
            .execute(params![
                row.id,
                row.kind,
                row.created,
                row.expires_at,
                row.state,
                row.shown,
                links.charge,
                links.customer,
                links.invoice,
                links.payment_intent,
                links.subject,
                self.clock,
            ])
            .with_context(|| format!("cannot store {}", row.id))?;
        Ok(())
    }

    /// The object with this id as the API shows it, nothing expanded. Shops choose the ids of some
    /// kinds, so there may be several: this is the newest.
    pub(crate) fn shown(&self, id: &str) -> anyhow::Result<Option<Value>> {
        let shown = self
            .sql
            .prepare_cached("SELECT shown FROM objects WHERE id = ?1 ORDER BY sequence DESC")?
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

    /// The objects of a kind with this value in a field, oldest first, as the API shows them.
    pub(crate) fn shown_having(
        &self,
        kind: &str,
        field: &'static str,
        value: &str,
    ) -> anyhow::Result<Vec<Value>> {
        let filter = Filter::default().equal(field, value.to_owned().into());
        self.select("shown", kind, Cursor::NewerThan(0), MANY, &filter)
    }

    /// Keeps a plain object. Of `whole`, the API shows `shown`.
    pub(crate) fn put_plain(
        &self,
        kind: &str,
        id: &str,
        shown: &Value,
        whole: Option<&Value>,
    ) -> anyhow::Result<()> {
        self.write(&Row {
            id,
            kind,
            created: shown["created"].as_i64().unwrap_or(self.now),
            expires_at: None,
            state: whole.map(serde_json::to_string).transpose()?,
            shown: serde_json::to_string(shown)?,
            links: Links::of(shown),
        })
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
             WHERE kind = ?1 AND {} = ?2 ORDER BY sequence",
            links::field(field)
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

    /// A test clock is no more: what lives on of its time is the account's, and time changes it no more.
    pub(crate) fn leave_clock(&self, clock: &str) -> anyhow::Result<()> {
        let sql = "UPDATE objects SET clock = NULL, expires_at = NULL WHERE clock = ?1";
        self.sql.execute(sql, [clock])?;
        Ok(())
    }

    /// Forgets an object.
    pub(crate) fn delete(&self, kind: &str, id: &str) -> anyhow::Result<()> {
        self.sql.execute(
            "DELETE FROM objects WHERE kind = ?1 AND id = ?2",
            [kind, id],
        )?;
        Ok(())
    }

    /// The first object in the time of this clock whose time is over by `until`.
    pub(crate) fn first_due(&self, until: Timestamp) -> anyhow::Result<Option<Due>> {
        let sql = "SELECT id, kind, expires_at FROM objects
                   WHERE expires_at <= ?1 AND clock IS ?2
                   ORDER BY expires_at, sequence LIMIT 1";
        self.sql
            .prepare_cached(sql)?
            .query_row(params![until, self.clock], |row| {
                Ok(Due {
                    id: row.get(0)?,
                    kind: row.get(1)?,
                    at: row.get(2)?,
                })
            })
            .optional()
            .context("cannot read what is due")
    }

    /// The objects of a kind in the time of this clock whose time is over by `until`, oldest first.
    pub(crate) fn due<T: Object>(&self, until: Timestamp) -> anyhow::Result<Vec<T>> {
        let clock = self.clock.clone().map_or(SqlValue::Null, SqlValue::Text);
        let filter = Filter::default()
            .and("expires_at <= ?", [SqlValue::Integer(until)])
            .and("clock IS ?", [clock]);
        self.some(Cursor::NewerThan(0), MANY, &filter)
    }

    /// When the next object in the time of this clock expires.
    pub(crate) fn next_expiry(&self) -> anyhow::Result<Option<Timestamp>> {
        // min(expires_at) would read all objects: its index leaves out those that never expire.
        let sql = "SELECT expires_at FROM objects WHERE expires_at IS NOT NULL AND clock IS ?1
                   ORDER BY expires_at LIMIT 1";
        Ok(self
            .sql
            .prepare_cached(sql)?
            .query_row(params![self.clock], |row| row.get(0))
            .optional()?)
    }
}
