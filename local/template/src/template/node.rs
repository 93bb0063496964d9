//! A place in the template: its value with intrinsic functions resolved, and the path that errors
//! name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::{Result, TemplateError};
use super::intrinsics::{Document, Unresolved, scalar};

pub(super) struct Node<'d> {
    document: &'d Document,
    path: String,
    value: Value,
}

impl<'d> Node<'d> {
    /// The whole template.
    pub(super) fn root(document: &'d Document) -> Self {
        Self::new(document, String::new(), document.tree().clone())
    }

    fn new(document: &'d Document, path: String, value: Value) -> Self {
        Self {
            document,
            path,
            value,
        }
    }

    /// The property `name`, which must be there.
    pub(super) fn get(&self, name: &str) -> Result<Node<'d>> {
        self.find(name)?
            .ok_or_else(|| self.error(&self.child_path(name), "is missing"))
    }

    /// The property `name`, if it is there. `!Ref AWS::NoValue` is not.
    pub(super) fn find(&self, name: &str) -> Result<Option<Node<'d>>> {
        let Value::Object(properties) = &self.value else {
            return Err(self.problem(&format!(
                "is {}, not a mapping of properties",
                kind(&self.value)
            )));
        };
        match properties.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => self.child(name, value),
        }
    }

    /// Whether this resource's own `Condition` holds, if it has one.
    pub(super) fn is_included(&self) -> Result<bool> {
        let Some(condition) = self.find("Condition")? else {
            return Ok(true);
        };
        self.document
            .condition(&condition.text()?)
            .map_err(|why| condition.problem(&why.to_string()))
    }

    /// The property at the end of `names`, if all of them are there.
    pub(super) fn descend(&self, names: &[&str]) -> Result<Option<Node<'d>>> {
        let Some((first, rest)) = names.split_first() else {
            return Ok(None);
        };
        let found = self.find(first)?;
        match found {
            Some(found) if !rest.is_empty() => found.descend(rest),
            found => Ok(found),
        }
    }

    pub(super) fn entries(&self) -> Result<Vec<(String, Node<'d>)>> {
        let Value::Object(properties) = &self.value else {
            return Err(self.problem(&format!(
                "is {}, not a mapping of properties",
                kind(&self.value)
            )));
        };
        let mut entries = Vec::new();
        for (name, value) in properties {
            if let Some(node) = self.child(name, value)? {
                entries.push((name.clone(), node));
            }
        }
        Ok(entries)
    }

    pub(super) fn items(&self) -> Result<Vec<Node<'d>>> {
        let Value::Array(items) = &self.value else {
            return Err(self.problem(&format!("is {}, not a list", kind(&self.value))));
        };
        let mut nodes = Vec::new();
        for (index, value) in items.iter().enumerate() {
            nodes.extend(self.child(&index.to_string(), value)?);
        }
        Ok(nodes)
    }

    pub(super) fn text(&self) -> Result<String> {
        scalar(&self.value)
            .ok_or_else(|| self.problem(&format!("is {}, not text", kind(&self.value))))
    }

    pub(super) fn texts(&self) -> Result<Vec<String>> {
        self.items()?.iter().map(Node::text).collect()
    }

    /// Names and texts; `None` where a parameter that has no value decides.
    pub(super) fn texts_where_given(&self) -> Result<BTreeMap<String, Option<String>>> {
        let Value::Object(properties) = &self.value else {
            return Err(self.problem(&format!(
                "is {}, not a mapping of properties",
                kind(&self.value)
            )));
        };
        let mut texts = BTreeMap::new();
        for (name, value) in properties {
            let path = self.child_path(name);
            let text = match self.document.resolve(value) {
                Ok(None) => continue,
                Ok(Some(value)) => Some(Node::new(self.document, path, value).text()?),
                Err(Unresolved::NotGiven(_)) => None,
                Err(unresolved) => return Err(self.error(&path, &unresolved.to_string())),
            };
            texts.insert(name.clone(), text);
        }
        Ok(texts)
    }

    pub(super) fn number(&self) -> Result<u64> {
        self.text()?
            .parse()
            .map_err(|_| self.problem("must be a whole number"))
    }

    pub(super) fn flag(&self) -> Result<bool> {
        match self.text()?.as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.problem("must be true or false")),
        }
    }

    /// The value with everything below it resolved.
    pub(super) fn json(&self) -> Result<Value> {
        match &self.value {
            Value::Object(_) => {
                let entries = self.entries()?;
                entries
                    .into_iter()
                    .map(|(name, node)| Ok((name, node.json()?)))
                    .collect()
            }
            Value::Array(_) => self.items()?.iter().map(Node::json).collect(),
            scalar => Ok(scalar.clone()),
        }
    }

    pub(super) fn problem(&self, problem: &str) -> TemplateError {
        self.error(&self.path, problem)
    }

    fn error(&self, path: &str, problem: &str) -> TemplateError {
        let path = if path.is_empty() {
            "the template"
        } else {
            path
        };
        self.document.error(format!("{path} {problem}"))
    }

    fn child(&self, name: &str, value: &Value) -> Result<Option<Node<'d>>> {
        let path = self.child_path(name);
        match self.document.resolve(value) {
            Ok(value) => Ok(value.map(|value| Node::new(self.document, path, value))),
            Err(unresolved) => Err(self.error(&path, &unresolved.to_string())),
        }
    }

    fn child_path(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a set of properties",
    }
}
