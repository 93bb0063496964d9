//! The DynamoDB engine in this process: JSON in, JSON out, as in DynamoDB's HTTP protocol. The
//! engine has a server of its own, but that would answer any web page.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use anyhow::Context as _;
use axum::body::Bytes;
use axum::http::StatusCode;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

const UNKNOWN_OPERATION: &str =
    r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;

/// The engine. Clones share it; its files are closed when the last one is dropped.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
    is_on_disk: bool,
}

impl Embedded {
    /// Opens the file, or a database in memory.
    pub fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let database = match file {
            Some(file) => {
                let path = file
                    .to_str()
                    .context("the data folder's name is not UTF-8")?;
                Database::new(path)
                    .map_err(|error| anyhow::anyhow!("cannot open {path}: {error}"))?
            }
            None => Database::memory().map_err(|error| anyhow::anyhow!("{error}"))?,
        };
        Ok(Self {
            database,
            is_on_disk: file.is_some(),
        })
    }

    /// DynamoDB's answer to a request for `operation` with this body.
    pub async fn answer(&self, operation: &str, body: Bytes) -> (StatusCode, String) {
        let (database, operation) = (self.database.clone(), operation.to_owned());
        let work = move || run(&database, &operation, &body);
        let panicked = |why: String| Some(Err(DynoxideError::InternalServerError(why)));
        let ran = match self.is_on_disk {
            true => tokio::task::spawn_blocking(work)
                .await
                .unwrap_or_else(|error| panicked(error.to_string())),
            // It is done sooner than another thread would be awake.
            false => catch_unwind(AssertUnwindSafe(work))
                .unwrap_or_else(|_| panicked("the engine panicked".to_owned())),
        };
        match ran {
            None => (StatusCode::BAD_REQUEST, UNKNOWN_OPERATION.to_owned()),
            Some(Ok(answer)) => (StatusCode::OK, answer),
            Some(Err(error)) => {
                let status = StatusCode::from_u16(error.status_code());
                let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, error.to_json())
            }
        }
    }

    /// Deletes expired items, as DynamoDB does at some point.
    pub(crate) async fn expire(&self) {
        let database = self.database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        match swept {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(count)) => tracing::debug!(count, "{count} expired items deleted"),
            Ok(Err(error)) => tracing::warn!(%error, "expired items could not be deleted"),
        }
    }
}

/// `None` if DynamoDB has no such operation.
fn run(database: &Database, operation: &str, body: &[u8]) -> Option<dynoxide::Result<String>> {
    let answer = match operation {
        "CreateTable" => with(body, |input| database.create_table(input)),
        "DeleteTable" => with(body, |input| database.delete_table(input)),
        "DescribeTable" => with(body, |input| database.describe_table(input)),
        "ListTables" => with(body, |input| database.list_tables(input)),
        "UpdateTable" => with(body, |input| database.update_table(input)),
        "PutItem" => with(body, |input| database.put_item(input)),
        "GetItem" => with(body, |input| database.get_item(input)),
        "UpdateItem" => with(body, |input| database.update_item(input)),
        "DeleteItem" => with(body, |input| database.delete_item(input)),
        "Query" => with(body, |input| database.query(input)),
        "Scan" => with(body, |input| database.scan(input)),
        "BatchGetItem" => with(body, |input| database.batch_get_item(input)),
        "BatchWriteItem" => with(body, |input| database.batch_write_item(input)),
        "TransactGetItems" => with(body, |input| database.transact_get_items(input)),
        "TransactWriteItems" => with(body, |input| database.transact_write_items(input)),
        "ExecuteStatement" => with(body, |input| database.execute_statement(input)),
        "ExecuteTransaction" => with(body, |input| database.execute_transaction(input)),
        "BatchExecuteStatement" => with(body, |input| database.batch_execute_statement(input)),
        "DescribeTimeToLive" => with(body, |input| database.describe_time_to_live(input)),
        "UpdateTimeToLive" => with(body, |input| database.update_time_to_live(input)),
        "TagResource" => with(body, |input| database.tag_resource(input)),
        "UntagResource" => with(body, |input| database.untag_resource(input)),
        "ListTagsOfResource" => with(body, |input| database.list_tags_of_resource(input)),
        "ListStreams" => with(body, |input| database.list_streams(input)),
        "DescribeStream" => with(body, |input| database.describe_stream(input)),
        "GetShardIterator" => with(body, |input| database.get_shard_iterator(input)),
        "GetRecords" => with(body, |input| database.get_records(input)),
        _ => return None,
    };
    Some(answer)
}

fn with<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    operation: impl FnOnce(I) -> dynoxide::Result<O>,
) -> dynoxide::Result<String> {
    let input = serde_json::from_slice(body).map_err(|error| refusal(&error))?;
    let output = operation(input)?;
    serde_json::to_string(&output)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// The exception for a request that cannot be read. The engine's types name it in a prefix, such as
/// `VALIDATION:`; a missing member is a validation error, too.
fn refusal(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    let (kind, message) = match text.split_once(':') {
        Some((kind @ ("VALIDATION" | "VALIDATION_REQUEST" | "VALIDATION_AS_READ"), rest)) => {
            (kind, rest)
        }
        Some((kind @ ("SERIALIZATION" | "SERIALIZATION_AS_READ"), rest)) => (kind, rest),
        _ => ("", text),
    };
    let missing = message.contains("missing field") || message.contains("unknown variant");
    if kind.starts_with("VALIDATION") || missing {
        DynoxideError::ValidationException(message.trim_start().to_owned())
    } else {
        DynoxideError::SerializationException(message.trim_start().to_owned())
    }
}
