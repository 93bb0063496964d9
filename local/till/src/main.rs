//! `till`: alone it opens the whole shop on this machine; its subcommands are the operator's.
//!
//! [`commands`] is the command line. [`account`] is the seller's own access to AWS and to Stripe, by
//! which commands reach a shop that is deployed.

mod account;
mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(laptop::wiring::deployed())
}
