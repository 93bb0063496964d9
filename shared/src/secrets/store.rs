//! AWS's two stores for secrets, and one secret read from them.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Value, json};

use crate::{
    aws::{
        self,
        call::{self, Service, ServiceError, Signer},
    },
    config::{ConfigError, Environment},
    https,
};

/// How long one attempt to read a secret may take.
const TRY: Duration = Duration::from_secs(2);

/// The largest answer read. A secret has 64 KiB at most.
const LARGEST_ANSWER: usize = 256 * 1024;

/// Where a deployed shop's secrets are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Parameter Store.
    ParameterStore,
    /// Secrets Manager.
    SecretsManager,
}

/// `SECRETS_STORE` does not name one of AWS's stores.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is neither ssm nor secretsmanager")]
pub struct NoStore(String);

impl Store {
    /// The store that `SECRETS_STORE` names, by AWS's own short names; Parameter Store if it is not
    /// set.
    pub fn named(name: Option<&str>) -> Result<Self, NoStore> {
        match name {
            None | Some("" | "ssm") => Ok(Self::ParameterStore),
            Some("secretsmanager") => Ok(Self::SecretsManager),
            Some(other) => Err(NoStore(other.to_owned())),
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::ParameterStore => "Parameter Store",
            Self::SecretsManager => "Secrets Manager",
        }
    }

    /// The AWS service behind it.
    pub fn service(self) -> Service {
        match self {
            Self::ParameterStore => Service::ParameterStore,
            Self::SecretsManager => Service::SecretsManager,
        }
    }

    /// The operation that reads a secret, and its input.
    pub fn question(self, name: &str) -> (&'static str, Value) {
        match self {
            Self::ParameterStore => (
                "AmazonSSM.GetParameter",
                json!({ "Name": name, "WithDecryption": true }),
            ),
            Self::SecretsManager => ("secretsmanager.GetSecretValue", json!({ "SecretId": name })),
        }
    }

    /// The secret in the answer.
    pub fn secret(self, answer: &Value) -> Option<&str> {
        let place = match self {
            Self::ParameterStore => "/Parameter/Value",
            Self::SecretsManager => "/SecretString",
        };
        answer.pointer(place)?.as_str()
    }

    /// Its error code for a secret that does not exist.
    pub fn not_found(self) -> &'static str {
        match self {
            Self::ParameterStore => "ParameterNotFound",
            Self::SecretsManager => "ResourceNotFoundException",
        }
    }
}

/// A secret in one of the stores.
pub(super) struct Kept {
    http: https::Client,
    pub(super) store: Store,
    endpoint: String,
    region: String,
    credentials: Credentials,
    pub(super) name: String,
}

/// Why a secret could not be read.
pub(super) enum Unread {
    /// The store does not have a secret by this name.
    Missing,
    Failed(String),
}

/// Whether it is worth asking again.
enum Unanswered {
    Now(String),
    Ever(Unread),
}

impl Unanswered {
    fn ever(why: impl ToString) -> Self {
        Self::Ever(Unread::Failed(why.to_string()))
    }
}

impl Kept {
    pub(super) fn new(environment: &Environment, name: &str) -> Result<Self, ConfigError> {
        let store = Store::named(environment.optional("SECRETS_STORE"));
        let store = store.map_err(|error| ConfigError::Wrong {
            name: "SECRETS_STORE",
            wrong: error.to_string(),
        })?;
        Ok(Self {
            http: environment.network().client()?,
            store,
            endpoint: aws::endpoint(environment, store.service())?,
            region: environment.required("AWS_REGION")?.to_owned(),
            credentials: aws::credentials(environment)?,
            name: name.to_owned(),
        })
    }

    /// Reads the secret.
    pub(super) async fn read(&self) -> Result<String, Unread> {
        let mut wait = Duration::from_millis(50);
        loop {
            let answer = tokio::time::timeout(TRY, self.ask()).await;
            match answer.unwrap_or_else(|_| Err(Unanswered::Now("no answer in time".into()))) {
                Ok(text) => return Ok(text),
                Err(Unanswered::Now(_)) if wait < Duration::from_secs(1) => {
                    // Parameter Store allows forty calls a second, so many functions that start at
                    // once have to retry.
                    tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                    wait = wait.saturating_mul(3);
                }
                Err(Unanswered::Now(why)) => return Err(Unread::Failed(why)),
                Err(Unanswered::Ever(why)) => return Err(why),
            }
        }
    }

    async fn ask(&self) -> Result<String, Unanswered> {
        let answer = self.http.request(self.request()?).await;
        let answer = answer.map_err(|_| Unanswered::Now("it cannot be reached".into()))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        let body = body.map_err(|_| Unanswered::Now("its answer breaks off".into()))?;
        let body = body.to_bytes();
        let status = head.status;
        if status.is_success() {
            let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
            let secret = self.store.secret(&answer).map(str::to_owned);
            return secret.ok_or_else(|| Unanswered::ever("it holds no text"));
        }
        let ServiceError { code, .. } = ServiceError::read(&head.headers, &body);
        let why = format!("{status} {code}");
        if status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS
            || code.starts_with("Throttling")
        {
            return Err(Unanswered::Now(why));
        }
        if code == self.store.not_found() {
            return Err(Unanswered::Ever(Unread::Missing));
        }
        Err(Unanswered::ever(why))
    }

    fn request(&self) -> Result<Request<Bytes>, Unanswered> {
        let (operation, question) = self.store.question(&self.name);
        let request = call::operation(&self.endpoint, operation, &question);
        let request = request.map_err(Unanswered::ever)?;
        let signer = Signer {
            service: self.store.service(),
            region: &self.region,
            credentials: &self.credentials,
            at: SystemTime::now(),
        };
        call::signed(request, signer).map_err(Unanswered::ever)
    }
}
