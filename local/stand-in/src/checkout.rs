//! Checkout sessions, and how they are paid.

pub(crate) mod api;
pub(crate) mod cards;
pub(crate) mod create;
pub(crate) mod customer;
pub(crate) mod life;
pub(crate) mod line;
pub(crate) mod object;
pub(crate) mod rules;
pub(crate) mod shipping;
mod shown;
pub(crate) mod tax;
pub(crate) mod totals;
