//! An invoice taken apart, for the store.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bill, Invoice, InvoiceState, Trouble};
use crate::purchase::{
    Announcements, Buyer, InvoiceId, Mail, Payment, PaymentIntentId, PurchaseId, SubscriptionId,
};

/// Everything that an invoice is made of. Only the store takes one apart and puts it together
/// again; everybody else changes one through its methods.
pub(crate) struct Snapshot {
    pub(crate) purchase: PurchaseId,
    pub(crate) buyer: Buyer,
    pub(crate) seen: BTreeSet<InvoiceState>,
    pub(crate) bill: Bill,
    pub(crate) troubles: BTreeMap<u32, Trouble>,
    pub(crate) intents: BTreeSet<PaymentIntentId>,
    pub(crate) payment: Payment,
    pub(crate) mails: BTreeSet<Mail>,
    pub(crate) superseded: BTreeSet<Mail>,
    pub(crate) announced: Announcements,
}

impl Snapshot {
    pub(crate) fn of(invoice: &Invoice) -> Self {
        let Invoice {
            id: _,
            subscription: _,
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
        } = invoice.clone();
        Self {
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
        }
    }

    /// Puts the invoice together again.
    pub(crate) fn restore(self, subscription: SubscriptionId, id: InvoiceId) -> Invoice {
        Invoice {
            id,
            subscription,
            purchase: self.purchase,
            buyer: self.buyer,
            seen: self.seen,
            bill: self.bill,
            troubles: self.troubles,
            intents: self.intents,
            payment: self.payment,
            mails: self.mails,
            superseded: self.superseded,
            announced: self.announced,
        }
    }
}
