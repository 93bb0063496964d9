//! What a session sells.

use serde::Deserialize;

use crate::{
    product::{Interval, ProductId, Recurring},
    purchase::Line,
};

/// A line of a session, fetched with its price's product expanded.
#[derive(Deserialize)]
pub struct LineItem {
    quantity: u32,
    price: Price,
}

#[derive(Deserialize)]
struct Price {
    unit_amount: i64,
    recurring: Option<RecurringPrice>,
    product: ProductOfLine,
}

#[derive(Deserialize)]
struct RecurringPrice {
    interval: Interval,
    interval_count: u32,
}

#[derive(Deserialize)]
struct ProductOfLine {
    name: String,
    description: Option<String>,
    images: Vec<String>,
    metadata: LineTags,
}

#[derive(Deserialize)]
struct LineTags {
    product_id: ProductId,
    shipped: Option<String>,
}

impl From<LineItem> for Line {
    fn from(item: LineItem) -> Self {
        let Price {
            unit_amount,
            recurring,
            product,
        } = item.price;
        Self {
            product_id: product.metadata.product_id,
            name: product.name,
            description: product.description.unwrap_or_default(),
            image: product.images.into_iter().next(),
            quantity: item.quantity,
            unit_amount,
            // Stripe is not told of files.
            file: None,
            // A trial is the subscription's, not the price's.
            recurring: recurring.map(|price| Recurring {
                interval: price.interval,
                interval_count: price.interval_count,
                trial_days: 0,
            }),
            shipped: product.metadata.shipped.is_some(),
            // What was paid says how it was taxed.
            tax_code: None,
            tax_behavior: None,
            // It is no longer known whether it was taken from limited stock.
            reserved: false,
        }
    }
}
