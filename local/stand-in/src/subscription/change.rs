//! What a shop changes of a subscription, and what that costs or gives back.

use serde_json::Value;

use crate::account::amount::Amount;
use crate::engine::calendar::Anchor;
use crate::engine::ids::InvoiceId;
use crate::engine::resource::Object as _;
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::invoice::discount::Wanted;
use crate::invoice::line::{Line, Period};
use crate::subscription::bill::{self, Prorated};
use crate::subscription::items::{Extra, ItemChange, check_items};
use crate::subscription::life::{self, Paying};
use crate::subscription::object::{
    Cancellation, Item, PauseCollection, Reason, Status, Subscription,
};
use crate::subscription::terms::NewTerms;
use crate::subscription::time;
use crate::subscription::trial;
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// What a shop changes.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) items: Vec<ItemChange>,
    pub(crate) extras: Vec<Extra>,
    pub(crate) terms: Option<NewTerms>,
    pub(crate) discounts: Option<Wanted>,
    pub(crate) cancel: Option<Cancel>,
    pub(crate) comment: Option<String>,
    pub(crate) feedback: Option<String>,
    pub(crate) pause_collection: Option<Option<PauseCollection>>,
    pub(crate) trial_end: Option<TrialEnd>,
    /// The billing cycle begins anew now.
    pub(crate) anchors_now: bool,
    pub(crate) proration: Proration,
    /// The moment that the change is prorated by, if it is not now.
    pub(crate) proration_date: Option<Timestamp>,
    pub(crate) paying: Paying,
}

/// Refuses what comes too late: nothing but words about it can be changed of what is over.
pub(super) fn refuse_what_is_over(subscription: &Subscription) -> Result<(), ApiError> {
    match subscription.status.is_over() {
        true => Err(ApiError::invalid(
            "A canceled subscription can only update its cancellation_details and metadata.",
        )
        .code("invalid_canceled_subscription_fields")),
        false => Ok(()),
    }
}

/// When a subscription is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancel {
    At(Timestamp),
    AtPeriodEnd,
    /// Not any more.
    Never,
}

/// When a trial is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrialEnd {
    Now,
    At(Timestamp),
}

/// What becomes of the part of a period that a change is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Proration {
    AlwaysInvoice,
    /// The next invoice has it.
    #[default]
    Create,
    None,
}

impl TrialEnd {
    /// Reads when a trial is to end.
    pub(crate) fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
        match params.peek("trial_end") == Some("now") {
            true => params.text("trial_end").map(|_| Some(Self::Now)),
            false => Ok(params.integer("trial_end")?.map(Self::At)),
        }
    }
}

impl Proration {
    /// Reads what becomes of the part of a period that a change is about.
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let chosen = params.choice(
            "proration_behavior",
            &["always_invoice", "create_prorations", "none"],
        )?;
        Ok(match chosen.as_deref() {
            Some("always_invoice") => Self::AlwaysInvoice,
            Some("none") => Self::None,
            _ => Self::Create,
        })
    }
}

/// What the change of a subscription leads to besides.
enum Next {
    Nothing,
    /// An invoice of what waits for it, if anything does.
    InvoiceWhatWaits,
    /// An invoice with these lines.
    Invoice(Vec<Line>),
}

impl Change {
    /// Makes the change. If it has to be paid for and is not, what was tried may be all that is left of
    /// it, as the caller has asked.
    pub(crate) fn make(
        self,
        transaction: &Transaction<'_>,
        mut subscription: Subscription,
    ) -> Result<Subscription, ApiError> {
        self.refuse_while_incomplete(&subscription)?;
        let before = subscription.clone();
        let shown = before.answer();
        let now = transaction.now;
        let at = prorated_at(&before, self.proration_date, now)?;
        let (paying, proration) = (self.paying, self.proration);
        let (trial_end, anchors_now) = (self.trial_end, self.anchors_now);
        for extra in self.apply(transaction, &mut subscription)? {
            let content =
                extra.content(transaction, bill::place(&before), subscription.currency)?;
            bill::enter(transaction, &subscription, None, content, false)?;
        }
        let ends_trial = trial_end == Some(TrialEnd::Now) && before.status == Status::Trialing;
        if ends_trial && let Some(trial) = &mut subscription.trial {
            trial.end = now;
            if time::stops_after_trial(transaction, &mut subscription)? {
                life::tell_of_trial(transaction, &mut subscription)?;
                return Ok(subscription);
            }
        }
        let resets = anchors_now || ends_trial || begins_anew(&before, &subscription);
        let is_billed = matches!(before.status, Status::Active | Status::PastDue);
        let starts_trial = matches!(trial_end, Some(TrialEnd::At(_)));
        if proration != Proration::None && is_billed {
            let ends = resets || starts_trial;
            prorate(transaction, &before, &subscription, at, ends)?;
        }
        let next = match trial_end {
            Some(TrialEnd::At(end)) => try_until(&mut subscription, now, end)?,
            _ if resets => begin_now(&mut subscription, now),
            _ if proration == Proration::AlwaysInvoice => Next::InvoiceWhatWaits,
            _ => Next::Nothing,
        };
        let mut changed = settle(transaction, subscription, &shown, next, paying)?;
        if ends_trial {
            // At once, though it says that a trial will end (API reference, "Types of events").
            life::tell_of_trial(transaction, &mut changed)?;
        }
        Ok(changed)
    }

