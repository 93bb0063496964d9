//! `/v1/subscription_schedules`.

use serde_json::{Map, Value, json};

use crate::engine::calendar::Anchor;
use crate::engine::ids;
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::payment;
use crate::subscription;
use crate::subscription::change::Proration;
use crate::subscription::object::{Item, Status, Subscription};
use crate::subscription_schedule::life;
use crate::subscription_schedule::object::{EndBehavior, Schedule, State};
use crate::subscription_schedule::phase::{NewPhase, Phase, Start};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::{Paging, created, narrowed};
use crate::wire::params::{MetadataUpdate, Params};

/// What of the defaults has an effect at Stripe, and none here.
const UNSUPPORTED: [&str; 4] = [
    "application_fee_percent",
    "billing_thresholds",
    "on_behalf_of",
    "transfer_data",
];

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["subscription_schedules"]) => Box::new(create),
        ("GET", ["subscription_schedules"]) => Box::new(list),
        ("POST", ["subscription_schedules", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["subscription_schedules", id, "cancel"]) => {
            Box::new(move |params| cancel(id, params))
        }
        ("POST", ["subscription_schedules", id, "release"]) => {
            Box::new(move |params| release(id, params))
        }
        _ => return None,
    })
}

/// What a request says of a whole schedule.
#[derive(Debug)]
struct Terms {
    defaults: Option<Map<String, Value>>,
    end_behavior: Option<EndBehavior>,
    metadata: MetadataUpdate,
}

impl Terms {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        let defaults = match params.take("default_settings")? {
            Some(Value::Object(given)) => Some(given),
            _ => None,
        };
        let given = defaults.iter().flat_map(Map::keys);
        if let Some(name) = given
            .into_iter()
            .find(|it| UNSUPPORTED.contains(&it.as_str()))
        {
            return Err(ApiError::unsupported(&format!("default_settings[{name}]")));
        }
        if params.take("pause_schedules")?.is_some() {
            return Err(ApiError::unsupported("pause_schedules"));
        }
        let end_behavior = match params.text("end_behavior")?.as_deref() {
            None => None,
            Some("cancel") => Some(EndBehavior::Cancel),
            Some("release") => Some(EndBehavior::Release),
            Some(_) => return Err(ApiError::unsupported("end_behavior")),
        };
        Ok(Self {
            defaults,
            end_behavior,
            metadata: params.metadata_update("metadata")?,
        })
    }

    fn apply(self, schedule: &mut Schedule) -> Result<(), ApiError> {
        schedule.defaults.extend(self.defaults.unwrap_or_default());
        schedule.end_behavior = self.end_behavior.unwrap_or(schedule.end_behavior);
        self.metadata.apply(&mut schedule.metadata)
    }
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let customer = params.text("customer")?;
    let from = params.text("from_subscription")?;
    let start = Start::read(&mut params)?;
    let phases = NewPhase::read_all(&mut params)?;
    let billing_mode = params.take("billing_mode")?;
    let terms = Terms::read(&mut params)?;
    params.finish()?;
    if let Some(from) = from {
        for (given, name) in [
            (customer.is_some(), "customer"),
            (start.is_some(), "start_date"),
            (!phases.is_empty(), "phases"),
        ] {
            if given {
                return Err(ApiError::invalid(format!(
                    "You may only specify one of these parameters: from_subscription, {name}."
                ))
                .param("from_subscription"));
            }
        }
        return Ok(Box::new(move |transaction| {
            let subscription = subscription::api::find(transaction, &from)
                .map_err(|_| ApiError::no_such_param("subscription", &from, "from_subscription"))?;
            let mut schedule = of_subscription(transaction, &subscription)?;
            terms.apply(&mut schedule)?;
            Ok(life::take_over(transaction, schedule, subscription)?.answer())
        }));
    }
    let customer =
        customer.ok_or_else(|| ApiError::missing_one_of("customer, from_subscription"))?;
    let start = start.ok_or_else(|| ApiError::missing("start_date"))?;
    if phases.is_empty() {
        return Err(ApiError::missing("phases"));
    }
    Ok(Box::new(move |transaction| {
        let start = start.moment(transaction.now);
        if start < transaction.now {
            return Err(ApiError::invalid(
                "The stand-in does not backdate subscriptions: start_date cannot be in the past.",
            )
            .code("parameter_unsupported")
            .param("start_date"));
        }
        let mut schedule = Schedule {
            id: ids::plain("sub_sched_1"),
            created: transaction.now,
            customer: payment::customer::named(transaction, &customer)?,
            state: State::NotStarted,
            subscription: None,
            released_subscription: None,
            end_behavior: EndBehavior::default(),
            defaults: Map::new(),
            billing_mode,
            metadata: Metadata::new(),
            phases: placed(transaction, phases, start)?,
            told_of_end: None,
            test_clock: transaction.clock().map(str::to_owned),
        };
        terms.apply(&mut schedule)?;
        let schedule = transaction.attempt(|| life::create(transaction, schedule))?;
        Ok(schedule.answer())
    }))
}

