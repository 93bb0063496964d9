//! What the shop sells: some of it without end, some of it scarce.

use serde_json::{Value, json};

/// A product, and how many there are of it.
pub(crate) struct Ware {
    pub(crate) id: &'static str,
    pub(crate) price: i64,
    pub(crate) currency: &'static str,
    pub(crate) stock: Option<i64>,
    pub(crate) is_shipped: bool,
    /// Whether tax is in the price; `None` leaves that to the account.
    pub(crate) tax_behavior: Option<&'static str>,
    /// How often it is paid for: every how many of which unit of time, and how many days are free.
    pub(crate) recurring: Option<(u32, &'static str, u32)>,
}

pub(crate) const WARES: [Ware; 6] = [
    Ware {
        id: "mug",
        price: 1_500,
        currency: "usd",
        stock: None,
        is_shipped: false,
        tax_behavior: Some("inclusive"),
        recurring: None,
    },
    Ware {
        id: "card",
        price: 350,
        currency: "usd",
        stock: None,
        is_shipped: false,
        tax_behavior: None,
        recurring: None,
    },
    Ware {
        id: "print",
        price: 4_800,
        currency: "usd",
        stock: Some(6),
        is_shipped: false,
        tax_behavior: Some("exclusive"),
        recurring: None,
    },
    Ware {
        id: "lamp",
        price: 7_777,
        currency: "usd",
        stock: Some(3),
        is_shipped: false,
        tax_behavior: Some("inclusive"),
        recurring: None,
    },
    // Dear enough that two of them are shipped for nothing.
    Ware {
        id: "chair",
        price: 12_000,
        currency: "usd",
        stock: Some(5),
        is_shipped: true,
        tax_behavior: Some("exclusive"),
        recurring: None,
    },
    Ware {
        id: "vase",
        price: 4_000,
        currency: "jpy",
        stock: None,
        is_shipped: false,
        tax_behavior: Some("exclusive"),
        recurring: None,
    },
];

/// Where the shop delivers to, and what that costs, as its settings say it.
pub(crate) const SHIPPING: [(&str, &str); 2] = [
    ("SHIPPING_COUNTRIES", "DE,FR"),
    (
        "SHIPPING_RATES",
        "Standard: 9.90 USD, free from 200.00; Express: 25.00 USD",
    ),
];

/// What can be subscribed to.
pub(crate) const MEMBERSHIPS: [Ware; 2] = [
    Ware {
        id: "paper",
        price: 900,
        currency: "usd",
        stock: None,
        is_shipped: false,
        tax_behavior: Some("inclusive"),
        recurring: Some((1, "day", 0)),
    },
    Ware {
        id: "club",
        price: 2_500,
        currency: "usd",
        stock: None,
        is_shipped: false,
        tax_behavior: Some("exclusive"),
        recurring: Some((1, "month", 2)),
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
            "price": { "amount": self.price, "currency": self.currency },
            "active": true,
        });
        if self.is_shipped {
            product["shipped"] = true.into();
        }
        if let Some(behavior) = self.tax_behavior {
            product["tax_behavior"] = behavior.into();
        }
        if let Some(stock) = self.stock {
            product["stock"] = stock.into();
            product["low_stock"] = (stock / 3).into();
        }
        if let Some((count, interval, trial_days)) = self.recurring {
            product["recurring"] = json!({
                "interval": interval, "interval_count": count, "trial_days": trial_days,
            });
        }
        product
    }
}
