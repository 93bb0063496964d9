//! What a developer or a test does to the stand-in that no buyer and no shop can do to Stripe.
//! [`routes`](mod@routes) has it over HTTP.

mod bank;
mod deliveries;
mod routes;
mod span;
mod world;

use http::StatusCode;

use crate::account::object::Account;
use crate::engine::resource::{Cause, Object};
use crate::engine::transaction::Transaction;
use crate::seed::SeedError;

pub use self::bank::NewDispute;
pub(super) use self::routes::routes;
pub(crate) use self::span::Span;
pub use self::world::Clock;

/// Why a command is not obeyed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is nothing with this id that the command could be about.
    #[error("no such {kind}: '{id}'")]
    NoSuch {
        /// What it should have been.
        kind: &'static str,
        /// What was asked for.
        id: String,
    },
    /// It cannot be done now.
    #[error("{0}")]
    Refused(String),
    /// What the account is to begin with cannot be made.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The stand-in itself failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl ControlError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoSuch { .. } => StatusCode::NOT_FOUND,
            Self::Refused(_) => StatusCode::BAD_REQUEST,
            Self::Seed(error) if !matches!(error, SeedError::Failed(_)) => StatusCode::BAD_REQUEST,
            Self::Seed(_) | Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

type Controlled<T> = Result<T, ControlError>;

impl Account {
    async fn command<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Controlled<T> + Send + 'static,
    ) -> Controlled<T> {
        self.transact(Cause::default(), work).await
    }

    /// The same about an object, in whose time it is done.
    async fn command_about<T: Send + 'static>(
        &self,
        object: &str,
        work: impl FnOnce(&Transaction<'_>) -> Controlled<T> + Send + 'static,
    ) -> Controlled<T> {
        self.transact_in_time_of(object, Cause::default(), work)
            .await
    }
}

fn find<T: Object>(transaction: &Transaction<'_>, id: &str) -> Controlled<T> {
    transaction.get(id)?.ok_or_else(|| ControlError::NoSuch {
        kind: T::KIND,
        id: id.to_owned(),
    })
}
