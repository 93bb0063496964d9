//! What was recorded, report by report: that it was, and what it changed.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::{
    KEEP_SECONDS, StoreError, Tables,
    keys::key_of,
    later::Written,
    tables::{Table, put_item},
    to_item,
};
use crate::{
    config::ConfigError,
    purchase::{InvoiceId, Subject},
    standing::Standing,
};

/// The claims in the purchases table.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    table: Table,
}

/// Where a report comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An event.
    Event {
        /// Its id, `evt_…`.
        id: String,
        /// Its type.
        kind: String,
    },
    /// The seller.
    Seller {
        /// What they did, and to what: `fulfilled#<parcel>`.
        deed: String,
    },
    /// An object that was fetched, because an event may have been missed.
    Fetched {
        /// The object's id.
        object: String,
        /// When, in Unix seconds.
        at: i64,
    },
}

/// That a report was recorded.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    /// What the report was about.
    pub(crate) subject: &'a Subject,
    pub(crate) source: &'a Source,
    /// Whether it said anything new.
    pub(crate) changed: bool,
    /// The subject's status after the report.
    pub(crate) status: Standing,
    /// Whether the subject, and with it the claim, may be deleted in time.
    pub(crate) is_over: bool,
    /// The subject's version that was read.
    pub(crate) version: u64,
}

/// `pk` is the subject's partition key.
#[derive(Serialize, Deserialize)]
pub(super) struct ClaimItem {
    pk: String,
    sk: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) recorded_at: i64,
    /// The subject's version afterwards, because several reports can be recorded in the same
    /// second.
    #[serde(default)]
    pub(super) version: u64,
    pub(super) status: String,
    pub(super) changed: bool,
    /// The invoice it is about, in the history of a subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) invoice: Option<InvoiceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

/// What the sort keys of claims begin with.
pub(super) const EVENT: &str = "event#";

impl Claims {
    pub(crate) fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// The claim, on condition that there is none yet. If an earlier version of the code has written
    /// the subject, it may have taken the event and left out what it did not know. Then a report that
    /// says something new is recorded all the same: facts can be merged again.
    pub(crate) fn put(
        &self,
        claim: Claim<'_>,
        subject: &Written,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = self.table.put(to_item(&claim.item(now))?);
        put_item(match claim.changed && subject.is_by_earlier_version() {
            true => put,
            false => put.condition_expression("attribute_not_exists(pk)"),
        })
    }
}

impl Claims {
    /// Whether an event about a subject was recorded.
    pub(crate) async fn has(&self, subject: &Subject, source: &Source) -> Result<bool, StoreError> {
        let (pk, sk) = (key_of(subject).0, format!("{EVENT}{}", source.id(0)));
        Ok(self.table.read([("pk", &pk), ("sk", &sk)]).await?.is_some())
    }
}

impl Claim<'_> {
    fn item(self, now: i64) -> ClaimItem {
        ClaimItem {
            pk: key_of(self.subject).0,
            sk: format!("{EVENT}{}", self.source.id(self.version)),
            kind: self.source.kind().to_owned(),
            recorded_at: now,
            version: self.version.saturating_add(self.changed.into()),
            status: self.status.as_str().to_owned(),
            changed: self.changed,
            invoice: match self.subject {
                Subject::Invoice(_, id) => Some(id.clone()),
                Subject::Purchase(_) | Subject::Subscription(_) => None,
            },
            ttl: self.is_over.then(|| now.saturating_add(KEEP_SECONDS)),
        }
    }
}

impl Source {
    /// Its id among all that was recorded about a subject, of which this version was read.
    fn id(&self, version: u64) -> String {
        match self {
            Self::Event { id, .. } => id.clone(),
            // It is recorded only if it makes another version.
            Self::Seller { deed } => format!("seller#{deed}#{version}"),
            Self::Fetched { object, at } => format!("fetched#{object}#{at}"),
        }
    }

    fn kind(&self) -> &str {
        match self {
            Self::Event { kind, .. } => kind,
            Self::Seller { .. } => "seller",
            Self::Fetched { .. } => "fetched",
        }
    }
}
