//! The template's text as one JSON tree, and CloudFormation's intrinsic functions in it.
//!
//! Both spellings of a function, `!Ref Name` and `Ref: Name`, become the long one when the text is
//! read; they are resolved where a value is looked at, so that what the local shop never looks at
//! may use whatever CloudFormation offers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use serde_norway::Value as Yaml;

use super::error::{Result, TemplateError};

/// The AWS account, region and stack that a shop on a laptop pretends to live in.
const ACCOUNT: &str = "000000000000";
const REGION: &str = "us-east-1";
const STACK: &str = "till";

/// How deep conditions may be nested, within each other and by name: each step takes some of the stack, and a circle of
/// them all of it.
const DEEPEST_CONDITION: usize = 100;

/// Values for the template's parameters; the others keep their defaults.
pub type Parameters = BTreeMap<String, String>;

/// Why an intrinsic function has no value here; continues a sentence that begins with the
/// property's name.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unresolved {
    #[error("needs the parameter {0}, which has no default and no value here")]
    NotGiven(String),
    #[error("refers to {0}, which the template does not define")]
    Dangling(String),
    #[error(
        "needs the condition {0}, which depends on itself or is more than {DEEPEST_CONDITION} steps deep"
    )]
    Endless(String),
    #[error("uses {0}, which the local shop does not evaluate")]
    Unknown(String),
    #[error("uses {0} with arguments of the wrong number or kind")]
    Malformed(String),
}

pub(super) struct Document {
    file: String,
    tree: Value,
    parameters: Parameters,
}

impl Document {
    pub(super) fn parse(file: &str, text: &str, parameters: &Parameters) -> Result<Self> {
        let error = |problem| TemplateError::new(file, problem);
        let yaml: Yaml = serde_norway::from_str(text).map_err(|e| error(e.to_string()))?;
        let tree = from_yaml(yaml).map_err(error)?;
        Ok(Self {
            file: file.to_owned(),
            tree,
            parameters: parameters.clone(),
        })
    }

    pub(super) fn tree(&self) -> &Value {
        &self.tree
    }

    pub(super) fn error(&self, problem: String) -> TemplateError {
        TemplateError::new(&self.file, problem)
    }

    /// The value itself if it is plain, else what its function yields; nothing for
    /// `AWS::NoValue`. Values inside it are left as they are.
    pub(super) fn resolve(&self, value: &Value) -> std::result::Result<Option<Value>, Unresolved> {
        let Some((function, argument)) = as_function(value) else {
            return Ok(Some(value.clone()));
        };
        let malformed = || Unresolved::Malformed(function.to_owned());
        let list = || argument.as_array().ok_or_else(malformed);
        match function {
            "Ref" => self.reference(argument.as_str().ok_or_else(malformed)?),
            "Fn::Sub" => self.substitute(argument).map(|text| Some(text.into())),
            "Fn::GetAtt" => {
                let (resource, attribute) = match argument {
                    Value::String(path) => path.split_once('.').ok_or_else(malformed)?,
                    Value::Array(_) => match list()?.as_slice() {
                        [Value::String(resource), Value::String(attribute)] => {
                            (&**resource, &**attribute)
                        }
                        _ => return Err(malformed()),
                    },
                    _ => return Err(malformed()),
                };
                self.attribute(resource, attribute)
                    .map(|text| Some(text.into()))
            }
            "Fn::If" => match list()?.as_slice() {
                [Value::String(condition), then, otherwise] => {
                    self.resolve(if self.condition(condition)? {
                        then
                    } else {
                        otherwise
                    })
                }
                _ => Err(malformed()),
            },
            "Fn::Join" => match list()?.as_slice() {
                [Value::String(separator), Value::Array(parts)] => {
                    let parts: std::result::Result<Vec<_>, _> =
                        parts.iter().map(|part| self.text(part, function)).collect();
                    Ok(Some(parts?.join(separator).into()))
                }
                _ => Err(malformed()),
            },
            "Fn::Select" => match list()?.as_slice() {
                [index, items] => {
                    let index = self.text(index, function)?.parse().ok();
                    let items = self.resolve(items)?;
                    let items = items.as_ref().and_then(Value::as_array);
                    let items = items.ok_or_else(malformed)?;
                    let item = index.and_then(|index: usize| items.get(index));
                    self.resolve(item.ok_or_else(malformed)?)
                }
                _ => Err(malformed()),
            },
            "Fn::Split" => match list()?.as_slice() {
                [Value::String(separator), text] => {
                    let text = self.text(text, function)?;
                    let parts = text.split(separator.as_str());
                    Ok(Some(parts.map(Value::from).collect()))
                }
                _ => Err(malformed()),
            },
            other => Err(Unresolved::Unknown(other.to_owned())),
        }
    }

    fn reference(&self, name: &str) -> std::result::Result<Option<Value>, Unresolved> {
        let text = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::StackName" => STACK.to_owned(),
            "AWS::StackId" => {
                format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/local")
            }
            "AWS::Region" => REGION.to_owned(),
            "AWS::AccountId" => ACCOUNT.to_owned(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            _ => {
                if let Some(given) = self.parameters.get(name) {
                    given.clone()
                } else if let Some(parameter) = self.lookup(&["Parameters", name]) {
                    let default = parameter.get("Default").and_then(scalar);
                    default.ok_or_else(|| Unresolved::NotGiven(name.to_owned()))?
                } else if self.is_resource(name) {
                    // As with `sam local`: a resource's physical name is its logical id.
                    name.to_owned()
                } else {
                    return Err(Unresolved::Dangling(name.to_owned()));
                }
            }
        };
        Ok(Some(text.into()))
    }

