//! `till` itself: opens the shop and keeps it open until told to stop.

use std::io::IsTerminal as _;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use laptop::environment::{STAND_IN_KEY, Stripe, Variables, said};
use laptop::functions::Wiring;
use laptop::progress::Progress;
use laptop::samples::Samples;
use laptop::shop::{LocalShop, Options};
use shared::stripe::event::handled;
use template::project::Project;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::console::{Log, print};
use super::dot_env;
use super::stop::Stop;

/// The options of `till` alone.
#[derive(Args)]
pub(super) struct Open {
    /// Port of the site, the HTTP API, the webhook and the dashboard
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Port of the Stripe stand-in
    #[arg(long, default_value_t = 3001)]
    stripe_port: u16,
    /// Port of DynamoDB and SES
    #[arg(long, default_value_t = 3002)]
    aws_port: u16,
    /// The origin of your own front end, such as http://localhost:5173: its pages may call the API,
    /// and sign-in, payments and mail lead back to it
    #[arg(long, value_name = "URL", value_parser = origin)]
    site: Option<Url>,
    /// Serve Stripe and AWS at this address, too, for containers: Docker's bridge on Linux, such as
    /// 172.17.0.1
    #[arg(long, value_name = "ADDRESS")]
    bridge: Option<Ipv4Addr>,
    /// Which sample products to put in a shop that has none
    #[arg(long, value_enum, default_value_t = Samples::Usd)]
    samples: Samples,
    /// The folder in which everything is kept [default: .till beside template.yaml]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Keep nothing: everything is gone when the shop closes
    #[arg(long, conflicts_with = "data")]
    memory: bool,
}

impl Open {
    /// Opens the shop and keeps it open until told to stop.
    pub(super) fn run(self, wiring: Wiring) -> anyhow::Result<()> {
        let project = Project::find()?;
        let environment = dot_env::environment(&project)?;
        log(&environment)?;
        let folder = project.template.with_file_name(".till");
        let data = if self.memory {
            None
        } else {
            Some(self.data.unwrap_or(folder))
        };
        let bar = progress_bar();
        let options = Options {
            project,
            data,
            shop_port: self.port,
            stripe_port: self.stripe_port,
            aws_port: self.aws_port,
            site: self.site,
            bridge: self.bridge,
            samples: self.samples,
            environment,
            wiring,
            progress: progress(bar.clone()),
        };
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        runtime.block_on(async {
            let mut stop = Stop::listen()?;
            let kept = options.data.clone();
            let shop = tokio::select! {
                shop = LocalShop::start(options) => shop,
                () = stop.asked() => return Ok(()),
            };
            bar.finish_and_clear();
            let shop = shop?;
            let kept = kept.map_or("nothing is kept".to_owned(), |folder| {
                folder.display().to_string()
            });
            print(&welcome(&shop, &kept))?;
            stop.asked().await;
            print("\nClosing, once the requests under way are finished.\n")?;
            tokio::select! {
                () = shop.shutdown() => {}
                // Whoever asks twice does not want to wait.
                () = stop.asked() => {}
            }
            Ok(())
        })
    }
}

/// An origin, as a browser names it: scheme, host and port.
fn origin(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it must start with http:// or https://".to_owned());
    }
    let origin = url.origin().ascii_serialization();
    if url.as_str().trim_end_matches('/') != origin {
        return Err(format!("it must be an origin alone: {origin}"));
    }
    Ok(url)
}

fn log(environment: &Variables) -> anyhow::Result<()> {
    let filter = match said(environment, "RUST_LOG") {
        Some(filter) => filter.to_owned(),
        None => {
            let level = said(environment, "LOG_LEVEL")
                .unwrap_or("info")
                .to_ascii_lowercase();
            // A condition that fails is an answer, not a warning.
            format!("{level},dynoxide=error,hyper=warn,hyper_util=warn,reqwest=warn,aws=warn")
        }
    };
    let filter = EnvFilter::try_new(&filter)
        .with_context(|| format!("LOG_LEVEL or RUST_LOG is {filter}, which is not a log filter"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(|| Log);
    lines
        .try_init()
        .map_err(|error| anyhow::anyhow!("cannot write logs: {error}"))
}

/// A bar on a terminal, hidden elsewhere.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {msg}") {
        bar.set_style(style);
    }
    bar
}

