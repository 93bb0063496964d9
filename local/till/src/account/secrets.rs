//! Where a deployed shop's secrets are kept: Parameter Store or Secrets Manager, by name.

use serde_json::{Map, Value, json};
use shared::config::Stack;
use shared::secrets::store::Store;
use uuid::Uuid;

use crate::account::aws::{AwsAccount, AwsError};
use crate::account::stripe::STACK_TAG;

/// One of AWS's two stores, as one stack uses it.
pub(crate) struct SecretStore {
    aws: AwsAccount,
    store: Store,
    stack: Stack,
}

/// Whose a secret is, by the tag that is written with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody says.
    Nobody,
    /// The stack's own.
    Us,
    /// That of the stack with this tag.
    Other(String),
}

/// What a name holds.
#[derive(Clone)]
pub(crate) struct Held {
    /// The secret.
    pub(crate) text: String,
    /// Whether it is encrypted at rest.
    pub(crate) encrypted: bool,
    /// Secrets Manager's console proposes key/value pairs; the secret is one of them.
    pairs: Option<Map<String, Value>>,
}

impl SecretStore {
    /// The one that `named` means, in the words of the functions' `SECRETS_STORE`.
    pub(crate) fn new(aws: AwsAccount, named: Option<&str>, stack: Stack) -> anyhow::Result<Self> {
        Ok(Self {
            aws,
            store: Store::named(named)?,
            stack,
        })
    }

    /// As a sentence says where the secret is.
    pub(crate) fn place(&self, name: &str) -> String {
        match self.store {
            Store::SecretsManager => format!("the secret {name} in Secrets Manager"),
            Store::ParameterStore => format!("the parameter {name}"),
        }
    }

    /// What `name` holds for `variable`. `None`: there is no such name, or nothing in it.
    pub(crate) async fn read(&self, name: &str, variable: &str) -> Result<Option<Held>, AwsError> {
        let (operation, input) = self.store.question(name);
        let answer = match self.ask(operation, &input).await {
            Ok(answer) => answer,
            Err(AwsError::Refused { code, .. }) if code == self.store.not_found() => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let text = self.store.secret(&answer).unwrap_or_default();
        let kind = answer.pointer("/Parameter/Type").and_then(Value::as_str);
        let pairs = match serde_json::from_str(text) {
            Ok(Value::Object(pairs)) => Some(pairs),
            _ => None,
        };
        let text = match &pairs {
            Some(pairs) => pairs
                .get(variable)
                .and_then(Value::as_str)
                .unwrap_or_default(),
            None => text,
        };
        let text = text.trim().to_owned();
        Ok((!text.is_empty()).then_some(Held {
            text,
            encrypted: matches!(kind, None | Some("SecureString")),
            pairs,
        }))
    }

    async fn ask(&self, operation: &str, input: &Value) -> Result<Value, AwsError> {
        let service = self.store.service();
        self.aws.ask(service, operation, input).await
    }

    /// Whose `name` is; nobody's if there is no such name.
    pub(crate) async fn owner(&self, name: &str) -> Result<Owner, AwsError> {
        let (operation, input, tags) = match self.store {
            Store::SecretsManager => (
                "secretsmanager.DescribeSecret",
                json!({ "SecretId": name }),
                "Tags",
            ),
            Store::ParameterStore => (
                "AmazonSSM.ListTagsForResource",
                json!({ "ResourceType": "Parameter", "ResourceId": name }),
                "TagList",
            ),
        };
        let answer = match self.ask(operation, &input).await {
            Ok(answer) => answer,
            Err(AwsError::Refused { code, .. })
                if code == "InvalidResourceId" || code == "ResourceNotFoundException" =>
            {
                return Ok(Owner::Nobody);
            }
            Err(error) => return Err(error),
        };
        let tags = answer.get(tags).and_then(Value::as_array);
        let tag = tags.into_iter().flatten().find_map(|tag| {
            let is_ours = tag.get("Key")?.as_str()? == STACK_TAG;
            tag.get("Value")?.as_str().filter(|_| is_ours)
        });
        Ok(match tag {
            None => Owner::Nobody,
            Some(tag) if self.stack.owns(tag) => Owner::Us,
            Some(tag) => Owner::Other(tag.to_owned()),
        })
    }

    /// Notes that `name` is the stack's own.
    pub(crate) async fn claim(&self, name: &str) -> Result<(), AwsError> {
        let tags = json!([{ "Key": STACK_TAG, "Value": self.stack.tag() }]);
        let (operation, input) = match self.store {
            Store::SecretsManager => (
                "secretsmanager.TagResource",
                json!({ "SecretId": name, "Tags": tags }),
            ),
            Store::ParameterStore => (
                "AmazonSSM.AddTagsToResource",
                json!({ "ResourceType": "Parameter", "ResourceId": name, "Tags": tags }),
            ),
        };
        self.ask(operation, &input).await.map(drop)
    }

    /// Stores `text` under `name` for `variable`, encrypted and as the stack's own, in place of
    /// `before`.
    pub(crate) async fn write(
        &self,
        name: &str,
        variable: &str,
        text: &str,
        before: Option<&Held>,
    ) -> Result<(), AwsError> {
        self.put(name, variable, text, before).await?;
        self.claim(name).await
    }

    async fn put(
        &self,
        name: &str,
        variable: &str,
        text: &str,
        before: Option<&Held>,
    ) -> Result<(), AwsError> {
        let Store::SecretsManager = self.store else {
            let input = json!({
                "Name": name, "Value": text, "Type": "SecureString", "Overwrite": true,
            });
            let operation = "AmazonSSM.PutParameter";
            return self.ask(operation, &input).await.map(drop);
        };
        let text = match before.and_then(|before| before.pairs.clone()) {
            Some(mut pairs) => {
                pairs.insert(variable.to_owned(), text.into());
                Value::Object(pairs).to_string()
            }
            None => text.to_owned(),
        };
        // The SDKs would make the token; it keeps a repeated request from being a second version.
        let token = Uuid::now_v7().to_string();
        let input = json!({ "SecretId": name, "SecretString": text, "ClientRequestToken": token });
        let put = "secretsmanager.PutSecretValue";
        match self.ask(put, &input).await {
            Err(AwsError::Refused { code, .. }) if code == "ResourceNotFoundException" => {
                let input =
                    json!({ "Name": name, "SecretString": text, "ClientRequestToken": token });
                let create = "secretsmanager.CreateSecret";
                self.ask(create, &input).await.map(drop)
            }
            done => done.map(drop),
        }
    }
}
