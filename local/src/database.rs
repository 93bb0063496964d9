//! DynamoDB: the engine in this process, or another one that speaks its protocol, with the tables
//! that the template describes.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use crate::loopback::{Door, Shutdown};
use crate::template::Table;

/// Engines check that a request is signed and by whom, not that the signature is right.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
     SignedHeaders=host;x-amz-date;x-amz-target, Signature=00";
/// How long a table may take to become active.
const PATIENCE: Duration = Duration::from_secs(30);

/// A DynamoDB engine, spoken to over its HTTP protocol.
#[derive(Clone)]
pub(crate) struct Engine {
    endpoint: String,
    client: reqwest::Client,
}

/// What an engine says no with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    #[error("{kind}: {message}")]
    Refused { kind: String, message: String },
    #[error("the DynamoDB engine cannot be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
}

impl EngineError {
    /// Whether the engine refused with this exception.
    pub(crate) fn is(&self, exception: &str) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == exception)
    }
}

impl Engine {
    /// The engine that listens at `endpoint`.
    pub(crate) fn at(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            client: reqwest::Client::new(),
        }
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Calls an operation of DynamoDB.
    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, EngineError> {
        self.send(&format!("DynamoDB_20120810.{operation}"), input)
            .await
    }

    /// Calls an operation of DynamoDB Streams.
    pub(crate) async fn call_streams(
        &self,
        operation: &str,
        input: Value,
    ) -> Result<Value, EngineError> {
        self.send(&format!("DynamoDBStreams_20120810.{operation}"), input)
            .await
    }

    async fn send(&self, target: &str, input: Value) -> Result<Value, EngineError> {
        let request = self
            .client
            .post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", AUTHORIZATION)
            .timeout(PATIENCE)
            .body(input.to_string());
        let response = request.send().await?;
        let refused = !response.status().is_success();
        let answer: Value = response.json().await?;
        if refused {
            let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
            let kind = text("__type")
                .rsplit('#')
                .next()
                .unwrap_or_default()
                .to_owned();
            let message = format!("{}{}", text("message"), text("Message"));
            return Err(EngineError::Refused { kind, message });
        }
        Ok(answer)
    }
}

/// The value at a JSON pointer; null where there is none.
pub(crate) fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// The engine in this process. Dropping it closes its files.
pub(crate) struct Embedded {
    database: dynoxide::Database,
    served: tokio::task::JoinHandle<()>,
}

impl Embedded {
    /// Opens the file, or a database in memory, and serves it on a port that only the shop's own
    /// AWS endpoint knows.
    pub(crate) async fn open(
        file: Option<&Path>,
        shutdown: Shutdown,
    ) -> anyhow::Result<(Self, Engine)> {
        let database = match file {
            Some(file) => {
                let path = file
                    .to_str()
                    .context("the data folder's name is not UTF-8")?;
                dynoxide::Database::new(path)
                    .map_err(|error| anyhow::anyhow!("cannot open {path}: {error}"))?
            }
            None => dynoxide::Database::memory().map_err(|error| anyhow::anyhow!("{error}"))?,
        };
        let door = Door::open(0, "").await?;
        let engine = Engine::at(&door.url());
        let served = tokio::spawn({
            let database = database.clone();
            async move {
                let served = dynoxide::server::serve_with_shutdown(
                    door.into_listener(),
                    database,
                    shutdown.requested(),
                );
                if let Err(error) = served.await {
                    tracing::error!(error, "the DynamoDB engine stopped");
                }
            }
        });
        Ok((Self { database, served }, engine))
    }

    /// Deletes what has expired, as DynamoDB does in its own time.
    pub(crate) async fn expire(&self) {
        let database = self.database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        match swept {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(count)) => tracing::debug!(count, "{count} expired items deleted"),
            Ok(Err(error)) => tracing::warn!(%error, "expired items could not be deleted"),
        }
    }

    /// Waits until the last request is answered.
    pub(crate) async fn closed(self) {
        // An error would mean that it panicked: then it is closed all the same.
        let _ = self.served.await;
    }
}

/// Makes the table, or brings the one that is there to the template's shape.
pub(crate) async fn prepare(engine: &Engine, table: &Table) -> anyhow::Result<()> {
    let described = engine
        .call("DescribeTable", json!({ "TableName": table.name }))
        .await;
    match described {
        Ok(described) => update(engine, table, at(&described, "/Table")).await?,
        Err(error) if error.is("ResourceNotFoundException") => create(engine, table).await?,
        Err(error) => return Err(error).with_context(|| format!("cannot look at {}", table.name)),
    }
    expire_by_attribute(engine, table).await
}

