//! What an invoice's page and its print view show.

use time::OffsetDateTime;

use crate::account::amount::Amount;
use crate::checkout::cards::{self, Group, Mistyped};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::invoice::collect::default_method;
use crate::invoice::line::Line;
use crate::invoice::object::{Invoice, Status};
use crate::invoice::payment::{InvoicePayment, PaymentStatus};
use crate::payment::charge::Charge;
use crate::payment::intent::PaymentIntent;
use crate::payment::method::{Means, PaymentMethod};

/// An invoice as its customer reads it.
pub(super) struct InvoiceView {
    pub(super) shop: String,
    pub(super) due: String,
    pub(super) status: &'static str,
    pub(super) state: String,
    pub(super) to: String,
    pub(super) number: String,
    pub(super) issued: String,
    pub(super) description: Option<String>,
    pub(super) footer: Option<String>,
    pub(super) lines: Vec<LineView>,
    pub(super) sums: Vec<(String, String)>,
    pub(super) print: String,
    pub(super) receipt: Option<String>,
    pub(super) action: String,
    /// As long as it can be paid.
    pub(super) form: Option<FormView>,
}

pub(super) struct LineView {
    pub(super) name: String,
    pub(super) pieces: Option<String>,
    pub(super) period: Option<String>,
    pub(super) amount: String,
}

/// What it can be paid with.
pub(super) struct FormView {
    pub(super) amount: String,
    /// The customer's own: id, name, and whether it is chosen.
    pub(super) saved: Vec<(String, String, bool)>,
    pub(super) card_chosen: bool,
    pub(super) number: String,
    pub(super) expiry: String,
    pub(super) problem: Option<Mistyped>,
}

impl FormView {
    pub(super) fn marks(&self, field: &str) -> bool {
        self.problem.as_ref().is_some_and(|it| it.field == field)
    }

    /// Cards to try.
    pub(super) fn hints(&self) -> impl Iterator<Item = &'static Group> {
        cards::hints(false)
    }
}

impl InvoiceView {
    pub(super) fn of(
        transaction: &Transaction<'_>,
        shop: &str,
        invoice: &Invoice,
    ) -> anyhow::Result<Self> {
        let money = |amount| invoice.currency.display(amount);
        let due_date = invoice.due_date().map(day);
        let state = match invoice.status {
            Status::Draft { .. } => "Draft".to_owned(),
            Status::Open { .. } => match &due_date {
                Some(due) => format!("Due {due}"),
                None => "To be paid".to_owned(),
            },
            Status::Paid => "Paid".to_owned(),
            Status::Uncollectible => "Uncollectible".to_owned(),
            Status::Void => "Void".to_owned(),
        };
        let is_payable = matches!(invoice.status, Status::Open { .. } | Status::Uncollectible);
        let url = invoice.finalized.as_ref().map(|it| it.url.clone());
        Ok(Self {
            shop: shop.to_owned(),
            due: money(match is_payable {
                true => invoice.amount_remaining(),
                false => invoice.totals().total,
            }),
            status: invoice.status.as_str(),
            state,
            to: name_of(invoice),
            number: invoice.number.clone().unwrap_or_default(),
            issued: day(invoice.transitions.finalized_at.unwrap_or(invoice.created)),
            description: invoice.terms.description.clone(),
            footer: invoice.terms.footer.clone(),
            lines: invoice
                .lines
                .iter()
                .map(|line| LineView::of(line, invoice))
                .collect(),
            sums: sums(invoice),
            print: format!("{}/pdf", url.as_deref().unwrap_or_default()),
            receipt: receipt(transaction, invoice)?,
            action: url.unwrap_or_default(),
            form: match is_payable {
                true => Some(FormView::of(transaction, invoice)?),
                false => None,
            },
        })
    }
}

impl LineView {
    fn of(line: &Line, invoice: &Invoice) -> Self {
        let content = &line.content;
        let each = content.pricing.unit_amount_decimal.as_deref();
        let each = each.and_then(|it| it.parse().ok().map(Amount::new));
        Self {
            name: content
                .description
                .clone()
                .unwrap_or_else(|| "Item".to_owned()),
            pieces: match (content.quantity, each) {
                (quantity, Some(each)) if quantity != 1 => {
                    Some(format!("{quantity} × {}", invoice.currency.display(each)))
                }
                (quantity, None) if quantity != 1 => Some(format!("{quantity} pieces")),
                _ => None,
            },
            period: (content.period.start < content.period.end).then(|| {
                format!(
                    "{} – {}",
                    day(content.period.start),
                    day(content.period.end)
                )
            }),
            amount: invoice.currency.display(content.amount),
        }
    }
}

