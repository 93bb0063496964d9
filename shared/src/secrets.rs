//! Secrets: Stripe's key and the webhook's signing secrets, kept in Parameter Store or Secrets
//! Manager, so that neither the template nor a function's environment shows them.
//!
//! They are read once, at start, and again when somebody does not accept them: Stripe answers
//! 401, or a signature fails. So a rotated secret needs no deployment. Anybody can make a
//! signature fail, so this happens once a minute at most, and requests that fail together share
//! one reading. Requests that go well never wait for it.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    config::{ConfigError, Environment},
    https,
};

/// How often a secret is read again at most.
const AGAIN: Duration = Duration::from_secs(60);

/// How long one try to read it may take, and all of them together.
const TRY: Duration = Duration::from_secs(2);
const READING: Duration = Duration::from_secs(4);

/// The largest answer read. A secret has 64 KiB at most.
const LARGEST_ANSWER: usize = 256 * 1024;

/// A secret as it was last read. Cheap to clone; clones share what was read.
pub struct Secret<T>(Arc<Shared<T>>);

/// What a text means as a secret, or why it cannot be the right one.
type Understand<T> = dyn Fn(&str) -> Result<T, ConfigError> + Send + Sync;

struct Shared<T> {
    origin: Origin,
    understand: Box<Understand<T>>,
    current: RwLock<Arc<T>>,
    read_again: Mutex<Option<Instant>>,
}

impl<T> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}, …)", self.0.origin.variable)
    }
}

impl<T> Secret<T> {
    /// Reads the secret of the variable: its value, or else what the variable with `_PARAMETER`
    /// at its end names in the store.
    pub(crate) async fn read(
        environment: &Environment,
        variable: &'static str,
        understand: impl Fn(&str) -> Result<T, ConfigError> + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        let origin = Origin::new(environment, variable)?;
        let first = understand(&origin.text().await?)?;
        Ok(Self(Arc::new(Shared {
            origin,
            understand: Box::new(understand),
            current: RwLock::new(Arc::new(first)),
            read_again: Mutex::new(None),
        })))
    }

    /// The secret as last read.
    pub fn current(&self) -> Arc<T> {
        let current = self.0.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    /// What to try instead of the secret that was just not accepted: what was read meanwhile, or
    /// is read now. Nothing if that is not due, or fails; then the secret stays as it was.
    pub async fn instead_of(&self, refused: &Arc<T>) -> Option<Arc<T>> {
        let Shared {
            origin,
            understand,
            current,
            read_again,
        } = &*self.0;
        if let Place::Environment(_) = origin.place {
            return None;
        }
        let mut read_again = read_again.lock().await;
        let meanwhile = self.current();
        if !Arc::ptr_eq(&meanwhile, refused) {
            return Some(meanwhile);
        }
        if read_again.is_some_and(|last| last.elapsed() < AGAIN) {
            return None;
        }
        // Before the reading, which the caller may break off.
        *read_again = Some(Instant::now());
        let variable = origin.variable;
        match origin.text().await.and_then(|text| understand(&text)) {
            Ok(fresh) => {
                tracing::info!(variable, "a secret was not accepted and is read again");
                let fresh = Arc::new(fresh);
                *current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
                Some(fresh)
            }
            Err(error) => {
                tracing::error!(variable, %error, "a secret cannot be read again; the old one stays");
                None
            }
        }
    }
}

/// Where a secret comes from.
struct Origin {
    variable: &'static str,
    place: Place,
}

enum Place {
    /// The environment itself, as on a laptop. It never changes.
    Environment(String),
    Store(Box<Kept>),
}

impl Origin {
    fn new(environment: &Environment, variable: &'static str) -> Result<Self, ConfigError> {
        let place = match environment.optional(variable) {
            Some(value) => Place::Environment(value.to_owned()),
            None => {
                let name = environment
                    .optional(&format!("{variable}_PARAMETER"))
                    .ok_or_else(|| ConfigError::Wrong {
                        name: variable,
                        wrong: format!("neither it nor {variable}_PARAMETER is set"),
                    })?;
                Place::Store(Box::new(Kept::new(environment, name)?))
            }
        };
        Ok(Self { variable, place })
    }

    async fn text(&self) -> Result<String, ConfigError> {
        let kept = match &self.place {
            Place::Environment(value) => return Ok(value.clone()),
            Place::Store(kept) => kept,
        };
        let text = tokio::time::timeout(READING, kept.read()).await;
        let text = text.unwrap_or_else(|_| Err(Unread::Failed("no answer in time".into())));
        let text = text.and_then(|text| member(text, self.variable).map_err(Unread::Failed));
        let (variable, store, name) = (self.variable, kept.store.title(), kept.name.clone());
        text.map_err(|unread| match unread {
            Unread::Missing => ConfigError::NoSecret {
                variable,
                name,
                store,
            },
            Unread::Failed(why) => ConfigError::Secret {
                variable,
                name,
                store,
                why,
            },
        })
    }
}

/// The text; or, if Secrets Manager keeps key/value pairs (its console's proposal), the pair with
/// the variable's name.
fn member(text: String, variable: &str) -> Result<String, String> {
    let text = match serde_json::from_str(&text) {
        Ok(Value::Object(mut pairs)) => match pairs.remove(variable) {
            Some(Value::String(value)) => value,
            _ => return Err(format!("it has key/value pairs, but none named {variable}")),
        },
        _ => text,
    };
    match text.trim() {
        "" => Err("it is empty".into()),
        text => Ok(text.to_owned()),
    }
}

/// AWS's two stores for secrets.
#[derive(Clone, Copy)]
enum Store {
    ParameterStore,
    SecretsManager,
}

impl Store {
    /// `SECRETS_STORE`, with AWS's own short names.
    fn of(environment: &Environment) -> Result<Self, ConfigError> {
        match environment.optional("SECRETS_STORE") {
            None | Some("ssm") => Ok(Self::ParameterStore),
            Some("secretsmanager") => Ok(Self::SecretsManager),
            Some(other) => Err(ConfigError::Wrong {
                name: "SECRETS_STORE",
                wrong: format!("{other:?} is neither ssm nor secretsmanager"),
            }),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::ParameterStore => "Parameter Store",
            Self::SecretsManager => "Secrets Manager",
        }
    }

