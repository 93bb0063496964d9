//! Events as text, and the orders in which they may arrive.

use serde_json::Value;

use crate::answer::text;
use crate::preparation::repository;

/// The same event, except for what `change` changes.
pub fn altered(event: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut event: Value = serde_json::from_str(event).unwrap();
    change(&mut event);
    event.to_string()
}

/// The event in `events/<name>.json`, as Stripe would send it.
pub fn sample(name: &str) -> Value {
    let template = repository().template;
    let path = template.with_file_name(format!("events/{name}.json"));
    let request: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    serde_json::from_str(request["body"].as_str().unwrap()).unwrap()
}

/// The first event of a type.
#[track_caller]
pub fn of_type<'e>(events: &'e [String], kind: &str) -> &'e str {
    let kinds: Vec<_> = events.iter().map(|event| kind_of(event)).collect();
    let at = kinds.iter().position(|it| it == kind);
    let at = at.unwrap_or_else(|| panic!("no {kind} among {kinds:?}"));
    &events[at]
}

/// An event's type.
pub fn kind_of(event: &str) -> String {
    text(&serde_json::from_str(event).unwrap(), "type")
}

/// All orders of this many things.
pub fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let last = count - 1;
    permutations(last)
        .into_iter()
        .flat_map(|shorter| {
            (0..count).map(move |place| {
                let mut longer = shorter.clone();
                longer.insert(place, last);
                longer
            })
        })
        .collect()
}
