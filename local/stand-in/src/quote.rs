//! Quotes: what a shop offers a customer, who accepts it as an invoice or a subscription.

pub(crate) mod api;
pub(crate) mod life;
pub(crate) mod line;
pub(crate) mod object;
mod subscribe;
pub(crate) mod terms;
