//! The amounts in a letter: what was ordered, and the sums below it.

use crate::{
    email::{
        amounts::Amounts,
        content::{AboutDispute, Content, Frozen, PaidSums, ToBuyer, ToSeller},
        prose::{Item, Sum, one_line},
    },
    invoice::{Bill, BilledLine},
    money::{Money, MoneyError},
    purchase::{Line, Movement, Order},
    subscription::{self, Reading},
};

/// What was ordered, is billed, or is subscribed to, with its amounts.
pub(super) fn items(frozen: &Frozen, amounts: &Amounts) -> Result<Vec<Item>, MoneyError> {
    match (&frozen.invoice, &frozen.subscription) {
        (Some(bill), _) => Ok(billed(bill, amounts)),
        (None, Some(reading)) => subscribed(reading, amounts),
        (None, None) => ordered(&frozen.order, amounts),
    }
}

/// What was ordered, for whoever has to find it on a shelf: variants may share a name.
pub(super) fn with_product_ids(
    frozen: &Frozen,
    amounts: &Amounts,
) -> Result<Vec<Item>, MoneyError> {
    let items = ordered(&frozen.order, amounts)?.into_iter();
    let lines = frozen.order.lines.iter();
    let noted = items.zip(lines).map(|(item, line)| Item {
        notes: vec![line.product_id.to_string()],
        ..item
    });
    Ok(noted.collect())
}

fn billed(bill: &Bill, amounts: &Amounts) -> Vec<Item> {
    let money = |amount| amounts.write(Money::new(amount, bill.total.currency));
    let item = |line: &BilledLine| {
        let (name, quantity) = match priced(&line.name) {
            Some((quantity, name, interval)) => {
                let each = line.amount.checked_div(quantity);
                let each = each.filter(|each| each.checked_mul(quantity) == Some(line.amount));
                let price = each.map(|each| format!(" {} / {interval}", money(each)));
                let price = price.unwrap_or_default();
                (name, format!("{quantity} ×{price}"))
            }
            None => (line.name.as_str(), String::new()),
        };
        Item {
            name: one_line(name),
            quantity: one_line(&quantity),
            amount: money(line.amount),
            notes: Vec::new(),
        }
    };
    bill.lines.iter().map(item).collect()
}

/// The quantity, name and interval of a line that Stripe describes as `2 × Coffee box (at $9.00 /
/// month)`, so that no price stands in a letter in two ways. `None` for any other words, such as
/// those of a proration, which are left as they are.
fn priced(description: &str) -> Option<(i64, &str, &str)> {
    let (quantity, rest) = description.split_once(" × ")?;
    let (name, price) = rest.rsplit_once(" (at ")?;
    let price = price.strip_suffix(')')?;
    let (_, interval) = price
        .rsplit_once(" / ")
        .or_else(|| price.rsplit_once(" every "))?;
    // `$9.00 / every 3 months`, if it is not each one.
    let interval = interval.strip_prefix("every ").unwrap_or(interval);
    let quantity = quantity.parse().ok().filter(|it| *it > 0)?;
    Some((quantity, name, interval))
}

fn subscribed(reading: &Reading, amounts: &Amounts) -> Result<Vec<Item>, MoneyError> {
    let item = |item: &subscription::Item| {
        let price = |amount| Money::new(amount, reading.currency);
        let (each, all) = match item.unit_amount.map(price) {
            Some(price) => {
                let all = price.checked_mul(item.quantity)?;
                (amounts.write(price), amounts.write(all))
            }
            None => (String::new(), String::new()),
        };
        Ok(Item {
            name: one_line(&item.name),
            quantity: format!("{} × {each} / {}", item.quantity, item.recurring),
            amount: all,
            notes: Vec::new(),
        })
    };
    reading.items.iter().map(item).collect()
}

fn ordered(order: &Order, amounts: &Amounts) -> Result<Vec<Item>, MoneyError> {
    let item = |line: &Line| {
        let price = Money::new(line.unit_amount, order.total.currency);
        let terms = line
            .recurring
            .map(|recurring| format!(" {}", recurring.terms()));
        let terms = terms.unwrap_or_default();
        Ok(Item {
            name: one_line(&line.name),
            quantity: format!("{} × {}{terms}", line.quantity, amounts.write(price)),
            amount: amounts.write(line.due(order.total.currency)?),
            notes: Vec::new(),
        })
    };
    order.lines.iter().map(item).collect()
}

