//! One try to take the money, with an intent or, as in old integrations, without.

use crate::account;
use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::ids::ChargeId;
use crate::engine::transaction::Transaction;
use crate::payment::charge::{Charge, ChargeState, FraudDetails};
use crate::payment::flexible::Flexible;
use crate::payment::intent::{CaptureMethod, PaymentIntent, Terms};
use crate::payment::method::{Means, PaymentMethod};

/// A try to pay, of which nothing is known yet.
pub(crate) fn charge_of(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
    method: &PaymentMethod,
) -> Charge {
    Charge {
        payment_intent: Some(intent.id.clone()),
        ..new_charge(
            transaction,
            intent.amount,
            intent.currency,
            intent.terms.clone(),
            method,
        )
    }
}

pub(crate) fn new_charge(
    transaction: &Transaction<'_>,
    amount: Amount,
    currency: Currency,
    terms: Terms,
    method: &PaymentMethod,
) -> Charge {
    let id = ChargeId::random();
    Charge {
        receipt_url: format!("{}/receipts/{id}", transaction.site()),
        flexible: match &method.means {
            Means::Card(card) if terms.capture_method == CaptureMethod::Manual => {
                Flexible::granted(&terms.payment_method_options, card.test.brand)
            }
            _ => Flexible::default(),
        },
        id,
        created: transaction.now,
        amount,
        currency,
        state: ChargeState::Pending,
        payment_intent: None,
        payment_method: method.id.clone(),
        means: method.means.clone(),
        billing: method.billing.clone(),
        customer: terms.customer,
        description: terms.description,
        metadata: terms.metadata,
        receipt_email: terms.receipt_email,
        shipping: terms.shipping,
        statement_descriptor: terms.statement_descriptor,
        statement_descriptor_suffix: terms.statement_descriptor_suffix,
        transfer_group: terms.transfer_group,
        risk: None,
        three_d_secure: None,
        amount_refunded: Amount::ZERO,
        disputed: false,
        balance_transaction: None,
        review: None,
        mandate: None,
        fraud: FraudDetails::default(),
    }
}

pub(crate) fn captured_or_set_aside(
    transaction: &Transaction<'_>,
    charge: &Charge,
    manual: bool,
) -> ChargeState {
    match manual {
        true => ChargeState::Authorized {
            capture_before: charge.flexible.capture_before(transaction.now),
            captured: Amount::ZERO,
        },
        false => ChargeState::Captured {
            amount: charge.amount,
        },
    }
}

/// Enters what was taken of a charge in the account's book.
pub(crate) fn book(
    transaction: &Transaction<'_>,
    charge: &mut Charge,
    amount: Amount,
    bypasses_pending: bool,
) -> anyhow::Result<()> {
    let entry = account::book::enter_charge(
        transaction,
        &charge.id,
        amount,
        charge.currency,
        bypasses_pending,
    )?;
    charge.balance_transaction = Some(entry.id);
    Ok(())
}
