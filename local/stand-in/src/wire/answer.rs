//! What is asked, and what is answered.

use http::StatusCode;
use serde_json::Value;

use crate::cli::listeners::Listeners;
use crate::description::Operation;
use crate::engine::ids::AccountId;
use crate::engine::transaction::Transaction;
use crate::wire::errors::ApiError;
use crate::wire::multipart::Upload;
use crate::wire::params::Params;

/// What a request wants, before its parameters are read.
pub(crate) struct Asked<'r> {
    pub(crate) method: &'r str,
    /// What follows `/v1/`, part by part.
    pub(crate) path: &'r [&'r str],
    /// What Stripe has there.
    pub(crate) operation: &'r Operation,
    /// The parameters in the path, by name.
    pub(crate) names: &'r [(&'static str, &'r str)],
    pub(crate) settings: &'r Settings,
    /// What the caller calls the stand-in, with the port; nothing for a seed.
    pub(crate) host: Option<&'r str>,
    /// It comes from a browser, whose key everybody can read.
    pub(crate) publishable: bool,
    /// The file that came with the parameters.
    pub(crate) upload: Option<&'r Upload>,
}

/// Reads the parameters of what was asked.
pub(crate) type Route<'r> = Box<dyn FnOnce(Params) -> Result<Work<'r>, ApiError> + 'r>;

/// The work of a request whose parameters have been read and found good.
pub(crate) type Work<'r> = Box<dyn FnOnce(&Transaction<'_>) -> Result<Value, ApiError> + 'r>;

/// What endpoints know of the account itself.
pub(crate) struct Settings {
    /// The base of payment pages.
    pub(crate) public_url: url::Url,
    /// Whose secret key the request has.
    pub(crate) account: AccountId,
    /// What buyers know the account's shop by.
    pub(crate) business_name: String,
    pub(crate) listeners: Listeners,
}

/// A status and a body, new or kept.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    /// The request that was given this answer first, if it was another.
    pub(crate) replay_of: Option<String>,
    /// The connection breaks before the answer is out.
    pub(crate) broken: bool,
}

impl Answer {
    pub(crate) fn of(result: Result<Value, ApiError>) -> Self {
        let (status, body) = match result {
            Ok(value) => (StatusCode::OK, value),
            Err(error) => (error.status, error.body()),
        };
        // Stripe's answers are indented; whoever reads them with curl is glad of it.
        Self {
            status,
            body: format!("{body:#}\n"),
            replay_of: None,
            broken: false,
        }
    }

    pub(crate) fn broken() -> Self {
        Self {
            status: StatusCode::OK,
            body: String::new(),
            replay_of: None,
            broken: true,
        }
    }
}
