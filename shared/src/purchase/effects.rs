//! What has to be done once a purchase has changed: mails to order or take back, stock to return,
//! its buyer's hold to update, and news to tell.

use std::collections::BTreeSet;

use super::{Announced, Hold, Mail, News, Purchase, SessionState, Status, WaitsFor, mail, news};
use crate::product::ProductId;

/// What is to be done because a purchase changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Mails to write to the outbox.
    pub due: BTreeSet<Mail>,
    /// Mails in the outbox that are no longer true.
    pub superseded: BTreeSet<Mail>,
    /// Stock to return.
    pub returned: Vec<(ProductId, u32)>,
    /// [`Purchase::hold`] has changed.
    pub hold_changed: bool,
}

impl Purchase {
    /// Works out everything that follows from the facts and has not been noted yet, and notes it.
    /// `held` is what it held before the change.
    pub(super) fn settle_up(&mut self, held: Option<Hold>) -> Effects {
        let (due, superseded) = self.order_mails();
        let returned = self.return_stock();
        Effects {
            due,
            superseded,
            returned,
            ..self.changed_since(held)
        }
    }

    pub(super) fn changed_since(&self, held: Option<Hold>) -> Effects {
        Effects {
            hold_changed: self.hold() != held,
            ..Effects::default()
        }
    }

    /// Orders the mails that are now true, and takes back those that no longer are.
    fn order_mails(&mut self) -> (BTreeSet<Mail>, BTreeSet<Mail>) {
        let called_for = self.mails_called_for();
        let (mut mails, mut superseded) = (self.mails.clone(), self.superseded.clone());
        let may_be_true_again = |mail: &Mail| self.may_be_true_again(mail);
        let news = mail::order(&called_for, &mut mails, &mut superseded, may_be_true_again);
        (self.mails, self.superseded) = (mails, superseded);
        news
    }

    /// Returns what was reserved, once, if nothing can come of the purchase any more.
    fn return_stock(&mut self) -> Vec<(ProductId, u32)> {
        let mut returned = Vec::new();
        if self.came_to_nothing() && !self.stock_returned {
            let reserved = self.order.reserved();
            returned.extend(reserved.map(|(id, quantity)| (id.clone(), quantity)));
            self.stock_returned = !returned.is_empty();
        }
        returned
    }

    /// The mails that are true now.
    pub(super) fn mails_called_for(&self) -> BTreeSet<Mail> {
        let session = self.furthest_session().and_then(Mail::of_session);
        let sold = Some(Mail::Sold).filter(|_| self.is_told_as_sold());
        let parcels = self.parcels().map(|(id, _)| Mail::Shipped(id.clone()));
        let session = session.into_iter().chain(sold).chain(parcels);
        session.chain(self.payment.mails()).collect()
    }

    /// Whether the seller is told that it was sold: if it is, in the change that makes it so. One
    /// that has its receipt and not this was sold before sellers were told, which is not news any
    /// more.
    fn is_told_as_sold(&self) -> bool {
        let receipts = [Mail::Paid, Mail::Welcome];
        let has_receipt = receipts.iter().any(|mail| self.mails.contains(mail));
        let is_sold = matches!(self.furthest_session(), Some(SessionState::Settled { .. }));
        is_sold && (!has_receipt || self.mails.contains(&Mail::Sold))
    }

    /// Whether a mail may become true again: a refund that waits for the buyer goes on, and once a
    /// voucher is paid, the money is on its way.
    pub(super) fn may_be_true_again(&self, mail: &Mail) -> bool {
        match mail {
            Mail::Refund(id) => self.payment.may_go_on(id),
            Mail::Pending => matches!(self.waits_for(), Some(WaitsFor::Buyer { .. })),
            _ => false,
        }
    }
}

/// What other systems are told.
impl Purchase {
    /// Announces what there is to tell and was not announced yet, with the version that this makes
    /// of the purchase. Returns that.
    pub fn announce(&mut self, announced: Announced) -> Vec<News> {
        news::announce(self.news(), &mut self.announced, announced)
    }

    /// What there is to tell now. That a purchase was abandoned is not: Stripe refused it, and its
    /// buyer was told at once.
    fn news(&self) -> BTreeSet<News> {
        let own = match self.furthest_session() {
            Some(SessionState::Settled { .. }) => Some(News::Paid),
            _ if !self.came_to_nothing() => None,
            _ => match self.status() {
                Status::Expired => Some(News::Expired),
                Status::Failed => Some(News::Failed),
                _ => None,
            },
        };
        let parcels = self.parcels().map(|(id, _)| News::Fulfilled(id.clone()));
        let own = own.into_iter().chain(parcels);
        own.chain(self.payment.news()).collect()
    }
}
