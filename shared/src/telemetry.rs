//! Logs: one JSON object a line, with ids and codes, never with addresses, tokens, bodies or
//! secrets. Lines that are worth counting carry a `metric`.

use tracing_subscriber::EnvFilter;

use crate::config::Environment;

/// Starts logging to standard output at `LOG_LEVEL` (`info` unless set). For a function's `main`.
pub fn start(environment: &Environment) {
    let level = environment.optional("LOG_LEVEL").unwrap_or("info");
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
}

/// Something that is worth an alarm or a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// An authentic event was put aside because it could not be read.
    Parked,
    /// An authentic event was put aside because it is of the other mode.
    ModeMismatch,
    /// A delivery whose signature is not believed.
    SignatureFailure,
    /// A mail was given up.
    MailFailed,
    /// A purchase needs a person's attention.
    Attention,
}

impl Metric {
    /// The value of the log line's `metric` field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::ModeMismatch => "mode_mismatch",
            Self::SignatureFailure => "signature_failure",
            Self::MailFailed => "mail_failed",
            Self::Attention => "attention",
        }
    }
}
