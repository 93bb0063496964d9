//! Subscriptions. Since 2025-03-31 (basil) the current period is in each item; before, it was the
//! subscription's own.

use serde::Deserialize;
use serde_json::Value;

use super::{Expandable, Tags, Unreadable};
use crate::{
    invoice::Period,
    money::Currency,
    product::{Interval, ProductId, Recurring},
    purchase::{InvoiceId, SubscriptionId},
    subscription::{Item, Pause, PauseBehavior, Reading, SubscriptionStatus},
};

/// A subscription, fetched with its prices' products expanded.
#[derive(Deserialize)]
pub struct SubscriptionObject {
    /// `sub_…`
    pub id: SubscriptionId,
    /// The metadata that we put on it through its Checkout session.
    #[serde(default)]
    pub metadata: Tags,
    status: SubscriptionStatus,
    currency: Currency,
    items: Items,
    current_period_start: Option<i64>,
    current_period_end: Option<i64>,
    start_date: i64,
    cancel_at: Option<i64>,
    cancel_at_period_end: bool,
    cancellation_details: Option<CancellationDetails>,
    ended_at: Option<i64>,
    trial_end: Option<i64>,
    latest_invoice: Option<Expandable<InvoiceId>>,
    pause_collection: Option<PauseCollection>,
}

/// Lists within other objects are cut off where their own list's first page ends.
#[derive(Deserialize)]
struct Items {
    data: Vec<ItemObject>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct ItemObject {
    id: String,
    #[serde(default = "one")]
    quantity: u32,
    price: Price,
    current_period_start: Option<i64>,
    current_period_end: Option<i64>,
}

#[derive(Deserialize)]
struct Price {
    unit_amount: Option<i64>,
    recurring: RecurringOfPrice,
    product: ProductOfPrice,
}

#[derive(Deserialize)]
struct RecurringOfPrice {
    interval: Interval,
    interval_count: u32,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ProductOfPrice {
    Id(String),
    Object {
        id: String,
        /// Missing if it was deleted.
        name: Option<String>,
        #[serde(default)]
        metadata: Tags,
    },
}

#[derive(Deserialize)]
struct CancellationDetails {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct PauseCollection {
    behavior: PauseBehavior,
    resumes_at: Option<i64>,
}

impl SubscriptionObject {
    /// The query that expands what a reading needs.
    pub const EXPAND: [(&str, &str); 1] = [("expand[]", "items.data.price.product")];

    /// The query of `/subscription_items` for all items of the subscription `id`, with the same
    /// expanded.
    pub(crate) fn items_query(id: &SubscriptionId) -> [(&'static str, &str); 2] {
        [
            ("subscription", id.as_str()),
            ("expand[]", "data.price.product"),
        ]
    }

    /// Whether it has more items than it shows.
    pub(crate) fn has_more_items(&self) -> bool {
        self.items.has_more
    }

    /// The same, with all of its items.
    pub(crate) fn with_all_items(self, items: Vec<Value>) -> Result<Self, Unreadable> {
        let data = items.into_iter().map(serde_json::from_value);
        let items = Items {
            data: data.collect::<Result<_, _>>()?,
            has_more: false,
        };
        Ok(Self { items, ..self })
    }

    /// How it stands.
    pub fn reading(self) -> Result<Reading, Unreadable> {
        let period = self.period()?;
        let end = self.cancel_at_period_end.then_some(period.end);
        let reason = self.cancellation_details.and_then(|details| details.reason);
        let lost = ["payment_failed", "payment_disputed"];
        Ok(Reading {
            status: self.status,
            currency: self.currency,
            items: self.items.data.into_iter().map(Item::from).collect(),
            period,
            started_at: self.start_date,
            cancel_at: self.cancel_at.or(end),
            ended_at: self.ended_at,
            lost: self.ended_at.is_some() && reason.is_some_and(|it| lost.contains(&it.as_str())),
            trial_end: self.trial_end,
            latest_invoice: self.latest_invoice.map(Expandable::into_id),
            pause: self.pause_collection.map(|pause| Pause {
                behavior: pause.behavior,
                resumes_at: pause.resumes_at,
            }),
        })
    }

    /// The current period: if its items have several, the one that is over first.
    fn period(&self) -> Result<Period, Unreadable> {
        let own = self.current_period_start.zip(self.current_period_end);
        let items = self.items.data.iter();
        let items = items.filter_map(|item| item.current_period_start.zip(item.current_period_end));
        let first = items.chain(own).min_by_key(|(_, end)| *end);
        let (start, end) =
            first.ok_or_else(|| Unreadable("current_period_end is missing".to_owned()))?;
        Ok(Period { start, end })
    }
}

impl From<ItemObject> for Item {
    fn from(item: ItemObject) -> Self {
        let (product_id, name) = match item.price.product {
            ProductOfPrice::Id(id) => (None, id),
            ProductOfPrice::Object { id, name, metadata } => {
                let product_id = metadata
                    .get("product_id")
                    .and_then(|id| id.parse::<ProductId>().ok());
                (product_id, name.unwrap_or(id))
            }
        };
        let RecurringOfPrice {
            interval,
            interval_count,
        } = item.price.recurring;
        Self {
            id: item.id,
            product_id,
            name,
            quantity: item.quantity,
            unit_amount: item.price.unit_amount,
            recurring: Recurring {
                interval,
                interval_count,
                trial_days: 0,
            },
        }
    }
}

fn one() -> u32 {
    1
}
