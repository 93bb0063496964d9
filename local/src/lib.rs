//! The whole shop on one machine.

pub mod stripe;
