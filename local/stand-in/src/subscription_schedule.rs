//! Plans for what a subscription is to be, phase by phase.

pub(crate) mod api;
pub(crate) mod ending;
pub(crate) mod life;
pub(crate) mod object;
pub(crate) mod phase;
mod request;
