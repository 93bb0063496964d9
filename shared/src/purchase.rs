//! The facts of one purchase, how they merge, and the status they add up to.
//!
//! Stripe's events come in any order, twice, and days late. So a purchase is not a state machine
//! driven by events, but a set of facts that only grows. Merging is a least upper bound:
//! commutative, associative and idempotent. Everything that people see is computed from the facts.

use std::collections::{BTreeMap, BTreeSet};

use crate::money::Money;

mod attempt;
mod billing;
mod change;
mod delivery;
mod dispute;
mod document;
mod downloads;
mod effects;
mod holds;
mod ids;
mod mail;
mod merge;
mod news;
mod next_check;
mod order;
mod parcel;
mod payment;
mod refund;
mod session;
mod snapshot;
mod status;
mod sums;
#[cfg(test)]
mod tests;

pub use attempt::Attempt;
pub use billing::Billing;
pub use change::Change;
pub use delivery::{Address, Delivery};
pub use dispute::{Dispute, DisputeReport, DisputeStatus, DisputeTerms, Movement};
pub use document::Document;
pub use effects::Effects;
pub use holds::{Hold, HoldLimits, Holds, TooMuch};
pub use ids::{
    ChargeId, CustomerId, DisputeId, InvoiceId, NotAPurchaseId, NotASubject, NotAnId,
    PaymentIntentId, PurchaseId, PurchaseIds, RefundId, SessionId, Subject, SubscriptionId,
    TransactionId,
};
pub(crate) use mail::order as order_mails;
pub use mail::{Mail, Notice};
pub(crate) use news::announce as announce_news;
pub use news::{Announced, Announcements, News};
pub use order::{Buyer, Line, Order, OrderError};
pub use parcel::{NotATrackingNumber, Parcel, ParcelId};
pub(crate) use payment::Gone;
pub use payment::{Accounts, Payment, PaymentChange};
pub use refund::{Refund, RefundState};
pub use session::{SessionState, WaitsFor};
pub(crate) use snapshot::Snapshot;
pub use status::{Attention, Status};
pub use sums::Sums;

/// One purchase. It changes only through its own methods, each of which says what else has to be
/// done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    id: PurchaseId,
    order: Order,
    attempt: Attempt,
    abandoned: bool,
    /// Each session's furthest state.
    sessions: BTreeMap<SessionId, SessionState>,
    /// The invoices that were written of it.
    documents: BTreeMap<InvoiceId, Document>,
    payment: Payment,
    /// What the seller sent, or did.
    parcels: BTreeMap<ParcelId, Parcel>,
    /// Mails that have an outbox row.
    mails: BTreeSet<Mail>,
    /// Those of these mails that are no longer true.
    superseded: BTreeSet<Mail>,
    /// What other systems were told.
    announced: Announcements,
    stock_returned: bool,
    /// A person has said that it is the shop's own, though it had to be rebuilt.
    confirmed: bool,
}

/// How it begins.
impl Purchase {
    /// A new purchase, before Stripe is told about it.
    pub fn new(id: PurchaseId, order: Order, now: i64) -> Self {
        Self {
            id,
            attempt: Attempt::first(&order, now),
            order,
            abandoned: false,
            sessions: BTreeMap::new(),
            documents: BTreeMap::new(),
            payment: Payment::default(),
            parcels: BTreeMap::new(),
            mails: BTreeSet::new(),
            superseded: BTreeSet::new(),
            announced: Announcements::new(),
            stock_returned: false,
            confirmed: false,
        }
    }

    /// A purchase that was lost here, rebuilt under its id. The rest of it, such as its lines, has
    /// to be fetched.
    pub fn rebuilt(id: PurchaseId, buyer: Buyer, total: Money) -> Self {
        let order = Order {
            rebuilt: true,
            ..Order::without_lines(buyer, total)
        };
        Self {
            payment: Payment::doubted(),
            ..Self::new(id, order, id.created_at().unix_timestamp())
        }
    }
}

/// What it is made of.
impl Purchase {
    /// Its key; also when it was made.
    pub fn id(&self) -> PurchaseId {
        self.id
    }

    /// What was asked for.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// The current attempt to open a session.
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// Each session's furthest state.
    pub fn sessions(&self) -> &BTreeMap<SessionId, SessionState> {
        &self.sessions
    }

    /// What became of its money.
    pub fn payment(&self) -> &Payment {
        &self.payment
    }

    /// Mails that have an outbox row.
    pub fn mails(&self) -> &BTreeSet<Mail> {
        &self.mails
    }

    /// What was announced to other systems, and when.
    pub fn announced(&self) -> &Announcements {
        &self.announced
    }

    /// What was sent or done for it.
    pub fn parcels(&self) -> impl ExactSizeIterator<Item = (&ParcelId, &Parcel)> {
        self.parcels.iter()
    }

    /// One of them.
    pub(crate) fn parcel(&self, id: &ParcelId) -> Option<&Parcel> {
        self.parcels.get(id)
    }

    /// Whether anything was sent or done.
    pub fn is_fulfilled(&self) -> bool {
        !self.parcels.is_empty()
    }

    /// Whether it was ended because none of its sessions could be paid.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    /// Whether the stock it had reserved was returned; that happens only once.
    pub fn has_returned_stock(&self) -> bool {
        self.stock_returned
    }
}
