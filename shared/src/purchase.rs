//! The facts of one purchase, how they merge, and the status they add up to.
//!
//! Stripe's events come in any order, twice, days late. So a purchase is not a state that events
//! move: it is a set of facts that only ever grows, where merging is a least upper bound —
//! commutative, associative, idempotent — and everything a person sees is computed from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{money::Money, product::ProductId};

mod attempt;
mod change;
mod dispute;
mod holds;
mod ids;
mod mail;
mod merge;
mod order;
mod payment;
mod refund;
mod session;
mod snapshot;
mod status;
#[cfg(test)]
mod tests;

pub use attempt::Attempt;
pub use change::Change;
pub use dispute::{Dispute, DisputeReport, DisputeStatus, DisputeTerms, Movement};
pub use holds::{Hold, Holds, Limits, TooMuch};
pub use ids::{
    ChargeId, DisputeId, NotAPurchaseId, PaymentIntentId, PurchaseId, RefundId, SessionId, Subject,
    TransactionId,
};
pub use mail::Mail;
pub use order::{Buyer, Line, Order, OrderError};
pub use payment::{Accounts, Payment};
pub use refund::{Refund, RefundState};
pub use session::{SessionState, WaitsFor};
pub(crate) use snapshot::Snapshot;
pub use status::{Attention, Status};

/// One purchase. It changes by its own methods alone, each of which says what else is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    id: PurchaseId,
    order: Order,
    attempt: Attempt,
    abandoned: bool,
    /// Each session's furthest state.
    sessions: BTreeMap<SessionId, SessionState>,
    payment: Payment,
    /// Mails that have an outbox row.
    mails: BTreeSet<Mail>,
    /// Mails among them that stopped being true.
    superseded: BTreeSet<Mail>,
    stock_returned: bool,
    /// A person has said that it is the shop's own, though it had to be rebuilt.
    confirmed: bool,
}

/// What a change leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Mails to write to the outbox.
    pub due: BTreeSet<Mail>,
    /// Mails in the outbox that need not go any more.
    pub superseded: BTreeSet<Mail>,
    /// Stock to give back.
    pub returned: Vec<(ProductId, u32)>,
    /// [`Purchase::hold`] is not what it was.
    pub hold_changed: bool,
}

/// How it begins.
impl Purchase {
    /// A new purchase, before Stripe hears of it.
    pub fn new(id: PurchaseId, order: Order, now: i64) -> Self {
        Self {
            id,
            attempt: Attempt::first(&order, now),
            order,
            abandoned: false,
            sessions: BTreeMap::new(),
            payment: Payment::default(),
            mails: BTreeSet::new(),
            superseded: BTreeSet::new(),
            stock_returned: false,
            confirmed: false,
        }
    }

    /// One that was lost here, rebuilt under its id. What was lost with it, its lines for one, is
    /// to be fetched.
    pub fn rebuilt(id: PurchaseId, buyer: Buyer, total: Money) -> Self {
        let order = Order {
            buyer,
            lines: Vec::new(),
            total,
            rebuilt: true,
        };
        Self {
            payment: Payment::doubted(),
            ..Self::new(id, order, id.created_at().unix_timestamp())
        }
    }
}

/// How it changes.
impl Purchase {
    /// Takes a change in. `None` if it told nothing new.
    pub fn record(&mut self, change: Change) -> Option<Effects> {
        let held = self.hold();
        let news = match change {
            Change::Session(id, state) => self.merge_session(id, state),
            Change::Refund(id, refund) => self.payment.refund(id, refund),
            Change::Dispute(id, report) => self.payment.dispute(id, report),
            Change::ChargeRefunded(sum) => self.payment.charge_refunded(sum),
        };
        news.then(|| self.settle_up(held))
    }

    /// Stores the session that Stripe opened, and where it is paid, unless another's address is
    /// known. `None` if that tells nothing new.
    pub fn attach(&mut self, session: SessionId, url: &str) -> Option<Effects> {
        let held = self.hold();
        let mut news = self.merge_session(session, SessionState::Open);
        if self.attempt.url.is_none() {
            self.attempt.url = Some(url.to_owned());
            news = true;
        }
        news.then(|| self.changed_since(held))
    }

    /// Begins another attempt in place of number `given_up`, which leads nowhere. `None` if there
    /// is another already, or a session, or it was ended.
    pub fn next_attempt(&mut self, given_up: u32, now: i64) -> Option<Effects> {
        let current = &self.attempt;
        if current.number != given_up || current.url.is_some() || self.abandoned {
            return None;
        }
        let held = self.hold();
        self.attempt = self.attempt.next(&self.order, now);
        Some(self.changed_since(held))
    }

