//! Checkout sessions, and how they are paid.

pub(crate) mod api;
mod asked;
pub(crate) mod cards;
pub(crate) mod create;
pub(crate) mod customer;
mod discount;
mod invoice;
pub(crate) mod life;
pub(crate) mod line;
pub(crate) mod link;
mod methods;
pub(crate) mod object;
pub(crate) mod recovery;
pub(crate) mod rules;
pub(crate) mod shipping;
mod shown;
pub(crate) mod subscription;
pub(crate) mod tax;
pub(crate) mod totals;
