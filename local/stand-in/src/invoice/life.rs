//! What can happen to an invoice, besides being paid ([`collect`]).
//!
//! ```text
//! draft ──finalize──► open ──pay──► paid
//!   │                  │  ├─mark uncollectible─► uncollectible ──pay──► paid
//!   └─delete           └──┴──────────void──────► void
//! ```

use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::resource::{Object as _, doc_url};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::invoice::balance::{Change, Reason};
use crate::invoice::collect::{self, Outcome};
use crate::invoice::draft::{self, PATIENCE};
use crate::invoice::intents;
use crate::invoice::item::InvoiceItem;
use crate::invoice::object::{Due, Finalized, Invoice, Reminder, Status};
use crate::invoice::terms::Collection;
use crate::payment::intent::PaymentIntent;
use crate::promotion::object::Coupon;
use crate::webhook::record::{record, record_change, record_shown};
use crate::wire::errors::ApiError;

/// The invoice is in a state in which this cannot happen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongState;

/// Why a draft stays one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotFinalized {
    WrongState,
    /// Automatic tax does not know where the customer is.
    NoLocation,
    /// Nobody can be charged so much at once.
    TooMuch(Currency),
}

impl NotFinalized {
    /// Stripe's code for it, and its words.
    fn told(self) -> (&'static str, String) {
        match self {
            Self::WrongState => (
                "invoice_not_editable",
                "This invoice is already finalized, you can't re-finalize a non-draft invoice.".to_owned(),
            ),
            Self::NoLocation => (
                "customer_tax_location_invalid",
                "The customer's location isn't recognized. Set a valid customer address in order to \
                 automatically calculate tax."
                    .to_owned(),
            ),
            Self::TooMuch(currency) => (
                "amount_too_large",
                format!(
                    "The amount due on an invoice must be at most {}.",
                    currency.display(currency.maximum())
                ),
            ),
        }
    }

    /// The answer to whoever wanted to finalize it.
    pub(crate) fn error(self) -> ApiError {
        let (code, message) = self.told();
        ApiError::invalid(message).code(code)
    }
}

/// A draft becomes final: it can be paid, and hardly be changed. If there is nothing to pay, it is paid.
pub(crate) fn finalize(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
) -> anyhow::Result<Result<(), NotFinalized>> {
    if !invoice.is_draft() {
        return Ok(Err(NotFinalized::WrongState));
    }
    draft::refresh(transaction, invoice)?;
    if invoice.terms.automatic_tax && invoice.billed.country.is_none() {
        return refuse(transaction, invoice, NotFinalized::NoLocation).map(Err);
    }
    let total = invoice.totals().total;
    let balance = invoice.billed.balance;
    let due = Due::of(total, balance, invoice.currency);
    if due.amount > invoice.currency.maximum() {
        let why = NotFinalized::TooMuch(invoice.currency);
        return refuse(transaction, invoice, why).map(Err);
    }
    seal(transaction, invoice, due)?;
    apply_balance(transaction, invoice, total)?;
    spend_discounts(transaction, invoice)?;
    if due.amount > Amount::ZERO {
        intents::own_intent(transaction, invoice)?;
    }
    record(transaction, "invoice.finalized", invoice)?;
    if due.amount == Amount::ZERO {
        collect::settle(transaction, invoice, None)?;
    }
    Ok(Ok(()))
}

/// From now on nothing about it changes but how it is paid.
fn seal(transaction: &Transaction<'_>, invoice: &mut Invoice, due: Due) -> anyhow::Result<()> {
    invoice.number = Some(next_number(transaction, invoice)?);
    invoice.finalized = Some(Finalized {
        starting_balance: invoice.billed.balance,
        ending_balance: due.ending_balance,
        amount_due: due.amount,
        due_date: match invoice.terms.collection {
            Collection::SendInvoice(due) => Some(due.after(transaction.now)),
            Collection::ChargeAutomatically => None,
        },
        url: format!("{}/invoices/{}", transaction.site(), invoice.id),
    });
    invoice.finalization_error = None;
    invoice.just_finalized = true;
    invoice.transitions.finalized_at = Some(transaction.now);
    let first = collect::first_attempt(invoice, transaction.now, PATIENCE);
    invoice.status = Status::Open {
        next_attempt: first.filter(|_| due.amount > Amount::ZERO),
    };
    transaction.put(invoice)
}