    /// Ends it, because no session of attempt number `ended` can ever be paid. `None` if it cannot
    /// be ended: there is a session, or another attempt, or it was ended before.
    pub fn abandon(&mut self, ended: u32) -> Option<Effects> {
        if self.attempt.number != ended || self.abandoned || !self.sessions.is_empty() {
            return None;
        }
        let held = self.hold();
        self.abandoned = true;
        Some(self.settle_up(held))
    }

    /// Notes that it was compared with what Stripe says, all of which is recorded, when there were
    /// so many `doubts`. If there are more by now, it is to be compared again. `lines` are those of
    /// an order that was rebuilt without any.
    pub fn checked(&mut self, doubts: u32, lines: &[Line]) -> Effects {
        let held = self.hold();
        self.payment.checked(doubts);
        if self.order.lines.is_empty() {
            self.order.lines = lines.to_vec();
        }
        self.changed_since(held)
    }

    /// Takes a person's word that it is the shop's own, though it had to be rebuilt. `None` if
    /// there is no need.
    pub fn confirm(&mut self) -> Option<Effects> {
        self.is_only_rebuilt().then(|| {
            self.confirmed = true;
            Effects::default()
        })
    }

    /// Completes the buyer of an order that was rebuilt from something that did not name them.
    pub fn learn_buyer(&mut self, buyer: &Buyer) {
        let known = &mut self.order.buyer;
        if self.order.rebuilt {
            known.subject = known.subject.take().or_else(|| buyer.subject.clone());
            known.email = known.email.take().or_else(|| buyer.email.clone());
        }
    }

    fn merge_session(&mut self, id: SessionId, state: SessionState) -> bool {
        merge::keep_greatest(&mut self.sessions, id, state)
    }

    /// Notes what follows from how things stand now and was not noted before; `held` is what it
    /// held until now.
    fn settle_up(&mut self, held: Option<Hold>) -> Effects {
        let called_for = self.mails_called_for();
        let due: BTreeSet<_> = called_for.difference(&self.mails).cloned().collect();
        let superseded: BTreeSet<_> = self
            .mails
            .difference(&called_for)
            .filter(|mail| mail.is_progress() && !self.may_be_true_again(mail))
            .filter(|mail| !self.superseded.contains(mail))
            .cloned()
            .collect();
        self.mails.extend(due.iter().cloned());
        self.superseded.extend(superseded.iter().cloned());
        let mut returned = Vec::new();
        if self.came_to_nothing() && !self.stock_returned {
            let reserved = self.order.reserved();
            returned.extend(reserved.map(|(id, quantity)| (id.clone(), quantity)));
            self.stock_returned = !returned.is_empty();
        }
        Effects {
            due,
            superseded,
            returned,
            ..self.changed_since(held)
        }
    }

    fn changed_since(&self, held: Option<Hold>) -> Effects {
        Effects {
            hold_changed: self.hold() != held,
            ..Effects::default()
        }
    }

    /// Mails that are true at this moment.
    fn mails_called_for(&self) -> BTreeSet<Mail> {
        let session = self.furthest_session().and_then(Mail::of_session);
        session.into_iter().chain(self.payment.mails()).collect()
    }

