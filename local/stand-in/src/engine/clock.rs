//! The stand-in's time: the machine's, moved forward by as much as its users have asked for.
//!
//! Everything the API shows is in this time. A shop may go by it, too ([`Account::ahead`]); for one
//! whose clock stays where it is, two things bridge the gap: webhooks are signed in the machine's time,
//! and an `expires_at` that fits the machine's clock but not this one is moved along (see
//! `checkout/create.rs`).
//!
//! [`Account::ahead`]: crate::Account::ahead
//!
//! A test clock is another time, for a customer and all that is theirs: it stands still until it is
//! advanced. Each row says which clock's it is; nothing is the account's own.

use anyhow::Context as _;
use rusqlite::{Connection, OptionalExtension as _};

use crate::engine::settings::{set, setting};
use crate::engine::time::Timestamp;

/// Test clocks, as in the field `object`.
pub(crate) const TEST_CLOCK: &str = "test_helpers.test_clock";

/// The test clock in whose time an object lives. A test clock lives in the account's, and tells its own.
pub(crate) fn of(sql: &Connection, id: &str) -> anyhow::Result<Option<String>> {
    let sql = sql.prepare_cached(
        "SELECT CASE kind WHEN ?2 THEN id ELSE clock END FROM objects
         WHERE id = ?1 AND (kind = ?2 OR clock IS NOT NULL) LIMIT 1",
    );
    let clock = sql?
        .query_row([id, TEST_CLOCK], |row| row.get(0))
        .optional();
    Ok(clock
        .with_context(|| format!("cannot read the clock of {id}"))?
        .flatten())
}

/// What time it is by a test clock.
pub(crate) fn frozen_time(sql: &Connection, clock: &str) -> anyhow::Result<Timestamp> {
    let mut sql = sql.prepare_cached(
        "SELECT shown ->> '$.frozen_time' FROM objects WHERE id = ?1 AND kind = ?2",
    )?;
    sql.query_row([clock, TEST_CLOCK], |row| row.get(0))
        .with_context(|| format!("the clock {clock} is missing"))
}

/// How far the stand-in's time is ahead of the machine's, in seconds.
pub(crate) fn ahead(sql: &Connection) -> anyhow::Result<i64> {
    setting(sql, "clock_ahead")
}

/// Moves time forward.
pub(crate) fn advance(sql: &Connection, seconds: i64) -> anyhow::Result<()> {
    set(sql, "clock_ahead", ahead(sql)?.saturating_add(seconds))
}
