//! What commands say and ask: results on stdout, everything about the work itself on stderr.

mod consent;
mod progress;
mod table;
mod terminal;
mod words;

pub(super) use shared::plain::line as plain;

pub(super) use self::consent::Consent;
pub(super) use self::progress::{counter, progress};
pub(super) use self::table::{Column, Table};
pub(super) use self::terminal::{Log, for_terminal, note, print, write_out};
pub(super) use self::words::{DRY_RUN, bad, bytes, count, counts, dim, good, heading, notable};
