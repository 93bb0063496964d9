//! The stand-in's time: the machine's, moved forward by as much as its users have asked for.
//!
//! Everything the API shows is in this time. The shop's own clock stays where it is, so two things
//! bridge the gap: webhooks are signed in the machine's time, and an `expires_at` that fits the
//! machine's clock but not this one is moved along (see `checkout/create.rs`).

use rusqlite::Connection;

use crate::engine::settings::{set, setting};
use crate::engine::time::{Timestamp, real};

/// The stand-in's time.
pub(crate) fn now(sql: &Connection) -> anyhow::Result<Timestamp> {
    Ok(real().saturating_add(ahead(sql)?))
}

/// How far the stand-in's time is ahead of the machine's, in seconds.
pub(crate) fn ahead(sql: &Connection) -> anyhow::Result<i64> {
    setting(sql, "clock_ahead")
}

/// Moves time forward.
pub(crate) fn advance(sql: &Connection, seconds: i64) -> anyhow::Result<()> {
    set(sql, "clock_ahead", ahead(sql)?.saturating_add(seconds))
}
