//! What can happen to a Checkout session, and what else changes with it.
//!
//! ```text
//! open ──pay by card──────► complete, paid
//!   │  ──declined─────────► open
//!   │  ──pay by debit─────► complete, unpaid ──succeed──► complete, paid
//!   │                                        ──fail─────► complete, unpaid
//!   └──expire─────────────► expired
//! ```
//!
//! Events are recorded in the order in which Stripe makes them: the intent is created, the charge is
//! tried, the intent follows its charge, the session follows its intent. Then the money is captured,
//! and a card that disputes does.

use anyhow::Context as _;

use super::cards::{Card, Decline, Verdict};
use super::database::{Object as _, Transaction};
use super::events::{record, record_change};
use super::objects::{
    BankDebit, Charge, ChargeStatus, Entry, Method, PaymentError, PaymentIntent,
    PaymentIntentStatus, PaymentStatus, Session, SessionStatus,
};
use super::{disputes, ids, money, promotions};

/// What the buyer submits.
pub(super) enum Payment {
    /// A card, and what its issuer will say.
    Card(Card, Verdict),
    BankDebit(BankDebit),
    /// The session's total is zero.
    Nothing,
}

/// What became of an open session.
#[derive(Debug)]
pub(super) enum Paid {
    /// The session is complete, whether or not the money is there.
    Complete,
    Declined(Decline),
}

/// The session is in a state in which this cannot happen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongState;

/// The buyer pays an open session.
pub(super) fn pay(
    transaction: &Transaction<'_>,
    session: &mut Session,
    email: String,
    payment: Payment,
) -> anyhow::Result<Result<Paid, WrongState>> {
    if session.status != SessionStatus::Open {
        return Ok(Err(WrongState));
    }
    let (method, verdict) = match payment {
        Payment::Card(card, verdict) => (Method::Card(card), Some(verdict)),
        Payment::BankDebit(debit) => (Method::BankDebit(debit), None),
        Payment::Nothing => {
            session.buyer_email = Some(email);
            give_up_intent(transaction, session)?;
            complete(transaction, session)?;
            return Ok(Ok(Paid::Complete));
        }
    };

    let mut intent = match &session.payment_intent {
        // An earlier try was declined.
        Some(id) => transaction.existing(id)?,
        None => intent_of(transaction, session)?,
    };
    // A promotion code may have come or gone since.
    intent.amount = session.amount_total;
    session.payment_intent = Some(intent.id.clone());
    let charge = Charge {
        id: ids::charge(),
        created: transaction.now,
        amount: intent.amount,
        currency: intent.currency.clone(),
        status: ChargeStatus::Pending,
        failure: None,
        payment_intent: intent.id.clone(),
        payment_method: ids::payment_method(),
        method,
        email: Some(email.clone()),
        description: intent.description.clone(),
        metadata: intent.metadata.clone(),
        amount_refunded: 0,
        disputed: false,
        balance_transaction: None,
    };
    intent.latest_charge = Some(charge.id.clone());

    session.buyer_email = Some(email);
    match verdict {
        Some(Ok(claim)) => {
            let mut charge = succeeded(transaction, charge, intent)?;
            session.payment_status = PaymentStatus::Paid;
            complete(transaction, session)?;
            capture(transaction, &mut charge)?;
            if let Some(claim) = claim {
                disputes::open(transaction, &mut charge, claim.kind, claim.reason, None)?;
            }
        }
        Some(Err(decline)) => {
            failed(transaction, charge, intent, decline.clone())?;
            session.buyer_email = None;
            transaction.put(session)?;
            return Ok(Ok(Paid::Declined(decline)));
        }
        None => {
            intent.status = PaymentIntentStatus::Processing;
            intent.payment_method = Some(charge.payment_method.clone());
            intent.last_payment_error = None;
            transaction.put(&charge)?;
            transaction.put(&intent)?;
            record(transaction, "charge.pending", &charge)?;
            record(transaction, "payment_intent.processing", &intent)?;
            complete(transaction, session)?;
        }
    }
    Ok(Ok(Paid::Complete))
}

/// The bank says how a delayed payment ended.
pub(super) fn settle(
    transaction: &Transaction<'_>,
    session: &mut Session,
    verdict: Result<(), Decline>,
) -> anyhow::Result<Result<(), WrongState>> {
    let Some((charge, intent)) = pending_payment(transaction, session)? else {
        return Ok(Err(WrongState));
    };
    match verdict {
        Ok(()) => {
            let mut charge = succeeded(transaction, charge, intent)?;
            session.payment_status = PaymentStatus::Paid;
            transaction.put(session)?;
            record(
                transaction,
                "checkout.session.async_payment_succeeded",
                session,
            )?;
            capture(transaction, &mut charge)?;
        }
        Err(decline) => {
            failed(transaction, charge, intent, decline)?;
            record(
                transaction,
                "checkout.session.async_payment_failed",
                session,
            )?;
        }
    }
    Ok(Ok(()))
}

