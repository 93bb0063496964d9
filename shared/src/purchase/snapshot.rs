//! A purchase taken apart, for the store.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Announcements, Attempt, Document, InvoiceId, Mail, Order, Parcel, ParcelId, Payment, Purchase,
    PurchaseId, SessionId, SessionState,
};

/// Everything that a purchase is made of. Only the store takes one apart and puts it together
/// again; everybody else changes one through its methods.
pub(crate) struct Snapshot {
    pub(crate) order: Order,
    pub(crate) attempt: Attempt,
    pub(crate) abandoned: bool,
    pub(crate) sessions: BTreeMap<SessionId, SessionState>,
    pub(crate) documents: BTreeMap<InvoiceId, Document>,
    pub(crate) payment: Payment,
    pub(crate) parcels: BTreeMap<ParcelId, Parcel>,
    pub(crate) mails: BTreeSet<Mail>,
    pub(crate) superseded: BTreeSet<Mail>,
    pub(crate) announced: Announcements,
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
            documents,
            payment,
            parcels,
            mails,
            superseded,
            announced,
            stock_returned,
            confirmed,
        } = purchase.clone();
        Self {
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
        }
    }

    /// Puts the purchase together again.
    pub(crate) fn restore(self, id: PurchaseId) -> Purchase {
        let Self {
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
        } = self;
        Purchase {
            id,
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
        }
    }
}
