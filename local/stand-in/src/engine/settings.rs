//! Numbers that are kept beside the objects.

use anyhow::Context as _;
use rusqlite::{Connection, OptionalExtension as _, params};

/// A setting's value; 0 if nobody has set it.
pub(crate) fn setting(sql: &Connection, name: &str) -> anyhow::Result<i64> {
    sql.prepare_cached("SELECT value FROM settings WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
        .with_context(|| format!("cannot read {name}"))
        .map(Option::unwrap_or_default)
}

/// Keeps a setting.
pub(crate) fn set(sql: &Connection, name: &str, value: i64) -> anyhow::Result<()> {
    sql.execute(
        "INSERT OR REPLACE INTO settings VALUES (?1, ?2)",
        params![name, value],
    )
    .with_context(|| format!("cannot set {name}"))?;
    Ok(())
}
