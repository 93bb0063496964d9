//! What an invoice's facts add up to.

use serde::{Deserialize, Serialize};

use super::{Invoice, InvoiceState, Period, Reason};
use crate::purchase::Gone;

/// What an invoice's facts add up to: the first of these that is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceStatus {
    /// A dispute was lost.
    ChargedBack,
    /// A dispute is open: the bank holds the money.
    Disputed,
    /// Everything that was paid went back.
    Refunded,
    /// Some of what was paid went back.
    PartiallyRefunded,
    /// Paid, or there was nothing to pay.
    Paid,
    /// It does not have to be paid.
    Void,
    /// Nobody expects it to be paid any more.
    Uncollectible,
    /// To be paid.
    Open,
    /// It may still change.
    Draft,
}

impl InvoiceStatus {
    /// The status as it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChargedBack => "charged_back",
            Self::Disputed => "disputed",
            Self::Refunded => "refunded",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Paid => "paid",
            Self::Void => "void",
            Self::Uncollectible => "uncollectible",
            Self::Open => "open",
            Self::Draft => "draft",
        }
    }
}

impl From<Gone> for InvoiceStatus {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::ChargedBack => Self::ChargedBack,
            Gone::Disputed => Self::Disputed,
            Gone::Refunded => Self::Refunded,
            Gone::PartiallyRefunded => Self::PartiallyRefunded,
        }
    }
}

impl Invoice {
    /// Its status.
    pub fn status(&self) -> InvoiceStatus {
        if let Some(taken) = self.payment.taken() {
            return taken.into();
        }
        match self.state() {
            InvoiceState::Draft => InvoiceStatus::Draft,
            InvoiceState::Open => InvoiceStatus::Open,
            InvoiceState::Uncollectible => InvoiceStatus::Uncollectible,
            InvoiceState::Void => InvoiceStatus::Void,
            InvoiceState::Paid => {
                let returned = self.accounts().returned();
                returned.map_or(InvoiceStatus::Paid, InvoiceStatus::from)
            }
        }
    }

    /// The time that it pays for by itself; `None` if it only adjusts what another paid.
    pub fn period(&self) -> Option<Period> {
        let begins = matches!(
            self.bill.reason,
            Reason::First | Reason::Renewal | Reason::Change
        );
        self.bill.period.filter(|_| begins)
    }

    /// Whether it is paid, and the money is still the seller's, or at least not lost yet.
    pub fn stands(&self) -> bool {
        self.state() == InvoiceState::Paid && !self.is_taken_back()
    }

    /// Whether all that was paid went back to the buyer. A dispute can be about a part of it.
    pub fn is_taken_back(&self) -> bool {
        let paid = self.accounts().paid;
        self.state() == InvoiceState::Paid && self.payment.gave_back(paid)
    }

    /// Whether its buyer sees it: it is not a draft any more.
    pub fn is_in_history(&self) -> bool {
        self.state() != InvoiceState::Draft
    }
}
