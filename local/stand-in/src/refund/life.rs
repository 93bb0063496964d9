//! What can happen to a refund, and to the charge it is of.
//!
//! ```text
//! pending ──────────► succeeded ──► failed
//!   │  └─► requires_action ─┴─► succeeded, failed, canceled
//!   └────► failed, canceled
//! ```
//!
//! A charge counts a refund as soon as it is made, and no longer once it has failed or is canceled.

use crate::account::amount::Amount;
use crate::account::balance::Entry;
use crate::dispute::object::Dispute;
use crate::engine::ids::{self, RefundId};
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::payment::bank::Scheme;
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::method::Means;
use crate::payment::testing::card::Refunds;
use crate::radar::review::Closed;
use crate::refund::object::{Destination, Refund, RefundFailure, RefundStatus};
use crate::webhook::record::{record, record_change};
use crate::{account, dispute, radar};

/// How long a bank thinks.
const DECIDES_AFTER: Timestamp = 30;

/// Why there is no refund.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unrefundable {
    /// There is no money to give back: it never came, or has not come yet.
    NotPaid,
    AllRefunded,
    /// The buyer's bank has taken the money back already.
    Disputed,
    /// What is set aside goes back whole.
    PartOfAuthorization,
    /// More than is left.
    TooMuch {
        amount: Amount,
    },
}

/// Gives `amount` back, or whatever is left.
pub(crate) fn create(
    transaction: &Transaction<'_>,
    charge: &mut Charge,
    amount: Option<Amount>,
    reason: Option<String>,
    metadata: Metadata,
) -> anyhow::Result<Result<Refund, Unrefundable>> {
    let amount = match check(transaction, charge, amount)? {
        Ok(amount) => amount,
        Err(why) => return Ok(Err(why)),
    };
    let releases = is_set_aside_alone(charge);
    let (destination, refunds) = way_back(charge);
    let later = transaction.now.saturating_add(DECIDES_AFTER);
    let (status, decided) = match refunds {
        Refunds::Succeed => (
            RefundStatus::Succeeded,
            Some((later, RefundStatus::Succeeded)),
        ),
        Refunds::SucceedLater => (
            RefundStatus::Pending,
            Some((later, RefundStatus::Succeeded)),
        ),
        Refunds::FailLater => (RefundStatus::Succeeded, Some((later, RefundStatus::Failed))),
    };
    let id = RefundId::random();
    let taken = amount.negated();
    let entry = match releases {
        true => None,
        false => Some(account::book::enter(
            transaction,
            Entry::Refund,
            &id,
            taken,
            charge.currency,
        )?),
    };
    let refund = Refund {
        id,
        created: transaction.now,
        amount,
        currency: charge.currency,
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        reason,
        metadata,
        status,
        balance_transaction: entry.map(|entry| entry.id),
        failure: None,
        destination,
        reference: None,
        email: charge.billing.email.clone(),
        decided,
    };
    let before = charge.answer();
    match releases {
        true => charge.state = ChargeState::Released,
        false => charge.amount_refunded = charge.amount_refunded.plus(amount),
    }
    transaction.put(&refund)?;
    transaction.put(charge)?;
    record(transaction, "refund.created", &refund)?;
    record_change(transaction, "charge.refunded", &before, charge)?;
    if charge.refundable() == Amount::ZERO {
        end_worries(transaction, charge, refund.reason.as_deref())?;
    }
    Ok(Ok(refund))
}

/// All of the money is the buyer's again: nobody needs to ask for it, or to look at the payment.
fn end_worries(
    transaction: &Transaction<'_>,
    charge: &mut Charge,
    reason: Option<&str>,
) -> anyhow::Result<()> {
    dispute::life::withdraw_inquiries(transaction, &charge.id)?;
    radar::life::nothing_to_avert(transaction, &charge.id)?;
    let how = match reason {
        Some("fraudulent") => Closed::RefundedAsFraud,
        _ => Closed::Refunded,
    };
    radar::life::close_reviews_of(transaction, &charge.id, how)?;
    *charge = transaction.existing(&charge.id)?;
    Ok(())
}

/// Where the money goes, and how that fares.
fn way_back(charge: &Charge) -> (Destination, Refunds) {
    match &charge.means {
        Means::Card(_) if is_set_aside_alone(charge) => (Destination::Card, Refunds::Succeed),
        Means::Card(card) => (Destination::Card, card.refunds()),
        // Cash has no way back by itself: the buyer gives an account.
        Means::Voucher(_) | Means::CustomerBalance => (Destination::Card, Refunds::SucceedLater),
        Means::BankDebit(debit) => (
            match debit.scheme {
                Scheme::Ach => Destination::UsBankTransfer,
                Scheme::Sepa => Destination::EuBankTransfer,
                Scheme::Bacs => Destination::GbBankTransfer,
            },
            Refunds::SucceedLater,
        ),
    }
}

