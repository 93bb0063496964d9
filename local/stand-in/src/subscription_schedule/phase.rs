//! The phases of a schedule: how long each lasts, and what the subscription is then.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::currency::Currency;
use crate::description::{Description, Fields, blank};
use crate::engine::calendar::{Anchor, Interval};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::subscription::price::{Price, interval};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;
use crate::wire::values::{in_order, value};

/// Parameters that have an effect at Stripe, and none here.
const UNSUPPORTED: [&str; 4] = [
    "application_fee_percent",
    "billing_thresholds",
    "on_behalf_of",
    "transfer_data",
];

/// As many as make a phase of a hundred years of months.
const MOST_ITERATIONS: i64 = 1_200;

/// A part of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Phase {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) trial_end: Option<Timestamp>,
    /// What the subscription is then, by the names of the API's parameters.
    pub(crate) given: Map<String, Value>,
    /// The same as the API shows it.
    shown: Map<String, Value>,
}

impl Phase {
    /// The currency of its prices.
    pub(crate) fn currency(&self) -> Option<Currency> {
        self.shown.get("currency")?.as_str()?.parse().ok()
    }

    pub(crate) fn shown(&self) -> Value {
        let mut shown = self.shown.clone();
        shown.insert("end_date".to_owned(), json!(self.end));
        shown.insert("start_date".to_owned(), json!(self.start));
        shown.insert("trial_end".to_owned(), json!(self.trial_end));
        Value::Object(shown)
    }
}

/// When a phase begins that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Now,
    At(Timestamp),
}

impl Start {
    /// Reads `start_date`.
    pub(crate) fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
        match params.peek("start_date") == Some("now") {
            true => params.text("start_date").map(|_| Some(Self::Now)),
            false => Ok(params.integer("start_date")?.map(Self::At)),
        }
    }

    pub(crate) fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Now => now,
            Self::At(moment) => moment,
        }
    }
}

/// How long a phase lasts.
#[derive(Debug, Clone, Copy)]
enum Length {
    Until(Timestamp),
    /// So many intervals of its price.
    Iterations(i64),
    For(Interval),
}

/// A phase as it is asked for.
#[derive(Debug)]
pub(crate) struct NewPhase {
    /// What the request calls it.
    pub(crate) param: String,
    pub(crate) start: Option<Start>,
    length: Length,
    trial_end: Option<Timestamp>,
    is_trial: bool,
    given: Map<String, Value>,
}

impl NewPhase {
    /// Reads `phases`.
    pub(crate) fn read_all(params: &mut Params) -> Result<Vec<Self>, ApiError> {
        let phases = params.objects("phases")?.into_iter().enumerate();
        phases
            .map(|(at, phase)| Self::read(format!("phases[{at}]"), phase))
            .collect()
    }

    fn read(param: String, mut phase: Params) -> Result<Self, ApiError> {
        let lengths = ["end_date", "iterations", "duration"];
        let left = phase.left();
        let mut said = lengths
            .iter()
            .filter(|it| left.iter().any(|name| name == *it));
        if let (Some(first), Some(second)) = (said.next(), said.next()) {
            return Err(ApiError::invalid(format!(
                "You may only specify one of these parameters: {first}, {second}."
            ))
            .param(phase.name(second)));
        }
        let until = phase.integer("end_date")?.map(Length::Until);
        let iterations = phase.integer_within("iterations", 1, MOST_ITERATIONS)?;
        let duration = match phase.optional_object("duration")? {
            Some(duration) => Some(Length::For(interval(duration)?)),
            None => None,
        };
        let length = until.or(duration);
        let start = Start::read(&mut phase)?;
        let trial_end = phase.integer("trial_end")?;
        let is_trial = phase.boolean("trial")?.unwrap_or(false);
        let mut given = Map::new();
        for name in phase.left() {
            if UNSUPPORTED.contains(&name.as_str()) {
                return Err(ApiError::unsupported(&phase.name(&name)));
            }
            given.extend(phase.take(&name)?.map(|value| (name, value)));
        }
        refuse_unknown_parts(&param, &given)?;
        Ok(Self {
            param,
            start,
            length: length.unwrap_or(Length::Iterations(iterations.unwrap_or(1))),
            trial_end,
            is_trial,
            given,
        })
    }

    /// The phase that these parameters ask for, from then on.
    pub(crate) fn of(given: Map<String, Value>, end: Timestamp, trial: Option<Timestamp>) -> Self {
        Self {
            param: "phases[0]".to_owned(),
            start: None,
            length: Length::Until(end),
            trial_end: trial,
            is_trial: false,
            given,
        }
    }

    /// The phase, beginning then. Iterations are counted as the billing periods of a subscription are
    /// that began at `anchor`.
    pub(crate) fn begin_at(
        self,
        transaction: &Transaction<'_>,
        start: Timestamp,
        anchor: Anchor,
    ) -> Result<Phase, ApiError> {
        let price = self.first_price(transaction)?;
        let end = match self.length {
            Length::Until(end) => end,
            Length::For(interval) => iterate(interval, anchor, start, 1),
            Length::Iterations(count) => iterate(price.interval, anchor, start, count),
        };
        let refuse = |field: &str, message: &str| {
            Err(ApiError::invalid(message).param(format!("{}[{field}]", self.param)))
        };
        if end <= start {
            return refuse(
                "end_date",
                "The end date of a phase must be after its start date.",
            );
        }
        let trial_end = self.trial_end.or(self.is_trial.then_some(end));
        if trial_end.is_some_and(|it| it > end) {
            return refuse(
                "trial_end",
                "The trial end date must be before or equal to the end date of the phase.",
            );
        }
        let shown = shown(transaction, &self.given, &price)?;
        Ok(Phase {
            start,
            end,
            trial_end,
            given: self.given,
            shown,
        })
    }

