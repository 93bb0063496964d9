//! Where a deployed shop's secrets are kept: Parameter Store or Secrets Manager, by name.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::aws_account::{AwsAccount, AwsError, Service};

/// One of AWS's two stores.
pub(crate) struct SecretStore {
    aws: AwsAccount,
    service: Service,
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
    pub(crate) fn new(aws: AwsAccount, named: Option<&str>) -> anyhow::Result<Self> {
        let service = match named {
            None | Some("" | "ssm") => Service::ParameterStore,
            Some("secretsmanager") => Service::SecretsManager,
            Some(other) => anyhow::bail!("{other:?} is neither ssm nor secretsmanager"),
        };
        Ok(Self { aws, service })
    }

    /// As a sentence says where the secret is.
    pub(crate) fn place(&self, name: &str) -> String {
        match self.service {
            Service::SecretsManager => format!("the secret {name} in Secrets Manager"),
            _ => format!("the parameter {name}"),
        }
    }

    /// What `name` holds for `variable`. `None`: there is no such name, or nothing in it.
    pub(crate) async fn read(&self, name: &str, variable: &str) -> Result<Option<Held>, AwsError> {
        let (operation, input) = match self.service {
            Service::SecretsManager => {
                ("secretsmanager.GetSecretValue", json!({ "SecretId": name }))
            }
            _ => (
                "AmazonSSM.GetParameter",
                json!({ "Name": name, "WithDecryption": true }),
            ),
        };
        let answer = match self.aws.ask(self.service, operation, &input).await {
            Ok(answer) => answer,
            Err(AwsError::Refused { code, .. })
                if code == "ParameterNotFound" || code == "ResourceNotFoundException" =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let text = ["/Parameter/Value", "/SecretString"];
        let text = text
            .iter()
            .find_map(|place| answer.pointer(place)?.as_str());
        let text = text.unwrap_or_default();
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

    /// Stores `text` under `name` for `variable`, encrypted, in place of `before`.
    pub(crate) async fn write(
        &self,
        name: &str,
        variable: &str,
        text: &str,
        before: Option<&Held>,
    ) -> Result<(), AwsError> {
        let Service::SecretsManager = self.service else {
            let input = json!({
                "Name": name, "Value": text, "Type": "SecureString", "Overwrite": true,
            });
            let operation = "AmazonSSM.PutParameter";
            return self
                .aws
                .ask(self.service, operation, &input)
                .await
                .map(drop);
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
        match self.aws.ask(self.service, put, &input).await {
            Err(AwsError::Refused { code, .. }) if code == "ResourceNotFoundException" => {
                let input =
                    json!({ "Name": name, "SecretString": text, "ClientRequestToken": token });
                let create = "secretsmanager.CreateSecret";
                self.aws.ask(self.service, create, &input).await.map(drop)
            }
            done => done.map(drop),
        }
    }
}
