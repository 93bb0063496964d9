//! Looking through the objects, newest first, without keeping the API waiting: what takes long is
//! done in steps, and others have their turn in between.

use rusqlite::params_from_iter;
use rusqlite::types::Value as SqlValue;
use serde_json::Value;

use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::window::frame::View;
use crate::window::terms::Terms;

/// Rows on a page.
pub(super) const PAGE: usize = 50;

/// Objects whose text is looked at in one step.
const STEP: i64 = 4_000;

/// Which objects are looked for.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    condition: String,
    values: Vec<SqlValue>,
    /// Whether the text of every row has to be looked at.
    reads_text: bool,
    /// How many objects back it looks.
    depth: i64,
}

/// An object, as the API shows it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) sequence: i64,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) created: Timestamp,
    pub(super) shown: Value,
}

/// Part of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    /// Where the next page begins.
    pub(super) older: Option<i64>,
}

impl<T> Page<T> {
    /// The page of these rows, of which there may be one too many.
    pub(super) fn of(mut rows: Vec<T>, most: usize, sequence: impl Fn(&T) -> i64) -> Self {
        let has_more = rows.len() > most;
        rows.truncate(most);
        let older = rows.last().filter(|_| has_more).map(sequence);
        Self { rows, older }
    }

    pub(super) fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(change).collect(),
            older: self.older,
        }
    }
}

impl Scan {
    /// Of one kind, or of all but events.
    pub(super) fn of(kind: Option<&str>) -> Self {
        let (condition, values) = match kind {
            Some(kind) => ("kind = ?", vec![SqlValue::Text(kind.to_owned())]),
            None => ("kind <> 'event'", Vec::new()),
        };
        Self {
            condition: condition.to_owned(),
            values,
            reads_text: false,
            depth: i64::MAX,
        }
    }

    pub(super) fn and(mut self, condition: &str, values: Vec<SqlValue>) -> Self {
        self.condition = format!("{} AND ({condition})", self.condition);
        self.values.extend(values);
        self
    }

    /// With all of these words.
    pub(super) fn with(self, terms: &Terms) -> Self {
        if terms.is_empty() {
            return self;
        }
        let (condition, values) = terms.condition_on_json("id", "shown");
        Self {
            reads_text: true,
            ..self.and(&condition, values)
        }
    }

    /// That mention this id, among the newest.
    pub(super) fn mentioning(self, id: &str) -> Self {
        let text = || SqlValue::Text(id.to_owned());
        let quoted = SqlValue::Text(format!("\"{id}\""));
        Self {
            reads_text: true,
            depth: 40_000,
            ..self.and("id <> ? AND instr(shown, ?)", vec![text(), quoted])
        }
    }

    /// The newest before a place, at most so many.
    pub(super) async fn newest(
        self,
        view: &View,
        before: Option<i64>,
        most: usize,
    ) -> anyhow::Result<Page<Found>> {
        let mut found = Vec::new();
        let mut below = before.unwrap_or(i64::MAX);
        let mut floor = None;
        while found.len() <= most {
            let scan = self.clone();
            let missing = most.saturating_add(1).saturating_sub(found.len());
            let step = view
                .read(move |transaction| scan.step(transaction, below, missing))
                .await?;
            let Some((rows, reached)) = step else { break };
            found.extend(rows);
            let floor = *floor.get_or_insert(reached.saturating_sub(self.depth));
            if reached <= floor.max(0) {
                break;
            }
            below = reached;
        }
        Ok(Page::of(found, most, |row| row.sequence))
    }

    /// What a step finds below this place, and how far it got. None if nothing is below.
    fn step(
        &self,
        transaction: &Transaction<'_>,
        below: i64,
        most: usize,
    ) -> anyhow::Result<Option<(Vec<Found>, i64)>> {
        let sql = transaction.sql;
        let top: Option<i64> = sql
            .prepare_cached("SELECT max(sequence) FROM objects WHERE sequence < ?1")?
            .query_row([below], |row| row.get(0))?;
        let Some(top) = top else { return Ok(None) };
        let from = match self.reads_text {
            true => top.saturating_sub(STEP),
            false => 0,
        };
        let query = format!(
            "SELECT sequence, id, kind, created, shown FROM objects
             WHERE {} AND sequence < ? AND sequence >= ? ORDER BY sequence DESC LIMIT ?",
            self.condition
        );
        let mut values = self.values.clone();
        values.extend([below, from, i64::try_from(most)?].map(SqlValue::Integer));
        let mut statement = sql.prepare_cached(&query)?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get::<_, String>(4)?,
            ))
        })?;
        let mut found = Vec::new();
        for row in rows {
            let (sequence, id, kind, created, shown) = row?;
            found.push(Found {
                sequence,
                id,
                kind,
                created,
                shown: serde_json::from_str(&shown)?,
            });
        }
        Ok(Some((found, from)))
    }
}
