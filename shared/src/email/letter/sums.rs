//! The amounts in a letter: what was ordered, and the sums below it.

use crate::{
    email::{
        amounts::Amounts,
        content::{AboutDispute, Content, ToBuyer},
        prose::{Item, Sum, one_line},
    },
    money::{Money, MoneyError},
    purchase::{Line, Movement, Order},
};

/// The lines of an order, with their amounts.
pub(super) fn items(order: &Order, amounts: &Amounts) -> Result<Vec<Item>, MoneyError> {
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
        })
    };
    order.lines.iter().map(item).collect()
}

/// The total, followed by what the letter is about: on a receipt, what was paid if it differs; for
/// a refund, its amount; for a dispute, what it moved.
pub(super) fn sums(content: &Content<'_>, total: Money, amounts: &Amounts) -> Vec<Sum> {
    let sum = |label, money| Sum {
        label,
        amount: amounts.write(money),
    };
    let mut sums = vec![sum("Total", total)];
    match content {
        Content::ToBuyer(ToBuyer::Receipt { paid }) if *paid != total => {
            if paid.currency == total.currency
                && let Some(discount @ ..0) = paid.amount.checked_sub(total.amount)
            {
                sums.push(sum("Discount", Money::new(discount, total.currency)));
            }
            sums.push(sum("Paid", *paid));
        }
        Content::ToBuyer(ToBuyer::Refund { amount } | ToBuyer::RefundFailed { amount }) => {
            sums.push(sum("Refund", *amount));
        }
        Content::ToBuyer(
            ToBuyer::Receipt { .. }
            | ToBuyer::Pending { .. }
            | ToBuyer::Voucher { .. }
            | ToBuyer::Failed,
        ) => {}
        Content::ToSeller(AboutDispute {
            terms, movements, ..
        }) => {
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
