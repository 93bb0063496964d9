//! What a subscription's invoices bill.

use serde_json::Value;
use time::OffsetDateTime;

use crate::account::amount::Amount;
use crate::engine::calendar::{Interval, Unit};
use crate::engine::ids::{self, InvoiceId};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::invoice;
use crate::invoice::discount::{Discount, Place};
use crate::invoice::draft::NewInvoice;
use crate::invoice::item::{InvoiceItem, Sweep, pending};
use crate::invoice::line::{Content, Line, Period, Pricing, Proration, Source, SubscriptionItem};
use crate::invoice::object::{BillingReason, Invoice, Parent};
use crate::promotion::object::Coupon;
use crate::subscription::object::{Item, Subscription};
use crate::subscription::price::Part;
use crate::subscription::proration::part_of;
use crate::webhook::record::{record, record_shown};

/// The lines for a whole period, or for as much of it as there is before the subscription ends.
pub(crate) fn lines(subscription: &Subscription, period: Period) -> Vec<Line> {
    lines_of_part(subscription, period, period)
}

/// The lines for a first period of another length than the interval's.
pub(crate) fn stub_lines(subscription: &Subscription, whole: Period) -> Vec<Line> {
    lines_of_part(subscription, subscription.period, whole)
}

/// What a part of a period costs, in steps that its currency can be charged in.
fn cost(subscription: &Subscription, all: Amount, whole: Period, part: Period) -> Amount {
    let cost = part_of(all, whole, part);
    cost.minus(cost.beyond(subscription.currency.step()))
}

/// The lines for a period, at the prices of a whole one.
fn lines_of_part(subscription: &Subscription, period: Period, whole: Period) -> Vec<Line> {
    let served = subscription.served(period);
    let of_item = |item: &Item| {
        let parts = item.price.parts(item.quantity).into_iter();
        let lines = parts.map(|mut part| {
            part.amount = cost(subscription, part.amount, whole, served);
            let description = describe(subscription, item, &part);
            line(subscription, item, part, description, served)
        });
        lines.collect::<Vec<_>>()
    };
    subscription.items.iter().flat_map(of_item).collect()
}

/// The lines for a period that costs nothing.
pub(crate) fn free_lines(subscription: &Subscription, period: Period, why: &str) -> Vec<Line> {
    let free = |item: &Item| {
        let part = Part {
            quantity: item.quantity,
            amount: Amount::ZERO,
            unit: Some("0".to_owned()),
            tier: None,
            is_flat: false,
        };
        line(
            subscription,
            item,
            part,
            format!("{why} for {}", item.name),
            period,
        )
    };
    subscription.items.iter().map(free).collect()
}

fn line(
    subscription: &Subscription,
    item: &Item,
    part: Part,
    description: String,
    period: Period,
) -> Line {
    let content = Content {
        amount: part.amount,
        description: Some(description),
        quantity: part.quantity,
        pricing: Pricing {
            unit_amount_decimal: part.unit,
            ..Pricing::of(&item.price.shown)
        },
        period,
        discountable: true,
        discounts: item.discounts.clone(),
        rates: item.rates.clone(),
        metadata: subscription.terms.metadata.clone(),
    };
    Line::new(
        content,
        Source::Subscription(source(subscription, Some(item))),
    )
}

fn source(subscription: &Subscription, item: Option<&Item>) -> SubscriptionItem {
    SubscriptionItem {
        subscription: subscription.id.to_string(),
        item: item.map(|item| item.id.clone()),
    }
}

/// As Stripe words it: `2 × Coffee (at $9.00 / month)`.
fn describe(subscription: &Subscription, item: &Item, part: &Part) -> String {
    let unit = part.unit.as_deref().unwrap_or("0");
    let cost = match unit.parse::<i64>() {
        Ok(whole) => subscription.currency.display(Amount::new(whole)),
        Err(_) => format!("{unit} {}", subscription.currency),
    };
    let tier = part
        .tier
        .map_or_else(String::new, |tier| format!("Tier {tier} "));
    let flat = if part.is_flat { "flat fee " } else { "" };
    format!(
        "{} × {} ({tier}{flat}at {cost} / {})",
        part.quantity,
        item.name,
        item.price.every()
    )
}

