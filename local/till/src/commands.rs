//! The command line: `till` alone opens the shop, the subcommands are an operator's.
//!
//! An operator's command says [`shop::Where`] it works, and [`console`] how it speaks. How it ends
//! is its [`exit`] code.

mod console;
mod doctor;
mod dot_env;
mod events;
mod exit;
mod mails;
mod moment;
mod open;
mod products;
pub(crate) mod purchases;
mod reconcile;
mod refund;
mod setup;
mod shop;
mod sign;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use laptop::functions::Wiring;

use self::exit::Exit;

/// Runs the whole shop on this machine: site, API, Stripe, DynamoDB and mail.
#[derive(Parser)]
#[command(
    name = "till",
    version,
    args_conflicts_with_subcommands = true,
    after_help = exit::CODES
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    open: open::Open,
}

#[derive(Subcommand)]
enum Command {
    /// Prints a webhook event file with a fresh Stripe-Signature, for `sam local invoke`
    Sign {
        /// A function URL event, such as events/webhook-completed-paid.json
        file: PathBuf,
    },
    /// Shows and changes what is for sale
    #[command(subcommand, after_help = exit::CODES)]
    Products(products::Command),
    /// Shows what was bought
    #[command(subcommand, after_help = exit::CODES)]
    Purchases(purchases::Command),
    /// Sends money back to a buyer
    #[command(after_help = exit::CODES)]
    Refund(refund::Refund),
    /// Shows events that were put aside, and takes events in again
    #[command(subcommand, after_help = exit::CODES)]
    Events(events::Command),
    /// Shows mail that did not go out, and sends it again
    #[command(subcommand, after_help = exit::CODES)]
    Mails(mails::Command),
    /// Compares the shop with Stripe and records what was missed
    #[command(after_help = exit::CODES)]
    Reconcile(reconcile::Reconcile),
    /// Checks that everything is in place for the shop to sell, and says how to mend what is not
    #[command(after_help = exit::CODES)]
    Doctor(doctor::Doctor),
    /// Makes or mends a deployed shop's webhook endpoint at Stripe, and stores its secret
    #[command(after_help = exit::CODES)]
    Setup(setup::Setup),
}

/// Does what the command line says; errors become one sentence on stderr.
pub(crate) fn run(wiring: Wiring) -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.command {
        None => cli.open.run(wiring).map(|()| Exit::Done),
        Some(Command::Sign { file }) => sign::run(&file).map(|()| Exit::Done),
        Some(Command::Products(command)) => wait_for(command.run()),
        Some(Command::Purchases(command)) => wait_for(command.run()),
        Some(Command::Refund(command)) => wait_for(command.run()),
        Some(Command::Events(command)) => wait_for(command.run()),
        Some(Command::Mails(command)) => wait_for(command.run()),
        Some(Command::Reconcile(command)) => wait_for(command.run()),
        Some(Command::Doctor(command)) => wait_for(command.run()),
        Some(Command::Setup(command)) => wait_for(command.run()),
    };
    exit::code(ended)
}

/// Runs a command. Ctrl-C ends it there and then: whatever commands write is written whole or not
/// at all, and may be written again.
fn wait_for(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(command)
}
