//! All there is, read in one go: what is listed, searched and added up.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use shared::invoice::InvoiceState;
use shared::money::{Currency, Money};
use shared::purchase::{InvoiceId, Purchase, SubscriptionId};
use shared::store::operator::Found;
use shared::subscription::Subscription;
use time::{Date, Duration, OffsetDateTime};

/// How many days sales are shown for.
const DAYS: i64 = 30;

/// How many of the newest are listed.
pub const LISTED: usize = 100;

/// What was found, newest first, and when.
pub struct Overview {
    /// What was bought.
    pub purchases: Vec<Purchase>,
    /// What buyers subscribe to.
    pub subscriptions: Vec<Subscription>,
    /// The numbers of invoices, and whose they are.
    pub numbers: Vec<(String, SubscriptionId, InvoiceId)>,
    /// What both brought; nothing if not all of it was read.
    pub sales: Option<Sales>,
    /// The keys of items that cannot be read.
    pub unreadable: Vec<String>,
    /// Whether this is all there is.
    pub is_whole: bool,
    /// When it was read, in Unix seconds.
    pub read_at: i64,
}

impl Overview {
    /// What was found `now`.
    pub fn of(found: Found, now: i64) -> Self {
        let sales = found.is_whole.then(|| Sales::of(&found, now));
        let Found {
            mut purchases,
            mut subscriptions,
            invoices,
            unreadable,
            is_whole,
        } = found;
        let numbers = invoices.iter().filter_map(|it| {
            let number = it.bill().number.clone()?;
            Some((number, it.subscription().clone(), it.id().clone()))
        });
        let numbers = numbers.collect();
        purchases.sort_by_key(|purchase| Reverse(purchase.id()));
        // Each began with a purchase, whose id says when.
        subscriptions.sort_by_key(|one| Reverse((one.purchase(), one.id().clone())));
        Self {
            purchases,
            subscriptions,
            numbers,
            sales,
            unreadable,
            is_whole,
            read_at: now,
        }
    }
}

/// Whether a purchase has this text where people look for it, in upper or lower case.
pub fn has(purchase: &Purchase, text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let email = purchase.order().buyer.email.clone();
    let label = purchase
        .delivery()
        .map(|delivery| delivery.label().join("\n"));
    let places = [
        Some(purchase.id().to_string()),
        Some(purchase.id().number()),
        email,
        label,
    ];
    let mut places = places.into_iter().flatten();
    places.any(|place| place.to_lowercase().contains(&text))
}

/// Whether a subscription's id or its buyer's address has this text.
pub fn is_about(subscription: &Subscription, text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let email = subscription.buyer().email.as_deref().unwrap_or_default();
    let places = [subscription.id().as_str(), email];
    let mut places = places.iter();
    places.any(|place| place.to_lowercase().contains(&text))
}

/// What was sold on the last days, in UTC, the latest day last.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Sales {
    days: Vec<Day>,
    /// Of all of these days.
    together: Vec<Sum>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Day {
    /// `2026-11-28`.
    day: String,
    /// One for each currency in which something was sold.
    sums: Vec<Sum>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Sum {
    /// How many were paid: purchases, and invoices of subscriptions.
    paid: u32,
    /// What is left of that after refunds and disputes.
    net: Money,
}

type Sums = BTreeMap<Currency, Sum>;

impl Sales {
    fn of(found: &Found, now: i64) -> Self {
        let now = OffsetDateTime::from_unix_timestamp(now);
        let today = now.unwrap_or(OffsetDateTime::UNIX_EPOCH).date();
        let first = today.saturating_sub(Duration::days(DAYS.saturating_sub(1)));
        let mut days = BTreeMap::<Date, Sums>::new();
        let mut day = Some(first);
        while let Some(this) = day.filter(|day| *day <= today) {
            days.insert(this, Sums::new());
            day = this.next_day();
        }
        for (at, net) in sold(found) {
            if let Some(sums) = days.get_mut(&at.date()) {
                add(sums, Sum { paid: 1, net });
            }
        }
        let mut together = Sums::new();
        for sum in days.values().flat_map(BTreeMap::values) {
            add(&mut together, *sum);
        }
        let days = days.into_iter().map(|(day, sums)| Day {
            day: day.to_string(),
            sums: sums.into_values().collect(),
        });
        Self {
            days: days.collect(),
            together: together.into_values().collect(),
        }
    }
}

/// What was paid, when it was bought, and what is left of it. What a subscription's first invoice paid
/// counts as that invoice.
fn sold(found: &Found) -> impl Iterator<Item = (OffsetDateTime, Money)> {
    let purchases = found.purchases.iter();
    let purchases = purchases.filter(|it| it.is_settled() && it.first_invoice().is_none());
    let purchases = purchases.map(|it| (it.id().created_at(), it.accounts()));
    let invoices = found.invoices.iter();
    let invoices = invoices.filter(|it| it.state() == InvoiceState::Paid);
    let invoices = invoices.filter_map(|it| {
        let at = OffsetDateTime::from_unix_timestamp(it.bill().created_at).ok()?;
        Some((at, it.accounts()))
    });
    // What was free brought nothing.
    let paid = purchases
        .chain(invoices)
        .filter(|(_, it)| it.paid.amount > 0);
    paid.map(|(at, it)| (at, it.net))
}

fn add(sums: &mut Sums, more: Sum) {
    let none = Sum {
        paid: 0,
        net: Money::new(0, more.net.currency),
    };
    let sum = sums.entry(more.net.currency).or_insert(none);
    sum.paid = sum.paid.saturating_add(more.paid);
    sum.net.amount = sum.net.amount.saturating_add(more.net.amount);
}
