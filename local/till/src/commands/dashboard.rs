//! `till dashboard`: the dashboard of a deployed shop, served on its operator's machine. The page and its
//! buttons are those of the local shop ([`window`]), with two sections more: alarms and doctor.

mod alarms;
mod doctor;
mod guard;
mod page;
mod renewal;

use std::time::Duration;

use anyhow::Context as _;
use axum::{Router, middleware};
use clap::Args;
use laptop::loopback::{Door, Shutdown, refuse_other_origins};
use serde::Serialize;
use tracing_subscriber::EnvFilter;
use window::page::Page;
use window::routes::{Reads, Window, only_what_changed, routes};

use self::guard::Guard;
use super::console::Log;
use super::exit::Exit;
use super::operator::Operator;
use super::shop::Shop;
use super::stop::Stop;

/// How long requests under way may take when it ends.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(super) struct Dashboard {
    /// Port on this machine that serves it; 0 for any that is free
    #[arg(long, value_name = "PORT", default_value_t = 3010, requires = "stack")]
    listen: u16,
    #[command(flatten)]
    operator: Operator,
}

pub(super) const ABOUT: &str = "\
Serve the dashboard of a deployed shop on this machine, with your own AWS credentials: purchases and
subscriptions with their stories, search, refunds, mail, parked events, products, sales, alarms, and
the findings of `till doctor`.

It listens on 127.0.0.1 and lets in only those who open the address it prints. All purchases are read
when you first look, and again when you ask: DynamoDB charges for reading. Ctrl-C ends it.

The shop on this machine always has its dashboard; without --stack, the command prints its address.";

/// Where it is, as JSON.
#[derive(Serialize)]
struct Served<'a> {
    shop: &'a str,
    url: String,
}

impl Dashboard {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        match &shop.stack {
            Some(stack) => {
                let page = page::of(&shop, stack);
                self.serve(shop, page).await?;
            }
            None => {
                let url = format!("{}/_local", self.operator.address_here());
                let told = Served {
                    shop: shop.name(),
                    url,
                };
                self.operator.show(&told, || format!("{}\n", told.url))?;
            }
        }
        Ok(Exit::Done)
    }

    /// Serves it until told to stop.
    async fn serve(self, shop: Shop, page: Page) -> anyhow::Result<()> {
        let mut stop = Stop::listen()?;
        log()?;
        let door = Door::open(self.listen, "--listen").await?;
        let door = door.also_named(guard::NAME);
        let guard = Guard::of(door.address().port());
        let name = shop.name().to_owned();
        let functions = shop.environment.clone();
        let expiry = shop.expiry;
        let window = Window::of(shop.into_window(), functions, Reads::WhenAsked);
        let router = Router::new()
            .merge(page::routes(page))
            .merge(routes(&window))
            .merge(alarms::routes(self.operator.clone()))
            .merge(doctor::routes(self.operator.clone()))
            .layer(middleware::from_fn(only_what_changed))
            .layer(middleware::from_fn(refuse_other_origins));
        let told = Served {
            shop: &name,
            url: guard.entrance(),
        };
        self.operator.show(&told, || words(&told))?;
        let (ask, shutdown) = Shutdown::channel();
        let serving = tokio::spawn(door.serve(guard.around(router), shutdown));
        tokio::select! {
            () = stop.asked() => {}
            () = renewal::keep(&self.operator, &window, expiry) => {}
        }
        // Requests under way are finished, but nobody can keep it open by one that never ends.
        let _ = ask.send(true);
        tokio::select! {
            ended = serving => ended.context("the dashboard broke down")?,
            () = tokio::time::sleep(LAST_ANSWERS) => {}
            () = stop.asked() => {}
        }
        Ok(())
    }
}

fn words(Served { shop, url }: &Served<'_>) -> String {
    format!(
        "\nThe dashboard of {shop}:\n\n  {url}\n\n\
         Anybody on this machine who has this address can use your credentials, so keep it to yourself.\n\
         A browser that does not know till.localhost finds it at 127.0.0.1. Ctrl-C ends it.\n"
    )
}

/// What fails on the way to an answer is told on stderr, too.
fn log() -> anyhow::Result<()> {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("warn,aws_smithy_runtime=off"))
        .with_ansi(false)
        .with_writer(|| Log);
    let begun = lines.try_init();
    begun.map_err(|error| anyhow::anyhow!("cannot write logs: {error}"))
}
