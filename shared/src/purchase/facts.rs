//! What the payment provider said of a purchase: facts that only ever grow. Each merge is a least
//! upper bound, so neither order nor repetition of what comes in changes what is known in the end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{DisputeId, PaymentIntentId, RefundId, SessionId, TransactionId};
use crate::money::Money;

/// Something that Stripe said of a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A session has come this far.
    Session(SessionId, SessionState),
    /// A refund has come this far.
    Refund(RefundId, Refund),
    /// A dispute looks like this.
    Dispute(DisputeId, DisputeReport),
    /// This much of a charge was refunded, all its refunds together. The sum goes down again when
    /// a refund fails, so it is no fact, only something to hold the facts against.
    ChargeRefunded(Money),
}

/// How far one Checkout session has come. The order of the variants is the order of precedence:
/// whatever comes in, and in whichever order, the furthest holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SessionState {
    /// Waiting for the buyer.
    Open,
    /// Over, says Stripe; never concluded from our own clock.
    Expired,
    /// Completed by a payment method that is delayed.
    Pending {
        /// Who has to do something before the money comes.
        #[serde(default, skip_serializing_if = "WaitsFor::is_unknown")]
        waits_for: WaitsFor,
    },
    /// The delayed payment did not come.
    Failed,
    /// Paid, or nothing to pay.
    Settled {
        /// How much, in which currency.
        amount: Money,
        /// By which payment intent; `None` where nothing was to pay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment_intent: Option<PaymentIntentId>,
    },
}

impl SessionState {
    /// A delayed payment of which no more is known.
    pub const PENDING: Self = Self::Pending {
        waits_for: WaitsFor::Unknown,
    };
}

/// What a delayed payment waits for. Ordered by how much is known, and how far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum WaitsFor {
    /// Nobody said, yet.
    #[default]
    Unknown,
    /// The buyer still has to pay, with a voucher (OXXO, Boleto, Konbini, Multibanco) or by a
    /// transfer.
    Buyer {
        /// Stripe's page with the voucher or the instructions, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voucher_url: Option<String>,
    },
    /// The money is on its way, as that of a bank debit.
    Bank,
}

impl WaitsFor {
    /// Whether Stripe has to be asked.
    pub fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

/// One refund. Ordered by how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Refund {
    /// How far.
    pub state: RefundState,
    /// How much.
    pub amount: Money,
}

/// How far a refund has come, the furthest last: one that succeeded can still fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// On its way.
    Pending,
    /// Waits for the buyer, who has to say where the money should go.
    RequiresAction,
    /// The money is with the buyer, or will be in some days.
    Succeeded,
    /// Called off before the money left.
    Canceled,
    /// The buyer's bank sent the money back.
    Failed,
}

impl RefundState {
    /// Whether more is to come of it.
    pub fn is_unfinished(self) -> bool {
        matches!(self, Self::Pending | Self::RequiresAction)
    }
}

/// How a dispute stands, the furthest last. The first four move no money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// An inquiry: the bank asks before it takes anything.
    WarningNeedsResponse,
    /// An inquiry that was answered.
    WarningUnderReview,
    /// An inquiry that came to nothing.
    WarningClosed,
    /// Settled with the bank before it became a dispute.
    Prevented,
    /// The bank took the money and waits for evidence.
    NeedsResponse,
    /// The bank looks at the evidence.
    UnderReview,
    /// The money came back.
    Won,
    /// The money is gone.
    Lost,
}

impl DisputeStatus {
    /// As Stripe writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::Prevented => "prevented",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// A dispute as one event, or one answer, shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeReport {
    /// How it stands.
    pub status: DisputeStatus,
    /// What it is about.
    pub terms: DisputeTerms,
    /// What it moved so far.
    pub movements: BTreeMap<TransactionId, Movement>,
}

/// What a dispute is about, as long as it has one status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DisputeTerms {
    /// How much is disputed, in the currency of the charge.
    pub amount: Money,
    /// Why, in Stripe's word: `fraudulent`, `product_not_received` ….
    pub reason: String,
    /// Until when evidence is taken, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_by: Option<i64>,
}

/// Money that a dispute took from the seller's balance, or gave back to it. It is counted in the
/// currency of the balance, which need not be the charge's, so the two are never added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Movement {
    /// Negative if it was taken.
    pub amount: Money,
    /// What the bank and Stripe ask for the trouble, in minor units; negative if it was given back.
    pub fee: i64,
}

