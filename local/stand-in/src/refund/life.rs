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
use crate::account::currency::Currency;
use crate::cash_balance::book;
use crate::cash_balance::object::Movement;
use crate::dispute::object::Dispute;
use crate::engine::ids::{self, CustomerId, RefundId};
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::method::Means;
use crate::payment::testing::card::Refunds;
use crate::payment::voucher::Voucher;
use crate::radar::review::Closed;
use crate::refund::object::{
    ANSWERED_WITHIN, Destination, Of, Refund, RefundFailure, RefundStatus,
};
use crate::webhook::record::{record, record_change};
use crate::{account, cash_balance, dispute, radar};

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
    /// Cash that was paid at a counter stays there: <https://docs.stripe.com/payments/oxxo#refunds>.
    Cash,
    /// Nobody knows whom to ask where the money is to go.
    NoEmail,
    /// More than is left.
    TooMuch {
        amount: Amount,
    },
}

/// What a refund is to be.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    /// Whatever is left, if nothing is said.
    pub(crate) amount: Option<Amount>,
    pub(crate) reason: Option<String>,
    pub(crate) metadata: Metadata,
    /// Where the buyer is to be asked, if not at the address that is known.
    pub(crate) email: Option<String>,
}

/// Gives money back.
pub(crate) fn create(
    transaction: &Transaction<'_>,
    charge: &mut Charge,
    wish: Wish,
) -> anyhow::Result<Result<Refund, Unrefundable>> {
    let amount = match check(transaction, charge, wish.amount)? {
        Ok(amount) => amount,
        Err(why) => return Ok(Err(why)),
    };
    let releases = is_set_aside_alone(charge);
    let Some((destination, fate)) = way_back(charge) else {
        return Ok(Err(Unrefundable::Cash));
    };
    let email = match wish.email.or_else(|| charge.billing.email.clone()) {
        Some(email) => Some(email),
        None => email_of(transaction, charge.customer.as_deref())?,
    };
    if fate == Fate::Asks && email.is_none() {
        return Ok(Err(Unrefundable::NoEmail));
    }
    let (status, decided) = fate.begin(transaction.now);
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
        of: Of::Payment {
            charge: charge.id.clone(),
            payment_intent: charge.payment_intent.clone(),
        },
        reason: wish.reason,
        metadata: wish.metadata,
        status,
        balance_transaction: entry.map(|entry| entry.id),
        failure: None,
        destination,
        reference: None,
        email,
        asks: fate == Fate::Asks,
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

/// Gives back to a customer what they have transferred and not used:
/// <https://docs.stripe.com/payments/customer-balance/refunding>.
pub(crate) fn return_cash(
    transaction: &Transaction<'_>,
    customer: &CustomerId,
    amount: Amount,
    currency: Currency,
    wish: Wish,
) -> anyhow::Result<Result<Refund, Unrefundable>> {
    let available = book::balance(transaction, customer)?.in_currency(currency);
    if amount > available {
        return Ok(Err(Unrefundable::TooMuch { amount }));
    }
    let email = match wish.email {
        Some(email) => Some(email),
        None => email_of(transaction, Some(customer))?,
    };
    if email.is_none() {
        return Ok(Err(Unrefundable::NoEmail));
    }
    let (status, decided) = Fate::Asks.begin(transaction.now);
    let refund = Refund {
        id: RefundId::random(),
        created: transaction.now,
        amount,
        currency,
        of: Of::CashBalance {
            customer: customer.clone(),
        },
        reason: wish.reason,
        metadata: wish.metadata,
        status,
        balance_transaction: None,
        failure: None,
        destination: Destination::transfer_in(currency),
        reference: None,
        email,
        asks: true,
        decided,
    };
    let taken = amount.negated();
    book::enter(
        transaction,
        customer,
        currency,
        taken,
        Movement::ReturnInitiated,
    )?;
    transaction.put(&refund)?;
    record(transaction, "refund.created", &refund)?;
    Ok(Ok(refund))
}

/// The address of a customer, if they have one.
fn email_of(
    transaction: &Transaction<'_>,
    customer: Option<&str>,
) -> anyhow::Result<Option<String>> {
    let shown = customer.map(|id| transaction.shown_of("customer", id));
    let shown = shown.transpose()?.flatten();
    Ok(shown.and_then(|it| Some(it.get("email")?.as_str()?.to_owned())))
}

/// How a refund fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The bank decides.
    Bank(Refunds),
    /// The buyer is asked for an account first.
    Asks,
}

