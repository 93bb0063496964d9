//! What can happen to a quote.
//!
//! ```text
//! draft ──finalize──► open ──accept──► accepted
//!   └─────cancel, expire─┴───────────► canceled
//! ```

use crate::engine::ids::{self, CustomerId};
use crate::engine::transaction::Transaction;
use crate::invoice;
use crate::invoice::draft::NewInvoice;
use crate::invoice::object::{BillingReason, Invoice, Parent};
use crate::invoice::terms::{Collection, Due};
use crate::quote::object::{Quote, Status};
use crate::webhook::record::record;

/// How long a customer has to pay what was quoted, if nobody says otherwise.
pub(super) const DAYS_UNTIL_DUE: i64 = 30;

/// The quote is in a state in which this cannot happen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongState;

/// The quote can be accepted, and no longer be changed.
pub(crate) fn finalize(
    transaction: &Transaction<'_>,
    quote: &mut Quote,
) -> anyhow::Result<Result<(), WrongState>> {
    if quote.status != Status::Draft {
        return Ok(Err(WrongState));
    }
    quote.status = Status::Open;
    quote.number = Some(format!("QT-{}-1", ids::code()));
    quote.transitions.finalized_at = Some(transaction.now);
    transaction.put(quote)?;
    record(transaction, "quote.finalized", quote)?;
    Ok(Ok(()))
}

/// Nobody can accept it any more.
pub(crate) fn cancel(
    transaction: &Transaction<'_>,
    quote: &mut Quote,
) -> anyhow::Result<Result<(), WrongState>> {
    if !matches!(quote.status, Status::Draft | Status::Open) {
        return Ok(Err(WrongState));
    }
    quote.status = Status::Canceled;
    quote.transitions.canceled_at = Some(transaction.now);
    transaction.put(quote)?;
    record(transaction, "quote.canceled", quote)?;
    Ok(Ok(()))
}

/// The time of a quote is over.
pub(crate) fn run_out(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut quote: Quote = transaction.existing(id)?;
    cancel(transaction, &mut quote)?
        .map_err(|WrongState| anyhow::anyhow!("{id} has run out but is over"))
}

/// The customer has accepted it: what it becomes is in it.
pub(crate) fn accept(transaction: &Transaction<'_>, quote: &mut Quote) -> anyhow::Result<()> {
    quote.status = Status::Accepted;
    quote.transitions.accepted_at = Some(transaction.now);
    transaction.put(quote)?;
    record(transaction, "quote.accepted", quote)
}

/// How what a quote becomes is paid.
pub(crate) fn collection(quote: &Quote) -> Collection {
    match quote.terms.collection_method.as_str() {
        "send_invoice" => {
            let days = quote.terms.days_until_due.unwrap_or(DAYS_UNTIL_DUE);
            Collection::SendInvoice(Due::Days(days))
        }
        _ => Collection::ChargeAutomatically,
    }
}

/// The invoice that a quote of one-time prices becomes.
pub(crate) fn bill(
    transaction: &Transaction<'_>,
    quote: &Quote,
    customer: &CustomerId,
) -> anyhow::Result<Option<Invoice>> {
    let Some(currency) = quote.currency else {
        return Ok(None);
    };
    let mut new = NewInvoice::of(customer, currency);
    new.billing_reason = BillingReason::QuoteAccept;
    new.parent = Parent::Quote(quote.id.clone());
    new.discounts = Some(quote.discounts.clone());
    new.terms.auto_advance = true;
    new.terms
        .default_tax_rates
        .clone_from(&quote.terms.default_tax_rates);
    new.terms.metadata.clone_from(&quote.terms.metadata);
    new.terms.collection = collection(quote);
    new.lines = quote.lines.iter().map(|it| it.line.clone()).collect();
    for line in &mut new.lines {
        line.id = ids::plain("il_1");
    }
    invoice::draft::begin(transaction, new).map(Some)
}
