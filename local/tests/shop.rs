//! The shop from outside: HTTP in, HTTP, mail, Stripe and DynamoDB out.
//!
//! With `AWS_ENDPOINT_URL` set, the same tests run on that DynamoDB engine instead of the embedded
//! one.

// What helps a test may fail like a test: clippy.toml exempts only the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[path = "shop/apart.rs"]
mod apart;
#[path = "shop/buying.rs"]
mod buying;
#[path = "shop/carts.rs"]
mod carts;
#[path = "shop/cost.rs"]
mod cost;
#[path = "shop/disputes.rs"]
mod disputes;
#[path = "shop/doors.rs"]
mod doors;
#[path = "shop/failure_cases.rs"]
mod failure_cases;
#[path = "shop/holds.rs"]
mod holds;
#[path = "shop/idempotency.rs"]
mod idempotency;
#[path = "shop/landing.rs"]
mod landing;
#[path = "shop/mail.rs"]
mod mail;
#[path = "shop/reading.rs"]
mod reading;
#[path = "shop/reconciling.rs"]
mod reconciling;
#[path = "shop/refunds.rs"]
mod refunds;
#[path = "shop/restart.rs"]
mod restart;
#[path = "shop/stock.rs"]
mod stock;
#[path = "shop/stripe_down.rs"]
mod stripe_down;
// The tests of the commands use more of it.
#[allow(dead_code)]
#[path = "shop/support.rs"]
mod support;
#[path = "shop/tables_down.rs"]
mod tables_down;
#[path = "shop/vouchers.rs"]
mod vouchers;
#[path = "shop/webhook.rs"]
mod webhook;
#[path = "shop/webhook_order.rs"]
mod webhook_order;
