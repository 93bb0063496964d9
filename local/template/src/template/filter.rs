//! The filter of a stream mapping: a JSON pattern that a record must match.

use serde_json::Value;

/// A pattern such as `{"eventName": ["INSERT"]}`: every key must be there and match one of the
/// alternatives in its list.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPattern(Vec<(String, Rule)>);

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Nested(EventPattern),
    AnyOf(Vec<Alternative>),
}

#[derive(Debug, Clone, PartialEq)]
enum Alternative {
    Literal(Value),
    Prefix(String),
    Exists(bool),
    AnythingBut(Vec<Value>),
}

impl EventPattern {
    /// Reads the pattern; the error continues a sentence that begins with the property's name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let pattern: Value =
            serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
        Self::from_value(&pattern)
    }

    fn from_value(pattern: &Value) -> Result<Self, String> {
        let keys = pattern.as_object().ok_or("must be a JSON object")?;
        let rules: Result<Vec<_>, String> = keys
            .iter()
            .map(|(key, rule)| {
                let rule = match rule {
                    Value::Object(_) => Rule::Nested(Self::from_value(rule)?),
                    Value::Array(any) => Rule::AnyOf(
                        any.iter()
                            .map(Alternative::parse)
                            .collect::<Result<_, _>>()?,
                    ),
                    _ => return Err(format!("must have a list or an object at {key}")),
                };
                Ok((key.clone(), rule))
            })
            .collect();
        Ok(Self(rules?))
    }

    /// Whether the record fits.
    pub fn matches(&self, record: &Value) -> bool {
        self.0
            .iter()
            .all(|(key, rule)| match (rule, record.get(key)) {
                (Rule::Nested(pattern), Some(inner)) => pattern.matches(inner),
                (Rule::Nested(pattern), None) => pattern.matches(&Value::Null),
                (Rule::AnyOf(any), found) => any.iter().any(|alternative| alternative.fits(found)),
            })
    }
}

impl Alternative {
    fn parse(alternative: &Value) -> Result<Self, String> {
        let Value::Object(operator) = alternative else {
            return Ok(Self::Literal(alternative.clone()));
        };
        let known = match operator.iter().next() {
            Some((name, Value::String(prefix))) if name == "prefix" => {
                Some(Self::Prefix(prefix.clone()))
            }
            Some((name, Value::Bool(exists))) if name == "exists" => Some(Self::Exists(*exists)),
            Some((name, Value::Array(others))) if name == "anything-but" => {
                Some(Self::AnythingBut(others.clone()))
            }
            _ => None,
        };
        known.filter(|_| operator.len() == 1).ok_or_else(|| {
            format!(
                "has the operator {alternative}, which the local shop does not support: \
                 use prefix, exists or anything-but"
            )
        })
    }

    fn fits(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Self::Exists(wanted), found) => found.is_some() == *wanted,
            (_, None) => false,
            (Self::Literal(wanted), Some(found)) => wanted == found,
            (Self::Prefix(prefix), Some(found)) => {
                found.as_str().is_some_and(|text| text.starts_with(prefix))
            }
            (Self::AnythingBut(others), Some(found)) => !others.contains(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(pattern: &Value, record: &Value) -> bool {
        EventPattern::parse(&pattern.to_string())
            .unwrap()
            .matches(record)
    }

    #[test]
    fn every_key_must_fit_one_of_its_alternatives() {
        let insert = json!({"eventName": "INSERT", "dynamodb": {"Keys": {"id": {"S": "a#paid"}}}});
        for (pattern, expected) in [
            (json!({}), true),
            (json!({"eventName": ["INSERT"]}), true),
            (json!({"eventName": ["MODIFY", "INSERT"]}), true),
            (json!({"eventName": ["MODIFY"]}), false),
            (json!({"eventName": [{"anything-but": ["REMOVE"]}]}), true),
            (json!({"eventName": [{"anything-but": ["INSERT"]}]}), false),
            (
                json!({"dynamodb": {"Keys": {"id": {"S": [{"prefix": "a#"}]}}}}),
                true,
            ),
            (
                json!({"dynamodb": {"Keys": {"id": {"S": [{"prefix": "b#"}]}}}}),
                false,
            ),
            (
                json!({"dynamodb": {"NewImage": {"sent": [{"exists": false}]}}}),
                true,
            ),
            (
                json!({"dynamodb": {"NewImage": {"sent": [{"exists": true}]}}}),
                false,
            ),
            (
                json!({"eventName": ["INSERT"], "dynamodb": {"Keys": {"id": {"S": ["b"]}}}}),
                false,
            ),
        ] {
            assert_eq!(matches(&pattern, &insert), expected, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_be_understood_is_refused() {
        for pattern in ["", "[]", r#"{"a": 1}"#, r#"{"a": [{"numeric": ["=", 1]}]}"#] {
            assert!(EventPattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
