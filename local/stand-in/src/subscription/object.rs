//! Subscriptions and their items.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::checkout::tax::Rate;
use crate::engine::calendar::{Anchor, Interval};
use crate::engine::ids::{CustomerId, InvoiceId, SubscriptionId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::invoice::discount::Discount;
use crate::invoice::line::Period;
use crate::subscription::price::Price;
use crate::subscription::terms::Terms;

/// The kind of a subscription's items.
pub(crate) const ITEM: &str = "subscription_item";

/// How long before a period ends `invoice.upcoming` tells of the next invoice: Stripe's default.
pub(crate) const UPCOMING_BEFORE: Timestamp = 7 * DAY;

/// How long before a trial ends `customer.subscription.trial_will_end` says so.
pub(crate) const TRIAL_WARNING_BEFORE: Timestamp = 3 * DAY;

/// What time brings to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nobody has paid the first invoice.
    Expire,
    /// It ends, as somebody has asked.
    End,
    TellOfTrial,
    TellOfInvoice,
    /// Nobody has paid for it to go on.
    StayPaused,
    /// Collection goes on.
    Collect,
    /// Another period begins.
    Renew,
}

/// What a customer pays for again and again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) id: SubscriptionId,
    pub(crate) created: Timestamp,
    pub(crate) customer: CustomerId,
    pub(crate) currency: Currency,
    pub(crate) status: Status,
    /// All recur in the same interval.
    pub(crate) items: Vec<Item>,
    /// What its periods are counted from.
    pub(crate) anchor: Anchor,
    pub(crate) anchor_config: Option<Value>,
    /// The current one.
    pub(crate) period: Period,
    pub(crate) trial: Option<Period>,
    pub(crate) cancellation: Cancellation,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) pause_collection: Option<PauseCollection>,
    /// While it is paused.
    #[serde(default)]
    pub(crate) paused: Option<Paused>,
    /// What is to be paid before it goes on, while it is paused.
    #[serde(default)]
    pub(crate) resumption: Option<Resumption>,
    pub(crate) discounts: Vec<Discount>,
    pub(crate) terms: Terms,
    pub(crate) latest_invoice: Option<InvoiceId>,
    pub(crate) told: Told,
    /// The schedule that says what becomes of it.
    #[serde(default)]
    pub(crate) schedule: Option<String>,
    pub(crate) test_clock: Option<String>,
}

/// How a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Its first invoice is not paid, and can be until this moment.
    Incomplete {
        until: Timestamp,
    },
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Unpaid,
    /// Nothing is billed until it is resumed.
    Paused,
    Canceled,
}

impl Status {
    /// Stripe's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete { .. } => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Canceled => "canceled",
        }
    }

    /// Whether its first invoice is behind it.
    pub(crate) fn has_begun(self) -> bool {
        !matches!(self, Self::Incomplete { .. })
    }

    /// Whether nothing will change it any more.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::IncompleteExpired | Self::Canceled)
    }
}

/// So many of a price.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) price: Price,
    /// What the price is for.
    pub(crate) name: String,
    pub(crate) quantity: i64,
    pub(crate) discounts: Vec<Discount>,
    pub(crate) rates: Vec<Rate>,
    pub(crate) metadata: Metadata,
}

impl Item {
    /// What it costs for one interval, before what the whole subscription has off.
    pub(crate) fn amount(&self) -> Amount {
        self.price.amount(self.quantity)
    }
}

/// When and why a subscription is to end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cancellation {
    pub(crate) at: Option<Timestamp>,
    pub(crate) at_period_end: bool,
    /// When somebody asked for it.
    pub(crate) asked_at: Option<Timestamp>,
    pub(crate) comment: Option<String>,
    pub(crate) feedback: Option<String>,
    pub(crate) reason: Option<Reason>,
}

/// Why a subscription ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    CancellationRequested,
    PaymentFailed,
}

/// Since when a subscription is paused, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paused {
    pub(crate) at: Timestamp,
    pub(crate) why: PausedFor,
}

/// Why a subscription is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PausedFor {
    PauseRequested,
    TrialEndWithoutPaymentMethod,
}