/// A draft of what is paid already becomes final, with what has paid it.
pub(crate) fn close(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    intent: Option<&PaymentIntent>,
) -> anyhow::Result<()> {
    let due = Due {
        amount: invoice.totals().total,
        ending_balance: invoice.billed.balance,
    };
    seal(transaction, invoice, due)?;
    record(transaction, "invoice.finalized", invoice)?;
    match intent {
        Some(intent) => collect::pay_with(transaction, invoice, intent),
        None => collect::settle(transaction, invoice, None),
    }
}

/// A draft stays one, and says why.
fn refuse(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    why: NotFinalized,
) -> anyhow::Result<NotFinalized> {
    let (code, message) = why.told();
    invoice.finalization_error = Some(json!({
        "code": code,
        "doc_url": doc_url(code),
        "message": message,
        "type": "invalid_request_error",
    }));
    if let Status::Draft { finalizes_at } = &mut invoice.status {
        *finalizes_at = None;
    }
    transaction.put(invoice)?;
    record(transaction, "invoice.finalization_failed", invoice)?;
    Ok(why)
}

/// `PREFIX-0001`, counted by customer.
fn next_number(transaction: &Transaction<'_>, invoice: &Invoice) -> anyhow::Result<String> {
    if let Some(number) = &invoice.number {
        return Ok(number.clone());
    }
    let customer = transaction.shown_of("customer", &invoice.customer)?;
    let Some(Value::Object(mut customer)) = customer else {
        return Ok(invoice.id.to_string());
    };
    let sequence = customer.get("next_invoice_sequence");
    let sequence = sequence.and_then(Value::as_i64).unwrap_or(1);
    let prefix = customer.get("invoice_prefix").and_then(Value::as_str);
    let number = format!("{}-{sequence:04}", prefix.unwrap_or_default());
    let next = json!(sequence.saturating_add(1));
    customer.insert("next_invoice_sequence".to_owned(), next);
    let customer = Value::Object(customer);
    transaction.put_plain("customer", &invoice.customer, &customer, None)?;
    Ok(number)
}

/// The customer's balance bears its part of an invoice that has become final.
fn apply_balance(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
    total: Amount,
) -> anyhow::Result<()> {
    let Some(finalized) = &invoice.finalized else {
        return Ok(());
    };
    let amount = finalized.ending_balance.minus(finalized.starting_balance);
    if amount == Amount::ZERO {
        return Ok(());
    }
    let owed = finalized.starting_balance.plus(total);
    let is_small = owed > Amount::ZERO && owed < invoice.currency.minimum();
    let reason = match is_small || total < Amount::ZERO {
        true => Reason::InvoiceTooSmall,
        false => Reason::AppliedToInvoice,
    };
    let change = Change {
        customer: &invoice.customer,
        amount,
        currency: invoice.currency,
        reason,
        invoice: Some(&invoice.id),
        credit_note: None,
    };
    change.make(transaction).map(|_| ())
}

/// A customer's discount that is for one invoice has had it.
fn spend_discounts(transaction: &Transaction<'_>, invoice: &Invoice) -> anyhow::Result<()> {
    let Some(before) = transaction.shown_of("customer", &invoice.customer)? else {
        return Ok(());
    };
    let Some(id) = before.pointer("/discount/id").and_then(Value::as_str) else {
        return Ok(());
    };
    let Some(discount) = invoice.discounts.iter().find(|it| it.id() == id) else {
        return Ok(());
    };
    let coupon = transaction.get::<Coupon>(discount.coupon())?;
    if coupon.is_none_or(|coupon| coupon.duration != "once") {
        return Ok(());
    }
    let mut customer = before.clone();
    if let Some(discount) = customer.get_mut("discount") {
        *discount = Value::Null;
    }
    transaction.put_plain("customer", &invoice.customer, &customer, None)?;
    let gone = Value::Object(discount.shown.clone());
    record_shown(transaction, "customer.discount.deleted", gone, None)
}

