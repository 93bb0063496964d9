//! How a subscription is shown in words.

use shared::invoice::{Invoice, InvoiceStatus, Reason};
use shared::purchase::Attention;
use shared::store::subscriptions::WithInvoices;
use shared::subscription::{Entitlement, Reading, Subscription, SubscriptionStatus};

use crate::commands::console::{Column, Table, bad, dim, good, heading, notable, plain};
use crate::commands::moment::{minute, second};
use crate::commands::purchases::view::advice;

/// Subscriptions, one a line.
pub(super) fn table(subscriptions: &[Subscription]) -> Table {
    let mut table = Table::new([
        Column::left("SUBSCRIPTION"),
        Column::left("BEGAN (UTC)"),
        Column::left("STATUS"),
        Column::left("PLAN").giving_way(),
        Column::right("NEXT"),
    ]);
    for subscription in subscriptions {
        let reading = subscription.reading();
        let began = reading.map(|reading| minute(reading.started_at));
        table.row([
            plain(subscription.id().as_str()),
            began.unwrap_or_default(),
            status(reading),
            reading.map(plan).unwrap_or_default(),
            reading.map(next).unwrap_or_default(),
        ]);
    }
    table
}

/// Its status, in its colour.
fn status(reading: Option<&Reading>) -> String {
    use SubscriptionStatus as S;
    let Some(reading) = reading else {
        return dim("unread");
    };
    let words = reading.status.as_str().replace('_', " ");
    match reading.status {
        S::Active | S::Trialing if reading.ends_at().is_some() => {
            notable(&format!("{words}, ends"))
        }
        S::Active | S::Trialing => good(&words),
        S::PastDue | S::Unpaid => bad(&words),
        S::Incomplete | S::Paused => notable(&words),
        S::Canceled | S::IncompleteExpired => dim(&words),
    }
}

/// "2 × Coffee box, 38.00 USD / month"
fn plan(reading: &Reading) -> String {
    let items = reading.items.iter().map(|item| match item.quantity {
        1 => plain(&item.name),
        quantity => format!("{quantity} × {}", plain(&item.name)),
    });
    let mut plan = items.collect::<Vec<_>>().join(", ");
    if let (Some(total), Some(first)) = (reading.total(), reading.items.first()) {
        plan.push_str(&format!(", {total} / {}", first.recurring));
    }
    plan
}

/// "2026-12-27 09:00 38.00 USD", or when it ends.
fn next(reading: &Reading) -> String {
    match (reading.next(), reading.ends_at()) {
        (_, Some(end)) => format!("ends {}", minute(end)),
        (Some(next), None) => format!("{} {}", minute(next.at), next.amount),
        (None, None) => String::new(),
    }
}

/// Everything about one.
pub(super) fn tell(found: &WithInvoices, now: i64) -> String {
    let WithInvoices {
        subscription,
        invoices,
    } = found;
    let reading = subscription.reading();
    let mut text = format!(
        "{} {}\n",
        heading(&plain(subscription.id().as_str())),
        status(reading)
    );
    let mut line = |name: &str, what: &str| {
        text.push_str(&format!("  {} {what}\n", dim(&format!("{name:10}"))));
    };
    let buyer = subscription.buyer();
    let who = [&buyer.email, &buyer.subject];
    let who = who.into_iter().flatten().map(|it| plain(it));
    line("buyer", &who.collect::<Vec<_>>().join(" "));
    line("purchase", &subscription.purchase().to_string());
    if let Some(reading) = reading {
        line("plan", &plan(reading));
        line("began", &format!("{} UTC", second(reading.started_at)));
        let Entitlement { active_until, .. } = Entitlement::of(reading, invoices, now, 0);
        if let Some(until) = active_until {
            line("paid until", &format!("{} UTC", second(until)));
        }
        if let Some(end) = reading.trial_end {
            line("trial", &format!("until {} UTC", second(end)));
        }
        let next = next(reading);
        if !next.is_empty() {
            line("next", &next);
        }
        if let Some(ended) = reading.ended_at {
            line("ended", &format!("{} UTC", second(ended)));
        }
    }
    for invoice in invoices {
        let is_late = reading.is_some_and(|it| it.had_ended_before(invoice));
        let late = is_late.then_some(Attention::PaidAfterEnd);
        for attention in invoice.attention().into_iter().chain(late) {
            line(
                "attention",
                &format!("{}: {}", invoice.id(), advice(attention)),
            );
        }
    }
    let invoices = invoice_table(invoices).text();
    match invoices.is_empty() {
        true => text,
        false => format!("{text}\n{invoices}"),
    }
}

/// What an invoice is for.
fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::First => "first",
        Reason::Renewal => "renewal",
        Reason::Change => "change",
        Reason::Other => "other",
    }
}

fn invoice_table(invoices: &[Invoice]) -> Table {
    let mut table = Table::new([
        Column::left("INVOICE"),
        Column::left("MADE (UTC)"),
        Column::left("FOR").giving_way(),
        Column::left("STATUS"),
        Column::right("TOTAL"),
        Column::right("NET"),
    ]);
    let mut invoices: Vec<_> = invoices.iter().collect();
    invoices.sort_by_key(|it| std::cmp::Reverse((it.bill().created_at, it.id())));
    for invoice in invoices {
        let words = invoice.status().as_str().replace('_', " ");
        let status = match invoice.status() {
            InvoiceStatus::Paid => good(&words),
            InvoiceStatus::Uncollectible | InvoiceStatus::Disputed | InvoiceStatus::ChargedBack => {
                bad(&words)
            }
            InvoiceStatus::Open | InvoiceStatus::Refunded | InvoiceStatus::PartiallyRefunded => {
                notable(&words)
            }
            InvoiceStatus::Void | InvoiceStatus::Draft => dim(&words),
        };
        table.row([
            plain(invoice.id().as_str()),
            minute(invoice.bill().created_at),
            reason(invoice.bill().reason).to_owned(),
            status,
            invoice.bill().total.to_string(),
            invoice.accounts().net.to_string(),
        ]);
    }
    table
}
