//! The operator's commands, as somebody at a shell or in a script runs them: arguments and files
//! in, words, JSON and exit codes out, and what the tables hold afterwards. And the shop as a process
//! of its own.

// What helps a test may fail like a test: clippy.toml exempts only the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod aws;
mod books;
mod clock;
mod dashboard;
mod deployed;
mod doctor;
mod events;
mod files;
mod fulfil;
mod killed;
mod mails;
mod operator;
mod ports;
mod products;
mod purchases;
mod rebuilt;
mod recurring;
mod refund;
mod rehearse;
mod site;
mod subscriptions;
