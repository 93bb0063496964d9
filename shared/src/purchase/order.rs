//! What was ordered, frozen before Stripe is told about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    money::{Money, MoneyError},
    product::{Product, ProductId},
};

/// Who buys. `Debug` leaves the address out, so that it cannot get into a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    /// The `sub` claim of their ID token; `None` if the purchase was rebuilt from a session
    /// without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Where their mail is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their language as a BCP 47 tag, in which amounts are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Buyer {
    /// This buyer, with what is not known of them from `other`.
    pub(crate) fn or(&self, other: &Self) -> Self {
        Self {
            subject: self.subject.clone().or_else(|| other.subject.clone()),
            email: self.email.clone().or_else(|| other.email.clone()),
            language: self.language.clone().or_else(|| other.language.clone()),
        }
    }
}

impl fmt::Debug for Buyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buyer")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// One product of an order, as it was offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The product's id, by which its stock is returned.
    pub product_id: ProductId,
    /// Its name at the time.
    pub name: String,
    /// Its description at the time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// A picture of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// How many pieces.
    pub quantity: u32,
    /// The price of one, in minor units of the order's currency.
    pub unit_amount: i64,
    /// Taken from limited stock, to which it returns if nothing comes of the purchase.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reserved: bool,
}

/// What was ordered, frozen before Stripe is told about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Who buys.
    pub buyer: Buyer,
    /// What they ordered; empty if the order was rebuilt.
    pub lines: Vec<Line>,
    /// What it costs, before any promotion.
    pub total: Money,
    /// The order was lost here and rebuilt from what Stripe said of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rebuilt: bool,
}

/// Why a cart cannot be ordered.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Two currencies in one cart; a session can have only one.
    #[error("{product} is sold in {currency}, other products in this cart in {other}; buy them in separate purchases", currency = .currency.to_uppercase(), other = .other.to_uppercase())]
    MixedCurrencies {
        /// The first product that differs.
        product: ProductId,
        /// Its currency.
        currency: String,
        /// The currency before it.
        other: String,
    },
    /// Not for sale now.
    #[error("{0} is not for sale at the moment")]
    Inactive(ProductId),
    /// The total is not one that Stripe charges.
    #[error("the total cannot be charged: {0}")]
    Total(MoneyError),
    /// The cart is empty.
    #[error("the cart is empty")]
    Empty,
}

impl Order {
    /// Freezes products and quantities at their current prices.
    pub fn new<'a>(
        buyer: Buyer,
        items: impl IntoIterator<Item = (&'a Product, u32)>,
    ) -> Result<Self, OrderError> {
        let mut lines = Vec::new();
        let mut total: Option<Money> = None;
        for (product, quantity) in items {
            if !product.active {
                return Err(OrderError::Inactive(product.id.clone()));
            }
            let sum = total.unwrap_or(Money::zero(product.price.currency));
            if sum.currency != product.price.currency {
                return Err(OrderError::MixedCurrencies {
                    product: product.id.clone(),
                    currency: product.price.currency.to_string(),
                    other: sum.currency.to_string(),
                });
            }
            let amount = product
                .price
                .checked_mul(quantity)
                .map_err(OrderError::Total)?;
            total = Some(sum.checked_add(amount).map_err(OrderError::Total)?);
            lines.push(Line {
                product_id: product.id.clone(),
                name: product.name.clone(),
                description: product.description.clone(),
                image: product.images.first().cloned(),
                quantity,
                unit_amount: product.price.amount,
                reserved: product.stock.is_some(),
            });
        }
        let total = total.ok_or(OrderError::Empty)?;
        total.check_total().map_err(OrderError::Total)?;
        Ok(Self {
            buyer,
            lines,
            total,
            rebuilt: false,
        })
    }

    /// What is not an order itself, but belongs to one: who buys, and what it comes to.
    pub(crate) fn without_lines(buyer: Buyer, total: Money) -> Self {
        Self {
            buyer,
            lines: Vec::new(),
            total,
            rebuilt: false,
        }
    }

    /// What it takes from limited stock.
    pub fn reserved(&self) -> impl Iterator<Item = (&ProductId, u32)> {
        self.lines
            .iter()
            .filter(|line| line.reserved)
            .map(|line| (&line.product_id, line.quantity))
    }
}
