//! The status of a purchase, and what about it needs a person's attention.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Accounts, Delivery, Document, Gone, InvoiceId, Payment, PaymentIntentId, Purchase, RefundId,
    SessionId, SessionState, SubscriptionId, Sums, WaitsFor,
};
use crate::money::Money;

/// What a purchase's facts add up to: the first of these that is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A dispute was lost.
    ChargedBack,
    /// A dispute is open: the bank holds the money.
    Disputed,
    /// Everything that was paid went back.
    Refunded,
    /// Some of what was paid went back.
    PartiallyRefunded,
    /// Paid for.
    Paid,
    /// A delayed payment failed.
    Failed,
    /// A delayed payment is on its way, or the buyer still has to pay with a voucher.
    Pending,
    /// The session ended unpaid.
    Expired,
    /// Stripe refused the session, or it never came about, so nobody could pay.
    Abandoned,
    /// Waiting for the buyer.
    Open,
}

impl Status {
    /// The status as it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChargedBack => "charged_back",
            Self::Disputed => "disputed",
            Self::Refunded => "refunded",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Expired => "expired",
            Self::Abandoned => "abandoned",
            Self::Open => "open",
        }
    }
}

/// Something that a person should look at. No fact is dropped because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// More than one session was paid.
    PaidTwice,
    /// More was paid than ordered.
    Overpaid,
    /// Money moved in another currency than ordered.
    OtherCurrency,
    /// The order was lost here and rebuilt from what Stripe said of it.
    Rebuilt,
    /// Paid after its stock was returned, which may have been sold to somebody else.
    PaidAfterStockReturned,
    /// More went back than was paid: refunded and charged back, say.
    Overreturned,
    /// A dispute was both won and lost.
    DisputeDecidedTwice,
    /// An invoice was both paid and voided.
    PaidAndVoid,
    /// An invoice was paid after its subscription had ended.
    PaidAfterEnd,
}

impl From<Gone> for Status {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::ChargedBack => Self::ChargedBack,
            Gone::Disputed => Self::Disputed,
            Gone::Refunded => Self::Refunded,
            Gone::PartiallyRefunded => Self::PartiallyRefunded,
        }
    }
}

impl Purchase {
    /// Its status.
    pub fn status(&self) -> Status {
        if let Some(taken) = self.payment.taken() {
            return taken.into();
        }
        match self.furthest_session() {
            Some(SessionState::Settled { .. }) => self
                .accounts()
                .returned()
                .map_or(Status::Paid, Status::from),
            Some(SessionState::Failed) => Status::Failed,
            Some(SessionState::Pending { .. }) => Status::Pending,
            Some(SessionState::Expired) => Status::Expired,
            Some(SessionState::Open) => Status::Open,
            None if self.abandoned => Status::Abandoned,
            None => Status::Open,
        }
    }

    /// What its delayed payment waits for; `None` if there is no such payment.
    pub fn waits_for(&self) -> Option<&WaitsFor> {
        match self.furthest_session() {
            Some(SessionState::Pending { waits_for }) => Some(waits_for),
            _ => None,
        }
    }

    /// Where the money is. Money that moved in yet another currency is not added to it, but leads
    /// to [`Attention::OtherCurrency`].
    pub fn accounts(&self) -> Accounts {
        let ordered = self.order.total.currency;
        self.payment.accounts(self.settled(), ordered)
    }

    /// What a person should look at.
    pub fn attention(&self) -> BTreeSet<Attention> {
        let ordered = self.order.total;
        let settled = self.settled().count();
        let in_ordered = |amount: Money| amount.currency == ordered.currency;
        let mut moved = self.settled().chain(self.payment.moved());
        let checks = [
            (Attention::PaidTwice, settled > 1),
            (Attention::Overpaid, self.is_overpaid()),
            (
                Attention::OtherCurrency,
                moved.any(|amount| !in_ordered(amount)),
            ),
            (Attention::Rebuilt, self.is_only_rebuilt()),
            (
                Attention::PaidAfterStockReturned,
                settled > 0 && self.stock_returned,
            ),
            (
                Attention::Overreturned,
                settled > 0 && self.accounts().net.amount < 0,
            ),
            (
                Attention::DisputeDecidedTwice,
                self.payment.is_decided_twice(),
            ),
        ];
        checks
            .into_iter()
            .filter(|(_, holds)| *holds)
            .map(|(attention, _)| attention)
            .collect()
    }

    /// The invoice with which the subscription began, and what it is for. It has the payment, and
    /// what becomes of that is recorded there.
    pub fn first_invoice(&self) -> Option<(&SubscriptionId, &InvoiceId)> {
        match self.furthest_session() {
            Some(SessionState::Settled {
                subscription,
                invoice,
                ..
            }) => subscription.as_ref().zip(invoice.as_ref()),
            _ => None,
        }
    }