    fn first_price(&self, transaction: &Transaction<'_>) -> Result<Price, ApiError> {
        let param = format!("{}[items][0][price]", self.param);
        let items = self.given.get("items").and_then(Value::as_object);
        let first = items.and_then(|items| in_order(items).first().copied());
        let first = first.ok_or_else(|| ApiError::missing(&format!("{}[items]", self.param)))?;
        let id = price_of(first).ok_or_else(|| ApiError::missing(&param))?;
        let price = transaction.whole("price", id)?;
        let price = price.ok_or_else(|| ApiError::no_such_param("price", id, &param))?;
        Price::of(&price).map_err(|_| {
            ApiError::invalid(
                "The price specified is set to `type=one_time` but this field only accepts prices with \
                 `type=recurring`.",
            )
            .param(param)
        })
    }
}

/// The price that an item names, by its older name too.
pub(crate) fn price_of(item: &Value) -> Option<&str> {
    item.get("price").or(item.get("plan"))?.as_str()
}

/// What within a phase has an effect at Stripe, and none here.
fn refuse_unknown_parts(param: &str, given: &Map<String, Value>) -> Result<(), ApiError> {
    let parts = [
        ("items", "price_data"),
        ("items", "billing_thresholds"),
        ("add_invoice_items", "period"),
    ];
    for (list, field) in parts {
        let Some(Value::Object(elements)) = given.get(list) else {
            continue;
        };
        for (at, element) in elements {
            if element.get(field).is_some() {
                let name = format!("{param}[{list}][{at}][{field}]");
                return Err(ApiError::unsupported(&name));
            }
        }
    }
    Ok(())
}

/// So many intervals on. Whoever starts with a period of the anchor goes from one to the next.
fn iterate(interval: Interval, anchor: Anchor, start: Timestamp, count: i64) -> Timestamp {
    match interval.around(anchor, start).0 == start {
        true => (0..count).fold(start, |at, _| interval.around(anchor, at).1),
        false => interval.from(start, count),
    }
}

/// A phase as the API shows it, but for its dates.
fn shown(
    transaction: &Transaction<'_>,
    given: &Map<String, Value>,
    price: &Price,
) -> Result<Map<String, Value>, ApiError> {
    let Some(fields) = fields() else {
        return Ok(Map::new());
    };
    let mut shown = blank(fields);
    for (name, given) in given {
        if let Some(field) = fields.get(name) {
            let value = value(&field.shape, given, None);
            shown.insert(name.clone(), value);
        }
    }
    let known = [
        ("currency", json!(price.currency)),
        ("metadata", json!({})),
        ("proration_behavior", json!("create_prorations")),
        ("default_tax_rates", json!([])),
    ];
    for (name, value) in known {
        if !given.contains_key(name) {
            shown.insert(name.to_owned(), value);
        }
    }
    if let Some(settings) = shown.get_mut("invoice_settings")
        && settings.is_object()
    {
        settings["issuer"] = Value::Null;
    }
    whole_rates(transaction, shown.get_mut("default_tax_rates"))?;
    for list in ["items", "add_invoice_items"] {
        let elements = shown.get_mut(list).and_then(Value::as_array_mut);
        for element in elements.into_iter().flatten() {
            finish_element(transaction, element, list == "items")?;
        }
    }
    Ok(shown)
}

/// Shows an item with its price by both names, and with what nobody has said.
fn finish_element(
    transaction: &Transaction<'_>,
    element: &mut Value,
    recurs: bool,
) -> Result<(), ApiError> {
    let price = element.get("price").filter(|it| **it != "").cloned();
    let price = price.or_else(|| element.get("plan").cloned());
    element["price"] = price.clone().unwrap_or_default();
    if recurs {
        element["plan"] = price.unwrap_or_default();
    }
    if element.get("quantity").is_none_or(Value::is_null) {
        element["quantity"] = json!(1);
    }
    if element.get("metadata").is_none_or(Value::is_null) {
        element["metadata"] = json!({});
    }
    if element.get("tax_rates").is_none() {
        element["tax_rates"] = json!([]);
    }
    whole_rates(transaction, element.get_mut("tax_rates"))
}

/// Puts tax rates in the place of their ids.
fn whole_rates(transaction: &Transaction<'_>, rates: Option<&mut Value>) -> Result<(), ApiError> {
    let rates = rates.and_then(Value::as_array_mut);
    for rate in rates.into_iter().flatten() {
        let id = rate.as_str().unwrap_or_default().to_owned();
        let whole = transaction.shown_of("tax_rate", &id)?;
        *rate = whole.ok_or_else(|| ApiError::no_such_param("tax_rate", &id, "phases"))?;
    }
    Ok(())
}

/// The fields of a phase.
fn fields() -> Option<Fields> {
    let described = Description::newest().object("subscription_schedule")?;
    let phases = described.get("phases")?.shape;
    phases.fields()
}
