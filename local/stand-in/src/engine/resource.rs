//! What all that the API shows has in common.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::links::Links;
use crate::engine::time::Timestamp;

/// The one version of Stripe's API that the stand-in speaks.
pub const API_VERSION: &str = "2026-09-30.endive";

/// What a shop writes on its objects for itself.
pub(crate) type Metadata = BTreeMap<String, String>;

/// The API request that a change came from; empty for the payment page and for time passing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Cause {
    #[serde(rename = "id")]
    pub(crate) request: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    /// Where whoever asks has reached the stand-in, if that is where pages can be: see
    /// [`Transaction::site`](crate::engine::transaction::Transaction::site).
    #[serde(skip)]
    pub(crate) site: Option<String>,
}

/// A kind of thing that the API shows.
pub(crate) trait Object: Serialize + DeserializeOwned {
    /// Its `object` field.
    const KIND: &'static str;
    fn id(&self) -> &str;
    fn created(&self) -> Timestamp;
    /// When time alone will change it.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
    /// As the API shows it, nothing expanded.
    fn answer(&self) -> Value;
    /// The same as a text, and what it is looked up by.
    fn shown(&self) -> anyhow::Result<(String, Links)> {
        let answer = self.answer();
        Ok((serde_json::to_string(&answer)?, Links::of(&answer)))
    }
    /// What is kept of it besides, if there is more to know.
    fn state(&self) -> anyhow::Result<Option<String>> {
        Ok(Some(serde_json::to_string(self)?))
    }
}

/// Stripe's page about an error code.
pub(crate) fn doc_url(code: &str) -> String {
    format!(
        "https://stripe.com/docs/error-codes/{}",
        code.replace('_', "-")
    )
}
