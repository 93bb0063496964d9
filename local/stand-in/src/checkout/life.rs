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
//! Whatever is paid is paid in [`payment::life`]; here the session follows its intent. What comes of a
//! payment later, such as a dispute, comes when the session is complete.

use crate::checkout::object::{PaymentStatus, Session, SessionStatus};
use crate::engine::database::Transaction;
use crate::engine::ids::PaymentIntentId;
use crate::payment;
use crate::payment::bank::Ending;
use crate::payment::decline::PaymentError;
use crate::payment::intent::{Methods, PaymentIntent, Terms, WrongState};
use crate::payment::life::{Confirmation, Outcome};
use crate::payment::method::PaymentMethod;
use crate::payment::testing::three_d_secure::Challenged;
use crate::promotion;
use crate::webhook::record::record;

/// What became of an open session.
#[derive(Debug)]
pub(crate) enum Paid {
    /// The session is complete, whether or not the money is there.
    Complete,
    /// The buyer has to prove who they are: here.
    Challenged(String),
    Declined(PaymentError),
}

/// The buyer pays an open session.
pub(crate) fn pay(
    transaction: &Transaction<'_>,
    session: &mut Session,
    method: &mut PaymentMethod,
) -> anyhow::Result<Result<Paid, WrongState>> {
    if session.status != SessionStatus::Open {
        return Ok(Err(WrongState));
    }
    let mut intent = intent_to_pay(transaction, session)?;
    let confirmation = Confirmation {
        return_url: Some(session.url.clone()),
        voucher_page: Some(session.url.clone()),
        by_hand: true,
        ..Confirmation::default()
    };
    let email = method.billing.email.clone();
    let outcome = payment::life::confirm(transaction, &mut intent, method, &confirmation)?;
    follow(transaction, session, outcome, email).map(Ok)
}

/// The buyer completes an open session whose total is zero.
pub(crate) fn pay_nothing(
    transaction: &Transaction<'_>,
    session: &mut Session,
    email: String,
) -> anyhow::Result<Result<Paid, WrongState>> {
    if session.status != SessionStatus::Open {
        return Ok(Err(WrongState));
    }
    session.buyer_email = Some(email);
    give_up_intent(transaction, session)?;
    complete(transaction, session)?;
    Ok(Ok(Paid::Complete))
}

/// An open session follows what became of its intent.
fn follow(
    transaction: &Transaction<'_>,
    session: &mut Session,
    outcome: Outcome,
    email: Option<String>,
) -> anyhow::Result<Paid> {
    match outcome {
        Outcome::Paid(aftermath) => {
            session.buyer_email = email;
            session.payment_status = PaymentStatus::Paid;
            complete(transaction, session)?;
            aftermath.come(transaction)?;
        }
        Outcome::Authorized(aftermath) => {
            session.buyer_email = email;
            complete(transaction, session)?;
            aftermath.come(transaction)?;
        }
        Outcome::Processing | Outcome::Waiting => {
            session.buyer_email = email;
            complete(transaction, session)?;
        }
        Outcome::Challenged(page) => {
            transaction.put(session)?;
            return Ok(Paid::Challenged(page));
        }
        Outcome::Unconfirmed => anyhow::bail!("{} waits to be confirmed again", session.id),
        Outcome::Refused(error) => {
            transaction.put(session)?;
            return Ok(Paid::Declined(error));
        }
    }
    Ok(Paid::Complete)
}

/// The buyer of an intent has shown who they are, or has not. Whose session it was, if it was one's.
pub(crate) fn authenticate(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    challenged: Challenged,
) -> anyhow::Result<Result<Option<Session>, WrongState>> {
    let mut session = session_of(transaction, intent)?;
    if let Some(session) = &session
        && session.status != SessionStatus::Open
    {
        return Ok(Err(WrongState));
    }
    let email = match &intent.payment_method {
        Some(method) => transaction.existing::<PaymentMethod>(method)?.billing.email,
        None => None,
    };
    let outcome = match payment::life::authenticate(transaction, intent, challenged)? {
        Ok(outcome) => outcome,
        Err(wrong) => return Ok(Err(wrong)),
    };
    match (&mut session, outcome) {
        (Some(session), outcome) => {
            follow(transaction, session, outcome, email)?;
        }
        (None, Outcome::Paid(aftermath) | Outcome::Authorized(aftermath)) => {
            aftermath.come(transaction)?;
        }
        (None, _) => {}
    }
    Ok(Ok(session))
}

/// The bank, or whoever holds a voucher, ends a payment that has taken its time.
pub(crate) fn settle(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    ending: Ending,
) -> anyhow::Result<Result<(), WrongState>> {
    match payment::life::settle(transaction, intent, ending)? {
        Ok(outcome) => end_delay(transaction, intent, outcome).map(Ok),
        Err(wrong) => Ok(Err(wrong)),
    }
}

/// The time of an intent has come.
pub(crate) fn run_out_intent(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut intent: PaymentIntent = transaction.existing(id)?;
    match payment::life::run_out(transaction, &mut intent)? {
        Some(outcome) => end_delay(transaction, &intent, outcome),
        None => Ok(()),
    }
}

/// A complete session follows the end of a payment that took its time.
fn end_delay(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
    outcome: Outcome,
) -> anyhow::Result<()> {
    let mut session = session_of(transaction, intent)?;
    match (outcome, &mut session) {
        (Outcome::Paid(aftermath) | Outcome::Authorized(aftermath), session) => {
            if let Some(session) = session {
                session.payment_status = PaymentStatus::Paid;
                transaction.put(session)?;
                let event_type = "checkout.session.async_payment_succeeded";
                record(transaction, event_type, session)?;
            }
            aftermath.come(transaction)
        }
        (Outcome::Refused(_), Some(session)) => record(
            transaction,
            "checkout.session.async_payment_failed",
            session,
        ),
        _ => Ok(()),
    }
}

/// The session whose intent this is.
fn session_of(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
) -> anyhow::Result<Option<Session>> {
    if !intent.from_checkout {
        return Ok(None);
    }
    let sessions = transaction.having("payment_intent", &intent.id)?;
    Ok(sessions.into_iter().next())
}

/// The delayed payment of this session that has not ended.
pub(crate) fn pending_payment(
    transaction: &Transaction<'_>,
    session: &Session,
) -> anyhow::Result<Option<PaymentIntent>> {
    let Some(id) = &session.payment_intent else {
        return Ok(None);
    };
    let intent: PaymentIntent = transaction.existing(id)?;
    Ok(Some(intent).filter(PaymentIntent::is_pending))
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
    payment::capture::cancel(transaction, &mut intent, Some("expired".to_owned()))?
        .map_err(|WrongState| anyhow::anyhow!("{} cannot be canceled", intent.id))
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

/// The payment intent of a session, made when the buyer first tries to pay.
fn intent_of(transaction: &Transaction<'_>, session: &Session) -> anyhow::Result<PaymentIntent> {
    let types = session.payment_method_types().into_iter();
    let terms = Terms {
        description: session.payment_intent_data.description.clone(),
        metadata: session.payment_intent_data.metadata.clone(),
        methods: Methods::Listed(types.map(str::to_owned).collect()),
        ..Terms::default()
    };
    let (amount, currency) = (session.amount_total, session.currency);
    payment::life::create(transaction, amount, currency, terms, None, true)
}
