//! Lambda's side of DynamoDB Streams: reads a table's stream from its oldest record, filters it,
//! calls the function in batches, and goes on only once a batch is done.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use template::StreamMapping;
use tokio::sync::{mpsc, oneshot, watch};

use crate::data;
use crate::database::{Engine, at};
use crate::functions::Deployment;
use crate::loopback::Shutdown;

/// How often the stream is read if nothing says that there was a write.
const UNPROMPTED: Duration = Duration::from_secs(1);
/// The first and the longest wait before a failed batch is tried again.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));

/// One mapping at work.
pub(crate) struct Poller {
    /// What the template says.
    pub(crate) mapping: StreamMapping,
    pub(crate) engine: Engine,
    pub(crate) deployment: Arc<Deployment>,
    /// Where the position is kept; `None` keeps it in memory only.
    pub(crate) position_file: Option<PathBuf>,
}

/// Asks a poller to process the stream to its end.
pub(crate) struct Drain(mpsc::UnboundedSender<Drained>);

/// Told when the stream is at its end.
pub(crate) type Drained = oneshot::Sender<()>;

impl Drain {
    /// The end that asks, and the poller's end.
    pub(crate) fn channel() -> (Self, mpsc::UnboundedReceiver<Drained>) {
        let (ask, asked) = mpsc::unbounded_channel();
        (Self(ask), asked)
    }

    /// Resolves when all records of what was written before the call are done, or the poller has
    /// stopped; not while a failed batch is still to be retried.
    pub(crate) async fn drained(&self) {
        let (drained, at_the_end) = oneshot::channel();
        // An error means that the poller has stopped.
        if self.0.send(drained).is_ok() {
            let _ = at_the_end.await;
        }
    }
}

/// How far a stream has been processed.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// The stream's ARN, which changes if the table is created anew.
    stream: String,
    /// The last sequence number that is done, by shard.
    done: BTreeMap<String, String>,
}

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
enum Handled {
    Whole,
    /// Everything from this record on, by its place in the batch, has to be retried.
    FailedFrom(usize),
}

impl Poller {
    /// Processes the stream, now and whenever `written` or `asked` says so, until shut down.
    pub(crate) async fn run(
        self,
        mut written: watch::Receiver<()>,
        mut asked: mpsc::UnboundedReceiver<Drained>,
        shutdown: Shutdown,
    ) {
        let mut position = self.remembered();
        let mut waiting: Vec<Drained> = Vec::new();
        loop {
            written.mark_unchanged();
            match self.catch_up(&mut position, &shutdown).await {
                Ok(()) => waiting.drain(..).for_each(|drained| _ = drained.send(())),
                Err(error) => {
                    let table = &self.mapping.table;
                    tracing::warn!(table, "the stream cannot be read: {error:#}");
                }
            }
            tokio::select! {
                () = shutdown.requested() => return,
                () = tokio::time::sleep(UNPROMPTED) => {}
                // An error means that the AWS port is gone, and nobody writes any more.
                Ok(()) = written.changed() => {}
                Some(drained) = asked.recv() => waiting.push(drained),
            }
        }
    }

    /// Processes what is there now. A batch under way when the shop stops is finished.
    async fn catch_up(&self, position: &mut Position, shutdown: &Shutdown) -> anyhow::Result<()> {
        let table = &self.mapping.table;
        let described = self
            .engine
            .call("DescribeTable", json!({ "TableName": table }))
            .await?;
        let stream = at(&described, "/Table/LatestStreamArn")
            .as_str()
            .context("the table has no stream")?;
        if position.stream != stream {
            *position = Position {
                stream: stream.to_owned(),
                done: BTreeMap::new(),
            };
        }
        let shards = self
            .engine
            .call_streams("DescribeStream", json!({ "StreamArn": stream }))
            .await?;
        let shards = at(&shards, "/StreamDescription/Shards")
            .as_array()
            .cloned()
            .unwrap_or_default();
        for shard in shards
            .iter()
            .filter_map(|shard| at(shard, "/ShardId").as_str())
        {
            self.catch_up_shard(position, shard, shutdown).await?;
        }
        Ok(())
    }

