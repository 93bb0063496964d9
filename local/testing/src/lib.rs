//! The whole shop under test: [`TestApp`] starts it, and has one method for everything that can be
//! asked of it. Every answer of its HTTP API is held to the contract (`contract`).
//!
//! With `AWS_ENDPOINT_URL` set, it keeps its tables on that DynamoDB engine instead of the embedded
//! one.

// Test helpers may panic as tests do, but clippy.toml exempts only the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod answer;
mod api;
mod app;
mod bus;
mod cast;
mod contract;
mod events;
mod faults;
mod files;
mod mail;
mod own_stripe;
mod preparation;
mod products;
mod reconcile;
mod stripe;
mod subscriptions;
mod tables;
mod time;
mod webhook;
mod wiring;

pub use self::answer::{Answer, Checkout, text};
pub use self::api::cart;
pub use self::app::TestApp;
pub use self::bus::check_event;
pub use self::cast::{
    ADA, BOB, CARD, COFFEE, DECLINED, DEVELOPER, MAGAZINE, MUG, NOTEBOOK, REFUNDS_SLOWLY, TEAPOT,
};
pub use self::contract::contract;
pub use self::events::{altered, kind_of, of_type, permutations, sample};
pub use self::own_stripe::OwnStripe;
pub use self::preparation::repository;
pub use self::time::{eventually, now};
pub use self::webhook::WEBHOOK_SECRET;
pub use self::wiring::Calls;
