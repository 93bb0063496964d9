//! The facts of one purchase, how they merge, and the status they add up to.
//!
//! Stripe's events come in any order, twice, days late. So a purchase is not a state that events
//! move: it is a set of facts that only ever grows, where merging is a least upper bound —
//! commutative, associative, idempotent — and everything a person sees is computed from it.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    money::{Currency, Money},
    product::ProductId,
};

mod facts;
mod holds;
mod ids;
mod order;

pub use facts::{
    Change, Dispute, DisputeReport, DisputeStatus, DisputeTerms, Facts, Movement, Refund,
    RefundState, SessionState, WaitsFor,
};
pub use holds::{Hold, Holds, Limits, TooMuch};
pub use ids::{
    ChargeId, DisputeId, NotAPurchaseId, PaymentIntentId, PurchaseId, RefundId, SessionId, Subject,
    TransactionId,
};
pub use order::{Attempt, Buyer, Line, Order, OrderError};

/// What a purchase's facts add up to; the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A dispute was lost.
    ChargedBack,
    /// A dispute is open: the bank holds the money.
    Disputed,
    /// All that was paid went back.
    Refunded,
    /// Some of it did.
    PartiallyRefunded,
    /// Paid for.
    Paid,
    /// A delayed payment did not come.
    Failed,
    /// A delayed payment is on its way, or the buyer still has to pay with a voucher.
    Pending,
    /// The session ended unpaid.
    Expired,
    /// Stripe refused the session, so nobody could ever pay.
    Abandoned,
    /// Waiting for the buyer.
    Open,
}

impl Status {
    /// As in JSON.
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

/// Something a person should look at. Nothing is dropped because of it.
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
    /// Paid after its stock was given back: it may have been sold to somebody else.
    PaidAfterStockReturned,
    /// More went back than was paid: refunded and charged back, say.
    Overreturned,
    /// A dispute was won and lost.
    DisputeDecidedTwice,
}

/// A mail that a purchase calls for. Each is sent for at most once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mail {
    /// To the buyer: a delayed payment is on its way. Of use only while that is so.
    Pending,
    /// To the buyer: they still have to pay, with a voucher or by a transfer. Of use only while
    /// that is so.
    Voucher,
    /// To the buyer: a delayed payment did not come. Of use only while that is so.
    Failed,
    /// To the buyer: the receipt. Once true it stays due, whatever follows.
    Paid,
    /// To the buyer: money goes back. Of use only while that is so.
    Refund(RefundId),
    /// To the buyer: a refund came to nothing.
    RefundFailed(RefundId),
    /// To the seller: a bank asks, and may take the money later.
    InquiryOpened(DisputeId),
    /// To the seller: a bank took the money, and waits for evidence.
    DisputeOpened(DisputeId),
    /// To the seller: the dispute or inquiry ended with this status. One that is decided anew
    /// ends again.
    DisputeClosed(DisputeId, DisputeStatus),
}

impl Mail {
    /// Whether it tells how things stand rather than what happened for good.
    fn is_progress(&self) -> bool {
        matches!(
            self,
            Self::Pending | Self::Voucher | Self::Failed | Self::Refund(_)
        )
    }

    /// Whether it is the seller's.
    pub fn is_for_seller(&self) -> bool {
        matches!(
            self,
            Self::InquiryOpened(_) | Self::DisputeOpened(_) | Self::DisputeClosed(..)
        )
    }
}

/// The effect's name, part of its outbox row's id.
impl fmt::Display for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("pending"),
            Self::Voucher => f.write_str("voucher"),
            Self::Failed => f.write_str("failed"),
            Self::Paid => f.write_str("paid"),
            Self::Refund(id) => write!(f, "refund#{id}"),
            Self::RefundFailed(id) => write!(f, "refund_failed#{id}"),
            Self::InquiryOpened(id) => write!(f, "inquiry_opened#{id}"),
            Self::DisputeOpened(id) => write!(f, "dispute_opened#{id}"),
            Self::DisputeClosed(id, status) => {
                write!(f, "dispute_closed#{id}#{}", status.as_str())
            }
        }
    }
}

impl From<Mail> for String {
    fn from(mail: Mail) -> Self {
        mail.to_string()
    }
}

