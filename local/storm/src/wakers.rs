//! What wakes functions besides requests: the outbox's stream, and the schedules.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::invocation::event;
use crate::span::{HOUR, MINUTE};
use crate::version::Function;
use crate::weather::Trouble;
use crate::world::{World, seconds};

/// How often a batch that fails is tried again.
const TRIES: u32 = 10;

/// Lambda's side of the outbox's stream.
pub(crate) async fn stream(world: Arc<World>) {
    let engine = world.tables.engine();
    let call = async |operation: &str, input: Value| {
        let answer = engine.call_streams(operation, input).await;
        answer.expect("the outbox's stream")
    };
    let table = json!({ "TableName": world.mapping.table });
    let described = engine.call("DescribeTable", table).await;
    let stream = described.expect("the outbox")["Table"]["LatestStreamArn"].clone();
    let shards = call("DescribeStream", json!({ "StreamArn": stream })).await;
    let shard = shards["StreamDescription"]["Shards"][0]["ShardId"].clone();
    let beginning = json!({
        "StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON",
    });
    let mut iterator = call("GetShardIterator", beginning).await["ShardIterator"].clone();
    loop {
        let _ = tokio::time::timeout(Duration::from_secs(HOUR), world.wrote.notified()).await;
        let lag = match world.strikes(Trouble::StreamLate) {
            true => world.draw(|dice| dice.u64(..30 * MINUTE)),
            false => world.draw(|dice| dice.u64(..2)),
        };
        seconds(lag).await;
        let read = call("GetRecords", json!({ "ShardIterator": iterator })).await;
        iterator = read["NextShardIterator"].clone();
        let records = read["Records"].as_array().cloned().unwrap_or_default();
        let wanted = records.into_iter().filter(|record| {
            let filters = &world.mapping.filters;
            filters.iter().any(|filter| filter.matches(record))
        });
        let wanted: Vec<Value> = wanted.collect();
        for batch in wanted.chunks(world.mapping.batch_size) {
            process(&world, batch).await;
            if world.strikes(Trouble::StreamTwice) {
                process(&world, batch).await;
            }
        }
    }
}

/// Calls the mailer until it has no failures to report, or the batch is given up.
async fn process(world: &Arc<World>, batch: &[Value]) {
    let mut rest = batch;
    for attempt in 0..TRIES {
        if rest.is_empty() {
            return;
        }
        let answer = event(world, Function::Mailer, json!({ "Records": rest })).await;
        if let Some(Ok(answer)) = answer {
            let failed = answer["batchItemFailures"][0]["itemIdentifier"].clone();
            let number = |record: &Value| record["dynamodb"]["SequenceNumber"].clone();
            let place = rest.iter().position(|record| number(record) == failed);
            rest = &rest[place.unwrap_or(rest.len())..];
        }
        seconds(1 << attempt).await;
    }
}

/// The mailer's schedule. It runs every minute when it is deployed; here there is more to try in less
/// time if it does not.
pub(crate) async fn mailer(world: Arc<World>) {
    loop {
        seconds(world.draw(|dice| dice.u64(MINUTE..2 * HOUR))).await;
        event(&world, Function::Mailer, json!({})).await;
    }
}

/// Reconcile's schedule, which may miss a few hours.
pub(crate) async fn reconcile(world: Arc<World>) {
    loop {
        seconds(world.draw(|dice| dice.u64(HOUR..8 * HOUR))).await;
        run_reconcile(&world).await;
    }
}

pub(crate) async fn run_reconcile(world: &Arc<World>) {
    let outcome = event(world, Function::Reconcile, json!({})).await;
    if let Some(Err(error)) = outcome {
        world.tell(format!("reconcile failed: {error}"));
    }
}
