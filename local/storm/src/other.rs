//! What another version of the code writes, as far as it can be made of what this one does: an earlier
//! one that knows nothing of deliveries nor of layouts, and a later one that knows more of everything.

use std::collections::BTreeSet;
use std::sync::Mutex;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::tables::Names;

/// Another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    /// One that drops what it does not know.
    Earlier,
    /// One that writes what this version does not know.
    Later,
}

/// A layout that no version has yet.
pub(crate) const LAYOUT: &str = "99";

/// What a later version knows of everything.
pub(crate) const NOVELTY: &str = "novelty";

/// A mail of which only a later version knows.
const THANKED: &str = "thanked";

impl Other {
    /// What it asks of DynamoDB where this version asks for `body`.
    pub(crate) fn in_tables(self, operation: &str, body: &Bytes, names: &Names) -> Bytes {
        let Ok(mut asked) = serde_json::from_slice::<Value>(body) else {
            return body.clone();
        };
        match operation {
            "TransactWriteItems" => {
                let items = asked["TransactItems"].as_array_mut();
                let puts = items.into_iter().flatten();
                for put in puts.filter_map(|item| item.get_mut("Put")) {
                    self.put(put, names);
                }
            }
            "PutItem" => self.put(&mut asked, names),
            _ => return body.clone(),
        }
        Bytes::from(asked.to_string())
    }

    fn put(self, put: &mut Value, names: &Names) {
        let is_purchases = put["TableName"] == names.purchases;
        let item = put["Item"].as_object_mut().expect("an item");
        match self {
            Self::Earlier => {
                forget_layouts(item);
                forget_deliveries(item);
                let sk = item.get("sk").map_or("", |sk| sk["S"].as_str().unwrap());
                if sk.starts_with("event#") {
                    put["ConditionExpression"] = "attribute_not_exists(pk)".into();
                }
            }
            Self::Later => {
                if is_purchases && item.contains_key("layout") {
                    add(item);
                }
            }
        }
    }
}

fn forget_layouts(item: &mut Map<String, Value>) {
    for name in ["layout", "earliest"] {
        item.remove(name);
    }
    if let Some(sweep) = map(item, "sweep") {
        sweep.remove("layout");
    }
}

fn forget_deliveries(item: &mut Map<String, Value>) {
    let facts = map(item, "facts");
    let sessions = facts.and_then(|facts| map(facts, "sessions"));
    for session in sessions.into_iter().flat_map(Map::values_mut) {
        let session = session["M"].as_object_mut().expect("a session");
        for name in ["delivery", "sums"] {
            session.remove(name);
        }
    }
}

/// Adds what only a later version knows: to the row, and to what in it never becomes something else.
fn add(item: &mut Map<String, Value>) {
    let is_new = |map: &mut Map<String, Value>| {
        map.insert(NOVELTY.to_owned(), json!({ "S": "of a later version" }));
    };
    is_new(item);
    item.insert("layout".to_owned(), json!({ "N": LAYOUT }));
    if let Some(facts) = map(item, "facts") {
        is_new(facts);
    }
    if let Some(order) = map(item, "order") {
        is_new(order);
        let lines = order.get_mut("lines").and_then(|it| it["L"].as_array_mut());
        let lines = lines.into_iter().flatten();
        lines
            .filter_map(|line| line["M"].as_object_mut())
            .for_each(is_new);
    }
    if let Some(mails) = item.get_mut("mails").and_then(|it| it["L"].as_array_mut()) {
        mails.retain(|mail| mail["S"] != THANKED);
        mails.push(json!({ "S": THANKED }));
    }
}

fn map<'m>(item: &'m mut Map<String, Value>, name: &str) -> Option<&'m mut Map<String, Value>> {
    item.get_mut(name)?.get_mut("M")?.as_object_mut()
}

/// The keys of rows that a later version has written.
#[derive(Default)]
pub(crate) struct Rows(Mutex<BTreeSet<(String, String)>>);

impl Rows {
    /// Notes what a later version has written with a call.
    pub(crate) fn wrote(&self, operation: &str, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let items = body["TransactItems"].as_array().into_iter().flatten();
        let items = items.map(|item| &item["Put"]["Item"]);
        if operation == "TransactWriteItems" {
            let new = items.filter(|item| item.get(NOVELTY).is_some()).map(key);
            self.0.lock().unwrap().extend(new);
        }
    }

    /// What is wrong with these rows: they do not have any more what a later version has written.
    pub(crate) fn lost(&self, rows: &[Value]) -> Vec<String> {
        let written = self.0.lock().unwrap();
        let rows = rows.iter().filter(|row| written.contains(&key(row)));
        rows.filter(|row| !is_whole(row))
            .map(|row| format!("what a later version wrote is lost: {row}"))
            .collect()
    }
}

fn key(row: &Value) -> (String, String) {
    let [pk, sk] = ["pk", "sk"].map(|name| row[name]["S"].as_str().unwrap_or_default().to_owned());
    (pk, sk)
}

/// Whether a row has all that a later version adds.
fn is_whole(row: &Value) -> bool {
    let mut whole = row.as_object().expect("a row").clone();
    add(&mut whole);
    let sorted = |row: &Map<String, Value>| {
        let mut row = row.clone();
        if let Some(mails) = row.get_mut("mails").and_then(|it| it["L"].as_array_mut()) {
            mails.sort_by_key(Value::to_string);
        }
        row
    };
    row.as_object().map(sorted) == Some(sorted(&whole))
}
