//! Charges without an intent, as old integrations make them.

use serde_json::Value;

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::ids::ChargeId;
use crate::engine::transaction::Transaction;
use crate::payment::aftermath::Aftermath;
use crate::payment::card::Card;
use crate::payment::charge::ChargeState;
use crate::payment::decline::PaymentError;
use crate::payment::intent::{CaptureMethod, Terms};
use crate::payment::method::PaymentMethod;
use crate::payment::trial::{book, captured_or_set_aside, new_charge};
use crate::payment::verdict::{self, Circumstances, Verdict};
use crate::webhook::record::record;

/// What became of a charge without an intent.
#[derive(Debug)]
#[must_use]
pub(crate) enum Lone {
    Charged(ChargeId, Aftermath),
    Refused(PaymentError),
}

/// Charges a card without an intent, as in old integrations, which knew no 3D Secure. `card` is that of
/// the `method`.
pub(crate) fn charge(
    transaction: &Transaction<'_>,
    amount: Amount,
    currency: Currency,
    terms: Terms,
    method: &PaymentMethod,
    card: &Card,
) -> anyhow::Result<Lone> {
    let manual = terms.capture_method == CaptureMethod::Manual;
    let mut charge = new_charge(transaction, amount, currency, terms, method);
    let circumstances = Circumstances {
        off_session: true,
        kept: method.customer().is_some(),
        set_up: true,
        ..Circumstances::default()
    };
    let given = card.given(&method.billing.address);
    let (state, decline) = match verdict::charge(card.test, given, &circumstances) {
        Verdict::Approved(approval) => {
            charge.risk = Some(approval.risk);
            charge.state = captured_or_set_aside(transaction, &charge, manual);
            if !manual {
                book(
                    transaction,
                    &mut charge,
                    amount,
                    approval.after.bypasses_pending,
                )?;
            }
            transaction.put(&charge)?;
            record(transaction, "charge.succeeded", &charge)?;
            let aftermath = Aftermath {
                charge: charge.id.clone(),
                unbooked: false,
                after: approval.after,
            };
            return Ok(Lone::Charged(charge.id, aftermath));
        }
        Verdict::Declined(decline, risk, _) => {
            charge.risk = Some(risk);
            (ChargeState::Declined(decline.clone()), decline)
        }
        Verdict::Reversed(decline, risk, _) => {
            charge.risk = Some(risk);
            (ChargeState::Reversed(decline.clone()), decline)
        }
        Verdict::Blocked(decline, risk) => {
            charge.risk = Some(risk);
            (ChargeState::Blocked(decline.clone()), decline)
        }
        Verdict::Challenge => anyhow::bail!("{} was asked for a buyer who is away", method.id),
    };
    charge.state = state;
    transaction.put(&charge)?;
    record(transaction, "charge.failed", &charge)?;
    let error = PaymentError::new(&decline, Some(&charge.id), &Value::Null);
    Ok(Lone::Refused(error))
}
