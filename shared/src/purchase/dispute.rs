//! Payments that the buyer's bank disputes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{TransactionId, merge::keep_greatest};
use crate::money::Money;

/// How a dispute stands, the furthest last. The first four move no money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// An inquiry: the bank asks before it takes any money.
    WarningNeedsResponse,
    /// An inquiry that was answered, and is with the bank.
    WarningUnderReview,
    /// An inquiry that came to nothing.
    WarningClosed,
    /// Settled with the bank before it became a dispute.
    Prevented,
    /// The bank took the money and waits for evidence.
    NeedsResponse,
    /// The bank is reviewing the evidence.
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

/// A dispute as one event or one answer shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeReport {
    /// How it stands.
    pub status: DisputeStatus,
    /// What it is about.
    pub terms: DisputeTerms,
    /// What it moved so far.
    pub movements: BTreeMap<TransactionId, Movement>,
}

/// What a dispute is about while it has a given status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DisputeTerms {
    /// How much is disputed, in the currency of the charge.
    pub amount: Money,
    /// Why, in Stripe's words: `fraudulent`, `product_not_received` ….
    pub reason: String,
    /// When evidence is due, in Unix seconds; `None` if none is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_by: Option<i64>,
}

/// Money that a dispute took from the seller's balance, or gave back to it. It is in the
/// currency of the balance, which may differ from the charge's, so the two are never added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Movement {
    /// Negative if it was taken.
    pub amount: Money,
    /// The fee that Stripe charged with it, in minor units; negative if it was given back.
    pub fee: i64,
}

/// Everything that was ever said about one dispute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Every status it was seen in, and its terms then.
    pub seen: BTreeMap<DisputeStatus, DisputeTerms>,
    /// Every movement of money it was seen with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub movements: BTreeMap<TransactionId, Movement>,
}

impl Dispute {
    /// Merges a report; says whether it said anything new.
    pub(super) fn merge(&mut self, report: DisputeReport) -> bool {
        let terms = keep_greatest(&mut self.seen, report.status, report.terms);
        report
            .movements
            .into_iter()
            .fold(terms, |news, (id, movement)| {
                keep_greatest(&mut self.movements, id, movement) || news
            })
    }

    /// Its status: the furthest it was seen in. A dispute that was both won and lost was decided
    /// twice, and its status follows from the money it moved.
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

    /// Whether a status is the first to say that it was won although it was lost before, or the
    /// other way round: then something was missed.
    pub(super) fn is_contradicted_by(&self, status: DisputeStatus) -> bool {
        let other = match status {
            DisputeStatus::Won => DisputeStatus::Lost,
            DisputeStatus::Lost => DisputeStatus::Won,
            _ => return false,
        };
        self.seen.contains_key(&other) && !self.seen.contains_key(&status)
    }

    /// Whether it holds money that is still being decided on.
    pub fn is_open(&self) -> bool {
        use DisputeStatus::{NeedsResponse, UnderReview};
        matches!(self.status(), Some(NeedsResponse | UnderReview))
    }

    /// Whether the money is gone.
    pub fn is_lost(&self) -> bool {
        self.status() == Some(DisputeStatus::Lost)
    }

    /// Whether it is not over yet.
    pub fn is_unfinished(&self) -> bool {
        use DisputeStatus::{WarningNeedsResponse, WarningUnderReview};
        self.is_open()
            || matches!(
                self.status(),
                Some(WarningNeedsResponse | WarningUnderReview)
            )
    }
}
