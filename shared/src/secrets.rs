//! Secrets: Stripe's key and the webhook's signing secrets, kept in Parameter Store or Secrets
//! Manager, so that neither the template nor a function's environment shows them.
//!
//! They are read once, by the first who needs them, and again when they are rejected: when Stripe
//! answers 401, or a signature fails. So a rotated secret needs no deployment. Anybody can make a signature fail, so
//! this happens once a minute at most, and requests that fail together share one read. Requests
//! that succeed never wait for it.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};

use self::store::{Kept, Unread};
use crate::config::{ConfigError, Environment};

pub mod store;

/// The least time between two reads of a secret.
const AGAIN: Duration = Duration::from_secs(60);

/// How long a read may take, including retries.
const READING: Duration = Duration::from_secs(4);

/// A secret, read when it is first needed. Cheap to clone; clones share what was read.
pub struct Secret<T>(Arc<Named<T>>);

/// Parses a secret's text, or says why it cannot be right.
type Understand<T> = dyn Fn(&str) -> Result<T, ConfigError> + Send + Sync;

struct Named<T> {
    variable: &'static str,
    held: Held<T>,
}

enum Held<T> {
    /// The environment itself has it, so it never changes.
    Given(Arc<T>),
    InStore(Box<Source<T>>),
}

/// The store that a secret comes from, and the secret as last read.
struct Source<T> {
    kept: Kept,
    understand: Box<Understand<T>>,
    current: RwLock<Option<Arc<T>>>,
    /// Held while it is read; when it was last read again.
    read_again: Mutex<Option<Instant>>,
}

impl<T> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}, …)", self.0.variable)
    }
}

impl<T> Secret<T> {
    /// The secret of a variable: its value or, if it is not set, the secret in the store named by
    /// the variable that ends with `_PARAMETER`.
    pub(crate) fn of(
        environment: &Environment,
        variable: &'static str,
        understand: impl Fn(&str) -> Result<T, ConfigError> + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        if let Some(value) = environment.optional(variable) {
            return Ok(Self::given(variable, understand(value)?));
        }
        let name = environment.optional(&format!("{variable}_PARAMETER"));
        let name = name.ok_or_else(|| ConfigError::Wrong {
            name: variable,
            wrong: format!("neither it nor {variable}_PARAMETER is set"),
        })?;
        let source = Source {
            kept: Kept::new(environment, name)?,
            understand: Box::new(understand),
            current: RwLock::default(),
            read_again: Mutex::new(None),
        };
        Ok(Self::held(variable, Held::InStore(Box::new(source))))
    }

    /// A secret that never changes.
    pub fn given(variable: &'static str, value: T) -> Self {
        Self::held(variable, Held::Given(Arc::new(value)))
    }

    fn held(variable: &'static str, held: Held<T>) -> Self {
        Self(Arc::new(Named { variable, held }))
    }

    /// The secret as last read; the first who needs it reads it.
    pub async fn current(&self) -> Result<Arc<T>, ConfigError> {
        let source = match &self.0.held {
            Held::Given(value) => return Ok(Arc::clone(value)),
            Held::InStore(source) => source,
        };
        if let Some(current) = source.current() {
            return Ok(current);
        }
        let _reading = source.read_again.lock().await;
        match source.current() {
            Some(meanwhile) => Ok(meanwhile),
            None => source.read(self.0.variable).await,
        }
    }

    /// What to try instead of a secret that was just rejected: what was read meanwhile, or is read
    /// now. `None` if no read is due, or it fails; then the secret stays as it was.
    pub async fn instead_of(&self, refused: &Arc<T>) -> Option<Arc<T>> {
        let variable = self.0.variable;
        let Held::InStore(source) = &self.0.held else {
            return None;
        };
        let mut read_again = source.read_again.lock().await;
        let meanwhile = source.current()?;
        if !Arc::ptr_eq(&meanwhile, refused) {
            return Some(meanwhile);
        }
        if read_again.is_some_and(|last| last.elapsed() < AGAIN) {
            return None;
        }
        // Set before reading, which the caller may break off.
        *read_again = Some(Instant::now());
        match source.read(variable).await {
            Ok(fresh) => {
                tracing::info!(variable, "a secret was rejected, so it was read again");
                Some(fresh)
            }
            Err(error) => {
                tracing::error!(
                    variable,
                    %error,
                    "a secret could not be read again; the old one is kept"
                );
                None
            }
        }
    }
}

impl<T> Source<T> {
    fn current(&self) -> Option<Arc<T>> {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read(&self, variable: &'static str) -> Result<Arc<T>, ConfigError> {
        let text = tokio::time::timeout(READING, self.kept.read()).await;
        let text = text.unwrap_or_else(|_| Err(Unread::Failed("no answer in time".into())));
        let text = text.and_then(|text| member(text, variable).map_err(Unread::Failed));
        let (store, name) = (self.kept.store.title(), self.kept.name.clone());
        let text = text.map_err(|unread| match unread {
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
        });
        let read = Arc::new((self.understand)(&text?)?);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::clone(&read));
        Ok(read)
    }
}

/// The text or, if it is key/value pairs, which is what the console of Secrets Manager suggests,
/// the value under the variable's name.
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
