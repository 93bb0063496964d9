//! What keeps the objects, tells the time, and breaks on request.

pub(crate) mod calendar;
pub(crate) mod clock;
pub(crate) mod database;
pub(crate) mod faults;
pub(crate) mod filter;
pub(crate) mod ids;
pub(crate) mod links;
pub(crate) mod pattern;
pub(crate) mod resource;
mod schema;
pub(crate) mod settings;
pub(crate) mod snapshots;
pub(crate) mod time;
pub(crate) mod transaction;
