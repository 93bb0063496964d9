//! Invoices.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::checkout::tax::Rate;
use crate::engine::ids::{CustomerId, InvoiceId, PaymentIntentId};
use crate::engine::resource::Metadata;
use crate::engine::time::{DAY, Timestamp};
use crate::invoice::billed::Billed;
use crate::invoice::discount::Discount;
use crate::invoice::line::{Line, Period};
use crate::invoice::shipment::Shipping;
use crate::invoice::terms::{Collection, Terms};
use crate::invoice::totals::{Bill, Totals};

/// How long before it is due the shop is told so.
const WARNS_BEFORE: Timestamp = 3 * DAY;

/// What a customer owes, line by line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invoice {
    pub(crate) id: InvoiceId,
    pub(crate) created: Timestamp,
    pub(crate) customer: CustomerId,
    pub(crate) currency: Currency,
    pub(crate) status: Status,
    pub(crate) billing_reason: BillingReason,
    pub(crate) parent: Parent,
    pub(crate) terms: Terms,
    pub(crate) billed: Billed,
    pub(crate) lines: Vec<Line>,
    /// Of the whole invoice.
    pub(crate) discounts: Vec<Discount>,
    /// Automatic tax on top, and in the price, where the customer is.
    pub(crate) automatic_rates: Option<[Rate; 2]>,
    pub(crate) shipping: Option<Shipping>,
    pub(crate) period: Period,
    pub(crate) number: Option<String>,
    /// What was settled when it was finalized.
    pub(crate) finalized: Option<Finalized>,
    /// What pays it unless something else is attached to it.
    pub(crate) intent: Option<PaymentIntentId>,
    pub(crate) attempts: Attempts,
    pub(crate) amount_paid: Amount,
    /// The money did not come through Stripe.
    pub(crate) paid_out_of_band: bool,
    pub(crate) credited: Credited,
    pub(crate) transitions: Transitions,
    pub(crate) reminded: Reminded,
    /// Why it could not be finalized, as the API shows it.
    pub(crate) finalization_error: Option<Value>,
    /// It became final in this very call, and nobody has been shown more of it.
    #[serde(skip)]
    pub(crate) just_finalized: bool,
}

/// How an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// It can be changed. Perhaps it is finalized by itself, and when.
    Draft {
        finalizes_at: Option<Timestamp>,
    },
    /// It is to be paid. Perhaps Stripe tries by itself, and when.
    Open {
        next_attempt: Option<Timestamp>,
    },
    Paid,
    /// Nobody expects the money any more, but it may come.
    Uncollectible,
    Void,
}

impl Status {
    /// Stripe's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Draft { .. } => "draft",
            Self::Open { .. } => "open",
            Self::Paid => "paid",
            Self::Uncollectible => "uncollectible",
            Self::Void => "void",
        }
    }
}

/// Why there is an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BillingReason {
    Manual,
    QuoteAccept,
    SubscriptionCreate,
    SubscriptionCycle,
    SubscriptionUpdate,
    Upcoming,
}

/// What an invoice comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Parent {
    #[default]
    Nothing,
    Subscription {
        id: String,
        metadata: Metadata,
    },
    Quote(String),
}

/// What is settled when an invoice is finalized.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Finalized {
    /// The customer's balance before and after.
    pub(crate) starting_balance: Amount,
    pub(crate) ending_balance: Amount,
    pub(crate) amount_due: Amount,
    pub(crate) due_date: Option<Timestamp>,
    /// Where its page is.
    pub(crate) url: String,
}

/// How often it was tried to collect an invoice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempts {
    pub(crate) attempted: bool,
    pub(crate) count: usize,
}

/// What credit notes have taken off an invoice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credited {
    pub(crate) pre_payment: Amount,
    pub(crate) post_payment: Amount,
}

/// When an invoice became what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transitions {
    pub(crate) finalized_at: Option<Timestamp>,
    pub(crate) marked_uncollectible_at: Option<Timestamp>,
    pub(crate) paid_at: Option<Timestamp>,
    pub(crate) voided_at: Option<Timestamp>,
}

/// What the shop was told of an invoice that nobody pays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reminded {
    pub(crate) will_be_due: bool,
    pub(crate) overdue: bool,
}

