//! What a shop asks of a new subscription.

use serde_json::{Value, json};
use time::{Month, Time};

use crate::account::currency::Currency;
use crate::billing::currency;
use crate::engine::calendar::{Anchor, Interval};
use crate::engine::ids::{CustomerId, SubscriptionId};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::invoice::discount::{Place, Wanted};
use crate::invoice::line::{Line, Period};
use crate::payment;
use crate::subscription::bill;
use crate::subscription::change::{Proration, TrialEnd};
use crate::subscription::items::{Extra, ItemChange, check_items};
use crate::subscription::life::{self, Paying};
use crate::subscription::object::{Cancellation, Item, Reason, Status, Subscription, Told};
use crate::subscription::terms::{NewTerms, Terms};
use crate::subscription::trial::{self, Trial};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The subscription that a shop asks for.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) customer: String,
    pub(crate) items: Vec<ItemChange>,
    pub(crate) plan: Plan,
    currency: Option<Currency>,
    extras: Vec<Extra>,
    discounts: Option<Wanted>,
    terms: NewTerms,
    cancel_at: Option<Timestamp>,
    cancel_at_period_end: bool,
    pub(crate) paying: Paying,
}

/// When a new subscription is billed.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    trial: Option<TrialWish>,
    anchor: Option<AnchorWish>,
    proration: Proration,
}

/// How long a new subscription is to be free.
#[derive(Debug)]
enum TrialWish {
    Given(Trial),
    /// As the first price says.
    FromPrice,
}

#[derive(Debug)]
enum AnchorWish {
    At(Timestamp),
    Config {
        day: u8,
        month: Option<Month>,
        of_day: Option<Time>,
        shown: Value,
    },
}

impl Wish {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let items = ItemChange::read_all(params)?;
        if items.is_empty() {
            return Err(ApiError::missing("items"));
        }
        let cancel_at_period_end = params.boolean("cancel_at_period_end")?.unwrap_or(false);
        let cancel_at = params.integer("cancel_at")?;
        if cancel_at_period_end && cancel_at.is_some() {
            return Err(ApiError::invalid(
                "You may only specify one of these parameters: cancel_at, cancel_at_period_end.",
            )
            .param("cancel_at"));
        }
        Ok(Self {
            customer: params.text("customer").required(params, "customer")?,
            items,
            plan: Plan::read(params)?,
            currency: params.currency("currency")?,
            extras: Extra::read_all(params)?,
            discounts: Wanted::read(params)?,
            terms: NewTerms::read(params)?,
            cancel_at,
            cancel_at_period_end,
            paying: Paying::read(params)?,
        })
    }

    /// Begins the subscription.
    pub(crate) fn start(self, transaction: &Transaction<'_>) -> Result<Subscription, ApiError> {
        let paying = self.paying;
        let (subscription, lines) = self.prepare(transaction)?;
        life::start(transaction, subscription, lines, paying)
    }

    /// The subscription that is asked for, and what its first invoice bills.
    pub(crate) fn prepare(
        self,
        transaction: &Transaction<'_>,
    ) -> Result<(Subscription, Vec<Line>), ApiError> {
        let customer = payment::customer::named(transaction, &self.customer)?;
        let mut terms = Terms::default();
        self.terms.apply(transaction, &customer, &mut terms)?;
        let id = SubscriptionId::random();
        let place = Place {
            customer: &customer,
            subscription: Some(&id),
            ..Place::default()
        };
        let items = self
            .items
            .into_iter()
            .map(|it| it.begin(transaction, place));
        let items: Vec<Item> = items.collect::<Result<_, _>>()?;
        let extras = self.extras;
        let discounts = match self.discounts {
            Some(wanted) => wanted.make(transaction, place)?,
            None => Vec::new(),
        };
        let mut subscription = begin(transaction, id, customer.clone(), items, terms)?;
        if let Some(wanted) = self.currency.filter(|it| *it != subscription.currency) {
            return Err(ApiError::invalid(format!(
                "The price specified only supports `{}`. This doesn't match the expected currency: \
                 `{wanted}`.",
                subscription.currency
            ))
            .param("currency"));
        }
        currency::check(transaction, &customer, subscription.currency, None)?;
        let cancellation =
            cancellation(self.cancel_at, self.cancel_at_period_end, transaction.now)?;
        // An end within the first period makes it cheaper, unless nothing is to be prorated.
        if self.plan.proration != Proration::None {
            subscription.cancellation = cancellation.clone();
        }
        let lines = self.plan.apply(transaction, &mut subscription)?;
        subscription.cancellation = cancellation;
        bill::give_discounts(transaction, &mut subscription, discounts)?;
        for extra in extras {
            let place = bill::place(&subscription);
            let content = extra.content(transaction, place, subscription.currency)?;
            bill::enter(transaction, &subscription, None, content, false)?;
        }
        Ok((subscription, lines))
    }
}

