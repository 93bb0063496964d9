//! How a purchase stands, in a word, and what of it a person should look at.

use serde::{Deserialize, Serialize};

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
