//! What the shop sells: some of it without end, some of it scarce.

use serde_json::{Value, json};

/// A product, and how many there are of it.
pub(crate) struct Ware {
    pub(crate) id: &'static str,
    pub(crate) price: i64,
    pub(crate) stock: Option<i64>,
}

pub(crate) const WARES: [Ware; 4] = [
    Ware {
        id: "mug",
        price: 1_500,
        stock: None,
    },
    Ware {
        id: "card",
        price: 350,
        stock: None,
    },
    Ware {
        id: "print",
        price: 4_800,
        stock: Some(6),
    },
    Ware {
        id: "lamp",
        price: 7_777,
        stock: Some(3),
    },
];

impl Ware {
    /// In the JSON of the HTTP API.
    pub(crate) fn product(&self) -> Value {
        let mut product = json!({
            "id": self.id,
            "name": format!("The {}", self.id),
            "description": "",
            "images": [],
            "price": { "amount": self.price, "currency": "usd" },
            "active": true,
        });
        if let Some(stock) = self.stock {
            product["stock"] = stock.into();
        }
        product
    }
}
