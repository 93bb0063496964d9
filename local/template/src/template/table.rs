//! DynamoDB tables.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::Result;
use super::node::Node;

/// A DynamoDB table. Locally its name is its logical id, which is what `sam local` passes too.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// The logical id.
    pub name: String,
    /// `KeySchema`, in DynamoDB's own shape.
    pub key_schema: Value,
    /// `AttributeDefinitions`, in DynamoDB's own shape.
    pub attribute_definitions: Value,
    /// Secondary indexes by name, in DynamoDB's own shape.
    pub indexes: BTreeMap<String, Value>,
    /// What the table's stream shows, if it has one.
    pub stream_view_type: Option<String>,
    /// The attribute that says when an item expires, if items do.
    pub ttl_attribute: Option<String>,
}

impl Table {
    pub(super) fn read(id: &str, properties: &Node<'_>) -> Result<Self> {
        let mut indexes = BTreeMap::new();
        if let Some(list) = properties.find("GlobalSecondaryIndexes")? {
            for index in list.items()? {
                let shape = json!({
                    "IndexName": index.get("IndexName")?.text()?,
                    "KeySchema": index.get("KeySchema")?.json()?,
                    "Projection": index.get("Projection")?.json()?,
                });
                indexes.insert(index.get("IndexName")?.text()?, shape);
            }
        }
        let ttl = properties.find("TimeToLiveSpecification")?;
        let ttl_attribute = match ttl {
            Some(ttl) if ttl.get("Enabled")?.flag()? => Some(ttl.get("AttributeName")?.text()?),
            _ => None,
        };
        let stream_view_type = match properties.find("StreamSpecification")? {
            Some(stream) => Some(stream.get("StreamViewType")?.text()?),
            None => None,
        };
        Ok(Self {
            name: id.to_owned(),
            key_schema: properties.get("KeySchema")?.json()?,
            attribute_definitions: properties.get("AttributeDefinitions")?.json()?,
            indexes,
            stream_view_type,
            ttl_attribute,
        })
    }
}
