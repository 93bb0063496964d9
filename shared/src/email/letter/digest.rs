//! The letter that tells the seller of all that was sold since the last.

use std::collections::BTreeMap;

use super::{DeliveryNote, LetterError, Letterhead, sale::advice, to_seller};
use crate::{
    email::{
        amounts::Amounts,
        content::Frozen,
        prose::{Item, Letter, Link, Prose, Sum, one_line},
    },
    money::{Currency, Money},
    purchase::{Line, Subject},
};

/// The time of day at which it is sent, in seconds after midnight in UTC: in the morning where most
/// of Europe and Africa live, in the night of America, in the afternoon of Japan.
const TIME_OF_DAY: i64 = 6 * 3600;

const DAY: i64 = 24 * 3600;

/// How many sales it lists; it counts all of them.
const LISTED: usize = 100;

/// How many lines of one sale it lists.
const LINES: usize = 20;

/// When the next one is sent after the second `at` (Unix time).
pub fn next_digest(at: i64) -> i64 {
    let since = at.saturating_sub(TIME_OF_DAY).rem_euclid(DAY);
    at.saturating_sub(since).saturating_add(DAY)
}

/// Writes one letter about all of these sales, in this order.
pub fn compose_digest(sales: &[&Frozen], shop: &Letterhead) -> Result<Letter, LetterError> {
    let amounts = Amounts::in_language(None)?;
    let name = one_line(&shop.name);
    let count = match sales.len() {
        1 => "1 sale".to_owned(),
        many => format!("{many} sales"),
    };
    let link = Link::new("Open the shop", shop.site());
    let mut prose = Prose::new(
        format!("{count} at {name}, {}", totals_in_line(sales, &amounts)),
        "What was sold since the last mail",
        link,
    );
    let to_send = sales.iter().filter(|sale| sale.delivery.is_some()).count();
    prose = prose.say(match to_send {
        1 if sales.len() == 1 => "1 sale, which is to be shipped.".to_owned(),
        0 => format!("{count}, and nothing to ship."),
        1 => format!("{count}, of which 1 is to be shipped."),
        some => format!("{count}, of which {some} are to be shipped."),
    });
    prose = prose.say(
        "What was refunded since is still in this list: `till purchases packing` lists what is to be \
         sent.",
    );
    let more = sales.len().saturating_sub(LISTED);
    if more > 0 {
        prose = prose.say(format!(
            "Only the first {LISTED} are listed here: `till purchases list` shows the other {more}."
        ));
    }
    let items = sales.iter().take(LISTED).map(|sale| item(sale, &amounts));
    let sums = totals(sales).map(|total| Sum {
        label: "Total",
        amount: amounts.write(total),
    });
    to_seller(shop, prose, items.collect(), sums.collect())
}

/// What was paid, in each currency.
fn totals(sales: &[&Frozen]) -> impl Iterator<Item = Money> {
    let mut totals = BTreeMap::<Currency, i64>::new();
    for Frozen { paid, .. } in sales {
        let total = totals.entry(paid.currency).or_default();
        *total = total.saturating_add(paid.amount);
    }
    totals
        .into_iter()
        .map(|(currency, amount)| Money::new(amount, currency))
}

fn totals_in_line(sales: &[&Frozen], amounts: &Amounts) -> String {
    let totals = totals(sales).map(|total| amounts.write(total));
    totals.collect::<Vec<_>>().join(" and ")
}

/// One sale: what was bought, by whom, and where it goes.
fn item(sale: &Frozen, amounts: &Amounts) -> Item {
    let number = match &sale.about {
        Subject::Purchase(id) => id.number(),
        other => other.to_string(),
    };
    let lines = &sale.order.lines;
    let mut notes: Vec<_> = lines.iter().take(LINES).map(quantity).collect();
    match lines.len().saturating_sub(LINES) {
        0 => {}
        more => notes.push(format!("and {more} more")),
    }
    if let Some(delivery) = &sale.delivery {
        let to = DeliveryNote::of(delivery, sale);
        let rate = to.rate.map(|rate| format!(" ({rate})")).unwrap_or_default();
        notes.push(format!("To{rate}: {}", to.lines.join(", ")));
    }
    notes.extend(sale.order.buyer.email.as_deref().map(one_line));
    let attention = sale.sale.iter().flat_map(|sale| &sale.attention);
    notes.extend(attention.map(|why| advice(*why).to_owned()));
    Item {
        name: format!("Purchase {number}"),
        quantity: String::new(),
        amount: amounts.write(sale.paid),
        notes,
    }
}

fn quantity(line: &Line) -> String {
    let Line {
        quantity,
        name,
        product_id,
        ..
    } = line;
    format!("{quantity} × {} ({product_id})", one_line(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_days_sales_are_told_at_six_in_the_morning() {
        // 27 November 2024, 09:33:20 UTC.
        assert_eq!(next_digest(1_732_700_000), 1_732_773_600);
        assert_eq!(next_digest(1_732_773_599), 1_732_773_600);
        // What is sold in the very second of the mail is in the next.
        assert_eq!(next_digest(1_732_773_600), 1_732_860_000);
    }

    proptest! {
        #[test]
        fn no_sale_waits_for_longer_than_a_day(at in -10_000_000_000_i64..10_000_000_000) {
            let next = next_digest(at);
            prop_assert!(at < next && next <= at.saturating_add(DAY));
            prop_assert_eq!(next.rem_euclid(DAY), TIME_OF_DAY);
            prop_assert_eq!(next_digest(next.saturating_sub(1)), next, "each time of day is used");
        }
    }
}