    /// To be shown with what became of its money, which is recorded at its first invoice.
    pub(crate) fn paid_by(self, first: Payment) -> Self {
        Self {
            payment: first,
            ..self
        }
    }

    /// How what was paid comes about, and what it comes to; `None` if it is only what the goods cost.
    pub fn sums(&self) -> Option<(Sums, Money)> {
        match self.furthest_session() {
            Some(SessionState::Settled { sums, amount, .. }) => sums.zip(Some(*amount)),
            _ => None,
        }
    }

    /// How much of each refund is tax, if tax was paid.
    pub fn refunded_taxes(&self) -> BTreeMap<RefundId, Money> {
        self.payment.refunded_taxes(self.sums())
    }

    /// The invoice that was written of it, if it is known: that of its session, or else any.
    pub fn document(&self) -> Option<&Document> {
        let named = match self.furthest_session() {
            Some(SessionState::Settled { invoice, .. }) => invoice.as_ref(),
            _ => None,
        };
        let named = named.and_then(|id| self.documents.get(id));
        named.or_else(|| self.documents.values().next_back())
    }

    /// Where it is delivered to, if the buyer was asked and has paid.
    pub fn delivery(&self) -> Option<&Delivery> {
        match self.furthest_session() {
            Some(SessionState::Settled { delivery, .. }) => delivery.as_deref(),
            _ => None,
        }
    }

    /// The name of the shipping rate that was chosen, if it is known.
    pub fn shipping_rate(&self) -> Option<&str> {
        self.delivery()?;
        let (sums, _) = self.sums()?;
        self.order.shipping.as_ref()?.name_of(sums.shipping)
    }

    /// The subscription that began with it.
    pub fn subscription(&self) -> Option<&SubscriptionId> {
        match self.furthest_session() {
            Some(SessionState::Settled { subscription, .. }) => subscription.as_ref(),
            _ => None,
        }
    }

    /// The payment intent that paid it; `None` if there was nothing to pay, or an invoice was paid.
    pub fn payment_intent(&self) -> Option<&PaymentIntentId> {
        match self.furthest_session() {
            Some(SessionState::Settled { payment_intent, .. }) => payment_intent.as_ref(),
            _ => None,
        }
    }

    /// Whether it was paid, or there was nothing to pay.
    pub fn is_settled(&self) -> bool {
        self.settled().next().is_some()
    }

    /// Whether Stripe's word is all that is known about it. Its mails are held until a person
    /// confirms it: they may have been sent before it was lost, or it may be another deployment's.
    pub fn is_only_rebuilt(&self) -> bool {
        self.order.rebuilt && !self.confirmed
    }

    /// Whether its buyer may still pay for it.
    pub fn awaits_payment(&self) -> bool {
        match self.status() {
            Status::Open => true,
            Status::Expired | Status::Failed | Status::Abandoned => !self.came_to_nothing(),
            _ => false,
        }
    }

    /// Those of its sessions that, as far as is known, can still be paid.
    pub fn open_sessions(&self) -> impl Iterator<Item = &SessionId> {
        let sessions = self.sessions.iter();
        sessions
            .filter(|(_, state)| **state == SessionState::Open)
            .map(|(id, _)| id)
    }

    /// Whether it is in the buyer's history, which it joins once they have done their part.
    pub fn is_in_history(&self) -> bool {
        !matches!(
            self.status(),
            Status::Open | Status::Expired | Status::Abandoned
        )
    }

    /// Whether nothing will come of it, so that it may be deleted in time.
    pub fn is_over(&self) -> bool {
        matches!(self.status(), Status::Expired | Status::Abandoned)
            && self.payment.refunds().is_empty()
    }

    /// Whether everything that could have paid for it is over.
    pub(super) fn came_to_nothing(&self) -> bool {
        let waits = |state: &SessionState| {
            matches!(state, SessionState::Open | SessionState::Pending { .. })
        };
        matches!(
            self.status(),
            Status::Expired | Status::Failed | Status::Abandoned
        ) && !self.sessions.values().any(waits)
    }

    pub(super) fn furthest_session(&self) -> Option<&SessionState> {
        self.sessions.values().max()
    }

    /// Whether a session took more than was ordered, shipping and tax apart, which are up to the
    /// buyer's choice and address.
    fn is_overpaid(&self) -> bool {
        let ordered = self.order.total;
        self.sessions.values().any(|state| match state {
            SessionState::Settled { amount, sums, .. } if amount.currency == ordered.currency => {
                let besides = sums.map_or(0, |sums| sums.shipping.saturating_add(sums.tax));
                amount.amount > ordered.amount.saturating_add(besides)
            }
            _ => false,
        })
    }

    /// The amount settled by each session.
    fn settled(&self) -> impl Iterator<Item = Money> + Clone {
        self.sessions.values().filter_map(|state| match state {
            SessionState::Settled { amount, .. } => Some(*amount),
            _ => None,
        })
    }
}
