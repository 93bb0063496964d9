//! What can happen to a credit note: it is issued, and as long as nothing was paid it can be made void.

use crate::account::amount::Amount;
use crate::credit_note::object::{CreditNote, Returned, Way};
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::invoice::balance::{Change, Reason};
use crate::invoice::collect;
use crate::invoice::intents;
use crate::invoice::object::{Invoice, Status};
use crate::invoice::payment::{InvoicePayment, PaymentStatus};
use crate::payment::charge::Charge;
use crate::payment::intent::PaymentIntent;
use crate::refund;
use crate::refund::api::unrefundable;
use crate::refund::life::Wish;
use crate::webhook::record::record;
use crate::wire::errors::ApiError;

/// How much of what a customer has paid goes back by which way.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) refund: Amount,
    /// Refunds that there are already.
    pub(crate) refunds: Vec<(String, Amount)>,
    pub(crate) credit: Amount,
    pub(crate) out_of_band: Amount,
}

/// Issues a note. What goes back of what was paid goes back with it.
pub(crate) fn issue(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    note: &mut CreditNote,
    wanted: Wanted,
) -> Result<(), ApiError> {
    let before = invoice.answer();
    let total = note.total();
    match note.way {
        Way::PrePayment => {
            invoice.credited.pre_payment = invoice.credited.pre_payment.plus(total);
        }
        Way::PostPayment(_) => {
            note.way = Way::PostPayment(give_back(transaction, invoice, note, wanted)?);
            invoice.credited.post_payment = invoice.credited.post_payment.plus(total);
        }
    }
    transaction.put(note)?;
    record(transaction, "credit_note.created", note)?;
    follow(transaction, invoice, &before)?;
    Ok(())
}

fn give_back(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
    note: &CreditNote,
    wanted: Wanted,
) -> Result<Returned, ApiError> {
    let mut refunds = wanted.refunds;
    if wanted.refund > Amount::ZERO {
        let mut charge = charge_of(transaction, invoice)?.ok_or_else(|| {
            ApiError::invalid(format!(
                "The invoice {} was not paid with a charge: there is nothing to refund.",
                invoice.id
            ))
            .param("refund_amount")
        })?;
        let reason = note.reason.clone();
        let reason = reason.filter(|it| matches!(it.as_str(), "duplicate" | "fraudulent"));
        let wish = Wish {
            amount: Some(wanted.refund),
            reason,
            ..Wish::default()
        };
        let made = refund::life::create(transaction, &mut charge, wish)?;
        let made = made.map_err(|why| unrefundable(&charge, why).param("refund_amount"))?;
        refunds.push((made.id.to_string(), made.amount));
    }
    let change = Change {
        customer: &invoice.customer,
        amount: wanted.credit.negated(),
        currency: invoice.currency,
        reason: Reason::CreditNote,
        invoice: Some(&invoice.id),
        credit_note: Some(&note.id),
    };
    Ok(Returned {
        refunds,
        credit: wanted.credit,
        balance_transaction: match wanted.credit > Amount::ZERO {
            true => change.make(transaction)?,
            false => None,
        },
        out_of_band: wanted.out_of_band,
    })
}

/// The charge that has paid an invoice, the last if there were several.
fn charge_of(transaction: &Transaction<'_>, invoice: &Invoice) -> anyhow::Result<Option<Charge>> {
    let payments: Vec<InvoicePayment> = transaction.having("invoice", &invoice.id)?;
    let paid = payments
        .iter()
        .rev()
        .find(|payment| matches!(payment.status, PaymentStatus::Paid { .. }));
    let Some(paid) = paid else {
        return Ok(None);
    };
    let intent: PaymentIntent = transaction.existing(&paid.intent)?;
    match &intent.latest_charge {
        Some(charge) => transaction.get(charge),
        None => Ok(None),
    }
}

/// What remains to be paid of an open invoice has changed: so does its intent, and it is paid once
/// nothing remains.
fn follow(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    before: &serde_json::Value,
) -> anyhow::Result<()> {
    let is_open = matches!(invoice.status, Status::Open { .. } | Status::Uncollectible);
    if is_open && invoice.amount_remaining() == Amount::ZERO {
        return collect::settle(transaction, invoice, Some(before));
    }
    if is_open && invoice.intent.is_some() {
        intents::own_intent(transaction, invoice)?;
    }
    collect::change(transaction, invoice, before)
}

/// The note cannot be made void.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongState;

/// The note counts no longer.
pub(crate) fn void(
    transaction: &Transaction<'_>,
    note: &mut CreditNote,
) -> anyhow::Result<Result<(), WrongState>> {
    let mut invoice: Invoice = transaction.existing(&note.invoice)?;
    let is_open = matches!(invoice.status, Status::Open { .. });
    if note.voided_at.is_some() || !matches!(note.way, Way::PrePayment) || !is_open {
        return Ok(Err(WrongState));
    }
    let before = invoice.answer();
    note.voided_at = Some(transaction.now);
    transaction.put(note)?;
    record(transaction, "credit_note.voided", note)?;
    invoice.credited.pre_payment = invoice.credited.pre_payment.minus(note.total());
    follow(transaction, &mut invoice, &before)?;
    Ok(Ok(()))
}