impl Fate {
    /// How a refund begins, and what becomes of it by itself.
    fn begin(self, now: Timestamp) -> (RefundStatus, Option<(Timestamp, RefundStatus)>) {
        let later = |status| Some((now.saturating_add(DECIDES_AFTER), status));
        match self {
            Self::Bank(Refunds::Succeed) => {
                (RefundStatus::Succeeded, later(RefundStatus::Succeeded))
            }
            Self::Bank(Refunds::SucceedLater) => {
                (RefundStatus::Pending, later(RefundStatus::Succeeded))
            }
            Self::Bank(Refunds::FailLater) => {
                (RefundStatus::Succeeded, later(RefundStatus::Failed))
            }
            Self::Asks => (RefundStatus::RequiresAction, unanswered(now)),
        }
    }
}

/// What becomes of a refund whose buyer does not say where the money is to go.
fn unanswered(asked: Timestamp) -> Option<(Timestamp, RefundStatus)> {
    Some((asked.saturating_add(ANSWERED_WITHIN), RefundStatus::Failed))
}

/// Where the money goes, and how that fares; nothing if it has no way back.
fn way_back(charge: &Charge) -> Option<(Destination, Fate)> {
    let transfer = Destination::transfer_in(charge.currency);
    Some(match &charge.means {
        Means::Card(_) if is_set_aside_alone(charge) => {
            (Destination::Card, Fate::Bank(Refunds::Succeed))
        }
        Means::Card(card) => (Destination::Card, Fate::Bank(card.refunds())),
        Means::BankDebit(_) => (transfer, Fate::Bank(Refunds::SucceedLater)),
        Means::Voucher(Voucher::Oxxo) => return None,
        Means::Voucher(Voucher::Multibanco) => (Destination::Multibanco, Fate::Asks),
        Means::Voucher(_) | Means::CustomerBalance => (transfer, Fate::Asks),
    })
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
        Failed | Canceled if refund.is_release() => false,
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
        Failed if refund.destination == Destination::Card => {
            take_back(transaction, refund, "expired_or_canceled_card")?;
        }
        Failed => take_back(transaction, refund, "unknown")?,
        Canceled => take_back(transaction, refund, "merchant_request")?,
        RequiresAction => refund.decided = unanswered(refund.created),
        Pending => {}
    }
    update(transaction, &before, refund)?;
    if status == Failed {
        record(transaction, "refund.failed", refund)?;
    }
    Ok(Ok(()))
}

/// The money did not arrive: it is whose it was before, and may be given back anew.
fn take_back(
    transaction: &Transaction<'_>,
    refund: &mut Refund,
    reason: &str,
) -> anyhow::Result<()> {
    let (amount, currency) = (refund.amount, refund.currency);
    let entry = match &refund.of {
        Of::Payment { charge, .. } => {
            let mut charge: Charge = transaction.existing(charge)?;
            charge.amount_refunded = charge.amount_refunded.minus(amount);
            transaction.put(&charge)?;
            let failure = Entry::RefundFailure;
            let entry = account::book::enter(transaction, failure, &refund.id, amount, currency)?;
            Some(entry.id)
        }
        Of::CashBalance { customer } => {
            let movement = Movement::ReturnCanceled;
            book::enter(transaction, customer, currency, amount, movement)?;
            cash_balance::life::reconcile(transaction, customer, currency)?;
            None
        }
    };
    refund.failure = Some(RefundFailure {
        reason: reason.to_owned(),
        balance_transaction: entry,
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
    match refund.of {
        Of::Payment { .. } => record_change(transaction, "charge.refund.updated", before, refund),
        Of::CashBalance { .. } => Ok(()),
    }
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
