//! How a purchase changes: by what Stripe says about it, by what the seller does for it, and by what
//! is done here to open or end it. Each change returns what else has to be done, or `None` if it said nothing new.

use super::{
    Buyer, Document, Effects, InvoiceId, Line, Parcel, ParcelId, PaymentChange, Purchase,
    SessionId, SessionState, merge::keep_greatest,
};

/// Something that Stripe or the seller said about a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A session has come this far.
    Session(SessionId, SessionState),
    /// This invoice was written of it.
    Document(InvoiceId, Document),
    /// Something became of its payment.
    Payment(PaymentChange),
    /// The seller sent a parcel, or did whatever else was to be done.
    Fulfilled(ParcelId, Parcel),
}

impl Purchase {
    /// Merges a change. `None` if it said nothing new.
    pub fn record(&mut self, change: Change) -> Option<Effects> {
        let held = self.hold();
        let news = match change {
            Change::Session(id, state) => self.merge_session(id, state),
            Change::Document(id, document) => keep_greatest(&mut self.documents, id, document),
            Change::Payment(change) => self.payment.record(change),
            Change::Fulfilled(id, parcel) => self.merge_parcel(id, parcel),
        };
        news.then(|| self.settle_up(held))
    }

    /// Adds the session that Stripe opened, and the URL to pay at unless there is one already.
    /// `None` if neither is new.
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
    /// is another already, or a session, or the purchase was ended.
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
    /// be ended, because there is a session or another attempt, or it was ended before.
    pub fn abandon(&mut self, ended: u32) -> Option<Effects> {
        if self.attempt.number != ended || self.abandoned || !self.sessions.is_empty() {
            return None;
        }
        let held = self.hold();
        self.abandoned = true;
        Some(self.settle_up(held))
    }

    /// Notes that it was compared with Stripe, and everything recorded, when there were this many
    /// `doubts`. If there are more by now, it has to be compared again. `lines` complete an order
    /// that was rebuilt without any.
    pub fn checked(&mut self, doubts: u32, lines: &[Line]) -> Effects {
        let held = self.hold();
        self.payment.checked(doubts);
        if self.order.lines.is_empty() {
            self.order.lines = lines.to_vec();
        }
        self.changed_since(held)
    }

    /// Notes that a person says it is the shop's own, though it had to be rebuilt. `None` if that
    /// was not needed.
    pub fn confirm(&mut self) -> Option<Effects> {
        self.is_only_rebuilt().then(|| {
            self.confirmed = true;
            Effects::default()
        })
    }

    /// Completes the buyer of an order that was rebuilt from an object without them.
    pub fn learn_buyer(&mut self, buyer: &Buyer) {
        let known = &mut self.order.buyer;
        if self.order.rebuilt {
            known.subject = known.subject.take().or_else(|| buyer.subject.clone());
            known.email = known.email.take().or_else(|| buyer.email.clone());
        }
    }

    fn merge_session(&mut self, id: SessionId, state: SessionState) -> bool {
        keep_greatest(&mut self.sessions, id, state)
    }

    fn merge_parcel(&mut self, id: ParcelId, parcel: Parcel) -> bool {
        match self.parcels.get_mut(&id) {
            Some(known) => known.merge(parcel),
            None => {
                self.parcels.insert(id, parcel);
                true
            }
        }
    }
}
