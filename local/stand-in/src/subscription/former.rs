//! Subscriptions where older versions show them otherwise: before `basil`, the current period was the
//! subscription's and not its items'.

use serde_json::Value;

use crate::description::Description;

/// Adds the fields that this version has, within `value`.
pub(crate) fn show_periods(description: &'static Description, value: &mut Value) {
    let had = description.object("subscription");
    if had.is_some_and(|fields| fields.get("current_period_end").is_some()) {
        add(value);
    }
}

fn add(value: &mut Value) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(add),
        Value::Object(object) => {
            object.values_mut().for_each(add);
            if object
                .get("object")
                .is_none_or(|kind| kind != "subscription")
            {
                return;
            }
            for field in ["current_period_end", "current_period_start"] {
                let of_item = object
                    .get("items")
                    .and_then(|it| it.pointer("/data/0")?.get(field));
                if let Some(moment) = of_item.cloned() {
                    object.insert(field.to_owned(), moment);
                }
            }
        }
        _ => {}
    }
}
