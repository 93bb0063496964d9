//! Radar: what Stripe, and whoever works for the shop, think of a payment.

pub(crate) mod life;
pub(crate) mod review;
pub(crate) mod reviews_api;
pub(crate) mod warning;
