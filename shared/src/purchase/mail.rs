//! The mails that a purchase calls for.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{
    DisputeId, DisputeStatus, ParcelId, Refund, RefundId, RefundState, SessionState, WaitsFor,
};

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
    /// To the buyer: this parcel is on its way, or what else was to be done is.
    Shipped(ParcelId),
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
    /// To the buyer: their subscription has begun.
    Welcome,
    /// To the seller: this was sold. It is called for together with the receipt or the welcome.
    Sold,
    /// To the buyer: this attempt to charge an invoice failed. Useful only while it is the latest,
    /// and the invoice is not paid.
    PaymentFailed(u32),
    /// To the buyer: their bank wants them to confirm this attempt to charge an invoice. Useful as
    /// long as the one above.
    ActionRequired(u32),
    /// What the reading of a subscription that made this version of it told.
    Notice(Notice, u64),
}

/// What somebody is told about a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// To the buyer: the trial is about to end. Useful only while that is true.
    TrialEnding,
    /// To the buyer: they have another plan now.
    PlanChanged,
    /// To the buyer: it is cancelled, and lasts until then. Useful only while that is true.
    Cancelled,
    /// To the buyer: it is over.
    Ended,
    /// To the seller: it was lost, because nothing could be charged any more.
    Lost,
}

impl Notice {
    const ALL: [Self; 5] = [
        Self::TrialEnding,
        Self::PlanChanged,
        Self::Cancelled,
        Self::Ended,
        Self::Lost,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::TrialEnding => "trial_ending",
            Self::PlanChanged => "plan_changed",
            Self::Cancelled => "cancelled",
            Self::Ended => "ended",
            Self::Lost => "lost",
        }
    }
}

/// Orders the mails that are called for now, and takes back those about how things stand that no
/// longer are, unless they may be again. Returns both, and notes both in what was `ordered` and
/// `superseded` before.
pub(crate) fn order(
    called_for: &BTreeSet<Mail>,
    ordered: &mut BTreeSet<Mail>,
    superseded: &mut BTreeSet<Mail>,
    may_be_true_again: impl Fn(&Mail) -> bool,
) -> (BTreeSet<Mail>, BTreeSet<Mail>) {
    let due: BTreeSet<_> = called_for.difference(ordered).cloned().collect();
    let stale: BTreeSet<_> = ordered
        .difference(called_for)
        .filter(|mail| mail.is_progress() && !may_be_true_again(mail))
        .filter(|mail| !superseded.contains(mail))
        .cloned()
        .collect();
    ordered.extend(due.iter().cloned());
    superseded.extend(stale.iter().cloned());
    (due, stale)
}

impl Mail {
    /// The mail, if any, for a session that has come this far.
    pub(super) fn of_session(state: &SessionState) -> Option<Self> {
        match state {
            SessionState::Settled { subscription, .. } => Some(match subscription {
                Some(_) => Self::Welcome,
                None => Self::Paid,
            }),
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
    pub(crate) fn is_progress(&self) -> bool {
        matches!(
            self,
            Self::Pending
                | Self::Voucher
                | Self::Failed
                | Self::Refund(_)
                | Self::PaymentFailed(_)
                | Self::ActionRequired(_)
                | Self::Notice(Notice::TrialEnding | Notice::Cancelled, _)
        )
    }

    /// Whether it goes to the seller.
    pub fn is_for_seller(&self) -> bool {
        matches!(
            self,
            Self::Sold
                | Self::InquiryOpened(_)
                | Self::DisputeOpened(_)
                | Self::DisputeClosed(..)
                | Self::Notice(Notice::Lost, _)
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
            Self::Shipped(id) => write!(f, "shipped#{id}"),
            Self::Refund(id) => write!(f, "refund#{id}"),
            Self::RefundFailed(id) => write!(f, "refund_failed#{id}"),
            Self::InquiryOpened(id) => write!(f, "inquiry_opened#{id}"),
            Self::DisputeOpened(id) => write!(f, "dispute_opened#{id}"),
            Self::DisputeClosed(id, status) => {
                write!(f, "dispute_closed#{id}#{}", status.as_str())
            }
            Self::Welcome => f.write_str("welcome"),
            Self::Sold => f.write_str("sold"),
            Self::PaymentFailed(attempt) => write!(f, "payment_failed#{attempt}"),
            Self::ActionRequired(attempt) => write!(f, "action_required#{attempt}"),
            Self::Notice(notice, version) => write!(f, "{}#{version}", notice.as_str()),
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
        let number = |text: &str| {
            let number = text
                .parse::<u64>()
                .ok()
                .filter(|number| number.to_string() == text);
            number.ok_or_else(|| format!("{name:?} is not a mail"))
        };
        let attempt = |text: &str| {
            u32::try_from(number(text)?).map_err(|_| format!("{name:?} is not a mail"))
        };
        let mut parts = name.split('#');
        let mail = match (parts.next(), parts.next(), parts.next()) {
            (Some("pending"), None, _) => Self::Pending,
            (Some("voucher"), None, _) => Self::Voucher,
            (Some("failed"), None, _) => Self::Failed,
            (Some("paid"), None, _) => Self::Paid,
            (Some("shipped"), Some(id), None) => {
                let id = ParcelId::try_from(id.to_owned());
                Self::Shipped(id.map_err(|_| format!("{name:?} is not a mail"))?)
            }
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
            (Some("welcome"), None, _) => Self::Welcome,
            (Some("sold"), None, _) => Self::Sold,
            (Some("payment_failed"), Some(n), None) => Self::PaymentFailed(attempt(n)?),
            (Some("action_required"), Some(n), None) => Self::ActionRequired(attempt(n)?),
            (Some(notice), Some(version), None) => {
                let mut all = Notice::ALL.into_iter();
                let notice = all.find(|one| one.as_str() == notice);
                let notice = notice.ok_or_else(|| format!("{name:?} is not a mail"))?;
                Self::Notice(notice, number(version)?)
            }
            _ => return Err(format!("{name:?} is not a mail")),
        };
        Ok(mail)
    }
}