    /// Whether a mail may only be untrue for now: a refund that waits for the buyer goes on, and a
    /// voucher that is paid leaves the money on its way.
    fn may_be_true_again(&self, mail: &Mail) -> bool {
        match mail {
            Mail::Refund(id) => {
                let refund = self.payment.refunds().get(id);
                refund.is_some_and(|refund| refund.state.is_unfinished())
            }
            Mail::Pending => matches!(self.waits_for(), Some(WaitsFor::Buyer { .. })),
            _ => false,
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

    /// The try at opening a session that counts.
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// Each session's furthest state.
    pub fn sessions(&self) -> &BTreeMap<SessionId, SessionState> {
        &self.sessions
    }

    /// What became of the money.
    pub fn payment(&self) -> &Payment {
        &self.payment
    }

    /// Mails that have an outbox row.
    pub fn mails(&self) -> &BTreeSet<Mail> {
        &self.mails
    }

    /// Whether it was ended, because no session of it could be paid.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    /// Whether the stock it had reserved went back, and never will again.
    pub fn has_returned_stock(&self) -> bool {
        self.stock_returned
    }
}

/// What it adds up to.
impl Purchase {
    /// How it stands.
    pub fn status(&self) -> Status {
        if self.payment.is_charged_back() {
            return Status::ChargedBack;
        }
        if self.payment.is_disputed() {
            return Status::Disputed;
        }
        match self.furthest_session() {
            Some(SessionState::Settled { .. }) => {
                let Accounts { paid, refunded, .. } = self.accounts();
                if refunded.amount == 0 {
                    Status::Paid
                } else if refunded.amount < paid.amount {
                    Status::PartiallyRefunded
                } else {
                    Status::Refunded
                }
            }
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

    /// Where the money is. What moved in yet another currency is not added up with it but called
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
        let too_much = |paid: Money| in_ordered(paid) && paid.amount > ordered.amount;
        let mut moved = self.settled().chain(self.payment.moved());
        let checks = [
            (Attention::PaidTwice, settled > 1),
            (Attention::Overpaid, self.settled().any(too_much)),
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

    /// What it keeps for its buyer, until it is decided.
    pub fn hold(&self) -> Option<Hold> {
        /// Longer than any delayed payment takes: Boleto's vouchers last 60 days at most.
        const LONGEST_PENDING: i64 = 65 * 24 * 3600;
        let reserved = self.order.reserved().map(|(_, quantity)| quantity);
        let pieces = match self.stock_returned {
            true => 0,
            false => reserved.fold(0, u32::saturating_add),
        };
        let pending = self.status() == Status::Pending;
        if pending && pieces > 0 {
            let until = self.attempt.expires_at.saturating_add(LONGEST_PENDING);
            return Some(Hold {
                pieces,
                until,
                pending,
            });
        }
        self.awaits_payment().then(|| Hold {
            pieces,
            until: self.attempt.is_over_at(),
            pending,
        })
    }

    /// When to ask Stripe what became of it, in Unix seconds, should nothing be heard until then.
    /// `None` if nothing more has to come.
    pub fn next_check(&self, now: i64) -> Option<i64> {
        const HOUR: i64 = 3600;
        const DAY: i64 = 24 * HOUR;
        if self.payment.doubts() > 0 {
            return Some(now);
        }
        if self.status() == Status::Open || self.open_sessions().next().is_some() {
            // Most who pay do so at once, and should not wait for the end of their session if
            // nothing is heard of it.
            let soon = self.attempt.started_at.saturating_add(HOUR);
            let over = self.attempt.is_over_at();
            return Some(if now < soon { soon.min(over) } else { over });
        }
        if self.waits_for().is_some_and(WaitsFor::is_unknown) {
            return Some(now);
        }
        let unfinished = self.status() == Status::Pending || self.payment.is_unfinished();
        unfinished.then(|| now.saturating_add(DAY))
    }

    /// Whether it was paid, or nothing was to pay.
    pub fn is_settled(&self) -> bool {
        self.settled().next().is_some()
    }

    /// Whether nothing speaks for it but what Stripe says. Its mails are held until a person
    /// confirms it: they may have gone before it was lost, or it may be another deployment's.
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

    /// Its sessions that may still be paid, as far as is known.
    pub fn open_sessions(&self) -> impl Iterator<Item = &SessionId> {
        let sessions = self.sessions.iter();
        sessions
            .filter(|(_, state)| **state == SessionState::Open)
            .map(|(id, _)| id)
    }

    /// Whether the buyer finds it in their history: from the moment they did their part.
    pub fn is_in_history(&self) -> bool {
        !matches!(
            self.status(),
            Status::Open | Status::Expired | Status::Abandoned
        )
    }

    /// Whether nothing will come of it, so that it may be forgotten in time.
    pub fn is_over(&self) -> bool {
        matches!(self.status(), Status::Expired | Status::Abandoned)
            && self.payment.refunds().is_empty()
    }

    /// Whether all that could have paid for it is over.
    fn came_to_nothing(&self) -> bool {
        let waits = |state: &SessionState| {
            matches!(state, SessionState::Open | SessionState::Pending { .. })
        };
        matches!(
            self.status(),
            Status::Expired | Status::Failed | Status::Abandoned
        ) && !self.sessions.values().any(waits)
    }

    fn furthest_session(&self) -> Option<&SessionState> {
        self.sessions.values().max()
    }

    /// What was settled, session by session.
    fn settled(&self) -> impl Iterator<Item = Money> + Clone {
        self.sessions.values().filter_map(|state| match state {
            SessionState::Settled { amount, .. } => Some(*amount),
            _ => None,
        })
    }
}