/// Nobody is to pay it, and nobody ever was.
pub(crate) fn void(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
) -> anyhow::Result<Result<(), WrongState>> {
    if !matches!(invoice.status, Status::Open { .. } | Status::Uncollectible) {
        return Ok(Err(WrongState));
    }
    let before = invoice.answer();
    invoice.status = Status::Void;
    invoice.transitions.voided_at = Some(transaction.now);
    intents::give_up(transaction, invoice)?;
    transaction.put(invoice)?;
    if let Some(finalized) = &invoice.finalized {
        let applied = finalized.ending_balance.minus(finalized.starting_balance);
        let change = Change {
            customer: &invoice.customer,
            amount: applied.negated(),
            currency: invoice.currency,
            reason: Reason::UnappliedFromInvoice,
            invoice: Some(&invoice.id),
            credit_note: None,
        };
        if applied != Amount::ZERO {
            change.make(transaction)?;
        }
    }
    record(transaction, "invoice.voided", invoice)?;
    record_change(transaction, "invoice.updated", &before, invoice)?;
    Ok(Ok(()))
}

/// Nobody expects the money any more.
pub(crate) fn mark_uncollectible(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
) -> anyhow::Result<Result<(), WrongState>> {
    if !matches!(invoice.status, Status::Open { .. }) {
        return Ok(Err(WrongState));
    }
    let before = invoice.answer();
    invoice.status = Status::Uncollectible;
    invoice.transitions.marked_uncollectible_at = Some(transaction.now);
    transaction.put(invoice)?;
    record(transaction, "invoice.marked_uncollectible", invoice)?;
    record_change(transaction, "invoice.updated", &before, invoice)?;
    Ok(Ok(()))
}

/// The shop says that the money has come past Stripe.
pub(crate) fn pay_out_of_band(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
) -> anyhow::Result<()> {
    let before = invoice.answer();
    invoice.paid_out_of_band = true;
    invoice.amount_paid = invoice.amount_due();
    collect::settle(transaction, invoice, Some(&before))
}

/// A draft is no more, nor are the items on it.
pub(crate) fn delete(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
) -> anyhow::Result<Result<(), WrongState>> {
    if !invoice.is_draft() {
        return Ok(Err(WrongState));
    }
    for line in &invoice.lines {
        if let Some(id) = line.item() {
            transaction.delete(InvoiceItem::KIND, id)?;
        }
    }
    transaction.delete(Invoice::KIND, &invoice.id)?;
    record(transaction, "invoice.deleted", invoice)?;
    Ok(Ok(()))
}

/// The time of an invoice has come. What became of it, if it was tried.
pub(crate) fn run_out(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
) -> anyhow::Result<Option<Outcome>> {
    let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= transaction.now);
    match invoice.status {
        Status::Draft { finalizes_at } if is_due(finalizes_at) => {
            if finalize(transaction, invoice)?.is_err() {
                return Ok(None);
            }
            match (invoice.status, invoice.terms.collection) {
                (Status::Paid, _) => Ok(Some(Outcome::Paid)),
                (_, Collection::ChargeAutomatically) => {
                    collect::try_again(transaction, invoice).map(Some)
                }
                (_, Collection::SendInvoice(_)) => {
                    send(transaction, invoice)?;
                    Ok(None)
                }
            }
        }
        Status::Open { next_attempt } if is_due(next_attempt) => {
            collect::try_again(transaction, invoice).map(Some)
        }
        _ => remind(transaction, invoice).map(|()| None),
    }
}

/// The customer gets a mail, at Stripe.
pub(crate) fn send(transaction: &Transaction<'_>, invoice: &Invoice) -> anyhow::Result<()> {
    record(transaction, "invoice.sent", invoice)
}

/// Tells of an invoice that nobody pays.
fn remind(transaction: &Transaction<'_>, invoice: &mut Invoice) -> anyhow::Result<()> {
    let event_type = match invoice.reminder() {
        Some((_, Reminder::WillBeDue)) => {
            invoice.reminded.will_be_due = true;
            "invoice.will_be_due"
        }
        Some((_, Reminder::Overdue)) => {
            invoice.reminded.overdue = true;
            "invoice.overdue"
        }
        None => anyhow::bail!("time does not change {}", invoice.id),
    };
    transaction.put(invoice)?;
    record(transaction, event_type, invoice)
}
