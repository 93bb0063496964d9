//! The Stripe stand-in from outside: HTTP in, HTTP and webhooks out.

// What helps a test may fail like a test: clippy.toml exempts only the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[path = "standin/api.rs"]
mod api;
#[path = "standin/bench.rs"]
mod bench;
#[path = "standin/delivery.rs"]
mod delivery;
#[path = "standin/disputes.rs"]
mod disputes;
#[path = "standin/endpoints.rs"]
mod endpoints;
#[path = "standin/faults.rs"]
mod faults;
#[path = "standin/idempotency.rs"]
mod idempotency;
#[path = "standin/lists.rs"]
mod lists;
#[path = "standin/page.rs"]
mod page;
#[path = "standin/promotions.rs"]
mod promotions;
#[path = "standin/refunds.rs"]
mod refunds;
#[path = "standin/survival.rs"]
mod survival;
