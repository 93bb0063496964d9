//! `till purchases packing`: what has to be sent where, as a table for a spreadsheet.

use clap::Args;
use csv::Writer;
use shared::purchase::{Delivery, Line, Purchase, Status};

use super::wanted::Wanted;
use crate::commands::exit::Exit;
use crate::commands::moment::second;
use crate::commands::operator::Operator;
use crate::commands::output::Output;

#[derive(Args)]
pub(in crate::commands) struct Packing {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    operator: Operator,
}

const COLUMNS: [&str; 16] = [
    "number",
    "purchase_id",
    "made_at",
    "email",
    "name",
    "line1",
    "line2",
    "postal_code",
    "city",
    "state",
    "country",
    "phone",
    "rate",
    "product_id",
    "product",
    "quantity",
];

impl Packing {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let is_to_send = |status| matches!(status, Status::Paid | Status::PartiallyRefunded);
        let mut purchases = self.wanted.fetch(&shop, is_to_send).await?;
        purchases.retain(|it| it.delivery().is_some() && !it.is_fulfilled());
        // Who has waited longest comes first.
        purchases.sort_by_key(Purchase::id);
        let text = table(&purchases)?;
        self.output
            .write(&self.operator, &text, purchases.len(), "purchase")?;
        Ok(Exit::Done)
    }
}

/// A row for each shipped line of each purchase.
fn table(purchases: &[Purchase]) -> anyhow::Result<String> {
    let mut table = Writer::from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for purchase in purchases {
        let Some(delivery) = purchase.delivery() else {
            continue;
        };
        let shipped = purchase.order().lines.iter().filter(|line| line.shipped);
        for line in shipped {
            table.write_record(row(purchase, delivery, line).map(|cell| harmless(&cell)))?;
        }
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}

fn row(purchase: &Purchase, delivery: &Delivery, line: &Line) -> [String; COLUMNS.len()] {
    let address = &delivery.address;
    let id = purchase.id();
    let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        id.number(),
        id.to_string(),
        second(id.created_at().unix_timestamp()),
        or_nothing(&purchase.order().buyer.email),
        or_nothing(&delivery.name),
        or_nothing(&address.line1),
        or_nothing(&address.line2),
        or_nothing(&address.postal_code),
        or_nothing(&address.city),
        or_nothing(&address.state),
        or_nothing(&address.country),
        or_nothing(&delivery.phone),
        purchase.shipping_rate().unwrap_or_default().to_owned(),
        line.product_id.to_string(),
        line.name.clone(),
        line.quantity.to_string(),
    ]
}

/// The text as one that no spreadsheet takes for a formula: buyers choose most of these texts. A
/// phone number may begin with its plus.
fn harmless(text: &str) -> String {
    let is_number = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_digit() || " ()/.+".contains(c))
    };
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number(text) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_buyer_writes_a_formula_into_the_sellers_spreadsheet() {
        for (text, written) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+49 (30) 1234567", "+49 (30) 1234567"),
            ("Ada", "Ada"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), written);
        }
    }
}
