//! The lines of an invoice.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::checkout::tax::Rate;
use crate::engine::ids;
use crate::engine::resource::Metadata;
use crate::engine::time::Timestamp;
use crate::invoice::discount::Discount;

/// What a line, or the item that it comes from, is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Content {
    /// Negative for what is credited.
    pub(crate) amount: Amount,
    pub(crate) description: Option<String>,
    pub(crate) quantity: i64,
    pub(crate) pricing: Pricing,
    pub(crate) period: Period,
    /// Whether discounts of the whole invoice take something off it.
    pub(crate) discountable: bool,
    /// Its own, which come before those of the invoice.
    pub(crate) discounts: Vec<Discount>,
    /// Its own; if there are none, those of the invoice apply.
    pub(crate) rates: Vec<Rate>,
    pub(crate) metadata: Metadata,
}

/// What one of it costs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pricing {
    pub(crate) price: String,
    pub(crate) product: String,
    pub(crate) unit_amount_decimal: Option<String>,
    /// Whether automatic tax is in it.
    pub(crate) includes_tax: bool,
}

impl Pricing {
    /// What a price as the API shows it costs.
    pub(crate) fn of(price: &Map<String, Value>) -> Self {
        let text = |field: &str| {
            let value = price.get(field).and_then(Value::as_str);
            value.map(str::to_owned)
        };
        Self {
            price: text("id").unwrap_or_default(),
            product: text("product").unwrap_or_default(),
            unit_amount_decimal: text("unit_amount_decimal"),
            includes_tax: text("tax_behavior").as_deref() == Some("inclusive"),
        }
    }

    pub(crate) fn shown(&self) -> Value {
        json!({
            "price_details": { "price": self.price, "product": self.product },
            "type": "price_details",
            "unit_amount_decimal": self.unit_amount_decimal,
        })
    }
}

/// The time that something is owed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Period {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl Period {
    /// A moment.
    pub(crate) fn at(moment: Timestamp) -> Self {
        Self {
            start: moment,
            end: moment,
        }
    }
}

/// A line of an invoice.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) content: Content,
    pub(crate) source: Source,
}

/// Where a line comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// An invoice item, perhaps of a subscription.
    Item {
        item: String,
        subscription: Option<SubscriptionItem>,
        proration: Option<Proration>,
    },
    /// A subscription's period.
    Subscription(SubscriptionItem),
}

/// An item of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubscriptionItem {
    pub(crate) subscription: String,
    /// Nothing for what belongs to the subscription as a whole.
    pub(crate) item: Option<String>,
}

/// A line for a part of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proration {
    /// The invoice and the lines that are credited.
    pub(crate) credited: Option<(String, Vec<String>)>,
}

impl Proration {
    pub(super) fn shown(&self) -> Value {
        let credited = self
            .credited
            .as_ref()
            .map(|(invoice, lines)| json!({ "invoice": invoice, "invoice_line_items": lines }));
        json!({ "credited_items": credited })
    }
}

impl Line {
    pub(crate) fn new(content: Content, source: Source) -> Self {
        Self {
            id: ids::plain("il_1"),
            content,
            source,
        }
    }

    /// The item behind it.
    pub(crate) fn item(&self) -> Option<&str> {
        match &self.source {
            Source::Item { item, .. } => Some(item),
            Source::Subscription(_) => None,
        }
    }

    pub(super) fn subscription(&self) -> Option<&SubscriptionItem> {
        match &self.source {
            Source::Item { subscription, .. } => subscription.as_ref(),
            Source::Subscription(subscription) => Some(subscription),
        }
    }
}
