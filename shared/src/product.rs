//! What is sold.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::money::{Money, MoneyError};

/// A product's id, chosen by the seller: 1 to 64 ASCII letters, digits, `-`, `_` or `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProductId(String);

/// Not a product id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a product id is 1 to 64 letters, digits, -, _ or .")]
pub struct NotAProductId;

impl ProductId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProductId {
    type Err = NotAProductId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAProductId)
        }
    }
}

impl TryFrom<String> for ProductId {
    type Error = NotAProductId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ProductId> for String {
    fn from(id: ProductId) -> Self {
        id.0
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing for sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its key, everywhere.
    pub id: ProductId,
    /// What buyers read on the site, on the payment page and in mails.
    pub name: String,
    /// A sentence or two.
    #[serde(default)]
    pub description: String,
    /// Absolute addresses of pictures, the best one first.
    #[serde(default)]
    pub images: Vec<String>,
    /// For one piece.
    pub price: Money,
    /// Whether it can be bought.
    pub active: bool,
    /// How many are left to sell; `None` if they never run out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<u32>,
}

/// Why a product cannot be taken in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProductError {
    /// Stripe shows the name; it takes up to 250 characters and wants at least one.
    #[error("name: 1 to 250 characters")]
    Name,
    /// Longer than a payment page shows.
    #[error("description: at most 1000 characters")]
    Description,
    /// Stripe takes eight pictures a product.
    #[error(
        "images: at most 8 addresses of at most 2048 characters that start with https:// or http://"
    )]
    Images,
    /// A price Stripe would not charge.
    #[error("price: {0}")]
    Price(#[from] MoneyError),
}

impl Product {
    /// Checks what Stripe will want of it, before it is stored rather than when somebody buys.
    pub fn check(&self) -> Result<(), ProductError> {
        if self.name.trim().is_empty() || self.name.chars().count() > 250 {
            return Err(ProductError::Name);
        }
        if self.description.chars().count() > 1000 {
            return Err(ProductError::Description);
        }
        let address = |image: &String| {
            image.len() <= 2048 && (image.starts_with("https://") || image.starts_with("http://"))
        };
        if self.images.len() > 8 || !self.images.iter().all(address) {
            return Err(ProductError::Images);
        }
        Ok(self.price.check_price()?)
    }
}