    async fn catch_up_shard(
        &self,
        position: &mut Position,
        shard: &str,
        shutdown: &Shutdown,
    ) -> anyhow::Result<()> {
        let mut attempts = 0_u32;
        while !shutdown.is_requested() {
            let records = self.records(position, shard).await?;
            if records.is_empty() {
                return Ok(());
            }
            let (done, pause) = match self.process(&position.stream, &records).await {
                Handled::Whole => {
                    attempts = 0;
                    (records.len(), None)
                }
                Handled::FailedFrom(failed) => {
                    // If records before it are done, this is the first attempt at it.
                    attempts = if failed > 0 {
                        1
                    } else {
                        attempts.saturating_add(1)
                    };
                    if self
                        .mapping
                        .maximum_retries
                        .is_some_and(|most| attempts > most)
                    {
                        self.lament(records.get(failed), attempts);
                        attempts = 0;
                        (self.given_up(failed, records.len()), None)
                    } else {
                        (failed, Some(back_off(attempts)))
                    }
                }
            };
            if let Some(last) = done.checked_sub(1).and_then(|last| records.get(last)) {
                position
                    .done
                    .insert(shard.to_owned(), sequence_number(last));
                self.remember(position)?;
            }
            if let Some(pause) = pause {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = shutdown.requested() => {}
                }
            }
        }
        Ok(())
    }

    /// How many records of a batch are done when it is given up: a function that says which records
    /// failed loses only that one.
    fn given_up(&self, failed: usize, all: usize) -> usize {
        if self.mapping.reports_failures {
            failed.saturating_add(1)
        } else {
            all
        }
    }

    fn lament(&self, record: Option<&Value>, attempts: u32) {
        let function = &self.mapping.function;
        let number = record.map(sequence_number).unwrap_or_default();
        tracing::error!(
            function,
            number,
            "a record was given up after {attempts} attempts"
        );
    }

    /// The next batch of records.
    async fn records(&self, position: &mut Position, shard: &str) -> anyhow::Result<Vec<Value>> {
        let (stream, done) = (&position.stream, position.done.get(shard));
        let input = match done {
            Some(done) => json!({
                "StreamArn": stream,
                "ShardId": shard,
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": done,
            }),
            None => json!({
                "StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON",
            }),
        };
        let iterator = match self.engine.call_streams("GetShardIterator", input).await {
            // The next record is so old that the engine has dropped it.
            Err(error) if error.is("TrimmedDataAccessException") => {
                position.done.remove(shard);
                return Ok(Vec::new());
            }
            iterator => iterator?,
        };
        let input = json!({ "ShardIterator": at(&iterator, "/ShardIterator"), "Limit": self.mapping.batch_size });
        let answer = self.engine.call_streams("GetRecords", input).await?;
        Ok(at(&answer, "/Records")
            .as_array()
            .cloned()
            .unwrap_or_default())
    }

    async fn process(&self, stream: &str, records: &[Value]) -> Handled {
        // With their places in the batch as read, because the event lacks the filtered records.
        let wanted: Vec<(usize, Value)> = records
            .iter()
            .enumerate()
            .filter(|(_, record)| self.wants(record))
            .map(|(place, record)| (place, lambda_record(record, stream)))
            .collect();
        let Some((first, _)) = wanted.first() else {
            return Handled::Whole;
        };
        let event =
            json!({ "Records": wanted.iter().map(|(_, record)| record).collect::<Vec<_>>() });
        match self.deployment.handle(&self.mapping.function, event).await {
            Ok(answer) if self.mapping.reports_failures => lowest_failure(&answer, &wanted),
            Ok(_) => Handled::Whole,
            Err(failure) => {
                tracing::error!("{failure}");
                Handled::FailedFrom(*first)
            }
        }
    }

    fn wants(&self, record: &Value) -> bool {
        let images = (
            at(record, "/dynamodb/OldImage"),
            at(record, "/dynamodb/NewImage"),
        );
        // DynamoDB writes no record for an update that changes nothing.
        let unchanged =
            *at(record, "/eventName") == "MODIFY" && images.0.is_object() && images.0 == images.1;
        let filters = &self.mapping.filters;
        !unchanged && (filters.is_empty() || filters.iter().any(|filter| filter.matches(record)))
    }

    fn remembered(&self) -> Position {
        let kept = self
            .position_file
            .as_ref()
            .and_then(|file| fs::read(file).ok());
        // If it cannot be read, the stream is read from its start, which functions must tolerate
        // anyway.
        kept.and_then(|kept| serde_json::from_slice(&kept).ok())
            .unwrap_or_default()
    }

    fn remember(&self, position: &Position) -> anyhow::Result<()> {
        let Some(file) = &self.position_file else {
            return Ok(());
        };
        data::keep(file, &serde_json::to_vec(position)?)
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

/// The first record that the function could not handle.
fn lowest_failure(answer: &Value, wanted: &[(usize, Value)]) -> Handled {
    let failures = at(answer, "/batchItemFailures")
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let places = failures.iter().map(|failure| {
        let failed = at(failure, "/itemIdentifier").as_str().unwrap_or_default();
        wanted
            .iter()
            .find(|(_, record)| sequence_number(record) == failed)
            .map(|(place, _)| *place)
    });
    // A failure that does not name a record of the batch is a failure of the whole batch.
    let first = wanted.first().map(|(place, _)| *place).unwrap_or_default();
    places
        .map(|place| place.unwrap_or(first))
        .min()
        .map_or(Handled::Whole, Handled::FailedFrom)
}

fn sequence_number(record: &Value) -> String {
    at(record, "/dynamodb/SequenceNumber")
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// A record as Lambda passes it on, with where it came from.
fn lambda_record(record: &Value, stream: &str) -> Value {
    let mut record = record.clone();
    if let Some(fields) = record.as_object_mut() {
        fields.insert("awsRegion".to_owned(), "us-east-1".into());
        fields.insert("eventSourceARN".to_owned(), stream.into());
    }
    record
}

fn back_off(attempts: u32) -> Duration {
    let (first, longest) = BACK_OFF;
    let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
    first
        .checked_mul(factor)
        .map_or(longest, |wait| wait.min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(places: &[(usize, &str)]) -> Vec<(usize, Value)> {
        places
            .iter()
            .map(|(place, number)| (*place, json!({ "dynamodb": { "SequenceNumber": number } })))
            .collect()
    }

    #[test]
    fn a_batch_is_retried_from_its_first_failed_record() {
        let wanted = batch(&[(1, "100"), (3, "300"), (4, "400")]);
        let failed = |ids: &[&str]| {
            let failures: Vec<_> = ids
                .iter()
                .map(|id| json!({ "itemIdentifier": id }))
                .collect();
            lowest_failure(&json!({ "batchItemFailures": failures }), &wanted)
        };
        assert_eq!(failed(&[]), Handled::Whole);
        assert_eq!(failed(&["400", "300"]), Handled::FailedFrom(3));
        assert_eq!(failed(&["unknown"]), Handled::FailedFrom(1));
        assert_eq!(lowest_failure(&Value::Null, &wanted), Handled::Whole);
    }

    #[test]
    fn each_attempt_waits_longer_up_to_a_limit() {
        assert_eq!(back_off(1), Duration::from_millis(200));
        assert_eq!(back_off(2), Duration::from_millis(400));
        assert_eq!(back_off(40), Duration::from_secs(30));
    }
}
