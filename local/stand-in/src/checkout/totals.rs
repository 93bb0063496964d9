//! How the total of a session comes about.

use crate::account::amount::Amount;
use crate::checkout::line::LineItem;
use crate::checkout::shipping::ShippingOption;
use crate::checkout::tax::{Rate, Tax, taxes_on};
use crate::engine::time::Timestamp;

/// What is added up.
#[derive(Debug)]
pub(crate) struct Bill<'s> {
    pub(crate) lines: &'s [LineItem],
    pub(crate) discount: Amount,
    pub(crate) shipping: Option<&'s ShippingOption>,
    /// The country whose tax is reckoned automatically.
    pub(crate) taxed_in: Option<&'s str>,
    pub(crate) at: Timestamp,
}

impl Bill<'_> {
    fn shipping_taxes(&self, option: &ShippingOption) -> Vec<Tax> {
        let country = self.taxed_in;
        let rate = country.and_then(|it| Rate::automatic(it, option.includes_tax, self.at));
        taxes_on(&Vec::from_iter(rate), option.amount)
    }
}

/// What a session comes to.
#[derive(Debug)]
pub(crate) struct Totals {
    pub(crate) lines: Vec<LineSums>,
    pub(crate) discount: Amount,
    /// Without the tax on top.
    pub(crate) shipping: Amount,
    pub(crate) shipping_taxes: Vec<Tax>,
    pub(crate) tax: Amount,
    pub(crate) total: Amount,
}

/// What a line comes to.
#[derive(Debug)]
pub(crate) struct LineSums {
    pub(crate) discount: Amount,
    pub(crate) taxes: Vec<Tax>,
    pub(crate) total: Amount,
}

impl LineSums {
    pub(crate) fn tax(&self) -> Amount {
        self.taxes.iter().map(|tax| tax.amount).sum()
    }
}

impl Totals {
    pub(crate) fn of(bill: &Bill<'_>) -> Self {
        let shares = line_discounts(bill);
        let lines: Vec<_> = bill
            .lines
            .iter()
            .zip(shares)
            .map(|(line, discount)| {
                let left = line.amount().minus(discount);
                let automatic = bill
                    .taxed_in
                    .and_then(|it| Rate::automatic(it, line.includes_tax(), bill.at));
                let rates: Vec<_> = line.rates.iter().cloned().chain(automatic).collect();
                let taxes = taxes_on(&rates, left);
                let on_top: Amount = taxes.iter().map(Tax::on_top).sum();
                LineSums {
                    discount,
                    taxes,
                    total: left.plus(on_top),
                }
            })
            .collect();
        let (shipping, shipping_taxes) = match bill.shipping {
            Some(option) => (option.amount, bill.shipping_taxes(option)),
            None => (Amount::ZERO, Vec::new()),
        };
        let of_lines: Amount = lines.iter().map(|line| line.total).sum();
        let on_shipping: Amount = shipping_taxes.iter().map(Tax::on_top).sum();
        let tax: Amount = lines.iter().map(LineSums::tax).sum();
        Self {
            discount: bill.discount,
            shipping,
            tax: tax.plus(shipping_taxes.iter().map(|tax| tax.amount).sum()),
            total: of_lines.plus(shipping).plus(on_shipping),
            shipping_taxes,
            lines,
        }
    }

    /// The taxes, one of each rate.
    pub(crate) fn taxes(&self) -> Vec<Tax> {
        let mut all: Vec<Tax> = Vec::new();
        let of_lines = self.lines.iter().flat_map(|line| &line.taxes);
        for tax in of_lines.chain(&self.shipping_taxes) {
            let known = all
                .iter_mut()
                .find(|it| it.rate.shown.get("id") == tax.rate.shown.get("id"));
            match known {
                Some(known) => {
                    known.amount = known.amount.plus(tax.amount);
                    known.taxable = known.taxable.plus(tax.taxable);
                }
                None => all.push(tax.clone()),
            }
        }
        all
    }
}

/// The discount's share of each line. Together they are all of it, to the last cent.
fn line_discounts(bill: &Bill<'_>) -> Vec<Amount> {
    let subtotal: Amount = bill.lines.iter().map(LineItem::amount).sum();
    let whole = subtotal.minor_units().max(1);
    let (mut so_far, mut given) = (Amount::ZERO, Amount::ZERO);
    let shares = bill.lines.iter().map(|line| {
        so_far = so_far.plus(line.amount());
        let up_to = bill
            .discount
            .share_rounded_down(so_far.minor_units(), whole);
        let share = up_to.minus(given);
        given = given.plus(share);
        share
    });
    shares.collect()
}
