//! What is paused goes on. Stripe's page "Pause subscriptions" is the source.

use crate::engine::calendar::Anchor;
use crate::engine::ids::InvoiceId;
use crate::engine::resource::Object as _;
use crate::engine::time::{DAY, HOUR, Timestamp};
use crate::engine::transaction::Transaction;
use crate::invoice::line::{Line, Period};
use crate::subscription::bill::{self, Prorated, Why};
use crate::subscription::change::{Proration, anchors_now, prorated_at};
use crate::subscription::life::{self, IfIncomplete, Paying};
use crate::subscription::object::{Resumption, Status, Subscription};
use crate::webhook::record::record;
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// How a subscription is to go on.
#[derive(Debug)]
pub(crate) struct Resume {
    cycle: Cycle,
    tries: Tries,
}

#[derive(Debug, Clone, Copy)]
enum Cycle {
    /// One that begins now, with a whole period.
    New,
    /// The one that it had, in the period that it would be in.
    Kept {
        proration: Proration,
        /// When it is taken to have gone on, if not now.
        since: Option<Timestamp>,
    },
}

/// Who tries to collect the invoice that it goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tries {
    /// Its shop, by hand. A try that fails makes it past due.
    Shop,
    /// Stripe, at once and again later. Until one has succeeded, it stays paused.
    Stripe,
}

impl Tries {
    /// How long the invoice can be paid.
    fn within(self) -> Timestamp {
        match self {
            Self::Shop => 23 * HOUR,
            Self::Stripe => 365 * DAY,
        }
    }

    fn paying(self) -> Paying {
        let behavior = match self {
            Self::Shop => IfIncomplete::Default,
            Self::Stripe => IfIncomplete::Allow,
        };
        Paying {
            behavior,
            ..Paying::default()
        }
    }
}

impl Resume {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let anew = anchors_now(params)?.unwrap_or(true);
        let proration = Proration::read(params)?;
        let since = params.integer("proration_date")?;
        let behavior = params.choice(
            "payment_behavior",
            &["resume_on_payment_attempt", "resume_on_payment_success"],
        )?;
        Ok(Self {
            cycle: match anew {
                // A whole period is paid for in full, whatever is said of parts.
                true => Cycle::New,
                false => Cycle::Kept { proration, since },
            },
            tries: match behavior.as_deref() {
                Some("resume_on_payment_success") => Tries::Stripe,
                _ => Tries::Shop,
            },
        })
    }

    /// It goes on at once if that is not billed, and otherwise once it is paid.
    pub(crate) fn make(
        self,
        transaction: &Transaction<'_>,
        mut subscription: Subscription,
    ) -> Result<Subscription, ApiError> {
        life::stay_paused(transaction, &mut subscription)?;
        let before = subscription.answer();
        let over = subscription.period;
        if let Cycle::New = self.cycle {
            subscription.anchor = Anchor::new(transaction.now);
        }
        if let Some(interval) = subscription.interval() {
            let (start, end) = interval.around(subscription.anchor, transaction.now);
            subscription.period = Period { start, end };
        }
        let goes_on = match self.lines(transaction, &subscription)? {
            Some(lines) => self.bill(transaction, &mut subscription, over, lines)?,
            None => true,
        };
        if goes_on {
            subscription.status = Status::Active;
        }
        life::change(transaction, &subscription, &before)?;
        if goes_on {
            record(transaction, "customer.subscription.resumed", &subscription)?;
        }
        Ok(subscription)
    }

    /// What is billed now; nothing, if nothing is. What is left of a period may wait for the next invoice.
    fn lines(
        &self,
        transaction: &Transaction<'_>,
        subscription: &Subscription,
    ) -> Result<Option<Vec<Line>>, ApiError> {
        let (proration, since) = match self.cycle {
            Cycle::New => return Ok(Some(bill::lines(subscription, subscription.period))),
            Cycle::Kept { proration, since } => (proration, since),
        };
        if proration == Proration::None {
            return Ok(None);
        }
        let left = subscription.left_from(prorated_at(subscription, since, transaction.now)?);
        for item in &subscription.items {
            bill::prorate(transaction, subscription, item, left, Prorated::Debit)?;
        }
        Ok((proration == Proration::AlwaysInvoice).then(Vec::new))
    }

    /// Makes the invoice. Whether it is paid.
    fn bill(
        &self,
        transaction: &Transaction<'_>,
        subscription: &mut Subscription,
        over: Period,
        lines: Vec<Line>,
    ) -> Result<bool, ApiError> {
        let id = InvoiceId::random();
        subscription.latest_invoice = Some(id.clone());
        let (why, by_itself) = (Why::Over(over), self.tries == Tries::Stripe);
        let new = id.clone();
        let mut invoice = bill::draft(transaction, subscription, new, why, lines, by_itself)?;
        let is_paid = life::collect(transaction, subscription, &mut invoice, self.tries.paying())?;
        subscription.resumption = (!is_paid).then(|| Resumption {
            invoice: id,
            until: transaction.now.saturating_add(self.tries.within()),
        });
        Ok(is_paid)
    }
}