impl Paused {
    /// `status_details.paused`.
    fn shown(self) -> Value {
        json!({
            "subscription": { "type": self.why },
            "transitioned_at": self.at,
            "type": "subscription",
        })
    }
}

/// The invoice that a paused subscription goes on with, once it is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resumption {
    pub(crate) invoice: InvoiceId,
    /// Until when it can be paid.
    pub(crate) until: Timestamp,
}

impl Resumption {
    fn step(&self) -> (Timestamp, Step) {
        (self.until, Step::StayPaused)
    }
}

/// What becomes of invoices while collection is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PauseCollection {
    pub(crate) behavior: Uncollected,
    pub(crate) resumes_at: Option<Timestamp>,
}

/// What an invoice becomes that is not to be collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Uncollected {
    KeepAsDraft,
    MarkUncollectible,
    Void,
}

/// What the shop was told of what is coming.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// That this period ends.
    pub(crate) upcoming: Option<Timestamp>,
    /// That the trial with this end does.
    pub(crate) trial_will_end: Option<Timestamp>,
}

impl Subscription {
    /// The interval that it recurs in, while it lives.
    pub(crate) fn interval(&self) -> Option<Interval> {
        let first = self.items.first().filter(|_| !self.status.is_over());
        first.map(|item| item.price.interval)
    }

    /// What it costs for one interval.
    pub(crate) fn amount(&self) -> Amount {
        self.items.iter().map(Item::amount).sum()
    }

    pub(crate) fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// What the current period is or, if it is a first one of another length, would be.
    pub(crate) fn whole_period(&self) -> Period {
        let interval = self.items.first().map(|item| item.price.interval);
        interval.map_or(self.period, |interval| {
            let (start, end) = interval.around(self.anchor, self.period.start);
            Period { start, end }
        })
    }

    /// The period after the current one, while it lives.
    pub(crate) fn next_period(&self) -> Option<Period> {
        let start = self.period.end;
        let (_, end) = self.interval()?.around(self.anchor, start);
        Some(Period { start, end })
    }

    /// As much of a period as there is before it ends at a moment that was asked for.
    pub(crate) fn served(&self, period: Period) -> Period {
        let end = self.cancellation.at.unwrap_or(period.end);
        Period {
            end: end.min(period.end).max(period.start),
            ..period
        }
    }

    /// What is left of the current period from then on.
    pub(crate) fn left_from(&self, moment: Timestamp) -> Period {
        let served = self.served(self.period);
        Period {
            start: moment.max(served.start).min(served.end),
            ..served
        }
    }

