//! A subscription follows what becomes of its invoices. Whoever changes an invoice tells it here.

use serde::{Deserialize, Serialize};

use crate::engine::resource::Object as _;
use crate::engine::settings::{set, setting};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::invoice::collect::Outcome;
use crate::invoice::object::{BillingReason, Invoice, Status as InvoiceStatus};
use crate::subscription::life::{change, end, save_method};
use crate::subscription::object::{Reason, Resumption, Status, Subscription};
use crate::webhook::record::record;

/// The account's setting of what becomes of a subscription when every retry has failed.
const AFTER_RETRIES: &str = "after_retries";

/// What becomes of a subscription when every retry has failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AfterRetries {
    /// It is canceled.
    #[default]
    Cancel,
    /// It is unpaid: what it owes later stays a draft.
    MarkUnpaid,
    /// It stays past due.
    LeavePastDue,
}

impl AfterRetries {
    /// As the account has it.
    pub(crate) fn of(transaction: &Transaction<'_>) -> anyhow::Result<Self> {
        Ok(match setting(transaction.sql, AFTER_RETRIES)? {
            1 => Self::MarkUnpaid,
            2 => Self::LeavePastDue,
            _ => Self::Cancel,
        })
    }

    /// The account has it so from now on.
    pub(crate) fn keep(self, transaction: &Transaction<'_>) -> anyhow::Result<()> {
        let number = match self {
            Self::Cancel => 0,
            Self::MarkUnpaid => 1,
            Self::LeavePastDue => 2,
        };
        set(transaction.sql, AFTER_RETRIES, number)
    }
}

/// An invoice has changed; if that came of a try to collect it, `tried` is what became of it.
pub(crate) fn follow(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
    tried: Option<&Outcome>,
) -> anyhow::Result<()> {
    let Some(subscription) = invoice.subscription() else {
        return Ok(());
    };
    let Some(mut subscription) = transaction.get::<Subscription>(subscription)? else {
        return Ok(());
    };
    if subscription.status.is_over() {
        return Ok(());
    }
    let failed = matches!(
        tried,
        Some(Outcome::Declined(_) | Outcome::ActionRequired | Outcome::NoMethod)
    );
    match invoice.status {
        InvoiceStatus::Open { next_attempt } if failed => {
            let lacks_method = matches!(tried, Some(Outcome::NoMethod));
            fail(
                transaction,
                subscription,
                invoice,
                next_attempt,
                lacks_method,
            )
        }
        // Whoever was sent it has not paid it in time.
        InvoiceStatus::Open { .. } if invoice.reminded.overdue => {
            let before = subscription.answer();
            if subscription.status == Status::Active {
                subscription.status = Status::PastDue;
            }
            change(transaction, &subscription, &before)
        }
        InvoiceStatus::Paid | InvoiceStatus::Void | InvoiceStatus::Uncollectible => {
            settle(transaction, &mut subscription, invoice)
        }
        _ => Ok(()),
    }
}

/// An invoice is paid, or nobody expects that any more. The latest decides how the subscription stands.
fn settle(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
    invoice: &Invoice,
) -> anyhow::Result<()> {
    let before = subscription.answer();
    let is_paid = invoice.status == InvoiceStatus::Paid;
    if is_paid {
        save_method(transaction, subscription, invoice)?;
    }
    if subscription.latest_invoice.as_ref() != Some(&invoice.id) {
        return change(transaction, subscription, &before);
    }
    let is_in_trial = subscription
        .trial
        .is_some_and(|it| it.end > transaction.now);
    let resumes = subscription
        .resumption
        .take_if(|it| it.invoice == invoice.id);
    let was_paused = subscription.status == Status::Paused;
    subscription.status = match subscription.status {
        Status::Incomplete { .. } if is_paid && is_in_trial => Status::Trialing,
        Status::Incomplete { .. } if is_paid => Status::Active,
        Status::Incomplete { .. } if invoice.status == InvoiceStatus::Void => {
            subscription.ended_at = Some(transaction.now);
            Status::IncompleteExpired
        }
        Status::PastDue | Status::Unpaid => Status::Active,
        Status::Paused if resumes.is_some() && invoice.status != InvoiceStatus::Void => {
            Status::Active
        }
        other => other,
    };
    change(transaction, subscription, &before)?;
    match was_paused && subscription.status == Status::Active {
        true => record(transaction, "customer.subscription.resumed", subscription),
        false => Ok(()),
    }
}

/// An invoice was not paid. When nobody tries it again, the account's setting decides.
fn fail(
    transaction: &Transaction<'_>,
    mut subscription: Subscription,
    invoice: &Invoice,
    next_attempt: Option<Timestamp>,
    lacks_method: bool,
) -> anyhow::Result<()> {
    // Where a schedule begins it, the first invoice is like any other.
    let is_first = invoice.billing_reason == BillingReason::SubscriptionCreate;
    if is_first && subscription.schedule.is_none() {
        return Ok(());
    }
    let before = subscription.answer();
    // Who has just been subscribed may still say what to pay with.
    let may_say = is_first && lacks_method;
    let is_last = next_attempt.is_none() && invoice.terms.auto_advance && !may_say;
    let after = AfterRetries::of(transaction)?;
    let tried_by_hand = !invoice.terms.auto_advance;
    let resumes = |it: &mut Resumption| it.invoice == invoice.id && tried_by_hand;
    if subscription.resumption.take_if(resumes).is_some() {
        subscription.status = Status::PastDue;
    }
    match (subscription.status, is_last) {
        (Status::Active, false) => subscription.status = Status::PastDue,
        (Status::Active | Status::PastDue, true) => match after {
            AfterRetries::Cancel => {
                return end(transaction, &mut subscription, Reason::PaymentFailed);
            }
            AfterRetries::MarkUnpaid => subscription.status = Status::Unpaid,
            AfterRetries::LeavePastDue => subscription.status = Status::PastDue,
        },
        _ => {}
    }
    change(transaction, &subscription, &before)
}
