//! Stripe: what we ask of it and what it tells us.

pub mod signature;