    /// Refuses what would be billed besides, as long as the first invoice is not paid: whoever pays it
    /// pays for what it says.
    fn refuse_while_incomplete(&self, subscription: &Subscription) -> Result<(), ApiError> {
        let ends = matches!(self.cancel, Some(Cancel::At(_))) && self.proration != Proration::None;
        let is_billed = self.items.iter().any(ItemChange::is_billed)
            || !self.extras.is_empty()
            || self.discounts.is_some()
            || self.trial_end.is_some()
            || self.anchors_now
            || ends;
        match subscription.status {
            Status::Incomplete { .. } if is_billed => Err(ApiError::invalid(
                "You cannot update a subscription in `incomplete` status in a way that results in a new \
                 invoice or invoice items. Only minor attributes, like `metadata` or \
                 `default_payment_method`, can be updated on such subscriptions.",
            )),
            _ => Ok(()),
        }
    }

    /// Changes what the subscription says. What is to be billed besides is left.
    fn apply(
        self,
        transaction: &Transaction<'_>,
        subscription: &mut Subscription,
    ) -> Result<Vec<Extra>, ApiError> {
        if let Some(terms) = self.terms {
            let customer = subscription.customer.clone();
            terms.apply(transaction, &customer, &mut subscription.terms)?;
        }
        if let Some(wanted) = self.discounts {
            let given = wanted.make(transaction, bill::place(subscription))?;
            bill::give_discounts(transaction, subscription, given)?;
        }
        for item in self.items {
            change_item(transaction, subscription, item)?;
        }
        check_items(subscription)?;
        if let Some(pause) = self.pause_collection {
            subscription.pause_collection = pause;
        }
        if let Some(cancel) = self.cancel {
            set_cancellation(subscription, cancel, transaction.now)?;
        }
        let cancellation = &mut subscription.cancellation;
        cancellation.comment = self.comment.or(cancellation.comment.take());
        cancellation.feedback = self.feedback.or(cancellation.feedback.take());
        Ok(self.extras)
    }
}

/// The moment that the current period is prorated by.
pub(super) fn prorated_at(
    subscription: &Subscription,
    wanted: Option<Timestamp>,
    now: Timestamp,
) -> Result<Timestamp, ApiError> {
    let Period { start, end } = subscription.period;
    match wanted {
        Some(date) if !(start..=end).contains(&date) => Err(ApiError::invalid(format!(
            "Cannot specify proration date outside of current subscription period ({start} - {end})"
        ))
        .param("proration_date")),
        Some(date) => Ok(date),
        None => Ok(now),
    }
}

fn change_item(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
    change: ItemChange,
) -> Result<(), ApiError> {
    let known = subscription.clone();
    let place = bill::place(&known);
    let Some(id) = change.id.clone() else {
        let item = change.begin(transaction, place)?;
        subscription.items.push(item);
        return Ok(());
    };
    let position = subscription.items.iter().position(|item| item.id == id);
    let found = position.and_then(|at| subscription.items.get_mut(at));
    let item = found.ok_or_else(|| ApiError::no_such_param("subscription_item", &id, "items"))?;
    match change.deleted {
        true => subscription.items.retain(|item| item.id != id),
        false => change.apply(transaction, place, item)?,
    }
    Ok(())
}

fn set_cancellation(
    subscription: &mut Subscription,
    cancel: Cancel,
    now: Timestamp,
) -> Result<(), ApiError> {
    let asked = Cancellation {
        asked_at: Some(now),
        reason: Some(Reason::CancellationRequested),
        ..subscription.cancellation.clone()
    };
    subscription.cancellation = match cancel {
        Cancel::Never => Cancellation::default(),
        Cancel::AtPeriodEnd => Cancellation {
            at: None,
            at_period_end: true,
            ..asked
        },
        Cancel::At(at) if at <= now => {
            return Err(ApiError::invalid("cancel_at must be in the future.").param("cancel_at"));
        }
        Cancel::At(at) => Cancellation {
            at: Some(at),
            at_period_end: false,
            ..asked
        },
    };
    Ok(())
}

