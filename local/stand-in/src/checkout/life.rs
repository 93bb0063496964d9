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

use crate::account::amount::Amount;
use crate::checkout::customer;
use crate::checkout::invoice;
use crate::checkout::object::{PaymentStatus, Session, SessionStatus};
use crate::checkout::recovery;
use crate::checkout::subscription;
use crate::engine::ids::PaymentIntentId;
use crate::engine::transaction::Transaction;
use crate::payment;
use crate::payment::bank::Ending;
use crate::payment::billing::Shipping;
use crate::payment::confirmation::{Confirmation, Outcome};
use crate::payment::decline::PaymentError;
use crate::payment::intent::{Origin, PaymentIntent, Usage, WrongState};
use crate::payment::method::PaymentMethod;
use crate::payment::setup::SetUp;
use crate::payment::setup_intent::SetupIntent;
use crate::payment::terms::three_d_secure;
use crate::payment::testing::three_d_secure::Challenged;
use crate::plain;
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

/// The buyer pays an open session, or leaves what they will pay with. What they told is in it already.
pub(crate) fn pay(
    transaction: &Transaction<'_>,
    session: &mut Session,
    method: &mut PaymentMethod,
) -> anyhow::Result<Result<Paid, WrongState>> {
    if session.status != SessionStatus::Open {
        return Ok(Err(WrongState));
    }
    customer::make(transaction, session)?;
    if method.customer().is_none() {
        let wanted = session.allow_redisplay.clone();
        let always = session.collected.saves.then(|| "always".to_owned());
        let limited = "limited".to_owned();
        let kept = always.or(wanted);
        method.allow_redisplay = kept.unwrap_or(match session.keeps_method() {
            true => limited,
            false => method.allow_redisplay.clone(),
        });
    }
    if session.is_for_subscription() && session.amount_total() == Amount::ZERO {
        give_up_intent(transaction, session)?;
        subscription::begin_setup(transaction, session)?;
    }
    if let Some(setup) = session.setup_intent.clone() {
        return set_up(transaction, session, &setup, method).map(Ok);
    }
    let mut intent = intent_to_pay(transaction, session)?;
    let confirmation = Confirmation {
        return_url: Some(session.url.clone()),
        voucher_page: Some(session.url.clone()),
        by_hand: true,
        three_d_secure: three_d_secure(&session.terms.payment_method_options),
        ..Confirmation::default()
    };
    let outcome = payment::life::confirm(transaction, &mut intent, method, &confirmation)?;
    follow(transaction, session, outcome).map(Ok)
}

/// The payment method is kept for later.
fn set_up(
    transaction: &Transaction<'_>,
    session: &mut Session,
    setup: &str,
    method: &mut PaymentMethod,
) -> anyhow::Result<Paid> {
    let mut intent: SetupIntent = transaction.existing(setup)?;
    intent.customer.clone_from(&session.customer);
    let terms = payment::setup::Terms {
        return_url: Some(session.url.clone()),
        three_d_secure: three_d_secure(&session.terms.payment_method_options),
        agreed: None,
    };
    let outcome = payment::setup::confirm(transaction, &mut intent, method, terms)?;
    follow_setup(transaction, session, outcome)
}

/// The buyer completes an open session whose total is zero.
pub(crate) fn pay_nothing(
    transaction: &Transaction<'_>,
    session: &mut Session,
) -> anyhow::Result<Result<Paid, WrongState>> {
    if session.status != SessionStatus::Open {
        return Ok(Err(WrongState));
    }
    customer::make(transaction, session)?;
    give_up_intent(transaction, session)?;
    invoice::promise(session);
    complete(transaction, session)?;
    bill(transaction, session)?;
    Ok(Ok(Paid::Complete))
}

/// An open session follows what became of its setup.
fn follow_setup(
    transaction: &Transaction<'_>,
    session: &mut Session,
    outcome: SetUp,
) -> anyhow::Result<Paid> {
    match outcome {
        SetUp::Done => {
            invoice::promise(session);
            complete(transaction, session)?;
            bill(transaction, session)?;
            Ok(Paid::Complete)
        }
        SetUp::Challenged => {
            transaction.put(session)?;
            let setup = session.setup_intent.as_deref().unwrap_or_default();
            Ok(Paid::Challenged(format!(
                "{}/3ds/{setup}",
                transaction.site()
            )))
        }
        SetUp::Refused(error) => {
            transaction.put(session)?;
            Ok(Paid::Declined(error))
        }
    }
}