/// The phases, one after the other.
fn placed(
    transaction: &Transaction<'_>,
    phases: Vec<NewPhase>,
    start: Timestamp,
) -> Result<Vec<Phase>, ApiError> {
    let anchor = Anchor::new(start);
    let mut next = start;
    let mut placed = Vec::new();
    for phase in phases {
        if let Some(own) = phase.start.map(|it| it.moment(transaction.now))
            && own != next
        {
            return Err(ApiError::invalid(
                "Subscription schedule phases must be contiguous: each has to start when the one before \
                 it ends.",
            )
            .param(format!("{}[start_date]", phase.param)));
        }
        let phase = phase.begin_at(transaction, next, anchor)?;
        next = phase.end;
        placed.push(phase);
    }
    Ok(placed)
}

/// A schedule whose only phase is the current period of this subscription.
fn of_subscription(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
) -> Result<Schedule, ApiError> {
    let refuse = |message: String| Err(ApiError::invalid(message).param("from_subscription"));
    if let Some(schedule) = &subscription.schedule {
        return refuse(format!(
            "You cannot migrate a subscription that is already attached to a schedule: {schedule}"
        ));
    }
    if !matches!(
        subscription.status,
        Status::Active | Status::Trialing | Status::PastDue
    ) {
        return refuse(format!(
            "You cannot migrate a subscription that is in the `{}` status.",
            subscription.status.as_str()
        ));
    }
    let period = subscription.period;
    let items: Vec<_> = subscription.items.iter().map(asked).collect();
    let mut given = Map::new();
    given.insert("items".to_owned(), json!(items));
    let in_order = Params::of(&given).tree()?;
    let trial = subscription.trial.filter(|it| it.end > transaction.now);
    let phase = NewPhase::of(in_order, period.end, trial.map(|it| it.end.min(period.end)));
    let end_behavior = match subscription.cancellation.at_period_end {
        true => EndBehavior::Cancel,
        false => EndBehavior::Release,
    };
    let mut defaults = Map::new();
    let method = &subscription.terms.default_payment_method;
    let method = method
        .iter()
        .map(|method| ("default_payment_method".to_owned(), json!(method)));
    defaults.extend(method);
    let collection = subscription.terms.collection.as_str();
    defaults.insert("collection_method".to_owned(), json!(collection));
    Ok(Schedule {
        id: ids::plain("sub_sched_1"),
        created: transaction.now,
        customer: subscription.customer.clone(),
        state: State::Active { phase: 0 },
        subscription: Some(subscription.id.clone()),
        released_subscription: None,
        end_behavior,
        defaults,
        billing_mode: None,
        metadata: Metadata::new(),
        phases: vec![phase.begin_at(transaction, period.start, subscription.anchor)?],
        told_of_end: None,
        test_clock: subscription.test_clock.clone(),
    })
}

