//! What a page says when it has nothing to show.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

use crate::control::ControlError;
use crate::window::place::PATH;

/// Why there is nothing to show, or why a button did nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There is no such thing in this account, or no such account.
    NoSuch {
        kind: &'static str,
        id: String,
        /// Where to go from here.
        back: String,
    },
    /// A command was not obeyed.
    Refused(ControlError),
    /// The stand-in itself failed.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<ControlError> for Trouble {
    fn from(error: ControlError) -> Self {
        Self::Refused(error)
    }
}

#[derive(Template)]
#[template(path = "window/trouble.html", config = "askama.toml")]
struct Page {
    message: String,
    back: String,
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let home = || PATH.to_owned();
        let (status, message, back) = match self {
            Self::NoSuch { kind, id, back } if id.is_empty() => {
                let message = format!("There is no such {kind} in the window.");
                (StatusCode::NOT_FOUND, message, back)
            }
            Self::NoSuch { kind, id, back } => {
                let message = format!("There is no {kind} {id} here.");
                (StatusCode::NOT_FOUND, message, back)
            }
            Self::Refused(error) => (error.status(), error.to_string(), home()),
            Self::Failed(error) => {
                tracing::error!(error = format!("{error:#}"), "the window failed");
                let message = "The stand-in itself failed: its log says why.".to_owned();
                (StatusCode::INTERNAL_SERVER_ERROR, message, home())
            }
        };
        match (Page { message, back }).render() {
            Ok(page) => (status, Html(page)).into_response(),
            Err(_) => status.into_response(),
        }
    }
}
