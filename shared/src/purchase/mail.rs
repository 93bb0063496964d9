//! The mails that a purchase calls for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DisputeId, DisputeStatus, Refund, RefundId, RefundState, SessionState, WaitsFor};

/// A mail that a purchase calls for. Each is ordered once at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mail {
    /// To the buyer: a delayed payment is on its way. Useful only while that is true.
    Pending,
    /// To the buyer: they still have to pay, with a voucher or a transfer. Useful only while that
    /// is true.
    Voucher,
    /// To the buyer: a delayed payment failed. Useful only while that is true.
    Failed,
    /// To the buyer: the receipt. Once due, it stays due, whatever follows.
    Paid,
    /// To the buyer: a refund is on its way. Useful only while that is true.
    Refund(RefundId),
    /// To the buyer: a refund failed.
    RefundFailed(RefundId),
    /// To the seller: a bank asks about a payment, and may take the money later.
    InquiryOpened(DisputeId),
    /// To the seller: a bank took the money and waits for evidence.
    DisputeOpened(DisputeId),
    /// To the seller: the dispute or inquiry ended with this status. If it is decided anew, it ends
    /// again.
    DisputeClosed(DisputeId, DisputeStatus),
}

impl Mail {
    /// The mail, if any, for a session that has come this far.
    pub(super) fn of_session(state: &SessionState) -> Option<Self> {
        match state {
            SessionState::Settled { .. } => Some(Self::Paid),
            SessionState::Pending { waits_for } => Some(match waits_for {
                WaitsFor::Buyer { .. } => Self::Voucher,
                WaitsFor::Bank | WaitsFor::Unknown => Self::Pending,
            }),
            SessionState::Failed => Some(Self::Failed),
            SessionState::Open | SessionState::Expired => None,
        }
    }

    /// The mail, if any, for a refund that has come this far.
    pub(super) fn of_refund(id: &RefundId, refund: &Refund) -> Option<Self> {
        match refund.state {
            RefundState::Pending | RefundState::Succeeded => Some(Self::Refund(id.clone())),
            RefundState::Canceled | RefundState::Failed => Some(Self::RefundFailed(id.clone())),
            // Stripe itself asks the buyer where the money should go.
            RefundState::RequiresAction => None,
        }
    }

    /// The mail, if any, for a dispute that was seen in this status.
    pub(super) fn of_dispute(id: &DisputeId, status: DisputeStatus) -> Option<Self> {
        use DisputeStatus as S;
        let id = id.clone();
        match status {
            S::WarningNeedsResponse | S::WarningUnderReview => Some(Self::InquiryOpened(id)),
            S::NeedsResponse | S::UnderReview => Some(Self::DisputeOpened(id)),
            S::WarningClosed | S::Won | S::Lost => Some(Self::DisputeClosed(id, status)),
            S::Prevented => None,
        }
    }

    /// Whether it says how things stand for now, rather than what has happened.
    pub(super) fn is_progress(&self) -> bool {
        matches!(
            self,
            Self::Pending | Self::Voucher | Self::Failed | Self::Refund(_)
        )
    }

    /// Whether it goes to the seller.
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
                let status =
                    status.ok_or_else(|| format!("{name:?} does not name the end of a dispute"))?;
                Self::DisputeClosed(id.to_owned().into(), status)
            }
            _ => return Err(format!("{name:?} is not a mail")),
        };
        Ok(mail)
    }
}
