//! Functions, and what each reads from its environment.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::Result;
use super::node::Node;

/// A Lambda function.
#[derive(Debug)]
pub struct Function {
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Its memory in MB, as its context shows it.
    pub memory: u32,
    /// The environment it declares. `None`: a parameter that has no default and was not given, so
    /// that whoever starts the function must give a value.
    pub environment: BTreeMap<String, Option<String>>,
}

impl Function {
    pub(super) fn read(globals: Option<&Node<'_>>, properties: &Node<'_>) -> Result<Self> {
        let mut environment = BTreeMap::new();
        for owner in globals.into_iter().chain([properties]) {
            if let Some(variables) = owner.descend(&["Environment", "Variables"])? {
                environment.extend(variables.texts_where_given()?);
            }
        }
        let setting = |name, default| match (properties.find(name)?, globals) {
            (Some(own), _) => own.number(),
            (None, Some(globals)) => globals
                .find(name)?
                .map_or(Ok(default), |shared| shared.number()),
            (None, None) => Ok(default),
        };
        Ok(Self {
            // Lambda's own defaults.
            timeout: Duration::from_secs(setting("Timeout", 3)?),
            memory: u32::try_from(setting("MemorySize", 128)?).unwrap_or(u32::MAX),
            environment,
        })
    }
}
