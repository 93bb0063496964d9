//! Which version of the API a request is of.

use crate::description::Description;
use crate::wire::errors::ApiError;

/// What `Stripe-Version` says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Version {
    /// Nothing: parameters of any version are read, and the answer is of the newest.
    Any,
    Asked(&'static Description),
}

impl Version {
    /// Reads the header.
    pub(crate) fn read(header: Option<&str>) -> Result<Self, ApiError> {
        match header {
            None => Ok(Self::Any),
            Some(version) => Description::at(version).map(Self::Asked).ok_or_else(|| {
                let known: Vec<_> = Description::all().map(Description::version).collect();
                ApiError::invalid(format!(
                    "Invalid Stripe API version: {version}. The stand-in knows {}, and every \
                     version of the same name.",
                    known.join(", ")
                ))
            }),
        }
    }

    /// What answers look like.
    pub(crate) fn description(self) -> &'static Description {
        match self {
            Self::Any => Description::newest(),
            Self::Asked(description) => description,
        }
    }
}