/// All that was ever said of one dispute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Every status it was seen in, and its terms then.
    pub seen: BTreeMap<DisputeStatus, DisputeTerms>,
    /// Every movement of money it was seen with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub movements: BTreeMap<TransactionId, Movement>,
}

impl Dispute {
    fn merge(&mut self, report: DisputeReport) -> bool {
        let terms = keep_greatest(&mut self.seen, report.status, report.terms);
        report
            .movements
            .into_iter()
            .fold(terms, |news, (id, movement)| {
                keep_greatest(&mut self.movements, id, movement) || news
            })
    }

    /// How it stands: the furthest status it was seen in. A dispute that was won *and* lost was
    /// decided twice, and stands as the money says.
    pub fn status(&self) -> Option<DisputeStatus> {
        if self.is_contradictory() {
            let back: i128 = self
                .movements
                .values()
                .map(|movement| i128::from(movement.amount.amount))
                .sum();
            return Some(if back >= 0 {
                DisputeStatus::Won
            } else {
                DisputeStatus::Lost
            });
        }
        self.seen.keys().next_back().copied()
    }

    /// What it is about now.
    pub fn terms(&self) -> Option<&DisputeTerms> {
        self.seen.get(&self.status()?)
    }

    /// Whether it was seen both won and lost.
    pub fn is_contradictory(&self) -> bool {
        self.seen.contains_key(&DisputeStatus::Won) && self.seen.contains_key(&DisputeStatus::Lost)
    }

    /// Whether it keeps money that is not decided on.
    pub fn is_open(&self) -> bool {
        use DisputeStatus::{NeedsResponse, UnderReview};
        matches!(self.status(), Some(NeedsResponse | UnderReview))
    }

    /// Whether the money is gone.
    pub fn is_lost(&self) -> bool {
        self.status() == Some(DisputeStatus::Lost)
    }

    /// Whether more is to come of it.
    pub fn is_unfinished(&self) -> bool {
        use DisputeStatus::{WarningNeedsResponse, WarningUnderReview};
        self.is_open()
            || matches!(
                self.status(),
                Some(WarningNeedsResponse | WarningUnderReview)
            )
    }
}

/// All that is known of a purchase's payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Each session's furthest state.
    #[serde(default)]
    pub sessions: BTreeMap<SessionId, SessionState>,
    /// Each refund's furthest state.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<RefundId, Refund>,
    /// Each dispute.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disputes: BTreeMap<DisputeId, Dispute>,
}

impl Facts {
    /// Takes a change in; says whether it told anything new.
    pub fn merge(&mut self, change: Change) -> bool {
        match change {
            Change::Session(id, state) => keep_greatest(&mut self.sessions, id, state),
            Change::Refund(id, refund) => keep_greatest(&mut self.refunds, id, refund),
            Change::Dispute(id, report) => self.disputes.entry(id).or_default().merge(report),
            Change::ChargeRefunded(_) => false,
        }
    }

    /// The furthest state of any session.
    pub(super) fn payment(&self) -> Option<&SessionState> {
        self.sessions.values().max()
    }

    /// Whether it was paid, or nothing was to pay.
    pub fn is_settled(&self) -> bool {
        self.settled().next().is_some()
    }

    /// What was settled, session by session.
    pub(super) fn settled(&self) -> impl Iterator<Item = Money> {
        self.sessions.values().filter_map(|state| match state {
            SessionState::Settled { amount, .. } => Some(*amount),
            _ => None,
        })
    }

    /// What was refunded, refund by refund; those on their way included if `unfinished`.
    pub(super) fn refunded(&self, unfinished: bool) -> impl Iterator<Item = Money> {
        self.refunds
            .values()
            .filter(move |refund| {
                refund.state == RefundState::Succeeded || unfinished && refund.state.is_unfinished()
            })
            .map(|refund| refund.amount)
    }

    /// What disputes keep, for now or for good.
    pub(super) fn disputed(&self) -> impl Iterator<Item = Money> {
        self.disputes
            .values()
            .filter(|dispute| dispute.is_open() || dispute.is_lost())
            .filter_map(|dispute| dispute.terms().map(|terms| terms.amount))
    }
}

/// Keeps the greater of the value in the map and this one; says whether this one was it.
fn keep_greatest<K: Ord, V: Ord>(known: &mut BTreeMap<K, V>, key: K, value: V) -> bool {
    match known.get_mut(&key) {
        Some(known) if *known >= value => false,
        Some(known) => {
            *known = value;
            true
        }
        None => {
            known.insert(key, value);
            true
        }
    }
}
