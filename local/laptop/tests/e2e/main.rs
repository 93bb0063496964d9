//! The shop on this machine: what surrounds the functions, tested with small functions of its own
//! ([`small_shop`]), and the whole shop with the deployed functions ([`shop`]).

// Helpers of tests may panic like tests; clippy.toml exempts only the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod aws;
mod containers;
mod contract;
mod dashboard;
mod gateway;
mod identity;
mod log;
mod secrets;
mod shop;
mod site;
mod small_shop;
mod starting;
mod streams;