/// Reads whether `billing_cycle_anchor`, a word or an object with it, says `now`; nothing if it is not
/// given.
pub(super) fn anchors_now(params: &mut Params) -> Result<Option<bool>, ApiError> {
    let words = &["now", "unchanged"];
    let chosen = match params.is_text("billing_cycle_anchor") {
        true => params.choice("billing_cycle_anchor", words)?,
        false => {
            let mut anchor = params.object("billing_cycle_anchor")?;
            let chosen = anchor.choice("type", words)?;
            anchor.finish()?;
            chosen
        }
    };
    Ok(chosen.map(|it| it == "now"))
}

/// Whether a change begins another billing cycle: another interval, or a price where there was none.
fn begins_anew(before: &Subscription, after: &Subscription) -> bool {
    let was_free = before.amount() == Amount::ZERO && after.amount() > Amount::ZERO;
    let is_billed = matches!(before.status, Status::Active | Status::PastDue);
    is_billed && (before.interval() != after.interval() || was_free)
}

/// Gives back what is left of what has changed, and asks for what is left of what it has become, unless
/// that is billed anew. What stays as it is costs less or more if it ends earlier or later.
fn prorate(
    transaction: &Transaction<'_>,
    before: &Subscription,
    after: &Subscription,
    at: Timestamp,
    ends: bool,
) -> anyhow::Result<()> {
    let is_same = |one: &Item, other: &Item| {
        one.price.id() == other.price.id() && one.quantity == other.quantity
    };
    let is_kept = |item: &Item, among: &Subscription| {
        among
            .item(&item.id)
            .is_some_and(|other| is_same(item, other))
    };
    let goes = |item: &Item| ends || !is_kept(item, after);
    for item in before.items.iter().filter(|it| goes(it)) {
        let left = before.left_from(at);
        bill::prorate(transaction, before, item, left, Prorated::Credit)?;
    }
    if ends {
        return Ok(());
    }
    for item in after.items.iter().filter(|it| !is_kept(it, before)) {
        let left = after.left_from(at);
        bill::prorate(transaction, after, item, left, Prorated::Debit)?;
    }
    let end = |of: &Subscription| of.served(of.period).end;
    let (was, is) = (end(before), end(after));
    let (start, end, way) = match is < was {
        true => (is, was, Prorated::Credit),
        false => (was, is, Prorated::Debit),
    };
    for item in before.items.iter().filter(|it| !goes(it)) {
        bill::prorate(transaction, before, item, Period { start, end }, way)?;
    }
    Ok(())
}

/// The subscription is free until then.
fn try_until(
    subscription: &mut Subscription,
    now: Timestamp,
    end: Timestamp,
) -> Result<Next, ApiError> {
    trial::check_end(end, now)?;
    let running = subscription
        .trial
        .filter(|_| subscription.status == Status::Trialing);
    let start = running.map_or(now, |trial| trial.start);
    subscription.trial = Some(Period { start, end });
    subscription.status = Status::Trialing;
    subscription.period = Period { start: now, end };
    subscription.anchor = Anchor::new(end);
    Ok(match running {
        Some(_) => Next::Nothing,
        None => Next::Invoice(bill::free_lines(
            subscription,
            subscription.period,
            "Trial period",
        )),
    })
}

/// Another billing cycle begins.
fn begin_now(subscription: &mut Subscription, now: Timestamp) -> Next {
    if subscription.status == Status::Trialing {
        subscription.trial = subscription.trial.map(|trial| Period { end: now, ..trial });
        subscription.status = Status::Active;
    }
    subscription.anchor = Anchor::new(now);
    if let Some(interval) = subscription.interval() {
        let (start, end) = interval.around(subscription.anchor, now);
        subscription.period = Period { start, end };
    }
    Next::Invoice(bill::lines(subscription, subscription.period))
}

/// Keeps the change, and bills what is to be billed at once.
fn settle(
    transaction: &Transaction<'_>,
    mut subscription: Subscription,
    shown: &Value,
    next: Next,
    paying: Paying,
) -> Result<Subscription, ApiError> {
    let lines = match next {
        Next::Nothing => None,
        Next::InvoiceWhatWaits => {
            let waits = !life::waiting(transaction, &subscription)?.is_empty();
            waits.then(Vec::new)
        }
        Next::Invoice(lines) => Some(lines),
    };
    let Some(lines) = lines else {
        life::change(transaction, &subscription, shown)?;
        return Ok(subscription);
    };
    let id = InvoiceId::random();
    subscription.latest_invoice = Some(id.clone());
    life::change(transaction, &subscription, shown)?;
    let changed = subscription.answer();
    let why = bill::Why::Changed;
    let mut invoice = bill::draft(transaction, &mut subscription, id, why, lines, true)?;
    let is_sent = subscription.terms.collection.is_sent();
    if !is_sent && !life::collect(transaction, &subscription, &mut invoice, paying)? {
        subscription.status = Status::PastDue;
    }
    life::change(transaction, &subscription, &changed)?;
    Ok(subscription)
}