/// What the total comes from, if that is more than goods; the total; and what of it is tax that was in
/// the prices.
struct Totals {
    parts: Vec<(&'static str, Money)>,
    total: Money,
    included: Money,
}

impl Totals {
    fn of(frozen: &Frozen) -> Self {
        let billed = frozen.invoice.as_ref();
        let billed = billed.and_then(|bill| {
            let (sums, total) = (bill.sums?, bill.total);
            Some(PaidSums { sums, total })
        });
        let Some(paid) = frozen.sums.or(billed) else {
            return Self::only(frozen.order.total);
        };
        let PaidSums { sums, total } = paid;
        let (on_top, included) = (
            sums.tax_on_top(total.amount),
            sums.tax_included(total.amount),
        );
        let is_shipped = sums.shipping != 0 || frozen.delivery.is_some();
        // What a promotion took off a purchase is told by what was paid.
        let is_discounted = sums.discount != 0 && billed.is_some();
        if on_top == 0 && included == 0 && !is_shipped && !is_discounted {
            return Self::only(frozen.order.total);
        }
        let money = |amount| Money::new(amount, total.currency);
        let parts = [
            (
                "Discount",
                sums.discount.saturating_neg(),
                sums.discount != 0,
            ),
            ("Shipping", sums.shipping, is_shipped),
            ("Tax", on_top, on_top != 0),
        ];
        let parts = parts.into_iter().filter(|(.., is_shown)| *is_shown);
        let mut parts: Vec<_> = parts.map(|(label, it, _)| (label, money(it))).collect();
        if !parts.is_empty() {
            parts.insert(0, ("Subtotal", money(sums.subtotal)));
        }
        Self {
            parts,
            total,
            included: money(included),
        }
    }

    fn only(total: Money) -> Self {
        Self {
            parts: Vec::new(),
            total,
            included: Money::zero(total.currency),
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&'static str, Money)> {
        let parts = self.parts.iter().copied();
        let included = Some(("Of which tax", self.included)).filter(|(_, it)| it.amount != 0);
        parts.chain([("Total", self.total)]).chain(included)
    }
}

/// The total, followed by what the letter is about: on a receipt, what was paid if it differs; for
/// a refund, its amount; for a dispute, what it moved.
pub(super) fn sums(content: &Content<'_>, frozen: &Frozen, amounts: &Amounts) -> Vec<Sum> {
    let sum = |label, money| Sum {
        label,
        amount: amounts.write(money),
    };
    let totals = Totals::of(frozen);
    let total = totals.total;
    let rows = totals.rows().map(|(label, money)| sum(label, money));
    let mut sums: Vec<_> = rows.collect();
    match content {
        Content::ToBuyer(ToBuyer::Receipt { paid, .. } | ToBuyer::Welcome { paid, .. })
        | Content::ToSeller(ToSeller::Sale { paid, .. })
            if *paid != total =>
        {
            if paid.currency == total.currency
                && let Some(discount @ ..0) = paid.amount.checked_sub(total.amount)
            {
                sums.push(sum("Discount", Money::new(discount, total.currency)));
            }
            sums.push(sum("Paid", *paid));
        }
        Content::ToBuyer(ToBuyer::InvoicePaid { bill, .. }) => {
            if bill.paid != bill.total {
                sums.push(sum("Paid", bill.paid));
            }
        }
        Content::ToBuyer(ToBuyer::PaymentFailed(bill) | ToBuyer::ActionRequired(bill)) => {
            if bill.due != bill.total {
                sums.push(sum("To pay", bill.due));
            }
        }
        Content::ToBuyer(ToBuyer::Refund { amount } | ToBuyer::RefundFailed { amount }) => {
            sums.push(sum("Refund", *amount));
            let tax = frozen.refund_tax.filter(|tax| tax.amount != 0);
            sums.extend(tax.map(|tax| sum("Of which tax", tax)));
        }
        Content::ToBuyer(
            ToBuyer::Receipt { .. }
            | ToBuyer::Welcome { .. }
            | ToBuyer::Pending { .. }
            | ToBuyer::Voucher { .. }
            | ToBuyer::Failed
            | ToBuyer::Shipped { .. }
            | ToBuyer::TrialEnding(_)
            | ToBuyer::PlanChanged(_)
            | ToBuyer::Cancelled(_)
            | ToBuyer::Ended(_),
        )
        | Content::ToSeller(ToSeller::Lost(_) | ToSeller::Sale { .. }) => {}
        Content::ToSeller(ToSeller::Dispute(AboutDispute {
            terms, movements, ..
        })) => {
            sums.push(sum("In dispute", terms.amount));
            for Movement { amount, fee } in *movements {
                let taken = amount.amount < 0;
                sums.push(sum(if taken { "Taken" } else { "Given back" }, *amount));
                if *fee != 0 {
                    let fee = Money::new(fee.saturating_neg(), amount.currency);
                    sums.push(sum("Fee", fee));
                }
            }
        }
    }
    sums
}