async fn create(engine: &Engine, table: &Table) -> anyhow::Result<()> {
    let mut input = Map::from_iter([
        ("TableName".to_owned(), table.name.as_str().into()),
        ("KeySchema".to_owned(), table.key_schema.clone()),
        (
            "AttributeDefinitions".to_owned(),
            table.attribute_definitions.clone(),
        ),
        ("BillingMode".to_owned(), "PAY_PER_REQUEST".into()),
    ]);
    if !table.indexes.is_empty() {
        let indexes = table.indexes.values().cloned().collect();
        input.insert("GlobalSecondaryIndexes".to_owned(), indexes);
    }
    if let Some(view) = &table.stream_view_type {
        let stream = json!({ "StreamEnabled": true, "StreamViewType": view });
        input.insert("StreamSpecification".to_owned(), stream);
    }
    let input = input.into();
    engine
        .call("CreateTable", input)
        .await
        .with_context(|| format!("cannot make {} as template.yaml has it", table.name))?;
    active(engine, table).await
}

/// What `UpdateTable` can change is changed; other keys would be another table.
async fn update(engine: &Engine, table: &Table, described: &Value) -> anyhow::Result<()> {
    if *at(described, "/KeySchema") != table.key_schema {
        bail!(
            "{} was made with other keys than template.yaml has now; delete the data folder to start afresh",
            table.name
        );
    }
    let there = at(described, "/GlobalSecondaryIndexes")
        .as_array()
        .cloned()
        .unwrap_or_default();
    let same = |left: &Value, right: &Value| {
        at(left, "/KeySchema") == at(right, "/KeySchema")
            && at(left, "/Projection/ProjectionType") == at(right, "/Projection/ProjectionType")
    };
    for index in &there {
        let name = at(index, "/IndexName").as_str().unwrap_or_default();
        if !table
            .indexes
            .get(name)
            .is_some_and(|wanted| same(wanted, index))
        {
            change(engine, table, json!([{ "Delete": { "IndexName": name } }])).await?;
        }
    }
    for (name, wanted) in &table.indexes {
        if !there
            .iter()
            .any(|index| *at(index, "/IndexName") == **name && same(wanted, index))
        {
            change(engine, table, json!([{ "Create": wanted }])).await?;
        }
    }
    let view = at(described, "/StreamSpecification/StreamViewType").as_str();
    if view != table.stream_view_type.as_deref() {
        if view.is_some() {
            stream(engine, table, json!({ "StreamEnabled": false })).await?;
        }
        if let Some(view) = &table.stream_view_type {
            stream(
                engine,
                table,
                json!({ "StreamEnabled": true, "StreamViewType": view }),
            )
            .await?;
        }
    }
    Ok(())
}

async fn change(engine: &Engine, table: &Table, indexes: Value) -> anyhow::Result<()> {
    let input = json!({
        "TableName": table.name,
        "AttributeDefinitions": table.attribute_definitions,
        "GlobalSecondaryIndexUpdates": indexes,
    });
    let changed = engine.call("UpdateTable", input).await;
    changed.with_context(|| format!("cannot change the indexes of {}", table.name))?;
    active(engine, table).await
}

async fn stream(engine: &Engine, table: &Table, specification: Value) -> anyhow::Result<()> {
    let input = json!({ "TableName": table.name, "StreamSpecification": specification });
    let changed = engine.call("UpdateTable", input).await;
    changed.with_context(|| format!("cannot change the stream of {}", table.name))?;
    active(engine, table).await
}

async fn active(engine: &Engine, table: &Table) -> anyhow::Result<()> {
    let wait = async {
        loop {
            let input = json!({ "TableName": table.name });
            let described = engine.call("DescribeTable", input).await?;
            let described = at(&described, "/Table");
            let indexes = at(described, "/GlobalSecondaryIndexes").as_array();
            let building = indexes.is_some_and(|indexes| {
                indexes
                    .iter()
                    .any(|index| *at(index, "/IndexStatus") != "ACTIVE")
            });
            if *at(described, "/TableStatus") == "ACTIVE" && !building {
                return Ok::<_, EngineError>(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.with_context(|| format!("{} does not become active", table.name))??;
    Ok(())
}

async fn expire_by_attribute(engine: &Engine, table: &Table) -> anyhow::Result<()> {
    let named = json!({ "TableName": table.name });
    let described = engine.call("DescribeTimeToLive", named).await?;
    let described = at(&described, "/TimeToLiveDescription");
    let enabled = *at(described, "/TimeToLiveStatus") == "ENABLED";
    let there = at(described, "/AttributeName").as_str().filter(|_| enabled);
    let wanted = table.ttl_attribute.as_deref();
    if there == wanted {
        return Ok(());
    }
    let changes = [
        there.map(|name| (name, false)),
        wanted.map(|name| (name, true)),
    ];
    for (name, enabled) in changes.into_iter().flatten() {
        let input = json!({
            "TableName": table.name,
            "TimeToLiveSpecification": { "AttributeName": name, "Enabled": enabled },
        });
        let changed = engine.call("UpdateTimeToLive", input).await;
        changed.with_context(|| format!("cannot set how items of {} expire", table.name))?;
    }
    Ok(())
}
