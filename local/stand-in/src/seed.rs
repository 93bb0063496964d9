//! What an account begins with: calls of the API, in the format of the Stripe CLI's fixtures, so that
//! the same file also runs with `stripe fixtures` against Stripe itself.
//!
//! ```json
//! { "fixtures": [
//!     { "name": "mug", "path": "/v1/products", "method": "post", "params": { "name": "Mug" } },
//!     { "name": "price", "path": "/v1/prices", "method": "post",
//!       "params": { "product": "${mug:id}", "unit_amount": 1500, "currency": "usd" } }
//! ] }
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use http::Method;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use crate::call::Call;
use crate::engine::transaction::Transaction;
use crate::wire::answer::Settings;
use crate::wire::params::Params;
use crate::wire::version::Version;

/// Calls that make an account's first objects, in their order.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Seed {
    fixtures: Vec<Fixture>,
}

/// One call.
#[derive(Debug, Clone, Deserialize)]
struct Fixture {
    /// What later calls know the answer by.
    name: String,
    path: String,
    method: String,
    #[serde(default)]
    params: Value,
}

/// Why an account cannot be seeded.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The file cannot be read.
    #[error("cannot read the seed {path}: {error}")]
    Unreadable {
        /// Where it should be.
        path: String,
        /// What is in the way.
        error: std::io::Error,
    },
    /// It is not a list of fixtures.
    #[error("the seed is not in the format of `stripe fixtures`: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The API refuses a call.
    #[error("the fixture \"{name}\" ({method} {path}) is refused: {message}")]
    Refused {
        /// The fixture's name.
        name: String,
        /// Its method.
        method: String,
        /// Its path, references filled in.
        path: String,
        /// What the API says.
        message: String,
    },
    /// The stand-in itself failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl Seed {
    /// Reads a file of fixtures.
    pub fn read(path: &Path) -> Result<Self, SeedError> {
        let json = std::fs::read_to_string(path).map_err(|error| SeedError::Unreadable {
            path: path.display().to_string(),
            error,
        })?;
        Self::parse(&json)
    }

    /// Reads fixtures.
    pub fn parse(json: &str) -> Result<Self, SeedError> {
        Ok(serde_json::from_str(json)?)
    }

    /// Makes the calls, all within this transaction.
    pub(crate) fn sow(
        &self,
        transaction: &Transaction<'_>,
        settings: &Arc<Settings>,
    ) -> Result<(), SeedError> {
        let mut answers = BTreeMap::new();
        for fixture in &self.fixtures {
            let answer = fixture.call(transaction, settings, &answers)?;
            answers.insert(fixture.name.as_str(), answer);
        }
        Ok(())
    }
}

impl Fixture {
    fn call(
        &self,
        transaction: &Transaction<'_>,
        settings: &Arc<Settings>,
        answers: &BTreeMap<&str, Value>,
    ) -> Result<Value, SeedError> {
        let path = fill_in(&self.path, answers);
        let refused = |message: String| SeedError::Refused {
            name: self.name.clone(),
            method: self.method.to_uppercase(),
            path: path.clone(),
            message,
        };
        let method = Method::from_bytes(self.method.to_uppercase().as_bytes())
            .map_err(|_| refused("there is no such method".to_owned()))?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        encode(&mut form, String::new(), &self.params, answers);
        let said = |body: &Value| {
            body.pointer("/error/message")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let params = Params::parse(form.finish().as_bytes())
            .map_err(|error| refused(said(&error.body())))?;
        let call = Call {
            method,
            path: path.clone(),
            version: Version::Any,
            publishable: false,
            params,
            idempotent: None,
            refusal: None,
            settings: Arc::clone(settings),
            host: None,
            upload: None,
        };
        let answer = call
            .perform(transaction)
            .map_err(|error| refused(said(&error.body())))?;
        let body: Value = serde_json::from_str(&answer.body)?;
        match answer.status.is_success() {
            true => Ok(body),
            false => Err(refused(said(&body))),
        }
    }
}

/// Adds a parameter and all that is in it to a form.
fn encode(
    form: &mut form_urlencoded::Serializer<'_, String>,
    name: String,
    value: &Value,
    answers: &BTreeMap<&str, Value>,
) {
    let within = |key: &str| match name.as_str() {
        "" => key.to_owned(),
        name => format!("{name}[{key}]"),
    };
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                encode(form, within(key), value, answers);
            }
        }
        Value::Array(elements) => {
            for (position, value) in elements.iter().enumerate() {
                encode(form, within(&position.to_string()), value, answers);
            }
        }
        Value::String(text) => {
            form.append_pair(&name, &fill_in(text, answers));
        }
        Value::Bool(_) | Value::Number(_) => {
            form.append_pair(&name, &value.to_string());
        }
    }
}

/// Puts values of earlier answers where a text refers to them: `${name:id}`, `${name:data.0.id}`.
/// What is not there is empty, as with the CLI.
fn fill_in(text: &str, answers: &BTreeMap<&str, Value>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once("${") {
        filled.push_str(before);
        let Some((reference, after)) = reference.split_once('}') else {
            rest = reference;
            continue;
        };
        rest = after;
        let (name, path) = reference.split_once(':').unwrap_or((reference, ""));
        let pointer = format!("/{}", path.replace('.', "/"));
        match answers
            .get(name)
            .and_then(|answer| answer.pointer(&pointer))
        {
            Some(Value::String(text)) => filled.push_str(text),
            Some(Value::Null) | None => {}
            Some(other) => filled.push_str(&other.to_string()),
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_lead_into_earlier_answers() {
        let answers = BTreeMap::from([("list", json!({ "data": [{ "id": "prod_1", "n": 5 }] }))]);
        let filled = |text| fill_in(text, &answers);
        assert_eq!(
            filled("/v1/products/${list:data.0.id}"),
            "/v1/products/prod_1"
        );
        assert_eq!(filled("${list:data.0.n} and ${list:data.1.n}."), "5 and .");
        assert_eq!(filled("${unknown:id}|plain"), "|plain");
    }
}
