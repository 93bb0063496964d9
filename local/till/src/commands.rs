//! The command line: `till` alone opens the shop, the subcommands are an operator's.
//!
//! An operator's command says [`shop::Where`] it works, and [`console`] how it speaks. It returns
//! an [`Exit`], or an error that becomes one sentence on stderr.

mod console;
mod doctor;
mod dot_env;
mod events;
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

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use laptop::environment::Variables;
use laptop::functions::Wiring;
use laptop::samples::Samples;
use template::project::Project;
use url::Url;

use self::console::for_terminal;

/// Runs the whole shop on this machine: site, API, Stripe, DynamoDB and mail.
#[derive(Parser)]
#[command(
    name = "till",
    version,
    args_conflicts_with_subcommands = true,
    after_help = EXIT_CODES
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    open: Open,
}

#[derive(Subcommand)]
enum Command {
    /// Prints a webhook event file with a fresh Stripe-Signature, for `sam local invoke`
    Sign {
        /// A function URL event, such as events/webhook-completed-paid.json
        file: PathBuf,
    },
    /// Shows and changes what is for sale
    #[command(subcommand, after_help = EXIT_CODES)]
    Products(products::Command),
    /// Shows what was bought
    #[command(subcommand, after_help = EXIT_CODES)]
    Purchases(purchases::Command),
    /// Sends money back to a buyer
    #[command(after_help = EXIT_CODES)]
    Refund(refund::Refund),
    /// Shows events that were put aside, and takes events in again
    #[command(subcommand, after_help = EXIT_CODES)]
    Events(events::Command),
    /// Shows mail that did not go out, and sends it again
    #[command(subcommand, after_help = EXIT_CODES)]
    Mails(mails::Command),
    /// Compares the shop with Stripe and records what was missed
    #[command(after_help = EXIT_CODES)]
    Reconcile(reconcile::Reconcile),
    /// Checks that everything is in place for the shop to sell, and says how to mend what is not
    #[command(after_help = EXIT_CODES)]
    Doctor(doctor::Doctor),
    /// Makes or mends a deployed shop's webhook endpoint at Stripe, and stores its secret
    #[command(after_help = EXIT_CODES)]
    Setup(setup::Setup),
}

/// What scripts go by.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it failed; stderr says why and what to do
  2  the command line is wrong
  3  done, and there is something to look at: drift, parked events, mail that did not go out,
     a refund that failed, rows that are not valid
  4  what the command is about does not exist";

/// How a command ended, if it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Well.
    Done,
    /// Well, and somebody should look at what it found.
    Found,
}

/// The purchase, product, stack … that a command is about does not exist; why, or which.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotFound(pub(crate) String);

#[derive(Args)]
struct Open {
    /// Port of the site, the HTTP API, the webhook and the dashboard
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Port of the Stripe stand-in
    #[arg(long, default_value_t = 3001)]
    stripe_port: u16,
    /// Port of DynamoDB and SES
    #[arg(long, default_value_t = 3002)]
    aws_port: u16,
    /// A front end of your own, by its origin, such as http://localhost:5173: its pages may call the
    /// API, and sign-in, payments and mail lead back to it
    #[arg(long, value_name = "URL", value_parser = open::origin)]
    site: Option<Url>,
    /// Listen for containers here, too, with Stripe and AWS: Docker's bridge on Linux, 172.17.0.1
    #[arg(long, value_name = "ADDRESS")]
    bridge: Option<Ipv4Addr>,
    /// Products for a shop that has none: all in one currency, or some more in others
    #[arg(long, value_enum, default_value_t = Samples::Usd)]
    samples: Samples,
    /// Where everything is kept, a folder of its own [default: .till beside template.yaml]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Keep nothing: all is gone when the shop closes
    #[arg(long, conflicts_with = "data")]
    memory: bool,
}

/// Does what the command line says; errors become one sentence on stderr.
pub(crate) fn run(wiring: Wiring) -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.command {
        None => open::run(cli.open, wiring).map(|()| Exit::Done),
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
    match ended {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Found) => ExitCode::from(3),
        Err(error) => {
            // Nobody can be told if stderr is gone.
            let _ = writeln!(
                std::io::stderr(),
                "{}",
                for_terminal(&format!("till: {error:#}"))
            );
            if error.is::<NotFound>() {
                ExitCode::from(4)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Runs a command. Ctrl-C ends it there and then: whatever commands write is written whole or not
/// at all, and may be written again.
fn wait_for(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(command)
}

/// What the developer says in the environment, and below that in the project's `.env`.
fn environment(project: &Project) -> anyhow::Result<Variables> {
    let file = project.template.with_file_name(".env");
    let mut environment = if file.exists() {
        dot_env::read(&file)?
    } else {
        BTreeMap::new()
    };
    let process = std::env::vars_os();
    environment.extend(
        process.filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    );
    Ok(environment)
}

/// Writes words to stdout.
fn print(text: &str) -> anyhow::Result<()> {
    write_out(&for_terminal(text))
}

/// Writes to stdout as it is, where a reader that has seen enough is no error.
fn write_out(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}