    fn attribute(
        &self,
        resource: &str,
        attribute: &str,
    ) -> std::result::Result<String, Unresolved> {
        let kind = self
            .lookup(&["Resources", resource, "Type"])
            .and_then(Value::as_str);
        match (kind, attribute) {
            (Some("AWS::DynamoDB::Table"), "Arn") => Ok(format!(
                "arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{resource}"
            )),
            (Some("AWS::DynamoDB::Table"), "StreamArn") => Ok(format!(
                "arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{resource}/stream/local"
            )),
            // Nothing else has an address on a laptop: any name that is unique will do.
            _ if self.is_resource(resource) => Ok(format!("{resource}.{attribute}")),
            _ => Err(Unresolved::Dangling(resource.to_owned())),
        }
    }

    /// SAM adds the implicit HTTP API itself.
    fn is_resource(&self, name: &str) -> bool {
        name == "ServerlessHttpApi" || self.lookup(&["Resources", name]).is_some()
    }

    /// `${Name}`, `${Resource.Attribute}`, and `${!literal}`.
    fn substitute(&self, argument: &Value) -> std::result::Result<String, Unresolved> {
        let malformed = || Unresolved::Malformed("Fn::Sub".to_owned());
        let empty = Map::new();
        let (pattern, own) = match argument {
            Value::String(pattern) => (pattern, &empty),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(pattern), Value::Object(own)] => (pattern, own),
                _ => return Err(malformed()),
            },
            _ => return Err(malformed()),
        };
        let mut text = String::new();
        let mut rest = pattern.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(malformed)?;
            text.push_str(before);
            if let Some(literal) = name.strip_prefix('!') {
                text.push_str(&format!("${{{literal}}}"));
            } else if let Some(value) = own.get(name) {
                text.push_str(&self.text(value, "Fn::Sub")?);
            } else if let Some((resource, attribute)) = name.split_once('.') {
                text.push_str(&self.attribute(resource, attribute)?);
            } else {
                text.push_str(&self.text(&json!({ "Ref": name }), "Fn::Sub")?);
            }
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }

    /// Whether the condition of this name holds.
    pub(super) fn condition(&self, name: &str) -> std::result::Result<bool, Unresolved> {
        self.decide(name, 0)
    }

    /// The same for a condition that is needed at this depth.
    fn decide(&self, name: &str, depth: usize) -> std::result::Result<bool, Unresolved> {
        if depth > DEEPEST_CONDITION {
            return Err(Unresolved::Endless(name.to_owned()));
        }
        let condition = self.lookup(&["Conditions", name]);
        let condition = condition.ok_or_else(|| Unresolved::Dangling(name.to_owned()))?;
        self.holds(condition, depth)
    }

    fn holds(&self, condition: &Value, depth: usize) -> std::result::Result<bool, Unresolved> {
        let Some((function, argument)) = as_function(condition) else {
            return Err(Unresolved::Malformed("a condition".to_owned()));
        };
        let malformed = || Unresolved::Malformed(function.to_owned());
        let depth = depth.saturating_add(1);
        let list = argument.as_array().map(Vec::as_slice);
        match (function, list) {
            ("Fn::Equals", Some([left, right])) => {
                Ok(self.text(left, function)? == self.text(right, function)?)
            }
            ("Fn::Not", Some([inner])) => Ok(!self.holds(inner, depth)?),
            ("Fn::And", Some(all)) => {
                all.iter().try_fold(
                    true,
                    |so_far, inner| Ok(so_far && self.holds(inner, depth)?),
                )
            }
            ("Fn::Or", Some(any)) => any.iter().try_fold(false, |so_far, inner| {
                Ok(so_far || self.holds(inner, depth)?)
            }),
            ("Condition", None) => self.decide(argument.as_str().ok_or_else(malformed)?, depth),
            ("Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" | "Condition", _) => Err(malformed()),
            (other, _) => Err(Unresolved::Unknown(other.to_owned())),
        }
    }

    fn text(&self, value: &Value, function: &str) -> std::result::Result<String, Unresolved> {
        let resolved = self.resolve(value)?;
        resolved
            .as_ref()
            .and_then(scalar)
            .ok_or_else(|| Unresolved::Malformed(function.to_owned()))
    }

    fn lookup(&self, path: &[&str]) -> Option<&Value> {
        path.iter()
            .try_fold(&self.tree, |value, name| value.get(name))
    }
}

/// `{"Fn::Sub": …}` and its like: an object whose one key names a function.
fn as_function(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let (name, argument) = object.iter().next()?;
    (name == "Ref" || name == "Condition" || name.starts_with("Fn::"))
        .then_some((name.as_str(), argument))
}

/// A text, or a number or flag written without quotes.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// YAML to JSON, with `!Sub x` spelt `{"Fn::Sub": x}`.
fn from_yaml(yaml: Yaml) -> std::result::Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => flag.into(),
        Yaml::Number(number) => serde_json::to_value(number).map_err(|error| error.to_string())?,
        Yaml::String(text) => text.into(),
        Yaml::Sequence(items) => Value::Array(
            items
                .into_iter()
                .map(from_yaml)
                .collect::<std::result::Result<_, _>>()?,
        ),
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = scalar(&from_yaml(key)?).ok_or("a property's name must be text")?;
                object.insert(key, from_yaml(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let function = match tag.trim_start_matches('!') {
                plain @ ("Ref" | "Condition") => plain.to_owned(),
                name => format!("Fn::{name}"),
            };
            json!({ function: from_yaml(tagged.value)? })
        }
    })
}
