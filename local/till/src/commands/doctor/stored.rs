//! A secret, as far as it can be read from here.

use shared::config::Environment;

use crate::account::secrets::SecretStore;

pub(super) enum Stored {
    Value {
        text: String,
        /// Where, if it is not encrypted there.
        in_the_clear: Option<String>,
    },
    /// Where it should be.
    Missing(String),
    /// Why it cannot be read.
    Unknown(String),
}

impl Stored {
    /// From the environment itself, as on a laptop.
    pub(super) fn said(environment: &Environment, variable: &str) -> Self {
        match environment.optional(variable) {
            Some(text) => Self::Value {
                text: text.to_owned(),
                in_the_clear: None,
            },
            None => Self::Missing(variable.to_owned()),
        }
    }

    /// From where the environment says it is stored.
    pub(super) async fn read(
        environment: &Environment,
        store: &SecretStore,
        variable: &str,
    ) -> Self {
        let names = format!("{variable}_PARAMETER");
        match environment.optional(&names) {
            Some(name) => Self::named(name, store, variable).await,
            None => Self::Missing(names),
        }
    }

    /// From under this name.
    pub(super) async fn named(name: &str, store: &SecretStore, variable: &str) -> Self {
        let place = store.place(name);
        match store.read(name, variable).await {
            Ok(Some(held)) => Self::Value {
                in_the_clear: (!held.encrypted).then_some(place),
                text: held.text,
            },
            Ok(None) => Self::Missing(place),
            Err(error) => Self::Unknown(format!("{place} cannot be read: {error}")),
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Value { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    pub(super) fn list(&self) -> Vec<String> {
        let text = self.text().unwrap_or_default();
        text.split(',').map(|item| item.trim().to_owned()).collect()
    }

    /// Where everybody who may read there at all can read it.
    pub(super) fn is_in_the_clear(&self) -> Option<&str> {
        match self {
            Self::Value { in_the_clear, .. } => in_the_clear.as_deref(),
            _ => None,
        }
    }
}
