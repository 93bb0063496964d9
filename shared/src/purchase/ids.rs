//! The ids of purchases and of the payment provider's objects.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

/// A purchase's id: a version 7 UUID, so that ids sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PurchaseId(Uuid);

/// A text is not a purchase id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a purchase id is a version 7 UUID in lower case")]
pub struct NotAPurchaseId;

impl PurchaseId {
    /// A new id, made at this time. Ids of the same millisecond differ at random.
    pub fn new(created_at: OffsetDateTime) -> Self {
        let seconds = u64::try_from(created_at.unix_timestamp()).unwrap_or_default();
        let moment = Timestamp::from_unix(NoContext, seconds, created_at.nanosecond());
        Self(Uuid::new_v7(moment))
    }

    /// Its number in mails, by which people tell purchases apart: the end of the id, because ids
    /// made at about the same time begin alike.
    pub fn number(self) -> String {
        let id = self.0.simple().to_string();
        let end = id.len().saturating_sub(8);
        id.get(end..).unwrap_or_default().to_owned()
    }

    /// When it was made, to the millisecond.
    pub fn created_at(self) -> OffsetDateTime {
        let (seconds, nanoseconds) = self
            .0
            .get_timestamp()
            .map_or((0, 0), |timestamp| timestamp.to_unix());
        let nanoseconds = i128::from(seconds)
            .saturating_mul(1_000_000_000)
            .saturating_add(nanoseconds.into());
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl FromStr for PurchaseId {
    type Err = NotAPurchaseId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Uuid::try_parse(text) {
            // An id can be written in only one way, so that it is only one key.
            Ok(id) if id.get_version_num() == 7 && id.to_string() == text => Ok(Self(id)),
            _ => Err(NotAPurchaseId),
        }
    }
}

impl fmt::Display for PurchaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a payment, a claim or a mail belongs to. Written as its id, from which its kind follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Subject {
    /// A purchase.
    Purchase(PurchaseId),
}

impl From<PurchaseId> for Subject {
    fn from(id: PurchaseId) -> Self {
        Self::Purchase(id)
    }
}

impl FromStr for Subject {
    type Err = NotAPurchaseId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::Purchase)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Purchase(id) => id.fmt(f),
        }
    }
}

/// An id assigned by the payment provider.
macro_rules! provider_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

provider_id!(
    /// A Checkout session, `cs_…`.
    SessionId
);
provider_id!(
    /// A payment intent, `pi_…`.
    PaymentIntentId
);
provider_id!(
    /// A charge, `ch_…` or `py_…`.
    ChargeId
);
provider_id!(
    /// A refund, `re_…` or `pyr_…`.
    RefundId
);
provider_id!(
    /// A dispute, `dp_…` or `du_…`.
    DisputeId
);
provider_id!(
    /// A customer, `cus_…`.
    CustomerId
);
provider_id!(
    /// A balance transaction, `txn_…`.
    TransactionId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purchase_id_is_written_in_one_way_and_knows_its_time() {
        let made_at = OffsetDateTime::from_unix_timestamp_nanos(1_758_692_396_877_000_000);
        let made_at = made_at.unwrap();
        let id = PurchaseId::new(made_at);
        assert_eq!(id.created_at(), made_at);
        assert_ne!(id, PurchaseId::new(made_at));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<PurchaseId>().is_err());
        assert!(
            "8c9e4a52-3b5f-4d0a-9a35-0c1de2a3f5b7"
                .parse::<PurchaseId>()
                .is_err()
        );
    }
}
