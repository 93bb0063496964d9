//! Where calls go.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};

/// Where calls go: to the hosts that they name, or to whoever answers in their place. Cheap to clone.
#[derive(Clone, Default)]
pub struct Network(Option<Arc<Answering>>);

pub(crate) type Answering = dyn Fn(Request<Bytes>) -> Answered + Send + Sync;

/// What becomes of a call that somebody else answers.
pub type Answered = Pin<Box<dyn Future<Output = Result<Response<Bytes>, CallError>> + Send>>;

impl Network {
    /// One where `answer` gets every call.
    pub fn answered_by(
        answer: impl Fn(Request<Bytes>) -> Answered + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(answer)))
    }

    /// Whoever answers in place of the hosts.
    pub(crate) fn answering(&self) -> Option<Arc<Answering>> {
        self.0.clone()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

/// Why a call has no answer, in the words of the innermost error: the outer ones say only that
/// something failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There was no connection, so nobody got the request.
    #[error("{0}")]
    Unreachable(String),
    /// The connection broke; the request may have been carried out.
    #[error("{0}")]
    Broken(String),
}
