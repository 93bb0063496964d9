//! Money that an issuer has set aside: it is taken, or it is the buyer's again. And intents that are given
//! up, with which what was set aside goes back.

use anyhow::Context as _;

use crate::account::amount::Amount;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::intent::{IntentState, PaymentIntent, WrongState};
use crate::payment::trial;
use crate::webhook::record::{record, record_change};

/// Takes what was set aside, or a part of it.
pub(crate) fn capture(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    amount: Amount,
) -> anyhow::Result<Result<(), WrongState>> {
    let IntentState::RequiresCapture { .. } = intent.state else {
        return Ok(Err(WrongState));
    };
    let charge = intent.latest_charge.as_deref();
    let mut charge: Charge = transaction.existing(charge.context("nothing was set aside")?)?;
    capture_charge(transaction, &mut charge, amount)?;
    intent.state = IntentState::Succeeded { received: amount };
    transaction.put(intent)?;
    record(transaction, "payment_intent.succeeded", intent)?;
    Ok(Ok(()))
}

/// The money of a charge becomes the account's.
pub(crate) fn capture_charge(
    transaction: &Transaction<'_>,
    charge: &mut Charge,
    amount: Amount,
) -> anyhow::Result<()> {
    let before = charge.answer();
    charge.state = ChargeState::Captured { amount };
    trial::book(transaction, charge, false)?;
    transaction.put(charge)?;
    record_change(transaction, "charge.captured", &before, charge)
}

/// What was set aside by a charge without an intent is the buyer's again.
pub(crate) fn expire(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut charge: Charge = transaction.existing(id)?;
    let before = charge.answer();
    charge.state = ChargeState::Released;
    transaction.put(&charge)?;
    record_change(transaction, "charge.expired", &before, &charge)
}

/// Gives an intent up.
pub(crate) fn cancel(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    reason: Option<String>,
) -> anyhow::Result<Result<(), WrongState>> {
    match intent.state {
        IntentState::Succeeded { .. } | IntentState::Canceled { .. } => return Ok(Err(WrongState)),
        // The bank has the order already.
        IntentState::Processing(_) => return Ok(Err(WrongState)),
        IntentState::RequiresCapture { .. } => release(transaction, intent, "charge.refunded")?,
        _ => {}
    }
    end(transaction, intent, reason)?;
    Ok(Ok(()))
}

pub(crate) fn end(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    reason: Option<String>,
) -> anyhow::Result<()> {
    intent.state = IntentState::Canceled {
        at: transaction.now,
        reason,
    };
    transaction.put(intent)?;
    record(transaction, "payment_intent.canceled", intent)
}

/// What was set aside is the buyer's again.
pub(crate) fn release(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
    event_type: &str,
) -> anyhow::Result<()> {
    let charge = intent.latest_charge.as_deref();
    let mut charge: Charge = transaction.existing(charge.context("nothing was set aside")?)?;
    let before = charge.answer();
    charge.state = ChargeState::Released;
    transaction.put(&charge)?;
    record_change(transaction, event_type, &before, &charge)
}
