//! DynamoDB: the engine in this process, or another one that speaks its protocol, with the tables
//! that the template describes.

mod embedded;

use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use template::Table;

pub use self::embedded::Embedded;

/// Engines check whether and by whom a request is signed, but not the signature.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
     SignedHeaders=host;x-amz-date;x-amz-target, Signature=00";
/// How long a table may take to become active, and another engine to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A DynamoDB engine. Clones share it.
#[derive(Clone)]
pub enum Engine {
    /// In this process. It does not listen, so web pages cannot get around the guards of the AWS
    /// port.
    Embedded(Embedded),
    /// Another one, called over HTTP.
    Elsewhere(Elsewhere),
}

/// Why an engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It answered with an exception.
    #[error("{kind}: {message}")]
    Refused {
        /// The exception's name, such as `ResourceNotFoundException`.
        kind: String,
        /// For people to read.
        message: String,
    },
    /// There was no answer.
    #[error("the DynamoDB engine cannot be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// Its answer is not JSON.
    #[error("the DynamoDB engine's answer cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl EngineError {
    /// Whether the engine refused with this exception.
    pub(crate) fn is(&self, exception: &str) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == exception)
    }
}

impl Engine {
    /// Calls an operation of DynamoDB.
    pub async fn call(&self, operation: &str, input: Value) -> Result<Value, EngineError> {
        self.send("DynamoDB_20120810", operation, input).await
    }

    /// Calls an operation of DynamoDB Streams.
    pub async fn call_streams(&self, operation: &str, input: Value) -> Result<Value, EngineError> {
        self.send("DynamoDBStreams_20120810", operation, input)
            .await
    }

    async fn send(
        &self,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, EngineError> {
        let (status, answer) = match self {
            Self::Embedded(engine) => engine.answer(operation, input.to_string().into()).await,
            Self::Elsewhere(engine) => engine.answer(service, operation, input).await?,
        };
        let answer: Value = serde_json::from_str(&answer)?;
        if !status.is_success() {
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

/// An engine outside this process.
#[derive(Clone)]
pub struct Elsewhere {
    /// Where it listens.
    pub(crate) endpoint: String,
    client: reqwest::Client,
}

impl Elsewhere {
    /// The engine that listens at `endpoint`.
    pub(crate) fn at(endpoint: String) -> Self {
        Self {
            endpoint,
            client: reqwest::Client::new(),
        }
    }

    async fn answer(
        &self,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<(StatusCode, String), reqwest::Error> {
        let request = self
            .client
            .post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("{service}.{operation}"))
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", AUTHORIZATION)
            .timeout(PATIENCE)
            .body(input.to_string());
        let response = request.send().await?;
        Ok((response.status(), response.text().await?))
    }
}

/// The value at a JSON pointer; null where there is none.
pub(crate) fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// Creates the table, or changes the existing one into the template's shape.
pub async fn prepare(engine: &Engine, table: &Table) -> anyhow::Result<()> {
    let described = engine
        .call("DescribeTable", json!({ "TableName": table.name }))
        .await;
    match described {
        Ok(described) => update(engine, table, at(&described, "/Table")).await?,
        Err(error) if error.is("ResourceNotFoundException") => create(engine, table).await?,
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot read the status of the table {}", table.name));
        }
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
        .with_context(|| format!("cannot create the table {}", table.name))?;
    active(engine, table).await
}

/// Changes what `UpdateTable` can change. Different keys need a new table.
async fn update(engine: &Engine, table: &Table, described: &Value) -> anyhow::Result<()> {
    if *at(described, "/KeySchema") != table.key_schema {
        bail!(
            "the keys of the table {} differ from template.yaml: delete the data folder to start afresh",
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
    waited.with_context(|| format!("the table {} did not become active in time", table.name))??;
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