    /// As it is called in signatures and host names.
    fn service(self) -> &'static str {
        match self {
            Self::ParameterStore => "ssm",
            Self::SecretsManager => "secretsmanager",
        }
    }

    fn endpoint_variable(self) -> &'static str {
        match self {
            Self::ParameterStore => "AWS_ENDPOINT_URL_SSM",
            Self::SecretsManager => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        }
    }

    /// The operation that reads a secret, and what it is told.
    fn question(self, name: &str) -> (&'static str, Value) {
        match self {
            Self::ParameterStore => (
                "AmazonSSM.GetParameter",
                json!({ "Name": name, "WithDecryption": true }),
            ),
            Self::SecretsManager => ("secretsmanager.GetSecretValue", json!({ "SecretId": name })),
        }
    }

    /// Its code for a secret that is not there.
    fn not_found(self) -> &'static str {
        match self {
            Self::ParameterStore => "ParameterNotFound",
            Self::SecretsManager => "ResourceNotFoundException",
        }
    }

    /// Where its answer has the secret.
    fn secret(self) -> &'static str {
        match self {
            Self::ParameterStore => "/Parameter/Value",
            Self::SecretsManager => "/SecretString",
        }
    }
}

/// A secret in one of the stores.
struct Kept {
    http: https::Client<Full<Bytes>>,
    store: Store,
    endpoint: String,
    region: String,
    credentials: Credentials,
    name: String,
}

/// Why there is no text.
enum Unread {
    /// The store has no secret of this name.
    Missing,
    Failed(String),
}

/// Whether it is worth asking again.
enum Unanswered {
    Now(String),
    Ever(Unread),
}

impl Unanswered {
    fn ever(why: impl Into<String>) -> Self {
        Self::Ever(Unread::Failed(why.into()))
    }
}

impl Kept {
    fn new(environment: &Environment, name: &str) -> Result<Self, ConfigError> {
        let store = Store::of(environment)?;
        let region = environment.required("AWS_REGION")?;
        let endpoint = environment
            .optional(store.endpoint_variable())
            .or(environment.optional("AWS_ENDPOINT_URL"))
            .map_or_else(
                || format!("https://{}.{region}.{}", store.service(), domain(region)),
                |url| url.trim_end_matches('/').to_owned(),
            );
        Ok(Self {
            http: https::client()?,
            store,
            endpoint,
            region: region.to_owned(),
            credentials: environment.credentials()?,
            name: name.to_owned(),
        })
    }

    /// The secret, or why there is none.
    async fn read(&self) -> Result<String, Unread> {
        let mut wait = Duration::from_millis(50);
        loop {
            let answer = tokio::time::timeout(TRY, self.ask()).await;
            match answer.unwrap_or_else(|_| Err(Unanswered::Now("no answer in time".into()))) {
                Ok(text) => return Ok(text),
                Err(Unanswered::Now(_)) if wait < Duration::from_secs(1) => {
                    // Parameter Store takes forty calls a second: many functions that start at
                    // once have to come back.
                    tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                    wait = wait.saturating_mul(3);
                }
                Err(Unanswered::Now(why)) => return Err(Unread::Failed(why)),
                Err(Unanswered::Ever(why)) => return Err(why),
            }
        }
    }

    async fn ask(&self) -> Result<String, Unanswered> {
        let request = self.request().map_err(Unanswered::ever)?;
        let answer = self.http.request(request).await;
        let answer = answer.map_err(|_| Unanswered::Now("out of reach".into()))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER)
            .collect()
            .await;
        let body = body.map_err(|_| Unanswered::Now("its answer breaks off".into()))?;
        let body: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
        if status.is_success() {
            let secret = body.pointer(self.store.secret()).and_then(Value::as_str);
            return secret
                .map(str::to_owned)
                .ok_or_else(|| Unanswered::ever("it holds no text"));
        }
        let Refusal { kind } = Refusal::deserialize(&body).unwrap_or_default();
        // `com.amazonaws.ssm#ParameterNotFound`, or without what is before the `#`.
        let code = kind.rsplit('#').next().unwrap_or_default();
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

    fn request(&self) -> Result<Request<Full<Bytes>>, String> {
        let (target, question) = self.store.question(&self.name);
        let body = Bytes::from(question.to_string());
        let uri = format!("{}/", self.endpoint);
        let mut request = Request::post(&uri)
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .body(Full::new(body.clone()))
            .map_err(|error| error.to_string())?;
        let identity = self.credentials.clone().into();
        let signing = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.store.service())
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let headers = request.headers().iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new("POST", &uri, headers, SignableBody::Bytes(&body))
            .map_err(|error| error.to_string())?;
        let signed = sign(signable, &signing).map_err(|error| error.to_string())?;
        let (instructions, _) = signed.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

/// What AWS says when it does not answer.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default, rename = "__type")]
    kind: String,
}

/// AWS's domain in a region; elsewhere than here the endpoint's variable says it.
fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else if region.starts_with("eusc-") {
        "amazonaws.eu"
    } else {
        "amazonaws.com"
    }
}
