//! How something stands: a purchase, an invoice, or a subscription.

use serde::{Serialize, Serializer};

use crate::{invoice::InvoiceStatus, purchase::Status, subscription::SubscriptionStatus};

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A purchase.
    Purchase(Status),
    /// An invoice.
    Invoice(InvoiceStatus),
    /// A subscription; `None` if it is still to be read.
    Subscription(Option<SubscriptionStatus>),
}

impl Standing {
    /// As it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purchase(status) => status.as_str(),
            Self::Invoice(status) => status.as_str(),
            Self::Subscription(Some(status)) => status.as_str(),
            Self::Subscription(None) => "unread",
        }
    }
}

impl Serialize for Standing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