/// An item as it would be asked for.
fn asked(item: &Item) -> Value {
    json!({
        "price": item.price.id(),
        "quantity": item.quantity.to_string(),
        "metadata": item.metadata,
    })
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let phases = NewPhase::read_all(&mut params)?;
    let proration = Proration::read(&mut params)?;
    let terms = Terms::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let before = find(transaction, id)?;
        let mut schedule = before.clone();
        let changes_plan = !phases.is_empty() || terms.defaults.is_some();
        if before.state.is_over() && (changes_plan || terms.end_behavior.is_some()) {
            return Err(over(&before, "update"));
        }
        terms.apply(&mut schedule)?;
        if !phases.is_empty() {
            replace_phases(transaction, &mut schedule, phases)?;
        }
        transaction.attempt(|| life::update(transaction, &before, &schedule, proration))?;
        if schedule.answer() != before.answer() {
            let shown = before.answer();
            let event_type = "subscription_schedule.updated";
            crate::webhook::record::record_change(transaction, event_type, &shown, &schedule)?;
        }
        Ok(schedule.answer())
    }))
}

/// Puts these phases in the place of the current one and of those to come. What is past stays.
fn replace_phases(
    transaction: &Transaction<'_>,
    schedule: &mut Schedule,
    phases: Vec<NewPhase>,
) -> Result<(), ApiError> {
    let start = phases.first().and_then(|first| first.start);
    let start = start.ok_or_else(|| {
        ApiError::invalid(
            "The subscription schedule update is missing at least one phase with a `start_date` to \
             anchor end dates to.",
        )
        .param("phases")
    })?;
    let start = start.moment(transaction.now);
    let mut all = placed(transaction, phases, start)?;
    let State::Active { .. } = schedule.state else {
        if start < transaction.now {
            return Err(ApiError::invalid(
                "You cannot set the start date of a schedule that has not started to a moment in the \
                 past.",
            )
            .param("phases[0][start_date]"));
        }
        schedule.phases = all;
        return Ok(());
    };
    let now = transaction.now;
    let past = schedule.phases.iter().filter(|it| it.end <= start);
    let mut kept: Vec<Phase> = past.cloned().collect();
    kept.append(&mut all);
    let current = kept.iter().position(|it| it.start <= now && now < it.end);
    let began = schedule.current().map(|it| it.start);
    match current {
        Some(phase) if kept.get(phase).map(|it| it.start) == began || start == now => {
            schedule.state = State::Active { phase };
            schedule.phases = kept;
            Ok(())
        }
        Some(_) => Err(ApiError::invalid(
            "You can not modify the start date of the current phase.",
        )
        .param("phases[0][start_date]")),
        None => Err(ApiError::invalid(
            "The subscription schedule update has to contain the current phase.",
        )
        .param("phases")),
    }
}

fn cancel(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let bills_now = params.boolean("invoice_now")?.unwrap_or(true);
    let gives_back = params.boolean("prorate")?.unwrap_or(true);
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let schedule = find(transaction, id)?;
        if schedule.state.is_over() {
            return Err(over(&schedule, "cancel"));
        }
        Ok(life::cancel(transaction, schedule, gives_back, bills_now)?.answer())
    }))
}

fn release(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let keeps_end = params.boolean("preserve_cancel_date")?.unwrap_or(false);
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut schedule = find(transaction, id)?;
        if schedule.state.is_over() {
            return Err(over(&schedule, "release"));
        }
        life::release(transaction, &mut schedule, keeps_end)?;
        Ok(schedule.answer())
    }))
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let mut filter = created(&mut params)?.having("customer", params.text("customer")?);
    for field in ["canceled_at", "completed_at", "released_at"] {
        filter = narrowed(filter, &mut params, field, field)?;
    }
    if let Some(scheduled) = params.boolean("scheduled")? {
        let is = if scheduled { "=" } else { "<>" };
        filter = filter.and(&format!("shown ->> '$.status' {is} 'not_started'"), []);
    }
    params.finish()?;
    Ok(Box::new(move |transaction| {
        paging.stored(
            transaction,
            Schedule::KIND,
            "/v1/subscription_schedules",
            &filter,
        )
    }))
}

fn over(schedule: &Schedule, what: &str) -> ApiError {
    ApiError::invalid(format!(
        "You cannot {what} a subscription schedule that is currently in the `{}` status. It has to be in \
         either the `not_started` or the `active` status.",
        schedule.state.as_str()
    ))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Schedule, ApiError> {
    let schedule = transaction.get::<Schedule>(id)?;
    schedule.ok_or_else(|| ApiError::no_such(Schedule::KIND, id).param("schedule"))
}
