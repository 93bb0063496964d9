//! The program `stand-in`: a Stripe on a port of this machine.

use std::fs::{File, TryLockError};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use stand_in::{
    API_VERSION, Config, MachineTime, OtherKeys, Seed, SigningSecret, StandIn, Webhook,
};
use tokio::net::TcpListener;
use url::Url;

/// An offline Stripe: its API, its payment page and its webhooks, on this machine.
///
/// Point a Stripe library at it and use any key that starts with sk_test_: each is an account of its
/// own.
#[derive(Debug, Parser)]
#[command(name = "stand-in", version, args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The address to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port to listen on; 0 takes any that is free
    #[arg(long, default_value_t = 12111, env = "STAND_IN_PORT")]
    port: u16,
    /// Where browsers reach it, if that is not where it listens
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    /// Another name by which browsers reach it; may be repeated
    #[arg(long = "host-name", value_name = "NAME")]
    host_names: Vec<String>,
    /// The folder to keep everything in; without it, all is in memory and gone at the end
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// What every account begins with: a file in the format of `stripe fixtures`
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// The secret key of the default account
    #[arg(long, value_name = "KEY", default_value = "sk_test_local", value_parser = secret_test_key)]
    api_key: String,
    /// Where the default account's events go, all of them
    #[arg(long, value_name = "URL")]
    webhook: Option<Url>,
    /// Signs what goes to --webhook
    #[arg(long, value_name = "SECRET", default_value = "whsec_local")]
    webhook_secret: String,
    /// What the payment page calls the shop
    #[arg(long, value_name = "NAME", default_value = "Test shop")]
    business_name: String,
}

fn secret_test_key(key: &str) -> Result<String, String> {
    match key.strip_prefix("sk_test_") {
        Some(own) if !own.is_empty() => Ok(key.to_owned()),
        _ => Err("a secret test key starts with sk_test_".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints which operations of Stripe's API work, as a page in Markdown
    Api,
}

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .init();
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    if let Some(Command::Api) = args.command {
        print!("{}", stand_in::coverage()?);
        return Ok(());
    }
    let address = SocketAddr::new(args.host, args.port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}: choose another port with --port"))?;
    let address = listener.local_addr()?;
    let url = match &args.public_url {
        Some(url) => url.clone(),
        None if address.ip().is_unspecified() => {
            Url::parse(&format!("http://localhost:{}", address.port()))?
        }
        None => Url::parse(&format!("http://{address}"))?,
    };
    let _lock = args.data.as_deref().map(lock).transpose()?;
    let stand_in = StandIn::open(args.config(url.clone())?)?;
    args.say_where(&url, &stand_in.window());

    let delivering = stand_in.deliver(stopped());
    let router = stand_in.router();
    let serving = axum::serve(listener, router).with_graceful_shutdown(stopped());
    let (served, ()) = tokio::join!(serving.into_future(), delivering);
    Ok(served?)
}

/// Makes the folder, and keeps every other process out of it for as long as the file is open.
fn lock(folder: &Path) -> anyhow::Result<File> {
    let place = folder.display();
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {place}"))?;
    let file = File::create(folder.join("stripe.lock"))
        .with_context(|| format!("cannot write to the folder {place}"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "the folder {place} is in use by another stand-in: stop that one, or choose another folder \
             with --data"
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock the folder {place}"))
        }
    }
}

impl Args {
    fn config(&self, public_url: Url) -> anyhow::Result<Config> {
        let webhook = match &self.webhook {
            Some(url) => Some(Webhook {
                url: url.clone(),
                secret: SigningSecret::new(&self.webhook_secret)?,
                enabled_events: vec!["*".to_owned()],
            }),
            None => None,
        };
        let seed = self.seed.as_deref().map(Seed::read).transpose()?;
        Ok(Config {
            database: self.data.as_ref().map(|folder| folder.join("stripe.db")),
            public_url,
            fixed_url: self.public_url.is_some(),
            host_names: self.host_names.clone(),
            business_name: self.business_name.clone(),
            secret_key: self.api_key.clone(),
            other_keys: OtherKeys::OwnAccount,
            webhook,
            seed: seed.unwrap_or_default(),
            machine: MachineTime::default(),
        })
    }

    fn say_where(&self, url: &Url, window: &Url) {
        let base = url.as_str().trim_end_matches('/');
        println!("Stripe {API_VERSION}, offline, at {base}");
        println!(
            "  API key   {} (any other sk_test_… is an account of its own)",
            self.api_key
        );
        match &self.webhook {
            Some(to) => println!("  webhooks  to {to}, signed with {}", self.webhook_secret),
            None => println!("  webhooks  to the endpoints made at {base}/v1/webhook_endpoints"),
        }
        println!("  window    {window} shows it all in a browser");
        match &self.data {
            Some(folder) => println!("  data      in {}", folder.display()),
            None => println!("  data      in memory, gone when this stops"),
        }
    }
}

/// Ready when somebody asks the process to stop.
async fn stopped() {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => {
            if interrupted.is_err() {
                std::future::pending::<()>().await;
            }
        }
        () = terminated => {}
    }
}