impl TryFrom<String> for Mail {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let mut parts = name.split('#');
        let mail = match (parts.next(), parts.next(), parts.next()) {
            (Some("pending"), None, _) => Self::Pending,
            (Some("voucher"), None, _) => Self::Voucher,
            (Some("failed"), None, _) => Self::Failed,
            (Some("paid"), None, _) => Self::Paid,
            (Some("refund"), Some(id), None) => Self::Refund(id.to_owned().into()),
            (Some("refund_failed"), Some(id), None) => Self::RefundFailed(id.to_owned().into()),
            (Some("inquiry_opened"), Some(id), None) => Self::InquiryOpened(id.to_owned().into()),
            (Some("dispute_opened"), Some(id), None) => Self::DisputeOpened(id.to_owned().into()),
            (Some("dispute_closed"), Some(id), Some(status)) => {
                let closed = [
                    DisputeStatus::Won,
                    DisputeStatus::Lost,
                    DisputeStatus::WarningClosed,
                ];
                let status = closed.into_iter().find(|closed| closed.as_str() == status);
                let status = status.ok_or_else(|| format!("{name:?} names no end of a dispute"))?;
                Self::DisputeClosed(id.to_owned().into(), status)
            }
            _ => return Err(format!("{name:?} is no mail")),
        };
        Ok(mail)
    }
}

/// Where the money of a purchase is. All amounts are in one currency: the order's, or, if nothing
/// was paid in that, the one most was paid in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Accounts {
    /// What the buyer paid.
    pub paid: Money,
    /// What went back to them.
    pub refunded: Money,
    /// What banks hold because of disputes, or took for good.
    pub disputed: Money,
    /// What is left; less than nothing if more went back than was paid.
    pub net: Money,
}

/// One purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Its key; also when it was made.
    pub id: PurchaseId,
    /// What was asked for.
    pub order: Order,
    /// The try at opening a session that counts.
    pub attempt: Attempt,
    /// Stripe refused the session for good.
    pub abandoned: bool,
    /// What Stripe said.
    pub facts: Facts,
    /// Mails that have an outbox row.
    pub mails: BTreeSet<Mail>,
    /// Mails among them that stopped being true.
    pub superseded: BTreeSet<Mail>,
    /// The stock it had reserved went back, and never will again.
    pub stock_returned: bool,
    /// How often something Stripe said did not fit what was known. While there are any doubts, the
    /// whole has to be fetched and compared.
    pub doubts: u32,
    /// A person has said that it is the shop's own, though it had to be rebuilt.
    pub confirmed: bool,
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

