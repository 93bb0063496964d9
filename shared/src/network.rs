//! Where calls go.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::Request;

use crate::https::{Answered, CONNECT, Client, NoTls};

/// Where calls go: to the hosts that they name, or to whoever answers in their place. Cheap to
/// clone; clones share connections.
#[derive(Clone, Debug, Default)]
pub struct Network(Arc<OnceLock<Client>>);

impl Network {
    /// One where `answer` gets every call.
    pub fn answered_by(
        answer: impl Fn(Request<Bytes>) -> Answered + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Client::answered_by(answer).into()))
    }

    /// The client for all of its calls, made when it is first needed.
    pub fn client(&self) -> Result<Client, NoTls> {
        if let Some(client) = self.0.get() {
            return Ok(client.clone());
        }
        let client = Client::new(CONNECT)?;
        Ok(self.0.get_or_init(|| client).clone())
    }
}
