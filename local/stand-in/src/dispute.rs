//! Disputes: what buyers contest.

pub(crate) mod api;
pub(crate) mod life;
pub(crate) mod object;
