//! How a subscription stands, as Stripe said when it was asked.

use serde::{Deserialize, Serialize};

use crate::{
    invoice::{Invoice, InvoiceState, Period},
    money::{Currency, Money},
    product::{ProductId, Recurring},
    purchase::InvoiceId,
};

/// How a subscription stands, as Stripe said when it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Its status.
    pub status: SubscriptionStatus,
    /// The currency of its prices.
    pub currency: Currency,
    /// What it is to, by product.
    pub items: Vec<Item>,
    /// The current period. That it has begun does not mean that it is paid.
    pub period: Period,
    /// When it began, in Unix seconds.
    pub started_at: i64,
    /// When it will end, in Unix seconds, because it is cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<i64>,
    /// When it ended, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<i64>,
    /// Stripe ended it, because it could not be charged any more or a payment was disputed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
    /// When its trial ends or ended, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_end: Option<i64>,
    /// Its newest invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_invoice: Option<InvoiceId>,
    /// That its invoices are not collected for now, while its status stays what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
}

/// A subscription's status, under Stripe's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// Its first payment is still to be made.
    Incomplete,
    /// Its first payment was not made in time.
    IncompleteExpired,
    /// It is free for now.
    Trialing,
    /// In order.
    Active,
    /// Its latest invoice could not be charged, and Stripe keeps trying.
    PastDue,
    /// It could not be charged, and Stripe has stopped trying.
    Unpaid,
    /// It rests until it is resumed, because its trial ended without a way to pay, say.
    Paused,
    /// Over.
    Canceled,
}

/// One thing that a subscription is to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// `si_…`
    pub id: String,
    /// The product, if it is one of the shop's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// Its name.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// The price of one, in minor units of the subscription's currency; `None` if it has tiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_amount: Option<i64>,
    /// How often it is paid for.
    pub recurring: Recurring,
}

/// Invoices are not collected for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// What becomes of them instead.
    pub behavior: PauseBehavior,
    /// When they are collected again, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes_at: Option<i64>,
}

/// What becomes of the invoices of a subscription whose collection is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseBehavior {
    /// They stay drafts: the buyer is served, and pays later.
    KeepAsDraft,
    /// They become uncollectible: the buyer is served for nothing.
    MarkUncollectible,
    /// They are voided: the buyer is not served.
    Void,
}

/// The next time that something has to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// When, in Unix seconds.
    pub at: i64,
    /// How much by the prices alone: before discounts, taxes, prorations and the customer's credit.
    /// Only a preview of the invoice has these (Stripe's page "Create a preview invoice"). It would
    /// take a call for each subscription on every look at them, whose answer may be another the next
    /// day, and no look waits for Stripe.
    pub amount: Money,
}

impl SubscriptionStatus {
    /// As Stripe writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Canceled => "canceled",
        }
    }
}

impl Reading {
    /// Whether it is over for good.
    pub fn is_over(&self) -> bool {
        use SubscriptionStatus::{Canceled, IncompleteExpired};
        matches!(self.status, Canceled | IncompleteExpired)
    }

    /// Whether an invoice of it was paid when it had ended already. At Stripe, that does not bring
    /// it back, so the buyer has paid for nothing (Stripe's page "Cancel subscriptions").
    pub fn had_ended_before(&self, invoice: &Invoice) -> bool {
        let is_paid = invoice.state() == InvoiceState::Paid && invoice.period().is_some();
        let paid_at = invoice.bill().paid_at.filter(|_| is_paid);
        let ended_at = self.ended_at.filter(|_| self.is_over());
        paid_at
            .zip(ended_at)
            .is_some_and(|(paid, ended)| paid > ended)
    }

    /// When it will end because it is cancelled; `None` if it goes on, or has ended.
    pub fn ends_at(&self) -> Option<i64> {
        self.cancel_at.filter(|_| !self.is_over())
    }

    /// The next time that something has to be paid; `None` if that is not known, or nothing has.
    pub fn next(&self) -> Option<Next> {
        use SubscriptionStatus::{Active, PastDue, Trialing};
        let goes_on = matches!(self.status, Active | PastDue | Trialing)
            && self.pause.is_none()
            && self.ends_at().is_none_or(|end| end > self.period.end);
        let next = |amount| Next {
            at: self.period.end,
            amount,
        };
        self.total().filter(|_| goes_on).map(next)
    }

    /// What a period costs, before discounts, taxes and credits; `None` if a price has tiers.
    pub fn total(&self) -> Option<Money> {
        let mut items = self.items.iter();
        items.try_fold(Money::zero(self.currency), |sum, item| {
            let price = Money::new(item.unit_amount?, self.currency);
            let amount = price.checked_mul(item.quantity).ok()?;
            sum.checked_add(amount).ok()
        })
    }

    /// Whether it is to other products, in other quantities or at other prices.
    pub(super) fn has_another_plan_than(&self, before: &Self) -> bool {
        let plan = |reading: &Self| {
            let items = reading.items.iter();
            let mut plan: Vec<_> = items
                .map(|item| {
                    (
                        item.name.clone(),
                        item.quantity,
                        item.unit_amount,
                        item.recurring.to_string(),
                    )
                })
                .collect();
            plan.sort();
            plan
        };
        plan(self) != plan(before)
    }
}
