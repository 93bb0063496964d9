//! Reads subscriptions that are due, and compares their invoices that are not over yet.

use shared::{
    comparison::{ComparisonError, InvoiceComparison},
    ledger::Source,
    purchase::{InvoiceId, Subject, SubscriptionId},
    readings::{Read, ReadingError},
    stripe::event::Hint,
};

use crate::run::{Parts, Run};

/// Reads a subscription. Its period is over, it could not be charged, or nobody has read it yet.
pub(crate) async fn read(run: &mut Run<'_>, id: &SubscriptionId) {
    count(run);
    let now = run.now();
    let source = Source::Fetched {
        object: id.to_string(),
        at: now,
    };
    let read = run.parts.readings.read(id, Hint::Changed, &source, now);
    let read: Result<Read, ReadingError> = read.await;
    let subject = Subject::Subscription(id.clone());
    match read {
        Ok(Read::Changed(status)) => run.found(&id.to_string(), subject, status, "read"),
        Ok(Read::NothingNew | Read::SeenBefore) => {}
        // It went with its test clock, say. Nothing is wrong here, so the run has not failed.
        Ok(Read::Foreign | Read::Unknown) => {
            tracing::warn!(%subject, "Stripe does not know a subscription, so it cannot be read");
        }
        Err(error) => run.left_for_next_time(&subject, &error),
    }
}

/// Compares an invoice.
pub(crate) async fn compare_invoice(
    run: &mut Run<'_>,
    subscription: &SubscriptionId,
    id: &InvoiceId,
) {
    let subject = Subject::Invoice(subscription.clone(), id.clone());
    if let Err(error) = compare(run, &subject, subscription, id).await {
        run.left_for_next_time(&subject, &error);
    }
}

async fn compare(
    run: &mut Run<'_>,
    subject: &Subject,
    subscription: &SubscriptionId,
    id: &InvoiceId,
) -> Result<(), ComparisonError> {
    let Parts {
        invoices,
        invoice_ledger,
        stripe,
        stack,
        ..
    } = run.parts;
    let Some(stored) = invoices.get(subscription, id).await? else {
        return Ok(());
    };
    count(run);
    let (invoice, now) = (&stored.invoice, run.now());
    let doubts = invoice.payment().doubts();
    let mut comparison = InvoiceComparison::of(invoice, invoice_ledger, stripe, now);
    let compared = comparison.run(stack).await;
    run.found_news(subject, comparison.news());
    compared?;
    let checked = invoice_ledger.checked(subscription, id, doubts, now);
    Ok(checked.await?)
}

fn count(run: &mut Run<'_>) {
    run.findings.purchases = run.findings.purchases.saturating_add(1);
}