/// Why a subscription is billed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Why {
    /// It begins.
    Begun,
    /// It was changed.
    Changed,
    /// A period is over: this one.
    Over(Period),
}

impl Why {
    fn reason(self) -> BillingReason {
        match self {
            Self::Begun => BillingReason::SubscriptionCreate,
            Self::Changed => BillingReason::SubscriptionUpdate,
            Self::Over(_) => BillingReason::SubscriptionCycle,
        }
    }

    /// What the invoice calls its period: the one in which what it bills came up. That of what is billed
    /// in advance is in the lines, as Stripe's page on the invoice object says of `period_start`.
    fn period(self, now: Timestamp) -> Period {
        match self {
            Self::Begun | Self::Changed => Period::at(now),
            Self::Over(period) => period,
        }
    }
}

/// Makes a draft with these lines and all that waits for it. Discounts that are for one invoice have had
/// it then.
pub(crate) fn draft(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
    id: InvoiceId,
    why: Why,
    lines: Vec<Line>,
    auto_advance: bool,
) -> anyhow::Result<Invoice> {
    end_discounts(transaction, subscription, |discount| {
        discount.is_over(transaction.now)
    })?;
    let mut new = new_invoice(subscription, why.reason(), lines);
    new.id = Some(id);
    new.period = Some(why.period(transaction.now));
    new.terms.auto_advance = auto_advance;
    let invoice = invoice::draft::begin(transaction, new)?;
    let totals = invoice.totals();
    let mut spent = Vec::new();
    for (id, amount) in totals.discounts {
        let discount = subscription.discounts.iter().find(|it| it.id() == id);
        let coupon = match discount.filter(|_| amount > Amount::ZERO) {
            Some(discount) => transaction.get::<Coupon>(discount.coupon())?,
            None => None,
        };
        spent.extend(coupon.filter(|it| it.duration == "once").map(|_| id));
    }
    end_discounts(transaction, subscription, |discount| {
        spent.iter().any(|id| id == discount.id())
    })?;
    Ok(invoice)
}

/// The invoice that the next period would begin with; if the subscription ends before, the last one, of
/// what waits for it. Nothing is kept.
pub(crate) fn upcoming(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
    period: Period,
) -> anyhow::Result<Invoice> {
    let lines = match subscription.ends_at() {
        Some(end) if end <= period.start => Vec::new(),
        _ => lines(subscription, period),
    };
    let mut new = new_invoice(subscription, BillingReason::Upcoming, lines);
    if let Some(discounts) = &mut new.discounts {
        discounts.retain(|it| !it.is_over(period.start));
    }
    let swept = pending(transaction, &new.customer, new.currency, &new.sweep)?;
    invoice::draft::preview(&transaction.at(period.start), new, &swept)
}

fn new_invoice(subscription: &Subscription, reason: BillingReason, lines: Vec<Line>) -> NewInvoice {
    NewInvoice {
        billing_reason: reason,
        parent: Parent::Subscription {
            id: subscription.id.to_string(),
            metadata: subscription.terms.metadata.clone(),
        },
        terms: subscription.terms.of_invoice(),
        lines,
        sweep: Sweep::Of(subscription.id.to_string()),
        discounts: (!subscription.discounts.is_empty()).then(|| subscription.discounts.clone()),
        period: Some(subscription.period),
        ..NewInvoice::of(&subscription.customer, subscription.currency)
    }
}

fn end_discounts(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
    is_over: impl Fn(&Discount) -> bool,
) -> anyhow::Result<()> {
    let all = std::mem::take(&mut subscription.discounts);
    let (over, kept) = all.into_iter().partition(is_over);
    subscription.discounts = kept;
    let over: Vec<Discount> = over;
    for discount in over {
        let gone = Value::Object(discount.shown);
        record_shown(transaction, "customer.discount.deleted", gone, None)?;
    }
    Ok(())
}