    /// When it is to end, whichever way that was said.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        match self.cancellation.at_period_end {
            true => Some(self.period.end),
            false => self.cancellation.at,
        }
    }

    /// What comes next of its own, and when. Of what comes at the same moment, what ends it comes first.
    pub(crate) fn next_step(&self) -> Option<(Timestamp, Step)> {
        let end = self.ends_at().map(|at| (at, Step::End));
        let own = match self.status {
            Status::IncompleteExpired | Status::Canceled => return None,
            Status::Incomplete { until } => vec![(until, Step::Expire)],
            Status::Paused => self.resumption.iter().map(Resumption::step).collect(),
            Status::Trialing | Status::Active | Status::PastDue | Status::Unpaid => {
                self.steps_of_life()
            }
        };
        // The first of several at one moment.
        end.into_iter().chain(own).min_by_key(|(at, _)| *at)
    }

    fn steps_of_life(&self) -> Vec<(Timestamp, Step)> {
        let period = self.period;
        let trial = self.trial.filter(|_| self.status == Status::Trialing);
        let trial = trial.filter(|it| self.told.trial_will_end != Some(it.end));
        let told = self.told.upcoming == Some(period.end);
        let upcoming = period.end.saturating_sub(UPCOMING_BEFORE);
        // A period that is shorter than the warning has none, nor has one that is the last, nor one whose
        // invoice is not collected (Stripe's documentation, "Pause payment collection").
        let is_last = self.ends_at().is_some_and(|end| end <= period.end);
        let is_collected = self.pause_collection.is_none();
        let tells = !told && upcoming > period.start && !is_last && is_collected;
        let resumes = self.pause_collection.and_then(|it| it.resumes_at);
        [
            trial.map(|it| {
                let warned = it.end.saturating_sub(TRIAL_WARNING_BEFORE);
                (warned.max(period.start), Step::TellOfTrial)
            }),
            tells.then_some((upcoming, Step::TellOfInvoice)),
            resumes.map(|at| (at, Step::Collect)),
            Some((period.end, Step::Renew)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Stores it, and its items so that they can be asked for.
    pub(crate) fn keep(&self, transaction: &Transaction<'_>) -> anyhow::Result<()> {
        transaction.put(self)?;
        for gone in transaction.plain_having(ITEM, "subscription", &self.id)? {
            let id = gone.get("id").and_then(Value::as_str).unwrap_or_default();
            if self.item(id).is_none() {
                transaction.delete(ITEM, id)?;
            }
        }
        for item in &self.items {
            transaction.put_plain(ITEM, &item.id, &self.item_shown(item), None)?;
        }
        Ok(())
    }

    /// An item as the API shows it.
    pub(crate) fn item_shown(&self, item: &Item) -> Value {
        let discounts: Vec<_> = item.discounts.iter().map(Discount::id).collect();
        let rates: Vec<_> = item.rates.iter().map(|rate| &rate.shown).collect();
        json!({
            "id": item.id,
            "object": ITEM,
            "billing_thresholds": null,
            "created": item.created,
            "current_period_end": self.period.end,
            "current_period_start": self.period.start,
            "current_trial": null,
            "discounts": discounts,
            "metadata": item.metadata,
            "plan": item.price.plan(),
            "price": item.price.shown,
            "quantity": item.quantity,
            "subscription": self.id,
            "tax_rates": rates,
        })
    }

    fn cancellation_shown(&self) -> Value {
        let cancellation = &self.cancellation;
        json!({
            "comment": cancellation.comment,
            "feedback": cancellation.feedback,
            "feedback_option": null,
            "reason": cancellation.reason,
        })
    }
}

impl Object for Subscription {
    const KIND: &'static str = "subscription";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.next_step().map(|(at, _)| at)
    }

    fn answer(&self) -> Value {
        let discounts: Vec<_> = self.discounts.iter().map(Discount::id).collect();
        let items: Vec<_> = self.items.iter().map(|it| self.item_shown(it)).collect();
        let mut answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "application": null,
            "application_fee_percent": null,
            "billing_cycle_anchor": self.anchor.at,
            "billing_cycle_anchor_config": self.anchor_config,
            "billing_schedules": [],
            "billing_thresholds": null,
            "cancel_at": self.ends_at(),
            "cancel_at_period_end": self.cancellation.at_period_end,
            "canceled_at": self.cancellation.asked_at,
            "cancellation_details": self.cancellation_shown(),
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "discounts": discounts,
            "ended_at": self.ended_at,
            "items": {
                "object": "list",
                "data": items,
                "has_more": false,
                "url": format!("/v1/subscription_items?subscription={}", self.id),
            },
            "latest_invoice": self.latest_invoice,
            "livemode": false,
            "managed_payments": null,
            "next_pending_invoice_item_invoice": null,
            "on_behalf_of": null,
            "pause_collection": self.pause_collection,
            "pending_invoice_item_interval": null,
            "pending_setup_intent": null,
            "pending_update": null,
            "schedule": self.schedule,
            "start_date": self.created,
            "status": self.status.as_str(),
            "test_clock": self.test_clock,
            "transfer_data": null,
            "trial_end": self.trial.map(|trial| trial.end),
            "trial_start": self.trial.map(|trial| trial.start),
        });
        if let Value::Object(answer) = &mut answer {
            answer.extend(self.terms.shown());
            let paused = self.paused.filter(|_| self.status == Status::Paused);
            let details = paused.map(|paused| json!({ "paused": paused.shown() }));
            answer.extend(details.map(|details| ("status_details".to_owned(), details)));
        }
        answer
    }
}
