//! What Till's functions have in common.
#![warn(missing_docs)]

pub mod stripe;