/// Whether the money waits to be captured, without an intent that could be canceled.
fn is_set_aside_alone(charge: &Charge) -> bool {
    matches!(charge.state, ChargeState::Authorized { .. }) && charge.payment_intent.is_none()
}

/// How much is to be refunded, if it can be.
fn check(
    transaction: &Transaction<'_>,
    charge: &Charge,
    amount: Option<Amount>,
) -> anyhow::Result<Result<Amount, Unrefundable>> {
    let left = charge.refundable();
    let disputes = transaction.having::<Dispute>("charge", &charge.id)?;
    Ok(match amount {
        Some(amount) if is_set_aside_alone(charge) && amount < charge.amount => {
            Err(Unrefundable::PartOfAuthorization)
        }
        Some(amount) if is_set_aside_alone(charge) && amount > charge.amount => {
            Err(Unrefundable::TooMuch { amount })
        }
        _ if is_set_aside_alone(charge) => Ok(charge.amount),
        _ if charge.captured() == Amount::ZERO => Err(Unrefundable::NotPaid),
        _ if disputes.iter().any(|it| it.status.holds_the_money()) => Err(Unrefundable::Disputed),
        _ if left == Amount::ZERO => Err(Unrefundable::AllRefunded),
        Some(amount) if amount > left => Err(Unrefundable::TooMuch { amount }),
        Some(amount) => Ok(amount),
        None => Ok(left),
    })
}

/// The refund is in a state in which this cannot happen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongState;

/// Moves a refund on.
pub(crate) fn advance(
    transaction: &Transaction<'_>,
    refund: &mut Refund,
    status: RefundStatus,
) -> anyhow::Result<Result<(), WrongState>> {
    use RefundStatus::{Canceled, Failed, Pending, RequiresAction, Succeeded};
    let possible = match status {
        Succeeded => matches!(refund.status, Pending | RequiresAction),
        // What was only set aside has nowhere to come back from.
        Failed | Canceled if refund.balance_transaction.is_none() => false,
        Failed => matches!(refund.status, Pending | RequiresAction | Succeeded),
        Canceled => matches!(refund.status, Pending | RequiresAction),
        RequiresAction => refund.status == Pending,
        Pending => false,
    };
    if !possible {
        return Ok(Err(WrongState));
    }
    let before = refund.answer();
    refund.status = status;
    refund.decided = None;
    match status {
        Succeeded => refund.reference = Some(ids::bank_reference()),
        Failed => take_back(transaction, refund, "expired_or_canceled_card")?,
        Canceled => take_back(transaction, refund, "merchant_request")?,
        Pending | RequiresAction => {}
    }
    update(transaction, &before, refund)?;
    if status == Failed {
        record(transaction, "refund.failed", refund)?;
    }
    Ok(Ok(()))
}

/// The money did not arrive: it is the account's again, and the charge may be refunded anew.
fn take_back(
    transaction: &Transaction<'_>,
    refund: &mut Refund,
    reason: &str,
) -> anyhow::Result<()> {
    let mut charge: Charge = transaction.existing(&refund.charge)?;
    charge.amount_refunded = charge.amount_refunded.minus(refund.amount);
    transaction.put(&charge)?;
    let entry = account::book::enter(
        transaction,
        Entry::RefundFailure,
        &refund.id,
        refund.amount,
        refund.currency,
    )?;
    refund.failure = Some(RefundFailure {
        reason: reason.to_owned(),
        balance_transaction: entry.id,
    });
    Ok(())
}

/// Keeps a changed refund. Stripe tells of it under a new name and an old one.
pub(crate) fn update(
    transaction: &Transaction<'_>,
    before: &serde_json::Value,
    refund: &Refund,
) -> anyhow::Result<()> {
    transaction.put(refund)?;
    record_change(transaction, "refund.updated", before, refund)?;
    record_change(transaction, "charge.refund.updated", before, refund)
}

/// The bank decides, as it has meant to all along.
pub(crate) fn decide(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut refund: Refund = transaction.existing(id)?;
    let Some((_, status)) = refund.decided.take() else {
        return Ok(());
    };
    if refund.status == RefundStatus::Succeeded && status == RefundStatus::Succeeded {
        let before = refund.answer();
        refund.reference = Some(ids::bank_reference());
        return update(transaction, &before, &refund);
    }
    advance(transaction, &mut refund, status)?
        .map_err(|WrongState| anyhow::anyhow!("{id} cannot end as decided"))
}
