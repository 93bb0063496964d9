//! The stand-in's time: the machine's, moved forward by as much as its users have asked for.
//!
//! Everything the API shows is in this time. The shop's own clock stays where it is, so two things
//! bridge the gap: webhooks are signed in the machine's time, and an `expires_at` that fits the
//! machine's clock but not this one is moved along (see `api/sessions.rs`).

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

use super::database::{set, setting};

/// Seconds since 1970, as Stripe counts time.
pub(super) type Timestamp = i64;

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 86_400;

/// The machine's own time. Only webhook signatures use it directly: their receiver compares them
/// with a clock that nobody has moved.
pub(super) fn real() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The stand-in's time.
pub(super) fn now(sql: &Connection) -> anyhow::Result<Timestamp> {
    Ok(real().saturating_add(ahead(sql)?))
}

/// How far the stand-in's time is ahead of the machine's, in seconds.
pub(super) fn ahead(sql: &Connection) -> anyhow::Result<i64> {
    setting(sql, "clock_ahead")
}

/// Moves time forward.
pub(super) fn advance(sql: &Connection, seconds: i64) -> anyhow::Result<()> {
    set(sql, "clock_ahead", ahead(sql)?.saturating_add(seconds))
}