/// The charge that a delayed payment of this session waits for.
pub(super) fn pending_payment(
    transaction: &Transaction<'_>,
    session: &Session,
) -> anyhow::Result<Option<(Charge, PaymentIntent)>> {
    let Some(id) = &session.payment_intent else {
        return Ok(None);
    };
    let intent: PaymentIntent = transaction.existing(id)?;
    if intent.status != PaymentIntentStatus::Processing {
        return Ok(None);
    }
    let charge = intent
        .latest_charge
        .as_deref()
        .context("a payment is processing without a charge")?;
    Ok(Some((transaction.existing(charge)?, intent)))
}

/// An open session ends unpaid: its shop wants it so, or its time is over.
pub(super) fn expire(
    transaction: &Transaction<'_>,
    session: &mut Session,
) -> anyhow::Result<Result<(), WrongState>> {
    if session.status != SessionStatus::Open {
        return Ok(Err(WrongState));
    }
    session.status = SessionStatus::Expired;
    if let Some(id) = &session.payment_intent {
        cancel(transaction, id)?;
    }
    transaction.put(session)?;
    record(transaction, "checkout.session.expired", session)?;
    Ok(Ok(()))
}

/// Expires the sessions whose time is over.
pub(super) fn expire_overdue(transaction: &Transaction<'_>) -> anyhow::Result<()> {
    for mut session in transaction.overdue::<Session>()? {
        expire(transaction, &mut session)?
            .map_err(|WrongState| anyhow::anyhow!("{} is over and yet not open", session.id))?;
    }
    Ok(())
}

fn complete(transaction: &Transaction<'_>, session: &mut Session) -> anyhow::Result<()> {
    session.status = SessionStatus::Complete;
    transaction.put(session)?;
    promotions::redeem(transaction, session)?;
    record(transaction, "checkout.session.completed", session)
}

/// Nothing is left to pay, so an intent that an earlier try has made comes to nothing.
fn give_up_intent(transaction: &Transaction<'_>, session: &mut Session) -> anyhow::Result<()> {
    match session.payment_intent.take() {
        Some(id) => cancel(transaction, &id),
        None => Ok(()),
    }
}

fn cancel(transaction: &Transaction<'_>, intent: &str) -> anyhow::Result<()> {
    let mut intent: PaymentIntent = transaction.existing(intent)?;
    intent.status = PaymentIntentStatus::Canceled;
    intent.canceled_at = Some(transaction.now);
    transaction.put(&intent)?;
    record(transaction, "payment_intent.canceled", &intent)
}

/// The payment intent of a session, made when the buyer first tries to pay.
fn intent_of(transaction: &Transaction<'_>, session: &Session) -> anyhow::Result<PaymentIntent> {
    let id = ids::payment_intent();
    let intent = PaymentIntent {
        client_secret: ids::client_secret(&id),
        id,
        created: transaction.now,
        amount: session.amount_total,
        currency: session.currency.clone(),
        status: PaymentIntentStatus::RequiresPaymentMethod,
        description: session.payment_intent_data.description.clone(),
        metadata: session.payment_intent_data.metadata.clone(),
        payment_method: None,
        payment_method_types: session
            .payment_method_types()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        automatic_payment_methods: false,
        latest_charge: None,
        last_payment_error: None,
        canceled_at: None,
    };
    transaction.put(&intent)?;
    record(transaction, "payment_intent.created", &intent)?;
    Ok(intent)
}

fn succeeded(
    transaction: &Transaction<'_>,
    mut charge: Charge,
    mut intent: PaymentIntent,
) -> anyhow::Result<Charge> {
    charge.status = ChargeStatus::Succeeded;
    intent.status = PaymentIntentStatus::Succeeded;
    intent.payment_method = Some(charge.payment_method.clone());
    intent.last_payment_error = None;
    transaction.put(&charge)?;
    transaction.put(&intent)?;
    record(transaction, "charge.succeeded", &charge)?;
    record(transaction, "payment_intent.succeeded", &intent)?;
    Ok(charge)
}

/// The money is the account's: Stripe sees to that only when the payment is over.
fn capture(transaction: &Transaction<'_>, charge: &mut Charge) -> anyhow::Result<()> {
    let before = charge.answer();
    let entry = money::book(
        transaction,
        Entry::Charge,
        &charge.id,
        charge.amount,
        &charge.currency,
    )?;
    charge.balance_transaction = Some(entry.id);
    transaction.put(charge)?;
    record_change(transaction, "charge.updated", &before, charge)
}

fn failed(
    transaction: &Transaction<'_>,
    mut charge: Charge,
    mut intent: PaymentIntent,
    decline: Decline,
) -> anyhow::Result<()> {
    intent.status = PaymentIntentStatus::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.last_payment_error = Some(PaymentError::new(&charge.id, &decline));
    charge.status = ChargeStatus::Failed;
    charge.failure = Some(decline);
    transaction.put(&charge)?;
    transaction.put(&intent)?;
    record(transaction, "charge.failed", &charge)?;
    record(transaction, "payment_intent.payment_failed", &intent)
}
