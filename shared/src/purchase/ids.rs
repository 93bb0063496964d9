//! The ids of purchases and of the payment provider's objects.

use std::{fmt, str::FromStr, sync::Arc};

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

/// Where new purchases get their ids. Cheap to clone.
#[derive(Clone)]
pub struct PurchaseIds(Arc<dyn Fn(OffsetDateTime) -> PurchaseId + Send + Sync>);

impl PurchaseIds {
    /// Ids that `made_at` makes, for whoever wants the same ones in every run.
    pub fn new(made_at: impl Fn(OffsetDateTime) -> PurchaseId + Send + Sync + 'static) -> Self {
        Self(Arc::new(made_at))
    }

    /// An id for a purchase that is made at this time.
    pub fn next(&self, created_at: OffsetDateTime) -> PurchaseId {
        (self.0)(created_at)
    }
}

/// Ids that nobody can guess.
impl Default for PurchaseIds {
    fn default() -> Self {
        Self::new(PurchaseId::new)
    }
}

impl fmt::Debug for PurchaseIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PurchaseIds")
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subject {
    /// A purchase.
    Purchase(PurchaseId),
    /// A subscription.
    Subscription(SubscriptionId),
    /// An invoice of a subscription.
    Invoice(SubscriptionId, InvoiceId),
}

/// A text is not the id of anything that Till keeps.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a purchase, a subscription or an invoice")]
pub struct NotASubject(String);

impl From<PurchaseId> for Subject {
    fn from(id: PurchaseId) -> Self {
        Self::Purchase(id)
    }
}

impl FromStr for Subject {
    type Err = NotASubject;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let not = || NotASubject(text.to_owned());
        let subscription = |id: &str| id.to_owned().try_into().map_err(|_| not());
        match text.split_once('/') {
            Some((of, id)) => {
                let id = id.to_owned().try_into().map_err(|_| not())?;
                Ok(Self::Invoice(subscription(of)?, id))
            }
            None if text.starts_with(SubscriptionId::PREFIX) => {
                subscription(text).map(Self::Subscription)
            }
            None => text.parse().map(Self::Purchase).map_err(|_| not()),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Purchase(id) => id.fmt(f),
            Self::Subscription(id) => id.fmt(f),
            Self::Invoice(subscription, id) => write!(f, "{subscription}/{id}"),
        }
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

impl TryFrom<String> for Subject {
    type Error = NotASubject;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
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

/// An id assigned by the payment provider that is a part of our keys, so that it has to be one.
macro_rules! key_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            const PREFIX: &str = $prefix;

            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(id: String) -> Result<Self, Self::Error> {
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                match id.starts_with(Self::PREFIX) && id.bytes().all(is_plain) {
                    true => Ok(Self(id)),
                    false => Err(NotAnId(Self::PREFIX)),
                }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// A text is not an id of one kind.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not an id that begins with {0}")]
pub struct NotAnId(&'static str);

key_id!(
    /// A subscription, `sub_…`.
    SubscriptionId,
    "sub_"
);
key_id!(
    /// An invoice, `in_…`.
    InvoiceId,
    "in_"
);

impl SubscriptionId {
    /// Its number in mails, by which people tell subscriptions apart: the end of the id.
    pub fn number(&self) -> &str {
        let end = self.0.len().saturating_sub(8).max(Self::PREFIX.len());
        self.0.get(end..).unwrap_or_default()
    }
}

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

    #[test]
    fn a_subject_is_written_as_its_id_and_reads_back_as_what_it_is() {
        let purchase = PurchaseId::new(OffsetDateTime::UNIX_EPOCH);
        let subscription = SubscriptionId::try_from("sub_1".to_owned()).unwrap();
        let invoice = InvoiceId::try_from("in_1".to_owned()).unwrap();
        for (subject, written) in [
            (Subject::Purchase(purchase), purchase.to_string()),
            (
                Subject::Subscription(subscription.clone()),
                "sub_1".to_owned(),
            ),
            (
                Subject::Invoice(subscription, invoice),
                "sub_1/in_1".to_owned(),
            ),
        ] {
            assert_eq!(subject.to_string(), written);
            assert_eq!(written.parse(), Ok(subject));
        }
        for wrong in [
            "",
            "in_1",
            "sub_1/",
            "sub_1/sub_2",
            "in_1/in_2",
            "sub_1#x",
            "sub_1/in_1/in_2",
        ] {
            assert!(wrong.parse::<Subject>().is_err(), "{wrong}");
        }
    }
}
