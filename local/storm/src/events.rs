//! The events for other systems that the bus has taken.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

/// What was published, in that order.
#[derive(Default)]
pub(crate) struct Events(Mutex<Vec<Published>>);

/// One event.
#[derive(Clone)]
struct Published {
    id: String,
    subject: String,
    sequence: u64,
}

impl Events {
    /// Notes what a call has published; the id of the event.
    pub(crate) fn published(&self, call: &[u8]) -> String {
        let call: Value = serde_json::from_slice(call).unwrap_or_default();
        let detail = call["Entries"][0]["Detail"].as_str().unwrap_or_default();
        let detail: Value = serde_json::from_str(detail).unwrap_or_default();
        let text = |name: &str| detail[name].as_str().unwrap_or_default().to_owned();
        let published = Published {
            id: text("id"),
            subject: text("subject"),
            sequence: detail["sequence"].as_u64().unwrap_or_default(),
        };
        let id = published.id.clone();
        self.0.lock().unwrap().push(published);
        id
    }

    /// How often each was.
    pub(crate) fn times(&self) -> BTreeMap<String, u32> {
        let mut times = BTreeMap::new();
        for one in self.0.lock().unwrap().iter() {
            *times.entry(one.id.clone()).or_default() += 1;
        }
        times
    }

    /// Those that were published for the first time after one that comes later in the life of the
    /// same purchase.
    pub(crate) fn late(&self) -> Vec<String> {
        let (mut seen, mut furthest) = (BTreeMap::new(), BTreeMap::<String, u64>::new());
        let mut late = Vec::new();
        for one in self.0.lock().unwrap().iter() {
            if seen.insert(one.id.clone(), ()).is_some() {
                continue;
            }
            let furthest = furthest.entry(one.subject.clone()).or_default();
            if one.sequence < *furthest {
                late.push(one.id.clone());
            }
            *furthest = one.sequence.max(*furthest);
        }
        late
    }
}