/// Gives a subscription these discounts from now on, for as long as their coupons say.
pub(crate) fn give_discounts(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
    given: Vec<Discount>,
) -> anyhow::Result<()> {
    let before = std::mem::take(&mut subscription.discounts);
    let had = |discount: &Discount| before.iter().any(|it| it.id() == discount.id());
    for discount in given {
        if had(&discount) {
            subscription.discounts.push(discount);
            continue;
        }
        let coupon = transaction.get::<Coupon>(discount.coupon())?;
        let months = coupon.and_then(|it| it.duration_in_months);
        let end = months.map(|months| monthly().from(transaction.now, months));
        let mut shown = discount.shown.clone();
        shown.insert("end".to_owned(), end.into());
        let lasting = Discount::stored(transaction, &Value::Object(shown.clone()))?;
        let event_type = "customer.discount.created";
        record_shown(transaction, event_type, Value::Object(shown), None)?;
        subscription.discounts.push(lasting.unwrap_or(discount));
    }
    for gone in before {
        if !subscription.discounts.iter().any(|it| it.id() == gone.id()) {
            let gone = Value::Object(gone.shown);
            record_shown(transaction, "customer.discount.deleted", gone, None)?;
        }
    }
    Ok(())
}

fn monthly() -> Interval {
    Interval {
        unit: Unit::Month,
        count: 1,
    }
}

/// Where the discounts of a subscription belong.
pub(crate) fn place(subscription: &Subscription) -> Place<'_> {
    Place {
        customer: &subscription.customer,
        subscription: Some(&subscription.id),
        ..Place::default()
    }
}

/// Enters something that the next invoice of a subscription bills.
pub(crate) fn enter(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
    item: Option<&Item>,
    content: Content,
    is_proration: bool,
) -> anyhow::Result<()> {
    let entered = InvoiceItem {
        id: ids::plain("ii_1"),
        created: transaction.now,
        customer: subscription.customer.clone(),
        currency: subscription.currency,
        content,
        invoice: None,
        subscription: Some(source(subscription, item)),
        proration: is_proration.then_some(Proration { credited: None }),
        test_clock: subscription.test_clock.clone(),
    };
    transaction.put(&entered)?;
    record(transaction, "invoiceitem.created", &entered)
}

/// Which way the cost of a part of a period goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prorated {
    Credit,
    Debit,
}

/// Enters what an item costs in a part of the current period, unless that is nothing.
pub(crate) fn prorate(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
    item: &Item,
    part: Period,
    way: Prorated,
) -> anyhow::Result<()> {
    let content = proration(subscription, item, part, way);
    match content.amount == Amount::ZERO {
        true => Ok(()),
        false => enter(transaction, subscription, Some(item), content, true),
    }
}

/// Discounts are in it.
fn proration(subscription: &Subscription, item: &Item, part: Period, way: Prorated) -> Content {
    let all = discounted(subscription, item);
    let cost = cost(subscription, all, subscription.whole_period(), part);
    let (what, amount) = match way {
        Prorated::Credit => ("Unused", cost.negated()),
        Prorated::Debit => ("Remaining", cost),
    };
    let times = match item.quantity {
        1 => String::new(),
        quantity => format!("{quantity} × "),
    };
    Content {
        amount,
        description: Some(format!(
            "{what} time on {times}{} after {}",
            item.name,
            day(part.start)
        )),
        quantity: item.quantity,
        pricing: Pricing::of(&item.price.shown),
        period: part,
        discountable: false,
        discounts: Vec::new(),
        rates: item.rates.clone(),
        metadata: subscription.terms.metadata.clone(),
    }
}

/// What an item costs once its discounts, and its part of the whole subscription's, are taken off.
fn discounted(subscription: &Subscription, item: &Item) -> Amount {
    let own = |item: &Item| {
        let off = |left: Amount, it: &Discount| left.minus(it.on(left, subscription.currency));
        item.discounts.iter().fold(item.amount(), off)
    };
    let all: Amount = subscription.items.iter().map(own).sum();
    let left = subscription.discounts.iter().fold(all, |left, it| {
        left.minus(it.on(left, subscription.currency))
    });
    match all == Amount::ZERO {
        true => Amount::ZERO,
        false => own(item).share_rounded_down(left.minor_units(), all.minor_units()),
    }
}

/// As in `15 Jan 2026`.
fn day(moment: Timestamp) -> String {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(moment) else {
        return String::new();
    };
    let month: String = moment.month().to_string().chars().take(3).collect();
    format!("{:02} {month} {}", moment.day(), moment.year())
}
