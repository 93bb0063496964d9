//! Stripe's objects, as in its events and API answers: only the few fields that matter to a
//! purchase, so that the rest may change its shape.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::metadata;
use crate::{
    config::Stack,
    purchase::{Buyer, PurchaseId},
};

mod about_charge;
mod charge;
mod invoice;
mod line_item;
mod payment_intent;
mod session;
mod subscription;
#[cfg(test)]
mod versions;
mod written_invoice;

pub use about_charge::AboutCharge;
pub use charge::Charge;
pub use invoice::{InvoiceObject, InvoiceStatement, PaidInvoice, WhoseInvoice};
pub use line_item::LineItem;
pub use payment_intent::PaymentIntent;
pub use session::Session;
pub(super) use session::SessionEvent;
pub use subscription::SubscriptionObject;
pub use written_invoice::WrittenInvoice;

/// Something authentic that does not match Stripe's documentation.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub(crate) String);

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// An id, or the object with that id.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Expandable<Id> {
    Id(Id),
    Object { id: Id },
}

impl<Id> Expandable<Id> {
    fn id(&self) -> &Id {
        match self {
            Self::Id(id) | Self::Object { id } => id,
        }
    }

    fn into_id(self) -> Id {
        match self {
            Self::Id(id) | Self::Object { id } => id,
        }
    }
}

/// The metadata that we put on an object when it was created.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// Whether they are the deployment `stack`'s.
    pub(super) fn are_of(&self, stack: &Stack) -> bool {
        let tag = self.0.get(metadata::STACK);
        tag.is_some_and(|tag| stack.owns(tag))
    }

    /// Whether they name this buyer.
    pub(super) fn are_of_buyer(&self, subject: &str) -> bool {
        self.get(metadata::BUYER) == Some(subject)
    }

    /// The purchase that the object belongs to in the deployment `stack`; `None` if it is not this
    /// deployment's.
    pub fn purchase(&self, stack: &Stack) -> Result<Option<PurchaseId>, Unreadable> {
        if !self.are_of(stack) {
            return Ok(None);
        }
        let id = self.0.get(metadata::PURCHASE_ID);
        let id = id.ok_or_else(|| Unreadable("metadata.purchase_id is missing".to_owned()))?;
        let id = id.parse();
        id.map(Some)
            .map_err(|error| Unreadable(format!("metadata.purchase_id: {error}")))
    }

    /// Whether some deployment's tag is on it.
    pub fn is_tagged(&self) -> bool {
        self.0.contains_key(metadata::STACK)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The buyer that it names.
    pub fn buyer(&self, email: Option<String>) -> Buyer {
        Buyer {
            subject: self.0.get(metadata::BUYER).cloned(),
            email,
            language: None,
        }
    }
}