fn progress(bar: ProgressBar) -> Progress {
    Arc::new(move |done, of, next| {
        if bar.is_hidden() {
            let number = done.saturating_add(1);
            // Nobody can be told if stderr is gone.
            let _ = writeln!(std::io::stderr(), "preparing {next} ({number} of {of})");
        } else {
            bar.set_length(u64::try_from(of).unwrap_or(u64::MAX));
            bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
            bar.set_message(format!("preparing {next}"));
        }
    })
}

fn welcome(shop: &LocalShop, kept: &str) -> String {
    let (shop_url, aws) = (shop.url(), shop.aws_url());
    let (stripe, note) = match shop.stripe() {
        Stripe::StandIn => (
            shop.stripe_url().unwrap_or_default().to_owned(),
            format!("the stand-in; its key is {STAND_IN_KEY}"),
        ),
        Stripe::Real { .. } => (
            "https://api.stripe.com".to_owned(),
            "your own test account; `stripe listen` brings its events".to_owned(),
        ),
    };
    let dashboard = format!("{shop_url}/_local");
    let contract = format!("{shop_url}/openapi");
    let site = shop.site_url();
    let own_site = (site != shop_url).then_some(("Site", site, "your own; it may call the API"));
    let rows: Vec<_> = [
        Some(("Shop", shop_url, "the site and its API")),
        own_site,
        Some(("Dashboard", &dashboard, "purchases, mail, webhooks, faults")),
        Some(("API", &contract, "what it takes and answers")),
        Some(("Stripe", &stripe, &note)),
        Some(("AWS", aws, "DynamoDB and SES")),
        Some(("Data", kept, "")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let width = rows
        .iter()
        .map(|(_, value, _)| value.len())
        .filter(|width| *width < 40)
        .max();
    let width = width.unwrap_or_default();
    let table: String = rows
        .iter()
        .map(|(name, value, note)| {
            format!(
                "  {}\n",
                format!("{name:<11}{value:<width$}   {note}").trim_end()
            )
        })
        .collect();
    let listen = match shop.stripe() {
        Stripe::StandIn => String::new(),
        Stripe::Real { .. } => format!("{}\n\n", listen(shop_url)),
    };
    format!(
        "\nThe shop is open.\n\n{table}\n{listen}\
         Try it: open the shop, sign in with any address, buy something and pay with the card\n\
         4242 4242 4242 4242, any future date and any CVC. The mail arrives in the dashboard.\n\n\
         Ctrl-C closes the shop.\n"
    )
}

/// What brings the events of a Stripe account here. It has to be told which.
fn listen(shop_url: &str) -> String {
    let events = handled().collect::<Vec<_>>().join(",");
    format!("stripe listen --forward-to {shop_url}/webhook --events {events}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_listens_to_the_events_that_are_handled() {
        let command = listen("http://127.0.0.1:3000").replace(" --events", " \\\n  --events");
        assert!(include_str!("../../../../README.md").contains(&command));
    }

    #[test]
    fn a_front_end_is_named_by_its_origin_alone() {
        for text in ["http://localhost:5173", "http://localhost:5173/"] {
            let site = origin(text).unwrap().origin().ascii_serialization();
            assert_eq!(site, "http://localhost:5173");
        }
        for (text, complaint) in [
            ("localhost:5173", "it must start with http:// or https://"),
            ("5173", "relative URL without a base"),
            (
                "https://shop.example/en",
                "it must be an origin alone: https://shop.example",
            ),
        ] {
            assert_eq!(origin(text).unwrap_err(), complaint);
        }
    }
}
