//! How a shop is run.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use template::project::Project;
use url::Url;

use crate::environment::Variables;
use crate::functions::Wiring;
use crate::progress::Progress;
use crate::samples::Samples;

/// How to run the shop. Nothing else affects it, neither the environment nor the current folder.
#[derive(Clone)]
pub struct Options {
    /// The shop's files.
    pub project: Project,
    /// The folder where everything is kept; `None` keeps it in memory.
    pub data: Option<PathBuf>,
    /// The port of the site, the HTTP API, the webhook and `/_local`. 0 is any that is free.
    pub shop_port: u16,
    /// The port of the Stripe stand-in.
    pub stripe_port: u16,
    /// The port of DynamoDB and SES.
    pub aws_port: u16,
    /// The front end that buyers use, if not the site on the shop's own port. Only its origin
    /// counts.
    pub site: Option<Url>,
    /// Where containers find Stripe and AWS, if not on loopback: the address of Docker's bridge.
    pub bridge: Option<Ipv4Addr>,
    /// What is for sale at first.
    pub samples: Samples,
    /// What the developer set in the environment or in `.env`.
    pub environment: Variables,
    /// Builds the functions.
    pub wiring: Wiring,
    /// Told about the progress of the start.
    pub progress: Progress,
}

impl Options {
    /// For tests: a shop in memory, on any free ports, with this code and all sample products.
    pub fn in_memory(project: Project, wiring: Wiring) -> Self {
        Self {
            project,
            data: None,
            shop_port: 0,
            stripe_port: 0,
            aws_port: 0,
            site: None,
            bridge: None,
            samples: Samples::Currencies,
            environment: Variables::new(),
            wiring,
            progress: Arc::new(|_, _, _| {}),
        }
    }
}
