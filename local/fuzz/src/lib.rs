//! What strangers can send, fed with whatever a fuzzer thinks of.
//!
//! A target takes bytes, gives them to a door of the shop or to a reader behind it, and asserts what must hold for
//! any bytes at all. `.ci/fuzz` runs the targets under libFuzzer, which looks for inputs that reach code no other has
//! reached. `corpus/<target>` has inputs to begin with, written by hand, and each that once failed; the test
//! `corpus` runs all of them with every change.
#![warn(missing_docs)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a target that fails ends so"
)]

mod cart;
mod cursor;
mod event;
mod money;
mod request;
mod row;
mod sign_in;
mod signature;
mod stand_in;
mod template;
mod webhook;

/// Runs a target once; panics if the input makes something false.
pub type Run = fn(&[u8]);

/// All targets, by the name of their folder in `corpus/`.
pub const TARGETS: [(&str, Run); 10] = [
    ("cart", cart::run),
    ("cursor", cursor::run),
    ("event", event::run),
    ("money", money::run),
    ("request", request::run),
    ("sign-in", sign_in::run),
    ("signature", signature::run),
    ("stand-in", stand_in::run),
    ("template", template::run),
    ("webhook", webhook::run),
];
