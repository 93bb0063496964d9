//! The seller's accounts at AWS and at Stripe, as their operator reaches them.

pub(crate) mod aws;
pub(crate) mod s3;
pub(crate) mod secrets;
pub(crate) mod stand_in;
pub(crate) mod stripe;
pub(crate) mod stripe_key;
pub(crate) mod web;
