//! How the total of an invoice comes about, to the minor unit.
//!
//! 1. A line's own discounts are taken off it, one after the other: each percentage is of what the one
//!    before has left. What then remains of all lines is the subtotal.
//! 2. The invoice's discounts are taken off all lines that are discountable together, one after the
//!    other. Each line bears its part in proportion to what remains of it; the parts add up to the last
//!    cent.
//! 3. Each tax rate of a line is a share of what remains of it, rounded half up line by line. Taxes that
//!    are in the price are taken out of it together; taxes on top are reckoned on what is left.
//!
//! The sources are Stripe's pages "Discounts" and "Tax rates", and the example on "Rounding rules".

use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::checkout::tax::{Rate, Tax, taxes_on};
use crate::invoice::discount::Discount;
use crate::invoice::line::Line;
use crate::invoice::shipment::Shipping;

/// What is added up.
#[derive(Debug)]
pub(crate) struct Bill<'b> {
    pub(crate) lines: &'b [Line],
    pub(crate) currency: Currency,
    /// Of the whole invoice.
    pub(crate) discounts: &'b [Discount],
    /// For the lines that have no rates of their own.
    pub(crate) rates: &'b [Rate],
    /// The rate of automatic tax for a line, which includes tax or not.
    pub(crate) automatic: Option<[Rate; 2]>,
    /// The customer pays no tax.
    pub(crate) exempt: bool,
    pub(crate) shipping: Option<&'b Shipping>,
}

/// What an invoice comes to.
#[derive(Debug)]
pub(crate) struct Totals {
    pub(crate) lines: Vec<LineSums>,
    pub(crate) subtotal: Amount,
    pub(crate) subtotal_excluding_tax: Amount,
    /// By discount, in the order in which they were taken off.
    pub(crate) discounts: Vec<(String, Amount)>,
    /// By rate, shipping's among them.
    pub(crate) taxes: Vec<Tax>,
    pub(crate) shipping_taxes: Vec<Tax>,
    pub(crate) total: Amount,
    pub(crate) total_excluding_tax: Amount,
}

/// What a line comes to.
#[derive(Debug, Default)]
pub(crate) struct LineSums {
    /// What each discount takes off it.
    pub(crate) discounts: Vec<(String, Amount)>,
    pub(crate) taxes: Vec<Tax>,
    /// What remains of it, with tax.
    pub(crate) total: Amount,
}

impl LineSums {
    pub(crate) fn discounts_shown(&self) -> Value {
        discounts_shown(&self.discounts)
    }

    pub(crate) fn pretax_credits_shown(&self) -> Value {
        pretax_credits_shown(&self.discounts)
    }

    pub(crate) fn taxes_shown(&self) -> Value {
        self.taxes.iter().map(tax_shown).collect()
    }
}

impl Totals {
    pub(crate) fn of(bill: &Bill<'_>) -> Self {
        let mut lines: Vec<_> = bill.lines.iter().map(|line| own(line, bill)).collect();
        let subtotal = lines.iter().map(|(left, _)| *left).sum();
        let untaxed = bill.lines.iter().zip(&lines).map(|(line, (left, _))| {
            let included = taxes_on(&rates(line, bill), *left).into_iter();
            included.fold(*left, |left, tax| left.minus(tax.included()))
        });
        let subtotal_excluding_tax = untaxed.sum();
        for discount in bill.discounts {
            take_off(discount, bill, &mut lines);
        }
        let lines: Vec<LineSums> = bill
            .lines
            .iter()
            .zip(lines)
            .map(|(line, (left, discounts))| {
                let taxes = taxes_on(&rates(line, bill), left);
                let on_top: Amount = taxes.iter().map(Tax::on_top).sum();
                LineSums {
                    discounts,
                    taxes,
                    total: left.plus(on_top),
                }
            })
            .collect();
        let shipping = bill.shipping.map_or(Amount::ZERO, |it| it.amount);
        let shipping_taxes = taxes_on(&rates_of_shipping(bill), shipping);
        let of_lines = lines.iter().flat_map(|line| &line.taxes);
        let taxes = by_rate(of_lines.chain(&shipping_taxes));
        let of_lines: Amount = lines.iter().map(|line| line.total).sum();
        let on_shipping = shipping_taxes.iter().map(Tax::on_top).sum();
        let total = of_lines.plus(shipping).plus(on_shipping);
        let tax = taxes.iter().map(|tax| tax.amount).sum();
        Self {
            subtotal,
            subtotal_excluding_tax,
            discounts: by_discount(lines.iter().flat_map(|line| &line.discounts)),
            taxes,
            shipping_taxes,
            total,
            total_excluding_tax: total.minus(tax),
            lines,
        }
    }

    pub(crate) fn discounts_shown(&self) -> Value {
        discounts_shown(&self.discounts)
    }