/// What there is to tell about an invoice that nobody pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reminder {
    WillBeDue,
    Overdue,
}

/// What is due, once the customer's balance is applied to the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) amount: Amount,
    pub(crate) ending_balance: Amount,
}

impl Due {
    /// A credit is used up first, and a debt comes on top. What is less than can be charged, or less
    /// than nothing, goes to the balance.
    pub(crate) fn of(total: Amount, balance: Amount, currency: Currency) -> Self {
        let owed = total.plus(balance);
        match owed < currency.minimum() {
            true => Self {
                amount: Amount::ZERO,
                ending_balance: owed,
            },
            false => Self {
                amount: owed,
                ending_balance: Amount::ZERO,
            },
        }
    }
}

impl Invoice {
    /// What it comes to.
    pub(crate) fn totals(&self) -> Totals {
        Totals::of(&Bill {
            lines: &self.lines,
            currency: self.currency,
            discounts: &self.discounts,
            rates: &self.terms.default_tax_rates,
            automatic: self.automatic_rates.clone(),
            exempt: self.billed.is_tax_exempt(),
            shipping: self.shipping.as_ref(),
        })
    }

    pub(super) fn amount_shipping(&self) -> Amount {
        let shipping = self.shipping.as_ref();
        shipping.map_or(Amount::ZERO, |shipping| shipping.amount)
    }

    /// What is due, and what of it is not credited.
    pub(crate) fn amount_due(&self) -> Amount {
        let due = match &self.finalized {
            Some(finalized) => finalized.amount_due,
            None => Due::of(self.totals().total, self.billed.balance, self.currency).amount,
        };
        due.minus(self.credited.pre_payment).max(Amount::ZERO)
    }

    /// The same as an invoice that there may be.
    pub(crate) fn into_upcoming(self) -> Self {
        Self {
            id: InvoiceId::upcoming(),
            status: Status::Draft { finalizes_at: None },
            number: None,
            finalized: None,
            intent: None,
            attempts: Attempts::default(),
            amount_paid: Amount::ZERO,
            transitions: Transitions::default(),
            ..self
        }
    }

    /// What is still to be paid.
    pub(crate) fn amount_remaining(&self) -> Amount {
        let remaining = self.amount_due().minus(self.amount_paid);
        remaining.max(Amount::ZERO)
    }

    /// The subscription that it is of.
    pub(crate) fn subscription(&self) -> Option<&str> {
        match &self.parent {
            Parent::Subscription { id, .. } => Some(id),
            Parent::Nothing | Parent::Quote(_) => None,
        }
    }

    /// Whether it is a draft.
    pub(crate) fn is_draft(&self) -> bool {
        matches!(self.status, Status::Draft { .. })
    }

    /// When it has to be paid, if it is sent.
    pub(crate) fn due_date(&self) -> Option<Timestamp> {
        match (&self.finalized, self.terms.collection) {
            (Some(finalized), _) => finalized.due_date,
            (None, Collection::SendInvoice(due)) => Some(due.after(self.created)),
            (None, Collection::ChargeAutomatically) => None,
        }
    }

    /// What is to be told next, and when.
    pub(crate) fn reminder(&self) -> Option<(Timestamp, Reminder)> {
        let due = self.due_date()?;
        let warned = due.saturating_sub(WARNS_BEFORE);
        let finalized_at = self.transitions.finalized_at?;
        match self.status {
            Status::Open { .. } if self.reminded.overdue => None,
            Status::Open { .. } if self.reminded.will_be_due || warned <= finalized_at => {
                Some((due, Reminder::Overdue))
            }
            Status::Open { .. } => Some((warned, Reminder::WillBeDue)),
            _ => None,
        }
    }

    /// When time alone tries to collect it.
    pub(crate) fn next_attempt(&self) -> Option<Timestamp> {
        match self.status {
            Status::Draft { finalizes_at } => match self.terms.collection {
                Collection::ChargeAutomatically => finalizes_at,
                Collection::SendInvoice(_) => None,
            },
            Status::Open { next_attempt } => next_attempt,
            _ => None,
        }
    }

    /// Whether Stripe still does anything about it by itself.
    pub(super) fn advances(&self) -> bool {
        let is_live = matches!(self.status, Status::Draft { .. } | Status::Open { .. });
        self.terms.auto_advance && is_live
    }
}