impl Purchase {
    /// A new purchase, before Stripe hears of it.
    pub fn new(order: Order, now: i64) -> Self {
        Self::with_id(PurchaseId::generate(), order, now)
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
            doubts: 1,
            ..Self::with_id(id, order, id.created_at().unix_timestamp())
        }
    }

    fn with_id(id: PurchaseId, order: Order, now: i64) -> Self {
        Self {
            id,
            attempt: Attempt::first(&order, now),
            order,
            abandoned: false,
            facts: Facts::default(),
            mails: BTreeSet::new(),
            superseded: BTreeSet::new(),
            stock_returned: false,
            doubts: 0,
            confirmed: false,
        }
    }

    /// Takes a change in. `None` if it told nothing new.
    pub fn record(&mut self, change: Change) -> Option<Effects> {
        let held = self.hold();
        let doubt = self.contradicts(&change);
        self.doubts = self.doubts.saturating_add(u32::from(doubt));
        let news = self.facts.merge(change);
        (news || doubt).then(|| self.settle_up(held))
    }

    /// Ends it, because no session of it can ever be paid. `None` if it cannot be ended: there is
    /// a session, or it was ended before.
    pub fn abandon(&mut self) -> Option<Effects> {
        if self.abandoned || !self.facts.sessions.is_empty() {
            return None;
        }
        let held = self.hold();
        self.abandoned = true;
        Some(self.settle_up(held))
    }

    /// Begins another attempt in place of one that leads nowhere.
    pub fn attempt_again(&mut self, now: i64) -> Effects {
        let held = self.hold();
        self.attempt = self.attempt.next(&self.order, now);
        Effects {
            hold_changed: self.hold() != held,
            ..Effects::default()
        }
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
            hold_changed: self.hold() != held,
        }
    }

    /// Mails that are true at this moment.
    fn mails_called_for(&self) -> BTreeSet<Mail> {
        let payment = match self.facts.payment() {
            Some(SessionState::Settled { .. }) => Some(Mail::Paid),
            Some(SessionState::Pending { waits_for }) => Some(match waits_for {
                WaitsFor::Buyer { .. } => Mail::Voucher,
                WaitsFor::Bank | WaitsFor::Unknown => Mail::Pending,
            }),
            Some(SessionState::Failed) => Some(Mail::Failed),
            Some(SessionState::Open | SessionState::Expired) | None => None,
        };
        let refunds = self.facts.refunds.iter().filter_map(|(id, refund)| {
            let id = id.clone();
            match refund.state {
                RefundState::Pending | RefundState::Succeeded => Some(Mail::Refund(id)),
                RefundState::Canceled | RefundState::Failed => Some(Mail::RefundFailed(id)),
                // Stripe itself asks the buyer where the money should go.
                RefundState::RequiresAction => None,
            }
        });
        let disputes = self.facts.disputes.iter().flat_map(|(id, dispute)| {
            dispute.seen.keys().filter_map(|status| {
                use DisputeStatus as S;
                let id = id.clone();
                match *status {
                    S::WarningNeedsResponse | S::WarningUnderReview => {
                        Some(Mail::InquiryOpened(id))
                    }
                    S::NeedsResponse | S::UnderReview => Some(Mail::DisputeOpened(id)),
                    S::WarningClosed | S::Won | S::Lost => Some(Mail::DisputeClosed(id, *status)),
                    S::Prevented => None,
                }
            })
        });
        payment.into_iter().chain(refunds).chain(disputes).collect()
    }

    /// Whether a mail may only be untrue for now: a refund that waits for the buyer goes on, and a
    /// voucher that is paid leaves the money on its way.
    fn may_be_true_again(&self, mail: &Mail) -> bool {
        match mail {
            Mail::Refund(id) => {
                let refund = self.facts.refunds.get(id);
                refund.is_some_and(|refund| refund.state.is_unfinished())
            }
            Mail::Pending => matches!(
                self.facts.payment(),
                Some(SessionState::Pending {
                    waits_for: WaitsFor::Buyer { .. }
                })
            ),
            _ => false,
        }
    }

    /// Completes the buyer of an order that was rebuilt from something that did not name them.
    pub fn learn_buyer(&mut self, buyer: &Buyer) {
        let known = &mut self.order.buyer;
        if self.order.rebuilt {
            known.subject = known.subject.take().or_else(|| buyer.subject.clone());
            known.email = known.email.take().or_else(|| buyer.email.clone());
        }
    }

    /// Whether nothing speaks for it but what Stripe says. Its mails are held until a person
    /// confirms it: they may have gone before it was lost, or it may be another deployment's.
    pub fn is_only_rebuilt(&self) -> bool {
        self.order.rebuilt && !self.confirmed
    }

    /// Whether all that could have paid for it is over.
    fn came_to_nothing(&self) -> bool {
        let waits = |state: &SessionState| {
            matches!(state, SessionState::Open | SessionState::Pending { .. })
        };
        matches!(
            self.status(),
            Status::Expired | Status::Failed | Status::Abandoned
        ) && !self.facts.sessions.values().any(waits)
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
        let sessions = self.facts.sessions.iter();
        sessions
            .filter(|(_, state)| **state == SessionState::Open)
            .map(|(id, _)| id)
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

    /// Whether a change does not fit what is known already, so that something was missed.
    fn contradicts(&self, change: &Change) -> bool {
        match change {
            Change::ChargeRefunded(sum) => {
                *sum != self.sum(sum.currency, self.facts.refunded(true))
            }
            Change::Dispute(id, report) => {
                let decided = self.facts.disputes.get(id).map(|known| &known.seen);
                let other = match report.status {
                    DisputeStatus::Won => DisputeStatus::Lost,
                    DisputeStatus::Lost => DisputeStatus::Won,
                    _ => return false,
                };
                decided.is_some_and(|seen| {
                    seen.contains_key(&other) && !seen.contains_key(&report.status)
                })
            }
            Change::Session(..) | Change::Refund(..) => false,
        }
    }

    /// What the facts add up to.
    pub fn status(&self) -> Status {
        let mut disputes = self.facts.disputes.values();
        if disputes.clone().any(Dispute::is_lost) {
            return Status::ChargedBack;
        }
        if disputes.any(Dispute::is_open) {
            return Status::Disputed;
        }
        match self.facts.payment() {
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
        match self.facts.payment() {
            Some(SessionState::Pending { waits_for }) => Some(waits_for),
            _ => None,
        }
    }

    /// Where the money is. What moved in yet another currency is not added up with it but called
    /// to [`Attention::OtherCurrency`].
    pub fn accounts(&self) -> Accounts {
        let currency = self.currency();
        let paid = self.sum(currency, self.facts.settled());
        let refunded = self.sum(currency, self.facts.refunded(false));
        let disputed = self.sum(currency, self.facts.disputed());
        let net = paid
            .amount
            .saturating_sub(refunded.amount)
            .saturating_sub(disputed.amount);
        Accounts {
            paid,
            refunded,
            disputed,
            net: Money::new(net, currency),
        }
    }

    fn currency(&self) -> Currency {
        let ordered = self.order.total.currency;
        let mut settled = self.facts.settled();
        if settled.any(|amount| amount.currency == ordered) {
            return ordered;
        }
        let most = self.facts.settled().max();
        most.map_or(ordered, |amount| amount.currency)
    }

    fn sum(&self, currency: Currency, amounts: impl Iterator<Item = Money>) -> Money {
        amounts
            .filter(|amount| amount.currency == currency)
            .fold(Money::zero(currency), |sum, amount| {
                Money::new(sum.amount.saturating_add(amount.amount), currency)
            })
    }

    /// What a person should look at.
    pub fn attention(&self) -> BTreeSet<Attention> {
        let ordered = self.order.total;
        let settled = self.facts.settled().count();
        let in_ordered = |amount: Money| amount.currency == ordered.currency;
        let mut moved = self
            .facts
            .settled()
            .chain(self.facts.refunded(true))
            .chain(self.facts.disputed());
        let mut disputes = self.facts.disputes.values();
        let checks = [
            (Attention::PaidTwice, settled > 1),
            (
                Attention::Overpaid,
                self.facts
                    .settled()
                    .any(|paid| in_ordered(paid) && paid.amount > ordered.amount),
            ),
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
                disputes.any(Dispute::is_contradictory),
            ),
        ];
        checks
            .into_iter()
            .filter(|(_, holds)| *holds)
            .map(|(attention, _)| attention)
            .collect()
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
            && self.facts.refunds.is_empty()
    }

    /// When to ask Stripe what became of it, in Unix seconds, should nothing be heard until then.
    /// `None` if nothing more has to come.
    pub fn next_check(&self, now: i64) -> Option<i64> {
        const HOUR: i64 = 3600;
        const DAY: i64 = 24 * HOUR;
        if self.doubts > 0 {
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
        let refunds = self.facts.refunds.values();
        let disputes = self.facts.disputes.values();
        let unfinished = self.status() == Status::Pending
            || refunds.clone().any(|refund| refund.state.is_unfinished())
            || disputes.clone().any(Dispute::is_unfinished);
        unfinished.then(|| now.saturating_add(DAY))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::*;

    fn usd(amount: i64) -> Money {
        Money::new(amount, "usd".parse().unwrap())
    }

    fn purchase() -> Purchase {
        let buyer = Buyer {
            subject: None,
            email: None,
            language: None,
        };
        Purchase::new(
            Order {
                buyer,
                lines: vec![],
                total: usd(1500),
                rebuilt: false,
            },
            0,
        )
    }

    fn session(id: &str, state: SessionState) -> Change {
        Change::Session(SessionId::from(id.to_owned()), state)
    }

    fn settled(amount: Money) -> SessionState {
        SessionState::Settled {
            amount,
            payment_intent: Some("pi_1".to_owned().into()),
        }
    }

    fn state() -> impl Strategy<Value = SessionState> {
        prop_oneof![
            Just(SessionState::Open),
            Just(SessionState::Expired),
            waits_for().prop_map(|waits_for| SessionState::Pending { waits_for }),
            Just(SessionState::Failed),
            (
                prop_oneof![Just(1500_i64), Just(900), Just(2000)],
                "usd|eur",
                any::<bool>()
            )
                .prop_map(|(amount, currency, has_intent)| SessionState::Settled {
                    amount: Money::new(amount, currency.parse().unwrap()),
                    payment_intent: has_intent.then(|| "pi_1".to_owned().into()),
                }),
        ]
    }

    fn waits_for() -> impl Strategy<Value = WaitsFor> {
        let url = prop::option::of("https://pay.example/[ab]");
        prop_oneof![
            Just(WaitsFor::Unknown),
            Just(WaitsFor::Bank),
            url.prop_map(|voucher_url| WaitsFor::Buyer { voucher_url }),
        ]
    }

    fn refund_state() -> impl Strategy<Value = RefundState> {
        prop_oneof![
            Just(RefundState::Pending),
            Just(RefundState::RequiresAction),
            Just(RefundState::Succeeded),
            Just(RefundState::Canceled),
            Just(RefundState::Failed),
        ]
    }

    fn dispute_report() -> impl Strategy<Value = DisputeReport> {
        let status = prop_oneof![
            Just(DisputeStatus::WarningNeedsResponse),
            Just(DisputeStatus::WarningUnderReview),
            Just(DisputeStatus::WarningClosed),
            Just(DisputeStatus::Prevented),
            Just(DisputeStatus::NeedsResponse),
            Just(DisputeStatus::UnderReview),
            Just(DisputeStatus::Won),
            Just(DisputeStatus::Lost),
        ];
        let taken = prop_oneof![Just(vec![]), Just(vec![-1500]), Just(vec![-1500, 1500])];
        let due = prop::option::of(Just(1_800_000_000_i64));
        (status, taken, due, prop_oneof![Just(1500_i64), Just(700)])
            .prop_map(|(status, taken, due, amount)| dispute(status, amount, due, &taken))
    }

    fn dispute(
        status: DisputeStatus,
        amount: i64,
        due_by: Option<i64>,
        moved: &[i64],
    ) -> DisputeReport {
        DisputeReport {
            status,
            terms: DisputeTerms {
                amount: usd(amount),
                reason: "fraudulent".to_owned(),
                due_by,
            },
            movements: moved
                .iter()
                .map(|amount| {
                    let movement = Movement {
                        amount: usd(*amount),
                        fee: 0,
                    };
                    (format!("txn_{amount}").into(), movement)
                })
                .collect(),
        }
    }

    fn refund(id: &str, state: RefundState, amount: i64) -> Change {
        let refund = Refund {
            state,
            amount: usd(amount),
        };
        Change::Refund(id.to_owned().into(), refund)
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let change = prop_oneof![
            3 => ("cs_[12]", state()).prop_map(|(id, s)| session(&id, s)),
            2 => ("re_[12]", refund_state()).prop_map(|(id, s)| refund(&id, s, 500)),
            2 => ("dp_[12]", dispute_report())
                .prop_map(|(id, report)| Change::Dispute(id.into(), report)),
            1 => Just(Change::ChargeRefunded(usd(500))),
        ];
        prop::collection::vec(change, 0..10)
    }

    /// What must not depend on the order in which changes came.
    fn outcome(changes: &[Change]) -> (Facts, Status, Accounts, BTreeSet<Attention>, Vec<Mail>) {
        let mut purchase = purchase();
        for change in changes {
            purchase.record(change.clone());
        }
        let settled = purchase.mails.iter().filter(|mail| !mail.is_progress());
        (
            purchase.facts.clone(),
            purchase.status(),
            purchase.accounts(),
            purchase.attention(),
            settled.cloned().collect(),
        )
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_of_the_same_changes_gives_the_same_purchase(
            (changes, shuffled) in changes().prop_flat_map(|changes| {
                let twice: Vec<_> = changes.iter().chain(&changes).cloned().collect();
                (Just(changes), Just(twice).prop_shuffle())
            })
        ) {
            prop_assert_eq!(outcome(&changes), outcome(&shuffled));
        }

        #[test]
        fn a_change_seen_before_tells_nothing_new(changes in changes()) {
            let mut purchase = purchase();
            for change in &changes {
                purchase.record(change.clone());
            }
            let before = purchase.clone();
            for change in changes {
                // A sum is no fact: it may call for another look again.
                if !matches!(change, Change::ChargeRefunded(_)) {
                    prop_assert_eq!(purchase.record(change), None);
                }
            }
            prop_assert_eq!(before, purchase);
        }

        #[test]
        fn each_mail_is_ordered_once_and_only_progress_is_ever_taken_back(changes in changes()) {
            let mut purchase = purchase();
            let (mut ordered, mut taken_back) = (BTreeSet::new(), BTreeSet::new());
            for change in changes {
                let effects = purchase.record(change).unwrap_or_default();
                for mail in effects.due {
                    prop_assert!(ordered.insert(mail));
                }
                for mail in effects.superseded {
                    prop_assert!(mail.is_progress());
                    prop_assert!(taken_back.insert(mail));
                }
            }
            let true_now = purchase.mails_called_for();
            prop_assert!(true_now.is_subset(&ordered));
            let stale = ordered
                .difference(&true_now)
                .filter(|mail| mail.is_progress() && !purchase.may_be_true_again(mail));
            prop_assert_eq!(stale.cloned().collect::<BTreeSet<_>>(), taken_back);
        }

        #[test]
        fn a_mails_name_reads_back(changes in changes()) {
            let mut purchase = purchase();
            for change in changes {
                purchase.record(change);
            }
            for mail in purchase.mails {
                prop_assert_eq!(Mail::try_from(mail.to_string()), Ok(mail));
            }
        }

        #[test]
        fn stock_goes_back_once_whatever_comes_after_what(changes in changes(), at in 0_usize..10) {
            let mut purchase = limited_purchase();
            let mut returns = Vec::new();
            for (n, change) in changes.into_iter().enumerate() {
                returns.push(purchase.record(change).unwrap_or_default());
                if n == at {
                    returns.extend(purchase.abandon());
                }
            }
            let returns = returns.iter().filter(|effects| !effects.returned.is_empty()).count();
            prop_assert!(returns <= 1);
            prop_assert_eq!(returns == 1, purchase.stock_returned);
            prop_assert!(purchase.stock_returned || !purchase.came_to_nothing());
        }
    }

    proptest! {
        #[test]
        fn a_purchase_is_held_until_it_is_decided_and_its_stock_as_long_as_it_is_out(
            changes in changes(), at in 0_usize..10
        ) {
            let mut purchase = limited_purchase();
            let mut known = purchase.hold();
            prop_assert!(known.is_some());
            for (n, change) in changes.into_iter().enumerate() {
                let recorded = purchase.record(change);
                let abandoned = (n == at).then(|| purchase.abandon()).flatten();
                if [recorded, abandoned].iter().flatten().any(|effects| effects.hold_changed) {
                    known = purchase.hold();
                }
                prop_assert_eq!(known, purchase.hold());
                let pieces = known.map_or(0, |hold| hold.pieces);
                prop_assert!(pieces == 0 || !purchase.stock_returned);
                let money_moved = purchase.facts.settled().next().is_some()
                    || !purchase.facts.disputes.is_empty();
                prop_assert!(pieces == 1 || purchase.stock_returned || money_moved);
                prop_assert!(!purchase.awaits_payment() || known.is_some());
            }
        }
    }

    /// One whose only line was taken from a limited stock.
    fn limited_purchase() -> Purchase {
        let mut purchase = purchase();
        purchase.order.lines.push(Line {
            product_id: "mug".parse().unwrap(),
            name: "Mug".to_owned(),
            description: String::new(),
            image: None,
            quantity: 1,
            unit_amount: 1500,
            reserved: true,
        });
        purchase
    }

    #[test]
    fn refunds_take_the_status_back_and_a_failed_one_gives_it_back() {
        let mut purchase = purchase();
        purchase.record(session("cs_1", settled(usd(1500))));
        let steps = [
            (refund("re_1", RefundState::Pending, 500), Status::Paid, 0),
            (
                refund("re_1", RefundState::Succeeded, 500),
                Status::PartiallyRefunded,
                500,
            ),
            (
                refund("re_2", RefundState::Succeeded, 1000),
                Status::Refunded,
                1500,
            ),
            (
                refund("re_2", RefundState::Failed, 1000),
                Status::PartiallyRefunded,
                500,
            ),
            (refund("re_1", RefundState::Canceled, 500), Status::Paid, 0),
        ];
        for (change, status, refunded) in steps {
            assert!(purchase.record(change).is_some());
            assert_eq!(purchase.status(), status);
            let accounts = purchase.accounts();
            assert_eq!(accounts.refunded, usd(refunded));
            assert_eq!(accounts.net, usd(1500 - refunded));
        }
    }

    #[test]
    fn the_mail_of_a_refund_that_waits_for_the_buyer_is_not_taken_back() {
        let mut purchase = purchase();
        let steps = [
            RefundState::Pending,
            RefundState::RequiresAction,
            RefundState::Succeeded,
        ];
        for state in steps {
            let effects = purchase.record(refund("re_1", state, 500)).unwrap();
            assert!(effects.superseded.is_empty(), "{state:?}");
        }
        let effects = purchase
            .record(refund("re_1", RefundState::Failed, 500))
            .unwrap();
        assert_eq!(
            effects.superseded,
            [Mail::Refund("re_1".to_owned().into())].into()
        );
    }

    #[test]
    fn the_mail_of_a_payment_on_its_way_is_not_taken_back_while_a_voucher_waits() {
        let mut purchase = purchase();
        let voucher = WaitsFor::Buyer { voucher_url: None };
        for waits_for in [WaitsFor::Unknown, voucher, WaitsFor::Bank] {
            let pending = SessionState::Pending { waits_for };
            let change = Change::Session("cs_1".to_owned().into(), pending);
            let effects = purchase.record(change).unwrap();
            assert!(!effects.superseded.contains(&Mail::Pending));
        }
        let change = Change::Session("cs_1".to_owned().into(), SessionState::Failed);
        let effects = purchase.record(change).unwrap();
        assert_eq!(effects.superseded, [Mail::Pending].into());
    }

    #[test]
    fn every_doubt_counts() {
        let mut purchase = purchase();
        assert!(purchase.record(Change::ChargeRefunded(usd(500))).is_some());
        assert!(purchase.record(Change::ChargeRefunded(usd(900))).is_some());
        assert_eq!(purchase.doubts, 2);
    }

    #[test]
    fn a_refund_that_comes_before_its_payment_waits_for_it() {
        let mut purchase = purchase();
        purchase.record(refund("re_1", RefundState::Succeeded, 1500));
        assert_eq!(purchase.status(), Status::Open);
        purchase.record(session("cs_1", settled(usd(1500))));
        assert_eq!(purchase.status(), Status::Refunded);
        assert!(purchase.mails.contains(&Mail::Paid));
    }

    #[test]
    fn a_dispute_holds_the_money_until_it_is_won_or_lost() {
        use DisputeStatus as S;
        let open = |status| {
            Change::Dispute(
                "dp_1".to_owned().into(),
                dispute(status, 1500, None, &[-1500]),
            )
        };
        let mut purchase = purchase();
        purchase.record(session("cs_1", settled(usd(1500))));
        for (status, stands, disputed) in [
            (S::WarningNeedsResponse, Status::Paid, 0),
            (S::WarningClosed, Status::Paid, 0),
            (S::NeedsResponse, Status::Disputed, 1500),
            (S::UnderReview, Status::Disputed, 1500),
            (S::Won, Status::Paid, 0),
        ] {
            purchase.record(open(status));
            assert_eq!(purchase.status(), stands, "{status:?}");
            assert_eq!(purchase.accounts().disputed, usd(disputed), "{status:?}");
        }
        let lost = Change::Dispute(
            "dp_2".to_owned().into(),
            dispute(S::Lost, 700, None, &[-700]),
        );
        purchase.record(lost);
        assert_eq!(purchase.status(), Status::ChargedBack);
        assert_eq!(purchase.accounts().net, usd(800));
    }

    #[test]
    fn a_dispute_decided_twice_stands_as_the_money_says_and_is_fetched_again() {
        use DisputeStatus as S;
        for (moved, status) in [
            (vec![-1500, 1500], Status::Paid),
            (vec![-1500], Status::ChargedBack),
        ] {
            let mut purchase = purchase();
            purchase.record(session("cs_1", settled(usd(1500))));
            for status in [S::Lost, S::Won] {
                let report = dispute(status, 1500, None, &moved);
                purchase.record(Change::Dispute("dp_1".to_owned().into(), report));
            }
            assert_eq!(purchase.status(), status);
            assert!(
                purchase
                    .attention()
                    .contains(&Attention::DisputeDecidedTwice)
            );
            assert_eq!(purchase.next_check(7), Some(7));
        }
    }

    #[test]
    fn a_charges_sum_that_does_not_fit_asks_for_another_look() {
        let mut purchase = purchase();
        purchase.record(session("cs_1", settled(usd(1500))));
        purchase.record(refund("re_1", RefundState::Succeeded, 500));
        assert_eq!(purchase.record(Change::ChargeRefunded(usd(500))), None);
        assert_eq!(purchase.next_check(7), None);
        assert!(purchase.record(Change::ChargeRefunded(usd(900))).is_some());
        assert_eq!(purchase.next_check(7), Some(7));
    }

    #[test]
    fn an_open_purchase_is_looked_at_after_an_hour_and_at_its_end() {
        const HOUR: i64 = 3600;
        let mut purchase = purchase();
        purchase.record(session("cs_1", SessionState::Open));
        assert_eq!(purchase.next_check(7), Some(HOUR));
        assert_eq!(purchase.next_check(HOUR), Some(23 * HOUR + 600));
        // What holds limited stock ends sooner than that.
        let mut limited = limited_purchase();
        limited.attempt = Attempt::first(&limited.order, 0);
        assert_eq!(limited.next_check(7), Some(45 * 60));
    }

    #[test]
    fn stock_waits_for_every_session_that_could_still_be_paid() {
        let mut purchase = limited_purchase();
        purchase.record(session("cs_2", SessionState::Open));
        purchase.record(session("cs_1", SessionState::Expired));
        assert!(!purchase.stock_returned);
        let effects = purchase
            .record(session("cs_2", SessionState::Expired))
            .unwrap();
        assert_eq!(effects.returned, [("mug".parse().unwrap(), 1)]);
        purchase.record(session("cs_1", settled(usd(1500))));
        assert_eq!(
            purchase.attention(),
            [Attention::PaidAfterStockReturned].into()
        );
    }

    #[test]
    fn the_furthest_session_says_what_became_of_the_purchase() {
        let mut purchase = purchase();
        assert_eq!(purchase.status(), Status::Open);
        for (state, status) in [
            (SessionState::Open, Status::Open),
            (SessionState::Expired, Status::Expired),
            (SessionState::PENDING, Status::Pending),
            (SessionState::Failed, Status::Failed),
            (settled(usd(1500)), Status::Paid),
        ] {
            purchase.record(session("cs_1", state));
            assert_eq!(purchase.status(), status);
        }
        purchase.record(session("cs_2", SessionState::Expired));
        assert_eq!(purchase.status(), Status::Paid);
        assert_eq!(purchase.accounts().paid, usd(1500));
        assert!(purchase.attention().is_empty());
    }

    #[test]
    fn a_second_payment_and_strange_amounts_call_for_attention() {
        let mut twice = purchase();
        twice.record(session("cs_1", settled(usd(1500))));
        twice.record(session("cs_2", settled(usd(1500))));
        assert_eq!(twice.attention(), [Attention::PaidTwice].into());
        assert_eq!(twice.accounts().paid, usd(3000));

        let mut odd = purchase();
        odd.record(session("cs_1", settled(usd(1501))));
        assert_eq!(odd.attention(), [Attention::Overpaid].into());

        let mut euro = purchase();
        euro.record(session(
            "cs_1",
            settled(Money::new(1500, "eur".parse().unwrap())),
        ));
        assert_eq!(euro.attention(), [Attention::OtherCurrency].into());
        assert_eq!(euro.status(), Status::Paid);
        assert_eq!(
            euro.accounts().paid,
            Money::new(1500, "eur".parse().unwrap())
        );

        let mut promotion = purchase();
        promotion.record(session("cs_1", settled(usd(900))));
        assert!(promotion.attention().is_empty());
    }

    #[test]
    fn an_attempt_is_given_up_before_stripe_forgets_its_key() {
        let order = purchase().order;
        let attempt = Attempt::first(&order, 0);
        assert!(attempt.is_usable(20 * 3600 - 1));
        assert!(!attempt.is_usable(20 * 3600));
        assert_eq!(attempt.next(&order, 5).number, 2);
    }

    #[test]
    fn limited_stock_is_held_for_35_minutes_and_an_attempt_leaves_stripe_its_30() {
        let attempt = Attempt::first(&limited_purchase().order, 0);
        assert_eq!(attempt.expires_at, 35 * 60);
        assert!(attempt.is_usable(3 * 60));
        assert!(!attempt.is_usable(4 * 60));
        assert_eq!(attempt.is_over_at(), 45 * 60);
    }

    #[test]
    fn a_purchase_id_is_written_in_one_way_and_knows_its_time() {
        let id = PurchaseId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<PurchaseId>().is_err());
        assert!(
            "8c9e4a52-3b5f-4d0a-9a35-0c1de2a3f5b7"
                .parse::<PurchaseId>()
                .is_err()
        );
        let age = OffsetDateTime::now_utc() - id.created_at();
        assert!(age.whole_seconds().abs() < 5);
    }
}
