//! Invoices, each beside the subscription it is for.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{
    Item, StoreError, Tables, is_zero,
    keys::key_of,
    later::{self, Written},
    purchases::WORK,
    tables::{Table, put_item},
    to_item, unchanged,
};
use crate::{
    config::ConfigError,
    invoice::{Bill, Invoice, InvoiceState, Snapshot, Trouble},
    purchase::{
        Announced, Announcements, Buyer, Dispute, DisputeId, InvoiceId, Mail, Payment,
        PaymentIntentId, Purchase, PurchaseId, Refund, RefundId, Subject, SubscriptionId,
    },
};

/// The invoices in the purchases table.
#[derive(Clone, Debug)]
pub struct Invoices {
    table: Table,
}

/// An invoice, with the version that was read.
#[derive(Clone, Debug)]
pub struct StoredInvoice {
    /// What it holds.
    pub invoice: Invoice,
    /// Counts its writes; 0 if it was never written.
    pub(crate) version: u64,
    /// By which versions of the code.
    pub(crate) written: Written,
}

/// `pk` is the subscription's id, `sk` the invoice's.
#[derive(Serialize, Deserialize)]
struct InvoiceItem {
    pk: String,
    sk: String,
    version: u64,
    #[serde(default)]
    layout: u32,
    #[serde(default)]
    earliest: u32,
    /// The purchase with which the subscription began.
    purchase_id: PurchaseId,
    buyer: Buyer,
    seen: BTreeSet<InvoiceState>,
    bill: Bill,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    troubles: Vec<TroubleItem>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    intents: BTreeSet<PaymentIntentId>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refunds: BTreeMap<RefundId, Refund>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    disputes: BTreeMap<DisputeId, Dispute>,
    #[serde(default, skip_serializing_if = "is_zero")]
    doubts: u32,
    mails: BTreeSet<Mail>,
    superseded: BTreeSet<Mail>,
    /// What other systems were told; empty as long as there was nothing to tell.
    #[serde(default, skip_serializing_if = "Announcements::is_empty")]
    announced: Announcements,
    /// Key of the sparse index of what is not over yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_shard: Option<String>,
    /// When to ask Stripe what became of it, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_due: Option<i64>,
    /// The buyer's subject, once it is not a draft any more: the key of a sparse index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<String>,
}

/// What went wrong with an attempt to charge it.
#[derive(Serialize, Deserialize)]
struct TroubleItem {
    attempt: u32,
    trouble: Trouble,
}

impl Invoices {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// One invoice, as it is now.
    pub async fn get(
        &self,
        subscription: &SubscriptionId,
        id: &InvoiceId,
    ) -> Result<Option<StoredInvoice>, StoreError> {
        let key = [("pk", subscription.as_str()), ("sk", id.as_str())];
        let item = self.table.read(key).await?;
        item.map(|item| parse(item, subscription, id)).transpose()
    }

    /// A purchase with what became of its money, if that is recorded at the invoice with which its
    /// subscription began.
    pub async fn complete(&self, purchase: Purchase) -> Result<Purchase, StoreError> {
        let Some((subscription, id)) = purchase.first_invoice() else {
            return Ok(purchase);
        };
        Ok(match self.get(subscription, id).await? {
            Some(StoredInvoice { invoice, .. }) => purchase.paid_by(invoice.payment().clone()),
            None => purchase,
        })
    }

    /// The same of several, in the same order.
    pub async fn complete_all(
        &self,
        purchases: Vec<Purchase>,
    ) -> Result<Vec<Purchase>, StoreError> {
        /// Reads at once.
        const MOST: usize = 100;
        let mut completed = Vec::new();
        let mut purchases = purchases.into_iter().enumerate().peekable();
        while purchases.peek().is_some() {
            let mut reading = JoinSet::new();
            for (place, purchase) in purchases.by_ref().take(MOST) {
                let invoices = self.clone();
                reading.spawn(async move { (place, invoices.complete(purchase).await) });
            }
            completed.extend(reading.join_all().await);
        }
        completed.sort_by_key(|(place, _)| *place);
        completed
            .into_iter()
            .map(|(_, purchase)| purchase)
            .collect()
    }

    /// The invoice's next version, on condition that the version read is still there.
    pub(crate) fn put(
        &self,
        stored: &StoredInvoice,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let next = to_item(&InvoiceItem::next(stored, now))?;
        let put = self.table.put(stored.written.with(next));
        put_item(unchanged(put, stored.version))
    }
}

impl InvoiceItem {
    /// The version after the one that was read.
    fn next(stored: &StoredInvoice, now: i64) -> Self {
        let invoice = &stored.invoice;
        let Snapshot {
            purchase,
            buyer,
            seen,
            bill,
            troubles,
            intents,
            payment,
            mails,
            superseded,
            announced,
        } = Snapshot::of(invoice);
        let (pk, sk) = key_of(&invoice.subject());
        let work_due = invoice.next_check(now);
        let subject = buyer.subject.clone();
        let troubles = troubles.into_iter();
        let (layout, earliest) = stored.written.next();
        Self {
            pk,
            sk,
            version: stored.version.saturating_add(1),
            layout,
            earliest,
            purchase_id: purchase,
            buyer,
            seen,
            bill,
            troubles: troubles
                .map(|(attempt, trouble)| TroubleItem { attempt, trouble })
                .collect(),
            intents,
            refunds: payment.refunds().clone(),
            disputes: payment.disputes().clone(),
            doubts: payment.doubts(),
            mails,
            superseded,
            announced,
            work_shard: work_due.map(|_| WORK.to_owned()),
            work_due,
            history: subject.filter(|_| invoice.is_in_history()),
        }
    }

    fn read(self, subscription: SubscriptionId, id: InvoiceId, written: Written) -> StoredInvoice {
        let troubles = self.troubles.into_iter();
        let snapshot = Snapshot {
            purchase: self.purchase_id,
            buyer: self.buyer,
            seen: self.seen,
            bill: self.bill,
            troubles: troubles.map(|one| (one.attempt, one.trouble)).collect(),
            intents: self.intents,
            payment: Payment::kept(self.refunds, self.disputes, self.doubts),
            mails: self.mails,
            superseded: self.superseded,
            announced: self.announced,
        };
        let mut invoice = snapshot.restore(subscription, id);
        if invoice.announced().is_empty() {
            // As with purchases: this was true before there was anybody to tell.
            invoice.announce(Announced {
                sequence: self.version,
                at: None,
            });
        }
        StoredInvoice {
            invoice,
            version: self.version,
            written,
        }
    }
}

pub(super) fn parse(
    item: Item,
    subscription: &SubscriptionId,
    id: &InvoiceId,
) -> Result<StoredInvoice, StoreError> {
    let key = Subject::Invoice(subscription.clone(), id.clone()).to_string();
    let (item, written) = later::read::<InvoiceItem>(item, &key)?;
    Ok(item.read(subscription.clone(), id.clone(), written))
}
