//! Refunds: what shops give back.

pub(crate) mod api;
pub(crate) mod life;
pub(crate) mod object;