/// The buyer of a setup has shown who they are, or has not. Whose session it was, if it was one's.
pub(crate) fn authenticate_setup(
    transaction: &Transaction<'_>,
    intent: &mut SetupIntent,
    challenged: Challenged,
) -> anyhow::Result<Result<Option<Session>, WrongState>> {
    let sessions: Vec<Session> = transaction.having("setup_intent", &intent.id)?;
    let mut session = sessions.into_iter().next();
    let outcome = match payment::setup::authenticate(transaction, intent, challenged)? {
        Ok(outcome) => outcome,
        Err(wrong) => return Ok(Err(wrong)),
    };
    if let Some(session) = &mut session {
        follow_setup(transaction, session, outcome)?;
    }
    Ok(Ok(session))
}

/// An open session follows what became of its intent.
fn follow(
    transaction: &Transaction<'_>,
    session: &mut Session,
    outcome: Outcome,
) -> anyhow::Result<Paid> {
    match outcome {
        Outcome::Paid(aftermath) => {
            session.payment_status = PaymentStatus::Paid;
            invoice::promise(session);
            complete(transaction, session)?;
            bill(transaction, session)?;
            aftermath.come(transaction)?;
        }
        Outcome::Authorized(aftermath) => {
            complete(transaction, session)?;
            aftermath.come(transaction)?;
        }
        Outcome::Processing | Outcome::Waiting => {
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
    let outcome = match payment::life::authenticate(transaction, intent, challenged)? {
        Ok(outcome) => outcome,
        Err(wrong) => return Ok(Err(wrong)),
    };
    match (&mut session, outcome) {
        (Some(session), outcome) => {
            follow(transaction, session, outcome)?;
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
                invoice::promise(session);
                transaction.put(session)?;
                let event_type = "checkout.session.async_payment_succeeded";
                record(transaction, event_type, session)?;
                bill(transaction, session)?;
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
    if !intent.is_from_checkout() {
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
    if let Some(id) = &session.setup_intent {
        let mut setup: SetupIntent = transaction.existing(id)?;
        // One that is done stays done.
        let _ = payment::setup::cancel(transaction, &mut setup, None)?;
    }
    recovery::offer(session);
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

/// The session is paid: it is billed, if its shop wants that.
fn bill(transaction: &Transaction<'_>, session: &Session) -> anyhow::Result<()> {
    let intent = match &session.payment_intent {
        Some(id) => transaction.get::<PaymentIntent>(id)?,
        None => None,
    };
    match &session.subscribes {
        Some(wish) => subscription::begin(transaction, session, wish, intent.as_ref()),
        None => invoice::make(transaction, session, intent.as_ref()),
    }
}

fn complete(transaction: &Transaction<'_>, session: &mut Session) -> anyhow::Result<()> {
    session.status = SessionStatus::Complete;
    transaction.put(session)?;
    promotion::life::redeem(transaction, session)?;
    customer::update(transaction, session)?;
    record(transaction, "checkout.session.completed", session)?;
    match &session.payment_link {
        Some(link) => plain::payment_link::count_sale(transaction, link),
        None => Ok(()),
    }
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

/// The payment intent of a session that is about to be paid, by whom the session knows now.
fn intent_to_pay(
    transaction: &Transaction<'_>,
    session: &mut Session,
) -> anyhow::Result<PaymentIntent> {
    let (amount, currency) = (session.amount_total(), session.currency);
    let mut terms = session.terms.clone();
    terms.customer.clone_from(&session.customer);
    if let Some(ship_to) = &session.collected.ship_to {
        terms.shipping = Some(Shipping {
            address: ship_to.address.clone(),
            carrier: None,
            name: ship_to.name.clone(),
            phone: session.collected.phone.clone(),
            tracking_number: None,
        });
    }
    if session.collected.saves && terms.setup_future_usage.is_none() {
        terms.setup_future_usage = Some(Usage::OnSession);
    }
    let intent = match &session.payment_intent {
        // An earlier try was declined; what is to be paid may have changed since.
        Some(id) => PaymentIntent {
            amount,
            terms,
            ..transaction.existing(id)?
        },
        None => {
            payment::life::create(transaction, amount, currency, terms, None, Origin::Checkout)?
        }
    };
    session.payment_intent = Some(intent.id.clone());
    Ok(intent)
}
