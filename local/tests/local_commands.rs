//! The operator's commands, as somebody at a shell or in a script runs them: arguments and files
//! in, words, JSON and exit codes out, and what the tables hold afterwards.

// What helps a test may fail like a test: clippy.toml exempts only the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
#![allow(dead_code, reason = "the shop's support is made for many tests")]

#[path = "local_commands/deployed.rs"]
mod deployed;
#[path = "local_commands/doctor.rs"]
mod doctor;
#[path = "local_commands/events.rs"]
mod events;
#[path = "local_commands/mails.rs"]
mod mails;
#[path = "local_commands/operator.rs"]
mod operator;
#[path = "local_commands/products.rs"]
mod products;
#[path = "local_commands/purchases.rs"]
mod purchases;
#[path = "local_commands/refund.rs"]
mod refund;
#[path = "shop/support.rs"]
mod support;