    pub(crate) fn pretax_credits_shown(&self) -> Value {
        pretax_credits_shown(&self.discounts)
    }

    pub(crate) fn taxes_shown(&self) -> Value {
        self.taxes.iter().map(tax_shown).collect()
    }
}

/// What is left of a line, and what each discount has taken off it.
type Left = (Amount, Vec<(String, Amount)>);

/// A line once its own discounts are taken off it.
fn own(line: &Line, bill: &Bill<'_>) -> Left {
    let mut left = line.content.amount;
    let taken = line.content.discounts.iter().map(|discount| {
        let amount = discount.on(left, bill.currency);
        left = left.minus(amount);
        (discount.id().to_owned(), amount)
    });
    let taken = taken.collect();
    (left, taken)
}

/// Takes a discount off all lines that it may be taken off.
fn take_off(discount: &Discount, bill: &Bill<'_>, lines: &mut [Left]) {
    let bears = |line: &Line, left: Amount| match line.content.discountable {
        true => left.max(Amount::ZERO),
        false => Amount::ZERO,
    };
    let shares = bill.lines.iter().zip(lines.iter());
    let shares: Vec<Amount> = shares.map(|(line, (left, _))| bears(line, *left)).collect();
    let whole: Amount = shares.iter().copied().sum();
    let amount = discount.on(whole, bill.currency);
    let (mut so_far, mut given) = (Amount::ZERO, Amount::ZERO);
    for ((left, taken), share) in lines.iter_mut().zip(shares) {
        so_far = so_far.plus(share);
        let up_to = amount.share_rounded_down(so_far.minor_units(), whole.minor_units().max(1));
        let part = up_to.minus(given);
        given = up_to;
        *left = left.minus(part);
        if share > Amount::ZERO {
            taken.push((discount.id().to_owned(), part));
        }
    }
}

/// The rates that apply to a line.
fn rates(line: &Line, bill: &Bill<'_>) -> Vec<Rate> {
    if bill.exempt {
        return Vec::new();
    }
    match (&bill.automatic, line.content.rates.is_empty()) {
        (Some([_, inclusive]), _) if line.content.pricing.includes_tax => vec![inclusive.clone()],
        (Some([exclusive, _]), _) => vec![exclusive.clone()],
        (None, true) => bill.rates.to_vec(),
        (None, false) => line.content.rates.clone(),
    }
}

/// The rates that apply to shipping.
fn rates_of_shipping(bill: &Bill<'_>) -> Vec<Rate> {
    match (bill.shipping, &bill.automatic) {
        (Some(_), _) if bill.exempt => Vec::new(),
        (Some(shipping), Some([_, inclusive])) if shipping.includes_tax => vec![inclusive.clone()],
        (Some(_), Some([exclusive, _])) => vec![exclusive.clone()],
        (Some(shipping), None) => shipping.taxes.clone(),
        (None, _) => Vec::new(),
    }
}

fn by_rate<'t>(taxes: impl Iterator<Item = &'t Tax>) -> Vec<Tax> {
    let mut all: Vec<Tax> = Vec::new();
    for tax in taxes {
        match all.iter_mut().find(|it| it.rate.id() == tax.rate.id()) {
            Some(known) => {
                known.amount = known.amount.plus(tax.amount);
                known.taxable = known.taxable.plus(tax.taxable);
            }
            None => all.push(tax.clone()),
        }
    }
    all
}

fn by_discount<'d>(taken: impl Iterator<Item = &'d (String, Amount)>) -> Vec<(String, Amount)> {
    let mut all: Vec<(String, Amount)> = Vec::new();
    for (discount, amount) in taken {
        match all.iter_mut().find(|(known, _)| known == discount) {
            Some((_, known)) => *known = known.plus(*amount),
            None => all.push((discount.clone(), *amount)),
        }
    }
    all
}

/// Discounts as invoices and credit notes show them.
pub(crate) fn discounts_shown(discounts: &[(String, Amount)]) -> Value {
    let shown = discounts.iter();
    let shown = shown.map(|(discount, amount)| json!({ "amount": amount, "discount": discount }));
    shown.collect()
}

/// The same, among all that comes off before tax.
pub(crate) fn pretax_credits_shown(discounts: &[(String, Amount)]) -> Value {
    let shown = discounts.iter().map(
        |(discount, amount)| json!({ "amount": amount, "discount": discount, "type": "discount" }),
    );
    shown.collect()
}

/// A tax as invoices and credit notes show it.
pub(crate) fn tax_shown(tax: &Tax) -> Value {
    json!({
        "amount": tax.amount,
        "tax_behavior": if tax.rate.inclusive { "inclusive" } else { "exclusive" },
        "tax_rate_details": { "tax_rate": tax.rate.id() },
        "taxability_reason": "standard_rated",
        "taxable_amount": tax.taxable,
        "type": "tax_rate_details",
    })
}

#[cfg(test)]
mod tests;