/// A subscription from now on, of which nothing is billed yet.
pub(crate) fn begin(
    transaction: &Transaction<'_>,
    id: SubscriptionId,
    customer: CustomerId,
    items: Vec<Item>,
    terms: Terms,
) -> Result<Subscription, ApiError> {
    let now = transaction.now;
    let first = items.first().ok_or_else(|| ApiError::missing("items"))?;
    let (currency, interval) = (first.price.currency, first.price.interval);
    let anchor = Anchor::new(now);
    let (start, end) = interval.around(anchor, now);
    let subscription = Subscription {
        id,
        created: now,
        customer,
        currency,
        status: Status::Active,
        items,
        anchor,
        anchor_config: None,
        period: Period { start, end },
        trial: None,
        cancellation: Cancellation::default(),
        ended_at: None,
        pause_collection: None,
        paused: None,
        resumption: None,
        discounts: Vec::new(),
        terms,
        latest_invoice: None,
        told: Told::default(),
        schedule: None,
        test_clock: transaction.clock().map(str::to_owned),
    };
    check_items(&subscription)?;
    Ok(subscription)
}

fn cancellation(
    at: Option<Timestamp>,
    at_period_end: bool,
    now: Timestamp,
) -> Result<Cancellation, ApiError> {
    if at.is_some_and(|at| at <= now) {
        return Err(ApiError::invalid("cancel_at must be in the future.").param("cancel_at"));
    }
    let asked = at.is_some() || at_period_end;
    Ok(Cancellation {
        at,
        at_period_end,
        asked_at: asked.then_some(now),
        reason: asked.then_some(Reason::CancellationRequested),
        ..Cancellation::default()
    })
}

impl Plan {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let days = params.integer_within("trial_period_days", 0, trial::LONGEST)?;
        let from_price = params.boolean("trial_from_plan")?.unwrap_or(false);
        let trial = match (TrialEnd::read(params)?, days) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "You may only specify one of these parameters: trial_end, trial_period_days.",
                )
                .param("trial_end"));
            }
            (Some(TrialEnd::Now), None) | (None, Some(0)) => None,
            (Some(TrialEnd::At(end)), None) => Some(TrialWish::Given(Trial::Until(end))),
            (None, Some(days)) => Some(TrialWish::Given(Trial::Days(days))),
            (None, None) => from_price.then_some(TrialWish::FromPrice),
        };
        let at = params.integer("billing_cycle_anchor")?.map(AnchorWish::At);
        let config = AnchorWish::read(params)?;
        if at.is_some() && config.is_some() {
            return Err(ApiError::invalid(
                "You may only specify one of these parameters: billing_cycle_anchor, \
                 billing_cycle_anchor_config.",
            )
            .param("billing_cycle_anchor"));
        }
        Ok(Self {
            trial,
            anchor: at.or(config),
            proration: Proration::read(params)?,
        })
    }

    /// With this trial, if with one, and billed from its beginning or its trial's end.
    pub(crate) fn with(trial: Option<Trial>) -> Self {
        Self {
            trial: trial.map(TrialWish::Given),
            ..Self::default()
        }
    }

    /// Settles when the subscription is billed. Returns what its first invoice bills.
    pub(crate) fn apply(
        self,
        transaction: &Transaction<'_>,
        subscription: &mut Subscription,
    ) -> Result<Vec<Line>, ApiError> {
        let now = transaction.now;
        let Some(interval) = subscription.interval() else {
            return Ok(Vec::new());
        };
        let trial_end = trial_until(self.trial.as_ref(), subscription, now)?;
        if let Some(end) = trial_end {
            subscription.trial = Some(Period { start: now, end });
            subscription.status = Status::Trialing;
            subscription.anchor = Anchor::new(end);
            subscription.period = Period { start: now, end };
        }
        let from = trial_end.unwrap_or(now);
        match self.anchor {
            Some(AnchorWish::At(at)) => {
                check_anchor(at, from, interval)?;
                subscription.anchor = Anchor::new(at);
            }
            Some(AnchorWish::Config {
                day,
                month,
                of_day,
                shown,
            }) => {
                subscription.anchor = Anchor::next(from, day, month, of_day);
                subscription.anchor_config = Some(shown);
            }
            None => {}
        }
        if trial_end.is_some() {
            let period = subscription.period;
            return Ok(bill::free_lines(subscription, period, "Trial period"));
        }
        let (start, end) = interval.around(subscription.anchor, now);
        subscription.period = Period { start: now, end };
        Ok(match (start == now, self.proration) {
            (true, _) => bill::lines(subscription, subscription.period),
            (false, Proration::None) => {
                bill::free_lines(subscription, subscription.period, "Free period")
            }
            (false, _) => bill::stub_lines(subscription, Period { start, end }),
        })
    }
}

