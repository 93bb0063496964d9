//! Tokens: cards and bank accounts as the forms of old integrations send them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::description::complete;
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;
use crate::payment::bank::BankDebit;
use crate::payment::billing::BillingDetails;
use crate::payment::card::Card;
use crate::payment::method::Means;

/// What was typed on a page, good for one use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) id: String,
    /// What the card or account will be called as a source.
    pub(crate) source: String,
    pub(crate) created: Timestamp,
    #[serde(flatten)]
    pub(crate) stands_for: StandsFor,
    pub(crate) billing: BillingDetails,
    pub(crate) used: bool,
}

/// What was typed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StandsFor {
    Card(Card),
    BankAccount(BankDebit),
}

impl Token {
    /// What it stands for, and whose that is.
    pub(crate) fn means(self) -> (Means, BillingDetails) {
        let means = match self.stands_for {
            StandsFor::Card(card) => Means::Card(card),
            StandsFor::BankAccount(account) => Means::BankDebit(account),
        };
        (means, self.billing)
    }
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
        let (billing, nothing) = (&self.billing, Metadata::new());
        let (kind, shown) = match &self.stands_for {
            StandsFor::Card(card) => (
                "card",
                card.as_source(&self.source, None, billing, &nothing),
            ),
            StandsFor::BankAccount(account) => (
                "bank_account",
                account.as_source(&self.source, None, billing, &nothing),
            ),
        };
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "created": self.created,
            "livemode": false,
            "type": kind,
            "used": self.used,
            kind: shown,
        });
        complete(Self::KIND, answer)
    }
}