impl FormView {
    fn of(transaction: &Transaction<'_>, invoice: &Invoice) -> anyhow::Result<Self> {
        let default = default_method(transaction, invoice)?;
        let kept: Vec<PaymentMethod> = transaction.having("customer", &invoice.customer)?;
        let saved: Vec<_> = kept
            .iter()
            .filter_map(|method| {
                let Means::Card(card) = &method.means else {
                    return None;
                };
                let name = format!("{} •••• {}", card.test.brand.legacy(), card.test.last4());
                let chosen = default.as_ref().is_some_and(|it| it.id == method.id);
                Some((method.id.to_string(), name, chosen))
            })
            .collect();
        Ok(Self {
            amount: invoice.currency.display(invoice.amount_remaining()),
            card_chosen: saved.iter().all(|(_, _, chosen)| !chosen),
            saved,
            number: String::new(),
            expiry: String::new(),
            problem: None,
        })
    }
}

/// Who it is to.
pub(super) fn name_of(invoice: &Invoice) -> String {
    let known = invoice.billed.name().or(invoice.billed.email());
    known.unwrap_or(&invoice.customer).to_owned()
}

/// What it comes to, row by row.
pub(super) fn sums(invoice: &Invoice) -> Vec<(String, String)> {
    let totals = invoice.totals();
    let mut rows = vec![("Subtotal".to_owned(), totals.subtotal)];
    for discount in &invoice.discounts {
        let taken = totals.discounts.iter().find(|(id, _)| id == discount.id());
        if let Some((_, amount)) = taken {
            rows.push((format!("Discount {}", discount.coupon()), amount.negated()));
        }
    }
    for tax in &totals.taxes {
        let name = tax
            .rate
            .shown
            .get("display_name")
            .and_then(|it| it.as_str());
        let percentage = tax.rate.shown.get("percentage").map(ToString::to_string);
        let (name, percentage) = (name.unwrap_or("Tax"), percentage.unwrap_or_default());
        let percentage = percentage.strip_suffix(".0").unwrap_or(&percentage);
        rows.push((
            match tax.rate.inclusive {
                true => format!("{name} {percentage}% included"),
                false => format!("{name} {percentage}%"),
            },
            tax.amount,
        ));
    }
    if let Some(shipping) = &invoice.shipping {
        rows.push(("Shipping".to_owned(), shipping.amount));
    }
    rows.push(("Total".to_owned(), totals.total));
    let applied = invoice
        .finalized
        .as_ref()
        .map(|it| it.ending_balance.minus(it.starting_balance));
    let more = [
        ("Applied balance", applied.unwrap_or_default().negated()),
        ("Credited", invoice.credited.pre_payment.negated()),
        ("Paid", invoice.amount_paid.negated()),
    ];
    let more = more
        .into_iter()
        .filter(|(_, amount)| *amount != Amount::ZERO);
    rows.extend(more.map(|(name, amount)| (name.to_owned(), amount)));
    // Nobody owes what is void.
    if invoice.status != Status::Void {
        rows.push(("Amount due".to_owned(), invoice.amount_remaining()));
    }
    let rows = rows.into_iter();
    rows.map(|(name, amount)| (name, invoice.currency.display(amount)))
        .collect()
}

/// The receipt of the charge that has paid it.
fn receipt(transaction: &Transaction<'_>, invoice: &Invoice) -> anyhow::Result<Option<String>> {
    let payments: Vec<InvoicePayment> = transaction.having("invoice", &invoice.id)?;
    let mut paid = payments.into_iter().rev();
    let paid = paid.find(|payment| matches!(payment.status, PaymentStatus::Paid { .. }));
    let Some(paid) = paid else {
        return Ok(None);
    };
    let intent: PaymentIntent = transaction.existing(&paid.intent)?;
    let charge = match &intent.latest_charge {
        Some(id) => transaction.get::<Charge>(id)?,
        None => None,
    };
    Ok(charge.map(|charge| charge.receipt_url))
}

/// Such as `2026-11-26`.
pub(super) fn day(moment: Timestamp) -> String {
    OffsetDateTime::from_unix_timestamp(moment)
        .map(|moment| moment.date().to_string())
        .unwrap_or_default()
}
