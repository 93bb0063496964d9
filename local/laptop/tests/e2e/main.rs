//! The shop on this machine: what lies around the functions, with functions of the tests' own
//! ([`small_shop`]), and the whole of it with the functions that are deployed ([`shop`]).

// What helps a test may fail like a test: clippy.toml exempts only the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod aws;
mod containers;
mod dashboard;
mod gateway;
mod identity;
mod secrets;
mod shop;
mod site;
mod small_shop;
mod starting;
mod streams;
