//! What can happen to a Checkout session, and what else changes with it.
//!
//! ```text
//! open ──pay by card──────► complete, paid
//!   │  ──declined─────────► open
//!   │  ──pay by debit─────► complete, unpaid ──succeed──► complete, paid
//!   │                                        ──fail─────► complete, unpaid
//!   │  ──take a voucher───► complete, unpaid ──succeed, fail as a debit does
//!   └──expire─────────────► expired
//! ```
//!
//! Events are recorded in the order in which Stripe makes them: the intent is created, the charge is
//! tried, the intent follows its charge, the session follows its intent. Then the money is captured,
//! and a card that disputes does.

use anyhow::Context as _;

use crate::account::balance::Entry;
use crate::checkout::cards::Verdict;
use crate::checkout::object::{PaymentStatus, Session, SessionStatus};
use crate::engine::database::Transaction;
use crate::engine::ids::{self, ChargeId, PaymentIntentId};
use crate::engine::resource::Object as _;
use crate::engine::time::Timestamp;
use crate::payment::card::{Card, Decline};
use crate::payment::charge::{BankDebit, Charge, ChargeStatus, Method, Voucher};
use crate::payment::intent::{PaymentError, PaymentIntent, PaymentIntentStatus, PendingVoucher};
use crate::webhook::record::{record, record_change};
use crate::{account, dispute, promotion};

/// How long a voucher can be paid.
const VOUCHER_LASTS: Timestamp = 3 * 24 * 3600;

/// What the buyer submits.
pub(crate) enum Payment {
    /// A card, and what its issuer will say.
    Card(Card, Verdict),
    BankDebit(BankDebit),
    /// One that the buyer will pay with later.
    Voucher(Voucher),
    /// The session's total is zero.
    Nothing,
}

/// What became of an open session.
#[derive(Debug)]
pub(crate) enum Paid {
    /// The session is complete, whether or not the money is there.
    Complete,
    Declined(Decline),
}

/// The session is in a state in which this cannot happen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongState;

