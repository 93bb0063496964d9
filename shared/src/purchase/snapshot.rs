//! A purchase taken apart, for the store.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Attempt, Dispute, DisputeId, Mail, Order, Payment, Purchase, PurchaseId, Refund, RefundId,
    SessionId, SessionState,
};

/// Everything that a purchase is made of. Only the store takes one apart and puts it together
/// again; everybody else changes one through its methods.
pub(crate) struct Snapshot {
    pub(crate) order: Order,
    pub(crate) attempt: Attempt,
    pub(crate) abandoned: bool,
    pub(crate) sessions: BTreeMap<SessionId, SessionState>,
    pub(crate) refunds: BTreeMap<RefundId, Refund>,
    pub(crate) disputes: BTreeMap<DisputeId, Dispute>,
    pub(crate) doubts: u32,
    pub(crate) mails: BTreeSet<Mail>,
    pub(crate) superseded: BTreeSet<Mail>,
    pub(crate) stock_returned: bool,
    pub(crate) confirmed: bool,
}

impl Snapshot {
    pub(crate) fn of(purchase: &Purchase) -> Self {
        let Purchase {
            id: _,
            order,
            attempt,
            abandoned,
            sessions,
            payment,
            mails,
            superseded,
            stock_returned,
            confirmed,
        } = purchase.clone();
        Self {
            order,
            attempt,
            abandoned,
            sessions,
            refunds: payment.refunds().clone(),
            disputes: payment.disputes().clone(),
            doubts: payment.doubts(),
            mails,
            superseded,
            stock_returned,
            confirmed,
        }
    }

    /// Puts the purchase together again.
    pub(crate) fn restore(self, id: PurchaseId) -> Purchase {
        let Self {
            order,
            attempt,
            abandoned,
            sessions,
            refunds,
            disputes,
            doubts,
            mails,
            superseded,
            stock_returned,
            confirmed,
        } = self;
        Purchase {
            id,
            order,
            attempt,
            abandoned,
            sessions,
            payment: Payment::kept(refunds, disputes, doubts),
            mails,
            superseded,
            stock_returned,
            confirmed,
        }
    }
}
