//! The command line: `till` alone opens the shop, the subcommands are an operator's.
//!
//! An operator's command has an [`operator::Operator`], who says which shop it works on and how to
//! be answered, beside its own arguments. How it ends is its [`exit`] code.

mod alarms;
mod books;
mod clock;
mod console;
mod dashboard;
mod doctor;
mod dot_env;
mod events;
mod exit;
mod limit;
mod mails;
mod moment;
mod open;
mod operator;
mod output;
mod place;
mod products;
pub(crate) mod purchases;
mod reconcile;
mod refund;
mod rehearse;
mod setup;
mod shop;
mod sign;
mod site;
mod stop;
mod subscriptions;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use laptop::functions::Wiring;

use self::exit::Exit;

/// Run the whole shop on this machine: site, API, Stripe, DynamoDB and mail
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
    /// List and change what is for sale
    #[command(subcommand, after_help = exit::CODES)]
    Products(products::Command),
    /// Show what was bought
    #[command(subcommand, after_help = exit::CODES)]
    Purchases(purchases::Command),
    /// Show what buyers subscribe to, and cancel it for them
    #[command(subcommand, after_help = exit::CODES)]
    Subscriptions(subscriptions::Command),
    /// Refund a purchase, through Stripe
    #[command(long_about = refund::ABOUT, after_help = exit::CODES)]
    Refund(refund::Refund),
    /// Show what went through the shop's Stripe account, day by day
    #[command(long_about = books::ABOUT, after_help = exit::CODES)]
    Books(books::Books),
    /// Show events that could not be recorded, and replay them
    #[command(subcommand, after_help = exit::CODES)]
    Events(events::Command),
    /// Show mail that was not sent, and resend it
    #[command(subcommand, after_help = exit::CODES)]
    Mails(mails::Command),
    /// Tell and move the time of the shop on this machine
    #[command(subcommand, after_help = exit::CODES)]
    Clock(clock::Command),
    /// Serve a deployed shop's dashboard on this machine
    #[command(long_about = dashboard::ABOUT, after_help = exit::CODES)]
    Dashboard(dashboard::Dashboard),
    /// Compare the shop with Stripe and record what was missed
    #[command(long_about = reconcile::ABOUT, after_help = exit::CODES)]
    Reconcile(reconcile::Reconcile),
    /// Check that a shop is ready to sell, and say how to fix what is not
    #[command(after_help = exit::CODES)]
    Doctor(doctor::Doctor),
    /// Walk a test shop from sign-up to refund, and say what held
    #[command(long_about = rehearse::ABOUT, after_help = exit::CODES)]
    Rehearse(rehearse::Rehearse),
    /// Create or fix a deployed shop's webhook endpoint at Stripe, and store its secret
    #[command(after_help = exit::CODES)]
    Setup(setup::Setup),
    /// Write the site with a page for each product
    #[command(subcommand, after_help = exit::CODES)]
    Site(site::Command),
    /// Print a webhook event file with a fresh Stripe-Signature, for `sam local invoke`
    Sign {
        /// A function URL event, such as events/webhook-completed-paid.json
        file: PathBuf,
    },
}

/// Does what the command line says; errors become one sentence on stderr.
pub(crate) fn run(wiring: Wiring) -> ExitCode {
    let cli = Cli::parse();
    exit::code(match cli.command {
        None => cli.open.run(wiring).map(|()| Exit::Done),
        Some(command) => wait_for(command.run()),
    })
}

impl Command {
    async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Products(command) => command.run().await,
            Self::Purchases(command) => command.run().await,
            Self::Subscriptions(command) => command.run().await,
            Self::Refund(command) => command.run().await,
            Self::Books(command) => command.run().await,
            Self::Events(command) => command.run().await,
            Self::Mails(command) => command.run().await,
            Self::Clock(command) => command.run().await,
            Self::Dashboard(command) => command.run().await,
            Self::Reconcile(command) => command.run().await,
            Self::Doctor(command) => command.run().await,
            Self::Rehearse(command) => command.run().await,
            Self::Setup(command) => command.run().await,
            Self::Site(command) => command.run().await,
            Self::Sign { file } => sign::run(&file).map(|()| Exit::Done),
        }
    }
}

/// Runs a command. Ctrl-C ends it there and then: whatever commands write is written whole or not
/// at all, and may be written again.
fn wait_for(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(command)
}
