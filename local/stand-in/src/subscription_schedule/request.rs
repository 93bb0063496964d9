//! The calls that a schedule makes for its shop: the one that begins a subscription, and those that
//! change it.

use serde_json::{Map, Value, json};

use crate::engine::time::Timestamp;
use crate::subscription::object::{Item, Subscription};
use crate::subscription_schedule::object::Schedule;
use crate::subscription_schedule::phase::{Phase, price_of};
use crate::wire::params::Params;
use crate::wire::values::in_order;

/// The parameters of the subscription that the phase at this place is.
pub(super) fn of_new(schedule: &Schedule, place: usize, phase: &Phase) -> Params {
    let mut asked = terms(schedule, phase);
    asked.insert("customer".to_owned(), json!(schedule.customer));
    asked.extend(
        schedule
            .billing_mode
            .iter()
            .map(|mode| ("billing_mode".to_owned(), mode.clone())),
    );
    let items = phase.given.get("items").cloned().unwrap_or_default();
    asked.insert("items".to_owned(), items);
    if let Some(end) = schedule.cancels_at(place) {
        asked.insert("cancel_at".to_owned(), json!(end));
    }
    if let Some(end) = phase.trial_end {
        asked.insert("trial_end".to_owned(), json!(end));
    }
    Params::of(&asked)
}

/// The parameters of the change that makes a subscription what the phase at this place is.
pub(super) fn of_change(
    schedule: &Schedule,
    place: usize,
    phase: &Phase,
    subscription: &Subscription,
    now: Timestamp,
) -> Params {
    let mut asked = terms(schedule, phase);
    asked.insert("items".to_owned(), items(phase, subscription));
    let ends = subscription.cancellation.at;
    match schedule.cancels_at(place) {
        Some(end) if ends != Some(end) => {
            asked.insert("cancel_at".to_owned(), json!(end));
        }
        None if ends.is_some() => {
            asked.insert("cancel_at".to_owned(), json!(""));
        }
        _ => {}
    }
    let trial = subscription.trial.map(|trial| trial.end);
    if let Some(end) = phase
        .trial_end
        .filter(|end| *end > now && trial != Some(*end))
    {
        asked.insert("trial_end".to_owned(), json!(end));
    }
    let anchor = |from: &Map<String, Value>| {
        let anchor = from.get("billing_cycle_anchor")?.as_str();
        anchor.map(|it| it == "phase_start")
    };
    let begins_anew = anchor(&phase.given).or_else(|| anchor(&schedule.defaults));
    if begins_anew == Some(true) && phase.start == now {
        asked.insert("billing_cycle_anchor".to_owned(), json!("now"));
    }
    Params::of(&asked)
}

/// What the schedule and the phase say of a subscription besides its items and dates.
fn terms(schedule: &Schedule, phase: &Phase) -> Map<String, Value> {
    let mut asked = Map::new();
    asked.insert(
        "collection_method".to_owned(),
        json!("charge_automatically"),
    );
    for source in [&schedule.defaults, &phase.given] {
        for (name, value) in source {
            match name.as_str() {
                "items" | "currency" | "billing_cycle_anchor" => {}
                "invoice_settings" => {
                    let mut settings = value.as_object().cloned().unwrap_or_default();
                    let days = settings.remove("days_until_due");
                    asked.extend(days.map(|days| ("days_until_due".to_owned(), days)));
                    asked.insert(name.clone(), Value::Object(settings));
                }
                _ => {
                    asked.insert(name.clone(), value.clone());
                }
            }
        }
    }
    asked
}

/// Items whose price stays are changed, others come and go.
fn items(phase: &Phase, subscription: &Subscription) -> Value {
    let mut before: Vec<&Item> = subscription.items.iter().collect();
    let wanted = phase.given.get("items").and_then(Value::as_object);
    let wanted = wanted.map(in_order).unwrap_or_default();
    let mut asked: Vec<Value> = Vec::new();
    for item in wanted {
        let mut item = item.as_object().cloned().unwrap_or_default();
        let price = price_of(&Value::Object(item.clone())).map(str::to_owned);
        let same = before
            .iter()
            .position(|it| Some(it.price.id()) == price.as_deref());
        if let Some(position) = same {
            item.insert("id".to_owned(), json!(before.remove(position).id));
            item.remove("price");
            item.remove("plan");
        }
        item.entry("quantity").or_insert_with(|| json!(1));
        asked.push(Value::Object(item));
    }
    let gone = before.into_iter();
    asked.extend(gone.map(|item| json!({ "id": item.id, "deleted": true })));
    Value::Array(asked)
}