/// When the trial of a new subscription ends, if it has one.
fn trial_until(
    trial: Option<&TrialWish>,
    subscription: &Subscription,
    now: Timestamp,
) -> Result<Option<Timestamp>, ApiError> {
    let trial = match trial {
        None => return Ok(None),
        Some(TrialWish::Given(trial)) => *trial,
        Some(TrialWish::FromPrice) => {
            let price = subscription.items.first().map(|item| &item.price.shown);
            let recurring = price.and_then(|price| price.get("recurring"));
            let count = recurring.and_then(|it| it.get("trial_period_days")?.as_i64());
            match count.filter(|count| *count > 0) {
                Some(count) => Trial::Days(count),
                None => return Ok(None),
            }
        }
    };
    let end = trial.until(now);
    trial::check_end(end, now)?;
    Ok(Some(end))
}

/// Refuses an anchor that is past, or beyond the first period.
fn check_anchor(at: Timestamp, from: Timestamp, interval: Interval) -> Result<(), ApiError> {
    let refuse = |message: String| Err(ApiError::invalid(message).param("billing_cycle_anchor"));
    let latest = interval.from(from, 1);
    match at {
        at if at < from => refuse(
            "billing_cycle_anchor cannot be before the subscription begins, or before its trial ends."
                .to_owned(),
        ),
        at if at > latest => refuse(format!(
            "billing_cycle_anchor cannot be later than next natural billing date ({latest}) for plan."
        )),
        _ => Ok(()),
    }
}

impl AnchorWish {
    fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
        let Some(mut config) = params.optional_object("billing_cycle_anchor_config")? else {
            return Ok(None);
        };
        let day = config
            .integer_within("day_of_month", 1, 31)
            .required(&config, "day_of_month")?;
        let month = config.integer_within("month", 1, 12)?;
        let hour = config.integer_within("hour", 0, 23)?;
        let minute = config.integer_within("minute", 0, 59)?;
        let second = config.integer_within("second", 0, 59)?;
        config.finish()?;
        let small = |number: i64| u8::try_from(number).unwrap_or_default();
        let of_day = [hour, minute, second];
        let of_day = of_day.iter().any(Option::is_some).then(|| {
            let [hour, minute, second] = of_day.map(|part| small(part.unwrap_or(0)));
            Time::from_hms(hour, minute, second).unwrap_or(Time::MIDNIGHT)
        });
        Ok(Some(Self::Config {
            day: small(day),
            month: month.and_then(|month| Month::try_from(small(month)).ok()),
            of_day,
            shown: json!({
                "day_of_month": day,
                "hour": hour,
                "minute": minute,
                "month": month,
                "second": second,
            }),
        }))
    }
}
