//! What other systems are told about a purchase, or about an invoice.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{DisputeId, DisputeStatus, ParcelId, Payment, Refund, RefundId, RefundState};

/// Something that other systems are told, once. Ordered as it comes about, if nothing else says in
/// which order it did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum News {
    /// Nobody paid, and nobody can any more. What it had reserved is for sale again.
    Expired,
    /// A delayed payment failed.
    Failed,
    /// This attempt to charge an invoice failed.
    ChargeFailed(u32),
    /// It was paid, or there was nothing to pay.
    Paid,
    /// The seller sent this parcel, or did whatever else was to be done.
    Fulfilled(ParcelId),
    /// The buyer has the money of this refund, or will have it in a few days.
    Refunded(RefundId),
    /// This refund came to nothing, so that the money is with the seller again.
    RefundFailed(RefundId),
    /// A bank took the money.
    Disputed(DisputeId),
    /// The dispute was won or lost. If it is decided anew, that is news again.
    DisputeClosed(DisputeId, DisputeStatus),
}

/// When something became news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Announced {
    /// The version of its subject that it came with: it grows with each change.
    pub sequence: u64,
    /// When it was recorded, in Unix seconds; `None` if nobody was told, because it was true before
    /// there was anybody to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// What was announced of one subject, and when.
pub type Announcements = BTreeMap<News, Announced>;

/// Announces what is called for and was not announced yet. Returns that.
pub(crate) fn announce(
    called_for: BTreeSet<News>,
    announcements: &mut Announcements,
    announced: Announced,
) -> Vec<News> {
    let mut news = called_for;
    news.retain(|one| !announcements.contains_key(one));
    announcements.extend(news.iter().map(|one| (one.clone(), announced)));
    news.into_iter().collect()
}

impl News {
    /// The second half of an event's type: what happened. The first is what it happened to.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Failed | Self::ChargeFailed(_) => "payment_failed",
            Self::Paid => "paid",
            Self::Fulfilled(_) => "fulfilled",
            Self::Refunded(_) => "refunded",
            Self::RefundFailed(_) => "refund_failed",
            Self::Disputed(_) => "disputed",
            Self::DisputeClosed(..) => "dispute_closed",
        }
    }

    fn of_refund(id: &RefundId, refund: &Refund) -> Option<Self> {
        match refund.state {
            RefundState::Succeeded => Some(Self::Refunded(id.clone())),
            RefundState::Canceled | RefundState::Failed => Some(Self::RefundFailed(id.clone())),
            RefundState::Pending | RefundState::RequiresAction => None,
        }
    }

    /// An inquiry moves no money, and is nobody's business but the seller's.
    fn of_dispute(id: &DisputeId, status: DisputeStatus) -> Option<Self> {
        use DisputeStatus as S;
        let id = id.clone();
        match status {
            S::NeedsResponse | S::UnderReview => Some(Self::Disputed(id)),
            S::Won | S::Lost => Some(Self::DisputeClosed(id, status)),
            S::WarningNeedsResponse | S::WarningUnderReview | S::WarningClosed | S::Prevented => {
                None
            }
        }
    }
}

impl Payment {
    /// What there is to tell about it.
    pub(crate) fn news(&self) -> impl Iterator<Item = News> {
        let refunds = self.refunds().iter();
        let refunds = refunds.filter_map(|(id, refund)| News::of_refund(id, refund));
        let disputes = self.disputes().iter().flat_map(|(id, dispute)| {
            let seen = dispute.seen.keys();
            seen.filter_map(|status| News::of_dispute(id, *status))
        });
        refunds.chain(disputes)
    }
}

/// Its name, unique among what is told of one subject.
impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = self.verb();
        match self {
            Self::Expired | Self::Failed | Self::Paid => f.write_str(verb),
            Self::ChargeFailed(attempt) => write!(f, "{verb}#{attempt}"),
            Self::Fulfilled(id) => write!(f, "{verb}#{id}"),
            Self::Refunded(id) | Self::RefundFailed(id) => write!(f, "{verb}#{id}"),
            Self::Disputed(id) => write!(f, "{verb}#{id}"),
            Self::DisputeClosed(id, status) => write!(f, "{verb}#{id}#{}", status.as_str()),
        }
    }
}

impl From<News> for String {
    fn from(news: News) -> Self {
        news.to_string()
    }
}

impl TryFrom<String> for News {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let unknown = || format!("{name:?} is not the name of any news");
        let mut parts = name.split('#');
        let news = match (parts.next(), parts.next(), parts.next()) {
            (Some("expired"), None, _) => Self::Expired,
            (Some("payment_failed"), None, _) => Self::Failed,
            (Some("payment_failed"), Some(attempt), None) => {
                Self::ChargeFailed(attempt.parse().map_err(|_| unknown())?)
            }
            (Some("paid"), None, _) => Self::Paid,
            (Some("fulfilled"), Some(id), None) => {
                Self::Fulfilled(ParcelId::try_from(id.to_owned()).map_err(|_| unknown())?)
            }
            (Some("refunded"), Some(id), None) => Self::Refunded(id.to_owned().into()),
            (Some("refund_failed"), Some(id), None) => Self::RefundFailed(id.to_owned().into()),
            (Some("disputed"), Some(id), None) => Self::Disputed(id.to_owned().into()),
            (Some("dispute_closed"), Some(id), Some(status)) => {
                let status = match status {
                    "won" => DisputeStatus::Won,
                    "lost" => DisputeStatus::Lost,
                    _ => return Err(unknown()),
                };
                Self::DisputeClosed(id.to_owned().into(), status)
            }
            _ => return Err(unknown()),
        };
        Ok(news)
    }
}
