//! Checkout sessions, and how they are paid.

pub(crate) mod api;
pub(crate) mod cards;
pub(crate) mod life;
pub(crate) mod object;
