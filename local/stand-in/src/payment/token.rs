//! Tokens: cards as the forms of old integrations send them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::description::complete;
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;
use crate::payment::billing::BillingDetails;
use crate::payment::card::Card;

/// A card that was typed on a page, good for one use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) id: String,
    /// What the card will be called as a source.
    pub(crate) source: String,
    pub(crate) created: Timestamp,
    pub(crate) card: Card,
    pub(crate) billing: BillingDetails,
    pub(crate) used: bool,
}

impl Object for Token {
    const KIND: &'static str = "token";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "card": self.card.as_source(&self.source, None, &self.billing, &Metadata::new()),
            "created": self.created,
            "livemode": false,
            "type": "card",
            "used": self.used,
        });
        complete(Self::KIND, answer)
    }
}
