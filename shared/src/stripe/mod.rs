//! Stripe: what we ask it, and what it tells us.

pub mod checkout;
pub mod client;
pub(crate) mod customer;
pub mod event;
pub(crate) mod invoice;
pub mod key;
pub mod metadata;
pub mod object;
pub mod portal;
#[cfg(test)]
pub(crate) mod scripted;
pub mod signature;
pub(crate) mod subscription;
