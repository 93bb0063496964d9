//! Purchases by id.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::{
    Item, KEEP_SECONDS, StoreError, Tables, is_zero,
    keys::PURCHASE,
    later::{self, Written},
    tables::{Table, put_item},
    to_item, unchanged,
};
use crate::{
    config::ConfigError,
    purchase::{
        Announced, Announcements, Attempt, Dispute, DisputeId, Document, InvoiceId, Mail, Order,
        Parcel, ParcelId, Payment, Purchase, PurchaseId, Refund, RefundId, SessionId, SessionState,
        Snapshot,
    },
};

/// The purchases in their table.
#[derive(Clone, Debug)]
pub struct Purchases {
    table: Table,
}

/// A purchase, with the version that was read.
#[derive(Clone, Debug)]
pub struct Stored {
    /// What it holds.
    pub purchase: Purchase,
    /// Counts its writes; 0 if it was never written.
    pub(crate) version: u64,
    /// By which versions of the code.
    pub(crate) written: Written,
}

/// The key that all items have in the work index.
pub(super) const WORK: &str = "work";

/// `pk` is the purchase's id.
#[derive(Serialize, Deserialize)]
struct PurchaseItem {
    pk: String,
    sk: String,
    version: u64,
    #[serde(default)]
    layout: u32,
    #[serde(default)]
    earliest: u32,
    order: Order,
    attempt: Attempt,
    abandoned: bool,
    facts: FactsItem,
    mails: BTreeSet<Mail>,
    superseded: BTreeSet<Mail>,
    /// What other systems were told; empty as long as there was nothing to tell.
    #[serde(default, skip_serializing_if = "Announcements::is_empty")]
    announced: Announcements,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    stock_returned: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    doubts: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    confirmed: bool,
    /// Key of the sparse index of purchases that are not over yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_shard: Option<String>,
    /// When to ask Stripe what became of it, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_due: Option<i64>,
    /// The buyer's subject, once the purchase belongs in their history: the key of a sparse index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<String>,
    /// When an expired or abandoned purchase may be deleted; any later fact removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

/// What Stripe said.
#[derive(Serialize, Deserialize)]
struct FactsItem {
    #[serde(default)]
    sessions: BTreeMap<SessionId, SessionState>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    invoices: BTreeMap<InvoiceId, Document>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refunds: BTreeMap<RefundId, Refund>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    disputes: BTreeMap<DisputeId, Dispute>,
    /// What the seller said: what was sent, or done.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parcels: BTreeMap<ParcelId, Parcel>,
}

impl Purchases {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// One purchase, as it is now.
    pub async fn get(&self, id: PurchaseId) -> Result<Option<Stored>, StoreError> {
        let item = self
            .table
            .read([("pk", &id.to_string()), ("sk", PURCHASE)])
            .await?;
        item.map(|item| parse(item, id)).transpose()
    }

    /// The purchase's next version, on condition that the version read is still there.
    pub(super) fn put(&self, stored: &Stored, now: i64) -> Result<TransactWriteItem, StoreError> {
        let next = to_item(&PurchaseItem::next(stored, now))?;
        let put = self.table.put(stored.written.with(next));
        put_item(unchanged(put, stored.version))
    }
}

impl PurchaseItem {
    /// The version after the one that was read.
    fn next(stored: &Stored, now: i64) -> Self {
        let purchase = &stored.purchase;
        let Snapshot {
            order,
            attempt,
            abandoned,
            sessions,
            documents,
            payment,
            parcels,
            mails,
            superseded,
            announced,
            stock_returned,
            confirmed,
        } = Snapshot::of(purchase);
        let work_due = purchase.next_check(now);
        let subject = order.buyer.subject.clone();
        let is_over = purchase.is_over();
        let (layout, earliest) = stored.written.next();
        Self {
            pk: purchase.id().to_string(),
            sk: PURCHASE.to_owned(),
            version: stored.version.saturating_add(1),
            layout,
            earliest,
            history: subject.filter(|_| purchase.is_in_history()),
            ttl: is_over.then(|| now.saturating_add(KEEP_SECONDS)),
            order,
            attempt,
            abandoned,
            facts: FactsItem {
                sessions,
                invoices: documents,
                refunds: payment.refunds().clone(),
                disputes: payment.disputes().clone(),
                parcels,
            },
            mails,
            superseded,
            announced,
            stock_returned,
            doubts: payment.doubts(),
            confirmed,
            work_shard: work_due.map(|_| WORK.to_owned()),
            work_due,
        }
    }

    fn read(self, id: PurchaseId, written: Written) -> Stored {
        let FactsItem {
            sessions,
            invoices,
            refunds,
            disputes,
            parcels,
        } = self.facts;
        let snapshot = Snapshot {
            order: self.order,
            attempt: self.attempt,
            abandoned: self.abandoned,
            sessions,
            documents: invoices,
            payment: Payment::kept(refunds, disputes, self.doubts),
            parcels,
            mails: self.mails,
            superseded: self.superseded,
            announced: self.announced,
            stock_returned: self.stock_returned,
            confirmed: self.confirmed,
        };
        let mut purchase = snapshot.restore(id);
        if purchase.announced().is_empty() {
            // Everything is announced in the transaction that makes it true. What is true here was
            // written before there was anybody to tell, and is not news any more.
            purchase.announce(Announced {
                sequence: self.version,
                at: None,
            });
        }
        Stored {
            purchase,
            version: self.version,
            written,
        }
    }
}

pub(super) fn parse(item: Item, id: PurchaseId) -> Result<Stored, StoreError> {
    let (item, written) = later::read::<PurchaseItem>(item, &id.to_string())?;
    Ok(item.read(id, written))
}

/// The id in the key of a purchase's item.
pub(super) fn id_of(item: &Item) -> Result<PurchaseId, StoreError> {
    let id = item.get("pk").and_then(|pk| pk.as_s().ok());
    let id = id.and_then(|id| id.parse().ok());
    id.ok_or_else(|| StoreError::Unreadable {
        key: "of a purchase".to_owned(),
        why: "pk is not a purchase id".to_owned(),
    })
}
