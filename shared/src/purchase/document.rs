//! The invoice that Stripe writes of what is bought once, if the shop wants one.

use serde::{Deserialize, Serialize};

/// An invoice that was written of a purchase and is paid by its payment. It has no money of its own,
/// only what the buyer may want to keep. Ordered, so that of two that are said of the same invoice the
/// same one holds, whichever comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Document {
    /// Its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Stripe's page with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The same as a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pdf: Option<String>,
}
