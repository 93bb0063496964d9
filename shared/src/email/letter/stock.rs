//! The letter that tells the seller what is running out.

use super::{LetterError, Letterhead, to_seller};
use crate::{
    email::prose::{Item, Letter, Link, Prose, one_line},
    product::{Short, Shortage},
};

/// Writes one letter about all of these products, in this order.
pub fn compose_stock(products: &[Short], shop: &Letterhead) -> Result<Letter, LetterError> {
    let is_sold_out = |product: &&Short| product.shortage == Shortage::SoldOut;
    let sold_out = products.iter().filter(is_sold_out).count();
    let (subject, heading) = match (sold_out, products) {
        (0, [only]) => (format!("Almost sold out: {}", one_line(&only.name)), LOW),
        (0, many) => (format!("{} products are almost sold out", many.len()), LOW),
        (1, [only]) => (format!("Sold out: {}", one_line(&only.name)), OUT),
        (some, many) if some == many.len() => (format!("{some} products are sold out"), OUT),
        (some, many) => {
            let low = many.len().saturating_sub(some);
            (format!("{some} sold out, {low} almost"), OUT)
        }
    };
    let prose = Prose::new(subject, heading, Link::new("Open the shop", shop.site()))
        .say("What unpaid purchases have reserved counts as gone here: it comes back if nobody pays.")
        .say(
            "`till products set ID stock=+20` adds 20 pieces. Until you restock a product, you are \
             not told the same of it again.",
        );
    let items = products.iter().map(item).collect();
    to_seller(shop, prose, items, Vec::new())
}

const LOW: &str = "Stock is running low";
const OUT: &str = "Something is sold out";

fn item(product: &Short) -> Item {
    Item {
        name: one_line(&product.name),
        quantity: String::new(),
        amount: match product.shortage {
            Shortage::SoldOut => "sold out".to_owned(),
            Shortage::Low => format!("{} left", product.left),
        },
        notes: vec![product.id.to_string()],
    }
}
