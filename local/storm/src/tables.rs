//! DynamoDB: the embedded engine, and a second one that is behind it, as the replicas and indexes are
//! that eventually consistent reads come from.

use std::collections::VecDeque;
use std::time::Duration;

use axum::http::StatusCode;
use bytes::Bytes;
use fastrand::Rng;
use laptop::database::{Embedded, Engine, prepare};
use serde_json::{Map, Value, json};
use template::Table;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// No replica is further behind.
const LONGEST_LAG: Duration = Duration::from_secs(5);

/// The names of the shop's tables.
pub(crate) struct Names {
    pub(crate) purchases: String,
    pub(crate) outbox: String,
    pub(crate) products: String,
}

pub(crate) struct Tables {
    head: Embedded,
    replica: Mutex<Replica>,
}

struct Replica {
    engine: Embedded,
    /// What it has yet to do.
    behind: VecDeque<Write>,
}

struct Write {
    at: Instant,
    operation: String,
    body: Bytes,
}

impl Tables {
    pub(crate) async fn with(tables: &[Table]) -> Self {
        let (head, engine) = (Embedded::open(None), Embedded::open(None));
        let (head, engine) = (head.unwrap(), engine.unwrap());
        for embedded in [&head, &engine] {
            for table in tables {
                let prepared = prepare(&Engine::Embedded(embedded.clone()), table).await;
                prepared.expect("a table that the template describes");
            }
        }
        let behind = VecDeque::new();
        Self {
            head,
            replica: Mutex::new(Replica { engine, behind }),
        }
    }

    /// DynamoDB's answer. With `lag`, a read that need not be consistent shows what was.
    pub(crate) async fn answer(
        &self,
        operation: &str,
        body: Bytes,
        lag: Option<&mut Rng>,
    ) -> (StatusCode, String) {
        if let Some(dice) = lag {
            let mut replica = self.replica.lock().await;
            if may_lag(operation, &body) {
                return replica.answer(operation, body, dice).await;
            }
            if let Some([now, before]) = both_ways(operation, &body) {
                let now = self.head.answer(operation, now).await;
                return joined(now, replica.answer(operation, before, dice).await);
            }
        }
        let answer = self.head.answer(operation, body.clone()).await;
        if answer.0.is_success() && is_write(operation) {
            self.replica.lock().await.behind.push_back(Write {
                at: Instant::now(),
                operation: operation.to_owned(),
                body,
            });
        }
        answer
    }

    /// Every item of a table, as it is.
    pub(crate) async fn scan(&self, table: &str) -> Vec<Value> {
        let scanned = Engine::Embedded(self.head.clone());
        let scanned = scanned.call("Scan", json!({ "TableName": table })).await;
        let scanned = scanned.expect("a table");
        assert!(
            scanned["LastEvaluatedKey"].is_null(),
            "{table} is too large"
        );
        scanned["Items"].as_array().cloned().unwrap_or_default()
    }

    /// The outbox's stream is read where it is written.
    pub(crate) fn engine(&self) -> Engine {
        Engine::Embedded(self.head.clone())
    }
}

impl Replica {
    async fn answer(
        &mut self,
        operation: &str,
        body: Bytes,
        dice: &mut Rng,
    ) -> (StatusCode, String) {
        let at_least = self
            .behind
            .iter()
            .take_while(|write| write.at.elapsed() > LONGEST_LAG)
            .count();
        for _ in 0..dice.usize(at_least..=self.behind.len()) {
            let Write {
                operation, body, ..
            } = self.behind.pop_front().unwrap();
            let (status, answer) = self.engine.answer(&operation, body).await;
            assert!(status.is_success(), "a write went otherwise: {answer}");
        }
        self.engine.answer(operation, body).await
    }
}

fn is_write(operation: &str) -> bool {
    ["Put", "Update", "Delete", "BatchWrite", "TransactWrite"]
        .iter()
        .any(|write| operation.starts_with(write))
}

/// A batch that reads some tables as they are now and others as they may have been, in its two parts.
fn both_ways(operation: &str, body: &[u8]) -> Option<[Bytes; 2]> {
    if operation != "BatchGetItem" {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let reads = body["RequestItems"].as_object()?.clone();
    let (now, before): (Map<_, _>, Map<_, _>) = reads
        .into_iter()
        .partition(|(_, read)| read["ConsistentRead"] == true);
    let asked = |reads| Bytes::from(json!({ "RequestItems": reads }).to_string());
    (!now.is_empty() && !before.is_empty()).then(|| [now, before].map(asked))
}

/// Both parts' answer, or that of one that failed.
fn joined(one: (StatusCode, String), other: (StatusCode, String)) -> (StatusCode, String) {
    if !one.0.is_success() {
        return one;
    }
    if !other.0.is_success() {
        return other;
    }
    let [mut all, rest] = [&one.1, &other.1]
        .map(|answer| serde_json::from_str::<Value>(answer).expect("an answer in JSON"));
    for name in ["Responses", "UnprocessedKeys"] {
        if let (Some(all), Some(rest)) = (all[name].as_object_mut(), rest[name].as_object()) {
            all.extend(rest.clone());
        }
    }
    (one.0, all.to_string())
}

/// Whether it is a read that does not ask for what is there now.
fn may_lag(operation: &str, body: &[u8]) -> bool {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return false;
    };
    let is_consistent = |read: &Value| read["ConsistentRead"] == true;
    match operation {
        "GetItem" | "Query" | "Scan" => !is_consistent(&body),
        "BatchGetItem" => {
            let reads = body["RequestItems"].as_object();
            reads.is_some_and(|reads| !reads.values().any(is_consistent))
        }
        _ => false,
    }
}

/// A number as DynamoDB writes it.
pub(crate) fn number(value: &Value) -> i64 {
    let digits = value["N"].as_str().unwrap_or_default();
    digits.parse().unwrap_or_default()
}
