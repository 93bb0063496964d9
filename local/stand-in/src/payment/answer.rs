//! The answer to a try to pay: yes, no, or what the buyer has to do first. However the money was to come,
//! the intent follows here.

use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::action::Action;
use crate::payment::aftermath::Aftermath;
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::confirmation::Outcome;
use crate::payment::consent;
use crate::payment::decline::PaymentError;
use crate::payment::intent::{CaptureMethod, IntentState, PaymentIntent};
use crate::payment::keep;
use crate::payment::method::{Owner, PaymentMethod};
use crate::payment::trial;
use crate::payment::verdict::After;
use crate::webhook::record::put_and_record;

/// The issuer has said yes.
pub(crate) fn accept(
    transaction: &Transaction<'_>,
    mut charge: Charge,
    intent: &mut PaymentIntent,
    method: &mut PaymentMethod,
    after: After,
) -> anyhow::Result<Outcome> {
    let capture = intent.terms.capture_method;
    let manual = capture == CaptureMethod::Manual;
    charge.state = trial::captured_or_set_aside(transaction, &charge, manual);
    if capture == CaptureMethod::Automatic {
        let amount = charge.captured();
        trial::book(transaction, &mut charge, amount, after.bypasses_pending)?;
    }
    intent.state = match charge.state {
        ChargeState::Authorized {
            capture_before,
            captured,
        } => IntentState::RequiresCapture {
            until: capture_before,
            received: captured,
        },
        _ => IntentState::Succeeded {
            received: charge.amount,
        },
    };
    intent.payment_method = Some(method.id.clone());
    intent.latest_charge = Some(charge.id.clone());
    intent.last_payment_error = None;
    put_and_record(transaction, "charge.succeeded", &charge)?;
    keep_or_spend(transaction, intent, method)?;
    let event_type = match manual {
        true => "payment_intent.amount_capturable_updated",
        false => "payment_intent.succeeded",
    };
    put_and_record(transaction, event_type, intent)?;
    let aftermath = Aftermath {
        charge: charge.id,
        unbooked: capture == CaptureMethod::AutomaticAsync,
        after,
    };
    Ok(match manual {
        true => Outcome::Authorized(aftermath),
        false => Outcome::Paid(aftermath),
    })
}

/// The payment method stays with its customer if that was asked for; nobody's is used up.
pub(crate) fn keep_or_spend(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
    method: &mut PaymentMethod,
) -> anyhow::Result<()> {
    let keeps = intent.terms.setup_future_usage.is_some() && method.means.can_be_kept();
    match (&method.owner, &intent.terms.customer) {
        (Owner::Nobody, Some(customer)) if keeps => keep::attach(transaction, method, customer),
        (Owner::Nobody, _) => {
            method.owner = Owner::Spent;
            transaction.put(method)
        }
        _ => transaction.put(method),
    }
}

/// Somebody has said no: the bank, or Radar.
pub(crate) fn refuse(
    transaction: &Transaction<'_>,
    mut charge: Charge,
    intent: &mut PaymentIntent,
    method: &PaymentMethod,
    state: ChargeState,
) -> anyhow::Result<Outcome> {
    let error = match &state {
        ChargeState::Declined(decline)
        | ChargeState::Blocked(decline)
        | ChargeState::Reversed(decline) => {
            PaymentError::new(decline, Some(&charge.id), &method.answer())
        }
        _ => anyhow::bail!("{} is refused without a reason", charge.id),
    };
    charge.state = state;
    intent.latest_charge = Some(charge.id.clone());
    put_and_record(transaction, "charge.failed", &charge)?;
    let refused = fail(transaction, intent, error)?;
    let ends = charge.state.failure().is_some_and(|it| it.ends_mandate);
    if let Some(mandate) = charge.mandate.filter(|_| ends) {
        consent::end(transaction, &mandate)?;
    }
    Ok(refused)
}

/// The try has come to nothing: another payment method is needed.
pub(crate) fn fail(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    error: PaymentError,
) -> anyhow::Result<Outcome> {
    intent.state = IntentState::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.last_payment_error = Some(error.clone());
    put_and_record(transaction, "payment_intent.payment_failed", intent)?;
    Ok(Outcome::Refused(error))
}

/// Only the buyer can bring the payment further now.
pub(crate) fn ask(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    action: Action,
) -> anyhow::Result<()> {
    intent.state = IntentState::RequiresAction(action);
    intent.last_payment_error = None;
    put_and_record(transaction, "payment_intent.requires_action", intent)
}
