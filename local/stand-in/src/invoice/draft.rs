//! Invoices in the making.

use serde_json::Value;

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::billing::currency;
use crate::checkout::tax::Rate;
use crate::engine::ids::{CustomerId, InvoiceId};
use crate::engine::time::{HOUR, Timestamp};
use crate::engine::transaction::Transaction;
use crate::invoice::billed::Billed;
use crate::invoice::collect;
use crate::invoice::discount::Discount;
use crate::invoice::item::{self, InvoiceItem, Sweep};
use crate::invoice::line::{Line, Period, Source};
use crate::invoice::object::{
    Attempts, BillingReason, Credited, Invoice, Parent, Reminded, Status, Transitions,
};
use crate::invoice::shipment::Shipping;
use crate::invoice::terms::Terms;
use crate::webhook::record::record;

/// How long a draft can be changed before it is finalized by itself, and how long an invoice that the
/// shop has finalized waits for its first try.
pub(crate) const PATIENCE: Timestamp = HOUR;

/// What an invoice is to be.
#[derive(Debug)]
pub(crate) struct NewInvoice {
    /// Its id, if that is known already.
    pub(crate) id: Option<InvoiceId>,
    pub(crate) customer: CustomerId,
    pub(crate) currency: Currency,
    pub(crate) billing_reason: BillingReason,
    pub(crate) parent: Parent,
    pub(crate) terms: Terms,
    /// Besides the pending items that are swept up.
    pub(crate) lines: Vec<Line>,
    pub(crate) sweep: Sweep,
    /// Of the whole invoice; if there are none given, that of the customer.
    pub(crate) discounts: Option<Vec<Discount>>,
    pub(crate) shipping: Option<Shipping>,
    /// Now, if there is nothing else.
    pub(crate) period: Option<Period>,
    /// When a draft that advances by itself is finalized, if not after an hour.
    pub(crate) finalizes_at: Option<Timestamp>,
    pub(crate) number: Option<String>,
}

impl NewInvoice {
    /// An invoice of nothing.
    pub(crate) fn of(customer: &CustomerId, currency: Currency) -> Self {
        Self {
            id: None,
            customer: customer.clone(),
            currency,
            billing_reason: BillingReason::Manual,
            parent: Parent::Nothing,
            terms: Terms::default(),
            lines: Vec::new(),
            sweep: Sweep::None,
            discounts: None,
            shipping: None,
            period: None,
            finalizes_at: None,
            number: None,
        }
    }
}

/// Makes a draft, and tells of it.
pub(crate) fn begin(transaction: &Transaction<'_>, new: NewInvoice) -> anyhow::Result<Invoice> {
    let swept = item::pending(transaction, &new.customer, new.currency, &new.sweep)?;
    let invoice = preview(transaction, new, &swept)?;
    for mut item in swept {
        item.invoice = Some(invoice.id.clone());
        transaction.put(&item)?;
    }
    for line in &invoice.lines {
        keep_item(transaction, &invoice, line)?;
    }
    currency::adopt_first(transaction, &invoice.customer, invoice.currency)?;
    transaction.put(&invoice)?;
    record(transaction, "invoice.created", &invoice)?;
    Ok(invoice)
}

/// A line that comes of an item that is not there yet brings it.
fn keep_item(transaction: &Transaction<'_>, invoice: &Invoice, line: &Line) -> anyhow::Result<()> {
    let Source::Item {
        item,
        subscription,
        proration,
    } = &line.source
    else {
        return Ok(());
    };
    if transaction.get::<InvoiceItem>(item)?.is_some() {
        return Ok(());
    }
    transaction.put(&InvoiceItem {
        id: item.clone(),
        created: transaction.now,
        customer: invoice.customer.clone(),
        currency: invoice.currency,
        content: line.content.clone(),
        invoice: Some(invoice.id.clone()),
        subscription: subscription.clone(),
        proration: proration.clone(),
        test_clock: invoice.billed.test_clock.clone(),
    })
}

/// The draft that there would be, with these items on it. Nothing is kept.
pub(crate) fn preview(
    transaction: &Transaction<'_>,
    new: NewInvoice,
    swept: &[InvoiceItem],
) -> anyhow::Result<Invoice> {
    let mut lines: Vec<Line> = swept.iter().map(InvoiceItem::line).collect();
    lines.extend(new.lines);
    let later = new
        .terms
        .auto_advance
        .then(|| transaction.now.saturating_add(PATIENCE));
    let mut invoice = Invoice {
        id: new.id.unwrap_or_else(InvoiceId::random),
        created: transaction.now,
        discounts: match new.discounts {
            Some(discounts) => discounts,
            None => customers_discount(transaction, &new.customer)?,
        },
        customer: new.customer,
        currency: new.currency,
        status: Status::Draft {
            finalizes_at: new.finalizes_at.or(later),
        },
        billing_reason: new.billing_reason,
        parent: new.parent,
        terms: new.terms,
        billed: Billed::default(),
        lines,
        automatic_rates: None,
        shipping: new.shipping,
        period: new.period.unwrap_or(Period::at(transaction.now)),
        number: new.number,
        finalized: None,
        intent: None,
        attempts: Attempts::default(),
        amount_paid: Amount::ZERO,
        paid_out_of_band: false,
        credited: Credited::default(),
        transitions: Transitions::default(),
        reminded: Reminded::default(),
        finalization_error: None,
        just_finalized: false,
    };
    refresh(transaction, &mut invoice)?;
    Ok(invoice)
}

/// The discount of a customer, if it is not over.
fn customers_discount(
    transaction: &Transaction<'_>,
    customer: &str,
) -> anyhow::Result<Vec<Discount>> {
    let customer = transaction.shown_of("customer", customer)?;
    let discount = match customer.as_ref().and_then(|it| it.get("discount")) {
        Some(shown) => Discount::stored(transaction, shown)?,
        None => None,
    };
    let running = discount.filter(|it| !it.is_over(transaction.now));
    Ok(running.into_iter().collect())
}

/// A draft shows its customer as they are now.
pub(crate) fn refresh(transaction: &Transaction<'_>, invoice: &mut Invoice) -> anyhow::Result<()> {
    invoice.billed = Billed::now(transaction, &invoice.customer, invoice.currency)?;
    invoice.automatic_rates = match (&invoice.billed.country, invoice.terms.automatic_tax) {
        (Some(country), true) => {
            let rate = |inclusive| Rate::automatic(country, inclusive, transaction.now);
            rate(false)
                .zip(rate(true))
                .map(|(on_top, within)| [on_top, within])
        }
        _ => None,
    };
    Ok(())
}

/// Keeps a changed invoice, and tells of it if that can be seen.
pub(crate) fn update(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    before: &Value,
) -> anyhow::Result<()> {
    if invoice.is_draft() {
        refresh(transaction, invoice)?;
    }
    collect::change(transaction, invoice, before)
}