/// The buyer pays an open session.
pub(crate) fn pay(
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
        Payment::Voucher(voucher) => {
            let intent = intent_to_pay(transaction, session)?;
            take_voucher(transaction, session, intent, email, voucher)?;
            return Ok(Ok(Paid::Complete));
        }
        Payment::Nothing => {
            session.buyer_email = Some(email);
            give_up_intent(transaction, session)?;
            complete(transaction, session)?;
            return Ok(Ok(Paid::Complete));
        }
    };

    let mut intent = intent_to_pay(transaction, session)?;
    let charge = charge_of(transaction, &intent, method, &email);
    intent.latest_charge = Some(charge.id.clone());

    session.buyer_email = Some(email);
    match verdict {
        Some(Ok(claim)) => {
            let mut charge = succeeded(transaction, charge, intent)?;
            session.payment_status = PaymentStatus::Paid;
            complete(transaction, session)?;
            capture(transaction, &mut charge)?;
            if let Some(claim) = claim {
                dispute::life::open(transaction, &mut charge, claim.kind, claim.reason, None)?;
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

/// The buyer leaves with a voucher: whether they pay with it is seen later.
fn take_voucher(
    transaction: &Transaction<'_>,
    session: &mut Session,
    mut intent: PaymentIntent,
    email: String,
    voucher: Voucher,
) -> anyhow::Result<()> {
    intent.status = PaymentIntentStatus::RequiresAction;
    intent.payment_method = Some(ids::payment_method());
    intent.last_payment_error = None;
    intent.voucher = Some(PendingVoucher {
        voucher,
        page: session.url.clone(),
        expires_at: transaction.now.saturating_add(VOUCHER_LASTS),
        email: email.clone(),
    });
    session.buyer_email = Some(email);
    transaction.put(&intent)?;
    record(transaction, "payment_intent.requires_action", &intent)?;
    complete(transaction, session)
}

/// The bank says how a delayed payment ended.
pub(crate) fn settle(
    transaction: &Transaction<'_>,
    session: &mut Session,
    verdict: Result<(), Decline>,
) -> anyhow::Result<Result<(), WrongState>> {
    let Some((intent, charge)) = pending_payment(transaction, session)? else {
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
            match intent.voucher {
                Some(_) => lapsed(transaction, intent)?,
                None => failed(transaction, charge, intent, decline)?,
            }
            record(
                transaction,
                "checkout.session.async_payment_failed",
                session,
            )?;
        }
    }
    Ok(Ok(()))
}

/// The delayed payment of this session that has not ended, and its charge. That of a voucher is
/// made when the voucher is paid.
pub(crate) fn pending_payment(
    transaction: &Transaction<'_>,
    session: &Session,
) -> anyhow::Result<Option<(PaymentIntent, Charge)>> {
    let Some(id) = &session.payment_intent else {
        return Ok(None);
    };
    let mut intent: PaymentIntent = transaction.existing(id)?;
    let charge = match (intent.status, &intent.voucher) {
        (PaymentIntentStatus::Processing, _) => {
            let charge = intent.latest_charge.as_deref();
            transaction.existing(charge.context("a payment is processing without a charge")?)?
        }
        (PaymentIntentStatus::RequiresAction, Some(pending)) => {
            let method = Method::Voucher(pending.voucher);
            let charge = charge_of(transaction, &intent, method, &pending.email);
            intent.latest_charge = Some(charge.id.clone());
            charge
        }
        _ => return Ok(None),
    };
    Ok(Some((intent, charge)))
}

/// An open session ends unpaid: its shop wants it so, or its time is over.
pub(crate) fn expire(
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

/// The time of an open session is over.
pub(crate) fn run_out(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut session: Session = transaction.existing(id)?;
    expire(transaction, &mut session)?
        .map_err(|WrongState| anyhow::anyhow!("{id} has run out but is not open"))
}

fn complete(transaction: &Transaction<'_>, session: &mut Session) -> anyhow::Result<()> {
    session.status = SessionStatus::Complete;
    transaction.put(session)?;
    promotion::life::redeem(transaction, session)?;
    record(transaction, "checkout.session.completed", session)
}

/// Nothing is left to pay, so an intent that an earlier try has made comes to nothing.
fn give_up_intent(transaction: &Transaction<'_>, session: &mut Session) -> anyhow::Result<()> {
    match session.payment_intent.take() {
        Some(id) => cancel(transaction, &id),
        None => Ok(()),
    }
}

fn cancel(transaction: &Transaction<'_>, intent: &PaymentIntentId) -> anyhow::Result<()> {
    let mut intent: PaymentIntent = transaction.existing(intent)?;
    intent.status = PaymentIntentStatus::Canceled;
    intent.canceled_at = Some(transaction.now);
    transaction.put(&intent)?;
    record(transaction, "payment_intent.canceled", &intent)
}

/// The payment intent of a session that is about to be paid.
fn intent_to_pay(
    transaction: &Transaction<'_>,
    session: &mut Session,
) -> anyhow::Result<PaymentIntent> {
    let mut intent = match &session.payment_intent {
        // An earlier try was declined.
        Some(id) => transaction.existing(id)?,
        None => intent_of(transaction, session)?,
    };
    // A promotion code may have come or gone since.
    intent.amount = session.amount_total;
    session.payment_intent = Some(intent.id.clone());
    Ok(intent)
}

/// A try to pay, of which nothing is known yet.
fn charge_of(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
    method: Method,
    email: &str,
) -> Charge {
    Charge {
        id: ChargeId::random(),
        created: transaction.now,
        amount: intent.amount,
        currency: intent.currency,
        status: ChargeStatus::Pending,
        failure: None,
        payment_intent: intent.id.clone(),
        payment_method: ids::payment_method(),
        method,
        email: Some(email.to_owned()),
        description: intent.description.clone(),
        metadata: intent.metadata.clone(),
        amount_refunded: 0,
        disputed: false,
        balance_transaction: None,
    }
}

/// The payment intent of a session, made when the buyer first tries to pay.
fn intent_of(transaction: &Transaction<'_>, session: &Session) -> anyhow::Result<PaymentIntent> {
    let id = PaymentIntentId::random();
    let intent = PaymentIntent {
        client_secret: ids::client_secret(&id),
        id,
        created: transaction.now,
        amount: session.amount_total,
        currency: session.currency,
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
        voucher: None,
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
    intent.voucher = None;
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
    let entry = account::book::enter(
        transaction,
        Entry::Charge,
        &charge.id,
        charge.amount,
        charge.currency,
    )?;
    charge.balance_transaction = Some(entry.id);
    transaction.put(charge)?;
    record_change(transaction, "charge.updated", &before, charge)
}

/// Nobody paid with the voucher in time.
fn lapsed(transaction: &Transaction<'_>, mut intent: PaymentIntent) -> anyhow::Result<()> {
    intent.status = PaymentIntentStatus::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.latest_charge = None;
    intent.voucher = None;
    intent.last_payment_error = Some(PaymentError::new(None, &Decline::by_time()));
    transaction.put(&intent)?;
    record(transaction, "payment_intent.payment_failed", &intent)
}

fn failed(
    transaction: &Transaction<'_>,
    mut charge: Charge,
    mut intent: PaymentIntent,
    decline: Decline,
) -> anyhow::Result<()> {
    intent.status = PaymentIntentStatus::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.last_payment_error = Some(PaymentError::new(Some(&charge.id), &decline));
    charge.status = ChargeStatus::Failed;
    charge.failure = Some(decline);
    transaction.put(&charge)?;
    transaction.put(&intent)?;
    record(transaction, "charge.failed", &charge)?;
    record(transaction, "payment_intent.payment_failed", &intent)
}
