//! How the total of a session comes about.

use crate::checkout::line::LineItem;
use crate::checkout::tax::{Rate, Tax};
use crate::engine::time::Timestamp;

/// What is added up.
#[derive(Debug)]
pub(crate) struct Bill<'s> {
    pub(crate) lines: &'s [LineItem],
    pub(crate) discount: i64,
    pub(crate) shipping: i64,
    /// The country whose tax is reckoned automatically.
    pub(crate) taxed_in: Option<&'s str>,
    pub(crate) at: Timestamp,
}

/// What a session comes to.
#[derive(Debug)]
pub(crate) struct Totals {
    pub(crate) lines: Vec<LineSums>,
    pub(crate) discount: i64,
    pub(crate) shipping: i64,
    pub(crate) tax: i64,
    pub(crate) total: i64,
}

/// What a line comes to.
#[derive(Debug)]
pub(crate) struct LineSums {
    pub(crate) discount: i64,
    pub(crate) taxes: Vec<Tax>,
    pub(crate) total: i64,
}

impl LineSums {
    pub(crate) fn tax(&self) -> i64 {
        sum(self.taxes.iter().map(|tax| tax.amount))
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
                let left = line.amount().saturating_sub(discount);
                let automatic = bill
                    .taxed_in
                    .and_then(|it| Rate::automatic(it, line.includes_tax(), bill.at));
                let rates = line.rates.iter().chain(&automatic);
                let taxes: Vec<_> = rates.map(|rate| rate.on(left)).collect();
                let on_top = sum(taxes.iter().map(Tax::on_top));
                LineSums {
                    discount,
                    taxes,
                    total: left.saturating_add(on_top),
                }
            })
            .collect();
        Self {
            discount: bill.discount,
            shipping: bill.shipping,
            tax: sum(lines.iter().map(LineSums::tax)),
            total: sum(lines.iter().map(|line| line.total)).saturating_add(bill.shipping),
            lines,
        }
    }

    /// The taxes, one of each rate.
    pub(crate) fn taxes(&self) -> Vec<Tax> {
        let mut all: Vec<Tax> = Vec::new();
        for tax in self.lines.iter().flat_map(|line| &line.taxes) {
            let known = all
                .iter_mut()
                .find(|it| it.rate.shown.get("id") == tax.rate.shown.get("id"));
            match known {
                Some(known) => {
                    known.amount = known.amount.saturating_add(tax.amount);
                    known.taxable = known.taxable.saturating_add(tax.taxable);
                }
                None => all.push(tax.clone()),
            }
        }
        all
    }
}

/// The discount's share of each line. Together they are all of it, to the last cent.
fn line_discounts(bill: &Bill<'_>) -> Vec<i64> {
    let discount = bill.discount;
    let subtotal = sum(bill.lines.iter().map(LineItem::amount)).max(1);
    let up_to = |amount: i64| {
        i128::from(amount)
            .saturating_mul(discount.into())
            .checked_div(subtotal.into())
            .and_then(|share| i64::try_from(share).ok())
            .unwrap_or_default()
    };
    let (mut so_far, mut given) = (0_i64, 0_i64);
    let shares = bill.lines.iter().map(|line| {
        so_far = so_far.saturating_add(line.amount());
        let share = up_to(so_far).saturating_sub(given);
        given = given.saturating_add(share);
        share
    });
    shares.collect()
}

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}
