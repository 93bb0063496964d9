//! What an invoice says.

use serde::{Deserialize, Serialize};

use crate::{
    money::Money,
    purchase::{PaymentIntentId, Sums},
};

/// How far an invoice has come, the furthest last. What is uncollectible can still be paid or
/// voided; these two are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// It may still change.
    Draft,
    /// To be paid.
    Open,
    /// Nobody expects it to be paid any more.
    Uncollectible,
    /// It does not have to be paid.
    Void,
    /// Paid, or there was nothing to pay.
    Paid,
}

/// An invoice as one event or one answer shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceReport {
    /// How far it has come.
    pub state: InvoiceState,
    /// What it says.
    pub bill: Bill,
    /// What went wrong with the latest attempt to charge it, if that is what is reported.
    pub trouble: Option<Trouble>,
    /// The payment intent that pays it, if it is named.
    pub intent: Option<PaymentIntentId>,
}

/// What went wrong with an attempt to charge an invoice. If both are said of the same attempt, it
/// failed because the buyer has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// It was declined.
    Failed,
    /// The buyer's bank wants them to confirm it.
    ActionRequired,
}

/// What an invoice says while it is in one state. Ordered by what only grows while it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bill {
    /// How often charging it was tried.
    pub attempts: u32,
    /// What was paid of it.
    pub paid: Money,
    /// What is to be paid: the total, less what the customer's balance covers.
    pub due: Money,
    /// What it comes to, with discounts and taxes.
    pub total: Money,
    /// Its number, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Stripe's page where the buyer can see and pay it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The time it pays for; `None` if it only adjusts another's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// Why there is one.
    pub reason: Reason,
    /// When charging it is tried again, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<i64>,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// What it is for: the first ten lines or so, as Stripe's events have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<BilledLine>,
    /// When it was paid, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<i64>,
    /// How its total comes about; `None` if it is only what the lines cost, and in what was kept
    /// before this was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sums: Option<Sums>,
}

/// A line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BilledLine {
    /// In Stripe's words: `1 × Coffee box (at 9.00 EUR / month)`.
    pub name: String,
    /// In minor units of the invoice's currency, before discounts and taxes; negative if it is a
    /// credit.
    pub amount: i64,
}

/// A span of time, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Period {
    /// When it begins.
    pub start: i64,
    /// When it is over.
    pub end: i64,
}

/// Why there is an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The subscription began.
    First,
    /// Another period began.
    Renewal,
    /// The plan was changed.
    Change,
    /// Something else, such as the seller's own wish.
    Other,
}
